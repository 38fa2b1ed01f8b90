/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings of trace records: see trace_ring.h for the protocol. */
#include "hv/core/trace_ring.h"

#include <string.h>

#include "arch/cpu/atomic.h"

#define WORDS (sizeof(struct hv_trace_record) / 8)

static uint64_t *slot(const struct trace_ring *r, uint64_t n)
{
    n &= r->size - 1;
    return r->page[n / HV_TRACE_PAGE_RECORDS] + n % HV_TRACE_PAGE_RECORDS * WORDS;
}

void trace_ring_write(struct trace_ring *r, const struct hv_trace_record *record)
{
    uint64_t n = r->head, *to = slot(r, n), word[WORDS];
    memcpy(word, record, sizeof(word));
    __atomic_thread_fence(
        __ATOMIC_RELEASE); /* the head that is n, before the record that n takes the place of is torn */
    for (unsigned i = 0; i < WORDS; i++)
        atomic_store_relaxed(&to[i], word[i]);
    atomic_store_release(&r->head, n + 1);
}

/* The first record that is whole while `head` records have been written and maybe the next one is being written. */
static uint64_t oldest(const struct trace_ring *r, uint64_t head)
{
    return head >= r->size ? head - r->size + 1 : 0;
}

uint32_t trace_ring_read(const struct trace_ring *r, uint64_t *position, struct hv_trace_record *out,
                         uint32_t room, uint64_t *lost, uint64_t *written)
{
    uint64_t head = atomic_load_acquire(&r->head), first = oldest(r, head),
             from = *position < head ? *position : head;
    uint64_t start = from > first ? from : first;
    uint32_t n = head - start < room ? (uint32_t)(head - start) : room, torn;
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t *in = slot(r, start + i);
        uint64_t word[WORDS];
        for (unsigned j = 0; j < WORDS; j++)
            word[j] = atomic_load_relaxed(&in[j]);
        memcpy(&out[i], word, sizeof(word));
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* what was copied, before the head says what of it is whole */
    head = atomic_load_relaxed(&r->head);
    first = oldest(r, head);
    torn = first <= start ? 0 : first - start < n ? (uint32_t)(first - start) : n;
    n -= torn;
    memmove(out, out + torn, n * sizeof(*out));
    *lost = start + torn - from;
    *position = start + torn + n;
    *written = head;
    return n;
}
