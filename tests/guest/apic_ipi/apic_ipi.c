/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic_ipi: who gets an IPI. All delivery modes, destination modes and shorthands between 1 to 8 processors,
 * in xAPIC and x2APIC mode: physical.c, start.c (INIT, SIPI), odd.c (NMI, what has no meaning).
 * SDM volume 3, "Issuing Interprocessor Interrupts", "Determining IPI Destination".
 */
#include "tests/guest/apic_ipi/apic_ipi.h"

#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "apic_ipi";

unsigned processors;
static volatile bool listening;

static void ear(uint64_t arg)
{
    (void)arg;
    sti();
    while (listening)
        pause();
    cli();
}

void listen(void)
{
    listening = true;
    for (unsigned id = 1; id < processors; id++)
        smp_run(id, ear, 0);
    sti();
}

void listen_no_more(void)
{
    cli();
    listening = false;
    for (unsigned id = 1; id < processors; id++)
        report(smp_wait(id), "processor %u hangs", id);
}

void on_each(void (*fn)(uint64_t arg), uint64_t arg)
{
    fn(arg);
    for (unsigned id = 1; id < processors; id++) {
        smp_run(id, fn, arg);
        report(smp_wait(id), "processor %u hangs", id);
    }
}

/* Which processors have taken the vector; those that have it twice or took something else spoil *clean. */
static uint32_t takers(uint8_t vector, bool *clean)
{
    uint32_t who = 0;
    *clean = true;
    for (unsigned id = 0; id < processors; id++) {
        who |= cpus[id].count[vector] ? 1U << id : 0;
        *clean &= cpus[id].total == (cpus[id].count[vector] ? 1 : 0);
    }
    return who;
}

void send_and_check(const char *what, uint32_t dest, uint32_t low, uint8_t vector, uint32_t want)
{
    bool clean;
    uint32_t who;
    apic_icr(dest, low | vector);
    (void)WAIT_FOR((takers(vector, &clean) & want) == want);
    if (!want)
        smp_delay(2000);
    who = takers(vector, &clean);
    report(who == want && clean, "%s, ICR %#x to %#x: processors %#x instead of %#x%s", what, low | vector,
           dest, who, want, clean ? "" : ", and something else");
    trace("%s %x %x: %x", what, dest, low | vector, who);
    smp_forget();
}

static void to_x2apic(uint64_t arg)
{
    (void)arg;
    apic_mode(true);
}

static void all(const char *mode)
{
    print("apic_ipi: %s, %u processors\n", mode, processors);
    smp_forget();
    physical_tests();
    logical_tests();
    lowest_tests();
    odd_tests();
    start_tests();
}

void guest_main(const char *cmdline)
{
    processors = smp_init(cmdline);
    smp_start(processors);
    all("xAPIC");
    if (!apic_has_x2apic()) {
        report_skip("no x2APIC");
        return;
    }
    on_each(to_x2apic, 0);
    all("x2APIC");
}
