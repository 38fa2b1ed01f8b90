/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic_wide: 17 to 64 processors, so APIC IDs of more than four bits. IDs as CPUID, MADT order and the APIC tell them; who gets
 * an IPI by physical and logical destination in xAPIC and x2APIC mode, from the first processor and from the last; INIT and SIPI.
 *
 * All others sleep. After each IPI the first one sends a fence, an interrupt of lower priority, to everybody and waits until all
 * have taken it: what was to come is there by then. Nobody spins, so that many can share a CPU.
 * SDM volume 3, "Determining IPI Destination", "Logical Destination Mode in x2APIC Mode".
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "apic_wide";

enum {
    FENCE = 0x31,
    TIMEOUT = 0x41,
    VECTOR = 0x61,
    RELAY = 0x71,
    ANSWER = 0x81,
    PAGE_OF_START = 0x08,
    TIMEOUT_TICKS = 1000000000,
    CLUSTERS = 15, /* of xAPIC mode; the 16th is for broadcasts */
};
#define LOWEST           ((uint32_t)APIC_DM_LOWEST << APIC_ICR_MODE_SHIFT)
#define SHORTHAND(which) ((uint32_t)(which) << APIC_ICR_SHORTHAND_SHIFT)
#define BIT(n)           (1UL << (n))

static unsigned processors;
static volatile uint32_t fenced, relayed, wrong;
static volatile bool timed_out;
static void (*volatile order)(struct cpu *self); /* everybody does this at the next fence */
static volatile uint32_t relay_dest, relay_low;

static uint64_t everybody(void)
{
    return ~0UL >> (64 - processors);
}

static void answer(volatile uint32_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
    apic_icr(0, ANSWER);
}

static void on_fence(struct cpu *self, struct trap_frame *f)
{
    (void)f;
    apic_eoi();
    if (order)
        order(self);
    answer(&fenced);
}

static void on_relay(struct cpu *self, struct trap_frame *f)
{
    (void)self;
    (void)f;
    apic_icr(relay_dest, relay_low);
    apic_eoi();
    answer(&relayed);
}

static void on_timeout(struct cpu *self, struct trap_frame *f)
{
    (void)self;
    (void)f;
    timed_out = true;
    apic_eoi();
}

static void ear(uint64_t arg)
{
    (void)arg;
    for (;;)
        sti_hlt();
}

/* The first processor: sleeps until the others have answered. */
static void await(const volatile uint32_t *counter, uint32_t want, const char *what)
{
    apic_write(APIC_TDCR, APIC_TDCR_DIVIDE);
    apic_write(APIC_LVT_TIMER, TIMEOUT);
    apic_write(APIC_TMICT, TIMEOUT_TICKS);
    while (*counter != want && !timed_out) {
        sti_hlt();
        cli();
    }
    apic_write(APIC_TMICT, 0);
    sti();
    pause();
    cli();
    if (timed_out) {
        report(false, "%s: %u of %u have answered", what, *counter, want);
        report_end();
    }
}

static void fence(void)
{
    fenced = 0;
    apic_icr(0, SHORTHAND(APIC_TO_OTHERS) | FENCE);
    await(&fenced, processors - 1, "fence");
}

/* Everybody, this one too. */
static void obey(void (*what)(struct cpu *self))
{
    order = what;
    fence();
    order = 0;
    what(smp_self());
}

static uint64_t takers(unsigned *extra)
{
    uint64_t who = 0;
    *extra = 0;
    for (unsigned id = 0; id < processors; id++) {
        who |= cpus[id].count[VECTOR] ? BIT(id) : 0;
        *extra += cpus[id].count[VECTOR] > 1;
        cpus[id].count[VECTOR] = 0;
    }
    return who;
}

static uint64_t send(unsigned from, uint32_t dest, uint32_t low, unsigned *extra)
{
    if (from) {
        relay_dest = dest;
        relay_low = low | VECTOR;
        relayed = 0;
        apic_icr(from, RELAY);
        await(&relayed, 1, "relay");
    } else {
        apic_icr(dest, low | VECTOR);
    }
    fence();
    return takers(extra);
}

static void check(const char *what, unsigned from, uint32_t dest, uint32_t low, uint64_t want)
{
    unsigned extra;
    uint64_t who = send(from, dest, low, &extra);
    report(who == want && !extra,
           "%s, %u sends ICR %#x to %#x: %#lx instead of %#lx, %u of them more than once", what, from, low,
           dest, who, want, extra);
    trace("%s %u %x %x: %lx", what, from, dest, low, who);
}

/* --- IDs --- */
static void look_at_id(struct cpu *self)
{
    uint32_t a = 1, b, c = 0, d, id = apic_read(APIC_ID);
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    bool bad = b >> 24 != self->id || (self->x2apic ? id : id >> 24) != self->id;
    a = 0xb;
    c = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (bad || d != self->id)
        __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
    if (self->x2apic && apic_read(APIC_LDR) != (self->id >> 4 << 16 | 1U << self->id % 16))
        __atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
}

static void ids(void)
{
    wrong = 0;
    obey(look_at_id);
    report(wrong == 0, "%u processors have a wrong ID", wrong);
}

