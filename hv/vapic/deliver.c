/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivery: a message finds its APICs (vlapic_map.c), each admits it, and its vCPU is told.
 *
 * Telling. The vCPU runs on another CPU: the notification vector. In the guest the processor then takes in what was
 * posted, or exits for us to do it (apic_fast.c); in root mode it stays pending until the entry and does so there. On this
 * CPU: a request. Blocked: it is woken. Queued or held: nothing, because it looks at ON before it is entered.
 *
 *   poster, behind pi_post              v's CPU
 *     ON = 1        (locked)              blocked = true, notify_at = 0; full fence | running = true, notify_at = CPU; exchange requests
 *     read notify_at; 0: read blocked     read ON: set, do not sleep                | read ON: set, take
 *
 * Either side sees the other's store: hv/core/sched.c, tests/models/posted.pml.
 */
#include "hv/vapic/deliver.h"

#include "hv/core/event.h"
#include "hv/vapic/deliver_edge.h"

static bool test_bit(const uint64_t *bits, uint8_t vector)
{
    return atomic_load_relaxed(&bits[vector / 64]) >> (vector % 64) & 1;
}

VM_EXIT_RARE void deliver_tell(struct vapic *a)
{
    struct vcpu *v = a->vcpu;
    if (atomic_load_relaxed(&v->blocked))
        sched_wake(v);
    else if (atomic_load_relaxed(&v->running))
        sched_notify(v);
}

static enum vlapic_receipt post(struct vcpu *v, struct vapic *a, uint8_t vector, bool level)
{
    if (level && a->hw.level >= APICV_VID && !test_bit(a->eoi_exits, vector)) {
        bool merged = atomic_fetch_or_full(&a->late[vector / 64], BIT(vector % 64)) >> (vector % 64) & 1;
        vlapic_count(&a->lapic, merged ? VLAPIC_STAT_MERGED : VLAPIC_STAT_ACCEPTED);
        sched_request(v, REQUEST_EVENT | REQUEST_APIC);
        return merged ? VLAPIC_MERGED : VLAPIC_NEW;
    }
    return deliver_posted(a, vector);
}

static enum vlapic_receipt deliver_fixed(struct vcpu *v, uint8_t vector, bool level)
{
    struct vapic *a = v->apic;
    uint8_t error;
    enum vlapic_receipt r = vlapic_admit(&a->lapic, vector, level, &error);
    if (r == VLAPIC_NEW)
        return post(v, a, vector, level);
    /* The error interrupt's own vector is legal, so this ends here. */
    if (error && vlapic_admit(&a->lapic, error, false, &error) == VLAPIC_NEW)
        (void)post(v, a, error, false);
    return r;
}

bool deliver_own_timer(struct vcpu *v)
{
    struct vapic *a = v->apic;
    uint8_t vector = (uint8_t)vlapic_reg_get(&a->lapic, APIC_LVT_TIMER);
    if (!a->delivers || !deliver_edge_plain(a, vector))
        return false;
    (void)vlapic_request(&a->lapic, vector);
    apicv_raise_rvi(vector);
    return true;
}

enum vlapic_receipt deliver_to(struct vcpu *v, const struct vlapic_message *m)
{
    struct vapic *a = v->apic;
    enum vlapic_receipt r;
    uint8_t error;
    switch (m->mode) {
    case APIC_DM_FIXED:
    case APIC_DM_LOWEST:
        return deliver_fixed(v, m->vector, m->level);
    case APIC_DM_NMI:
        event_nmi(v);
        return VLAPIC_NEW;
    default:
        r = vlapic_receive(&a->lapic, m, &error);
        if (r == VLAPIC_NEW)
            sched_request(v, REQUEST_EVENT | REQUEST_APIC);
        return r;
    }
}

int deliver_message(struct domain *d, const struct vlapic *sender, const struct vlapic_message *m)
{
    struct vapic_domain *apics = d->apics;
    struct vlapic_walk w;
    struct vlapic *target;
    struct vapic *one;
    int fresh = 0, merged = 0;
    if (m->mode == APIC_DM_FIXED && !m->shorthand && !m->logical && !m->level &&
        (one = deliver_edge_find(apics, m->dest, m->vector)) != NULL)
        return deliver_posted(one, m->vector) == VLAPIC_NEW;
    vlapic_map_find(&apics->map, sender, m, &w);
    while ((target = vlapic_map_next(&w)) != NULL) {
        enum vlapic_receipt r = deliver_to(vapic_from(target)->vcpu, m);
        fresh += r == VLAPIC_NEW;
        merged += r == VLAPIC_MERGED;
    }
    return fresh || merged ? fresh : -1;
}

bool deliver_holds(struct domain *d, const struct vlapic_message *m)
{
    struct vlapic_message all = *m; /* whom the lowest priority could choose, too */
    struct vlapic_walk w;
    struct vlapic *target;
    all.mode = APIC_DM_FIXED;
    vlapic_map_find(&((struct vapic_domain *)d->apics)->map, NULL, &all, &w);
    while ((target = vlapic_map_next(&w)) != NULL) {
        const struct vapic *a = vapic_from(target);
        if (test_bit(a->pi.pir, m->vector) || test_bit(a->late, m->vector) ||
            vlapic_test(target, APIC_IRR, m->vector) || vlapic_test(target, APIC_ISR, m->vector))
            return true;
    }
    return false;
}

void deliver_lvt(struct vcpu *v, enum apic_reg lvt)
{
    struct vlapic_message m = {0};
    if (vlapic_lvt_fire(&vapic_of(v)->lapic, lvt, &m))
        (void)deliver_to(v, &m);
}
