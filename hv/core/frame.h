/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame table: for each 4 KiB frame of RAM its owner, and how many others hold it. It decides what may be
 * donated, shared and pinned; the EPTs say where a frame appears.
 *
 *   owner      the domain whose memory it is; FRAME_HV: the hypervisor's; FRAME_NONE: not RAM (a hole, firmware, a device)
 *   shares     mappings of it in domains other than its owner
 *   pins       registrations (ABI pages) that need it where it is
 *
 * A frame with shares or pins is not donated and not taken back (BUSY). Everything here is under frame_lock,
 * the memory lock, which also guards changes of every EPT; nothing waits while holding it, and the one lock
 * taken inside is the page pool's. An owner alone may be read without it, where the reader can bear that it
 * changes (hv/core/gmem.c says why it can).
 */
#ifndef HV_CORE_FRAME_H
#define HV_CORE_FRAME_H

#include "arch/cpu/bits.h"
#include "arch/cpu/spinlock.h"

#define FRAME_NONE 0xffffU
#define FRAME_HV   0xfffeU /* domains have ids below this */

struct frame {
    uint16_t owner;
    uint16_t shares;
    uint16_t pins;
    uint16_t flags; /* FRAME_MODULE */
};
_Static_assert(sizeof(struct frame) == 8, "one word per frame");

#define FRAME_MODULE BIT(0) /* of a boot module: read-only for its owner, never donated */

extern struct spinlock frame_lock;

/* `table` has room for `count` frames, from frame number 0; all become FRAME_NONE. */
void frame_init(struct frame *table, uint64_t count);

/* NULL when pa is beyond the table. */
struct frame *frame_at(uint64_t pa);

/*
 * Sets the owner of all frames that [pa, pa + size) touches, during start; what lies beyond the table is left
 * out.
 */
void frame_set_owner(uint64_t pa, uint64_t size, uint16_t owner, uint16_t flags);

/*
 * How many frames from pa on, at most `pages`, have this owner, no shares, no pins, no flags: can be donated.
 * With frame_lock held.
 */
uint64_t frame_free_run(uint64_t pa, uint64_t pages, uint16_t owner);

#endif
