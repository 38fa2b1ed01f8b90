/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic_timer: one-shot, periodic and TSC-deadline mode, against the TSC. Never early, never twice, not later
 * than the slack (word `slack=`, TSC ticks; wide, since the machine is shared); extremes of divider, count and
 * deadline; changes of the mode while the timer runs. On each processor in turn, then on all at once. SDM
 * volume 3, "APIC Timer", "TSC-Deadline Mode".
 *
 * Everything is measured in ticks of the timer at divide 1, `tick` of the TSC each.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "apic_timer";

/* LONG_COUNT: nothing that is done at once takes so long, even if other vCPUs run in between. */
enum { VECTOR = 0xd3, DIVIDE_1 = 0xb, COUNT = 20000, LONG_COUNT = 600000 };
#define FAR_AWAY (1UL << 62)

static uint64_t slack, tick;

/* By processor. */
static volatile uint64_t fired_at[CPUS_MAX][64];

static void on_timer(struct cpu *self, struct trap_frame *f)
{
    uint32_t n = self->count[VECTOR] - 1;
    (void)f;
    if (n < 64)
        fired_at[self->id][n] = rdtsc();
    apic_eoi();
}

static uint32_t fired(void)
{
    return smp_self()->count[VECTOR];
}

static void anew(void)
{
    struct cpu *self = smp_self();
    self->count[VECTOR] = self->total = self->orders = 0;
}

static void mode(uint32_t lvt_mode)
{
    apic_write(APIC_LVT_TIMER, lvt_mode | VECTOR);
}

static void divide(uint32_t code)
{
    apic_write(APIC_TDCR, code);
}

static void stop(void)
{
    mode(APIC_LVT_MASKED);
    apic_write(APIC_TMICT, 0);
    anew();
}

static bool in_time(const char *what, uint64_t took, uint64_t should)
{
    bool early = took<should, late = took> should + slack;
    report(!early && !late, "%s on processor %u: after %lu ticks instead of %lu", what, smp_self()->id, took,
           should);
    return !early && !late;
}

/* What a tick is: the leaf says, or it is measured; both must agree. */
static void find_tick(void)
{
    struct cpuid leaf = cpuid(0, 0).eax >= 0x15 ? cpuid(0x15, 0) : (struct cpuid){0, 0, 0, 0};
    uint64_t start, took;
    stop();
    divide(DIVIDE_1);
    mode(APIC_TIMER_ONE_SHOT);
    start = rdtsc();
    apic_write(APIC_TMICT, 100 * COUNT);
    while (!fired())
        pause();
    took = fired_at[smp_self()->id][0] - start;
    tick = (took + 50 * COUNT) / (100 * COUNT);
    if (tick == 0)
        tick = 1;
    if (leaf.eax && leaf.ebx && leaf.ecx)
        report_exact(tick == leaf.ebx / leaf.eax, "the timer runs at TSC / %lu, and CPUID 0x15 says %u / %u",
                     tick, leaf.ebx, leaf.eax);
    report(tick >= 1 && took < 110 * COUNT * tick, "%u ticks of the timer are %lu of the TSC", 100 * COUNT,
           took);
}

static void one_shot(void)
{
    static const uint32_t counts[] = {1, 2, 100, 1000, COUNT};
    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t start;
        stop();
        divide(DIVIDE_1);
        mode(APIC_TIMER_ONE_SHOT);
        start = rdtsc();
        apic_write(APIC_TMICT, counts[i]);
        report(WAIT_FOR(fired() >= 1), "count %u never fires", counts[i]);
        (void)in_time("one-shot", fired_at[smp_self()->id][0] - start, counts[i] * tick);
        smp_delay(4 * counts[i] * tick);
        report(fired() == 1 && apic_read(APIC_TMCCT) == 0 && apic_read(APIC_TMICT) == counts[i],
               "count %u: fired %u times, counts %u of %u", counts[i], fired(), apic_read(APIC_TMCCT),
               apic_read(APIC_TMICT));
        trace("one-shot %u: %u", counts[i], fired());
    }
}

