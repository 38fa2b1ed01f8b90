/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_exit: see debug_exit.h. Four ports, as QEMU's has with iosize=4; a write to any of them
 * counts, a read gives 0 in all widths.
 */
#include "mgmt/devices/debug_exit.h"

static uint64_t debug_exit_read(void *ctx, uint64_t offset, uint8_t width)
{
    (void)ctx;
    (void)offset;
    (void)width;
    return 0;
}

static void debug_exit_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct debug_exit *device = ctx;
    (void)offset;
    (void)width;
    device->end(device->ctx, (uint32_t)data << 1 | 1U);
}

struct access_range debug_exit_range(struct debug_exit *device)
{
    return (struct access_range){HV_CLAIM_PIO,    DEBUG_EXIT_PORT,  4,     4,
                                 debug_exit_read, debug_exit_write, device};
}
