/* SPDX-License-Identifier: BSD-2-Clause */
/* bring-up */
#include "arch/cpu/msr.h"
#include "arch/vmx/guest_state.h"
#include "hv/exit/exit.h"
#include "hv/core/policy.h"

void exit_rdmsr(struct vcpu *v)
{
    if ((uint32_t)v->vmx.gprs.rcx == MSR_IA32_EFER) {
        uint64_t e = guest_efer();
        v->vmx.gprs.rax = (uint32_t)e;
        v->vmx.gprs.rdx = e >> 32;
        vm_exit_advance();
        return;
    }
    exit_inject_gp(v);
}
void exit_wrmsr(struct vcpu *v)
{
    if ((uint32_t)v->vmx.gprs.rcx == MSR_IA32_EFER) {
        struct guest_cr_env env;
        exit_cr_env(v, &env);
        exit_cr_result(
            v, guest_cr_write_efer(&env, v->vmx.gprs.rdx << 32 | (uint32_t)v->vmx.gprs.rax));
        return;
    }
    exit_inject_gp(v);
}
