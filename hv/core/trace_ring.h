/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One CPU's ring of trace records: that CPU alone writes, in root mode, and anybody reads meanwhile. No lock and no hardware.
 *
 *   writer, record n                          reader, wants record n
 *     words of the slot n % size                head: n < head, and n > head - size
 *     head = n + 1            (release)         words of the slot
 *     fence (release)                           fence (acquire)
 *     words of the next slot ...                head again: n > head - size still, or record n is lost
 *
 * The writer may be at the slot of record `head` already, which is that of head - size: so that one counts as
 * lost, too. Who sees a word of record m sees a head of at least m: tests/models/trace.pml.
 */
#ifndef HV_CORE_TRACE_RING_H
#define HV_CORE_TRACE_RING_H

#include "guest_abi/hv_trace.h"

struct trace_ring {
    uint64_t head;  /* atomic: records ever written */
    uint64_t size;  /* records, a power of two; constant, and so the next two */
    uint32_t kinds; /* bit per enum hv_trace_kind that is written */
    uint32_t pages;
    uint64_t *page[HV_TRACE_PAGES_MAX];
};
_Static_assert(sizeof(struct trace_ring) <= 4096, "one page");

/* By the CPU whose ring it is. */
void trace_ring_write(struct trace_ring *r, const struct hv_trace_record *record);

/*
 * Copies at most `room` records from number *position on, returns how many; *position goes behind them. *lost: how
 * many before them are lost. Nothing is left when *position is *written.
 */
uint32_t trace_ring_read(const struct trace_ring *r, uint64_t *position, struct hv_trace_record *out,
                         uint32_t room, uint64_t *lost, uint64_t *written);

#endif
