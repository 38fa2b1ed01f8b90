/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_pm: see acpi_pm.h. An access may begin at any byte and have 1, 2 or 4: it is laid over the
 * rows of the table below, each of which gets its part as a value and a mask of the bits that the
 * access reaches.
 */
#include "mgmt/devices/acpi_pm.h"

#include <stddef.h>
#include <string.h>

enum {
    PORTS = 12,
    TIMER_BITS = 24,
    STS_TIMER = 1 << 0,
    STS_POWER_BUTTON = 1 << 8,
    EN_TIMER = 1 << 0,
    EN_KEPT = 0x4721, /* TMR, GBL, PWRBTN, SLPBTN, RTC, PCIEXP_WAKE_DIS */
    CNT_SCI_EN = 1 << 0,
    CNT_KEPT = 0x1e02, /* BM_RLD, SLP_TYP */
    CNT_SLP_TYP = 7 << 10,
    CNT_SLP_EN = 1 << 13,
};

static uint64_t ticks(const struct acpi_pm *pm)
{
    return device_clock_periods(&pm->clock, device_clock_now(&pm->clock) - pm->start, ACPI_PM_TIMER_HZ);
}

static uint32_t read_status(struct acpi_pm *pm)
{
    /* The timer's bit is set when its highest bit changes. */
    return pm->status | (ticks(pm) >> (TIMER_BITS - 1) != pm->halves ? STS_TIMER : 0U);
}

void acpi_pm_poll(struct acpi_pm *pm)
{
    /* A status bit and its enable bit have one place. */
    bool line = (pm->enable & read_status(pm) & (STS_TIMER | STS_POWER_BUTTON)) != 0;
    if (line == pm->line)
        return;
    pm->line = line;
    if (pm->irq)
        pm->irq(pm->irq_ctx, line);
}

void acpi_pm_press_power_button(struct acpi_pm *pm)
{
    pm->status |= STS_POWER_BUTTON;
    acpi_pm_poll(pm);
}

uint64_t acpi_pm_next(const struct acpi_pm *pm)
{
    if (pm->line || (pm->enable & EN_TIMER) == 0)
        return ACPI_PM_NEVER;
    return pm->start + device_clock_ticks(&pm->clock, (pm->halves + 1) << (TIMER_BITS - 1), ACPI_PM_TIMER_HZ);
}

static void write_status(struct acpi_pm *pm, uint32_t value, uint32_t mask)
{
    pm->status &= (uint16_t) ~(value & mask);
    if (value & mask & STS_TIMER)
        pm->halves = ticks(pm) >> (TIMER_BITS - 1);
}

static uint32_t read_enable(struct acpi_pm *pm)
{
    return pm->enable;
}

static void write_enable(struct acpi_pm *pm, uint32_t value, uint32_t mask)
{
    pm->enable = (uint16_t)((pm->enable & ~mask) | (value & mask & EN_KEPT));
}

static uint32_t read_control(struct acpi_pm *pm)
{
    return pm->control | CNT_SCI_EN;
}

/* The sleep type may come before SLP_EN, or with it. */
static void write_control(struct acpi_pm *pm, uint32_t value, uint32_t mask)
{
    pm->control = (uint16_t)((pm->control & ~mask) | (value & mask & CNT_KEPT));
    if ((value & mask & CNT_SLP_EN) != 0 && (pm->control & CNT_SLP_TYP) >> 10 == ACPI_PM_S5)
        pm->power_off(pm->ctx);
}

static uint32_t read_timer(struct acpi_pm *pm)
{
    return (uint32_t)ticks(pm) & ((1U << TIMER_BITS) - 1);
}

static const struct row {
    uint8_t offset, width;
    uint32_t (*read)(struct acpi_pm *pm);
    void (*write)(struct acpi_pm *pm, uint32_t value, uint32_t mask); /* NULL: read only */
} registers[] = {
    {0, 2, read_status, write_status},
    {2, 2, read_enable, write_enable},
    {4, 2, read_control, write_control},
    {8, 4, read_timer, NULL},
};

static uint64_t ones(uint32_t bytes)
{
    return (1ULL << 8 * bytes) - 1;
}

/* The access seen from a register: bytes to the left are shifted out, to the right in. */
static uint64_t seen_from(const struct row *row, uint64_t offset, uint64_t bits)
{
    return offset >= row->offset ? bits << 8 * (offset - row->offset) : bits >> 8 * (row->offset - offset);
}

static bool touches(const struct row *row, uint64_t offset, uint8_t width)
{
    return offset < row->offset + (uint64_t)row->width && row->offset < offset + width;
}

static uint64_t acpi_pm_read(void *ctx, uint64_t offset, uint8_t width)
{
    uint64_t value = 0; /* between the registers */
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        const struct row *row = &registers[i];
        if (!touches(row, offset, width))
            continue;
        uint64_t bits = row->read(ctx);
        value |=
            offset >= row->offset ? bits >> 8 * (offset - row->offset) : bits << 8 * (row->offset - offset);
    }
    acpi_pm_poll(ctx);
    return value & ones(width);
}

static void acpi_pm_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        const struct row *row = &registers[i];
        if (!row->write || !touches(row, offset, width))
            continue;
        row->write(ctx, (uint32_t)(seen_from(row, offset, data) & ones(row->width)),
                   (uint32_t)(seen_from(row, offset, ones(width)) & ones(row->width)));
    }
    acpi_pm_poll(ctx);
}

void acpi_pm_init(struct acpi_pm *pm, const struct device_clock *clock, void (*power_off)(void *ctx),
                  void *ctx)
{
    memset(pm, 0, sizeof(*pm));
    pm->clock = *clock;
    pm->power_off = power_off;
    pm->ctx = ctx;
    pm->start = device_clock_now(clock);
}

struct access_range acpi_pm_range(struct acpi_pm *pm)
{
    return (struct access_range){HV_CLAIM_PIO, ACPI_PM_PORT, PORTS, 4, acpi_pm_read, acpi_pm_write, pm};
}
