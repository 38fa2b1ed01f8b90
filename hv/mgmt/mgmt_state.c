/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing the state of a vCPU, record by record (guest_abi/hv_vcpu.h). The vCPU neither runs nor can start meanwhile: it is held for the
 * time of the call. A record is checked whole before anything of it is taken.
 */
#include <string.h>

#include "arch/cpu/fpu.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/vmx/guest_state.h"
#include "hv/core/gmem.h"
#include "hv/core/readiness.h"
#include "hv/core/sched.h"
#include "hv/core/policy.h"
#include "hv/mgmt/mgmt.h"

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
    t->halted = false;
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
                          .misc_enable = t->misc_enable};
}

static int set_msrs(struct vcpu *t, const struct hv_msrs *m)
{
    struct vcpu_switched *s = &t->switched;
    if (m->reserved[0] || m->reserved[1] || m->xss || !canonical(m->lstar) ||
        !canonical(m->cstar) || !canonical(m->kernel_gs_base) || !canonical(m->sysenter_esp) ||
        !canonical(m->sysenter_eip) || (m->tsc_aux >> 32) || (m->sysenter_cs >> 32) ||
        !policy_pat_valid(m->pat))
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

/* Kinds of fixed size; the XSAVE record is handled apart. */
union record {
    struct hv_regs regs;
    struct hv_sregs sregs;
    struct hv_msrs msrs;
    struct hv_events events;
};

static uint32_t size_of(uint64_t kind)
{
    static const uint32_t size[] = {[HV_STATE_REGS] = sizeof(struct hv_regs),
                                    [HV_STATE_SREGS] = sizeof(struct hv_sregs),
                                    [HV_STATE_MSRS] = sizeof(struct hv_msrs),
                                    [HV_STATE_XSAVE] = 0,
                                    [HV_STATE_EVENTS] = sizeof(struct hv_events)};
    return kind < ARRAY_SIZE(size) ? size[kind] : 0;
}

static int64_t xsave_get(struct vcpu *v, struct vcpu *t, gpa_t gpa, uint64_t size)
{
    const struct hv_xsave_header h = {.size = (uint32_t)(sizeof(h) + fpu_area_size()),
                                      .xcr0 = t->switched.xcr0};
    if (size != h.size)
        return -HV_EINVAL;
    if (gmem_write(v->domain, gpa, &h, sizeof(h)) ||
        gmem_write(v->domain, gpa + sizeof(h), t->xsave, fpu_area_size()))
        return -HV_EFAULT;
    return 0;
}

/* The area's own header must name only components that exist, in standard format: XRSTOR would fault in the hypervisor otherwise. */
static int64_t xsave_set(struct vcpu *v, struct vcpu *t, gpa_t gpa, uint64_t size)
{
    struct hv_xsave_header h;
    if (size != sizeof(h) + fpu_area_size())
        return -HV_EINVAL;
    if (gmem_read(v->domain, gpa, &h, sizeof(h)))
        return -HV_EFAULT;
    if (h.size != size || h.reserved || (fpu_xcr0_max() && !fpu_xcr0_valid(h.xcr0)))
        return -HV_EINVAL;
    void *copy = domain_page_alloc(t->domain);
    if (!copy)
        return -HV_ENOMEM;
    int64_t result = -HV_EFAULT;
    if (!gmem_read(v->domain, gpa + sizeof(h), copy, fpu_area_size()))
        result = fpu_area_valid(copy) ? 0 : -HV_EINVAL;
    if (!result) {
        memcpy(t->xsave, copy, fpu_area_size());
        t->switched.xcr0 = h.xcr0;
    }
    domain_page_free(t->domain, copy);
    return result;
}

/* Finds the vCPU, stops it for the time of the call, and makes its VMCS current here. */
static int begin(struct vcpu *v, const struct mgmt_args *args, struct vcpu **t)
{
    int error = mgmt_target_vcpu(v, args->a[0], args->a[1], t);
    if (error)
        return error;
    if (args->a[3] & 7)
        return -HV_EINVAL;
    if ((args->a[3] & ~PAGE_MASK) + args->a[4] > PAGE_SIZE || args->a[4] > PAGE_SIZE)
        return -HV_EFAULT;
    uint32_t fixed = size_of(args->a[2]);
    if (args->a[2] > HV_STATE_EVENTS || (fixed && args->a[4] != fixed))
        return -HV_EINVAL;
    return 0;
}

static void hold(struct vcpu *t)
{
    sched_hold(t, HOLD_CHANGE);
    sched_wait_stopped(t);
    vcpu_access_begin(t);
}

static void release(struct vcpu *t)
{
    vcpu_access_end(t);
    sched_release(t, HOLD_CHANGE);
}

int64_t mgmt_vcpu_get(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    union record r = {0};
    int error = begin(v, args, &t);
    if (error)
        return error;
    hold(t);
    switch (args->a[2]) {
    case HV_STATE_REGS:
        get_regs(t, &r.regs);
        break;
    case HV_STATE_SREGS:
        get_sregs(t, &r.sregs);
        break;
    case HV_STATE_MSRS:
        get_msrs(t, &r.msrs);
        break;
    case HV_STATE_EVENTS:
        get_events(t, &r.events);
        break;
    default:
        break;
    }
    release(t);
    if (args->a[2] == HV_STATE_XSAVE)
        return xsave_get(v, t, args->a[3], args->a[4]);
    return gmem_write(v->domain, args->a[3], &r, args->a[4]) ? -HV_EFAULT : 0;
}

static int set_record(struct vcpu *t, uint64_t kind, const union record *r)
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
    default:
        return -HV_EINVAL;
    }
}

int64_t mgmt_vcpu_set(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    union record r;
    int64_t error = begin(v, args, &t);
    if (error)
        return error;
    if (!t->holds)
        return -HV_EBUSY;
    bool xsave = args->a[2] == HV_STATE_XSAVE;
    if (!xsave && gmem_read(v->domain, args->a[3], &r, args->a[4]))
        return -HV_EFAULT;
    hold(t);
    error = xsave ? xsave_set(v, t, args->a[3], args->a[4]) : set_record(t, args->a[2], &r);
    release(t);
    return error;
}
