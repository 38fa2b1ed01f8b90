/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID: a look-up in the domain's prepared answers (hv/core/cpuid_policy.c). */
#include "hv/core/cpuid_policy.h"

#include "arch/cpu/fpu.h"
#include "arch/cpu/insn.h"
#include "arch/vmx/guest_cr.h"
#include "hv/exit/exit.h"
#include "hv/vapic/vapic.h"

__attribute__((noinline)) static void patched(struct vcpu *v, const struct cpuid_entry *e)
{
    const struct cpuid_vcpu state = {.index = v->index,
                                     .cr4 = guest_cr_cr4(),
                                     .xcr0 = fpu_xcr0_max() ? xgetbv(0) : 0,
                                     .apic_off = v->apic && vlapic_mode(&vapic_of(v)->lapic) == VLAPIC_OFF};
    uint32_t reg[CPUID_REGS];
    cpuid_policy_patch(v->domain->cpuid, e, (uint32_t)v->vmx.gprs.rcx, &state, reg);
    v->vmx.gprs.rax = reg[CPUID_EAX];
    v->vmx.gprs.rbx = reg[CPUID_EBX];
    v->vmx.gprs.rcx = reg[CPUID_ECX];
    v->vmx.gprs.rdx = reg[CPUID_EDX];
    vm_exit_advance();
}

void exit_cpuid(struct vcpu *v)
{
    uint32_t leaf = (uint32_t)v->vmx.gprs.rax, subleaf = (uint32_t)v->vmx.gprs.rcx;
    const struct cpuid_entry *e = cpuid_policy_find(v->domain->cpuid, leaf, subleaf);
    if (__builtin_expect(e->dynamic, 0)) {
        patched(v, e);
        return;
    }
    v->vmx.gprs.rax = e->reg[CPUID_EAX];
    v->vmx.gprs.rbx = e->reg[CPUID_EBX];
    v->vmx.gprs.rcx = e->reg[CPUID_ECX];
    v->vmx.gprs.rdx = e->reg[CPUID_EDX];
    vm_exit_advance();
}

/* Here the exit goes past hv_vmexit: see vmentry.S. */
void hv_fast_cpuid(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    percpu_count_exit();
    v->exits[EXIT_CPUID]++;
    exit_cpuid(v);
}
