/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC as software sees it: registers and bits, spelled as in the SDM, volume 3, chapter "Advanced
 * Programmable Interrupt Controller (APIC)", and the record that carries the state of a virtual one.
 *
 * A register has an offset in the 4 KiB page of xAPIC mode; in x2APIC mode it is MSR 0x800 + offset / 16. The
 * same page, with the same offsets, is the virtual-APIC page of VMX.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define APIC_PAGE_DEFAULT 0xfee00000U /* IA32_APIC_BASE after reset, without its flags */

/* IA32_APIC_BASE, MSR 0x1B */
#define IA32_APIC_BASE_BSP  0x100U
#define IA32_APIC_BASE_EXTD 0x400U /* x2APIC mode */
#define IA32_APIC_BASE_EN   0x800U

enum apic_reg {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30,
    APIC_TPR = 0x80,
    APIC_APR = 0x90, /* xAPIC only */
    APIC_PPR = 0xa0,
    APIC_EOI = 0xb0,
    APIC_RRD = 0xc0, /* xAPIC only */
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0, /* xAPIC only */
    APIC_SVR = 0xf0,
    APIC_ISR = 0x100, /* eight registers of 32 vectors each; so TMR, IRR */
    APIC_TMR = 0x180,
    APIC_IRR = 0x200,
    APIC_ESR = 0x280,
    APIC_LVT_CMCI = 0x2f0,
    APIC_ICR = 0x300,  /* x2APIC: one register of 64 bits */
    APIC_ICR2 = 0x310, /* xAPIC only: bits 63:32 */
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_THERMAL = 0x330,
    APIC_LVT_PMC = 0x340,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TMICT = 0x380,    /* initial count */
    APIC_TMCCT = 0x390,    /* current count */
    APIC_TDCR = 0x3e0,     /* divide configuration */
    APIC_SELF_IPI = 0x3f0, /* x2APIC only */
    APIC_REGS_SIZE = 0x400,
};

#define APIC_VERSION_INTEGRATED    0x14U
#define APIC_VERSION_MAX_LVT_SHIFT 16
#define APIC_VERSION_DIRECTED_EOI  0x1000000U /* EOI broadcasts can be suppressed */

#define APIC_SVR_VECTOR       0xffU
#define APIC_SVR_ENABLE       0x100U
#define APIC_SVR_FOCUS        0x200U
#define APIC_SVR_DIRECTED_EOI 0x1000U

#define APIC_DFR_FLAT    0xffffffffU
#define APIC_DFR_CLUSTER 0x0fffffffU
#define APIC_DFR_ONES    0x0fffffffU /* bits that read as one */

#define APIC_LVT_MASKED     0x10000U
#define APIC_LVT_LEVEL      0x8000U
#define APIC_LVT_REMOTE_IRR 0x4000U
#define APIC_LVT_POLARITY   0x2000U
#define APIC_LVT_STATUS     0x1000U
#define APIC_LVT_MODE_SHIFT 8 /* enum apic_delivery, 3 bits */
#define APIC_LVT_VECTOR     0xffU
#define APIC_TIMER_ONE_SHOT 0x00000U
#define APIC_TIMER_PERIODIC 0x20000U
#define APIC_TIMER_DEADLINE 0x40000U
#define APIC_TIMER_MODE     0x60000U
#define APIC_TDCR_DIVIDE    0xbU

enum apic_delivery {
    APIC_DM_FIXED = 0,
    APIC_DM_LOWEST = 1,
    APIC_DM_SMI = 2,
    APIC_DM_REMOTE_READ = 3, /* reserved since the Pentium 4 */
    APIC_DM_NMI = 4,
    APIC_DM_INIT = 5,
    APIC_DM_STARTUP = 6,
    APIC_DM_EXTINT = 7,
};

#define APIC_ICR_MODE_SHIFT      8
#define APIC_ICR_LOGICAL         0x800U
#define APIC_ICR_BUSY            0x1000U
#define APIC_ICR_ASSERT          0x4000U
#define APIC_ICR_LEVEL           0x8000U
#define APIC_ICR_SHORTHAND_SHIFT 18
#define APIC_ICR_WRITABLE        0xccfffU
#define APIC_ICR_XAPIC_DEST      56 /* shift of bits 63:56 */
#define APIC_ICR_X2APIC_DEST     32

enum apic_shorthand {
    APIC_TO_DEST = 0,
    APIC_TO_SELF = 1,
    APIC_TO_ALL = 2,
    APIC_TO_OTHERS = 3,
};

#define APIC_ESR_SEND_ILLEGAL_VECTOR    0x20U
#define APIC_ESR_RECEIVE_ILLEGAL_VECTOR 0x40U
#define APIC_ESR_ILLEGAL_REGISTER       0x80U

