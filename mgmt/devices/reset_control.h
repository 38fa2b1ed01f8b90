/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reset_control: the two registers of a PC's chip set that reset it: 0xCF9 (reached through
 * pci_host, whose ports surround it) and system control port A at 0x92, which also has the A20 gate.
 * Intel ICH9 data sheet, "RST_CNT" and "PORT92". Pure.
 *
 * The gate is kept and read back, here and by the keyboard controller, but memory does not wrap at
 * 1 MiB when it is closed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/lib/access.h"

#define RESET_CONTROL_PORT_A 0x92U

struct reset_control {
    void (*reset)(void *ctx); /* the machine is to start anew; may be called again before it does */
    void *ctx;
    uint8_t cf9;
    uint8_t port_a;
};

/* After power-on; A20 is open, as firmware leaves it. The callback is kept. */
void reset_control_init(struct reset_control *control);

bool reset_control_a20(const struct reset_control *control);
void reset_control_set_a20(struct reset_control *control, bool open);

/* For pci_host; ctx is the struct reset_control. */
uint8_t reset_control_read_cf9(void *ctx);
void reset_control_write_cf9(void *ctx, uint8_t value);

/* Port 0x92. */
struct access_range reset_control_range(struct reset_control *control);
