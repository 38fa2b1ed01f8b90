/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RDMSR and WRMSR that exit: what the policy (hv/core/msr_policy.c) says, and the few MSRs that are emulated.
 * Anything else is #GP(0).
 */
#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/vmx/guest_state.h"
#include "hv/core/msr_policy.h"
#include "hv/core/policy.h"
#include "hv/exit/apic.h"
#include "hv/exit/exit.h"

/* False: #GP. The MSRs of a local APIC are not there in a domain without. */
static bool read_emulated(struct vcpu *v, uint8_t kind, uint64_t *value)
{
    switch (kind) {
    case MSR_KIND_TSC_ADJUST:
        *value = v->tsc_adjust;
        return true;
    case MSR_KIND_MISC_ENABLE:
        *value = v->misc_enable;
        return true;
    case MSR_KIND_XSS:
        *value = 0;
        return true;
    case MSR_KIND_TSC:
        *value = rdtsc() + v->tsc_offset;
        return true;
    case MSR_KIND_APIC_BASE:
    case MSR_KIND_TSC_DEADLINE:
    case MSR_KIND_X2APIC:
        return apic_msr_read(v, (uint32_t)v->vmx.gprs.rcx, value);
    default:
        return false;
    }
}

/*
 * A write to TSC moves TSC_ADJUST by the same amount, and the other way round: SDM volume 3, "IA32_TSC_ADJUST
 * Support".
 */
static void move_tsc(struct vcpu *v, uint64_t by)
{
    v->tsc_offset += by;
    v->tsc_adjust += by;
    guest_set_tsc_offset(v->tsc_offset);
    apic_moved_tsc(v, by);
}

static bool write_emulated(struct vcpu *v, uint8_t kind, uint64_t value)
{
    switch (kind) {
    case MSR_KIND_TSC:
        move_tsc(v, value - (rdtsc() + v->tsc_offset));
        return true;
    case MSR_KIND_TSC_ADJUST:
        move_tsc(v, value - v->tsc_adjust);
        return true;
    case MSR_KIND_MISC_ENABLE:
        v->misc_enable = value & 1; /* fast strings; the rest of it is not virtualized and reads 0 */
        return true;
    case MSR_KIND_PAT:
        if (!policy_pat_valid(value))
            return false;
        guest_set_pat(value);
        return true;
    case MSR_KIND_XSS:
        return value == 0;
    case MSR_KIND_SWITCHED:
        return vcpu_write_switched(v, (uint32_t)v->vmx.gprs.rcx, value);
    case MSR_KIND_APIC_BASE:
    case MSR_KIND_TSC_DEADLINE:
    case MSR_KIND_X2APIC:
        return apic_msr_write(v, (uint32_t)v->vmx.gprs.rcx, value);
    default:
        return false;
    }
}

void exit_rdmsr(struct vcpu *v)
{
    const struct msr_rule *r = msr_policy_find((uint32_t)v->vmx.gprs.rcx);
    uint64_t value = r->value;
    bool ok =
        r->read == MSR_ACCESS_VALUE || (r->read == MSR_ACCESS_EMULATE && read_emulated(v, r->kind, &value));
    if (!ok) {
        exit_inject_gp(v);
        return;
    }
    v->vmx.gprs.rax = (uint32_t)value;
    v->vmx.gprs.rdx = value >> 32;
    vm_exit_advance();
}

void exit_wrmsr(struct vcpu *v)
{
    const struct msr_rule *r = msr_policy_find((uint32_t)v->vmx.gprs.rcx);
    uint64_t value = v->vmx.gprs.rdx << 32 | (uint32_t)v->vmx.gprs.rax;
    if (r->write == MSR_ACCESS_EMULATE && r->kind == MSR_KIND_EFER) {
        struct guest_cr_env env;
        exit_cr_env(v, &env);
        exit_cr_result(v, guest_cr_write_efer(&env, value));
        return;
    }
    bool ok = r->write == MSR_ACCESS_IGNORE || (r->write == MSR_ACCESS_VALUE && value == r->value) ||
              (r->write == MSR_ACCESS_EMULATE && write_emulated(v, r->kind, value));
    if (ok)
        vm_exit_advance();
    else
        exit_inject_gp(v);
}
