/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: see queue.h. Sections of VIRTIO 1.2: 2.7.5 "The Virtqueue Descriptor Table", 2.7.5.3 "Indirect
 * Descriptors", 2.7.6 "The Virtqueue Available Ring", 2.7.7 "Used Buffer Notification Suppression", 2.7.8
 * "The Virtqueue Used Ring", 2.7.10 "Available Buffer Notification Suppression".
 *
 * Order against the driver on another CPU: the index of the available ring is read (acquire) before its
 * entries; a used entry is written before the index (release); between the writing of an index and the
 * reading of the driver's wish, and between asking for notifications and looking again, there is a full
 * barrier.
 */
#include "mgmt/virtio/queue.h"

#include <string.h>

enum {
    VIRTQ_DESC_F_NEXT = 1,
    VIRTQ_DESC_F_WRITE = 2,
    VIRTQ_DESC_F_INDIRECT = 4,
    VIRTQ_AVAIL_F_NO_INTERRUPT = 1,
    VIRTQ_USED_F_NO_NOTIFY = 1,
    RING_FLAGS = 0, /* offsets in both rings */
    RING_INDEX = 2,
    RING_ENTRIES = 4,
    AVAIL_ENTRY = 2,
    USED_ENTRY = 8,
};

struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};
_Static_assert(sizeof(struct virtq_desc) == 16 && offsetof(struct virtq_desc, next) == 14, "VIRTIO 2.7.5");

struct virtq_used_elem {
    uint32_t id;
    uint32_t len;
};
_Static_assert(sizeof(struct virtq_used_elem) == USED_ENTRY, "VIRTIO 2.7.8");

/* Where a chain is being followed. */
struct walk {
    uint64_t table;
    uint32_t entries;
    bool inside; /* of an indirect table */
};

void queue_reset(struct queue *queue, uint16_t size)
{
    *queue = (struct queue){.memory = queue->memory, .size = size, .watching = true};
}

static bool fail(struct queue *queue)
{
    queue->broken = true;
    return false;
}

static uint64_t avail_bytes(const struct queue *queue)
{
    return RING_ENTRIES + AVAIL_ENTRY * (uint64_t)queue->size + (queue->event_idx ? 2 : 0);
}

static uint64_t used_bytes(const struct queue *queue)
{
    return RING_ENTRIES + USED_ENTRY * (uint64_t)queue->size + (queue->event_idx ? 2 : 0);
}

bool queue_start(struct queue *queue)
{
    uint16_t size = queue->size;
    if (size == 0 || size > QUEUE_SIZE_MAX || (size & (size - 1)) != 0)
        return fail(queue);
    if (queue->descriptors % 16 != 0 || queue->driver % 2 != 0 || queue->device % 4 != 0)
        return fail(queue);
    if (!guest_memory_has(queue->memory, queue->descriptors, sizeof(struct virtq_desc) * size) ||
        !guest_memory_has(queue->memory, queue->driver, avail_bytes(queue)) ||
        !guest_memory_has(queue->memory, queue->device, used_bytes(queue)))
        return fail(queue);
    queue->enabled = true;
    return true;
}

static bool usable(const struct queue *queue)
{
    return queue->enabled && !queue->broken;
}

static bool load(struct queue *queue, uint64_t gpa, uint16_t *value)
{
    const uint16_t *word = guest_memory_word(queue->memory, gpa);
    if (!word)
        return fail(queue);
    *value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    return true;
}

static bool store(struct queue *queue, uint64_t gpa, uint16_t value)
{
    uint16_t *word = guest_memory_word(queue->memory, gpa);
    if (!word)
        return fail(queue);
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    return true;
}

/* A segment at the end of the chain. */
static bool add(const struct queue *queue, struct queue_chain *chain, const struct virtq_desc *desc)
{
    bool write = (desc->flags & VIRTQ_DESC_F_WRITE) != 0;
    if (desc->len == 0 || (!write && chain->writable != 0))
        return false;
    if (chain->readable + chain->writable + desc->len > UINT32_MAX)
        return false;
    if (!guest_memory_has(queue->memory, desc->addr, desc->len))
        return false;
    chain->segment[chain->count++] = (struct queue_segment){desc->addr, desc->len};
    if (write) {
        chain->writable += desc->len;
    } else {
        chain->readable += desc->len;
        chain->readable_count++;
    }
    return true;
}

/* The chain goes on in an indirect table, and ends there. */
static bool enter(const struct queue *queue, struct walk *walk, const struct virtq_desc *desc)
{
    uint32_t entries = desc->len / (uint32_t)sizeof(*desc);
    if (!queue->indirect || walk->inside || desc->flags & VIRTQ_DESC_F_NEXT)
        return false;
    if (desc->len % sizeof(*desc) != 0 || entries == 0 || entries > queue->size)
        return false;
    *walk = (struct walk){desc->addr, entries, true};
    return true;
}

/* An indirect table is entered at most once, so the loop ends. */
static bool collect(const struct queue *queue, struct queue_chain *chain)
{
    struct walk walk = {queue->descriptors, queue->size, false};
    uint32_t index = chain->head;
    while (chain->count < queue->size) {
        struct virtq_desc desc;
        if (index >= walk.entries ||
            !guest_memory_read(queue->memory, walk.table + index * sizeof(desc), &desc, sizeof(desc)))
            return false;
        index = desc.next;
        if (desc.flags & VIRTQ_DESC_F_INDIRECT) {
            if (!enter(queue, &walk, &desc))
                return false;
            index = 0;
            continue;
        }
        if (!add(queue, chain, &desc))
            return false;
        if ((desc.flags & VIRTQ_DESC_F_NEXT) == 0)
            return true;
    }
    return false;
}

