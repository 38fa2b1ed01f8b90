/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio: see virtio.h.
 */
#include "mgmt/virtio/virtio.h"

#include <string.h>

#define STATUS_BITS                                                                                          \
    (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK | VIRTIO_FAILED)
/* What is answered in a row before others have a turn: each chain costs one, and each page of data. */
#define BUDGET 512

void virtio_init(struct virtio *virtio, const struct virtio_type *type, uint64_t without,
                 const struct guest_memory *memory)
{
    memset(virtio, 0, sizeof(*virtio));
    virtio->type = type;
    virtio->offered =
        (type->features & ~without) | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1;
    for (uint16_t i = 0; i < type->queues; i++) {
        virtio->queue[i].memory = memory;
        queue_reset(&virtio->queue[i], type->queue_size);
    }
}

void virtio_reset(struct virtio *virtio)
{
    virtio->status = 0;
    virtio->accepted = 0;
    virtio->deferred = 0;
    for (uint16_t i = 0; i < virtio->type->queues; i++)
        queue_reset(&virtio->queue[i], virtio->type->queue_size);
    if (virtio->type->reset)
        virtio->type->reset(virtio);
    if (virtio->transport.reset)
        virtio->transport.reset(virtio->transport.ctx);
}

/* Section 2.2: what was not offered, or no VERSION_1, is refused by not keeping FEATURES_OK. */
static bool features_good(const struct virtio *virtio)
{
    return (virtio->accepted & ~virtio->offered) == 0 && (virtio->accepted & VIRTIO_F_VERSION_1) != 0;
}

void virtio_set_status(struct virtio *virtio, uint8_t status)
{
    if (status == 0) {
        virtio_reset(virtio);
        return;
    }
    /* A driver never takes bits back but by a reset. */
    uint8_t fresh = (uint8_t)(status & STATUS_BITS & ~virtio->status);
    virtio->status |= fresh & (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FAILED);
    if (fresh & VIRTIO_FEATURES_OK && features_good(virtio))
        virtio->status |= VIRTIO_FEATURES_OK;
    if ((fresh & VIRTIO_DRIVER_OK) == 0 || (virtio->status & VIRTIO_FEATURES_OK) == 0)
        return;
    virtio->status |= VIRTIO_DRIVER_OK;
    for (uint16_t i = 0; i < virtio->type->queues && virtio_running(virtio); i++)
        virtio->type->serve(virtio, i); /* what was made available before */
}

void virtio_set_features(struct virtio *virtio, uint32_t word, uint32_t value)
{
    if (word > 1 || virtio->status & VIRTIO_FEATURES_OK)
        return;
    uint64_t mask = 0xffffffffULL << 32 * word;
    virtio->accepted = (virtio->accepted & ~mask) | (uint64_t)value << 32 * word;
}

uint32_t virtio_get_features(const struct virtio *virtio, uint32_t word)
{
    return word > 1 ? 0 : (uint32_t)(virtio->offered >> 32 * word);
}

bool virtio_has(const struct virtio *virtio, uint64_t feature)
{
    return (virtio->accepted & feature) != 0;
}

bool virtio_running(const struct virtio *virtio)
{
    return (virtio->status & (VIRTIO_DRIVER_OK | VIRTIO_DEVICE_NEEDS_RESET)) == VIRTIO_DRIVER_OK;
}

void virtio_enable_queue(struct virtio *virtio, uint16_t queue)
{
    if (queue >= virtio->type->queues || virtio->queue[queue].enabled ||
        (virtio->status & VIRTIO_FEATURES_OK) == 0)
        return;
    struct queue *q = &virtio->queue[queue];
    q->indirect = virtio_has(virtio, VIRTIO_F_INDIRECT_DESC);
    q->event_idx = virtio_has(virtio, VIRTIO_F_EVENT_IDX);
    if (q->size > virtio->type->queue_size || !queue_start(q))
        virtio_break(virtio);
    else if (virtio_running(virtio))
        virtio->type->serve(virtio, queue);
}

