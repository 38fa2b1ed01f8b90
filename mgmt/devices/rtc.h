/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtc: clock and CMOS memory of a PC, an mc146818A at the ports 0x70 (index) and 0x71 (data). Pure.
 *
 * Time passes by the TSC and is caught up at each access: the bytes move on by the seconds that went
 * by, flags in status C say what happened meanwhile. Bit 7 of the index, which masks NMIs on a PC,
 * is ignored; so is daylight saving.
 *
 * The interrupt output is high while a flag that status B enables is set: from when it is noticed, by
 * an access or by rtc_poll(), until status C is read. rtc_next() says when there is something to notice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/devices/device_clock.h"
#include "mgmt/devices/rtc_time.h"
#include "mgmt/lib/access.h"

#define RTC_PORT 0x70U

struct rtc {
    struct device_clock clock;
    uint64_t second;  /* TSC at which the current second began */
    uint64_t periods; /* of the periodic flag, up to now */
    uint8_t index;
    uint8_t flags; /* PF, AF, UF of status C */
    uint8_t bytes[RTC_BYTES];
    bool line;                             /* of the interrupt output */
    void (*irq)(void *ctx, bool asserted); /* told when the line changes; NULL: not connected */
    void *irq_ctx;
};

/* `seconds`: since 1970, now. Status A and B as a PC's firmware leaves them: 24 hours, BCD. The
 * interrupt is connected afterwards, by the caller. */
void rtc_init(struct rtc *rtc, const struct device_clock *clock, int64_t seconds);

/* The bytes by which firmware tells memory sizes. All in bytes: RAM below 1 MiB, end of the RAM
 * below 4 GiB, RAM above 4 GiB. */
void rtc_set_memory(struct rtc *rtc, uint64_t low, uint64_t end, uint64_t above);

/* The TSC at which the line will rise without an access of the guest; an alarm is looked at every
 * second. RTC_NEVER: not before the guest does something. */
#define RTC_NEVER UINT64_MAX
uint64_t rtc_next(const struct rtc *rtc);

/* To be called then; too early or too late does no harm. */
void rtc_poll(struct rtc *rtc);

struct access_range rtc_range(struct rtc *rtc);
