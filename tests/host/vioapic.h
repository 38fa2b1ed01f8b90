/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of hv/irqchip/vioapic share. They act as the wiring does: a fake bus takes messages and
 * answers what deliver_message would. Numbers in the tests are typed from the data sheet.
 */
#pragma once

#include "hv/irqchip/vioapic.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

static struct vioapic a;
static struct vioapic_pin pins[241]; /* one more, as a canary */
static struct vioapic_facts f;
static uint64_t now;

static struct {
    unsigned messages;
    struct vlapic_message m; /* the last one */
    int result;              /* for the next ones */
} bus;

static inline void make_pins(uint32_t count)
{
    memset(pins, 0x2a, sizeof(pins));
    memset(&bus, 0, sizeof(bus));
    bus.result = 1;
    now = 1000000;
    EXPECT_TRUE(vioapic_init(&a, pins, count, 0x20, true, 1000000)); /* 10 ms are 10,000,000 TSC ticks */
}

static inline void make(void)
{
    make_pins(24);
}

static inline int send(uint32_t pin)
{
    struct vlapic_message m;
    if (!vioapic_ready(&a, pin, now, &m))
        return VIOAPIC_SEND; /* nothing to send */
    bus.messages++;
    bus.m = m;
    return vioapic_sent(&a, pin, bus.result);
}

static inline void send_all(void)
{
    struct vlapic_message m;
    for (uint32_t i = 0; (i = vioapic_next(&a, i, now, &m)) < a.pin_count; i++)
        send(i);
}

static inline int line(uint32_t pin, unsigned source, bool high)
{
    int status = vioapic_line(&a, pin, source, high, now);
    return status == VIOAPIC_SEND ? send(pin) : status;
}

static inline int pulse(uint32_t pin)
{
    int status = line(pin, 0, true);
    line(pin, 0, false);
    return status;
}

static inline void mmio(uint32_t offset, unsigned size, uint64_t value)
{
    memset(&f, 0, sizeof(f));
    vioapic_write(&a, offset, size, value, &f);
    if (f.what & VIOAPIC_FACT_RTE)
        send(f.pin);
}

static inline uint32_t reg(uint32_t index)
{
    mmio(0, 4, index);
    return (uint32_t)vioapic_read(&a, 0x10, 4);
}

static inline void set(uint32_t index, uint32_t value)
{
    mmio(0, 4, index);
    mmio(0x10, 4, value);
}

static inline void rte(uint32_t pin, uint64_t value)
{
    set(0x11 + 2 * pin, (uint32_t)(value >> 32));
    set(0x10 + 2 * pin, (uint32_t)value);
}

/* As the caller does it: the resampler comes between. Returns the pins that were ended. */
static inline uint64_t eoi(uint8_t vector, void (*resample)(uint32_t pin))
{
    struct vioapic_pins ended;
    vioapic_eoi(&a, vector, &ended);
    for (uint32_t i = 0; i < a.pin_count; i++) {
        if (!(ended.bits[i / 64] >> i % 64 & 1))
            continue;
        if (resample != NULL)
            resample(i);
        if (vioapic_end(&a, i, vector, now))
            send(i);
    }
    return ended.bits[0];
}

enum { LEVEL = 0x8000, MASKED = 0x10000, IRR = 0x4000, STATUS = 0x1000 };
