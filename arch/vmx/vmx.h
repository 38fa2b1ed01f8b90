/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMX operation of the executing CPU, and the invalidation instructions.
 */
#ifndef ARCH_VMX_VMX_H
#define ARCH_VMX_VMX_H

#include "arch/cpu/bits.h"
#include "arch/vmx/vmx_caps.h"

/* Enters VMX operation with a zeroed page of its own. False: the processor refused (VMfail). */
bool vmx_on(const struct vmx_caps *caps, void *region, uint64_t region_pa);

/* Leaves it; every VMCS that was loaded here must have been cleared. Harmless outside VMX operation
 * (CR4.VMXE clear). */
void vmx_off(void);

/* Why the last VMX instruction failed, with a VMCS loaded: SDM volume 3, "VM Instruction Error Numbers". */
uint32_t vmx_instruction_error(void);

/* INVEPT, single context: drops what this CPU cached of one EPT. */
void vmx_invept(uint64_t eptp);

/* INVVPID, single context. */
void vmx_invvpid(uint16_t vpid);

#endif
