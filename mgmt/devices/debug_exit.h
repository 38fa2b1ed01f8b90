/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_exit: port 0xF4 in the convention of QEMU's isa-debug-exit: a write of `value`, 8, 16 or 32
 * bits wide, ends the domain with the code (value << 1) | 1. Pure.
 */
#pragma once

#include <stdint.h>

#include "mgmt/lib/access.h"

#define DEBUG_EXIT_PORT 0xf4U

struct debug_exit {
    void (*end)(void *ctx, uint32_t code);
    void *ctx;
};

struct access_range debug_exit_range(struct debug_exit *device);
