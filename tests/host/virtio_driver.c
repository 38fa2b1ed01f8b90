/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_driver: see virtio_driver.h. Vector 0 is the configuration's, vector n + 1 that of queue n; messages
 * go to 0xfee00000 with data 0x40 + vector.
 */
#include "tests/host/virtio_driver.h"

#include <stdlib.h>
#include <string.h>

const char *const bus_name[BUSES] = {"pci, MSI-X", "pci, INTx", "mmio"};

static uint8_t *piece_of[GUEST_PIECES];

static void *view(void *ctx, uint64_t gpa, uint64_t *bytes)
{
    (void)ctx;
    uint64_t offset = gpa - GUEST_START, room = GUEST_PIECE - offset % GUEST_PIECE;
    if (offset >= GUEST_PIECES * GUEST_PIECE)
        return NULL;
    if (*bytes > room)
        *bytes = room;
    return piece_of[offset / GUEST_PIECE] + offset % GUEST_PIECE;
}

const struct guest_memory guest_memory = {view, NULL};

static void free_pieces(void)
{
    for (int i = 0; i < GUEST_PIECES; i++)
        free(piece_of[i]);
}

void guest_memory_make(void)
{
    static bool registered;
    if (!registered)
        atexit(free_pieces);
    registered = true;
    free_pieces();
    for (int i = 0; i < GUEST_PIECES; i++)
        if (!(piece_of[i] = calloc(1, GUEST_PIECE)))
            abort();
}

void *guest_at(uint64_t gpa)
{
    uint64_t bytes = 1;
    void *at = view(NULL, gpa, &bytes);
    if (!at)
        abort(); /* a mistake of the test */
    return at;
}

uint64_t guest_memory_sum(void)
{
    uint64_t sum = 1469598103934665603ULL;
    for (int i = 0; i < GUEST_PIECES; i++)
        for (uint32_t j = 0; j < GUEST_PIECE; j++)
            sum = (sum ^ piece_of[i][j]) * 1099511628211ULL;
    return sum;
}

/* ---- rings */

struct ring ring_at(uint32_t which, uint16_t size)
{
    /* The available ring of queue 1 begins 10 bytes before the border of two pieces. */
    static const uint64_t desc[] = {0x10000, 0x12000}, avail[] = {0x14000, 0x1fff6},
                          used[] = {0x15000, 0x17000};
    struct ring ring = {size, desc[which], avail[which], used[which], 0, 0};
    return ring;
}

void ring_clear(const struct ring *ring)
{
    static const uint8_t zeros[16 * QUEUE_SIZE_MAX];
    if (!guest_memory_write(&guest_memory, ring->desc, zeros, 16U * ring->size) ||
        !guest_memory_write(&guest_memory, ring->avail, zeros, 6 + 2U * ring->size) ||
        !guest_memory_write(&guest_memory, ring->used, zeros, 6 + 8U * ring->size))
        abort();
}

static uint16_t get16(uint64_t gpa)
{
    uint16_t value;
    memcpy(&value, guest_at(gpa), sizeof(value));
    return value;
}

static void set16(uint64_t gpa, uint16_t value)
{
    memcpy(guest_at(gpa), &value, sizeof(value));
}

static void write_desc(uint64_t at, uint64_t gpa, uint32_t length, uint16_t flags, uint16_t next)
{
    uint8_t *desc = guest_at(at);
    memcpy(desc, &gpa, 8);
    memcpy(desc + 8, &length, 4);
    memcpy(desc + 12, &flags, 2);
    memcpy(desc + 14, &next, 2);
}

void ring_desc(const struct ring *ring, uint16_t index, uint64_t gpa, uint32_t length, uint16_t flags,
               uint16_t next)
{
    write_desc(ring->desc + 16U * index, gpa, length, flags, next);
}

void indirect_desc(uint16_t index, uint64_t gpa, uint32_t length, uint16_t flags, uint16_t next)
{
    write_desc(GUEST_INDIRECT + 16U * index, gpa, length, flags, next);
}

void ring_offer(struct ring *ring, uint16_t head)
{
    set16(ring->avail + 4 + 2U * (ring->index % ring->size), head);
    set16(ring->avail + 2, ++ring->index);
}

void ring_set_flags(const struct ring *ring, uint16_t flags)
{
    set16(ring->avail, flags);
}