/* --- who gets it --- */
static void physical(void)
{
    uint32_t last = processors - 1, all = smp_self()->x2apic ? X2APIC_BROADCAST : APIC_BROADCAST;
    for (uint32_t id = 0; id < processors; id++) {
        check("physical", 0, id, 0, BIT(id));
        check("physical", last, id, 0, BIT(id));
    }
    check("physical, nobody", last, processors, 0, 0);
    check("physical, nobody", last, 0xfe, 0, 0);
    check("physical, all", last, all, 0, everybody());
    check("self", last, 0, SHORTHAND(APIC_TO_SELF), BIT(last));
    check("all", last, 0, SHORTHAND(APIC_TO_ALL), everybody());
    check("others", last, 0, SHORTHAND(APIC_TO_OTHERS), everybody() & ~BIT(last));
}

/* Eight bits for all: several processors share one. */
static void to_flat(struct cpu *self)
{
    apic_write(APIC_DFR, APIC_DFR_FLAT);
    apic_write(APIC_LDR, 1U << (24 + self->id % 8));
}

static void to_clusters(struct cpu *self)
{
    apic_write(APIC_DFR, APIC_DFR_CLUSTER);
    apic_write(APIC_LDR, self->id / 4 % CLUSTERS << 28 | 1U << (24 + self->id % 4));
}

static void flat(void)
{
    static const uint32_t masks[] = {1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x81, 0xff, 0};
    obey(to_flat);
    for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        uint64_t want = 0;
        for (unsigned id = 0; id < processors; id++)
            want |= masks[i] >> id % 8 & 1 ? BIT(id) : 0;
        check("flat", i % 2 ? processors - 1 : 0, masks[i], APIC_ICR_LOGICAL, want);
    }
}

static void clusters(void)
{
    static const uint32_t masks[] = {1, 8, 6, 0xf};
    obey(to_clusters);
    for (uint32_t number = 0; number < CLUSTERS; number++)
        for (unsigned i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
            uint64_t want = 0;
            for (unsigned id = 0; id < processors; id++)
                want |= id / 4 % CLUSTERS == number && masks[i] >> id % 4 & 1 ? BIT(id) : 0;
            check("cluster", i % 2 ? processors - 1 : 0, number << 4 | masks[i], APIC_ICR_LOGICAL, want);
        }
    check("cluster, all", 0, 0xff, APIC_ICR_LOGICAL, everybody());
}

static void x2apic_clusters(void)
{
    for (uint32_t number = 0; number <= processors / 16; number++)
        for (unsigned i = 0; i < 19; i++) {
            uint32_t mask = i < 16 ? 1U << i : i == 16 ? 0x8001 : i == 17 ? 0xffff : 0;
            uint64_t want = number < 4 ? (uint64_t)mask << number * 16 & everybody() : 0;
            check("x2APIC logical", i % 2 ? processors - 1 : 0, number << 16 | mask, APIC_ICR_LOGICAL, want);
        }
    check("x2APIC logical, no cluster", 0, 0x40001, APIC_ICR_LOGICAL, 0);
    check("x2APIC logical, no cluster", 0, 0x1000ffff, APIC_ICR_LOGICAL, 0);
}

/* One of those addressed, and everyone in turn. */
static void lowest(uint32_t dest, uint64_t among)
{
    uint64_t all = 0;
    unsigned extra;
    for (uint64_t left = among; left; left &= left - 1) {
        uint64_t who = send(0, dest, LOWEST | APIC_ICR_LOGICAL, &extra);
        report(who && !(who & (who - 1)) && !(who & ~among) && !extra, "lowest priority to %#x: %#lx", dest,
               who);
        all |= who;
    }
    report(all == among, "lowest priority to %#x: %#lx of %#lx have had their turn", dest, all, among);
}

/* --- starts --- */
static void start(unsigned id)
{
    sti();
    report(smp_start_one(id, PAGE_OF_START), "processor %u does not start", id);
    cli();
    smp_run(id, ear, 0);
}

static void to_x2apic(struct cpu *self)
{
    (void)self;
    apic_mode(true);
}

static void again(void)
{
    for (unsigned id = 15; id < processors; id += 16) {
        uint32_t starts = cpus[id].starts;
        start(id);
        report(cpus[id].starts == starts + 1, "processor %u has started %u times", id,
               cpus[id].starts - starts);
        check("after INIT and SIPI", 0, id, 0, BIT(id));
    }
}

void guest_main(const char *cmdline)
{
    processors = smp_init(cmdline);
    if (processors <= 16) {
        report(false, "%u processors are too few", processors);
        return;
    }
    irq_handlers[FENCE] = on_fence;
    irq_handlers[RELAY] = on_relay;
    irq_handlers[TIMEOUT] = on_timeout;
    for (unsigned id = 1; id < processors; id++)
        start(id);
    print("apic_wide: xAPIC, %u processors\n", processors);
    ids();
    physical();
    flat();
    lowest(0x10, 0x1010101010101010UL & everybody());
    clusters();
    again();
    obey(to_x2apic);
    print("apic_wide: x2APIC, %u processors\n", processors);
    ids();
    physical();
    x2apic_clusters();
    lowest(0x10000 | 0xffff, 0xffffUL << 16 & everybody());
    again();
    ids();
}