/* The eight dividers; the count goes down, and its speed is that of the divider. */
static void dividers(void)
{
    static const uint8_t codes[] = {0xb, 0, 1, 2, 3, 8, 9, 0xa};
    for (unsigned i = 0; i < sizeof(codes); i++) {
        uint64_t start, unit = tick << i;
        uint32_t before, now;
        unsigned up = 0;
        stop();
        divide(codes[i]);
        mode(APIC_TIMER_ONE_SHOT);
        start = rdtsc();
        apic_write(APIC_TMICT, 1000);
        before = 1000;
        while (!fired() && (now = apic_read(APIC_TMCCT)) != 0) {
            up += now > before;
            before = now;
        }
        report(WAIT_FOR(fired() >= 1), "divider %#x: never fires", codes[i]);
        report(up == 0, "divider %#x: the count goes up", codes[i]);
        (void)in_time("divided", fired_at[smp_self()->id][0] - start, 1000 * unit);
        trace("divider %x: %u", apic_read(APIC_TDCR), fired());
    }
}

static void extremes(void)
{
    stop();
    divide(DIVIDE_1);
    mode(APIC_TIMER_ONE_SHOT);
    apic_write(APIC_TMICT, 0xffffffff);
    divide(0xa); /* by 128, while it runs */
    smp_delay(SHORT_TIME);
    report(fired() == 0 && apic_read(APIC_TMCCT) > 0xf0000000,
           "the largest count: fired %u times, counts %#x", fired(), apic_read(APIC_TMCCT));
    apic_write(APIC_TMICT, 0);
    smp_delay(SHORT_TIME);
    report(fired() == 0 && apic_read(APIC_TMCCT) == 0, "count 0: fired %u times, counts %#x", fired(),
           apic_read(APIC_TMCCT));
    /* Started again before it fires. */
    divide(DIVIDE_1);
    uint64_t start = rdtsc();
    for (unsigned i = 0; i < 50; i++)
        apic_write(APIC_TMICT, 4 * COUNT);
    bool paused =
        rdtsc() - start >= 4 * COUNT * tick; /* another vCPU ran meanwhile: it may have fired between */
    report(WAIT_FOR(fired() >= 1), "the timer that is started again does not fire");
    smp_delay(6 * COUNT * tick);
    report(fired() == 1 || paused, "started 50 times, fired %u times", fired());
    trace("extremes: %u", fired() != 0);
}

/* The phase stays: each interrupt after the nth period, and no later than the slack. */
static void periodic(uint32_t period, unsigned n)
{
    uint64_t start, end;
    unsigned late = 0, early = 0;
    stop();
    divide(DIVIDE_1);
    mode(APIC_TIMER_PERIODIC);
    start = rdtsc();
    apic_write(APIC_TMICT, period);
    report(WAIT_FOR(fired() >= n), "period %u: %u of %u interrupts", period, fired(), n);
    end = rdtsc();
    mode(APIC_TIMER_PERIODIC | APIC_LVT_MASKED);
    n = fired() < 64 ? fired() : 64;
    for (unsigned i = 0; i < n; i++)
        early += fired_at[smp_self()->id][i] < start + (i + 1) * period * tick;
    late = (end - start) / (period * tick) > fired() + slack / (period * tick) + 1;
    report(early == 0 && late == 0, "period %u: %u of %u early, %u in %lu ticks", period, early, n, fired(),
           end - start);
    report(apic_read(APIC_TMCCT) <= period, "period %u: the count is %u", period, apic_read(APIC_TMCCT));
    stop();
}

/* A period below the cost of an interrupt: the guest goes on, and so do its neighbours. */
static void shortest(void)
{
    uint64_t loops = 0;
    stop();
    divide(DIVIDE_1);
    if (guest_native)
        return;
    mode(APIC_TIMER_PERIODIC);
    apic_write(APIC_TMICT, 1);
    for (loops = 0; loops < 20000; loops++)
        pause();
    cli();
    mode(APIC_TIMER_PERIODIC | APIC_LVT_MASKED);
    report(fired() > 0, "a period of 1 never fires");
    sti();
    stop();
    trace("shortest period: goes on");
}

