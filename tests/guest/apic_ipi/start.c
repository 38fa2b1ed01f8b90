/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INIT and SIPI: what INIT resets, which SIPI starts whom and where, and what is ignored. SDM volume 3, "MP
 * Initialization Protocol Algorithm for MP Systems", "Local APIC State After an INIT Reset".
 */
#include "tests/guest/apic_ipi/apic_ipi.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

enum {
    VECTOR = 0x62,
    PAGE_OF_START = 0x08,
    LAST_RAM_PAGE = 0x9e,
    SIPI_WAIT = 100000,
    CR0_AFTER_INIT = 0x60000010,
};
#define MODE(which)      ((uint32_t)(which) << APIC_ICR_MODE_SHIFT)
#define SHORTHAND(which) ((uint32_t)(which) << APIC_ICR_SHORTHAND_SHIFT)

static void dirty(uint64_t arg)
{
    (void)arg;
    apic_write(APIC_TPR, 0x30);
    apic_write(APIC_LVT_THERMAL, 0x41);
    apic_write(APIC_TMICT, 1000000000);
    if (!smp_self()->x2apic)
        apic_write(APIC_LDR, 0x80000000);
    apic_self(VECTOR); /* stays pending: interrupts are off */
}

static struct {
    volatile uint32_t tpr, ldr, thermal, timer, count, pending, x2apic;
} found;

/* Before smp_ap has written anything but SVR. */
static void look(uint64_t arg)
{
    (void)arg;
    found.tpr = apic_read(APIC_TPR);
    found.ldr = apic_read(APIC_LDR);
    found.thermal = apic_read(APIC_LVT_THERMAL);
    found.timer = apic_read(APIC_LVT_TIMER);
    found.count = apic_read(APIC_TMICT);
    found.pending = apic_bits(APIC_IRR);
    found.x2apic = smp_self()->x2apic;
}

static void to_mode(uint64_t x2apic)
{
    apic_mode(x2apic != 0);
}

/* After INIT an APIC is as after reset; ID and mode stay. */
static void reset_state(unsigned id)
{
    bool x2apic = smp_self()->x2apic;
    uint32_t ldr = x2apic ? 1U << id : 0;
    smp_run(id, dirty, 0);
    report(smp_wait(id), "processor %u hangs", id);
    report(smp_start_one(id, PAGE_OF_START), "processor %u does not start again", id);
    smp_run(id, look, 0);
    report(smp_wait(id), "processor %u hangs after INIT", id);
    report_exact(found.tpr == 0 && found.ldr == ldr && found.thermal == APIC_LVT_MASKED &&
                     found.timer == APIC_LVT_MASKED && found.count == 0 && found.pending == 0,
                 "after INIT: TPR %#x, LDR %#x, thermal %#x, timer %#x, count %u, %u pending", found.tpr,
                 found.ldr, found.thermal, found.timer, found.count, found.pending);
    report_exact(found.x2apic == x2apic, "INIT has changed the mode");
    report(cpus[id].start_cr0 == CR0_AFTER_INIT && cpus[id].start_efer == 0,
           "after INIT: CR0 %#lx, EFER %#lx", cpus[id].start_cr0, cpus[id].start_efer);
    trace("init: %x %x %x %x %u %u %u %lx", found.tpr, found.ldr, found.thermal, found.timer, found.count,
          found.pending, found.x2apic, cpus[id].start_cr0);
    if (found.x2apic != x2apic) {
        smp_run(id, to_mode, x2apic);
        (void)smp_wait(id);
    }
}

/* Does not start, within the time that a start takes. */
static void stays(const char *what, unsigned id)
{
    uint32_t starts = cpus[id].starts;
    bool came = SMP_WAIT(cpus[id].starts != starts, SIPI_WAIT);
    report(!came, "%s: processor %u starts", what, id);
    trace("%s: %u", what, came);
}

/* The vector is the page. Those from 0xA0 on are no memory here, and go only to processors that run. */
static void vectors(unsigned id)
{
    unsigned wrong = 0, step = smp_self()->x2apic ? 13 : 1;
    for (unsigned v = 1; v < LAST_RAM_PAGE; v += step) {
        if (guest_native && v != PAGE_OF_START && v % 16)
            continue;
        wrong += !smp_start_one(id, (uint8_t)v) || cpus[id].sipi != v;
    }
    report(wrong == 0, "%u SIPI vectors do not start at their page", wrong);
    trace("sipi vectors: %u", wrong);
    for (unsigned v = 0; v < 256; v++)
        smp_sipi(id, (uint8_t)v);
    stays("SIPI to one that runs", id);
}

static void alive(const char *after, unsigned id)
{
    smp_forget();
    listen();
    send_and_check(after, id, 0, VECTOR, 1U << id);
    listen_no_more();
}

static void on_itself(uint64_t id)
{
    apic_icr((uint32_t)id, MODE(APIC_DM_INIT) | APIC_ICR_ASSERT);
    for (;;)
        pause();
}

static void protocol(unsigned id)
{
    bool x2apic = smp_self()->x2apic;
    uint32_t starts;
    smp_copy_trampoline(PAGE_OF_START);
    /* INIT level de-assert is nothing, on whatever processor. */
    apic_icr(id, MODE(APIC_DM_INIT) | APIC_ICR_LEVEL);
    apic_icr(0, MODE(APIC_DM_INIT) | APIC_ICR_LEVEL | SHORTHAND(APIC_TO_ALL));
    alive("after INIT de-assert", id);
    /* In wait-for-SIPI: fixed interrupts are refused, jobs do not run. */
    smp_init_ipi(id);
    apic_icr(id, VECTOR);
    stays("INIT alone", id);
    starts = cpus[id].starts;
    smp_sipi(id, PAGE_OF_START);
    report(WAIT_FOR(cpus[id].starts == starts + 1), "a SIPI long after INIT starts nobody");
    /* Two SIPIs, two INITs. */
    smp_init_ipi(id);
    smp_init_ipi(id);
    smp_sipi(id, PAGE_OF_START);
    smp_sipi(id, PAGE_OF_START);
    report(WAIT_FOR(cpus[id].starts == starts + 2), "two SIPIs: %u starts", cpus[id].starts - starts - 1);
    stays("the second SIPI", id);
    /* INIT by itself, to itself. */
    smp_run(id, on_itself, id);
    stays("INIT to itself", id);
    report(cpus[id].job != 0, "INIT to itself does nothing");
    smp_sipi(id, PAGE_OF_START);
    report(WAIT_FOR(cpus[id].starts == starts + 3), "no start after an INIT to itself");
    smp_run(id, to_mode, x2apic);
    (void)smp_wait(id);
    alive("after INIT to itself", id);
}

void start_tests(void)
{
    if (processors < 2) {
        /* A bootstrap processor that runs ignores SIPIs, and those to nobody are lost. */
        for (unsigned v = 0; v < 256; v++) {
            smp_sipi(0, (uint8_t)v);
            smp_sipi(1, (uint8_t)v);
        }
        report(true, "SIPI to a processor that runs");
        return;
    }
    for (unsigned id = 1; id<processors; id += processors> 2 ? processors - 2 : 1) {
        reset_state(id);
        protocol(id);
    }
    vectors(processors - 1);
    smp_run(processors - 1, to_mode, smp_self()->x2apic);
    (void)smp_wait(processors - 1);
}
