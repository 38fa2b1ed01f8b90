/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC of a vCPU: the model (vlapic.h), the posted-interrupt descriptor (pi.h), and what VMX does
 * of it (arch/vmx/apicv.h). Domains without local APICs have vcpu->apic == NULL. vapic.c is the owner's side:
 * all of it on the CPU that runs the vCPU with its VMCS current, or under the management lock with the vCPU
 * held and its VMCS current. deliver.h is everybody's side.
 */
#ifndef HV_VAPIC_VAPIC_H
#define HV_VAPIC_VAPIC_H

#include "arch/vmx/apicv.h"
#include "hv/core/domain.h"
#include "hv/core/vcpu.h"
#include "hv/vapic/pi.h"
#include "hv/vapic/vlapic.h"
#include "hv/vapic/vlapic_map.h"

struct vapic {
    struct pi_desc pi; /* first: the page's address is the descriptor's */
    struct vlapic lapic;
    struct vcpu *vcpu;
    struct vapic_domain *apics;
    struct apicv hw;
    bool hw_timer; /* the processor has the timer: vapic_newer.h; owner */
    bool
        delivers; /* the processor delivers its interrupts, which it accepts: the level says so, and the mode; owner */
    bool window; /* interrupt-window exiting is on; owner */
    /*
     * Level interrupts when hardware ends them: an EOI exits only for vectors in `eoi_exits`, which the owner
     * has programmed. A vector that is not in it yet goes through `late`, where hardware cannot see it: the
     * owner programs the exit first and then requests it. Both atomic, written by the owner and by anybody.
     */
    uint64_t eoi_exits[4];
    uint64_t late[4];

    uint64_t ended[4]; /* of eoi_vectors, not yet told */
};
_Static_assert(sizeof(struct vapic) <= PAGE_SIZE, "one page");
_Static_assert(offsetof(struct vapic, pi) == 0, "page-aligned");

/* Of a domain. */
struct vapic_domain {
    /* Those that accept fixed interrupts, by ID, and sets of their IDs by mode. Atomic, each entry its owner's. */
    struct vapic *takes[CONFIG_MAX_VCPUS];
    uint64_t accepting[VLAPIC_X2APIC + 1];
    struct vlapic_map map;
    struct vlapic *by_id[CONFIG_MAX_VCPUS];
    bool access_gone;        /* atomic: the APIC-access page has been unmapped */
    uint64_t eoi_vectors[4]; /* atomic: level-triggered ones whose EOI the manager wants to know */
};
_Static_assert(sizeof(struct vapic_domain) <= PAGE_SIZE, "one page");
_Static_assert(CONFIG_MAX_VCPUS <= 64, "a set is one word");

static inline struct vapic *vapic_of(const struct vcpu *v)
{
    return v->apic;
}

static inline struct vapic *vapic_from(struct vlapic *a)
{
    return (struct vapic *)(void *)((uint8_t *)a - offsetof(struct vapic, lapic));
}

/* At start: the level for the machine, from its capabilities and the command line (vapic=). */
void vapic_choose_level(uint32_t highest);

/* A new vCPU, whose pages core has allocated, gets its APIC; the management lock is held. */
void vapic_init(struct vcpu *v);

/* A new domain, of the same kind; false: no memory. Its MSR bitmap for x2APIC mode follows the level. */
void vapic_domain_init(struct domain *d);

/* INIT: the vCPU's VMCS has been reset, or its mode has changed, or a state record was set. */
void vapic_follow_mode(struct vcpu *v);

/* v's mode is not xAPIC any more: before it follows. Waits for other CPUs. */
void vapic_leave_xapic(struct vcpu *v);

/* v is about to be entered here: true when the processor will take in what is posted by itself. */
bool vapic_enter_posted(const struct vcpu *v);

/* Takes what was posted into IRR; the highest vector of it, or 0. */
uint8_t vapic_take(struct vcpu *v);

/* Programs EOI exits for the vectors that wait for that, and requests them. */
void vapic_take_late(struct vcpu *v);

/* Takes it and forgets it. */
void vapic_drop(struct vcpu *v);

/* Tells hardware what IRR and ISR say now. */
void vapic_sync(struct vcpu *v);

/* Sets the timer for the next deadline; one that has passed fires. */
void vapic_timer_update(struct vcpu *v);

/* The deadline may have come: fires what is due. */
void vapic_timer_check(struct vcpu *v);

/* The guest's clock has moved: v->tsc_offset has. */
void vapic_moved_tsc(struct vcpu *v, uint64_t by);

/* Everything from a record, or (false) nothing. */
bool vapic_set_state(struct vcpu *v, const struct hv_lapic *record);

/* For the manager: mode, level, why not more, counts. Anybody. */
void vapic_describe(const struct vapic *a, struct hv_vcpu_apic *out);

/* The guest's clock. */
uint64_t vapic_now(const struct vcpu *v);

/*
 * EOI of `vector`, seen by an EOI exit: nothing but level interrupts needs it any longer? Then it stops
 * exiting.
 */
void vapic_eoi_seen(struct vcpu *v, uint8_t vector);

#endif
