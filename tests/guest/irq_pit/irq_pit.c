/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq_pit: the 8254 and port 61h from inside: what is read back in every mode, counts at their ends, the gate of channel 2, and
 * ticks against the TSC. Times are not in the trace.
 * 8254 data sheet. Rows T-01 to T-03.
 */
#include "guest_abi/irqchip.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "irq_pit";

enum { TICK = 0x51, PIN = 2, STATUS_OUT = 0x80, STATUS_NULL = 0x40 };

static void program(uint32_t channel, uint32_t mode, uint32_t count)
{
    outb(PIT_CONTROL, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    outb((uint16_t)(PIT_CHANNEL0 + channel), (uint8_t)count);
    outb((uint16_t)(PIT_CHANNEL0 + channel), (uint8_t)(count >> 8));
}

static uint8_t status(uint32_t channel)
{
    outb(PIT_CONTROL, (uint8_t)(0xe0 | 2U << channel));
    return inb((uint16_t)(PIT_CHANNEL0 + channel));
}

static uint32_t latched(uint32_t channel)
{
    outb(PIT_CONTROL, (uint8_t)(channel << 6));
    uint32_t first = inb((uint16_t)(PIT_CHANNEL0 + channel));
    return first | (uint32_t)inb((uint16_t)(PIT_CHANNEL0 + channel)) << 8;
}

static void modes(void)
{
    for (uint32_t channel = 0; channel < 3; channel++)
        for (uint32_t mode = 0; mode < 8; mode++) {
            uint32_t is = mode > 5 ? mode - 4 : mode;
            outb(PIT_CONTROL, (uint8_t)(channel << 6 | 0x30 | mode << 1));
            uint8_t fresh = status(channel);
            report((fresh & 0x3f) == (0x30 | is << 1), "channel %u mode %u: status %#x", channel, mode,
                   fresh);
            report(fresh & STATUS_NULL, "channel %u mode %u: no null count", channel, mode);
            report(!(fresh & STATUS_OUT) == (is == 0), "channel %u mode %u: OUT %#x", channel, mode, fresh);
            trace("channel %x mode %x: %x", channel, mode, fresh);
        }
    outb(PIT_PORT61, 0); /* channel 2 stands still: it can be read at leisure */
    static const uint32_t counts[] = {0, 1, 2, 0x1234, 65535};
    for (uint32_t mode = 0; mode < 6; mode++)
        for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            program(2, mode, counts[i]);
            smp_delay(2000);
            uint8_t now = status(2);
            uint32_t value = latched(2);
            trace("gate low, mode %x count %x: %x", mode, counts[i], now & STATUS_OUT);
            report_exact(mode == 1 || mode == 5 || counts[i] < 3 || value == counts[i] ||
                             (mode == 3 && value == (counts[i] & ~1U)),
                         "mode %u: count %#x reads %#x", mode, counts[i], value);
        }
}

/* Channel 2 behind its gate: a one-shot of 1000 ticks, read by OUT2 in port 61h. */
static void gate(void)
{
    outb(PIT_PORT61, 0);
    program(2, 0, 1000);
    smp_delay(100000);
    report(!(inb(PIT_PORT61) & PORT61_OUT2), "it ran with the gate low");
    outb(PIT_PORT61, PORT61_GATE2);
    uint64_t start = rdtsc();
    report(WAIT_FOR(inb(PIT_PORT61) & PORT61_OUT2), "it never ended");
    report(rdtsc() > start, "time");
    program(2, 1, 1000); /* a trigger starts it */
    report(inb(PIT_PORT61) & PORT61_OUT2, "OUT is low before the trigger");
    outb(PIT_PORT61, 0);
    outb(PIT_PORT61, PORT61_GATE2);
    report(WAIT_FOR(!(inb(PIT_PORT61) & PORT61_OUT2)), "no trigger");
    report(WAIT_FOR(inb(PIT_PORT61) & PORT61_OUT2), "the one-shot did not end");
    program(2, 3, 0x8000);
    uint32_t before = latched(2);
    smp_delay(20000);
    report(latched(2) != before, "it stands still");
    report((inb(PIT_PORT61) & 0xf) == PORT61_GATE2, "port 61h: %#x", inb(PIT_PORT61));
    outb(PIT_PORT61, 0);
    trace("gate");
}

static uint32_t taken(uint64_t ticks)
{
    smp_forget();
    sti();
    smp_delay(ticks);
    cli();
    return cpus[0].count[TICK];
}

/* TSC ticks of so many ticks of the 8254, by channel 0 itself. */
static uint64_t measure(uint32_t count)
{
    program(0, 0, count);
    uint64_t start = rdtsc();
    while (!(status(0) & STATUS_OUT))
        pause();
    return rdtsc() - start;
}

static void ticks(void)
{
    volatile uint32_t *page = map_page(0, IOAPIC_DEFAULT, 0x1b);
    static const uint32_t ends[] = {0, 65535};
    uint64_t unit = measure(20000);
    page[0] = IOAPIC_REDTBL + 2 * PIN;
    page[4] = TICK;
    report(taken(unit) <= 1, "ticks of before");
    program(0, 2, 2000);
    uint32_t n = taken(unit * 10); /* 100 periods */
    report(n >= 95 && n <= 106, "%u ticks of 100", n);
    program(0, 3, 2000);
    n = taken(unit * 10);
    report(n >= 95 && n <= 106, "%u ticks of 100, square", n);
    for (unsigned i = 0; i < 2; i++) {
        program(0, 2, ends[i]);
        n = taken(unit * 66); /* 20 periods of 65536 */
        report(n >= 19 && n <= 22, "%u ticks of 20, count %u", n, ends[i]);
    }
    program(0, 2, 2000);
    irq_handlers[TICK] = smp_quiet; /* not ended: the next ones merge with one that waits */
    n = taken(unit);
    report(n == 1, "%u ticks while one is in service", n);
    program(0, 0, 0);
    irq_handlers[TICK] = 0;
    apic_eoi();
    n = taken(unit);
    report(n == 1, "%u ticks after it was ended", n);
    for (uint32_t mode = 0; mode < 6; mode += 4) { /* once */
        program(0, mode, 500);
        n = taken(unit);
        report(n == 1, "mode %u: %u ticks of one", mode, n);
        program(0, mode, 500);
        program(0, mode, 60000); /* written again before it ended */
        n = taken(unit);
        report(n == 0, "mode %u: %u ticks of one taken back", mode, n);
    }
    for (uint32_t mode = 1; mode < 6; mode += 4) { /* the gate of channel 0 never rises */
        program(0, mode, 500);
        n = taken(unit);
        report(n == 0, "mode %u: %u ticks without a trigger", mode, n);
    }
    page[0] = IOAPIC_REDTBL + 2 * PIN;
    page[4] = IOAPIC_RTE_MASKED;
    trace("ticks");
}

void guest_main(const char *cmdline)
{
    (void)smp_init(cmdline);
    modes();
    gate();
    ticks();
}
