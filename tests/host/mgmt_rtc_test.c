/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/devices/rtc.c and rtc_time.c: the calendar against the C library's, both formats of
 * bytes and hours, the update cycle, alarms and flags, through the table that a domain uses. Time is
 * a variable; the TSC has 3 MHz.
 */
#include "mgmt/devices/rtc.h"

#include <time.h>

#include "tests/host/test.h"

#define HZ    3000000ULL
#define START 1700000000LL /* 2023-11-14 22:13:20, a Tuesday */

static uint64_t tsc;
static struct rtc rtc;
static struct access_table table;

static uint64_t now(void *ctx)
{
    (void)ctx;
    return tsc;
}

static void make(int64_t seconds)
{
    const struct device_clock clock = {.now = now, .hz = HZ};
    struct access_range range;
    tsc = 987654321;
    rtc_init(&rtc, &clock, seconds);
    range = rtc_range(&rtc);
    table.count = 0;
    EXPECT_TRUE(access_add(&table, &range));
}

static uint8_t get(uint8_t reg)
{
    access_write(&table, HV_CLAIM_PIO, 0x70, 1, reg);
    return (uint8_t)access_read(&table, HV_CLAIM_PIO, 0x71, 1);
}

static void set(uint8_t reg, uint8_t value)
{
    access_write(&table, HV_CLAIM_PIO, 0x70, 1, reg);
    access_write(&table, HV_CLAIM_PIO, 0x71, 1, value);
}

TEST(calendar_against_the_library)
{
    uint8_t bytes[RTC_BYTES] = {0};
    static const uint8_t formats[] = {0, RTC_B_24H, RTC_B_BINARY, RTC_B_24H | RTC_B_BINARY};
    /* From 1900 to 2400 in steps that meet every day of the year and hour. */
    for (int64_t seconds = -2208988800; seconds < 13569465600; seconds += 5 * 86400 + 12345) {
        int64_t back;
        time_t t = (time_t)seconds;
        struct tm tm;
        gmtime_r(&t, &tm);
        bytes[RTC_B] = formats[(uint64_t)seconds / 5 % 4];
        rtc_time_write(bytes, seconds);
        test_row("%lld", (long long)seconds);
        ASSERT_TRUE(rtc_time_read(bytes, &back));
        ASSERT_EQ(back, seconds);
        uint8_t b = bytes[RTC_B];
        ASSERT_EQ(rtc_time_decode(RTC_YEAR, bytes[RTC_YEAR], b), tm.tm_year % 100);
        ASSERT_EQ(rtc_time_decode(RTC_CENTURY, bytes[RTC_CENTURY], b), tm.tm_year / 100 + 19);
        ASSERT_EQ(rtc_time_decode(RTC_MONTH, bytes[RTC_MONTH], b), tm.tm_mon + 1);
        ASSERT_EQ(rtc_time_decode(RTC_DAY, bytes[RTC_DAY], b), tm.tm_mday);
        ASSERT_EQ(rtc_time_decode(RTC_WEEKDAY, bytes[RTC_WEEKDAY], b), tm.tm_wday + 1);
        ASSERT_EQ(rtc_time_decode(RTC_HOUR, bytes[RTC_HOUR], b), tm.tm_hour);
    }
}

TEST(formats)
{
    static const struct {
        uint8_t reg, value, status_b;
        int number;
    } rows[] = {
        {RTC_HOUR, 0x12, 0, 0},
        {RTC_HOUR, 0x92, 0, 12},
        {RTC_HOUR, 0x01, 0, 1},
        {RTC_HOUR, 0x91, 0, 23},
        {RTC_HOUR, 0x11, 0, 11},
        {RTC_HOUR, 0x00, 0, -1},
        {RTC_HOUR, 0x13, 0, -1},
        {RTC_HOUR, 12, RTC_B_BINARY, 0},
        {RTC_HOUR, 0x8c, RTC_B_BINARY, 12},
        {RTC_HOUR, 13, RTC_B_BINARY, -1},
        {RTC_HOUR, 0x23, RTC_B_24H, 23},
        {RTC_HOUR, 0x24, RTC_B_24H, -1},
        {RTC_SECOND, 0x59, 0, 59},
        {RTC_SECOND, 0x60, 0, -1},
        {RTC_SECOND, 0x5a, 0, -1},
        {RTC_SECOND, 59, RTC_B_BINARY, 59},
        {RTC_SECOND, 60, RTC_B_BINARY, -1},
        {RTC_DAY, 0, 0, -1},
        {RTC_MONTH, 0x12, 0, 12},
        {RTC_MONTH, 0x13, 0, -1},
        {RTC_YEAR, 0x99, 0, 99},
        {RTC_YEAR, 0xa0, 0, -1},
        {RTC_WEEKDAY, 8, 0, -1},
        {RTC_CENTURY, 0x20, 0, 20},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        EXPECT_EQ(rtc_time_decode(rows[i].reg, rows[i].value, rows[i].status_b), rows[i].number);
        if (rows[i].number >= 0)
            EXPECT_EQ(rtc_time_encode(rows[i].reg, rows[i].number, rows[i].status_b), rows[i].value);
    }
    uint8_t bytes[RTC_BYTES] = {[RTC_B] = RTC_B_24H};
    int64_t seconds;
    rtc_time_write(bytes, START);
    bytes[RTC_MONTH] = 2;
    bytes[RTC_DAY] = 0x29; /* 2023 has none */
    EXPECT_FALSE(rtc_time_read(bytes, &seconds));
    bytes[RTC_YEAR] = 0x24;
    EXPECT_TRUE(rtc_time_read(bytes, &seconds));
}

