/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_rng: see virtio_rng.h.
 */
#include "mgmt/virtio/virtio_rng.h"

enum { REQUESTQ = 0 };

static int64_t answer(struct virtio *virtio)
{
    struct virtio_rng *rng = (struct virtio_rng *)virtio;
    struct queue_cursor cursor = queue_writable(&virtio->chain);
    uint64_t done = 0, piece, got;
    if (virtio->chain.readable != 0) {
        virtio_break(virtio);
        return VIRTIO_BAD;
    }
    while (done < VIRTIO_RNG_MAX) {
        piece = VIRTIO_RNG_MAX - done;
        void *to = queue_piece(&virtio->queue[REQUESTQ], &cursor, &piece);
        if (!to)
            break;
        got = rng->fill(rng->ctx, to, piece);
        done += got;
        if (got < piece)
            break;
    }
    rng->bytes += done;
    return (int64_t)done;
}

static void serve(struct virtio *virtio, uint16_t queue)
{
    virtio_drain(virtio, queue, answer);
}

void virtio_rng_init(struct virtio_rng *rng, const struct guest_memory *memory)
{
    static const struct virtio_type type = {
        .id = VIRTIO_ID_ENTROPY, .queues = 1, .queue_size = 64, .serve = serve};
    virtio_init(&rng->virtio, &type, 0, memory);
    rng->bytes = 0;
}
_Static_assert(offsetof(struct virtio_rng, virtio) == 0, "a device begins with what is common");