/* Masked: what passes is lost; unmasked while it runs: it fires. */
static void masked(void)
{
    stop();
    divide(DIVIDE_1);
    mode(APIC_TIMER_ONE_SHOT | APIC_LVT_MASKED);
    apic_write(APIC_TMICT, 100);
    (void)WAIT_FOR(apic_read(APIC_TMCCT) == 0);
    smp_delay(SHORT_TIME);
    mode(APIC_TIMER_ONE_SHOT);
    smp_delay(SHORT_TIME);
    report(fired() == 0, "what passes while masked is delivered later");
    mode(APIC_TIMER_ONE_SHOT | APIC_LVT_MASKED);
    apic_write(APIC_TMICT, LONG_COUNT);
    mode(APIC_TIMER_ONE_SHOT);
    report(WAIT_FOR(fired() >= 1), "unmasked while it runs, it does not fire");
    trace("masked: %u", fired());
}

/* Between one-shot and periodic the count goes on; into and out of TSC-deadline mode it stops. */
static void changes(void)
{
    stop();
    divide(DIVIDE_1);
    mode(APIC_TIMER_ONE_SHOT);
    apic_write(APIC_TMICT, LONG_COUNT);
    mode(APIC_TIMER_PERIODIC);
    report(WAIT_FOR(fired() >= 3), "one-shot made periodic: fired %u times", fired());
    cli();
    mode(APIC_TIMER_ONE_SHOT);
    sti();
    smp_delay(2 * LONG_COUNT * tick + slack);
    uint32_t n = fired();
    smp_delay(3 * LONG_COUNT * tick + slack);
    report(fired() == n, "periodic made one-shot goes on: %u, then %u", n, fired());
    trace("changes: one-shot, periodic");
}

/* Outside its mode the MSR reads 0 and takes nothing. */
static void deadline_off(void)
{
    uint64_t value;
    stop();
    mode(APIC_TIMER_ONE_SHOT);
    wrmsr(MSR_TSC_DEADLINE, rdtsc() + 1000);
    value = rdmsr(MSR_TSC_DEADLINE);
    report(value == 0, "the deadline reads %#lx in one-shot mode", value);
    smp_delay(SHORT_TIME);
    report(fired() == 0, "a deadline fires in one-shot mode");
    trace("deadline in one-shot mode: %lx %u", value, fired());
}

static void deadline_fires(const char *what, uint64_t from_now)
{
    uint64_t deadline, value;
    stop();
    mode(APIC_TIMER_DEADLINE);
    deadline = rdtsc() + from_now;
    wrmsr(MSR_TSC_DEADLINE, deadline);
    report(WAIT_FOR(fired() >= 1), "a deadline %s never fires", what);
    if ((int64_t)from_now > 0)
        (void)in_time(what, fired_at[smp_self()->id][0], deadline);
    value = rdmsr(MSR_TSC_DEADLINE);
    report_exact(value == 0, "the deadline reads %#lx after it has fired", value);
    smp_delay(20000);
    report(fired() == 1, "a deadline %s fires %u times", what, fired());
    trace("deadline %s: %u", what, fired());
}

static void deadline_stays(const char *what, uint64_t value)
{
    stop();
    mode(APIC_TIMER_DEADLINE);
    wrmsr(MSR_TSC_DEADLINE, value);
    report(rdmsr(MSR_TSC_DEADLINE) == value, "a deadline %s reads %#lx", what, rdmsr(MSR_TSC_DEADLINE));
    smp_delay(SHORT_TIME);
    report(fired() == 0, "a deadline %s fires", what);
    trace("deadline %s: %u", what, fired());
}

static void deadline_mode(void)
{
    deadline_off();
    deadline_fires("soon", 500);
    deadline_fires("later", 10 * COUNT);
    deadline_fires("in the past", (uint64_t)-1000);
    deadline_fires("of the next tick", 1);
    deadline_stays("far away", FAR_AWAY);
    if (!guest_native)
        deadline_stays("at the end of time", UINT64_MAX);
    deadline_stays("of 0", 0);
    /* Disarmed, armed again. */
    stop();
    mode(APIC_TIMER_DEADLINE);
    wrmsr(MSR_TSC_DEADLINE, rdtsc() + LONG_COUNT);
    wrmsr(MSR_TSC_DEADLINE, 0);
    smp_delay(2 * LONG_COUNT);
    report(fired() == 0, "a disarmed deadline fires");
    /* Initial count is ignored, the current one reads 0; leaving the mode disarms. */
    apic_write(APIC_TMICT, 500);
    report(apic_read(APIC_TMCCT) == 0, "the count reads %u in deadline mode", apic_read(APIC_TMCCT));
    smp_delay(20000);
    report(fired() == 0, "an initial count counts in deadline mode");
    wrmsr(MSR_TSC_DEADLINE, rdtsc() + LONG_COUNT);
    mode(APIC_TIMER_ONE_SHOT);
    mode(APIC_TIMER_DEADLINE);
    report_exact(rdmsr(MSR_TSC_DEADLINE) == 0, "the deadline survives a change of the mode");
    smp_delay(2 * LONG_COUNT);
    report(fired() == 0, "a deadline fires after a change of the mode");
    /* And a count does not survive the way in. */
    mode(APIC_TIMER_ONE_SHOT);
    apic_write(APIC_TMICT, LONG_COUNT);
    mode(APIC_TIMER_DEADLINE);
    smp_delay(2 * LONG_COUNT * tick);
    report(fired() == 0, "a count fires in deadline mode");
    mode(APIC_TIMER_ONE_SHOT);
    report_exact(apic_read(APIC_TMICT) == 0, "the initial count is %u after deadline mode",
                 apic_read(APIC_TMICT));
    trace("deadline mode: %u", fired());
    stop();
}

