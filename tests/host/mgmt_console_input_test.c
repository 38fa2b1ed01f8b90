/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/lib/console_input.c: bytes, BREAK, and sequences that the interface does not have.
 */
#include "mgmt/lib/console_input.h"

#include "tests/host/test.h"

enum { END = -2, NONE = CONSOLE_INPUT_NONE, BREAK = CONSOLE_INPUT_BREAK };

TEST(console_input_sequences)
{
    static const struct {
        int in[8], out[8];
    } rows[] = {
        {{'a', 0, 0xfe, END}, {'a', 0, 0xfe}},
        {{0xff, 0xff, 'a', END}, {NONE, 0xff, 'a'}},
        {{0xff, 0, 0, 'a', END}, {NONE, NONE, BREAK, 'a'}},
        {{0, 0xff, 0, 0, 0, END}, {0, NONE, NONE, BREAK, 0}},
        {{0xff, 0, 0, 0xff, 0, 0, END}, {NONE, NONE, BREAK, NONE, NONE, BREAK}},
        {{0xff, 'x', 'y', END}, {NONE, 'x', 'y'}},
        {{0xff, 0, 'x', 0, END}, {NONE, NONE, 'x', 0}},
        {{0xff, 0xff, 0xff, 0xff, END}, {NONE, 0xff, NONE, 0xff}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct console_input input = {0};
        test_row("row %zu", i);
        for (size_t n = 0; rows[i].in[n] != END; n++)
            EXPECT_EQ(console_input_next(&input, (uint8_t)rows[i].in[n]), rows[i].out[n]);
    }
}
