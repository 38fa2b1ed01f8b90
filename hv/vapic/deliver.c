/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivery: a message finds its APICs (vlapic_map.c), each admits it, and its vCPU is told.
 *
 * Telling. The vCPU runs on another CPU, with posting in hardware: the notification vector; in the guest the
 * processor then takes in what was posted, in root mode it stays pending until the entry and does so there.
 * Without such hardware, or on this CPU: a request. Blocked: it is woken. Queued or held: nothing, because it
 * looks at ON before it is entered.
 *
 *   poster, behind pi_post            v's CPU
 *     ON = 1        (locked)            blocked = true; full fence      |  running = true; exchange requests
 *     read blocked, running             read ON: set, do not sleep      |  read ON: set, take
 *
 * Either side sees the other's store: hv/core/sched.c, tests/models/posted.pml.
 */
#include "hv/vapic/deliver.h"

#include "hv/core/event.h"
#include "hv/core/sched.h"

static bool test_bit(const uint64_t *bits, uint8_t vector)
{
    return atomic_load_relaxed(&bits[vector / 64]) >> (vector % 64) & 1;
}

static enum vlapic_receipt post(struct vcpu *v, struct vapic *a, uint8_t vector, bool level)
{
    if (level && a->hw.level >= APICV_VID && !test_bit(a->eoi_exits, vector)) {
        bool merged = atomic_fetch_or_full(&a->late[vector / 64], BIT(vector % 64)) >> (vector % 64) & 1;
        sched_request(v, REQUEST_EVENT);
        return merged ? VLAPIC_MERGED : VLAPIC_NEW;
    }
    switch (pi_post(&a->pi, vector)) {
    case PI_MERGED:
        vlapic_count(&a->lapic, VLAPIC_STAT_MERGED);
        return VLAPIC_MERGED;
    case PI_TELL:
        if (a->hw.level >= APICV_PI)
            sched_posted(v);
        else
            sched_request(v, REQUEST_EVENT);
        break;
    case PI_ANNOUNCED:
        break;
    }
    vlapic_count(&a->lapic, VLAPIC_STAT_ACCEPTED);
    return VLAPIC_NEW;
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

bool deliver_edge(struct vlapic *target, uint8_t vector)
{
    struct vapic *a = vapic_from(target);
    if (vector < APIC_FIRST_LEGAL || !vlapic_accepting(target) || vlapic_test(target, APIC_TMR, vector))
        return false;
    (void)post(a->vcpu, a, vector, false);
    return true;
}

void deliver_own_timer(struct vcpu *v)
{
    struct vapic *a = v->apic;
    uint32_t lvt = vlapic_reg_get(&a->lapic, APIC_LVT_TIMER);
    uint8_t vector = (uint8_t)lvt;
    if (!a->lapic.timer.armed || a->lapic.timer.masked || vector < APIC_FIRST_LEGAL ||
        !vlapic_accepting(&a->lapic) || vlapic_test(&a->lapic, APIC_TMR, vector)) {
        sched_request(v, REQUEST_APIC); /* there is more to it */
        return;
    }
    a->lapic.timer.armed = false;
    a->lapic.stats[VLAPIC_STAT_TIMER]++;
    a->lapic.stats[VLAPIC_STAT_LVT]++;
    (void)vlapic_request(&a->lapic, vector);
    if (a->hw.level >= APICV_VID)
        apicv_raise_rvi(vector);
    else
        sched_request(v, REQUEST_EVENT);
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
    int fresh = 0, merged = 0;
    vlapic_map_find(&apics->map, sender, m, &w);
    while ((target = vlapic_map_next(&w)) != NULL) {
        enum vlapic_receipt r = deliver_to(vapic_from(target)->vcpu, m);
        fresh += r == VLAPIC_NEW;
        merged += r == VLAPIC_MERGED;
    }
    return fresh || merged ? fresh : -1;
}

void deliver_lvt(struct vcpu *v, enum apic_reg lvt)
{
    struct vlapic_message m = {0};
    if (vlapic_lvt_fire(&vapic_of(v)->lapic, lvt, &m))
        (void)deliver_to(v, &m);
}
