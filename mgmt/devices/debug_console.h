/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_console: port 0xE9 as Bochs and QEMU have it: a byte written is a byte shown; a read gives
 * 0xE9, by which a guest finds out that the port is there. Pure.
 */
#pragma once

#include <stdint.h>

#include "mgmt/lib/access.h"

#define DEBUG_CONSOLE_PORT 0xe9U

struct debug_console {
    void (*put)(void *ctx, uint8_t byte);
    void *ctx;
};

/* The range to give to the domain; `console` must live as long. */
struct access_range debug_console_range(struct debug_console *console);
