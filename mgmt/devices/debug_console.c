/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_console: see debug_console.h. One byte wide, so wider writes arrive byte by byte and only
 * the first byte is ours.
 */
#include "mgmt/devices/debug_console.h"

static uint64_t debug_console_read(void *ctx, uint64_t offset, uint8_t width)
{
    (void)ctx;
    (void)offset;
    (void)width;
    return DEBUG_CONSOLE_PORT;
}

static void debug_console_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct debug_console *console = ctx;
    (void)offset;
    (void)width;
    console->put(console->ctx, (uint8_t)data);
}

struct access_range debug_console_range(struct debug_console *console)
{
    return (struct access_range){HV_CLAIM_PIO,       DEBUG_CONSOLE_PORT,  1,      1,
                                 debug_console_read, debug_console_write, console};
}
