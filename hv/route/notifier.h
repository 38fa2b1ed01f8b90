/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notifiers: a handle whose signal fires a GSI of a domain, or sets a notification of its owner, or only
 * counts. The owner may let other domains signal it.
 *
 * A handle is owner, place and generation; the generation of a place changes when the notifier there is
 * closed, so that no handle is valid twice. Signals take no lock: they look at the generation and at what the
 * notifier is bound to under HAZARD_ALL, and close changes both and then waits (hazard.h).
 *
 * Resample notifiers hold the line of their GSI up. When the guest ends the interrupt: first the line falls,
 * then the listeners of the GSI are told, and who still has a reason signals again. The I/O APIC looks at the
 * line once more after that, so a signal that comes at any time of this is not lost.
 *
 * Everything but signal, read and acknowledgements: the caller holds the management lock.
 */
#ifndef HV_ROUTE_NOTIFIER_H
#define HV_ROUTE_NOTIFIER_H

#include "hv/route/route.h"

#define NOTIFIER_PER_PAGE 32U
#define NOTIFIER_PAGES    511U
#define NOTIFIERS_MAX     (NOTIFIER_PER_PAGE * NOTIFIER_PAGES)

struct pirq;

struct notifier {
    /* Atomic. */
    uint64_t bind;       /* notifier.c */
    uint32_t generation; /* odd: open, and part of the handle */
    uint16_t owner, place;
    uint64_t signals, resampled;

    uint64_t read_at;      /* value of signals at the last read; atomic */
    struct notifier *next; /* in the list of free ones, or of the listeners of a GSI */
    struct pirq *pirq;     /* the physical interrupt that signals it, or NULL; atomic */
    uint64_t reserved;
    uint64_t may[CONFIG_MAX_DOMAINS / 64]; /* bit per domain that may signal it; atomic */
    uint64_t reserved2[4];
};
_Static_assert(sizeof(struct notifier) == 128, "32 to a page");

struct notifiers {
    struct notifier *page[NOTIFIER_PAGES];
    struct notifier *free;
};
_Static_assert(sizeof(struct notifiers) <= PAGE_SIZE, "one page");

#define NOTIFIER_PLACE_BITS 14 /* of a handle: place, 8 bits owner, generation */

/* What a bound one does; the count has been made. */
int notifier_fire(struct notifier *n, uint64_t bind);

/* HAZARD_ALL's holder, for a notifier that it has looked up before and that is of that generation: open. */
static inline void notifier_signal_held(struct notifier *n)
{
    (void)atomic_fetch_add_full(&n->signals,
                                1); /* first: who binds it at this moment looks at the count afterwards */
    uint64_t bind = atomic_load_acquire(&n->bind);
    if (bind)
        (void)notifier_fire(n, bind);
}

/*
 * The notifier that `handle` names, NULL: none. Stays while its owner does; what it says, under a hazard
 * only.
 */
struct notifier *notifier_find(uint64_t handle);
uint64_t notifier_handle(const struct notifier *n);
int64_t notifier_place(uint64_t handle);

/*
 * By the caller. Above 0: newly there, 0: it was still
 * pending, -HV_ENXIO: nobody takes it; -HV_ENOENT: closed; -HV_EPERM: neither owner nor let.
 */
int64_t notifier_signal(const struct domain *caller, uint64_t handle);
int notifier_fire_held(struct notifier *n); /* one that is open as long as that hazard; the result as above */
/* Signals since the last read. The same errors. */
int64_t notifier_read(const struct domain *caller, uint64_t handle);

/*
 * `b` has been checked by notifier_check: 0, -HV_EINVAL, -HV_ESRCH, -HV_EPERM. Create: the handle,
 * -HV_ENOMEM, or -HV_ENOSPC: too many, or too many GSIs with resample notifiers. Bind: 0, -HV_EBUSY: it is
 * bound, and b does not free it, -HV_ENOSPC. Signals from before a bind fire it once.
 */
int notifier_check(const struct domain *owner, const struct hv_notifier *b);
int64_t notifier_create(struct domain *owner, const struct hv_notifier *b);
int notifier_bind(struct notifier *n, const struct hv_notifier *b);
void notifier_close(struct notifier *n); /* returns when it fires no more */
/* A resample notifier's line falls and its listeners are told, as if the guest had ended the interrupt. */
void notifier_lower(const struct notifier *n);
void notifier_info(struct notifier *n, struct hv_notifier_info *info);
/* The first open one of the owner behind a place (-1: the first of all), or NULL. */
struct notifier *notifier_next(const struct domain *owner, int64_t place);

/*
 * The guest has ended an interrupt of this pin; in split mode, of this level-triggered vector. No lock held.
 */
void notifier_acked(struct domain *d, uint32_t chip, uint32_t pin);
void notifier_acked_vector(struct domain *d, uint8_t vector);

/*
 * The manager says so of a GSI that leads to no controller of the hypervisor. 1: a listener was told; 0; -HV_EINVAL: no such
 * GSI, or one of a pin.
 */
int notifier_ended(struct domain *d, uint64_t gsi);

/* d is about to be destroyed: nobody may signal for it or to it any more. */
void notifier_forget(const struct domain *d);
void notifier_free(struct domain *owner);

#endif
