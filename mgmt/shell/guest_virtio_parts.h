/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_virtio_parts: what guest_virtio.c, guest_virtio_saved.c and commands_virtio.c share; for nobody else.
 */
#pragma once

#include "mgmt/lib/events.h"
#include "mgmt/lib/irq_bell.h"
#include "mgmt/lib/irq_source.h"
#include "mgmt/shell/guest_virtio.h"
#include "mgmt/virtio/block_image.h"
#include "mgmt/virtio/virtio_console.h"
#include "mgmt/virtio/virtio_mmio.h"
#include "mgmt/virtio/virtio_net.h"
#include "mgmt/virtio/virtio_pci.h"
#include "mgmt/virtio/virtio_rng.h"

enum { PARTS_MAX = GUEST_VIRTIO_PARTS, VECTORS = VIRTIO_QUEUES_MAX + 1, GSIS_PER_SLOT = 4 };
_Static_assert(VECTORS <= GSIS_PER_SLOT, "vectors of a slot");
_Static_assert(PARTS_MAX <= 8, "slots and lines that the ACPI tables name");

struct part {
    struct guest_virtio *all;
    uint32_t number;
    struct virtio *device;
    struct virtio_pci pci;
    struct virtio_mmio mmio;
    struct access_range page; /* of mmio */
    struct irq_source vector[VECTORS];
    struct irq_bell bell[VIRTIO_QUEUES_MAX];
    struct events_timer later;
};

struct guest_virtio {
    struct domain *domain;
    uint32_t id; /* of the domain, which may go before */
    bool is_mmio;
    struct guest_memory memory;
    struct guest_virtio_hooks hooks;
    struct pci_bus bus;
    struct part part[PARTS_MAX];
    uint32_t parts;
    struct block_image image[CONFIG_DISKS_MAX];
    struct virtio_block disk[CONFIG_DISKS_MAX];
    struct virtio_net net[CONFIG_NETS_MAX];
    uint32_t disks, nets;
    struct virtio_rng rng;
    struct virtio_console console;
    bool has_console;
    bool changed; /* since the last guest_virtio_save() */
};

/* Of a part on the PCI bus: routes of vectors that are open, doorbells where its BAR is. */
void guest_virtio_changed(void *part);
