/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device_clock: the time that devices count by: a TSC and its rate. Pure: whoever makes the device
 * brings the reading function. The TSC must not go backwards.
 */
#pragma once

#include <stdint.h>

struct device_clock {
    uint64_t (*now)(void *ctx); /* TSC */
    void *ctx;
    uint64_t hz; /* of the TSC, at most 2^40 */
};

static inline uint64_t device_clock_now(const struct device_clock *clock)
{
    return clock->now(clock->ctx);
}

/* Periods of a clock of `rate` Hz (below 2^24) that `ticks` of the TSC are, rounded down. Whole
 * seconds and the rest apart, so that nothing overflows. */
static inline uint64_t device_clock_periods(const struct device_clock *clock, uint64_t ticks, uint64_t rate)
{
    return ticks / clock->hz * rate + ticks % clock->hz * rate / clock->hz;
}

/* The other way round: the ticks after which so many periods have passed, rounded up. */
static inline uint64_t device_clock_ticks(const struct device_clock *clock, uint64_t periods, uint64_t rate)
{
    return periods / rate * clock->hz + (periods % rate * clock->hz + rate - 1) / rate;
}
