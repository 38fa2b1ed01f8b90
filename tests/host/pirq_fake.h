/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hv/route/pirq.c stands on besides route_fake.h: I/O APIC pins that remember what was done to them, and a timer that
 * the test lets run out.
 */
#pragma once

#include "drivers/ioapic.h"
#include "hv/core/timer.h"

enum { FAKE_PINS = 200 };

struct fake_pin {
    uint32_t blocked; /* enum ioapic_block */
    uint32_t vector, apic_id;
    struct ioapic_signal signal;
};
extern struct fake_pin fake_pins[FAKE_PINS];
extern struct timer *fake_timer; /* the one that is set, or NULL */
extern unsigned fake_log_lines;

void fake_pins_reset(void);
