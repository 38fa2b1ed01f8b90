/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing the state of a vCPU, record by record (guest_abi/hv_vcpu.h). The vCPU neither runs nor
 * can start meanwhile: it is held for the time of the call. A record is checked whole before anything of it
 * is taken.
 */
#include <string.h>

#include "arch/cpu/fpu.h"
#include "hv/core/gmem.h"
#include "hv/core/sched.h"
#include "hv/core/vcpu_record.h"
#include "hv/irqchip/irqchip.h"
#include "hv/mgmt/mgmt.h"
#include "hv/vapic/vapic.h"

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

/*
 * The area's own header must name only components that exist, in standard format: XRSTOR would fault in the
 * hypervisor otherwise.
 */
static int64_t xsave_set(struct vcpu *v, struct vcpu *t, gpa_t gpa, uint64_t size)
{
    struct hv_xsave_header h;
    if (size != sizeof(h) + fpu_area_size())
        return -HV_EINVAL;
    if (gmem_read(v->domain, gpa, &h, sizeof(h)))
        return -HV_EFAULT;
    for (unsigned i = 0; i < ARRAY_SIZE(h.reserved1); i++)
        if (h.reserved1[i])
            return -HV_EINVAL;
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

static int64_t lapic_get(struct vcpu *v, struct vcpu *t, gpa_t gpa)
{
    struct hv_lapic record = {0};
    vapic_timer_check(t);
    vapic_take_late(t);
    if (vapic_take(t)) { /* who delivers it has not heard of it */
        vapic_sync(t);
        sched_request(t, REQUEST_EVENT);
    }
    vlapic_state_get(&vapic_of(t)->lapic, vapic_now(t), &record);
    return gmem_write(v->domain, gpa, &record, sizeof(record)) ? -HV_EFAULT : 0;
}

static int64_t lapic_set(struct vcpu *v, struct vcpu *t, gpa_t gpa)
{
    struct hv_lapic record;
    if (gmem_read(v->domain, gpa, &record, sizeof(record)))
        return -HV_EFAULT;
    return vapic_set_state(t, &record) ? 0 : -HV_EINVAL;
}

/* Finds the vCPU, stops it for the time of the call, and makes its VMCS current here. */
static int begin(struct vcpu *v, const struct mgmt_args *args, struct vcpu **t)
{
    int error = mgmt_target_vcpu(v, args->a0, args->a1, t);
    if (error)
        return error;
    if (args->a3 & 7)
        return -HV_EINVAL;
    if ((args->a3 & ~PAGE_MASK) + args->a4 > PAGE_SIZE || args->a4 > PAGE_SIZE)
        return -HV_EFAULT;
    bool lapic = args->a2 == HV_STATE_LAPIC;
    uint32_t fixed = lapic ? sizeof(struct hv_lapic) : vcpu_record_size(args->a2);
    if (args->a2 > HV_STATE_LAPIC || (fixed && args->a4 != fixed))
        return -HV_EINVAL;
    return lapic && !(*t)->apic ? -HV_ENODEV : 0;
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
    union vcpu_record r = {0};
    int error = begin(v, args, &t);
    if (error)
        return error;
    hold(t);
    if (args->a2 == HV_STATE_LAPIC)
        error = (int)lapic_get(v, t, args->a3);
    else
        vcpu_record_get(t, (enum hv_state_kind)args->a2, &r);
    release(t);
    if (args->a2 == HV_STATE_LAPIC)
        return error;
    if (args->a2 == HV_STATE_XSAVE)
        return xsave_get(v, t, args->a3, args->a4);
    return gmem_write(v->domain, args->a3, &r, args->a4) ? -HV_EFAULT : 0;
}

int64_t mgmt_vcpu_set(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    union vcpu_record r;
    int64_t error = begin(v, args, &t);
    if (error)
        return error;
    if (!t->holds)
        return -HV_EBUSY;
    bool xsave = args->a2 == HV_STATE_XSAVE, lapic = args->a2 == HV_STATE_LAPIC;
    if (!xsave && !lapic && gmem_read(v->domain, args->a3, &r, args->a4))
        return -HV_EFAULT;
    hold(t);
    uint64_t offset = t->tsc_offset;
    error = xsave   ? xsave_set(v, t, args->a3, args->a4)
            : lapic ? lapic_set(v, t, args->a3)
                    : vcpu_record_set(t, (enum hv_state_kind)args->a2, &r);
    if (t->apic && t->tsc_offset != offset)
        vapic_moved_tsc(t, t->tsc_offset - offset);
    /* It may not be asleep any more, and may have events: it looks when it runs next. */
    if (!error)
        sched_request(t, REQUEST_EVENT | (lapic ? REQUEST_APIC : 0));
    release(t);
    if (lapic && !error)
        irqchip_retry(t->domain);
    return error;
}
