/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calibration of the time-stamp counter.
 *
 * Each reference is a free-running counter with a known frequency; one loop measures TSC ticks
 * against reference ticks for all of them. The PIT has no readable free-running counter that is
 * safe to take over, so channel 2 (speaker gate, port 0x61) counts down once and its output bit
 * tells the end. IA-PC HPET 1.0a section 2.3.4 "General Capabilities and ID Register", ACPI 6.4
 * section 4.8.3.3 "Power Management Timer", Intel 8254 data sheet, mode 0.
 */
#include "drivers/tsc.h"

#include "arch/cpu/insn.h"

#define HPET_CAPABILITIES 0x000
#define HPET_CONFIG       0x010
#define HPET_COUNTER      0x0f0
#define HPET_ENABLE       BIT(0)
#define FEMTOSECONDS      1000000000000000ULL
#define HPET_PERIOD_MAX   100000000ULL /* femtoseconds; the specification's upper limit */

#define PM_TIMER_HZ 3579545ULL
#define PIT_HZ      1193182ULL

#define PIT_CHANNEL2 0x42
#define PIT_CONTROL  0x43
#define PORT_61      0x61
#define PORT61_GATE2 0x01
#define PORT61_SPKR  0x02
#define PORT61_OUT2  0x20

#define SPAN_MS    5
#define SPIN_LIMIT 10000000ULL /* reads of a counter that does not move */

struct reference {
    const struct tsc_references *refs;
    uint64_t (*read)(const struct reference *r);
    uint64_t hz;
    uint64_t mask; /* width of the counter */
};

static uint64_t hpet_read(const struct reference *r)
{
    return *(volatile uint32_t *)((volatile uint8_t *)r->refs->hpet + HPET_COUNTER);
}

static uint64_t pm_timer_read(const struct reference *r)
{
    return inl(r->refs->pm_timer_port);
}

/* TSC kHz from `span` ticks of the reference, or 0 when it stands still. */
static uint64_t measure(const struct reference *r)
{
    uint64_t span = r->hz * SPAN_MS / 1000;
    uint64_t first = r->read(r), start, ticks = 0, tsc_start, tsc_end;
    uint64_t spins = 0;
    /* Start on an edge, so that the first tick is a whole one. */
    do
        start = r->read(r);
    while (start == first && ++spins < SPIN_LIMIT);
    tsc_start = rdtsc();
    for (spins = 0; ticks < span && spins < SPIN_LIMIT; spins++)
        ticks = (r->read(r) - start) & r->mask;
    tsc_end = rdtsc();
    if (ticks < span)
        return 0;
    return (tsc_end - tsc_start) * (r->hz / 1000) / ticks;
}

static uint64_t by_hpet(const struct tsc_references *refs)
{
    if (!refs->hpet)
        return 0;
    volatile uint8_t *hpet = refs->hpet;
    uint64_t period = *(volatile uint32_t *)(hpet + HPET_CAPABILITIES + 4);
    if (!period || period > HPET_PERIOD_MAX)
        return 0;
    volatile uint64_t *config = (volatile uint64_t *)(hpet + HPET_CONFIG);
    uint64_t before = *config;
    *config = before | HPET_ENABLE;
    struct reference r = {refs, hpet_read, FEMTOSECONDS / period, 0xffffffff};
    uint64_t khz = measure(&r);
    *config = before;
    return khz;
}

static uint64_t by_pm_timer(const struct tsc_references *refs)
{
    if (!refs->pm_timer_port)
        return 0;
    struct reference r = {refs, pm_timer_read, PM_TIMER_HZ, refs->pm_timer_32bit ? 0xffffffff : 0xffffff};
    return measure(&r);
}

static uint64_t by_pit(void)
{
    uint64_t count = PIT_HZ * SPAN_MS / 1000;
    uint8_t before = inb(PORT_61);
    outb(PORT_61, (uint8_t)((before & ~PORT61_SPKR) | PORT61_GATE2));
    outb(PIT_CONTROL, 0xb0); /* channel 2, low then high byte, mode 0 */
    outb(PIT_CHANNEL2, (uint8_t)count);
    outb(PIT_CHANNEL2, (uint8_t)(count >> 8));
    uint64_t start = rdtsc(), spins = 0;
    while (!(inb(PORT_61) & PORT61_OUT2) && ++spins < SPIN_LIMIT)
        ;
    uint64_t ticks = rdtsc() - start;
    outb(PORT_61, before);
    /* An absent port reads all ones: "finished" at once. */
    return spins > 2 && spins < SPIN_LIMIT ? ticks / SPAN_MS : 0;
}

bool tsc_invariant(void)
{
    return cpuid(0x80000000, 0).eax >= 0x80000007 && (cpuid(0x80000007, 0).edx & BIT(8));
}

uint64_t tsc_calibrate(const struct tsc_references *refs, enum tsc_source *used)
{
    uint64_t khz = by_hpet(refs);
    *used = TSC_SOURCE_HPET;
    if (!khz) {
        khz = by_pm_timer(refs);
        *used = TSC_SOURCE_PM_TIMER;
    }
    if (!khz) {
        khz = by_pit();
        *used = TSC_SOURCE_PIT;
    }
    if (!khz)
        *used = TSC_SOURCE_NONE;
    return khz;
}

const char *tsc_source_text(enum tsc_source source)
{
    static const char *const text[] = {"nothing", "HPET", "ACPI PM timer", "PIT channel 2"};
    return text[source];
}
