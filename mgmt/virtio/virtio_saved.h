/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_saved: the state of a virtio device with its transport as a record, so that another instance of the
 * program can go on with it. Pure.
 *
 * What the driver has set is in the record; how far the queues are is read from the used rings: between two
 * calls of a device every chain that was taken has been given back. A restored device has not looked at its
 * queues yet: virtio_resume() does, and interrupts once for each queue, because an interrupt may have been
 * lost.
 */
#pragma once

#include "mgmt/virtio/virtio_mmio.h"
#include "mgmt/virtio/virtio_pci.h"

struct virtio_saved {
    uint64_t accepted;
    struct {
        uint64_t descriptors, driver, device;
        uint16_t size;
        uint16_t enabled;
        uint32_t reserved;
    } queue[VIRTIO_QUEUES_MAX];
    uint8_t status, generation;
    uint8_t id; /* enum virtio_id */
    uint8_t is_mmio;
    /* Selectors, of PCI or MMIO; the third is the queue's. */
    uint32_t select[3];
    uint32_t interrupts; /* MMIO: InterruptStatus; PCI: ISR status */
    /* PCI only. */
    uint16_t config_vector, queue_vector[VIRTIO_QUEUES_MAX];
    uint16_t command, msix_control;
    uint16_t reserved;
    uint32_t bar[2];
    uint32_t pending;
    struct msix_entry entry[VIRTIO_QUEUES_MAX + 1];
};

void virtio_save_pci(const struct virtio_pci *pci, struct virtio_saved *to);
void virtio_save_mmio(const struct virtio_mmio *mmio, struct virtio_saved *to);

/* Into a device that was just made. False: the record is of another device, or could not have come to be; the
 * device is as after a reset then. */
bool virtio_restore_pci(struct virtio_pci *pci, const struct virtio_saved *from);
bool virtio_restore_mmio(struct virtio_mmio *mmio, const struct virtio_saved *from);

void virtio_resume(struct virtio *virtio);
