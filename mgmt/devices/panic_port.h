/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * panic_port: a byte at port 0x505 by which a guest says that it has panicked, as QEMU's pvpanic
 * (docs/specs/pvpanic): a read tells which events the port knows, a write of bit 0 is a panic. The guest
 * may still be dumping itself to a crash kernel (bit 1); then it goes on. Pure.
 */
#pragma once

#include <stdint.h>

#include "mgmt/lib/access.h"

#define PANIC_PORT 0x505U

enum { PANIC_PORT_PANICKED = 1 << 0, PANIC_PORT_CRASH_LOADED = 1 << 1 };

struct panic_port {
    void (*panicked)(void *ctx); /* may be called again */
    void *ctx;
};

struct access_range panic_port_range(struct panic_port *device);
