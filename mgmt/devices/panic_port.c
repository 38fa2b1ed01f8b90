/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * panic_port: see panic_port.h.
 */
#include "mgmt/devices/panic_port.h"

static uint64_t panic_port_read(void *ctx, uint64_t offset, uint8_t width)
{
    (void)ctx;
    (void)offset;
    (void)width;
    return PANIC_PORT_PANICKED | PANIC_PORT_CRASH_LOADED;
}

static void panic_port_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct panic_port *device = ctx;
    (void)offset;
    (void)width;
    if (data & PANIC_PORT_PANICKED)
        device->panicked(device->ctx);
}

struct access_range panic_port_range(struct panic_port *device)
{
    return (struct access_range){HV_CLAIM_PIO, PANIC_PORT, 1, 1, panic_port_read, panic_port_write, device};
}
