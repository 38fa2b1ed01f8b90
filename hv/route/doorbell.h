/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doorbells: writes to an address of a domain that signal a notifier, with no way through the manager. A hash
 * table with chains, by address or by address and data, looked through without a lock under HAZARD_ALL: an
 * access meets at most one doorbell, because those that could both be met are refused when they are added.
 *
 * Adding and removing: the caller holds the management lock.
 */
#ifndef HV_ROUTE_DOORBELL_H
#define HV_ROUTE_DOORBELL_H

#include "hv/route/notifier.h"

#define DOORBELL_BUCKETS  256U
#define DOORBELL_PER_PAGE 85U
#define DOORBELL_PAGES    12U
#define DOORBELLS_MAX     (DOORBELL_PER_PAGE * DOORBELL_PAGES)

struct doorbell {
    struct doorbell *next;
    uint64_t address, data;
    struct notifier *notifier; /* of the domain's manager or of domain 0, which outlive the domain */
    uint64_t handle;           /* a closed one rings no more, and its doorbells are none */
    uint32_t kind;             /* doorbell_kind */
    uint32_t generation;       /* of the handle */
};
_Static_assert(sizeof(struct doorbell) == 48, "85 to a page");

/* One page. */
struct doorbells {
    struct doorbell *bucket[DOORBELL_BUCKETS];
    struct doorbell *page[DOORBELL_PAGES];
    struct doorbell *free;
    uint32_t count, matches;
};
_Static_assert(sizeof(struct doorbells) <= PAGE_SIZE, "one page");

/* Space, width - 1 (15: any), and whether data counts. */
static inline uint32_t doorbell_kind(uint32_t space, uint32_t width, bool match)
{
    return space << 8 | ((width - 1) & 15) | (uint32_t)match << 16;
}

static inline uint32_t doorbell_bucket(uint64_t key)
{
    return (uint32_t)((key * 0x9e3779b97f4a7c15ULL) >> 56);
}

/* Those with data have the bucket of both. */
static inline uint64_t doorbell_key(uint64_t address, uint64_t data)
{
    return address + data * 8 + 1;
}

static inline const struct doorbell *doorbell_find(const struct doorbells *all, uint32_t space,
                                                   uint64_t address, uint32_t width, uint64_t data)
{
    uint32_t kind = doorbell_kind(space, width, false), any = doorbell_kind(space, 0, false);
    const struct doorbell *b = atomic_load_acquire(&all->bucket[doorbell_bucket(address)]);
    for (; b; b = atomic_load_acquire(&b->next))
        if (b->address == address && (b->kind == kind || b->kind == any))
            return b;
    if (__builtin_expect(!atomic_load_relaxed(&all->matches), 1))
        return NULL;
    if (width < 8)
        data &= BIT(8 * width) - 1;
    kind = doorbell_kind(space, width, true);
    b = atomic_load_acquire(&all->bucket[doorbell_bucket(doorbell_key(address, data))]);
    for (; b; b = atomic_load_acquire(&b->next))
        if (b->address == address && b->kind == kind && b->data == data)
            return b;
    return NULL;
}

/*
 * A guest's write, `data` above the width is ignored: the doorbell that it meets, or NULL. The access is done then, and
 * doorbell_end must follow, which signals.
 */
static inline __attribute__((always_inline)) const struct doorbell *
doorbell_begin(const struct domain *d, uint32_t space, uint64_t address, uint32_t width, uint64_t data)
{
    const struct doorbells *all = atomic_load_acquire(&d->doorbells);
    if (!all)
        return NULL;
    hazard_enter(HAZARD_ALL);
    const struct doorbell *b = doorbell_find(all, space, address, width, data);
    if (b && atomic_load_acquire(&b->notifier->generation) == b->generation)
        return b;
    hazard_leave();
    return NULL;
}

static inline void doorbell_end(const struct doorbell *b)
{
    notifier_signal_held(b->notifier);
    hazard_leave();
}

/* Both; true: the access is done. */
static inline bool doorbell_hit(const struct domain *d, uint32_t space, uint64_t address, uint32_t width,
                                uint64_t data)
{
    const struct doorbell *b = doorbell_begin(d, space, address, width, data);
    if (b)
        doorbell_end(b);
    return b;
}

/*
 * 0; -HV_EINVAL: space, width, flags, data (also with any width), an address beyond the space or (MMIO)
 * across a page; -HV_EEXIST: an access could meet both it and another, or their bytes overlap; -HV_ENOSPC:
 * DOORBELLS_MAX; -HV_ENOMEM.
 */
int doorbell_add(struct domain *d, const struct hv_doorbell *b, struct notifier *n); /* n: b->notifier's */
/* Returns when it rings no more. 0, -HV_EINVAL, -HV_ENOENT: none exactly like this. */
int doorbell_remove(struct domain *d, const struct hv_doorbell *b);
void doorbell_free(struct domain *d);

#endif
