/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtc_time: see rtc_time.h. The calendar is the Gregorian one for all years: days are counted from
 * 1 March of the year 0, so that the leap day comes last.
 */
#include "mgmt/devices/rtc_time.h"

#define DAY          86400
#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define DAYS_OF_400  146097

enum { PM = 0x80 };

static int highest(uint8_t reg)
{
    static const uint8_t table[] = {59, 59, 59, 59, 23, 23, 7, 31, 12, 99};
    return reg <= RTC_YEAR ? table[reg] : 99;
}

static int lowest(uint8_t reg)
{
    return reg == RTC_WEEKDAY || reg == RTC_DAY || reg == RTC_MONTH ? 1 : 0;
}

static bool is_hour(uint8_t reg)
{
    return reg == RTC_HOUR || reg == RTC_HOUR_ALARM;
}

int rtc_time_decode(uint8_t reg, uint8_t value, uint8_t status_b)
{
    bool half = is_hour(reg) && (status_b & RTC_B_24H) == 0;
    bool afternoon = half && (value & PM) != 0;
    int number = half ? value & ~PM : value;
    if ((status_b & RTC_B_BINARY) == 0) {
        if ((number & 15) > 9 || number >> 4 > 9)
            return -1;
        number = (number >> 4) * 10 + (number & 15);
    }
    if (half) {
        if (number < 1 || number > 12)
            return -1;
        return number % 12 + (afternoon ? 12 : 0);
    }
    return number < lowest(reg) || number > highest(reg) ? -1 : number;
}

uint8_t rtc_time_encode(uint8_t reg, int value, uint8_t status_b)
{
    uint8_t mark = 0;
    if (is_hour(reg) && (status_b & RTC_B_24H) == 0) {
        mark = value >= 12 ? PM : 0;
        value = value % 12 == 0 ? 12 : value % 12;
    }
    if ((status_b & RTC_B_BINARY) == 0)
        value = value / 10 * 16 + value % 10;
    return (uint8_t)(value | mark);
}

static int64_t days_from(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * DAYS_OF_400 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

static int length_of(int year, int month)
{
    return (int)(days_from(month == 12 ? year + 1 : year, month % 12 + 1, 1) - days_from(year, month, 1));
}

static int field(const uint8_t *bytes, uint8_t reg, bool *good)
{
    int value = rtc_time_decode(reg, bytes[reg], bytes[RTC_B]);
    if (value >= 0)
        return value;
    *good = false;
    return lowest(reg);
}

bool rtc_time_read(const uint8_t bytes[RTC_BYTES], int64_t *seconds)
{
    bool good = true;
    int year = field(bytes, RTC_CENTURY, &good) * 100 + field(bytes, RTC_YEAR, &good);
    int month = field(bytes, RTC_MONTH, &good), day = field(bytes, RTC_DAY, &good);
    good = good && day <= length_of(year, month);
    *seconds = days_from(year, month, day) * DAY + field(bytes, RTC_HOUR, &good) * 3600 +
               field(bytes, RTC_MINUTE, &good) * 60 + field(bytes, RTC_SECOND, &good);
    return good;
}

static void put(uint8_t *bytes, uint8_t reg, int64_t value)
{
    bytes[reg] = rtc_time_encode(reg, (int)value, bytes[RTC_B]);
}

void rtc_time_write(uint8_t bytes[RTC_BYTES], int64_t seconds)
{
    int64_t days = (seconds >= 0 ? seconds : seconds - (DAY - 1)) / DAY;
    int64_t of_day = seconds - days * DAY, since = days + DAYS_TO_1970;
    int64_t era = (since >= 0 ? since : since - (DAYS_OF_400 - 1)) / DAYS_OF_400;
    int64_t of_era = since - era * DAYS_OF_400;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153, day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2 ? 1 : 0);
    put(bytes, RTC_CENTURY, (year / 100) % 100);
    put(bytes, RTC_YEAR, year % 100);
    put(bytes, RTC_MONTH, month);
    put(bytes, RTC_DAY, day);
    put(bytes, RTC_WEEKDAY, ((days + 4) % 7 + 7) % 7 + 1); /* 1970 began on a Thursday */
    put(bytes, RTC_HOUR, of_day / 3600);
    put(bytes, RTC_MINUTE, of_day / 60 % 60);
    put(bytes, RTC_SECOND, of_day % 60);
}
