/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_host: see pci_host.h. Without a bus 0xCFC needs no code: with the enable bit set nobody claims the
 * transaction, which reads as ones on every byte lane, and without it the access is an ordinary one of a port
 * that nobody has, which does the same.
 */
#include "mgmt/devices/pci_host.h"

enum { PORTS = 8, ADDRESS = 0, RESET = 1, DATA = 4 };

#define ADDRESS_MASK 0x80fffffcU /* enable, bus, device, function, doubleword; the rest is zero */

static uint8_t read_byte(struct pci_host *host, uint64_t offset)
{
    return offset == RESET && host->read_cf9 ? host->read_cf9(host->ctx) : 0xff;
}

static uint64_t pci_host_read(void *ctx, uint64_t offset, uint8_t width)
{
    struct pci_host *host = ctx;
    uint64_t value = 0;
    if (offset == ADDRESS && width == 4)
        return host->address;
    if (offset >= DATA && host->config_read)
        return host->config_read(host->bus, host->address | (uint32_t)(offset - DATA), width);
    for (uint8_t i = 0; i < width; i++)
        value |= (uint64_t)read_byte(host, offset + i) << 8 * i;
    return value;
}

static void pci_host_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct pci_host *host = ctx;
    if (offset == ADDRESS && width == 4) {
        host->address = (uint32_t)data & ADDRESS_MASK;
        return;
    }
    if (offset >= DATA && host->config_write)
        host->config_write(host->bus, host->address | (uint32_t)(offset - DATA), width, (uint32_t)data);
    if (offset <= RESET && offset + width > RESET && host->write_cf9)
        host->write_cf9(host->ctx, (uint8_t)(data >> 8 * (RESET - offset)));
}

struct access_range pci_host_range(struct pci_host *host)
{
    return (struct access_range){HV_CLAIM_PIO, PCI_HOST_PORT, PORTS, 4, pci_host_read, pci_host_write, host};
}