/* With interrupts off it stays pending, once. */
static void held_back(void)
{
    stop();
    divide(DIVIDE_1);
    cli();
    mode(APIC_TIMER_PERIODIC);
    apic_write(APIC_TMICT, 1000);
    report(WAIT_FOR(apic_bit(APIC_IRR, VECTOR)), "the timer is not pending");
    smp_delay(20000);
    mode(APIC_TIMER_PERIODIC | APIC_LVT_MASKED);
    sti();
    __asm__ volatile("nop");
    report(fired() == 1, "what was held back is delivered %u times", fired());
    trace("held back: %u", fired());
    stop();
}

static void all(uint64_t with_deadline)
{
    irq_handlers[VECTOR] = on_timer;
    sti();
    one_shot();
    dividers();
    extremes();
    periodic(COUNT, 20);
    periodic(12000, 20);
    shortest();
    masked();
    changes();
    held_back();
    if (with_deadline)
        deadline_mode();
    cli();
}

/* All at the same time, each with a pace of its own. */
static volatile uint32_t together_bad;
static void together(uint64_t with_deadline)
{
    uint32_t id = smp_self()->id, pace = COUNT + 777 * id;
    uint64_t deadline = 0;
    sti();
    stop();
    divide(DIVIDE_1);
    mode(with_deadline ? APIC_TIMER_DEADLINE : APIC_TIMER_ONE_SHOT);
    for (unsigned i = 0; i < 30; i++) {
        deadline = rdtsc() + pace * (with_deadline ? 1 : tick);
        if (with_deadline)
            wrmsr(MSR_TSC_DEADLINE, deadline);
        else
            apic_write(APIC_TMICT, pace);
        if (!WAIT_FOR(fired() >= i + 1) || fired_at[id][i] < deadline)
            __atomic_fetch_or(&together_bad, 1U << id, __ATOMIC_SEQ_CST);
    }
    stop();
    cli();
}

static void to_x2apic(uint64_t arg)
{
    (void)arg;
    apic_mode(true);
}

static void in_mode(unsigned n, bool with_deadline)
{
    print("apic_timer: %s, TSC / %lu\n", smp_self()->x2apic ? "x2APIC" : "xAPIC", tick);
    all(with_deadline);
    for (unsigned id = 1; id < n; id++) {
        smp_run(id, all, with_deadline);
        report(smp_wait(id), "processor %u hangs", id);
    }
    together_bad = 0;
    report(smp_run_all(n, together, with_deadline) && together_bad == 0,
           "timers of processors %#x were early or lost", together_bad);
}

void guest_main(const char *cmdline)
{
    unsigned n = smp_init(cmdline);
    bool with_deadline = cpuid(1, 0).ecx >> 24 & 1;
    slack = guest_number(cmdline, "slack=", 100000);
    irq_handlers[VECTOR] = on_timer;
    sti();
    find_tick();
    cli();
    smp_start(n);
    if (!with_deadline)
        report_skip("no TSC-deadline timer");
    in_mode(n, with_deadline);
    if (!apic_has_x2apic()) {
        report_skip("no x2APIC");
        return;
    }
    (void)smp_run_all(n, to_x2apic, 0);
    in_mode(n, with_deadline);
}
