/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtc: see rtc.h. Motorola MC146818A data sheet: "Registers" and "Update Cycle". Status registers
 * are rows of the table below, all other bytes are memory; catch_up() comes before every access of
 * port 0x71, so no reader sees old time.
 */
#include "mgmt/devices/rtc.h"

#include <stddef.h>
#include <string.h>

#define DAY       86400
#define MIB       0x100000ULL
#define CRYSTAL   32768U
#define INDEX     0x7fU
#define UPDATE_US 2228U /* UIP is set so long before an update: 244 us and the cycle of 1984 us */

enum {
    A_RATE = 0x0f,
    A_DIVIDER_RESET = 0x60, /* both set: the divider stands still */
    A_START = 0x26,         /* 32.768 kHz, 1024 Hz */
    B_SET = 0x80,
    B_PIE = 0x40,
    B_AIE = 0x20,
    B_UIE = 0x10,
    C_IRQF = 0x80,
    C_PF = 0x40,
    C_AF = 0x20,
    C_UF = 0x10,
    D_VALID = 0x80,
    ALARM_ANY = 0xc0,
    CMOS_EQUIPMENT = 0x14,
    EQUIPMENT_FPU = 0x02,
    CMOS_BASE = 0x15,       /* KiB */
    CMOS_EXTENDED = 0x17,   /* KiB from 1 MiB on */
    CMOS_EXTENDED_2 = 0x30, /* the same */
    CMOS_ABOVE_16M = 0x34,  /* 64 KiB */
    CMOS_ABOVE_4G = 0x5b,   /* 64 KiB, three bytes */
    CMOS_SUMMED = 0x10,     /* to 0x2d */
    CMOS_SUM = 0x2e,        /* high byte first */
};

