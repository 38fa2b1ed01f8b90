/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivery of an edge to one local APIC, the usual case in a few instructions; part of the funnel deliver.c, which says
 * how the two sides see each other.
 */
#ifndef HV_VAPIC_DELIVER_EDGE_H
#define HV_VAPIC_DELIVER_EDGE_H

#include "arch/cpu/lapic.h"
#include "arch/cpu/vectors.h"
#include "hv/core/pcpu.h"
#include "hv/core/sched.h"
#include "hv/vapic/vapic.h"

/* The vector is legal and was no level last. */
static inline bool deliver_edge_plain(const struct vapic *a, uint8_t vector)
{
    bool odd;
    __asm__("btq %2, %1" : "=@ccc"(odd) : "m"(a->lapic.not_edge), "r"((uint64_t)vector));
    return !odd;
}

/*
 * The APIC of an ID, if admitting that edge changes nothing there; or NULL. A guest says which: masked too, so that a
 * wild one is no index in speculation.
 */
static inline struct vapic *deliver_edge_find(const struct vapic_domain *apics, uint32_t id, uint8_t vector)
{
    struct vapic *a =
        id < CONFIG_MAX_VCPUS ? atomic_load_relaxed(&apics->takes[id & (CONFIG_MAX_VCPUS - 1)]) : NULL;
    return a && deliver_edge_plain(a, vector) ? a : NULL;
}

/*
 * Tells the vCPU, wherever it is: asleep, on this CPU, on one without x2APIC mode. It keeps all registers, and is
 * called so that the compiler knows it.
 */
VM_EXIT_RARE void deliver_tell(struct vapic *a);
#define DELIVER_TELL(a) __asm__ volatile("call deliver_tell" ::"D"(a) : "memory", "cc")

/* Posts it. True: the vCPU is to be told of it. */
static inline bool deliver_post(struct vapic *a, uint8_t vector, enum vlapic_receipt *receipt)
{
    enum pi_post p = pi_post(&a->pi, vector);
    bool merged = p == PI_MERGED;
    *receipt = merged ? VLAPIC_MERGED : VLAPIC_NEW;
    if (__builtin_expect(p == PI_TELL, 1)) {
        vlapic_count(&a->lapic, VLAPIC_STAT_ACCEPTED);
        return true;
    }
    vlapic_count(&a->lapic, merged ? VLAPIC_STAT_MERGED : VLAPIC_STAT_ACCEPTED);
    return false;
}

static inline enum vlapic_receipt deliver_posted(struct vapic *a, uint8_t vector)
{
    enum vlapic_receipt receipt;
    if (deliver_post(a, vector, &receipt)) {
        uint32_t cpu = atomic_load_relaxed(&a->vcpu->notify_at);
        if (__builtin_expect(cpu && cpu != percpu_self()->x2apic_logical, 1))
            lapic_send_logical(cpu, VECTOR_PI_NOTIFY);
        else
            DELIVER_TELL(a);
    }
    return receipt;
}

#endif
