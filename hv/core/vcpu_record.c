/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of a vCPU as the records of guest_abi/hv_vcpu.h. The vCPU does not run, its switched state is in
 * memory and its VMCS is current here (vcpu_access_begin). A record is checked whole before anything of it is
 * taken.
 */
#include "hv/core/vcpu_record.h"

#include <string.h>

#include "arch/cpu/fpu.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/vmx/guest_state.h"
#include "hv/core/domain.h"
#include "hv/core/irq_level.h"
#include "hv/core/policy.h"

#define DR6_RESERVED (~0x1e00fUL)

static bool canonical(uint64_t a)
{
    return (uint64_t)((int64_t)(a << 16) >> 16) == a;
}

static void get_regs(struct vcpu *t, struct hv_regs *r)
{
    memcpy(r, &t->vmx.gprs, sizeof(t->vmx.gprs));
    r->rsp = guest_rsp();
    r->rip = guest_rip();
    r->rflags = guest_rflags();
}

static int set_regs(struct vcpu *t, const struct hv_regs *r)
{
    /* SDM volume 3, "Checks on Guest RIP, RFLAGS, and SSP": reserved bits, and bit 1. */
    if ((r->rflags & ~0x3f7fd7UL) || !(r->rflags & RFLAGS_ONE) || !canonical(r->rip))
        return -HV_EINVAL;
    memcpy(&t->vmx.gprs, r, sizeof(t->vmx.gprs));
    guest_set_rsp(r->rsp);
    guest_set_rip(r->rip);
    guest_set_rflags(r->rflags);
    t->halted = t->waiting = false;
    timer_cancel(&t->wait_timer);
    return 0;
}

static void get_sregs(struct vcpu *t, struct hv_sregs *s)
{
    guest_get_sregs(s);
    s->cr2 = t->switched.cr2;
    s->dr6 = t->switched.dr6;
    memcpy(s->dr, t->switched.dr, sizeof(s->dr));
    s->xcr0 = t->switched.xcr0;
}

static int set_sregs(struct vcpu *t, const struct hv_sregs *s)
{
    struct guest_cr_env env;
    policy_cr(t->domain, &env);
    if ((s->dr6 & DR6_RESERVED & ~0xffff0ff0UL) || (fpu_xcr0_max() && !fpu_xcr0_valid(s->xcr0)) ||
        !guest_set_sregs(s, env.caps, env.cr4_allowed, env.efer_allowed))
        return -HV_EINVAL;
    t->switched.cr2 = s->cr2;
    t->switched.dr6 = s->dr6 | 0xffff0ff0UL;
    memcpy(t->switched.dr, s->dr, sizeof(s->dr));
    t->switched.xcr0 = s->xcr0;
    return 0;
}

static void get_msrs(struct vcpu *t, struct hv_msrs *m)
{
    const struct vcpu_switched *s = &t->switched;
    *m = (struct hv_msrs){.star = s->star,
                          .lstar = s->lstar,
                          .cstar = s->cstar,
                          .fmask = s->fmask,
                          .kernel_gs_base = s->kernel_gs_base,
                          .tsc_aux = s->tsc_aux,
                          .sysenter_cs = guest_sysenter(0),
                          .sysenter_esp = guest_sysenter(1),
                          .sysenter_eip = guest_sysenter(2),
                          .pat = guest_pat(),
                          .tsc = rdtsc() + t->tsc_offset,
                          .tsc_adjust = t->tsc_adjust,
                          .misc_enable = t->misc_enable,
                          .tsc_deadline = irq_level_get(t)};
}

static int set_msrs(struct vcpu *t, const struct hv_msrs *m)
{
    struct vcpu_switched *s = &t->switched;
    if (m->reserved[0] || (m->tsc_deadline && !t->domain->tsc_deadline) || m->xss || !canonical(m->lstar) ||
        !canonical(m->cstar) || !canonical(m->kernel_gs_base) || !canonical(m->sysenter_esp) ||
        !canonical(m->sysenter_eip) || (m->tsc_aux >> 32) || (m->sysenter_cs >> 32) || (m->fmask >> 32) ||
        (m->misc_enable & ~1UL) || !policy_pat_valid(m->pat))
        return -HV_EINVAL;
    s->star = m->star;
    s->lstar = m->lstar;
    s->cstar = m->cstar;
    s->fmask = m->fmask;
    s->kernel_gs_base = m->kernel_gs_base;
    s->tsc_aux = m->tsc_aux;
    guest_set_sysenter(0, m->sysenter_cs);
    guest_set_sysenter(1, m->sysenter_esp);
    guest_set_sysenter(2, m->sysenter_eip);
    guest_set_pat(m->pat);
    t->tsc_offset = m->tsc - rdtsc();
    guest_set_tsc_offset(t->tsc_offset);
    t->tsc_adjust = m->tsc_adjust;
    t->misc_enable = m->misc_enable;
    if (t->domain->tsc_deadline)
        irq_level_set(t, m->tsc_deadline);
    return 0;
}

static void get_events(struct vcpu *t, struct hv_events *e)
{
    guest_get_events(e);
    e->activity = t->halted ? 1 : 0;
    e->nmi_pending = t->nmi_pending;
    e->external_pending = t->external_pending;
}

static int set_events(struct vcpu *t, const struct hv_events *e)
{
    if (e->activity > 1 || e->nmi_pending > 2 ||
        (e->external_pending && (e->external_pending & ~0xffU) != 0x100) || !guest_set_events(e))
        return -HV_EINVAL;
    t->halted = e->activity == 1;
    t->nmi_pending = e->nmi_pending;
    t->external_pending = e->external_pending;
    return 0;
}

uint32_t vcpu_record_size(uint64_t kind)
{
    static const uint32_t size[] = {[HV_STATE_REGS] = sizeof(struct hv_regs),
                                    [HV_STATE_SREGS] = sizeof(struct hv_sregs),
                                    [HV_STATE_MSRS] = sizeof(struct hv_msrs),
                                    [HV_STATE_XSAVE] = 0,
                                    [HV_STATE_EVENTS] = sizeof(struct hv_events)};
    return kind < ARRAY_SIZE(size) ? size[kind] : 0;
}

void vcpu_record_get(struct vcpu *t, enum hv_state_kind kind, union vcpu_record *r)
{
    switch (kind) {
    case HV_STATE_REGS:
        get_regs(t, &r->regs);
        break;
    case HV_STATE_SREGS:
        get_sregs(t, &r->sregs);
        break;
    case HV_STATE_MSRS:
        get_msrs(t, &r->msrs);
        break;
    case HV_STATE_EVENTS:
        get_events(t, &r->events);
        break;
    case HV_STATE_XSAVE:
    case HV_STATE_LAPIC:
        break;
    }
}

int vcpu_record_set(struct vcpu *t, enum hv_state_kind kind, const union vcpu_record *r)
{
    switch (kind) {
    case HV_STATE_REGS:
        return set_regs(t, &r->regs);
    case HV_STATE_SREGS:
        return set_sregs(t, &r->sregs);
    case HV_STATE_MSRS:
        return set_msrs(t, &r->msrs);
    case HV_STATE_EVENTS:
        return set_events(t, &r->events);
    case HV_STATE_XSAVE:
    case HV_STATE_LAPIC:
        break;
    }
    return -HV_EINVAL;
}
