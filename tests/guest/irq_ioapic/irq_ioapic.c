/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq_ioapic: the I/O APIC from inside: registers, edges, levels, ends of both kinds, who gets an interrupt. Edges come from the
 * PIT (pin 2), a level from the serial port, whose transmitter is always empty: it is up as long as that is asked for.
 * 82093AA data sheet; the EOI register of version 0x20 in the chipset data sheets. Rows I-01 to I-13.
 */
#include "guest_abi/irqchip.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "irq_ioapic";

enum {
    EDGE = 0x51,
    LEVEL = 0x61,
    PIT_PIN = 2,
    UART_PIN = 4,
    UART_IER = 0x3f9,
    UART_MCR = 0x3fc,
    PINS = 24,
    SVR_DIRECTED = 0x1000
};

static unsigned processors;
static volatile uint8_t *page;
static volatile bool listening;

static uint32_t get(uint32_t reg)
{
    *(volatile uint32_t *)(page + IOAPIC_IOREGSEL) = reg;
    return *(volatile uint32_t *)(page + IOAPIC_IOWIN);
}

static void set(uint32_t reg, uint32_t value)
{
    *(volatile uint32_t *)(page + IOAPIC_IOREGSEL) = reg;
    *(volatile uint32_t *)(page + IOAPIC_IOWIN) = value;
}

static uint32_t low(uint32_t pin)
{
    return get(IOAPIC_REDTBL + 2 * pin);
}

static void redirect(uint32_t pin, uint32_t value, uint32_t dest)
{
    set(IOAPIC_REDTBL + 2 * pin, low(pin) | IOAPIC_RTE_MASKED);
    set(IOAPIC_REDTBL + 2 * pin + 1, dest << 24);
    set(IOAPIC_REDTBL + 2 * pin, value);
}

static void uart(bool up)
{
    outb(UART_MCR, 8); /* OUT2 opens the way */
    outb(UART_IER, up ? 2 : 0);
}

/* One edge, a few ticks of the 8254 later; back when it has come. */
static void pulse(void)
{
    outb(PIT_CONTROL, 0x30);
    outb(PIT_CHANNEL0, 20);
    outb(PIT_CHANNEL0, 0);
    uint8_t status;
    do {
        outb(PIT_CONTROL, 0xe2);
        status = inb(PIT_CHANNEL0);
    } while (!(status & 0x80));
    smp_delay(2000);
}

static uint32_t taken(uint8_t vector)
{
    sti();
    smp_delay(20000);
    cli();
    return cpus[0].count[vector];
}

static void registers(void)
{
    static const uint8_t widths[] = {1, 2, 4};
    report_exact(get(IOAPIC_VER) == (IOAPIC_VERSION_EOI | (PINS - 1) << 16), "version %#x", get(IOAPIC_VER));
    set(IOAPIC_ID, 0xffffffff);
    report_exact(get(IOAPIC_ID) == 0x0f000000, "ID %#x", get(IOAPIC_ID));
    report_exact(get(IOAPIC_ARB) == 0x0f000000, "arbitration %#x", get(IOAPIC_ARB));
    set(IOAPIC_ID, 0);
    for (uint32_t pin = 0; pin < PINS; pin++) {
        report(low(pin) & IOAPIC_RTE_MASKED, "pin %u is open: %#x", pin, low(pin));
        set(IOAPIC_REDTBL + 2 * pin + 1, 0xffffffff);
        set(IOAPIC_REDTBL + 2 * pin, 0xffffffff);
        trace("pin %x: %x %x", pin, get(IOAPIC_REDTBL + 2 * pin + 1), low(pin));
        report_exact(low(pin) == 0x1afff, "pin %u: %#x", pin, low(pin));
        set(IOAPIC_REDTBL + 2 * pin + 1, 0);
        set(IOAPIC_REDTBL + 2 * pin, IOAPIC_RTE_MASKED);
    }
    for (uint32_t reg = 0; reg < 256 && !guest_native; reg++)
        for (unsigned i = 0; i < 3; i++) { /* a narrow selection is a whole one */
            *(volatile uint32_t *)page = 0xffffffff;
            if (widths[i] == 1)
                *page = (uint8_t)reg;
            else if (widths[i] == 2)
                *(volatile uint16_t *)page = (uint16_t)reg;
            else
                *(volatile uint32_t *)page = reg;
            uint32_t value = *(volatile uint32_t *)(page + IOAPIC_IOWIN);
            report(*(volatile uint32_t *)page == reg, "register %#x selected by %u bytes", reg, widths[i]);
            report(value == get(reg), "register %#x by %u bytes: %#x", reg, widths[i], value);
            trace("register %x %x: %x", reg, i, value);
        }
}

