/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock and the power management timer, each measured by the other: both come from one TSC, but
 * by different ways.
 */
#include "tests/guest/devices/devices.h"
#include "tests/guest/lib/report.h"

#define PM_TIMER 0x608
#define PM_HZ    3579545U
#define PM_MASK  0xffffffU

enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, A = 10, B = 11 };
enum { C = 12, D = 13, CENTURY = 0x32, SET = 0x80, UIP = 0x80 };

static uint32_t cmos(uint32_t reg)
{
    out(0x70, 1, reg);
    return in(0x71, 1);
}

static void cmos_set(uint32_t reg, uint32_t value)
{
    out(0x70, 1, reg);
    out(0x71, 1, value);
}

static bool is_bcd(uint32_t value, uint32_t low, uint32_t high)
{
    return (value & 15) < 10 && value >= low && value <= high;
}

/* Ticks of the power management timer until the second changes; it wraps after 4.7 s. */
static uint32_t ticks_of_second(void)
{
    uint32_t second = cmos(SECONDS), start = in(PM_TIMER, 4), ticks = 0;
    while (cmos(SECONDS) == second && ticks < 3 * PM_HZ)
        ticks = (in(PM_TIMER, 4) - start) & PM_MASK;
    return ticks;
}

static void check_update(void)
{
    bool seen = false;
    (void)ticks_of_second(); /* to the start of one */
    uint32_t start = in(PM_TIMER, 4), ticks = 0;
    uint32_t second = cmos(SECONDS);
    while (cmos(SECONDS) == second && ticks < 3 * PM_HZ) {
        seen |= (cmos(A) & UIP) != 0;
        ticks = (in(PM_TIMER, 4) - start) & PM_MASK;
    }
    report(ticks > PM_HZ - PM_HZ / 50 && ticks < PM_HZ + PM_HZ / 50,
           "a second has %u ticks of the power management timer", ticks);
    report(seen, "update in progress is seen before an update");
}

static void check_set(void)
{
    cmos_set(B, SET | 2);
    cmos_set(HOURS, 0x23);
    cmos_set(MINUTES, 0x59);
    cmos_set(SECONDS, 0x59);
    cmos_set(DAY, 0x28);
    cmos_set(MONTH, 2);
    cmos_set(YEAR, 0x24);
    cmos_set(CENTURY, 0x20);
    (void)cmos(C);
    uint32_t start = in(PM_TIMER, 4);
    while (((in(PM_TIMER, 4) - start) & PM_MASK) < PM_HZ + PM_HZ / 8)
        ;
    report(cmos(SECONDS) == 0x59 && (cmos(C) & 0x10) == 0, "SET holds the time");
    for (uint32_t reg = 1; reg < 6; reg += 2)
        cmos_set(reg, 0xff); /* alarm in each second */
    cmos_set(B, 0x22);
    (void)ticks_of_second();
    report(cmos(SECONDS) == 0 && cmos(MINUTES) == 0 && cmos(HOURS) == 0, "midnight");
    report(cmos(DAY) == 0x29 && cmos(MONTH) == 2, "29 February 2024: %x.%x", cmos(DAY), cmos(MONTH));
    uint32_t flags = cmos(C);
    report((flags & 0xb0) == 0xb0, "update and alarm: status C %#x", flags);
    report((cmos(C) & 0xb0) == 0, "status C is cleared by reading");
}

void check_rtc(void)
{
    report(in(0x70, 1) == 0xff, "the index cannot be read");
    report(cmos(D) == 0x80, "status D %#x", cmos(D));
    report(cmos(B) == 2, "status B %#x", cmos(B));
    report((cmos(A) & 0x7f) == 0x26, "status A %#x", cmos(A));
    report(is_bcd(cmos(CENTURY), 0x19, 0x20) && is_bcd(cmos(YEAR), 0, 0x99) && is_bcd(cmos(MONTH), 1, 0x12) &&
               is_bcd(cmos(DAY), 1, 0x31) && is_bcd(cmos(HOURS), 0, 0x23) && is_bcd(cmos(MINUTES), 0, 0x59),
           "a date: %x%02x-%02x-%02x %02x:%02x", cmos(CENTURY), cmos(YEAR), cmos(MONTH), cmos(DAY),
           cmos(HOURS), cmos(MINUTES));
    report((cmos(0x15) | cmos(0x16) << 8) == 640, "640 KiB of base memory");
    report((cmos(0x17) | cmos(0x18) << 8) == 3072, "3 MiB of extended memory");
    cmos_set(0x80 | 0x40, 0x5a);
    report(cmos(0x40) == 0x5a, "the NMI bit is no part of the index");
    out(0x70, 2, 0xa540);
    report(in(0x70, 2) == 0xa5ff, "16 bits are index and data");
    check_update();
    check_set();
}

void check_pm(void)
{
    uint32_t before = in(PM_TIMER, 4), backwards = 0, same = 0;
    for (int i = 0; i < 2000; i++) {
        uint32_t now = in(PM_TIMER, 4), step = (now - before) & PM_MASK;
        backwards += step > PM_MASK / 2;
        same += step == 0;
        before = now;
    }
    report(backwards == 0, "the timer ran backwards %u times", backwards);
    report(same < 2000, "the timer runs");
    report(before >> 24 == 0, "the timer has 24 bits: %#x", before);
    uint32_t half = in(PM_TIMER + 2, 2);
    report(half == before >> 16 || half == ((before >> 16) + 1) % 256, "upper half %#x", half);
    out(PM_TIMER, 4, 0);
    report(((in(PM_TIMER, 4) - before) & PM_MASK) < PM_MASK / 2, "the timer cannot be written");
    report(in(0x604, 2) == 1, "PM1_CNT %#x", in(0x604, 2));
    out(0x602, 2, 0xffff);
    report(in(0x602, 2) == 0x4721, "PM1_EN %#x", in(0x602, 2));
    out(0x602, 1, 0);
    report(in(0x600, 4) >> 16 == 0x4700, "PM1_EN after a byte %#x", in(0x600, 4) >> 16);
    out(0x604, 2, 0x2400); /* SLP_TYP 1 does not exist */
    report(in(0x604, 2) == 0x401, "another sleep type is none: %#x", in(0x604, 2));
}
