/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_mmio: a virtio device behind a page of registers, version 2. Pure. Virtual I/O Device (VIRTIO)
 * Version 1.2, section 4.2 "Virtio Over MMIO".
 *
 * One interrupt line. A queue is notified by its number written to base + VIRTIO_MMIO_QUEUE_NOTIFY: whoever
 * watches that address calls virtio_notify() instead.
 */
#pragma once

#include "mgmt/lib/access.h"
#include "mgmt/virtio/virtio.h"

enum { VIRTIO_MMIO_SIZE = 0x1000, VIRTIO_MMIO_QUEUE_NOTIFY = 0x50 };

struct virtio_mmio {
    struct virtio *device;
    void (*set_irq)(void *ctx, bool level);
    void *irq_ctx;
    uint32_t device_features_select, driver_features_select, queue_select;
    uint32_t interrupt_status;
};

/* Takes the device over as its transport. set_irq is set before. */
void virtio_mmio_init(struct virtio_mmio *mmio, struct virtio *device);
struct access_range virtio_mmio_range(struct virtio_mmio *mmio, uint64_t base);