void ring_set_used_event(const struct ring *ring, uint16_t event)
{
    set16(ring->avail + 4 + 2U * ring->size, event);
}

uint16_t ring_flags(const struct ring *ring)
{
    return get16(ring->used);
}

uint16_t ring_avail_event(const struct ring *ring)
{
    return get16(ring->used + 4 + 8U * ring->size);
}

uint16_t ring_used_index(const struct ring *ring)
{
    return get16(ring->used + 2);
}

bool ring_take(struct ring *ring, uint32_t *head, uint32_t *length)
{
    uint64_t at = ring->used + 4 + 8U * (ring->last_used % ring->size);
    if (ring_used_index(ring) == ring->last_used)
        return false;
    memcpy(head, guest_at(at), 4);
    memcpy(length, guest_at(at + 4), 4);
    ring->last_used++;
    return true;
}

/* ---- the machine */

static void on_line(void *ctx, bool level)
{
    struct driver *driver = ctx;
    if (level == driver->line)
        abort(); /* told twice */
    driver->line = level;
    driver->edges++;
}

static void on_message(void *ctx, uint16_t vector, uint64_t address, uint32_t data)
{
    struct driver *driver = ctx;
    (void)vector;
    driver->messages++;
    driver->last_address = address;
    driver->last_data = data;
}

static void on_defer(void *ctx)
{
    struct driver *driver = ctx;
    driver->defers++;
}

static uint32_t pci_address(uint8_t offset)
{
    return 0x80000000U | DRIVER_SLOT << 11 | offset;
}

uint32_t driver_pci_read(struct driver *driver, uint8_t offset, uint8_t width)
{
    return pci_bus_config_read(&driver->pci_bus, pci_address(offset), width);
}

void driver_pci_write(struct driver *driver, uint8_t offset, uint8_t width, uint32_t value)
{
    pci_bus_config_write(&driver->pci_bus, pci_address(offset), width, value);
}

uint32_t driver_read(struct driver *driver, uint64_t address, uint8_t width)
{
    return (uint32_t)access_read(&driver->table, HV_CLAIM_MMIO, address, width);
}

void driver_write(struct driver *driver, uint64_t address, uint8_t width, uint32_t value)
{
    access_write(&driver->table, HV_CLAIM_MMIO, address, width, value);
}

uint8_t driver_pci_find(struct driver *driver, uint8_t id, uint8_t type)
{
    uint8_t at = (uint8_t)driver_pci_read(driver, 0x34, 1);
    for (int i = 0; i < 32 && at != 0; i++) {
        if (driver_pci_read(driver, at, 1) == id && (type == 0 || driver_pci_read(driver, at + 3, 1) == type))
            return at;
        at = (uint8_t)driver_pci_read(driver, at + 1, 1);
    }
    return 0;
}

static uint64_t structure(struct driver *driver, uint8_t type)
{
    uint8_t at = driver_pci_find(driver, 0x09, type);
    if (at == 0)
        return 0;
    uint8_t bar = (uint8_t)driver_pci_read(driver, at + 4, 1);
    return (driver_pci_read(driver, (uint8_t)(0x10 + 4 * bar), 4) & ~0xfU) +
           driver_pci_read(driver, at + 8, 4);
}

static bool find_msix(struct driver *driver)
{
    uint8_t at = driver_pci_find(driver, 0x11, 0);
    if (at == 0)
        return false;
    uint32_t table = driver_pci_read(driver, at + 4, 4), pba = driver_pci_read(driver, at + 8, 4);
    driver->msix_table =
        (driver_pci_read(driver, (uint8_t)(0x10 + 4 * (table & 7)), 4) & ~0xfU) + (table & ~7U);
    driver->msix_pba = (driver_pci_read(driver, (uint8_t)(0x10 + 4 * (pba & 7)), 4) & ~0xfU) + (pba & ~7U);
    uint32_t vectors = (driver_pci_read(driver, at + 2, 2) & 0x7ff) + 1;
    for (uint32_t i = 0; driver->bus == BUS_MSIX && i < vectors; i++) {
        driver_write(driver, driver->msix_table + 16 * i, 4, 0xfee00000);
        driver_write(driver, driver->msix_table + 16 * i + 4, 4, 0);
        driver_write(driver, driver->msix_table + 16 * i + 8, 4, 0x40 + i);
        driver_write(driver, driver->msix_table + 16 * i + 12, 4, 0);
    }
    if (driver->bus == BUS_MSIX)
        driver_pci_write(driver, at + 2, 2, 0x8000);
    return true;
}

