/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci: see pci.h. The host bridge is there because a system looks for one to believe in the bus.
 */
#include "mgmt/virtio/pci.h"

#include <stddef.h>
#include <string.h>

#define ADDRESS_ENABLE   0x80000000U
#define ADDRESS_BUS      0x00ff0000U
#define ADDRESS_FUNCTION 0x00000700U
#define BAR_FLAGS        0xfU

static uint32_t ones(uint8_t width)
{
    return width >= 4 ? UINT32_MAX : (1U << 8 * width) - 1;
}

uint32_t pci_get(const struct pci_function *function, uint8_t offset, uint8_t width)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < width && offset + i < PCI_CONFIG_SIZE; i++)
        value |= (uint32_t)function->config[offset + i] << 8 * i;
    return value;
}

void pci_put(struct pci_function *function, uint8_t offset, uint8_t width, uint32_t value)
{
    for (uint32_t i = 0; i < width && offset + i < PCI_CONFIG_SIZE; i++)
        function->config[offset + i] = (uint8_t)(value >> 8 * i);
}

static void allow(struct pci_function *function, uint8_t offset, uint8_t width, uint32_t mask)
{
    for (uint32_t i = 0; i < width; i++)
        function->writable[offset + i] = (uint8_t)(mask >> 8 * i);
}