TEST(runs_and_updates)
{
    make(START);
    EXPECT_EQ(get(RTC_SECOND), 0x20U);
    EXPECT_EQ(get(RTC_MINUTE), 0x13U);
    EXPECT_EQ(get(RTC_HOUR), 0x22U);
    EXPECT_EQ(get(RTC_DAY), 0x14U);
    EXPECT_EQ(get(RTC_MONTH), 0x11U);
    EXPECT_EQ(get(RTC_YEAR), 0x23U);
    EXPECT_EQ(get(RTC_CENTURY), 0x20U);
    EXPECT_EQ(get(RTC_WEEKDAY), 3U);
    EXPECT_EQ(get(RTC_A), 0x26U);
    EXPECT_EQ(get(RTC_B), 0x02U);
    EXPECT_EQ(get(RTC_D), 0x80U);
    tsc += HZ - HZ / 1000 * 3; /* 3 ms before the update */
    EXPECT_EQ(get(RTC_A), 0x26U);
    tsc += HZ / 1000;
    EXPECT_EQ(get(RTC_A), 0xa6U);
    EXPECT_EQ(get(RTC_SECOND), 0x20U);
    tsc += HZ / 1000 * 2;
    EXPECT_EQ(get(RTC_A), 0x26U);
    EXPECT_EQ(get(RTC_SECOND), 0x21U);
    tsc += HZ * (2 * 3600 - 1); /* over midnight */
    EXPECT_EQ(get(RTC_HOUR), 0x00U);
    EXPECT_EQ(get(RTC_DAY), 0x15U);
    EXPECT_EQ(get(RTC_WEEKDAY), 4U);
    tsc += HZ * 86400 * 48; /* over new year's eve */
    EXPECT_EQ(get(RTC_YEAR), 0x24U);
    EXPECT_EQ(get(RTC_MONTH), 0x01U);
    EXPECT_EQ(get(RTC_DAY), 0x02U);
}

TEST(set_by_the_guest)
{
    make(START);
    set(RTC_B, 0x80 | 0x10 | RTC_B_24H);
    EXPECT_EQ(get(RTC_B), 0x82U); /* SET takes UIE away */
    tsc += 10 * HZ + HZ - 1000;
    EXPECT_EQ(get(RTC_A), 0x26U); /* no update comes */
    EXPECT_EQ(get(RTC_SECOND), 0x20U);
    EXPECT_EQ(get(RTC_C), 0x40U); /* no update ended; the periodic flag goes on */
    set(RTC_HOUR, 0x23);
    set(RTC_MINUTE, 0x59);
    set(RTC_SECOND, 0x59);
    set(RTC_B, RTC_B_24H);
    EXPECT_EQ(get(RTC_SECOND), 0x59U);
    tsc += 1000; /* the second goes on where it was */
    EXPECT_EQ(get(RTC_HOUR), 0x00U);
    EXPECT_EQ(get(RTC_SECOND), 0x00U);
    EXPECT_EQ(get(RTC_DAY), 0x15U);
    set(RTC_A, 0x76); /* the divider stands; the first update half a second after its release */
    tsc += 5 * HZ;
    EXPECT_EQ(get(RTC_SECOND), 0x00U);
    set(RTC_A, 0x26);
    tsc += HZ / 2 - 10;
    EXPECT_EQ(get(RTC_SECOND), 0x00U);
    tsc += 20;
    EXPECT_EQ(get(RTC_SECOND), 0x01U);
    set(RTC_C, 0xff);
    set(RTC_D, 0);
    EXPECT_EQ(get(RTC_D), 0x80U);
}

