/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_driver: a guest for tests of mgmt/virtio: memory in pieces, an interrupt controller that counts, and
 * a driver that finds its device, sets it up and moves buffers, over PCI with and without MSI-X and over
 * MMIO. It knows the device only by its registers and by what lies in memory.
 */
#pragma once

#include "mgmt/lib/access.h"
#include "mgmt/virtio/virtio_mmio.h"
#include "mgmt/virtio/virtio_pci.h"

/* Guest memory: one row of addresses for the guest, three blocks of their own here, a hole behind. */
enum {
    GUEST_START = 0x10000,
    GUEST_PIECE = 0x10000,
    GUEST_PIECES = 3,
    GUEST_END = GUEST_START + GUEST_PIECES * GUEST_PIECE,
    GUEST_DATA = 0x1a000, /* rings lie below, this and above is for buffers */
    GUEST_INDIRECT = 0x19000,
};

extern const struct guest_memory guest_memory;
void guest_memory_make(void); /* new, all zeros */
void *guest_at(uint64_t gpa); /* to be used inside one piece */
uint64_t guest_memory_sum(void);

/* A split queue as the driver lays it out. */
struct ring {
    uint16_t size;
    uint64_t desc, avail, used;
    uint16_t index;     /* available ring, free-running */
    uint16_t last_used; /* seen so far */
};

enum { RING_NEXT = 1, RING_WRITE = 2, RING_INDIRECT = 4 };

/* Ring number `which` of this size at a fixed place. */
struct ring ring_at(uint32_t which, uint16_t size);
void ring_clear(const struct ring *ring);
void ring_desc(const struct ring *ring, uint16_t index, uint64_t gpa, uint32_t length, uint16_t flags,
               uint16_t next);
void indirect_desc(uint16_t index, uint64_t gpa, uint32_t length, uint16_t flags, uint16_t next);
/* Makes a chain available; the device is not notified. */
void ring_offer(struct ring *ring, uint16_t head);
void ring_set_flags(const struct ring *ring, uint16_t flags); /* of the available ring */
void ring_set_used_event(const struct ring *ring, uint16_t event);
uint16_t ring_flags(const struct ring *ring); /* of the used ring */
uint16_t ring_avail_event(const struct ring *ring);
uint16_t ring_used_index(const struct ring *ring);
/* The next entry of the used ring. False: there is none. */
bool ring_take(struct ring *ring, uint32_t *head, uint32_t *length);

enum driver_bus { BUS_MSIX, BUS_INTX, BUS_MMIO, BUSES };
extern const char *const bus_name[BUSES];

struct driver {
    enum driver_bus bus;
    struct virtio *device;
    struct virtio_pci pci;
    struct virtio_mmio mmio;
    struct pci_bus pci_bus;
    struct access_table table;
    uint64_t common, isr, config, notify; /* addresses, by the capabilities */
    uint32_t notify_multiplier;
    uint64_t msix_table, msix_pba;
    struct ring ring[VIRTIO_QUEUES_MAX];
    bool line;
    uint32_t edges;    /* of the line, both directions */
    uint32_t messages; /* MSI-X */
    uint64_t last_address;
    uint32_t last_data;
    uint32_t defers;
};

enum {
    DRIVER_PCI_BASE = 0x40000000,
    DRIVER_PCI_SIZE = 0x100000,
    DRIVER_MMIO_BASE = 0x50000000,
    DRIVER_SLOT = 3
};

/* Puts the device on a bus and finds it there. False: it is not what it should be. */
bool driver_attach(struct driver *driver, struct virtio *device, enum driver_bus bus);
uint32_t driver_pci_read(struct driver *driver, uint8_t offset, uint8_t width);
void driver_pci_write(struct driver *driver, uint8_t offset, uint8_t width, uint32_t value);
uint8_t driver_pci_find(struct driver *driver, uint8_t id, uint8_t type); /* type 0: any; 0: none */
uint32_t driver_read(struct driver *driver, uint64_t address, uint8_t width);
void driver_write(struct driver *driver, uint64_t address, uint8_t width, uint32_t value);

uint8_t driver_status(struct driver *driver);
void driver_set_status(struct driver *driver, uint8_t status);
uint64_t driver_features(struct driver *driver);
void driver_set_features(struct driver *driver, uint64_t features);
uint16_t driver_queue_max(struct driver *driver, uint16_t queue); /* 0: no such queue */
void driver_set_queue(struct driver *driver, uint16_t queue, const struct ring *ring);
uint32_t driver_config(struct driver *driver, uint32_t offset, uint8_t width);
uint8_t driver_generation(struct driver *driver);
void driver_notify(struct driver *driver, uint16_t queue);

/* Reset to DRIVER_OK with these features and all queues. False: the device has refused something. */
bool driver_start(struct driver *driver, uint64_t features);

/* Acknowledges what is signalled: bit 0 a queue, bit 1 the configuration. */
uint32_t driver_interrupt(struct driver *driver);

/*
 * One buffer of each kind (length 0: none) on descriptors 0 and 1 of a queue; notifies and takes the used
 * entry. False: it was not used.
 */
bool driver_transfer(struct driver *driver, uint16_t queue, uint64_t out, uint32_t out_length, uint64_t in,
                     uint32_t in_length, uint32_t *used);