void pci_init(struct pci_function *function, const struct pci_ids *ids)
{
    memset(function, 0, sizeof(*function));
    pci_put(function, PCI_VENDOR_ID, 2, ids->vendor);
    pci_put(function, PCI_DEVICE_ID, 2, ids->device);
    pci_put(function, PCI_REVISION_ID, 1, ids->revision);
    pci_put(function, PCI_CLASS_PROG, 3, ids->class_code);
    pci_put(function, PCI_SUBSYSTEM_VENDOR_ID, 2, ids->vendor);
    pci_put(function, PCI_SUBSYSTEM_ID, 2, ids->subsystem);
    allow(function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
    allow(function, PCI_CACHE_LINE_SIZE, 1, 0xff);
    allow(function, PCI_INTERRUPT_LINE, 1, 0xff);
}

void pci_add_capability(struct pci_function *function, uint8_t at, uint8_t id)
{
    uint8_t link = function->capability_last ? function->capability_last + 1 : PCI_CAPABILITY_LIST;
    function->config[link] = at;
    function->config[at] = id;
    function->config[at + 1] = 0;
    function->capability_last = at;
    pci_put(function, PCI_STATUS, 2, pci_get(function, PCI_STATUS, 2) | PCI_STATUS_CAP_LIST);
}

uint32_t pci_config_read(struct pci_function *function, uint8_t offset, uint8_t width)
{
    if (function->before_read)
        function->before_read(function->ctx, offset, width);
    return pci_get(function, offset, width);
}

void pci_config_write(struct pci_function *function, uint8_t offset, uint8_t width, uint32_t value)
{
    for (uint32_t i = 0; i < width && offset + i < PCI_CONFIG_SIZE; i++) {
        uint8_t mask = function->writable[offset + i], *byte = &function->config[offset + i];
        *byte = (uint8_t)((*byte & ~mask) | (value >> 8 * i & mask));
    }
    if (function->written)
        function->written(function->ctx, offset, width);
}

uint32_t pci_bar_address(const struct pci_function *function, uint32_t bar)
{
    if (bar >= PCI_BARS || function->bar[bar].size == 0 ||
        (pci_get(function, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY) == 0)
        return 0;
    return pci_get(function, (uint8_t)(PCI_BASE_ADDRESS_0 + 4 * bar), 4) & ~BAR_FLAGS;
}

uint32_t pci_bar_read(const struct pci_function *function, uint32_t bar, uint32_t offset, uint8_t width)
{
    const struct pci_bar *b = &function->bar[bar];
    return b->read ? b->read(function->ctx, offset, width) & ones(width) : ones(width);
}

void pci_bar_write(const struct pci_function *function, uint32_t bar, uint32_t offset, uint8_t width,
                   uint32_t value)
{
    const struct pci_bar *b = &function->bar[bar];
    if (b->write)
        b->write(function->ctx, offset, width, value & ones(width));
}

void pci_bus_init(struct pci_bus *bus, uint32_t base, uint32_t size)
{
    /* A host bridge without quirks: Red Hat's generic one. */
    static const struct pci_ids ids = {0x1b36, 0x0008, 0, 0, 0x060000};
    memset(bus, 0, sizeof(*bus));
    pci_init(&bus->bridge, &ids);
    allow(&bus->bridge, PCI_COMMAND, 2, 0);
    pci_put(&bus->bridge, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    bus->slot[0] = &bus->bridge;
    bus->base = bus->next = base;
    bus->size = size;
}

/* Places one BAR; false: no room. */
static bool place(const struct pci_bus *bus, uint32_t *next, struct pci_function *function, uint32_t bar)
{
    uint32_t size = function->bar[bar].size, at;
    uint8_t offset = (uint8_t)(PCI_BASE_ADDRESS_0 + 4 * bar);
    if (size == 0)
        return true;
    at = (*next + size - 1) & ~(size - 1);
    if (at - bus->base > bus->size || bus->size - (at - bus->base) < size)
        return false;
    allow(function, offset, 4, ~(size - 1));
    pci_put(function, offset, 4, at);
    *next = at + size;
    return true;
}

bool pci_bus_add(struct pci_bus *bus, uint32_t slot, struct pci_function *function)
{
    uint32_t next = bus->next;
    if (slot >= PCI_SLOTS || bus->slot[slot])
        return false;
    for (uint32_t bar = 0; bar < PCI_BARS; bar++)
        if (!place(bus, &next, function, bar))
            return false;
    pci_put(function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    bus->slot[slot] = function;
    bus->next = next;
    return true;
}

static struct pci_function *addressed(const struct pci_bus *bus, uint32_t address)
{
    if ((address & ADDRESS_ENABLE) == 0 || address & (ADDRESS_BUS | ADDRESS_FUNCTION))
        return NULL;
    return bus->slot[address >> 11 & (PCI_SLOTS - 1)];
}

uint32_t pci_bus_config_read(void *bus, uint32_t address, uint8_t width)
{
    struct pci_function *function = addressed(bus, address);
    return function ? pci_config_read(function, (uint8_t)address, width) : ones(width);
}

void pci_bus_config_write(void *bus, uint32_t address, uint8_t width, uint32_t value)
{
    struct pci_function *function = addressed(bus, address);
    if (function)
        pci_config_write(function, (uint8_t)address, width, value);
}

/* Who has this address; of two that overlap the one in the lower slot. */
static const struct pci_function *find(const struct pci_bus *bus, uint32_t address, uint32_t *bar)
{
    for (uint32_t slot = 1; slot < PCI_SLOTS; slot++)
        for (*bar = 0; bus->slot[slot] && *bar < PCI_BARS; (*bar)++) {
            uint32_t start = pci_bar_address(bus->slot[slot], *bar);
            if (start != 0 && address - start < bus->slot[slot]->bar[*bar].size)
                return bus->slot[slot];
        }
    return NULL;
}

static uint64_t window_read(void *ctx, uint64_t offset, uint8_t width)
{
    struct pci_bus *bus = ctx;
    uint32_t bar, address = bus->base + (uint32_t)offset;
    const struct pci_function *function = find(bus, address, &bar);
    return function ? pci_bar_read(function, bar, address - pci_bar_address(function, bar), width)
                    : ones(width);
}

static void window_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct pci_bus *bus = ctx;
    uint32_t bar, address = bus->base + (uint32_t)offset;
    const struct pci_function *function = find(bus, address, &bar);
    if (function)
        pci_bar_write(function, bar, address - pci_bar_address(function, bar), width, (uint32_t)data);
}

struct access_range pci_bus_range(struct pci_bus *bus)
{
    return (struct access_range){HV_CLAIM_MMIO, bus->base, bus->size, 4, window_read, window_write, bus};
}