TEST(rubbish_in_the_clock)
{
    for (unsigned value = 0; value < 256; value++) {
        test_row("%#x", value);
        make(START);
        for (uint8_t reg = 0; reg < RTC_A; reg++)
            set(reg, (uint8_t)value);
        set(RTC_CENTURY, (uint8_t)value);
        tsc += HZ;
        for (uint8_t reg = 0; reg < RTC_A; reg = (uint8_t)(reg + (reg < 6 ? 2 : 1)))
            EXPECT_TRUE(rtc_time_decode(reg, get(reg), RTC_B_24H) >= 0);
    }
}

TEST(flags_and_alarms)
{
    static const struct {
        uint8_t hour, minute, second;
        uint64_t after; /* seconds until it comes; 0: never */
    } rows[] = {
        {0x22, 0x13, 0x21, 1},  {0x22, 0x13, 0x20, 86400}, {0xff, 0xff, 0xff, 1},
        {0xc0, 0xc0, 0x19, 59}, {0xff, 0x14, 0x00, 40},    {0x00, 0x00, 0x00, 6400},
        {0xff, 0xff, 0x60, 0},  {0x24, 0xff, 0xff, 0},     {0x22, 0x0a, 0xff, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        make(START);
        set(RTC_A, 0x20); /* no periodic flag */
        set(RTC_HOUR_ALARM, rows[i].hour);
        set(RTC_MINUTE_ALARM, rows[i].minute);
        set(RTC_SECOND_ALARM, rows[i].second);
        set(RTC_B, 0x20 | RTC_B_24H);
        EXPECT_EQ(get(RTC_C), 0U);
        if (rows[i].after > 1) {
            tsc += HZ * (rows[i].after - 1);
            EXPECT_EQ(get(RTC_C), 0x10U); /* UF, which is not enabled */
        }
        tsc += rows[i].after ? HZ : 200000 * HZ;
        EXPECT_EQ(get(RTC_C), rows[i].after ? 0xb0U : 0x10U);
        EXPECT_EQ(get(RTC_C), 0U);
    }
}

TEST(periodic_flag)
{
    static const struct {
        uint8_t rate;
        uint32_t hz;
    } rows[] = {{1, 256}, {2, 128}, {3, 8192}, {6, 1024}, {8, 256}, {15, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned seen = 0;
        test_row("rate %u", rows[i].rate);
        make(START);
        set(RTC_A, 0x20 | rows[i].rate);
        EXPECT_EQ(get(RTC_C) & 0x40, 0U);
        for (unsigned step = 0; step < 20000; step++) {
            tsc += HZ / 20000;
            seen += (get(RTC_C) & 0x40) != 0;
        }
        EXPECT_TRUE(seen + 1 >= rows[i].hz && seen <= rows[i].hz + 1);
    }
}

TEST(memory_and_ports)
{
    make(START);
    rtc_set_memory(&rtc, 640 << 10, 0xc0000000, 5ULL << 30);
    EXPECT_EQ(get(0x15) | get(0x16) << 8, 640);
    EXPECT_EQ(get(0x17) | get(0x18) << 8, 0xffff);
    EXPECT_EQ(get(0x30) | get(0x31) << 8, 0xffff);
    EXPECT_EQ(get(0x34) | get(0x35) << 8, 0xbf00);
    EXPECT_EQ(get(0x5b) | get(0x5c) << 8 | get(0x5d) << 16, 0x14000);
    unsigned sum = 0;
    for (uint8_t i = 0x10; i <= 0x2d; i++)
        sum += get(i);
    EXPECT_EQ(get(0x2e) << 8 | get(0x2f), (int)sum);
    rtc_set_memory(&rtc, 640 << 10, 4 << 20, 0);
    EXPECT_EQ(get(0x17) | get(0x18) << 8, 3072);
    EXPECT_EQ(get(0x34) | get(0x35) << 8, 0);
    set(0x40, 0x5a);
    EXPECT_EQ(get(0xc0), 0x5aU); /* the NMI bit is no part of the index */
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0x70, 1), 0xffU);
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0x70, 2), 0x5affU);
    access_write(&table, HV_CLAIM_PIO, 0x70, 2, 0x7741); /* index, then data */
    EXPECT_EQ(get(0x41), 0x77U);
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0x6f, 4), 0xff77ffffU);
}

/* ---- the interrupt output */

static unsigned raised, lowered;

