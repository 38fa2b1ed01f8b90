/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_pci: a virtio device as a PCI function, without the legacy interface. Pure. Virtual I/O Device
 * (VIRTIO) Version 1.2, section 4.1 "Virtio Over PCI Bus".
 *
 * BAR 0 has the structures, one page each; BAR 1 has the MSI-X table and the pending bits. Vector numbers are
 * the driver's choice; without MSI-X the pin is used. The address that is written to notify queue n is
 * virtio_pci_doorbell(n): whoever watches it calls virtio_notify() instead.
 */
#pragma once

#include "mgmt/virtio/msix.h"
#include "mgmt/virtio/pci.h"
#include "mgmt/virtio/virtio.h"

struct virtio_pci {
    struct pci_function function;
    struct msix msix; /* its hooks are set by the user, before virtio_pci_init() */
    void (*set_irq)(void *ctx, bool level);
    void *irq_ctx;
    struct virtio *device;
    uint32_t device_feature_select, driver_feature_select;
    uint16_t queue_select;
    uint16_t config_vector;
    uint16_t queue_vector[VIRTIO_QUEUES_MAX];
    uint8_t isr; /* ISR status: bit 0 a queue, bit 1 the configuration */
    bool line;
};

/* `irq`: what the Interrupt Line register says. Takes the device over as its transport. */
void virtio_pci_init(struct virtio_pci *pci, struct virtio *device, uint8_t irq);

/* 0: not decoded now. The driver writes 16 bits. */
uint32_t virtio_pci_doorbell(const struct virtio_pci *pci, uint16_t queue);
