/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame table: an array from frame number 0 to the top of RAM, made during start and never moved. See
 * frame.h for what the fields mean.
 */
#include "hv/core/frame.h"

struct spinlock frame_lock;

/* Constant after frame_init. */
static struct frame *frames;
static uint64_t frame_count;

void frame_init(struct frame *table, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        table[i] = (struct frame){.owner = FRAME_NONE};
    frames = table;
    frame_count = count;
}

struct frame *frame_at(uint64_t pa)
{
    uint64_t number = pa >> PAGE_SHIFT;
    return number < frame_count ? &frames[number] : NULL;
}

void frame_set_owner(uint64_t pa, uint64_t size, uint16_t owner, uint16_t flags)
{
    uint64_t last = pa + size - 1;
    struct frame *f;
    if (!size)
        return;
    for (uint64_t number = pa >> PAGE_SHIFT; number <= last >> PAGE_SHIFT; number++) {
        f = frame_at(number << PAGE_SHIFT);
        if (!f)
            return;
        f->owner = owner;
        f->flags = flags;
    }
}

uint64_t frame_free_run(uint64_t pa, uint64_t pages, uint16_t owner)
{
    uint64_t run = 0;
    for (; run < pages; run++, pa += PAGE_SIZE) {
        const struct frame *f = frame_at(pa);
        if (!f || f->owner != owner || f->shares || f->pins || f->flags)
            break;
    }
    return run;
}
