/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_clock: see host_clock.h. The nine bytes are good when the clock was not updating and two
 * readings agree; an update comes once in a second and takes 2 ms at most, so a few tries are
 * enough, and a machine without a clock (all ones) does not hold us up.
 */
#include "mgmt/shell/host_clock.h"

#include <string.h>

#include "mgmt/devices/rtc_time.h"

#define INDEX_PORT 0x70
#define DATA_PORT  0x71
#define YEAR_2000  946684800

enum { TRIES = 100000, CENTURY_LEAST = 19 };

static uint8_t read_byte(uint8_t reg)
{
    uint8_t value;
    __asm__ volatile("outb %0, %1" ::"a"(reg), "Nd"((uint16_t)INDEX_PORT));
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"((uint16_t)DATA_PORT));
    return value;
}

static void read_all(uint8_t bytes[RTC_BYTES])
{
    static const uint8_t wanted[] = {RTC_SECOND, RTC_MINUTE, RTC_HOUR, RTC_WEEKDAY, RTC_DAY,
                                     RTC_MONTH,  RTC_YEAR,   RTC_B,    RTC_CENTURY};
    memset(bytes, 0, RTC_BYTES);
    for (uint32_t i = 0; i < sizeof(wanted); i++)
        bytes[wanted[i]] = read_byte(wanted[i]);
}

bool host_clock_read(int64_t *seconds)
{
    uint8_t bytes[RTC_BYTES], again[RTC_BYTES];
    for (uint32_t i = 0; i < TRIES; i++) {
        if (read_byte(RTC_A) & RTC_A_UIP)
            continue;
        read_all(bytes);
        read_all(again);
        if (memcmp(bytes, again, sizeof(bytes)) != 0)
            continue;
        /* Not every machine keeps the century there. */
        if (rtc_time_decode(RTC_CENTURY, bytes[RTC_CENTURY], bytes[RTC_B]) < CENTURY_LEAST)
            bytes[RTC_CENTURY] = rtc_time_encode(RTC_CENTURY, 20, bytes[RTC_B]);
        if (rtc_time_read(bytes, seconds))
            return true;
        break;
    }
    *seconds = YEAR_2000;
    return false;
}
