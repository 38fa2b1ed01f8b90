/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of hv/irqchip/vpit share: a device, accesses at `tick`, and the TSC of a tick by a
 * computation of its own.
 */
#pragma once

#include "hv/irqchip/vpit.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

static struct vpit p;
static uint64_t khz = 1000000, base, tick; /* tick: PIT ticks since the device was made */

/* The first TSC at which `ticks` have passed. */
static inline uint64_t tsc(uint64_t ticks)
{
    unsigned __int128 n = (unsigned __int128)ticks * khz * 1000;
    return base + (uint64_t)((n + 1193181) / 1193182);
}

static inline void make(uint64_t frequency)
{
    khz = frequency;
    base = 123456789;
    tick = 0;
    vpit_init(&p, khz, base);
}

static inline void out8(uint16_t port, uint8_t value)
{
    vpit_write(&p, port, value, tsc(tick));
}

static inline uint8_t in8(uint16_t port)
{
    return vpit_read(&p, port, tsc(tick));
}

static inline void program(unsigned channel, unsigned mode, unsigned count)
{
    out8(0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    out8((uint16_t)(0x40 + channel), (uint8_t)count);
    out8((uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

/* OUT from now on, a tick each. */
static inline uint64_t wave(unsigned channel, unsigned ticks)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < ticks; i++, tick++)
        bits = bits << 1 | vpit_out(&p, channel, tsc(tick));
    return bits;
}

static inline uint16_t count_of(unsigned channel)
{
    uint16_t port = (uint16_t)(0x40 + channel), low;
    out8(0x43, (uint8_t)(channel << 6));
    low = in8(port);
    return (uint16_t)(low | in8(port) << 8);
}