static bool find_pci(struct driver *driver)
{
    uint8_t notify = driver_pci_find(driver, 0x09, 2);
    uint32_t id = driver_pci_read(driver, 0, 4);
    if (id != (0x1af4 | (0x1040 + (uint32_t)driver->device->type->id) << 16) || notify == 0)
        return false;
    driver_pci_write(driver, 0x04, 2, 0x0006);
    driver->common = structure(driver, 1);
    driver->notify = structure(driver, 2);
    driver->isr = structure(driver, 3);
    driver->config = structure(driver, 4);
    driver->notify_multiplier = driver_pci_read(driver, notify + 16, 4);
    return driver->common && driver->isr && find_msix(driver);
}

bool driver_attach(struct driver *driver, struct virtio *device, enum driver_bus bus)
{
    memset(driver, 0, sizeof(*driver));
    driver->bus = bus;
    driver->device = device;
    device->defer = on_defer;
    device->defer_ctx = driver;
    if (bus == BUS_MMIO) {
        driver->mmio.set_irq = on_line;
        driver->mmio.irq_ctx = driver;
        virtio_mmio_init(&driver->mmio, device);
        struct access_range range = virtio_mmio_range(&driver->mmio, DRIVER_MMIO_BASE);
        driver->config = DRIVER_MMIO_BASE + 0x100;
        return access_add(&driver->table, &range) && driver_read(driver, DRIVER_MMIO_BASE, 4) == 0x74726976 &&
               driver_read(driver, DRIVER_MMIO_BASE + 4, 4) == 2 &&
               driver_read(driver, DRIVER_MMIO_BASE + 8, 4) == device->type->id;
    }
    driver->pci.set_irq = on_line;
    driver->pci.irq_ctx = driver;
    driver->pci.msix.raise = on_message;
    driver->pci.msix.ctx = driver;
    virtio_pci_init(&driver->pci, device, 11);
    pci_bus_init(&driver->pci_bus, DRIVER_PCI_BASE, DRIVER_PCI_SIZE);
    struct access_range range = pci_bus_range(&driver->pci_bus);
    return pci_bus_add(&driver->pci_bus, DRIVER_SLOT, &driver->pci.function) &&
           access_add(&driver->table, &range) && find_pci(driver);
}

/* ---- registers of both transports */

uint8_t driver_status(struct driver *driver)
{
    if (driver->bus == BUS_MMIO)
        return (uint8_t)driver_read(driver, DRIVER_MMIO_BASE + 0x70, 4);
    return (uint8_t)driver_read(driver, driver->common + 20, 1);
}

void driver_set_status(struct driver *driver, uint8_t status)
{
    if (driver->bus == BUS_MMIO)
        driver_write(driver, DRIVER_MMIO_BASE + 0x70, 4, status);
    else
        driver_write(driver, driver->common + 20, 1, status);
}

uint64_t driver_features(struct driver *driver)
{
    uint64_t select = driver->bus == BUS_MMIO ? DRIVER_MMIO_BASE + 0x14 : driver->common;
    uint64_t value = driver->bus == BUS_MMIO ? DRIVER_MMIO_BASE + 0x10 : driver->common + 4;
    driver_write(driver, select, 4, 0);
    uint64_t low = driver_read(driver, value, 4);
    driver_write(driver, select, 4, 1);
    return low | (uint64_t)driver_read(driver, value, 4) << 32;
}

void driver_set_features(struct driver *driver, uint64_t features)
{
    uint64_t select = driver->bus == BUS_MMIO ? DRIVER_MMIO_BASE + 0x24 : driver->common + 8;
    uint64_t value = driver->bus == BUS_MMIO ? DRIVER_MMIO_BASE + 0x20 : driver->common + 12;
    driver_write(driver, select, 4, 0);
    driver_write(driver, value, 4, (uint32_t)features);
    driver_write(driver, select, 4, 1);
    driver_write(driver, value, 4, (uint32_t)(features >> 32));
}

uint16_t driver_queue_max(struct driver *driver, uint16_t queue)
{
    if (driver->bus == BUS_MMIO) {
        driver_write(driver, DRIVER_MMIO_BASE + 0x30, 4, queue);
        return (uint16_t)driver_read(driver, DRIVER_MMIO_BASE + 0x34, 4);
    }
    driver_write(driver, driver->common + 22, 2, queue);
    return (uint16_t)driver_read(driver, driver->common + 24, 2);
}

