/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What entry and exit need of a vCPU: its registers, its VMCS, and whether that was launched. struct vcpu begins with it.
 *
 * After a VM exit RSP points at the end of `gprs` (HOST_RSP), so that the pushes of vmentry.S store the registers in place; then the CPU's own stack is
 * taken. Interrupts are off in between, and NMI, #DF and #MC have stacks of their own.
 */
#ifndef ARCH_VMX_VMX_CONTEXT_H
#define ARCH_VMX_VMX_CONTEXT_H

#define VMX_CONTEXT_GPRS     0
#define VMX_CONTEXT_LAUNCHED 128
#define PERCPU_STACK_TOP_OFF 16

#ifndef __ASSEMBLER__
#include "arch/cpu/percpu.h"
#include "arch/cpu/regs.h"
#include "arch/vmx/vmx_caps.h"

struct vmx_context {
    union gprs gprs;   /* RSP is in the VMCS; its slot is scratch */
    uint64_t launched; /* 0: the next entry is VMLAUNCH */
    void *vmcs;
    uint64_t vmcs_pa;
};
_Static_assert(offsetof(struct vmx_context, gprs) == VMX_CONTEXT_GPRS, "assembly offset");
_Static_assert(offsetof(struct vmx_context, launched) == VMX_CONTEXT_LAUNCHED, "assembly offset");
_Static_assert(offsetof(struct percpu, stack_top) == PERCPU_STACK_TOP_OFF, "assembly offset");

/* Makes c's VMCS the executing CPU's current one. */
void vmx_context_load(struct vmx_context *c);

/* VMCLEAR: writes the VMCS back to memory, so that another CPU may load it. Idempotent. */
void vmx_context_clear(struct vmx_context *c);

/* Enters the guest; comes back only through hv_vmexit on an empty stack. */
__attribute__((noreturn)) void vmx_enter(struct vmx_context *c);

/*
 * Upcalls from vmentry.S (arch/cpu/upcall.h says more). hv_vmexit handles one exit and returns the context to enter next. hv_vmentry_failed is told that VMLAUNCH or
 * VMRESUME of c was refused; it returns the context to enter instead.
 */
struct vmx_context *hv_vmexit(struct vmx_context *c);
struct vmx_context *hv_vmentry_failed(void);
#endif

#endif
