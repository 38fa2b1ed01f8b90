/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Driver of the machine's I/O APICs: see ioapic.h. A register is reached by its index, so every access holds the lock. The
 * low halves of the entries are kept here; the mask bit in hardware is set while a pin has a reason to be blocked.
 */
#include "drivers/ioapic.h"

#include "arch/cpu/paging.h"
#include "arch/cpu/spinlock.h"
#include "drivers/acpi.h"

#define IOREGSEL 0x00
#define IOWIN    0x10
#define IOEOI    0x40 /* from version 0x20 on */

#define IOAPICVER   0x01
#define IOREDTBL    0x10 /* two words each, the low one first */
#define VERSION_EOI 0x20

#define RTE_LOW    BIT(13)
#define RTE_LEVEL  BIT(15)
#define RTE_MASKED BIT(16)
#define RTE_DEST   24 /* of the high word */

static struct chip {
    volatile uint8_t *registers;
    uint32_t gsi_base, first, pins; /* first: number of its pin 0 */
    bool has_eoi;
} chips[ACPI_IOAPIC_MAX];
static uint32_t chip_count, pin_count;
static const struct acpi_madt *madt;

static struct spinlock lock;
static struct pin {
    uint32_t low; /* without the mask */
    uint8_t blocked, chip;
} pins[IOAPIC_PINS_MAX]; /* under lock; chip is constant */

static void select(const struct chip *c, uint32_t index)
{
    *(volatile uint32_t *)(c->registers + IOREGSEL) = index;
}

static uint32_t read(const struct chip *c, uint32_t index)
{
    select(c, index);
    return *(volatile uint32_t *)(c->registers + IOWIN);
}

static void write(const struct chip *c, uint32_t index, uint32_t value)
{
    select(c, index);
    *(volatile uint32_t *)(c->registers + IOWIN) = value;
}

static uint32_t entry(const struct chip *c, uint32_t pin)
{
    return IOREDTBL + 2 * (pin - c->first);
}

/* Read back when masking: the write has arrived before the EOI that may follow. */
static void write_low(uint32_t pin)
{
    const struct pin *p = &pins[pin];
    const struct chip *c = &chips[p->chip];
    write(c, entry(c, pin), p->low | (p->blocked ? (uint32_t)RTE_MASKED : 0));
    if (p->blocked)
        (void)read(c, entry(c, pin));
}

static void add_chip(const struct acpi_ioapic *from)
{
    struct chip *c = &chips[chip_count];
    c->registers = paging_map_mmio(from->pa, PAGE_SIZE);
    uint32_t version = c->registers ? read(c, IOAPICVER) : UINT32_MAX;
    if (version == UINT32_MAX) /* nothing answers there */
        return;
    c->gsi_base = from->gsi_base;
    c->first = pin_count;
    c->has_eoi = (version & 0xff) >= VERSION_EOI;
    c->pins = (version >> 16 & 0xff) + 1;
    if (c->pins > IOAPIC_PINS_MAX - pin_count)
        c->pins = IOAPIC_PINS_MAX - pin_count;
    for (; pin_count < c->first + c->pins; pin_count++) {
        pins[pin_count] = (struct pin){.blocked = IOAPIC_CLOSED, .chip = (uint8_t)chip_count};
        write_low(pin_count);
    }
    chip_count++;
}

uint32_t ioapic_init(const struct acpi_madt *from)
{
    madt = from;
    for (uint32_t i = 0; i < from->ioapic_count; i++)
        add_chip(&from->ioapic[i]);
    return pin_count;
}

uint32_t ioapic_gsi_end(void)
{
    uint32_t end = 0;
    for (const struct chip *c = chips; c < chips + chip_count; c++)
        if (c->gsi_base + c->pins > end)
            end = c->gsi_base + c->pins;
    return end;
}

int ioapic_pin(uint32_t gsi)
{
    for (const struct chip *c = chips; c < chips + chip_count; c++)
        if (gsi - c->gsi_base < c->pins)
            return (int)(c->first + (gsi - c->gsi_base));
    return -1;
}

uint32_t ioapic_isa(uint32_t irq)
{
    return ioapic_isa_gsi(madt, irq);
}

struct ioapic_signal ioapic_signal(uint32_t gsi)
{
    return ioapic_firmware_signal(madt, gsi);
}

/*
 * Remote IRR, left behind by an interrupt whose EOI names another vector by then, would keep a level pin silent for ever:
 * an entry that triggers by edges loses it, and so does one whose vector is ended.
 */
static void forget_remote_irr(uint32_t pin)
{
    const struct pin *p = &pins[pin];
    const struct chip *c = &chips[p->chip];
    write(c, entry(c, pin), (p->low & ~(uint32_t)RTE_LEVEL) | (uint32_t)RTE_MASKED);
    if (c->has_eoi)
        *(volatile uint32_t *)(c->registers + IOEOI) = p->low & 0xff;
}

void ioapic_open(uint32_t pin, uint8_t vector, uint32_t apic_id, struct ioapic_signal s)
{
    struct pin *p = &pins[pin];
    const struct chip *c = &chips[p->chip];
    spin_lock(&lock);
    write(c, entry(c, pin) + 1, apic_id << RTE_DEST);
    p->low = vector | (s.low ? (uint32_t)RTE_LOW : 0) | (s.level ? (uint32_t)RTE_LEVEL : 0);
    forget_remote_irr(pin);
    p->blocked = 0;
    write_low(pin);
    spin_unlock(&lock);
}

void ioapic_close(uint32_t pin)
{
    spin_lock(&lock);
    pins[pin].blocked = IOAPIC_CLOSED;
    write_low(pin);
    spin_unlock(&lock);
}

void ioapic_block(uint32_t pin, enum ioapic_block reason)
{
    struct pin *p = &pins[pin];
    spin_lock(&lock);
    bool open = !p->blocked;
    p->blocked |= (uint8_t)reason;
    if (open)
        write_low(pin);
    spin_unlock(&lock);
}

bool ioapic_unblock(uint32_t pin, enum ioapic_block reason)
{
    struct pin *p = &pins[pin];
    spin_lock(&lock);
    bool was = p->blocked & reason;
    p->blocked &= (uint8_t)~reason;
    if (was && !p->blocked)
        write_low(pin);
    spin_unlock(&lock);
    return was;
}

uint32_t ioapic_blocked(uint32_t pin)
{
    return atomic_load_relaxed(&pins[pin].blocked);
}

uint64_t ioapic_entry(uint32_t pin)
{
    const struct chip *c = &chips[pins[pin].chip];
    spin_lock(&lock);
    uint64_t low = read(c, entry(c, pin)), high = read(c, entry(c, pin) + 1);
    spin_unlock(&lock);
    return low | high << 32;
}