static void irq(void *ctx, bool asserted)
{
    EXPECT_TRUE(ctx == &raised);
    raised += asserted;
    lowered += !asserted;
    EXPECT_EQ(raised - lowered, (unsigned)asserted); /* in turns */
}

static void make_connected(void)
{
    make(START);
    raised = lowered = 0;
    rtc.irq = irq;
    rtc.irq_ctx = &raised;
}

/* Goes to where the device says, not before which nothing happens; returns the ticks. */
static uint64_t go_to_next(void)
{
    uint64_t from = tsc, next = rtc_next(&rtc);
    unsigned before = raised;
    EXPECT_TRUE(next > tsc && next != RTC_NEVER);
    tsc = next - 1;
    rtc_poll(&rtc);
    EXPECT_EQ(raised, before);
    tsc = next;
    rtc_poll(&rtc);
    return tsc - from;
}

TEST(line_periodic)
{
    static const struct {
        uint8_t rate;
        uint32_t hz;
    } rows[] = {{1, 256}, {2, 128}, {3, 8192}, {6, 1024}, {10, 64}, {15, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("rate %u", rows[i].rate);
        make_connected();
        set(RTC_A, (uint8_t)(0x20 | rows[i].rate));
        EXPECT_TRUE(rtc_next(&rtc) == RTC_NEVER);
        set(RTC_B, 0x42);
        (void)go_to_next();
        EXPECT_EQ(raised, 1U);
        EXPECT_TRUE(rtc_next(&rtc) == RTC_NEVER); /* until somebody looks */
        EXPECT_EQ(get(RTC_C) & 0xc0, 0xc0);
        EXPECT_EQ(lowered, 1U);
        uint64_t start = tsc;
        for (unsigned n = 0; n < 64; n++) {
            (void)go_to_next();
            EXPECT_EQ(get(RTC_C) & 0xc0, 0xc0);
        }
        EXPECT_EQ(raised, 65U);
        EXPECT_TRUE(tsc - start >= 64 * HZ / rows[i].hz - 1 && tsc - start <= 64 * HZ / rows[i].hz + 1);
        set(RTC_A, 0x20);
        EXPECT_TRUE(rtc_next(&rtc) == RTC_NEVER);
        set(RTC_A, (uint8_t)(0x60 | rows[i].rate)); /* the divider stands still */
        EXPECT_TRUE(rtc_next(&rtc) == RTC_NEVER);
    }
}

TEST(line_update)
{
    make_connected();
    set(RTC_B, 0x12);
    EXPECT_EQ(go_to_next(), HZ);
    EXPECT_EQ(raised, 1U);
    EXPECT_EQ(get(0), 0x21);
    EXPECT_EQ(lowered, 0U); /* only status C takes it back */
    EXPECT_EQ(get(RTC_C) & 0x90, 0x90);
    EXPECT_EQ(lowered, 1U);
    tsc += HZ / 3;
    EXPECT_EQ(rtc_next(&rtc) - tsc, HZ - HZ / 3);
    set(RTC_B, 0x82); /* being set */
    EXPECT_TRUE(rtc_next(&rtc) == RTC_NEVER);
    tsc += 5 * HZ;
    rtc_poll(&rtc);
    EXPECT_EQ(raised, 1U);
}

TEST(line_alarm)
{
    make_connected();
    set(RTC_SECOND_ALARM, 0x23); /* in three seconds */
    set(RTC_MINUTE_ALARM, 0xff);
    set(RTC_HOUR_ALARM, 0xc0);
    set(RTC_B, 0x22);
    EXPECT_EQ(go_to_next(), HZ);
    EXPECT_EQ(go_to_next(), HZ);
    EXPECT_EQ(raised, 0U);
    EXPECT_EQ(go_to_next(), HZ);
    EXPECT_EQ(raised, 1U);
    EXPECT_EQ(get(RTC_C) & 0xa0, 0xa0);
    EXPECT_EQ(lowered, 1U);
}

/* A flag that is set already interrupts as soon as it is enabled, and no longer when it is not. */
TEST(line_follows_the_enables)
{
    make_connected();
    tsc += 2 * HZ;
    rtc_poll(&rtc);
    EXPECT_EQ(raised, 0U);
    set(RTC_B, 0x12);
    EXPECT_EQ(raised, 1U);
    set(RTC_B, 0x02);
    EXPECT_EQ(lowered, 1U);
    rtc.irq = NULL; /* not connected */
    set(RTC_B, 0x12);
    EXPECT_TRUE(rtc.line);
    EXPECT_EQ(raised, 1U);
}
