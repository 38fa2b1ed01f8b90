/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: the device's side of a virtqueue. The first two bytes choose features and size, the next 64
 * are 16 steps of four bytes, the rest is the guest's memory, in two blocks of their own here. Steps change a
 * word of it, take a chain, use its data, give it back, ask about notifications. A chain is always inside the
 * memory and no longer than the queue; nothing but the used ring and the chain's writable half is ever
 * written; a broken queue does nothing.
 */
#include "mgmt/virtio/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { START = 0x1000, BLOCK = 0x1000, END = START + 2 * BLOCK, STEPS = 16 };

static uint8_t *block[2];
static uint8_t shadow[2][BLOCK];
static struct queue queue;
static struct queue_chain chain;
static bool held;

static void *view(void *ctx, uint64_t gpa, uint64_t *bytes)
{
    uint64_t offset = gpa - START, room = BLOCK - offset % BLOCK;
    assert(*bytes > 0 && !ctx);
    if (offset >= 2 * BLOCK)
        return NULL;
    if (*bytes > room)
        *bytes = room;
    return block[offset / BLOCK] + offset % BLOCK;
}

static const struct guest_memory memory = {view, NULL};

static void remember(void)
{
    memcpy(shadow[0], block[0], BLOCK);
    memcpy(shadow[1], block[1], BLOCK);
}

/* What has changed lies in [from, from + bytes). */
static void check_only(uint64_t from, uint64_t bytes)
{
    for (uint64_t at = from; at < from + bytes; at++)
        if (at >= START && at < END)
            shadow[(at - START) / BLOCK][at % BLOCK] = block[(at - START) / BLOCK][at % BLOCK];
    assert(memcmp(shadow[0], block[0], BLOCK) == 0 && memcmp(shadow[1], block[1], BLOCK) == 0);
}

static void check_chain(void)
{
    uint64_t readable = 0, writable = 0;
    assert(chain.count >= 1 && chain.count <= queue.size && chain.readable_count <= chain.count);
    for (uint16_t i = 0; i < chain.count; i++) {
        const struct queue_segment *s = &chain.segment[i];
        assert(s->length > 0 && s->gpa >= START && s->gpa < END && s->length <= END - s->gpa);
        *(i < chain.readable_count ? &readable : &writable) += s->length;
    }
    assert(readable == chain.readable && writable == chain.writable);
}

static void use_chain(uint8_t byte)
{
    static uint8_t buffer[3 * BLOCK];
    struct queue_cursor in = queue_readable(&chain), out = queue_writable(&chain);
    uint64_t want = chain.readable < sizeof(buffer) ? chain.readable : sizeof(buffer);
    assert(queue_read(&queue, &in, buffer, sizeof(buffer)) == want);
    memset(buffer, byte, sizeof(buffer));
    want = chain.writable < sizeof(buffer) ? chain.writable : sizeof(buffer);
    assert(queue_write(&queue, &out, buffer, sizeof(buffer)) == want);
}

static void pop(void)
{
    uint16_t next = queue.next;
    held = queue_pop(&queue, &chain);
    check_only(0, 0);
    if (held)
        check_chain();
    assert(queue.next == (uint16_t)(next + held));
}

static void step(const uint8_t *bytes)
{
    uint64_t at = START + (bytes[1] | (uint64_t)(bytes[2] & 0x1f) << 8);
    bool broken = queue.broken;
    remember();
    switch (bytes[0] % 8) {
    case 0:
    case 1:
        pop();
        break;
    case 2:
        queue_push(&queue, bytes[1], bytes[2]);
        check_only(queue.device, 4 + 8ULL * queue.size);
        break;
    case 3:
        if (held)
            queue_unpop(&queue);
        held = false;
        break;
    case 4:
        (void)queue_wants_interrupt(&queue);
        check_only(0, 0);
        break;
    case 5:
        (void)queue_watch(&queue, bytes[1] & 1);
        check_only(queue.device, 6 + 8ULL * queue.size);
        break;
    case 6:
        block[(at - START) / BLOCK][at % BLOCK] = bytes[3];
        break;
    default:
        if (held)
            use_chain(bytes[1]);
        break;
    }
    if (broken) {
        assert(queue.broken &&
               (!held || bytes[0] % 8 > 1)); /* no new chain; what was held when it broke may stay */
        if (bytes[0] % 8 < 6)
            check_only(0, 0);
    }
}

static void start(const uint8_t *data)
{
    memset(&queue, 0, sizeof(queue));
    queue.memory = &memory;
    queue_reset(&queue, (uint16_t)(1U << (data[1] & 7)));
    queue.indirect = data[0] & 1;
    queue.event_idx = data[0] & 2;
    queue.descriptors = START + (data[0] & 4 ? BLOCK - 64 : 0);
    queue.driver = START + (data[0] & 8 ? BLOCK - 2 : 0x800);
    queue.device = START + (data[0] & 16 ? BLOCK - 4 : 0xc00);
    held = false;
    if (data[1] & 8)
        queue.device = END - 4 * data[1];
    assert(queue_start(&queue) != queue.broken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 + 4 * STEPS)
        return 0;
    for (int i = 0; i < 2; i++)
        if (!(block[i] = calloc(1, BLOCK)))
            abort();
    const uint8_t *content = data + 2 + 4 * STEPS;
    size_t length = size - (2 + 4 * STEPS);
    for (size_t i = 0; i < length && i < 2 * BLOCK; i++)
        block[i / BLOCK][i % BLOCK] = content[i];
    start(data);
    for (int i = 0; i < STEPS; i++)
        step(data + 2 + 4 * i);
    free(block[0]);
    free(block[1]);
    return 0;
}
