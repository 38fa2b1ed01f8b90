/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic_hlt: what wakes a processor from HLT, and what does not; the shadows of STI and MOV SS; NMIs that wait
 * while one is handled. SDM volume 3, "Handling Multiple NMIs", "Masking Maskable Hardware Interrupts",
 * "Masking Exceptions and Interrupts When Switching Stacks", HLT in volume 2.
 *
 * A wake-up that is lost shows as a processor that hangs.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "apic_hlt";

enum { WAKE = 0xc1, LOW = 0x35, HIGH = 0xe5, TIMER = 0xd1, DIVIDE_1 = 0xb };
#define NMI ((uint32_t)APIC_DM_NMI << APIC_ICR_MODE_SHIFT)

static unsigned processors, wakes;
static volatile uint32_t woken[CPUS_MAX], sleeping[CPUS_MAX];

/* --- alone: what is pending, or comes by the timer --- */
static void timer_in(uint32_t ticks)
{
    apic_write(APIC_TDCR, DIVIDE_1);
    apic_write(APIC_LVT_TIMER, TIMER);
    apic_write(APIC_TMICT, ticks);
}

static void alone(void)
{
    struct cpu *self = smp_self();
    uint64_t start;
    smp_forget();
    for (unsigned i = 0; i < wakes; i++) {
        timer_in(1000 + 100 * i);
        sti_hlt();
        cli();
    }
    report(self->count[TIMER] == wakes, "%u timers have woken HLT %u times", wakes, self->count[TIMER]);
    /* Pending before HLT: STI, HLT must not sleep. */
    smp_forget();
    for (unsigned i = 0; i < 3 * wakes; i++) {
        apic_self(WAKE);
        sti_hlt();
        cli();
    }
    report(self->count[WAKE] == 3 * wakes, "%u of %u pending interrupts at STI, HLT", self->count[WAKE],
           3 * wakes);
    /* One below the TPR does not wake; the timer above it does. */
    smp_forget();
    apic_write(APIC_TPR, 0x80);
    apic_self(LOW);
    start = rdtsc(); /* before the timer begins: a fast wake-up is no earlier than this */
    timer_in(50000);
    sti_hlt();
    cli();
    report(self->total == 1 && self->count[TIMER] == 1 && rdtsc() - start >= 50000,
           "%u interrupts with a high TPR", self->total);
    apic_write(APIC_TPR, 0);
    sti();
    cli();
    report(self->count[LOW] == 1, "the one below the TPR is lost");
    /* An interrupt in service keeps its class back too: V-10. */
    smp_forget();
    irq_handlers[0xb7] = smp_quiet;
    apic_self(0xb7);
    sti();
    cli();
    apic_self(LOW);
    timer_in(20000);
    sti_hlt();
    cli();
    report(self->count[TIMER] == 1 && self->count[LOW] == 0, "with 0xb7 in service: timer %u, %#x %u",
           self->count[TIMER], LOW, self->count[LOW]);
    apic_eoi();
    irq_handlers[0xb7] = 0;
    sti();
    cli();
    report(self->count[LOW] == 1, "the lower one is lost after the EOI");
    trace("alone: %u", self->total);
    smp_forget();
}

