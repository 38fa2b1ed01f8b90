/* SPDX-License-Identifier: BSD-2-Clause */
/* bring-up */
#include "arch/cpu/insn.h"
#include "hv/exit/exit.h"

void exit_cpuid(struct vcpu *v)
{
    struct cpuid_regs r = cpuid((uint32_t)v->vmx.gprs.rax, (uint32_t)v->vmx.gprs.rcx);
    if ((uint32_t)v->vmx.gprs.rax == 1)
        r.ecx = (r.ecx & ~(uint32_t)(BIT(5) | BIT(3) | BIT(21) | BIT(24))) | (uint32_t)BIT(31);
    v->vmx.gprs.rax = r.eax;
    v->vmx.gprs.rbx = r.ebx;
    v->vmx.gprs.rcx = r.ecx;
    v->vmx.gprs.rdx = r.edx;
    vm_exit_advance();
}
