/* SPDX-License-Identifier: BSD-2-Clause */
/* See pirq_fake.h. */
#include "tests/host/pirq_fake.h"

#include "arch/cpu/atomic.h"
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
    p->apic_id = apic_id;
    p->signal = s;
    atomic_store_release(&p->vector, vector);
    atomic_store_release(&p->blocked, 0);
}

void ioapic_close(uint32_t pin)
{
    atomic_store_release(&fake_pins[pin].blocked, (uint32_t)IOAPIC_CLOSED);
}

void ioapic_block(uint32_t pin, enum ioapic_block reason)
{
    (void)atomic_fetch_or_full(&fake_pins[pin].blocked, (uint32_t)reason);
}

bool ioapic_unblock(uint32_t pin, enum ioapic_block reason)
{
    return atomic_fetch_and_full(&fake_pins[pin].blocked, ~(uint32_t)reason) & reason;
}

uint32_t ioapic_blocked(uint32_t pin)
{
    return atomic_load_acquire(&fake_pins[pin].blocked);
}

uint64_t ioapic_entry(uint32_t pin)
{
    return atomic_load_acquire(&fake_pins[pin].vector);
}

void timer_move(struct timer *t, uint64_t deadline)
{
    t->deadline = deadline;
    atomic_store_release(&fake_timer, t);
}

void timer_cancel(struct timer *t)
{
    if (atomic_load_acquire(&fake_timer) == t)
        atomic_store_release(&fake_timer, NULL);
}

void log_line(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
    atomic_add_relaxed(&fake_log_lines, 1);
}
