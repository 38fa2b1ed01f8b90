/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_console: a console device with one port. Pure. Virtual I/O Device (VIRTIO) Version 1.2, section 5.3
 * "Console Device".
 *
 * What the driver sends goes to `put` at once. What is typed goes into the buffers that the driver has made
 * available; the rest has to wait outside, and `ready` tells when there may be room again. A chain of more
 * than VIRTIO_CONSOLE_MAX bytes is taken as an attack. The port of emergency writes works before the driver
 * does.
 */
#pragma once

#include "mgmt/virtio/virtio.h"

enum { VIRTIO_CONSOLE_MAX = 1 << 20 };

struct virtio_console {
    struct virtio virtio;
    void (*put)(void *ctx, const uint8_t *bytes, uint64_t length);
    void (*ready)(void *ctx); /* NULL: nobody waits */
    void *ctx;
    uint64_t sent, received; /* bytes, by and to the guest */
};

/* put, ready and ctx are set before. */
void virtio_console_init(struct virtio_console *console, const struct guest_memory *memory);

/* How many bytes have been taken. */
uint32_t virtio_console_receive(struct virtio_console *console, const uint8_t *bytes, uint32_t length);

void virtio_console_resize(struct virtio_console *console, uint16_t columns, uint16_t rows);