static bool stopped(const struct rtc *rtc)
{
    return (rtc->bytes[RTC_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
}

/* -1: any value; -2: none that ever comes. */
static int alarm_field(const struct rtc *rtc, uint8_t reg)
{
    uint8_t value = rtc->bytes[reg];
    if ((value & ALARM_ANY) == ALARM_ANY)
        return -1;
    int number = rtc_time_decode(reg, value, rtc->bytes[RTC_B]);
    return number < 0 ? -2 : number;
}

/* Was the alarm's time among the seconds after `from`, `count` of them? */
static bool alarm_in(const struct rtc *rtc, int64_t from, uint64_t count)
{
    int hour = alarm_field(rtc, RTC_HOUR_ALARM), minute = alarm_field(rtc, RTC_MINUTE_ALARM);
    int second = alarm_field(rtc, RTC_SECOND_ALARM);
    int64_t of_day = (from % DAY + DAY) % DAY;
    for (uint64_t i = 0; i < count && i < DAY; i++) {
        of_day = (of_day + 1) % DAY;
        if ((second == -1 || second == of_day % 60) && (minute == -1 || minute == of_day / 60 % 60) &&
            (hour == -1 || hour == of_day / 3600))
            return true;
    }
    return false;
}

/* The periodic flag comes with every 2^n-th tick of the crystal; -1: never. */
static int period_shift(const struct rtc *rtc)
{
    uint8_t rate = rtc->bytes[RTC_A] & A_RATE;
    if (rate == 0 || stopped(rtc))
        return -1;
    /* Rates 1 and 2 are the same as 8 and 9 with this crystal. */
    return (rate < 3 ? rate + 7 : rate) - 1;
}

static void catch_up_periods(struct rtc *rtc, uint64_t now)
{
    int shift = period_shift(rtc);
    if (shift < 0)
        return;
    uint64_t periods = device_clock_periods(&rtc->clock, now, CRYSTAL) >> shift;
    if (periods != rtc->periods)
        rtc->flags |= C_PF;
    rtc->periods = periods;
}

static void catch_up(struct rtc *rtc)
{
    uint64_t now = device_clock_now(&rtc->clock);
    int64_t seconds;
    catch_up_periods(rtc, now);
    if (stopped(rtc)) {
        rtc->second = now - rtc->clock.hz / 2; /* the first update comes half a second after */
        return;
    }
    uint64_t passed = (now - rtc->second) / rtc->clock.hz;
    if (passed == 0)
        return;
    rtc->second += passed * rtc->clock.hz;
    if (rtc->bytes[RTC_B] & B_SET)
        return;
    (void)rtc_time_read(rtc->bytes, &seconds);
    if (alarm_in(rtc, seconds, passed))
        rtc->flags |= C_AF;
    rtc->flags |= C_UF;
    rtc_time_write(rtc->bytes, seconds + (int64_t)passed);
}

static void update_line(struct rtc *rtc)
{
    bool line = (rtc->flags & rtc->bytes[RTC_B] & (B_PIE | B_AIE | B_UIE)) != 0;
    if (line == rtc->line)
        return;
    rtc->line = line;
    if (rtc->irq)
        rtc->irq(rtc->irq_ctx, line);
}

uint64_t rtc_next(const struct rtc *rtc)
{
    uint64_t next = RTC_NEVER;
    int shift = period_shift(rtc);
    if (rtc->line)
        return next;
    if (shift >= 0 && rtc->bytes[RTC_B] & B_PIE)
        next = device_clock_ticks(&rtc->clock, (rtc->periods + 1) << shift, CRYSTAL);
    if (stopped(rtc) || rtc->bytes[RTC_B] & B_SET || (rtc->bytes[RTC_B] & (B_AIE | B_UIE)) == 0)
        return next;
    uint64_t update = rtc->second + rtc->clock.hz;
    return update < next ? update : next;
}

void rtc_poll(struct rtc *rtc)
{
    catch_up(rtc);
    update_line(rtc);
}

static uint8_t read_a(struct rtc *rtc)
{
    uint64_t into = device_clock_now(&rtc->clock) - rtc->second, hz = rtc->clock.hz;
    bool runs = !stopped(rtc) && (rtc->bytes[RTC_B] & B_SET) == 0;
    bool updating = runs && into >= hz - hz / 1000000 * UPDATE_US;
    return (uint8_t)(rtc->bytes[RTC_A] | (updating ? RTC_A_UIP : 0));
}

static void write_a(struct rtc *rtc, uint8_t value)
{
    rtc->bytes[RTC_A] = value & (uint8_t)~RTC_A_UIP;
    uint8_t flags = rtc->flags;
    catch_up_periods(rtc, device_clock_now(&rtc->clock));
    rtc->flags = flags; /* another rate counts from here */
}

static void write_b(struct rtc *rtc, uint8_t value)
{
    if (value & B_SET)
        value &= (uint8_t)~B_UIE;
    rtc->bytes[RTC_B] = value;
}

static uint8_t read_c(struct rtc *rtc)
{
    uint8_t value = rtc->flags;
    if (value & rtc->bytes[RTC_B])
        value |= C_IRQF;
    rtc->flags = 0;
    return value;
}

static uint8_t read_d(struct rtc *rtc)
{
    (void)rtc;
    return D_VALID;
}

static void write_nothing(struct rtc *rtc, uint8_t value)
{
    (void)rtc;
    (void)value;
}

struct row {
    uint8_t (*read)(struct rtc *rtc);              /* NULL: the byte */
    void (*write)(struct rtc *rtc, uint8_t value); /* NULL: the byte */
};

static const struct row status[] = {
    {read_a, write_a},
    {NULL, write_b},
    {read_c, write_nothing},
    {read_d, write_nothing},
};

static const struct row *row_of(uint8_t index)
{
    static const struct row memory = {NULL, NULL};
    return index >= RTC_A && index <= RTC_D ? &status[index - RTC_A] : &memory;
}

/* The index port is written only: a read finds an open bus. */
static uint64_t rtc_read(void *ctx, uint64_t offset, uint8_t width)
{
    struct rtc *rtc = ctx;
    (void)width;
    if (offset == 0)
        return 0xff;
    catch_up(rtc);
    const struct row *row = row_of(rtc->index);
    uint8_t value = row->read ? row->read(rtc) : rtc->bytes[rtc->index];
    update_line(rtc);
    return value;
}

static void rtc_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    struct rtc *rtc = ctx;
    (void)width;
    if (offset == 0) {
        rtc->index = data & INDEX;
        return;
    }
    catch_up(rtc);
    const struct row *row = row_of(rtc->index);
    if (row->write)
        row->write(rtc, (uint8_t)data);
    else
        rtc->bytes[rtc->index] = (uint8_t)data;
    update_line(rtc);
}

static void put(struct rtc *rtc, uint8_t at, uint64_t value, uint32_t bytes)
{
    uint64_t most = (1ULL << 8 * bytes) - 1;
    for (uint32_t i = 0; i < bytes; i++)
        rtc->bytes[at + i] = (uint8_t)((value > most ? most : value) >> 8 * i);
}

static void put_sum(struct rtc *rtc)
{
    uint32_t sum = 0;
    for (uint8_t i = CMOS_SUMMED; i < CMOS_SUM; i++)
        sum += rtc->bytes[i];
    rtc->bytes[CMOS_SUM] = (uint8_t)(sum >> 8);
    rtc->bytes[CMOS_SUM + 1] = (uint8_t)sum;
}

void rtc_set_memory(struct rtc *rtc, uint64_t low, uint64_t end, uint64_t above)
{
    uint64_t extended = end > MIB ? end - MIB : 0, high = end > 16 * MIB ? end - 16 * MIB : 0;
    put(rtc, CMOS_BASE, low / 1024, 2);
    put(rtc, CMOS_EXTENDED, extended / 1024, 2);
    put(rtc, CMOS_EXTENDED_2, extended / 1024, 2);
    put(rtc, CMOS_ABOVE_16M, high / 65536, 2);
    put(rtc, CMOS_ABOVE_4G, above / 65536, 3);
    put_sum(rtc);
}

void rtc_init(struct rtc *rtc, const struct device_clock *clock, int64_t seconds)
{
    memset(rtc, 0, sizeof(*rtc));
    rtc->clock = *clock;
    rtc->second = device_clock_now(clock);
    rtc->bytes[RTC_A] = A_START;
    rtc->bytes[RTC_B] = RTC_B_24H;
    rtc->bytes[CMOS_EQUIPMENT] = EQUIPMENT_FPU;
    write_a(rtc, A_START); /* periods count from now on */
    rtc_time_write(rtc->bytes, seconds);
    put_sum(rtc);
}

struct access_range rtc_range(struct rtc *rtc)
{
    return (struct access_range){HV_CLAIM_PIO, RTC_PORT, 2, 1, rtc_read, rtc_write, rtc};
}
