/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtc_time: date and time as an mc146818 keeps them, and as seconds since 1970. Pure. The same code
 * reads the machine's clock and drives the clocks of domains. Motorola MC146818A data sheet, "Time,
 * Calendar and Alarm Locations"; the century in byte 0x32 is the PC's addition.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    RTC_SECOND = 0x00,
    RTC_SECOND_ALARM = 0x01,
    RTC_MINUTE = 0x02,
    RTC_MINUTE_ALARM = 0x03,
    RTC_HOUR = 0x04,
    RTC_HOUR_ALARM = 0x05,
    RTC_WEEKDAY = 0x06, /* 1: Sunday */
    RTC_DAY = 0x07,
    RTC_MONTH = 0x08,
    RTC_YEAR = 0x09, /* of the century */
    RTC_A = 0x0a,
    RTC_B = 0x0b,
    RTC_C = 0x0c,
    RTC_D = 0x0d,
    RTC_CENTURY = 0x32,
    RTC_BYTES = 0x80,
    RTC_A_UIP = 0x80,
    RTC_B_24H = 0x02,
    RTC_B_BINARY = 0x04,
};

/* A byte of the kind of `reg`, RTC_SECOND to RTC_YEAR or RTC_CENTURY, in the format that status B
 * says, as a number; hours from 0 to 23. -1: it has no meaning. */
int rtc_time_decode(uint8_t reg, uint8_t value, uint8_t status_b);
uint8_t rtc_time_encode(uint8_t reg, int value, uint8_t status_b);

/* Seconds since 1970 that the bytes say. False: some of them have no meaning; they were taken for
 * the lowest value then. */
bool rtc_time_read(const uint8_t bytes[RTC_BYTES], int64_t *seconds);

/* Writes the nine bytes; years 0 to 9999. Byte RTC_B gives the format. */
void rtc_time_write(uint8_t bytes[RTC_BYTES], int64_t seconds);
