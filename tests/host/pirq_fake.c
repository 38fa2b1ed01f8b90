/* SPDX-License-Identifier: BSD-2-Clause */
/* See pirq_fake.h. */
#include "tests/host/pirq_fake.h"

#include "hv/core/log.h"

struct fake_pin fake_pins[FAKE_PINS];
struct timer *fake_timer;
unsigned fake_log_lines;

void fake_pins_reset(void)
{
    for (unsigned i = 0; i < FAKE_PINS; i++)
        fake_pins[i] = (struct fake_pin){.blocked = IOAPIC_CLOSED};
    fake_timer = NULL;
    fake_log_lines = 0;
}

uint32_t ioapic_gsi_end(void)
{
    return FAKE_PINS;
}

int ioapic_pin(uint32_t gsi)
{
    return gsi < FAKE_PINS ? (int)gsi : -1;
}

struct ioapic_signal ioapic_signal(uint32_t gsi)
{
    return (struct ioapic_signal){.level = gsi >= 16, .low = gsi >= 16};
}

void ioapic_open(uint32_t pin, uint8_t vector, uint32_t apic_id, struct ioapic_signal s)
{
    struct fake_pin *p = &fake_pins[pin];
    *p = (struct fake_pin){.vector = vector, .apic_id = apic_id, .opened = p->opened + 1, .signal = s};
}

void ioapic_close(uint32_t pin)
{
    fake_pins[pin].blocked = IOAPIC_CLOSED;
}

void ioapic_block(uint32_t pin, enum ioapic_block reason)
{
    fake_pins[pin].blocked |= reason;
}

bool ioapic_unblock(uint32_t pin, enum ioapic_block reason)
{
    bool was = fake_pins[pin].blocked & reason;
    fake_pins[pin].blocked &= ~(uint32_t)reason;
    return was;
}

uint32_t ioapic_blocked(uint32_t pin)
{
    return fake_pins[pin].blocked;
}

uint64_t ioapic_entry(uint32_t pin)
{
    return fake_pins[pin].vector;
}

void timer_move(struct timer *t, uint64_t deadline)
{
    t->deadline = deadline;
    fake_timer = t;
}

void timer_cancel(struct timer *t)
{
    if (fake_timer == t)
        fake_timer = NULL;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
    (void)limit;
    (void)level;
    (void)format;
    fake_log_lines++;
}