static void edges(void)
{
    smp_forget();
    pulse(); /* masked: lost */
    redirect(PIT_PIN, EDGE, 0);
    report(taken(EDGE) == 0, "an edge on a masked pin came");
    pulse();
    report(!(low(PIT_PIN) & IOAPIC_RTE_REMOTE_IRR), "an edge has set remote IRR");
    report(taken(EDGE) == 1, "%u interrupts of an edge", cpus[0].count[EDGE]);
    pulse();
    pulse(); /* merged in the local APIC */
    report(taken(EDGE) == 2, "%u interrupts of three edges, two of them at once", cpus[0].count[EDGE]);
    irq_handlers[EDGE] = smp_quiet;
    pulse();
    report(taken(EDGE) == 3, "%u interrupts", cpus[0].count[EDGE]);
    pulse(); /* requested while in service */
    report(taken(EDGE) == 3, "taken while in service");
    irq_handlers[EDGE] = 0;
    apic_eoi();
    report(taken(EDGE) == 4, "an edge that came in service is lost");
    trace("edges: %x", cpus[0].count[EDGE]);
    redirect(PIT_PIN, IOAPIC_RTE_MASKED, 0);
}

static bool remote(void)
{
    return low(UART_PIN) & IOAPIC_RTE_REMOTE_IRR;
}

/* Each EOI of a level that stays brings it again. */
static void levels(void)
{
    smp_forget();
    irq_handlers[LEVEL] = smp_quiet;
    redirect(UART_PIN, LEVEL | IOAPIC_RTE_LEVEL, 0);
    report(taken(LEVEL) == 0 && !remote(), "a level that is down");
    uart(true);
    for (uint32_t i = 1; i <= 5; i++) {
        report(taken(LEVEL) == i && remote(), "%u interrupts of a level after %u EOIs", cpus[0].count[LEVEL],
               i - 1);
        report(apic_bit(APIC_TMR, LEVEL), "TMR is clear");
        apic_eoi();
    }
    report(taken(LEVEL) == 6, "the last of them");
    uart(false);
    report(remote(), "remote IRR went with the line");
    apic_eoi();
    report(taken(LEVEL) == 6 && !remote(), "%u interrupts of a line that is down", cpus[0].count[LEVEL]);
    set(IOAPIC_REDTBL + 2 * UART_PIN, LEVEL | IOAPIC_RTE_LEVEL | IOAPIC_RTE_MASKED);
    uart(true);
    report(taken(LEVEL) == 6 && !remote(), "a masked level came");
    set(IOAPIC_REDTBL + 2 * UART_PIN, LEVEL | IOAPIC_RTE_LEVEL); /* opened under the line */
    report(taken(LEVEL) == 7 && remote(), "opening brought nothing");
    set(IOAPIC_REDTBL + 2 * UART_PIN, LEVEL | IOAPIC_RTE_LEVEL | IOAPIC_RTE_MASKED);
    apic_eoi(); /* masked in service: it ends, and does not come */
    report(taken(LEVEL) == 7, "it came while masked");
    report_exact(!remote(), "the EOI of a masked pin did not end it");
    set(IOAPIC_REDTBL + 2 * UART_PIN, LEVEL | IOAPIC_RTE_LEVEL);
    report(taken(LEVEL) == 8, "%u after opening again", cpus[0].count[LEVEL]);
    uart(false);
    set(IOAPIC_REDTBL + 2 * UART_PIN,
        LEVEL | IOAPIC_RTE_MASKED); /* to edge: for version 0x11 that is its end */
    report_exact(!remote(), "remote IRR stayed at a change to edge");
    apic_eoi();
    trace("levels: %x", cpus[0].count[LEVEL]);
}

