/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the debug ports: every port and width, through the same table that a domain uses.
 */
#include "mgmt/devices/debug_console.h"
#include "mgmt/devices/debug_exit.h"
#include "mgmt/devices/panic_port.h"
#include "mgmt/devices/post_port.h"

#include "tests/host/test.h"

static char out[64];
static size_t out_length;
static uint32_t ends, end_code;

static void put(void *ctx, uint8_t byte)
{
    EXPECT_TRUE(ctx == out);
    out[out_length++] = (char)byte;
}

static void end(void *ctx, uint32_t code)
{
    EXPECT_TRUE(ctx == &ends);
    ends++;
    end_code = code;
}

static struct access_table one(struct access_range range)
{
    struct access_table table = {.count = 0};
    EXPECT_TRUE(access_add(&table, &range));
    return table;
}

TEST(debug_console_shows_and_answers)
{
    struct debug_console console = {put, out};
    struct access_table table = one(debug_console_range(&console));
    out_length = 0;
    access_write(&table, HV_CLAIM_PIO, 0xe9, 1, 'x');
    access_write(&table, HV_CLAIM_PIO, 0xe9, 2, 0x4142); /* the second byte is port 0xea */
    access_write(&table, HV_CLAIM_PIO, 0xe8, 2, 0x4342);
    access_write(&table, HV_CLAIM_PIO, 0xe9, 4, 0x44434241);
    EXPECT_EQ(out_length, 4U);
    EXPECT_MEMEQ(out, "xBCA", 4);
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0xe9, 1), 0xe9U);
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0xe9, 2), 0xffe9U);
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0xe8, 2), 0xe9ffU);
}

static void panicked(void *ctx)
{
    EXPECT_TRUE(ctx == &ends);
    ends++;
}

TEST(panic_port_events)
{
    static const struct {
        uint64_t port;
        uint8_t width;
        uint32_t data, ends;
    } rows[] = {{0x505, 1, 1, 1},          {0x505, 1, 0, 0},     {0x505, 1, 2, 0}, {0x505, 1, 3, 1},
                {0x505, 4, 0xfffffffe, 0}, {0x504, 2, 0x100, 1}, {0x504, 1, 1, 0}, {0x506, 1, 1, 0}};
    struct panic_port device = {panicked, &ends};
    struct access_table table = one(panic_port_range(&device));
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0x505, 1), 3U);
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0x504, 4), 0xffff03ffU);
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        ends = 0;
        access_write(&table, HV_CLAIM_PIO, rows[i].port, rows[i].width, rows[i].data);
        EXPECT_EQ(ends, rows[i].ends);
    }
}

TEST(debug_exit_codes)
{
    static const struct {
        uint64_t port;
        uint8_t width;
        uint64_t data;
        uint32_t code;
    } rows[] = {
        {0xf4, 1, 0x10, 33},
        {0xf4, 2, 0x10, 33},
        {0xf4, 4, 0x10, 33},
        {0xf4, 1, 0, 1},
        {0xf4, 1, 0xff, 511},
        {0xf4, 2, 0xffff, 131071},
        {0xf4, 4, 0xffffffff, 0xffffffff},
        {0xf4, 1, 0x1110, 33},
        {0xf7, 1, 3, 7},
    };
    struct debug_exit device = {end, &ends};
    struct access_table table = one(debug_exit_range(&device));
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        ends = 0;
        access_write(&table, HV_CLAIM_PIO, rows[i].port, rows[i].width, rows[i].data);
        EXPECT_EQ(ends, 1U);
        EXPECT_EQ(end_code, rows[i].code);
    }
    ends = 0;
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0xf4, 4), 0U);
    access_write(&table, HV_CLAIM_PIO, 0xf3, 1, 1);
    access_write(&table, HV_CLAIM_PIO, 0xf8, 1, 1);
    EXPECT_EQ(ends, 0U);
}

TEST(post_port_keeps_the_last)
{
    struct post_port port = {.writes = 0};
    struct access_table table = one(post_port_range(&port));
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0x80, 1), 0U);
    for (uint32_t i = 0; i < 3 * POST_PORT_KEPT; i++) {
        access_write(&table, HV_CLAIM_PIO, 0x80, 1, i);
        EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0x80, 1), i);
    }
    EXPECT_EQ(port.writes, 3ULL * POST_PORT_KEPT);
    EXPECT_EQ(port.last[0], 2 * POST_PORT_KEPT);
}