/* --- shadows: the instruction after STI, MOV SS and POP SS comes first --- */
extern const uint8_t sti_first[], sti_second[], ss_first[], ss_second[];
static void shadows(void)
{
    struct cpu *self = smp_self();
    smp_forget();
    apic_self(WAKE);
    __asm__ volatile("sti\n sti_first: nop\n sti_second: nop\n cli" ::: "memory");
    report(self->count[WAKE] == 1 && self->rip == (uint64_t)(uintptr_t)sti_second, "after STI: %u at %ld",
           self->count[WAKE], (int64_t)(self->rip - (uint64_t)(uintptr_t)sti_first));
    smp_forget();
    apic_self(WAKE);
    for (unsigned i = 0; i < 100; i++)
        __asm__ volatile("sti; cli" ::: "memory");
    report(self->total == 0, "an interrupt between STI and CLI");
    sti();
    cli();
    report(self->count[WAKE] == 1, "what waited through STI, CLI is lost");
    /* The instruction in the shadow exits. */
    smp_forget();
    apic_self(WAKE);
    __asm__ volatile("sti; cpuid; cli" : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
    report(self->count[WAKE] == 1, "an interrupt after STI, CPUID: %u", self->count[WAKE]);
    sti();
    cli();
    smp_forget();
    /* STI with interrupts on already has no shadow; MOV SS has. */
    __asm__ volatile(
        "mov %%ss, %%ecx\n sti\n nop\n mov $0xb0, %%al\n mov %%ecx, %%ss\n ss_first: nop\n ss_second: cli" ::
            : "rax", "rcx", "memory");
    trace("shadows: %u", self->total);
}

/* --- NMI --- */
static volatile uint32_t nmi_depth, nmi_nested, nmi_seen, nmi_inside;
static void on_nmi(struct cpu *self, struct trap_frame *f)
{
    (void)f;
    nmi_nested |= nmi_depth;
    nmi_depth = 1;
    if (nmi_seen++ == 0)
        for (unsigned i = 0; i < nmi_inside; i++) {
            apic_icr(self->id, NMI);
            smp_delay(3000);
        }
    nmi_depth = 0;
}

static void nmis(void)
{
    struct cpu *self = smp_self();
    for (nmi_inside = 1; nmi_inside < 5; nmi_inside++) {
        smp_forget();
        nmi_seen = nmi_nested = 0;
        irq_handlers[V_NMI] = on_nmi;
        apic_icr(self->id, NMI);
        (void)SMP_WAIT(self->count[V_NMI] == 2, SHORT_TIME);
        smp_delay(5000);
        report(self->count[V_NMI] == 2 && nmi_nested == 0, "%u NMIs in a handler: %u NMIs, nested: %u",
               nmi_inside, self->count[V_NMI], nmi_nested);
        trace("nmi: %u in a handler: %u", nmi_inside, self->count[V_NMI]);
    }
    irq_handlers[V_NMI] = smp_quiet;
    smp_forget();
    /* Interrupts off or on makes no difference; it is taken before the next instructions. */
    for (unsigned i = 0; i < 100; i++)
        apic_icr(self->id, NMI);
    report(WAIT_FOR(self->count[V_NMI] > 0), "no NMI");
    report_exact(self->count[V_NMI] == 100, "%u of 100 NMIs", self->count[V_NMI]);
    trace("nmi: %u", self->count[V_NMI]);
    smp_forget();
}

/* --- from others --- */
static void sleeper(uint64_t rounds)
{
    struct cpu *self = smp_self();
    for (uint64_t i = 0; i < rounds; i++) {
        cli();
        sleeping[self->id]++;
        sti_hlt();
        cli();
        woken[self->id]++;
    }
}

/* Off before HLT: only NMIs wake. */
static void deaf_sleeper(uint64_t rounds)
{
    struct cpu *self = smp_self();
    cli();
    for (uint64_t i = 0; i < rounds; i++) {
        sleeping[self->id]++;
        __asm__ volatile("hlt" ::: "memory");
        woken[self->id]++;
    }
}

/* High TPR: the low vector comes first, sets what posting sets, and must not hide the high one. */
static void picky_sleeper(uint64_t rounds)
{
    apic_write(APIC_TPR, 0x80);
    sleeper(rounds);
    apic_write(APIC_TPR, 0);
    sti();
    cli();
}

static void begin(unsigned id, void (*job)(uint64_t arg), uint64_t rounds)
{
    woken[id] = sleeping[id] = 0;
    smp_run(id, job, rounds);
}

/* Rounds with and without time to fall asleep. */
static void pace(unsigned round)
{
    smp_delay(round % 3 == 0 ? 0 : round % 3 == 1 ? 500 + 37 * (round % 50) : 6000);
}

static void wake_by(const char *what, unsigned id, uint32_t icr, void (*job)(uint64_t arg), unsigned rounds,
                    uint8_t vector)
{
    smp_forget();
    begin(id, job, rounds);
    for (unsigned i = 0; i < rounds; i++) {
        if (!WAIT_FOR(sleeping[id] == i + 1)) {
            report(false, "processor %u does not come to round %u of %s", id, i, what);
            return;
        }
        pace(i);
        apic_icr(id, icr);
        if (!WAIT_FOR(woken[id] == i + 1)) {
            report(false, "processor %u is not woken by %s in round %u", id, what, i);
            return;
        }
    }
    report(smp_wait(id) && cpus[id].count[vector] == rounds,
           "%s: processor %u has taken %u interrupts for %u rounds", what, id, cpus[id].count[vector],
           rounds);
    trace("%s: %u", what, cpus[id].count[vector]);
}

/* V-10. */
static void low_then_high(unsigned id, unsigned rounds)
{
    smp_forget();
    begin(id, picky_sleeper, rounds);
    for (unsigned i = 0; i < rounds; i++) {
        if (!WAIT_FOR(sleeping[id] == i + 1)) {
            report(false, "processor %u does not come to round %u", id, i);
            return;
        }
        if (i % 2)
            pace(i);
        apic_icr(id, LOW);
        pace(i + 1);
        if (woken[id] != i)
            report(false, "a vector below the TPR wakes HLT");
        apic_icr(id, HIGH);
        if (!WAIT_FOR(woken[id] == i + 1)) {
            report(false, "processor %u is not woken by a high vector behind a low one, round %u", id, i);
            return;
        }
    }
    report(smp_wait(id) && cpus[id].count[HIGH] == rounds && cpus[id].count[LOW] == 1,
           "low then high: %u and %u", cpus[id].count[LOW], cpus[id].count[HIGH]);
    trace("low then high: %u %u", cpus[id].count[LOW], cpus[id].count[HIGH]);
}

/* HLT with interrupts off: a fixed interrupt must not wake, and is not lost. */
static void not_by_fixed(unsigned id)
{
    smp_forget();
    begin(id, deaf_sleeper, 1);
    report(WAIT_FOR(sleeping[id] == 1), "processor %u does not sleep", id);
    apic_icr(id, WAKE);
    smp_delay(SHORT_TIME);
    report(woken[id] == 0, "a fixed interrupt wakes HLT with interrupts off");
    apic_icr(id, NMI);
    report(WAIT_FOR(woken[id] == 1) && smp_wait(id), "an NMI does not wake HLT with interrupts off");
    report(cpus[id].count[WAKE] == 0, "a fixed interrupt is taken with interrupts off");
    begin(id, sleeper, 1);
    report(WAIT_FOR(woken[id] == 1) && smp_wait(id) && cpus[id].count[WAKE] == 1,
           "the fixed interrupt was lost");
    trace("not by fixed: %u", cpus[id].count[WAKE]);
}

/* A ring: each wakes the next from HLT. */
static volatile uint32_t ring_left;
static void ring_on(struct cpu *self, struct trap_frame *f)
{
    (void)f;
    if (ring_left) {
        ring_left--;
        apic_icr((self->id + 1) % processors, WAKE);
    }
    apic_eoi();
}

static void ring_sleeper(uint64_t arg)
{
    (void)arg;
    for (;;) {
        cli();
        if (!ring_left)
            break;
        /* The last one leaves nobody to wake the others: a timer does. */
        timer_in(3000000);
        sti_hlt();
    }
    cli();
    apic_write(APIC_TMICT, 0);
}

static void ring(unsigned rounds)
{
    smp_forget();
    irq_handlers[WAKE] = ring_on;
    ring_left = rounds;
    for (unsigned id = 1; id < processors; id++)
        smp_run(id, ring_sleeper, 0);
    apic_icr(0, WAKE);
    ring_sleeper(0);
    sti();
    for (unsigned id = 1; id < processors; id++)
        report(smp_wait(id), "processor %u hangs in the ring", id);
    uint32_t n = 0;
    cli();
    for (unsigned id = 0; id < processors; id++)
        n += cpus[id].count[WAKE];
    /* What the last one sent may be pending still. */
    report(n + processors > rounds && ring_left == 0, "the ring: %u interrupts, %u left", n, ring_left);
    irq_handlers[WAKE] = 0;
}

static void open_window(uint64_t arg)
{
    (void)arg;
    sti();
    cli();
}

static void by_others(unsigned rounds)
{
    for (unsigned id = 1; id < processors; id++) {
        wake_by("IPI", id, WAKE, sleeper, rounds, WAKE);
        wake_by("NMI", id, NMI, deaf_sleeper, rounds, V_NMI);
        low_then_high(id, rounds);
        not_by_fixed(id);
    }
    ring(20 * rounds);
    (void)smp_run_all(processors, open_window, 0);
}

static void each(uint64_t arg)
{
    (void)arg;
    alone();
    shadows();
    nmis();
}

static void to_x2apic(uint64_t arg)
{
    (void)arg;
    apic_mode(true);
}

static void all(void)
{
    print("apic_hlt: %s, %u processors\n", smp_self()->x2apic ? "x2APIC" : "xAPIC", processors);
    each(0);
    for (unsigned id = 1; id < processors; id++) {
        smp_run(id, each, 0);
        report(smp_wait(id), "processor %u hangs", id);
    }
    if (processors > 1)
        by_others(wakes);
}

void guest_main(const char *cmdline)
{
    wakes = (unsigned)guest_number(cmdline, "wakes=", 60);
    processors = smp_init(cmdline);
    smp_start(processors);
    all();
    if (!apic_has_x2apic()) {
        report_skip("no x2APIC");
        return;
    }
    (void)smp_run_all(processors, to_x2apic, 0);
    all();
}