/* Suppressed broadcasts and the EOI register: both halves together. */
static void directed(void)
{
    smp_forget();
    if (guest_native || !(apic_read(APIC_VERSION) >> 24 & 1)) {
        report_skip("no suppression of EOI broadcasts");
        return;
    }
    apic_write(APIC_SVR, apic_read(APIC_SVR) | SVR_DIRECTED);
    redirect(UART_PIN, LEVEL | IOAPIC_RTE_LEVEL, 0);
    uart(true);
    report(taken(LEVEL) == 1, "%u of a level", cpus[0].count[LEVEL]);
    apic_eoi();
    report(taken(LEVEL) == 1 && remote(), "the broadcast was not suppressed");
    *(volatile uint32_t *)(page + IOAPIC_EOIR) = LEVEL + 1;
    report(taken(LEVEL) == 1 && remote(), "the EOI register took another vector");
    *(volatile uint32_t *)(page + IOAPIC_EOIR) = LEVEL;
    report(taken(LEVEL) == 2 && remote(), "the EOI register did not end it");
    uart(false);
    apic_eoi();
    *(volatile uint32_t *)(page + IOAPIC_EOIR) = LEVEL;
    report(taken(LEVEL) == 2 && !remote(), "not ended");
    apic_write(APIC_SVR, apic_read(APIC_SVR) & ~(uint32_t)SVR_DIRECTED);
    redirect(UART_PIN, IOAPIC_RTE_MASKED, 0);
    trace("directed: %x", cpus[0].count[LEVEL]);
}

/* --- who gets it --- */
static void ear(uint64_t arg)
{
    (void)arg;
    sti();
    while (listening)
        pause();
    cli();
}

static void logical_id(uint64_t arg)
{
    (void)arg;
    apic_write(APIC_LDR, 1U << (24 + smp_self()->id));
}

static uint32_t takers(void)
{
    uint32_t who = 0;
    for (unsigned id = 0; id < processors; id++)
        who |= cpus[id].count[EDGE] ? 1U << id : 0;
    return who;
}

/* With an edge each; `want`: who must have it; 0: any one of all. */
static void goes_to(const char *what, uint32_t mode, uint32_t dest, uint32_t want)
{
    smp_forget();
    redirect(PIT_PIN, mode | EDGE, dest);
    pulse();
    (void)WAIT_FOR(want ? takers() == want : takers() != 0);
    smp_delay(5000);
    uint32_t who = takers();
    bool one = who && !(who & (who - 1));
    report(want ? who == want : one, "%s to %#x: processors %#x instead of %#x", what, dest, who, want);
    trace("%s %x: %x", what, dest, want ? who : one);
}

static void destinations(void)
{
    uint32_t everybody = (1U << processors) - 1;
    report(smp_run_all(processors, logical_id, 0), "a processor hangs");
    listening = true;
    for (unsigned id = 1; id < processors; id++)
        smp_run(id, ear, 0);
    sti();
    for (unsigned id = 0; id < processors; id++) {
        goes_to("physical", 0, id, 1U << id);
        goes_to("logical", IOAPIC_RTE_LOGICAL, 1U << id, 1U << id);
        goes_to("lowest, one", IOAPIC_RTE_LOGICAL | APIC_DM_LOWEST << 8, 1U << id, 1U << id);
    }
    goes_to("physical, all", 0, 0xff, everybody);
    goes_to("logical, all", IOAPIC_RTE_LOGICAL, 0xff, everybody);
    goes_to("lowest, of all", IOAPIC_RTE_LOGICAL | APIC_DM_LOWEST << 8, 0xff, 0);
    redirect(PIT_PIN, IOAPIC_RTE_MASKED, 0);
    cli();
    listening = false;
    for (unsigned id = 1; id < processors; id++)
        report(smp_wait(id), "processor %u hangs", id);
}

void guest_main(const char *cmdline)
{
    processors = smp_init(cmdline);
    page = map_page(0, IOAPIC_DEFAULT, 0x1b); /* present, writable, uncached */
    uart(false);
    registers();
    edges();
    if (guest_native) {
        report_skip("the emulator's I/O APIC has no remote IRR");
        return;
    }
    levels();
    directed();
    smp_start(processors);
    destinations();
}
