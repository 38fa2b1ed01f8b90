/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on vCPUs, apart from their state (mgmt_state.c). All but COMPLETE hold the management lock. */
#include "arch/cpu/vectors.h"
#include "hv/core/event.h"
#include "hv/core/gmem.h"
#include "hv/core/pcpu.h"
#include "hv/core/sched.h"
#include "hv/core/service.h"
#include "hv/mgmt/mgmt.h"
#include "hv/vapic/vapic.h"

#define SLICE_US_MAX 1000000UL

int64_t mgmt_vcpu_create(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct vcpu *created = NULL;
    void *service = NULL;
    int error = mgmt_target(v, args->a0, &d);
    if (error)
        return error;
    if (args->a1 >= d->max_vcpus)
        return -HV_EINVAL;
    uint32_t index = (uint32_t)args->a1 & (CONFIG_MAX_VCPUS - 1);
    if (d->vcpu[index])
        return -HV_EEXIST;
    error = gmem_pin(v->domain, args->a2, &service);
    if (error)
        return error;
    error = vcpu_create(d, index, service, &created);
    if (error) {
        gmem_unpin(service);
        return error;
    }
    created->service_gpa = args->a2;
    if (created->apic)
        vapic_init(created);
    if (d->pause_count)
        sched_hold(created, HOLD_PAUSED);
    vcpu_publish(created);
    return 0;
}

int64_t mgmt_vcpu_start(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    int error = mgmt_target_vcpu(v, args->a0, args->a1, &t);
    if (error)
        return error;
    if (domain_is_dead(t->domain))
        return -HV_ESRCH;
    if (!(t->holds & HOLD_STOPPED))
        return -HV_EEXIST;
    t->domain->started = true;
    sched_release(t, HOLD_STOPPED);
    return 0;
}

int64_t mgmt_vcpu_stop(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    int error = mgmt_target_vcpu(v, args->a0, args->a1, &t);
    if (error)
        return error;
    sched_hold(t, HOLD_STOPPED);
    sched_wait_stopped(t);
    return 0;
}

/* Changes that need the vCPU off its CPU for a moment. */
static void hold_for_change(struct vcpu *t)
{
    sched_hold(t, HOLD_CHANGE);
    sched_wait_stopped(t);
}

int64_t mgmt_vcpu_affinity(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    int error = mgmt_target_vcpu(v, args->a0, args->a1, &t);
    if (error)
        return error;
    uint64_t mask = args->a2 & MASK(pcpu_count - 1, 0);
    if (!mask)
        return -HV_EINVAL;
    hold_for_change(t);
    sched_set_affinity(t, mask);
    sched_release(t, HOLD_CHANGE);
    return 0;
}

int64_t mgmt_vcpu_priority(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    int error = mgmt_target_vcpu(v, args->a0, args->a1, &t);
    if (error)
        return error;
    if (args->a2 > 255 || args->a3 > SLICE_US_MAX)
        return -HV_EINVAL;
    hold_for_change(t);
    sched_set_priority(t, (uint8_t)args->a2, args->a3);
    sched_release(t, HOLD_CHANGE);
    return 0;
}

int64_t mgmt_vcpu_inject(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    int error = mgmt_target_vcpu(v, args->a0, args->a1, &t);
    if (error)
        return error;
    uint64_t vector = args->a3, code = args->a4;
    switch (args->a2) {
    case HV_INJECT_NMI:
        if (vector || code)
            return -HV_EINVAL;
        event_nmi(t);
        return 0;
    case HV_INJECT_EXTERNAL:
        if (vector < 16 || vector > 255 || code)
            return -HV_EINVAL;
        if (t->apic)
            return -HV_ENXIO;
        event_external(t, (uint8_t)vector);
        return 0;
    case HV_INJECT_EXCEPTION:
        if (vector >= VECTOR_EXCEPTIONS_END || vector == VECTOR_NMI || code > 0xffff)
            return -HV_EINVAL;
        return event_exception(t, (uint8_t)vector, (uint32_t)code);
    default:
        return -HV_EINVAL;
    }
}

int64_t mgmt_vcpu_kick(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    int error = mgmt_target_vcpu(v, args->a0, args->a1, &t);
    if (error)
        return error;
    if (t->holds & HOLD_SERVICE)
        return -HV_EBUSY;
    sched_request(t, REQUEST_KICK);
    return 0;
}

int64_t mgmt_vcpu_info(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    uint64_t ticks[ACCOUNT_KINDS];
    enum hv_vcpu_state state;
    int error = mgmt_check_out(v, args->a2, sizeof(struct hv_vcpu_info));
    if (!error)
        error = mgmt_target_vcpu(v, args->a0, args->a1, &t);
    if (error)
        return error;
    sched_times(t, ticks, &state);
    struct hv_vcpu_info info = {
        .size = sizeof(info),
        .state = state,
        .cpu = t->cpu,
        .priority = t->priority,
        .affinity = t->affinity,
        .service = t->service_gpa,
        .slice_us = t->slice_us,
        .ticks_running = ticks[ACCOUNT_RUNNING],
        .ticks_runnable = ticks[ACCOUNT_RUNNABLE],
        .ticks_blocked = ticks[ACCOUNT_BLOCKED],
        .ticks_offline = ticks[ACCOUNT_OFFLINE],
    };
    for (unsigned i = 0; i < EXIT_REASON_COUNT; i++) {
        info.exits_by_reason[i] = t->exits[i];
        info.exits += t->exits[i];
    }
    return mgmt_copy_out(v, args->a2, &info, sizeof(info));
}

/* Its owner may be changing what is read here: each number is true for itself. */
int64_t mgmt_vcpu_apic(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    struct hv_vcpu_apic info = {.size = sizeof(info), .inhibits = HV_APIC_INHIBIT_ABSENT};
    int error = mgmt_check_out(v, args->a2, sizeof(info));
    if (!error)
        error = mgmt_target_vcpu(v, args->a0, args->a1, &t);
    if (error)
        return error;
    if (t->apic)
        vapic_describe(t->apic, &info);
    return mgmt_copy_out(v, args->a2, &info, sizeof(info));
}

/* The hot one: no lock; the domain cannot go away before this CPU serves calls again (domain.h). */
int64_t mgmt_vcpu_complete(struct vcpu *v, const struct mgmt_args *args)
{
    struct vcpu *t = NULL;
    int error = mgmt_target_vcpu(v, args->a0, args->a1, &t);
    return error ? error : service_complete(t);
}
