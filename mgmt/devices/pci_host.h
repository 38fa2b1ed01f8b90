/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_host: the ports 0xCF8 to 0xCFF of a PC: the address register of configuration mechanism 1, and the
 * configuration space of a bus behind it, or of none: then all of it reads as ones. Pure. PCI Local Bus
 * Specification 3.0, section 3.2.2.3.2 "Software Generation of Configuration Transactions".
 *
 * Only a 32-bit access at 0xCF8 is one of the address register; narrower ones go past the host
 * bridge, where a chip set has its reset register at 0xCF9.
 */
#pragma once

#include <stdint.h>

#include "mgmt/lib/access.h"

#define PCI_HOST_PORT 0xcf8U

struct pci_host {
    /* Port 0xCF9; NULL: nobody is there. */
    uint8_t (*read_cf9)(void *ctx);
    void (*write_cf9)(void *ctx, uint8_t value);
    void *ctx;
    uint32_t address;
    /*
     * Configuration space: `address` as the register has it, with the first byte of the access in its lowest
     * two bits; an access does not leave its doubleword. NULL: there is no bus.
     */
    uint32_t (*config_read)(void *bus, uint32_t address, uint8_t width);
    void (*config_write)(void *bus, uint32_t address, uint8_t width, uint32_t value);
    void *bus;
};

struct access_range pci_host_range(struct pci_host *host);