void virtio_notify(struct virtio *virtio, uint32_t queue)
{
    if (queue >= virtio->type->queues || !virtio_running(virtio))
        return;
    virtio->notified++;
    virtio->type->serve(virtio, (uint16_t)queue);
}

void virtio_poll(struct virtio *virtio)
{
    uint32_t queues = virtio->deferred;
    virtio->deferred = 0;
    for (uint16_t i = 0; i < virtio->type->queues && virtio_running(virtio); i++)
        if (queues & 1U << i)
            virtio->type->serve(virtio, i);
}

uint32_t virtio_config_read(const struct virtio *virtio, uint32_t offset, uint8_t width)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < width; i++)
        if (offset + i < virtio->type->config_size)
            value |= (uint32_t)virtio->config[offset + i] << 8 * i;
    return value;
}

void virtio_config_write(struct virtio *virtio, uint32_t offset, uint8_t width, uint32_t value)
{
    if (virtio->type->configure && offset < virtio->type->config_size &&
        width <= virtio->type->config_size - offset)
        virtio->type->configure(virtio, (uint16_t)offset, width, value);
}

void virtio_config_changed(struct virtio *virtio)
{
    virtio->generation++;
    if ((virtio->status & VIRTIO_DRIVER_OK) == 0 || !virtio->transport.interrupt)
        return;
    virtio->interrupts++;
    virtio->transport.interrupt(virtio->transport.ctx, VIRTIO_CONFIG);
}

void virtio_break(struct virtio *virtio)
{
    if (virtio->status & VIRTIO_DEVICE_NEEDS_RESET)
        return;
    virtio->broken++;
    virtio->status |= VIRTIO_DEVICE_NEEDS_RESET;
    virtio_config_changed(virtio);
}

bool virtio_pop(struct virtio *virtio, uint16_t queue)
{
    if (!virtio_running(virtio))
        return false;
    bool got = queue_pop(&virtio->queue[queue], &virtio->chain);
    if (virtio->queue[queue].broken)
        virtio_break(virtio);
    virtio->chains += got;
    return got;
}

void virtio_signal(struct virtio *virtio, uint16_t queue)
{
    if (!virtio_running(virtio))
        return;
    bool wanted = queue_wants_interrupt(&virtio->queue[queue]);
    if (virtio->queue[queue].broken)
        virtio_break(virtio);
    if (!wanted || !virtio->transport.interrupt)
        return;
    virtio->interrupts++;
    virtio->transport.interrupt(virtio->transport.ctx, queue);
}

/* False: more is left than may be answered at once. */
static bool answer_some(struct virtio *virtio, uint16_t queue, virtio_answer_fn *answer, int64_t *budget)
{
    while (virtio_pop(virtio, queue)) {
        if (*budget <= 0) {
            queue_unpop(&virtio->queue[queue]);
            virtio->chains--;
            return false;
        }
        *budget -= 1 + (int64_t)((virtio->chain.readable + virtio->chain.writable) >> 12);
        virtio->extra = 0;
        int64_t written = answer(virtio);
        *budget -= virtio->extra;
        if (written >= 0)
            queue_push(&virtio->queue[queue], virtio->chain.head, (uint32_t)written);
    }
    return true;
}

void virtio_drain(struct virtio *virtio, uint16_t queue, virtio_answer_fn *answer)
{
    struct queue *q = &virtio->queue[queue];
    int64_t budget = BUDGET;
    (void)queue_watch(q, false);
    while (answer_some(virtio, queue, answer, &budget) && virtio_running(virtio) && queue_watch(q, true))
        (void)queue_watch(q, false);
    if (!q->watching && virtio_running(virtio)) {
        virtio->deferred |= 1U << queue;
        virtio->defer(virtio->defer_ctx);
    }
    virtio_signal(virtio, queue);
}
