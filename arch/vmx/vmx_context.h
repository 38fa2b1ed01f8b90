/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What entry and exit need of a vCPU: its registers and its VMCS. struct vcpu begins with it, and its word of
 * pending work comes next, so that assembly can test it.
 *
 * After a VM exit RSP points at the end of `gprs` (HOST_RSP): vmentry.S stores the registers relative to it,
 * then the CPU's own stack is taken. Interrupts are off in between, and NMI, #DF and #MC have stacks of their
 * own.
 */
#ifndef ARCH_VMX_VMX_CONTEXT_H
#define ARCH_VMX_VMX_CONTEXT_H

#define VMX_CONTEXT_GPRS     0
#define VMX_CONTEXT_PENDING  144 /* uint32_t: not 0 = hv_serve decides what is entered */
#define PERCPU_STACK_TOP_OFF 16
#define PERCPU_CONTEXT_OFF   24

#ifndef __ASSEMBLER__
#include "arch/cpu/percpu.h"
#include "arch/cpu/regs.h"
#include "arch/vmx/vmx_caps.h"

struct vmx_context {
    union gprs gprs; /* RSP is in the VMCS; its slot is scratch */
    void *vmcs;
    uint64_t vmcs_pa;
};
_Static_assert(offsetof(struct vmx_context, gprs) == VMX_CONTEXT_GPRS, "assembly offset");
_Static_assert(sizeof(struct vmx_context) == VMX_CONTEXT_PENDING, "assembly offset");
_Static_assert(offsetof(struct percpu, stack_top) == PERCPU_STACK_TOP_OFF, "assembly offset");
_Static_assert(offsetof(struct percpu, context) == PERCPU_CONTEXT_OFF, "assembly offset");

/* Makes c's VMCS the executing CPU's current one. */
void vmx_context_load(struct vmx_context *c);

/* VMCLEAR: writes the VMCS back to memory, so that another CPU may load it. Idempotent. */
void vmx_context_clear(struct vmx_context *c);

/* Enters the guest; comes back only through hv_vmexit on an empty stack. */
__attribute__((noreturn)) void vmx_enter(struct vmx_context *c);

/*
 * Upcalls from vmentry.S (arch/cpu/upcall.h says more). hv_vmexit handles one exit and returns the context to
 * enter next; so does hv_vmexit_traced, with records of it, and hv_serve, for c after an exit that a fast handler has done while work was pending.
 * hv_vmentry_failed is told that VMLAUNCH or VMRESUME of c was refused; it returns the context to enter
 * instead.
 *
 * Fast handlers run while RBX, RBP and R12 to R15 of the guest are still in the processor, and not in `gprs`. They
 * answer with the word of pending work of c, which is 0 when the guest goes on at once, or VMX_FAST_NOT.
 */
#define VMX_FAST_NOT (-1) /* nothing was done: take the full way */
struct vmx_fast {
    uint64_t rax;  /* the guest's, instead of the slot */
    uint64_t done; /* 0: nothing was done, take the full way */
};
struct vmx_context *hv_vmexit(struct vmx_context *c, uint32_t reason);
struct vmx_context *hv_vmexit_traced(struct vmx_context *c);
struct vmx_context *hv_serve(struct vmx_context *c);
struct vmx_context *hv_vmentry_failed(void);
void hv_fast_cpuid(struct vmx_context *c); /* sets the slots of RAX, RBX, RCX, RDX */
struct vmx_fast hv_fast_vmcall(struct vmx_context *c);
int32_t hv_fast_wrmsr(struct vmx_context *c);
int32_t hv_fast_interrupt(struct vmx_context *c);
int32_t hv_fast_hlt(struct vmx_context *c);
int32_t hv_fast_io(struct vmx_context *c);
int32_t hv_fast_apic_write(struct vmx_context *c);
int32_t hv_fast_ept_violation(struct vmx_context *c);
#endif

#endif
