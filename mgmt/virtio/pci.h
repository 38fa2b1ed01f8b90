/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci: bus 0 of a small PCI system: a host bridge in slot 0 and functions of type 0 with memory BARs. Pure.
 * PCI Local Bus Specification 3.0, chapter 6 "Configuration Space".
 *
 * A function's configuration space is 256 bytes and a mask of what the guest may write; sizing a BAR works by
 * its mask. Functions whose registers do more have two hooks. There is no firmware in a domain, so functions
 * are found configured as firmware leaves them: BARs placed in the window one after the other, memory
 * decoding on. The window is one range of the domain's addresses; a BAR that is moved out of it cannot be
 * reached.
 */
#pragma once

#include "mgmt/lib/access.h"

enum {
    PCI_CONFIG_SIZE = 256,
    PCI_BARS = 6,
    PCI_SLOTS = 32,
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_CLASS_PROG = 0x09,
    PCI_CACHE_LINE_SIZE = 0x0c,
    PCI_BASE_ADDRESS_0 = 0x10,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_CAPABILITY_LIST = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_COMMAND_MEMORY = 0x2,
    PCI_COMMAND_MASTER = 0x4,
    PCI_COMMAND_INTX_DISABLE = 0x400,
    PCI_STATUS_INTERRUPT = 0x8,
    PCI_STATUS_CAP_LIST = 0x10,
};

struct pci_bar {
    uint32_t size; /* a power of two, at least 4096; 0: there is no such BAR */
    uint32_t (*read)(void *ctx, uint32_t offset, uint8_t width);
    void (*write)(void *ctx, uint32_t offset, uint8_t width, uint32_t value);
};

struct pci_function {
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE]; /* bits */
    struct pci_bar bar[PCI_BARS];
    /* Each may be NULL. */
    void (*before_read)(void *ctx, uint8_t offset, uint8_t width);
    void (*written)(void *ctx, uint8_t offset, uint8_t width);
    void *ctx;
    uint8_t capability_last; /* offset of the newest one; 0: none */
};

struct pci_ids {
    uint16_t vendor, device, subsystem;
    uint8_t revision;
    uint32_t class_code; /* base class, sub-class, interface */
};

struct pci_bus {
    struct pci_function *slot[PCI_SLOTS];
    struct pci_function bridge;
    uint32_t base, size; /* of the window */
    uint32_t next;       /* free from here on */
};

/* Empties `function` and gives it these numbers and the usual writable registers. */
void pci_init(struct pci_function *function, const struct pci_ids *ids);
/* Makes the bytes from `at` on a capability: its ID and its place in the list. */
void pci_add_capability(struct pci_function *function, uint8_t at, uint8_t id);

uint32_t pci_get(const struct pci_function *function, uint8_t offset, uint8_t width);
void pci_put(struct pci_function *function, uint8_t offset, uint8_t width, uint32_t value);

/* What a guest does, `offset` aligned to `width`. */
uint32_t pci_config_read(struct pci_function *function, uint8_t offset, uint8_t width);
void pci_config_write(struct pci_function *function, uint8_t offset, uint8_t width, uint32_t value);

/* Address of a BAR's memory; 0: not decoded now. */
uint32_t pci_bar_address(const struct pci_function *function, uint32_t bar);
uint32_t pci_bar_read(const struct pci_function *function, uint32_t bar, uint32_t offset, uint8_t width);
void pci_bar_write(const struct pci_function *function, uint32_t bar, uint32_t offset, uint8_t width,
                   uint32_t value);

/* The window must be aligned to its size, a power of two below 2 GiB. */
void pci_bus_init(struct pci_bus *bus, uint32_t base, uint32_t size);
/* Puts a function with its BARs into a slot from 1 on. False: the slot is taken or the window is full. */
bool pci_bus_add(struct pci_bus *bus, uint32_t slot, struct pci_function *function);

/* For pci_host: `address` as written to 0xCF8, with the byte in its lowest two bits. */
uint32_t pci_bus_config_read(void *bus, uint32_t address, uint8_t width);
void pci_bus_config_write(void *bus, uint32_t address, uint8_t width, uint32_t value);

/* The window. */
struct access_range pci_bus_range(struct pci_bus *bus);
