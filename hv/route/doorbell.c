/* SPDX-License-Identifier: BSD-2-Clause */
/* Doorbells: see doorbell.h. */
#include "hv/route/doorbell.h"

static uint64_t low_bytes(uint64_t data, uint32_t width)
{
    return width && width < 8 ? data & (BIT(8 * width) - 1) : data;
}

static bool valid(const struct hv_doorbell *b)
{
    uint64_t bytes = b->width ? b->width : 1;
    if (b->space > HV_CLAIM_MMIO || b->reserved || (b->flags & ~HV_DOORBELL_MATCH) || (bytes & (bytes - 1)) ||
        bytes > 8)
        return false;
    if (b->flags & HV_DOORBELL_MATCH ? !b->width || b->data != low_bytes(b->data, b->width) : b->data != 0)
        return false;
    if (b->space == HV_CLAIM_PIO)
        return bytes <= 4 && b->address <= 0x10000 - bytes;
    return b->address < EPT_GPA_END && (b->address & ~PAGE_MASK) + bytes <= PAGE_SIZE;
}

static uint32_t kind_of(const struct hv_doorbell *b)
{
    return doorbell_kind(b->space, b->width, b->flags & HV_DOORBELL_MATCH);
}

/* Could one access meet both? And what only overlaps is refused too: one of them is a mistake. */
static bool clash(const struct doorbell *a, const struct hv_doorbell *b)
{
    uint32_t a_width = (a->kind + 1) & 15, a_space = a->kind >> 8 & 255;
    uint64_t a_bytes = a_width ? a_width : 1, b_bytes = b->width ? b->width : 1;
    if (a_space != b->space || a->address >= b->address + b_bytes || b->address >= a->address + a_bytes)
        return false;
    if (a->address != b->address)
        return true;
    if (a_width && b->width && a_width != b->width)
        return false;
    return !(a->kind >> 16) || !(b->flags & HV_DOORBELL_MATCH) || a->data == b->data;
}

static struct doorbell *new_place(struct domain *d, struct doorbells *all)
{
    uint32_t p = 0;
    while (!all->free && p < DOORBELL_PAGES && all->page[p])
        p++;
    if (!all->free && p < DOORBELL_PAGES) {
        all->page[p] = domain_page_alloc(d);
        for (uint32_t i = 0; all->page[p] && i < DOORBELL_PER_PAGE; i++) {
            all->page[p][i].next = all->free;
            all->free = &all->page[p][i];
        }
    }
    struct doorbell *b = all->free;
    if (b)
        all->free = b->next;
    return b;
}

static struct doorbell **bucket_of(struct doorbells *all, const struct hv_doorbell *b)
{
    uint64_t key = b->flags & HV_DOORBELL_MATCH ? doorbell_key(b->address, b->data) : b->address;
    return &all->bucket[doorbell_bucket(key)];
}

/* Returns when it rings no more. */
static void take_out(struct doorbells *all, struct doorbell **link)
{
    struct doorbell *b = *link;
    (void)atomic_exchange_full(link, b->next);
    atomic_store_relaxed(&all->matches, all->matches - (b->kind >> 16));
    all->count--;
    hazard_wait(HAZARD_ALL);
    b->next = all->free;
    all->free = b;
}

/* Those of closed notifiers. */
static void sweep(struct doorbells *all)
{
    for (uint32_t i = 0; i < DOORBELL_BUCKETS; i++)
        for (struct doorbell **link = &all->bucket[i]; *link;)
            if ((*link)->generation != (*link)->notifier->generation)
                take_out(all, link);
            else
                link = &(*link)->next;
}

int doorbell_add(struct domain *d, const struct hv_doorbell *b, struct notifier *n)
{
    if (!valid(b))
        return -HV_EINVAL;
    if (!route_init(d)) /* which sees to it that they are freed */
        return -HV_ENOMEM;
    if (!d->doorbells)
        atomic_store_release(&d->doorbells, (struct doorbells *)domain_page_alloc(d));
    struct doorbells *all = d->doorbells;
    if (!all)
        return -HV_ENOMEM;
    sweep(all);
    for (uint32_t i = 0; i < DOORBELL_BUCKETS; i++)
        for (const struct doorbell *other = all->bucket[i]; other; other = other->next)
            if (clash(other, b))
                return -HV_EEXIST;
    if (all->count == DOORBELLS_MAX)
        return -HV_ENOSPC;
    struct doorbell *new = new_place(d, all), **bucket = bucket_of(all, b);
    if (!new)
        return -HV_ENOMEM;
    *new = (struct doorbell){.next = *bucket,
                             .address = b->address,
                             .data = b->data,
                             .notifier = n,
                             .handle = b->notifier,
                             .kind = kind_of(b),
                             .generation = n->generation};
    all->count++;
    atomic_store_relaxed(&all->matches, all->matches + (new->kind >> 16));
    atomic_store_release(bucket, new);
    return 0;
}

int doorbell_remove(struct domain *d, const struct hv_doorbell *b)
{
    struct doorbells *all = d->doorbells;
    if (!valid(b))
        return -HV_EINVAL;
    struct doorbell **link = all ? bucket_of(all, b) : NULL;
    for (; link && *link; link = &(*link)->next) {
        const struct doorbell *at = *link;
        if (at->address != b->address || at->kind != kind_of(b) || at->data != b->data ||
            at->handle != b->notifier)
            continue;
        take_out(all, link);
        return 0;
    }
    return -HV_ENOENT;
}

void doorbell_free(struct domain *d)
{
    struct doorbells *all = d->doorbells;
    for (uint32_t p = 0; all && p < DOORBELL_PAGES; p++)
        domain_page_free(d, all->page[p]);
    domain_page_free(d, all);
}
