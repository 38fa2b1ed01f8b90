/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console_input: takes the escape sequences out of what call_console_read() returns. Pure. A sequence
 * may be cut by the end of a call, so the place within it is kept between the calls.
 */
#pragma once

#include <stdint.h>

enum { CONSOLE_INPUT_NONE = -1, CONSOLE_INPUT_BREAK = 0x100 };

struct console_input {
    uint8_t place; /* bytes of a sequence that have come */
};

/* A received byte, CONSOLE_INPUT_BREAK, or CONSOLE_INPUT_NONE: a sequence is not yet whole. */
int console_input_next(struct console_input *input, uint8_t byte);
