/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: the device's side of a split virtqueue. Pure. Virtual I/O Device (VIRTIO) Version 1.2, section 2.7
 * "Split Virtqueues"; names are those of its text.
 *
 * Order: the driver's values go into the fields at the top, queue_start(), then queue_pop(), the data through
 * a cursor, queue_push(), and after a batch queue_wants_interrupt(). queue_watch(false) while the queue is
 * being emptied, queue_watch(true) when it is empty.
 *
 * All that lies in guest memory is hostile and may change at any time. A descriptor is read once; a chain is
 * checked as a whole before anything of it is used, and is never longer than the queue. After a breach of the
 * rules `broken` is set and the queue does nothing any more until queue_reset().
 */
#pragma once

#include "mgmt/virtio/guest_memory.h"

enum { QUEUE_SIZE_MAX = 256 };

struct queue {
    const struct guest_memory *memory;
    uint16_t size;        /* a power of two, at most QUEUE_SIZE_MAX */
    uint64_t descriptors; /* the Descriptor Area: 16 bytes each */
    uint64_t driver;      /* the Driver Area: available ring */
    uint64_t device;      /* the Device Area: used ring */
    bool indirect;        /* VIRTIO_F_INDIRECT_DESC was negotiated */
    bool event_idx;       /* VIRTIO_F_EVENT_IDX was negotiated */

    bool enabled;
    bool broken;
    bool watching;      /* the driver is to notify */
    uint16_t next;      /* free-running index of the next chain in the available ring */
    uint16_t used;      /* of the next entry in the used ring */
    uint16_t unseen;    /* entries behind it that the driver is not told of yet */
    uint16_t signalled; /* value of `used` at the last question about an interrupt */
};

struct queue_segment {
    uint64_t gpa;
    uint32_t length; /* not 0 */
};

/* One chain: first the segments that the device reads, then those that it writes. All of it was memory. */
struct queue_chain {
    uint16_t head;
    uint16_t count;
    uint16_t readable_count;
    uint64_t readable; /* bytes */
    uint64_t writable;
    struct queue_segment segment[QUEUE_SIZE_MAX];
};

/* Where the last segment ends, as an address. */
static inline uint64_t queue_chain_end(const struct queue_chain *chain)
{
    const struct queue_segment *last = &chain->segment[chain->count - 1];
    return last->gpa + last->length;
}

/* A place in one of the two halves of a chain. */
struct queue_cursor {
    const struct queue_chain *chain;
    uint16_t index, end;
    uint32_t offset;
};

/* State before the driver has set anything, but for memory. */
void queue_reset(struct queue *queue, uint16_t size);

/* False: size, alignment or addresses are not what they must be; the queue is broken then. */
bool queue_start(struct queue *queue);

/* The next chain. False: there is none, or the queue is broken. */
bool queue_pop(struct queue *queue, struct queue_chain *chain);
/* The chain that was popped last comes again at the next queue_pop(). */
void queue_unpop(struct queue *queue);
/* Gives a chain back, of whose writable bytes the first `written` have been written. */
void queue_push(struct queue *queue, uint16_t head, uint32_t written);
/*
 * The same in two steps, for chains that the driver must see at once: first each of them, at most as many as
 * the queue has entries, then all together; or none of them, and they come again at the next queue_pop().
 */
void queue_put(struct queue *queue, uint16_t head, uint32_t written);
void queue_publish(struct queue *queue);
void queue_take_back(struct queue *queue);

/* Asks whether the driver wants to hear of what has been pushed since the last such question. */
bool queue_wants_interrupt(struct queue *queue);

/* Does the driver notify of new chains? True: there is one already (only with `on`). */
bool queue_watch(struct queue *queue, bool on);

struct queue_cursor queue_readable(const struct queue_chain *chain);
struct queue_cursor queue_writable(const struct queue_chain *chain);

/*
 * The memory at the cursor, which moves on: at most *bytes, lowered to what lies in one piece. NULL: the end.
 */
void *queue_piece(const struct queue *queue, struct queue_cursor *cursor, uint64_t *bytes);

/* Copy and move on; fewer bytes at the end of the chain. */
uint64_t queue_read(const struct queue *queue, struct queue_cursor *cursor, void *to, uint64_t bytes);
uint64_t queue_write(const struct queue *queue, struct queue_cursor *cursor, const void *from,
                     uint64_t bytes);
