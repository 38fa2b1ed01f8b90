/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM-execution, VM-exit and VM-entry controls by name: SDM volume 3, "VM-Execution Control Fields",
 * "VM-Exit Control Fields", "VM-Entry Control Fields"; EPT and VPID capabilities: appendix A.10
 * "VPID and EPT Capabilities". One enum per word, values are masks.
 */
#ifndef ARCH_VMX_VMX_CTLS_H
#define ARCH_VMX_VMX_CTLS_H

#include "arch/cpu/bits.h"

#define PIN_EXT_INT_EXITING   BIT(0)
#define PIN_NMI_EXITING       BIT(3)
#define PIN_VIRTUAL_NMIS      BIT(5)
#define PIN_PREEMPTION_TIMER  BIT(6)
#define PIN_POSTED_INTERRUPTS BIT(7)

#define PROC_INTERRUPT_WINDOW  BIT(2)
#define PROC_TSC_OFFSETTING    BIT(3)
#define PROC_HLT_EXITING       BIT(7)
#define PROC_INVLPG_EXITING    BIT(9)
#define PROC_MWAIT_EXITING     BIT(10)
#define PROC_RDPMC_EXITING     BIT(11)
#define PROC_RDTSC_EXITING     BIT(12)
#define PROC_CR3_LOAD_EXITING  BIT(15)
#define PROC_CR3_STORE_EXITING BIT(16)
#define PROC_TERTIARY          BIT(17)
#define PROC_CR8_LOAD_EXITING  BIT(19)
#define PROC_CR8_STORE_EXITING BIT(20)
#define PROC_TPR_SHADOW        BIT(21)
#define PROC_NMI_WINDOW        BIT(22)
#define PROC_MOV_DR_EXITING    BIT(23)
#define PROC_UNCOND_IO         BIT(24)
#define PROC_IO_BITMAPS        BIT(25)
#define PROC_MONITOR_TRAP      BIT(27)
#define PROC_MSR_BITMAPS       BIT(28)
#define PROC_MONITOR_EXITING   BIT(29)
#define PROC_PAUSE_EXITING     BIT(30)
#define PROC_SECONDARY         BIT(31)

#define PROC2_VIRT_APIC_ACCESS   BIT(0)
#define PROC2_EPT                BIT(1)
#define PROC2_DESC_TABLE_EXITING BIT(2)
#define PROC2_RDTSCP             BIT(3)
#define PROC2_VIRT_X2APIC        BIT(4)
#define PROC2_VPID               BIT(5)
#define PROC2_WBINVD_EXITING     BIT(6)
#define PROC2_UNRESTRICTED_GUEST BIT(7)
#define PROC2_APIC_REGISTER_VIRT BIT(8)
#define PROC2_VIRT_INT_DELIVERY  BIT(9)
#define PROC2_PAUSE_LOOP_EXITING BIT(10)
#define PROC2_RDRAND_EXITING     BIT(11)
#define PROC2_INVPCID            BIT(12)
#define PROC2_VMFUNC             BIT(13)
#define PROC2_ENCLS_EXITING      BIT(15)
#define PROC2_RDSEED_EXITING     BIT(16)
#define PROC2_XSAVES             BIT(20)
#define PROC2_TSC_SCALING        BIT(25)
#define PROC2_USER_WAIT_PAUSE    BIT(26)

#define PROC3_IPI_VIRT        BIT(4)
#define PROC3_APIC_TIMER_VIRT BIT(8)

#define EXIT_SAVE_DEBUG_CONTROLS   BIT(2)
#define EXIT_HOST_64               BIT(9)
#define EXIT_ACK_INTERRUPT         BIT(15)
#define EXIT_SAVE_PAT              BIT(18)
#define EXIT_LOAD_PAT              BIT(19)
#define EXIT_SAVE_EFER             BIT(20)
#define EXIT_LOAD_EFER             BIT(21)
#define EXIT_SAVE_PREEMPTION_TIMER BIT(22)

#define ENTRY_LOAD_DEBUG_CONTROLS BIT(2)
#define ENTRY_IA32E_GUEST         BIT(9)
#define ENTRY_LOAD_PAT            BIT(14)
#define ENTRY_LOAD_EFER           BIT(15)

#define EPT_CAP_WALK_4          BIT(6)
#define EPT_CAP_WB              BIT(14)
#define EPT_CAP_2M              BIT(16)
#define EPT_CAP_1G              BIT(17)
#define EPT_CAP_INVEPT          BIT(20)
#define EPT_CAP_AD              BIT(21)
#define EPT_CAP_INVEPT_CONTEXT  BIT(25)
#define EPT_CAP_INVEPT_ALL      BIT(26)
#define EPT_CAP_INVVPID         BIT(32)
#define EPT_CAP_INVVPID_CONTEXT BIT(41)
#define EPT_CAP_INVVPID_ALL     BIT(42)

#endif