static void set_address(struct driver *driver, uint64_t at, uint64_t gpa)
{
    driver_write(driver, at, 4, (uint32_t)gpa);
    driver_write(driver, at + 4, 4, (uint32_t)(gpa >> 32));
}

void driver_set_queue(struct driver *driver, uint16_t queue, const struct ring *ring)
{
    driver->ring[queue] = *ring;
    (void)driver_queue_max(driver, queue);
    if (driver->bus == BUS_MMIO) {
        driver_write(driver, DRIVER_MMIO_BASE + 0x38, 4, ring->size);
        set_address(driver, DRIVER_MMIO_BASE + 0x80, ring->desc);
        set_address(driver, DRIVER_MMIO_BASE + 0x90, ring->avail);
        set_address(driver, DRIVER_MMIO_BASE + 0xa0, ring->used);
        driver_write(driver, DRIVER_MMIO_BASE + 0x44, 4, 1);
        return;
    }
    driver_write(driver, driver->common + 24, 2, ring->size);
    driver_write(driver, driver->common + 26, 2, driver->bus == BUS_MSIX ? queue + 1U : 0xffff);
    set_address(driver, driver->common + 32, ring->desc);
    set_address(driver, driver->common + 40, ring->avail);
    set_address(driver, driver->common + 48, ring->used);
    driver_write(driver, driver->common + 28, 2, 1);
}

uint32_t driver_config(struct driver *driver, uint32_t offset, uint8_t width)
{
    return driver_read(driver, driver->config + offset, width);
}

uint8_t driver_generation(struct driver *driver)
{
    if (driver->bus == BUS_MMIO)
        return (uint8_t)driver_read(driver, DRIVER_MMIO_BASE + 0xfc, 4);
    return (uint8_t)driver_read(driver, driver->common + 21, 1);
}

void driver_notify(struct driver *driver, uint16_t queue)
{
    if (driver->bus == BUS_MMIO) {
        driver_write(driver, DRIVER_MMIO_BASE + 0x50, 4, queue);
        return;
    }
    (void)driver_queue_max(driver, queue);
    uint32_t off = driver_read(driver, driver->common + 30, 2);
    driver_write(driver, driver->notify + off * driver->notify_multiplier, 2, queue);
}

bool driver_start(struct driver *driver, uint64_t features)
{
    driver_set_status(driver, 0);
    if (driver_status(driver) != 0)
        return false;
    driver_set_status(driver, VIRTIO_ACKNOWLEDGE);
    driver_set_status(driver, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
    driver_set_features(driver, features);
    driver_set_status(driver, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
    if ((driver_status(driver) & VIRTIO_FEATURES_OK) == 0)
        return false;
    if (driver->bus == BUS_MSIX)
        driver_write(driver, driver->common + 16, 2, 0);
    for (uint16_t i = 0; i < driver->device->type->queues; i++) {
        uint16_t max = driver_queue_max(driver, i);
        struct ring ring = ring_at(i, max < 16 ? max : 16);
        ring_clear(&ring);
        driver_set_queue(driver, i, &ring);
    }
    driver_set_status(driver, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
    return driver_status(driver) == 15;
}

uint32_t driver_interrupt(struct driver *driver)
{
    if (driver->bus != BUS_MMIO)
        return driver_read(driver, driver->isr, 1);
    uint32_t status = driver_read(driver, DRIVER_MMIO_BASE + 0x60, 4);
    driver_write(driver, DRIVER_MMIO_BASE + 0x64, 4, status);
    return status;
}

bool driver_transfer(struct driver *driver, uint16_t queue, uint64_t out, uint32_t out_length, uint64_t in,
                     uint32_t in_length, uint32_t *used)
{
    struct ring *ring = &driver->ring[queue];
    uint32_t head, length;
    if (out_length)
        ring_desc(ring, 0, out, out_length, in_length ? RING_NEXT : 0, 1);
    if (in_length)
        ring_desc(ring, out_length ? 1 : 0, in, in_length, RING_WRITE, 0);
    ring_offer(ring, 0);
    driver_notify(driver, queue);
    if (!ring_take(ring, &head, &length) || head != 0)
        return false;
    if (used)
        *used = length;
    return true;
}
