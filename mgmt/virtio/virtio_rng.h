/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_rng: an entropy device. Pure. Virtual I/O Device (VIRTIO) Version 1.2, section 5.4 "Entropy Device".
 * One chain gets at most VIRTIO_RNG_MAX bytes. A source that has none now ends the chain with zero bytes.
 */
#pragma once

#include "mgmt/virtio/virtio.h"

enum { VIRTIO_RNG_MAX = 4096 };

struct virtio_rng {
    struct virtio virtio;
    uint64_t (*fill)(void *ctx, void *to, uint64_t bytes); /* how many it has written */
    void *ctx;
    uint64_t bytes; /* given out */
};

/* fill and ctx are set before. */
void virtio_rng_init(struct virtio_rng *rng, const struct guest_memory *memory);
