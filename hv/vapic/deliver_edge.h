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

/* The APIC of an ID, or NULL. A guest says which: masked too, so that a wild one is no index in speculation. */
static inline struct vapic *deliver_find(const struct vapic_domain *apics, uint32_t id)
{
    struct vlapic *a =
        id < CONFIG_MAX_VCPUS ? atomic_load_relaxed(&apics->by_id[id & (CONFIG_MAX_VCPUS - 1)]) : NULL;
    return a ? vapic_from(a) : NULL;
}

/* It takes fixed interrupts, and the vector was no level last: admitting it changes nothing. */
static inline bool deliver_edge_can(const struct vapic *a, uint8_t vector)
{
    return vector >= APIC_FIRST_LEGAL && vlapic_accepting(&a->lapic) &&
           !vlapic_test(&a->lapic, APIC_TMR, vector);
}

/*
 * Tells the vCPU, whatever it takes: a sleeping one, one without posting in hardware, an old local APIC. It keeps all
 * registers, and is called so that the compiler knows it.
 */
VM_EXIT_RARE void deliver_tell(struct vapic *a);

static inline enum vlapic_receipt deliver_posted(struct vapic *a, uint8_t vector)
{
    const struct vcpu *v = a->vcpu;
    enum pi_post p = pi_post(&a->pi, vector);
    if (__builtin_expect(p == PI_MERGED, 0)) {
        vlapic_count(&a->lapic, VLAPIC_STAT_MERGED);
        return VLAPIC_MERGED;
    }
    vlapic_count(&a->lapic, VLAPIC_STAT_ACCEPTED);
    if (p != PI_TELL)
        return VLAPIC_NEW;
    const struct pcpu *cpu = pcpu_table[atomic_load_relaxed(&v->cpu)];
    if (__builtin_expect(a->hw.level >= APICV_PI && atomic_load_relaxed(&v->running) && lapic_x2apic() &&
                             !atomic_load_relaxed(&v->blocked) && cpu != pcpu_self(),
                         1))
        lapic_icr(cpu->arch.apic_id, LAPIC_ICR_ASSERT | VECTOR_PI_NOTIFY);
    else
        __asm__ volatile("call deliver_tell" ::"D"(a) : "memory", "cc");
    return VLAPIC_NEW;
}

#endif
