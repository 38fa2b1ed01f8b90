/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * i8042: see i8042.h. Commands at 0x64 are rows of a table; what is not in it is ignored, as the
 * chip does. Commands are carried out at once, so the input buffer is always empty.
 */
#include "mgmt/devices/i8042.h"

#include <stddef.h>

enum {
    STATUS_OUTPUT_FULL = 1 << 0,
    STATUS_SYSTEM = 1 << 2,
    STATUS_COMMAND = 1 << 3,
    STATUS_NOT_LOCKED = 1 << 4,
    STATUS_MOUSE = 1 << 5,
    BYTE_SYSTEM = 1 << 2,
    BYTE_KEYBOARD_OFF = 1 << 4,
    BYTE_MOUSE_OFF = 1 << 5,
    OUT_NO_RESET = 1 << 0, /* output port: active low */
    OUT_A20 = 1 << 1,
    OUT_REST = 0xcc,   /* lines of the keyboard, idle */
    INPUT_PORT = 0x80, /* not locked */
    CMD_WRITE_BYTE = 0x60,
    CMD_WRITE_OUTPUT_PORT = 0xd1,
    CMD_WRITE_KEYBOARD_BUFFER = 0xd2,
    CMD_WRITE_MOUSE_BUFFER = 0xd3,
    CMD_WRITE_MOUSE = 0xd4,
    CMD_PULSE = 0xf0, /* and the 15 behind it */
    SELF_TEST_GOOD = 0x55,
};

static void answer(struct i8042 *c, uint8_t value, bool from_mouse)
{
    c->output = value;
    c->full = true;
    c->from_mouse = from_mouse;
}

static uint8_t output_port(const struct i8042 *c)
{
    return (uint8_t)(OUT_REST | OUT_NO_RESET | (reset_control_a20(c->system) ? OUT_A20 : 0));
}

static void read_byte(struct i8042 *c, uint8_t command)
{
    (void)command;
    answer(c, c->command_byte, false);
}

static void expect_data(struct i8042 *c, uint8_t command)
{
    c->expects = command;
}

static void set_bits(struct i8042 *c, uint8_t command)
{
    c->command_byte |= command == 0xa7 ? BYTE_MOUSE_OFF : BYTE_KEYBOARD_OFF;
}

static void clear_bits(struct i8042 *c, uint8_t command)
{
    c->command_byte &= (uint8_t)(command == 0xa8 ? ~BYTE_MOUSE_OFF : ~BYTE_KEYBOARD_OFF);
}

static void self_test(struct i8042 *c, uint8_t command)
{
    (void)command;
    c->command_byte |= BYTE_SYSTEM | BYTE_KEYBOARD_OFF | BYTE_MOUSE_OFF;
    answer(c, SELF_TEST_GOOD, false);
}

static void test_port(struct i8042 *c, uint8_t command)
{
    (void)command;
    answer(c, 0, false); /* no fault on the lines */
}

static void read_input_port(struct i8042 *c, uint8_t command)
{
    (void)command;
    answer(c, INPUT_PORT, false);
}

static void read_output_port(struct i8042 *c, uint8_t command)
{
    (void)command;
    answer(c, output_port(c), false);
}

static void switch_a20(struct i8042 *c, uint8_t command)
{
    reset_control_set_a20(c->system, command == 0xdf);
}

/* Bits of the low half that are 0 pulse their line of the output port. */
static void pulse(struct i8042 *c, uint8_t command)
{
    if ((command & OUT_NO_RESET) == 0)
        c->system->reset(c->system->ctx);
}

static const struct row {
    uint8_t first, last;
    void (*run)(struct i8042 *c, uint8_t command);
} commands[] = {
    {0x20, 0x20, read_byte},       {0x60, 0x60, expect_data},      {0xa7, 0xa7, set_bits},
    {0xa8, 0xa8, clear_bits},      {0xa9, 0xa9, test_port},        {0xaa, 0xaa, self_test},
    {0xab, 0xab, test_port},       {0xad, 0xad, set_bits},         {0xae, 0xae, clear_bits},
    {0xc0, 0xc0, read_input_port}, {0xd0, 0xd0, read_output_port}, {0xd1, 0xd4, expect_data},
    {0xdd, 0xdd, switch_a20},      {0xdf, 0xdf, switch_a20},       {CMD_PULSE, 0xff, pulse},
};

static void write_output_port(struct i8042 *c, uint8_t value)
{
    reset_control_set_a20(c->system, (value & OUT_A20) != 0);
    if ((value & OUT_NO_RESET) == 0)
        c->system->reset(c->system->ctx);
}

static uint64_t data_read(void *ctx, uint64_t offset, uint8_t width)
{
    struct i8042 *c = ctx;
    (void)offset;
    (void)width;
    c->full = false;
    return c->output;
}

static void data_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct i8042 *c = ctx;
    uint8_t command = c->expects, value = (uint8_t)data;
    (void)offset;
    (void)width;
    c->expects = 0;
    c->last_was_command = false;
    if (command == CMD_WRITE_BYTE)
        c->command_byte = value;
    else if (command == CMD_WRITE_OUTPUT_PORT)
        write_output_port(c, value);
    else if (command == CMD_WRITE_KEYBOARD_BUFFER || command == CMD_WRITE_MOUSE_BUFFER)
        answer(c, value, command == CMD_WRITE_MOUSE_BUFFER);
    /* Everything else is for a keyboard or mouse that is not there. */
}

static uint64_t command_read(void *ctx, uint64_t offset, uint8_t width)
{
    const struct i8042 *c = ctx;
    (void)offset;
    (void)width;
    return (uint64_t)(STATUS_NOT_LOCKED | (c->full ? STATUS_OUTPUT_FULL : 0) |
                      (c->full && c->from_mouse ? STATUS_MOUSE : 0) |
                      (c->command_byte & BYTE_SYSTEM ? STATUS_SYSTEM : 0) |
                      (c->last_was_command ? STATUS_COMMAND : 0));
}

static void command_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct i8042 *c = ctx;
    uint8_t command = (uint8_t)data;
    (void)offset;
    (void)width;
    c->expects = 0;
    c->last_was_command = true;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (command >= commands[i].first && command <= commands[i].last)
            commands[i].run(c, command);
}

void i8042_init(struct i8042 *controller, struct reset_control *system)
{
    *controller =
        (struct i8042){.system = system, .command_byte = BYTE_SYSTEM | BYTE_KEYBOARD_OFF | BYTE_MOUSE_OFF};
}

struct access_range i8042_data_range(struct i8042 *controller)
{
    return (struct access_range){HV_CLAIM_PIO, I8042_DATA_PORT, 1, 1, data_read, data_write, controller};
}

struct access_range i8042_command_range(struct i8042 *controller)
{
    return (struct access_range){HV_CLAIM_PIO, I8042_COMMAND_PORT, 1,         1,
                                 command_read, command_write,      controller};
}