#define APIC_BROADCAST   0xffU
#define X2APIC_BROADCAST 0xffffffffU
#define APIC_FIRST_LEGAL 16 /* vectors below are illegal */

#define X2APIC_MSR_FIRST    0x800U
#define X2APIC_MSR_LAST     0x8ffU
#define X2APIC_ICR_RESERVED 0xfff32000U /* bits 31:20, 17:16, 13 */

/*
 * A virtual local APIC at rest. `regs` are the first 1 KiB of the page. TMCCT holds the count that is left,
 * rounded; `timer_left` holds the same in TSC ticks, and is used when it is not 0.
 */
#define HV_LAPIC_VERSION 1U

enum hv_lapic_event {
    HV_LAPIC_INIT = 1 << 8, /* bits 7:0: vector of the pending SIPI */
    HV_LAPIC_SIPI = 1 << 9,
    HV_LAPIC_WAIT = 1 << 10, /* in wait-for-SIPI */
    HV_LAPIC_NMI = 1 << 11,
    HV_LAPIC_SMI = 1 << 12,
    HV_LAPIC_EVENTS = 0x1fff,
};

struct hv_lapic {
    uint32_t size; /* of this structure */
    uint32_t version;
    uint64_t apic_base;
    uint64_t tsc_deadline; /* guest TSC; 0: not armed, or another timer mode */
    uint64_t timer_left;   /* other modes: TSC ticks to the next interrupt; 0: stopped, or see TMCCT */
    uint32_t esr_pending;  /* errors that no write to ESR has latched yet */
    uint32_t events;       /* enum hv_lapic_event */
    uint32_t reserved[6];
    uint32_t regs[APIC_REGS_SIZE / 4];
};
_Static_assert(offsetof(struct hv_lapic, esr_pending) == 32, "ABI");
_Static_assert(offsetof(struct hv_lapic, regs) == 64, "ABI");
_Static_assert(sizeof(struct hv_lapic) == 64 + 1024, "ABI");

/* --- HV_CALL_VCPU_APIC: what a vCPU's local APIC is, and has done --- */
enum hv_apic_mode { HV_APIC_ABSENT, HV_APIC_OFF, HV_APIC_XAPIC, HV_APIC_X2APIC };

/* What the processor does of it, each more than the one before. */
enum hv_apic_level {
    HV_APIC_LEVEL_NONE,
    HV_APIC_LEVEL_TPR,  /* the task priority */
    HV_APIC_LEVEL_REGS, /* reads of registers */
    HV_APIC_LEVEL_VID,  /* delivery, EOI of edges, self IPI */
    HV_APIC_LEVEL_PI,   /* takes in what other CPUs post */
};

/* Why the level is not HV_APIC_LEVEL_PI. */
#define HV_APIC_INHIBIT_ABSENT   (1U << 0) /* the domain has no local APICs */
#define HV_APIC_INHIBIT_MACHINE  (1U << 1) /* the processors cannot do more, or vapic= forbids it */
#define HV_APIC_INHIBIT_OFF      (1U << 2) /* IA32_APIC_BASE: disabled */
#define HV_APIC_INHIBIT_SOFTWARE (1U << 3) /* SVR: disabled by software */

/* Index of hv_vcpu_apic.count. What the processor does by itself, nobody counts. */
enum hv_apic_count {
    HV_APIC_ACCEPTED, /* new in IRR */
    HV_APIC_MERGED,   /* was there already */
    HV_APIC_REFUSED,  /* disabled, illegal, or nobody waits for it */
    HV_APIC_ERRORS,
    HV_APIC_EOI,
    HV_APIC_EOI_IDLE, /* with nothing in service */
    HV_APIC_SPURIOUS,
    HV_APIC_IPI, /* sent */
    HV_APIC_IPI_SELF,
    HV_APIC_IPI_BROADCAST,
    HV_APIC_IPI_INVALID, /* ICR without a meaning: ignored */
    HV_APIC_LVT,         /* interrupts from the local vector table, the timer's apart */
    HV_APIC_TIMER,
    HV_APIC_COUNTS
};

struct hv_vcpu_apic {
    uint32_t size;
    uint32_t id;       /* APIC ID */
    uint32_t mode;     /* enum hv_apic_mode */
    uint32_t level;    /* enum hv_apic_level: in effect now */
    uint32_t inhibits; /* HV_APIC_INHIBIT_* */
    uint32_t reserved;
    uint64_t count[24]; /* enum hv_apic_count, since the vCPU was made; the rest 0 */
};
_Static_assert(sizeof(struct hv_vcpu_apic) == 216, "ABI");
_Static_assert(HV_APIC_COUNTS <= 24, "room");