/* How many chains wait; 0 also when the queue breaks. */
static uint16_t waiting(struct queue *queue)
{
    uint16_t index;
    if (!load(queue, queue->driver + RING_INDEX, &index))
        return 0;
    uint16_t count = (uint16_t)(index - queue->next);
    if (count > queue->size) {
        queue->broken = true;
        return 0;
    }
    return count;
}

bool queue_pop(struct queue *queue, struct queue_chain *chain)
{
    if (!usable(queue) || waiting(queue) == 0)
        return false;
    uint64_t slot = queue->next % queue->size;
    chain->count = chain->readable_count = 0;
    chain->readable = chain->writable = 0;
    if (!load(queue, queue->driver + RING_ENTRIES + AVAIL_ENTRY * slot, &chain->head))
        return false;
    if (!collect(queue, chain))
        return fail(queue);
    queue->next++;
    return true;
}

void queue_unpop(struct queue *queue)
{
    queue->next--;
}

void queue_put(struct queue *queue, uint16_t head, uint32_t written)
{
    struct virtq_used_elem elem = {head, written};
    uint64_t slot = (uint16_t)(queue->used + queue->unseen) % queue->size;
    if (!usable(queue))
        return;
    if (!guest_memory_write(queue->memory, queue->device + RING_ENTRIES + USED_ENTRY * slot, &elem,
                            sizeof(elem)))
        queue->broken = true;
    else
        queue->unseen++;
}

void queue_publish(struct queue *queue)
{
    if (!usable(queue))
        return;
    queue->used = (uint16_t)(queue->used + queue->unseen);
    queue->unseen = 0;
    (void)store(queue, queue->device + RING_INDEX, queue->used);
}

void queue_take_back(struct queue *queue)
{
    queue->next = (uint16_t)(queue->next - queue->unseen);
    queue->unseen = 0;
}

void queue_push(struct queue *queue, uint16_t head, uint32_t written)
{
    queue_put(queue, head, written);
    queue_publish(queue);
}

bool queue_wants_interrupt(struct queue *queue)
{
    uint16_t old = queue->signalled, wish;
    uint16_t pushed = (uint16_t)(queue->used - old);
    if (!usable(queue) || pushed == 0)
        return false;
    queue->signalled = queue->used;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!queue->event_idx)
        return load(queue, queue->driver + RING_FLAGS, &wish) && (wish & VIRTQ_AVAIL_F_NO_INTERRUPT) == 0;
    /* used_event behind the ring: an interrupt when the entry with that index is among the new ones. */
    return load(queue, queue->driver + RING_ENTRIES + AVAIL_ENTRY * (uint64_t)queue->size, &wish) &&
           (uint16_t)(wish - old) < pushed;
}

bool queue_watch(struct queue *queue, bool on)
{
    if (!usable(queue))
        return false;
    /* With event indices nothing need be said to be left alone: avail_event stays behind. */
    if (queue->event_idx && on)
        (void)store(queue, queue->device + RING_ENTRIES + USED_ENTRY * (uint64_t)queue->size, queue->next);
    else if (!queue->event_idx && on != queue->watching)
        (void)store(queue, queue->device + RING_FLAGS, on ? 0 : VIRTQ_USED_F_NO_NOTIFY);
    queue->watching = on;
    if (!on)
        return false;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return waiting(queue) != 0;
}

struct queue_cursor queue_readable(const struct queue_chain *chain)
{
    return (struct queue_cursor){chain, 0, chain->readable_count, 0};
}

struct queue_cursor queue_writable(const struct queue_chain *chain)
{
    return (struct queue_cursor){chain, chain->readable_count, chain->count, 0};
}

void *queue_piece(const struct queue *queue, struct queue_cursor *cursor, uint64_t *bytes)
{
    if (cursor->index == cursor->end || *bytes == 0)
        return NULL;
    const struct queue_segment *segment = &cursor->chain->segment[cursor->index];
    uint32_t left = segment->length - cursor->offset;
    if (*bytes > left)
        *bytes = left;
    void *piece = queue->memory->view(queue->memory->ctx, segment->gpa + cursor->offset, bytes);
    if (!piece)
        return NULL;
    cursor->offset += (uint32_t)*bytes;
    if (cursor->offset == segment->length) {
        cursor->index++;
        cursor->offset = 0;
    }
    return piece;
}

uint64_t queue_read(const struct queue *queue, struct queue_cursor *cursor, void *to, uint64_t bytes)
{
    uint64_t done = 0, piece;
    const void *from;
    for (; done < bytes; done += piece) {
        piece = bytes - done;
        from = queue_piece(queue, cursor, &piece);
        if (!from)
            break;
        memcpy((uint8_t *)to + done, from, piece);
    }
    return done;
}

uint64_t queue_write(const struct queue *queue, struct queue_cursor *cursor, const void *from, uint64_t bytes)
{
    uint64_t done = 0, piece;
    void *to;
    for (; done < bytes; done += piece) {
        piece = bytes - done;
        to = queue_piece(queue, cursor, &piece);
        if (!to)
            break;
        memcpy(to, (const uint8_t *)from + done, piece);
    }
    return done;
}
