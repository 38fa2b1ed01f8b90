/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * i8042: a PC's keyboard controller at 0x60 and 0x64, with neither keyboard nor mouse: what is sent
 * to them is lost and nothing ever comes. It answers its own commands, opens and closes A20, and
 * resets the machine. Intel 8042 as in the IBM PC AT Technical Reference, "Keyboard Controller". Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/devices/reset_control.h"
#include "mgmt/lib/access.h"

#define I8042_DATA_PORT    0x60U
#define I8042_COMMAND_PORT 0x64U

struct i8042 {
    struct reset_control *system; /* A20 and reset */
    uint8_t command_byte;
    uint8_t expects; /* the command whose data byte comes next at 0x60; 0: none */
    bool last_was_command;
    bool full; /* the output buffer */
    bool from_mouse;
    uint8_t output;
};

/* As firmware leaves it: self test done, both ports closed. */
void i8042_init(struct i8042 *controller, struct reset_control *system);

struct access_range i8042_data_range(struct i8042 *controller);
struct access_range i8042_command_range(struct i8042 *controller);
