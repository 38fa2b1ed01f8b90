/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupts, from the machine's clock chip, whose ports are the manager's: it raises ISA interrupt 8 at up to
 * 8192 Hz and holds the line up until register C is read. Its pin taken as an edge or as a level makes it a source of
 * either kind, and one that nobody reads a line that is stuck.
 */
#include <stdio.h>

#include "guest_abi/apic.h"
#include "guest_abi/irqchip.h"
#include "mgmt/lib/irq.h"
#include "tests/manager/lab.h"

#define NUMBER(n)  (HV_NOTIFY_OWN + (n))
#define LINE(name) -(uint64_t)(name)
#define RAX(call)  ((uint64_t)HV_CALL_MAGIC << 32 | (call))
#define TAKE_MS    2000U
#define CLOCK      8U /* ISA interrupt, and GSI */
#define MASKED     (1U << 16)

enum {
    RTC_A = 10,
    RTC_B,
    RTC_C,
    RTC_PIE = 0x40,
    RTC_24H = 2,
    RTC_1024 = 0x26,
    RTC_8192 = 0x23,
    RTC_2 = 0x2f
};

static struct guest *g;
static uint64_t clock_notifier;

static uint8_t rtc(uint8_t reg)
{
    uint8_t value;
    __asm__ volatile("outb %b1, $0x70; inb $0x71, %b0" : "=a"(value) : "0"(reg));
    return value;
}

static void rtc_set(uint8_t reg, uint8_t value)
{
    __asm__ volatile("outb %b0, $0x70" ::"a"(reg));
    __asm__ volatile("outb %b0, $0x71" ::"a"(value));
}

static void clock_start(uint8_t rate)
{
    rtc_set(RTC_A, rate);
    rtc_set(RTC_B, RTC_24H | RTC_PIE);
    (void)rtc(RTC_C);
}

/* No further tick; the line stays as it is. */
static void clock_hold(void)
{
    rtc_set(RTC_A, RTC_2 & 0xf0);
}

static void clock_stop(void)
{
    rtc_set(RTC_B, RTC_24H);
    (void)rtc(RTC_C);
}

static struct hv_pirq_info info(void)
{
    struct hv_pirq_info i;
    CHECK_EQ(irq_pirq_info(CLOCK, &i), 0);
    return i;
}

static int64_t bind(uint32_t flags, uint32_t limit)
{
    const struct hv_pirq b = {.flags = HV_PIRQ_ISA | flags,
                              .notifier = clock_notifier,
                              .cpu = HV_PIRQ_ANY_CPU,
                              .limit = limit,
                              .storm_number = NUMBER(20)};
    return irq_pirq_bind(CLOCK, &b);
}

static void is_unbound(void)
{
    struct hv_pirq_info i = info();
    CHECK_EQ(i.flags, HV_PIRQ_EDGE | HV_PIRQ_HIGH);
    CHECK(i.entry & MASKED);
    CHECK_EQ(i.owner | i.vector | i.cpu | i.fired | i.notifier, 0);
}

/* ---- the guest: its I/O APIC and what it takes */

static void lapic(uint32_t reg, uint32_t value)
{
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_LAPIC + reg, 4, value, 0);
}

static void redirect(uint32_t pin, uint32_t low)
{
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_IOAPIC, 4, IOAPIC_REDTBL + 2 * pin, 0);
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_IOAPIC + IOAPIC_IOWIN, 4, low, 0);
}

static uint64_t sources(uint32_t pin)
{
    static struct hv_ioapic io;
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_IOAPIC, &io, HV_IOAPIC_SIZE(24)), 0);
    return io.pin[pin].sources;
}

static void stop_guest(void)
{
    guest_box(g, 0)->stop = 1;
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
    guest_done(g, 0);
}

/* Takes so many interrupts and then no more; the last one is not ended. */
static void take(uint32_t count, uint32_t vector)
{
    struct mailbox *box = guest_box(g, 0);
    uint64_t until = box->interrupts + count, left = TAKE_MS;
    guest_go(g, 0, AGENT_HLT, 1, 0, 0, 0);
    while (box->interrupts < until && left--)
        lab_sleep(1);
    lab_sleep(2);
    CHECK_CASE(box->interrupts - until + count, count, "interrupts, waiting for %#x", vector);
    if (count)
        CHECK_EQ(box->last_interrupt, vector);
    stop_guest();
}

static void eoi(void)
{
    lapic(APIC_EOI, 0);
}

static void to_guest(uint32_t gsi, bool resample)
{
    int64_t n = resample ? irq_notifier_resample(g->id, gsi, 0, NUMBER(21)) : irq_notifier_gsi(g->id, gsi);
    CHECK(n > 0);
    clock_notifier = (uint64_t)n;
}

static void to_us(void)
{
    clock_notifier = (uint64_t)irq_notifier_notify(0, NUMBER(22));
    CHECK((int64_t)clock_notifier > 0);
}

/* ---- the tests */

static void edges_to_manager(void)
{
    is_unbound();
    to_us();
    CHECK_EQ(irq_pirq_ack(CLOCK), LINE(HV_ENOENT));
    CHECK_EQ(irq_pirq_unbind(CLOCK), LINE(HV_ENOENT));
    clock_start(RTC_1024);
    CHECK(!lab_wait(NUMBER(22), 5));
    CHECK_EQ(bind(0, 0), CLOCK);
    CHECK_EQ(bind(0, 0), LINE(HV_EEXIST));
    const struct hv_pirq again = {.notifier = clock_notifier, .cpu = HV_PIRQ_ANY_CPU};
    CHECK_EQ(irq_pirq_bind(3, &again), LINE(HV_EBUSY));
    for (unsigned i = 0; i < 20; i++) {
        (void)rtc(RTC_C);
        CHECK(lab_wait(NUMBER(22), TAKE_MS));
    }
    struct hv_pirq_info i = info();
    CHECK(i.flags == (HV_PIRQ_EDGE | HV_PIRQ_HIGH | HV_PIRQ_BOUND) && i.fired >= 20 && !i.storms);
    CHECK(i.vector >= 48 && (i.entry & 0xff) == i.vector && !(i.entry & MASKED));
    CHECK_EQ(i.notifier, clock_notifier);
    CHECK_EQ(irq_pirq_ack(CLOCK), 0);
    CHECK_EQ(irq_pirq_unbind(CLOCK), 0);
    is_unbound();
    (void)lab_notified(NUMBER(22));
    (void)rtc(RTC_C);
    CHECK(!lab_wait(NUMBER(22), 5));
    for (uint32_t cpu = 0; cpu < lab_cpus(); cpu++) { /* and on each CPU */
        const struct hv_pirq b = {.notifier = clock_notifier, .cpu = cpu};
        CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
        (void)rtc(RTC_C);
        CHECK(lab_wait(NUMBER(22), TAKE_MS));
        CHECK_EQ(info().cpu, cpu);
        CHECK_EQ(irq_pirq_unbind(CLOCK), 0);
    }
    clock_stop();
    CHECK_EQ(irq_notifier_close(clock_notifier), 0);
}

static void edges_to_guest(void)
{
    redirect(20, 0x45);
    to_guest(20, false);
    CHECK_EQ(bind(0, 0), CLOCK);
    clock_start(RTC_1024);
    for (unsigned i = 0; i < 10; i++) {
        (void)rtc(RTC_C);
        take(1, 0x45);
        eoi();
    }
    clock_stop();
    CHECK_EQ(irq_notifier_close(clock_notifier), 0); /* unbinds it too */
    is_unbound();
}

/* Up while the clock's register has not been read: one interrupt after each EOI. */
static void level_to_guest(void)
{
    redirect(21, 0x55 | IOAPIC_RTE_LEVEL);
    to_guest(21, true);
    CHECK_EQ(bind(HV_PIRQ_LEVEL, 0), CLOCK);
    clock_start(RTC_1024);
    lab_sleep(5);
    clock_hold();
    for (unsigned i = 0; i < 5; i++) {
        take(1, 0x55);
        CHECK_EQ(info().flags, HV_PIRQ_LEVEL | HV_PIRQ_HIGH | HV_PIRQ_BOUND | HV_PIRQ_WAITS);
        CHECK_EQ(info().fired, i + 1);
        CHECK_EQ(sources(21), 2);
        eoi();
    }
    take(1, 0x55);
    (void)rtc(RTC_C);
    eoi();
    CHECK_EQ(sources(21), 0);
    CHECK_EQ(info().flags, HV_PIRQ_LEVEL | HV_PIRQ_HIGH | HV_PIRQ_BOUND);
    take(0, 0);
    CHECK(!lab_notified(NUMBER(21))); /* the listener is the line */
}

static void unbind_asserted(void)
{
    clock_start(RTC_1024);
    lab_sleep(5);
    clock_hold();
    CHECK_EQ(sources(21), 2);
    CHECK_EQ(irq_pirq_unbind(CLOCK), 0);
    CHECK_EQ(sources(21), 0);
    is_unbound();
    take(1, 0x55);
    eoi();
    take(0, 0);
    CHECK_EQ(bind(HV_PIRQ_LEVEL, 0), CLOCK); /* the device still wants something */
    take(1, 0x55);
    (void)rtc(RTC_C);
    eoi();
    take(0, 0);
    clock_stop();
    CHECK_EQ(irq_notifier_close(clock_notifier), 0);
    CHECK_EQ(sources(21), 0);
}

static void level_to_manager(void)
{
    to_us();
    CHECK_EQ(bind(HV_PIRQ_LEVEL, 0), CLOCK);
    clock_start(RTC_1024);
    CHECK(lab_wait(NUMBER(22), TAKE_MS));
    clock_hold();
    for (unsigned i = 0; i < 5; i++) {
        CHECK(!lab_wait(NUMBER(22), 2));
        CHECK(info().flags & HV_PIRQ_WAITS);
        CHECK_EQ(irq_pirq_ack(CLOCK), 1);
        CHECK(lab_wait(NUMBER(22), TAKE_MS));
    }
    (void)rtc(RTC_C);
    CHECK_EQ(irq_pirq_ack(CLOCK), 1);
    CHECK(!lab_wait(NUMBER(22), 2));
    CHECK_EQ(irq_pirq_ack(CLOCK), 0);
    CHECK_EQ(info().fired, 6);
    clock_stop();
    CHECK_EQ(irq_notifier_close(clock_notifier), 0);
}

/* A line of another domain: it binds it, the manager may not; it comes back when the domain goes, or when it is taken. */
static void owners(void)
{
    struct guest *other = guest_slot(1);
    other->may = HV_MAY_DOMAINS;
    guest_start(other, "owner", 1);
    struct hv_notifier *n = (void *)guest_scratch(other);
    struct hv_pirq *b = (void *)(guest_scratch(other) + 256);
    uint64_t create[6] = {AGENT_SCRATCH}, args[6] = {CLOCK, AGENT_SCRATCH + 256};
    *n = (struct hv_notifier){.size = sizeof(*n)};
    int64_t handle = guest_call(other, 0, RAX(HV_CALL_NOTIFIER_CREATE), create);
    CHECK(handle > 0);
    *b = (struct hv_pirq){.size = sizeof(*b), .notifier = (uint64_t)handle, .cpu = HV_PIRQ_ANY_CPU};
    CHECK_EQ(guest_call(other, 0, RAX(HV_CALL_PIRQ_BIND), args), LINE(HV_EPERM));
    CHECK_EQ(guest_call(other, 0, RAX(HV_CALL_PIRQ_INFO), args), LINE(HV_EPERM));
    to_us();
    CHECK_EQ(bind(0, 0), CLOCK);
    CHECK_EQ(irq_pirq_give(CLOCK, other->id), 0);
    CHECK_EQ(info().flags & HV_PIRQ_BOUND, 0);
    CHECK_EQ(info().owner, other->id);
    CHECK_EQ(bind(0, 0), LINE(HV_EPERM));
    CHECK_EQ(irq_pirq_unbind(CLOCK), LINE(HV_EPERM));
    CHECK_EQ(irq_pirq_ack(CLOCK), LINE(HV_EPERM));
    b->notifier = clock_notifier; /* not its own */
    CHECK_EQ(guest_call(other, 0, RAX(HV_CALL_PIRQ_BIND), args), LINE(HV_EPERM));
    for (unsigned round = 0; round < 2; round++) {
        b->notifier = (uint64_t)handle;
        CHECK_EQ(guest_call(other, 0, RAX(HV_CALL_PIRQ_BIND), args), CLOCK);
        clock_start(RTC_1024);
        lab_sleep(5);
        CHECK(info().fired);
        const uint64_t read[6] = {(uint64_t)handle};
        CHECK(guest_call(other, 0, RAX(HV_CALL_NOTIFIER_READ), read) > 0);
        if (round == 0) {
            CHECK_EQ(irq_pirq_give(CLOCK, 0), 0);
            CHECK_EQ(irq_pirq_give(CLOCK, other->id), 0);
        }
    }
    CHECK_EQ(guest_destroy(other), 0);
    is_unbound();
    other->may = 0;
    CHECK_EQ(bind(0, 0), CLOCK);
    (void)rtc(RTC_C);
    CHECK(lab_wait(NUMBER(22), TAKE_MS));
    clock_stop();
    CHECK_EQ(irq_notifier_close(clock_notifier), 0);
}

/* The target goes while its line is up: the physical line stays blocked until it is unbound or acknowledged. */
static void dying_target(void)
{
    redirect(21, 0x55 | IOAPIC_RTE_LEVEL);
    to_guest(21, true);
    CHECK_EQ(bind(HV_PIRQ_LEVEL, 0), CLOCK);
    clock_start(RTC_1024);
    lab_sleep(5);
    CHECK_EQ(sources(21), 2);
    CHECK_EQ(guest_destroy(g), 0);
    CHECK(info().flags & HV_PIRQ_WAITS);
    uint64_t fired = info().fired;
    CHECK_EQ(irq_pirq_ack(CLOCK), 1);
    lab_sleep(2);
    CHECK_EQ(info().fired, fired + 1);
    CHECK_EQ(irq_notifier_read(clock_notifier), fired + 1);
    clock_stop();
    CHECK_EQ(irq_notifier_close(clock_notifier), 0);
    is_unbound();
}

/* ---- storms */

static uint64_t progress(struct guest *of, uint64_t ms)
{
    uint64_t before = guest_box(of, 0)->counter;
    lab_sleep(ms);
    return guest_box(of, 0)->counter - before;
}

/* A stuck line: the guest ends each interrupt at once and gets the next. Another domain on its CPU keeps its share. */
static void stuck_line(void)
{
    struct guest *other = guest_slot(1);
    guest_start(other, "neighbour", 1);
    CHECK_EQ(hv_vcpu_affinity(g->id, 0, 1), 0);
    CHECK_EQ(hv_vcpu_affinity(other->id, 0, 1), 0);
    guest_go(other, 0, AGENT_SPIN, 0, 0, 0, 0);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    uint64_t share = progress(other, 300);
    stop_guest();
    redirect(21, 0x55 | IOAPIC_RTE_LEVEL);
    to_guest(21, true);
    guest_go(g, 0, AGENT_EOIS, 0, 0, 0, 0);
    const struct hv_pirq b = {
        .flags = HV_PIRQ_LEVEL, .notifier = clock_notifier, .limit = 5, .storm_number = NUMBER(20)};
    CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
    clock_start(RTC_1024);
    uint64_t kept = progress(other, 300);
    struct hv_pirq_info i = info();
    CHECK(lab_notified(NUMBER(20)));
    CHECK_CASE(i.storms >= 2 && i.storms <= 4, true, "%u storms", (unsigned)i.storms);
    CHECK_CASE(i.fired >= 12 && i.fired <= 30, true, "%u interrupts", (unsigned)i.fired);
    CHECK_CASE(kept >= share / 4 * 3, true, "share %u, kept %u", (unsigned)share, (unsigned)kept);
    for (uint64_t left = 400; left && !(info().flags & HV_PIRQ_STORMED); left--)
        lab_sleep(1);
    CHECK(info().flags & HV_PIRQ_STORMED);
    CHECK_EQ(irq_pirq_unbind(CLOCK), 0); /* in the pause */
    is_unbound();
    CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
    (void)rtc(RTC_C);
    CHECK(info().fired);
    CHECK_EQ(irq_notifier_close(clock_notifier), 0);
    clock_stop();
    stop_guest();
    guest_box(other, 0)->stop = 1;
    guest_done(other, 0);
    CHECK_EQ(guest_destroy(other), 0);
}

/* Too many edges: after each pause they go on, the last one is not lost. */
static void edge_storm(void)
{
    to_us();
    (void)lab_notified(NUMBER(20));
    CHECK_EQ(bind(0, 20), CLOCK);
    clock_start(RTC_8192);
    for (uint64_t end = lab_now() + 250 * lab_ms(); lab_now() < end;)
        (void)rtc(RTC_C);
    CHECK(lab_notified(NUMBER(20)) && lab_notified(NUMBER(22)));
    struct hv_pirq_info i = info();
    CHECK_CASE(i.storms >= 2 && i.storms <= 3, true, "%u storms", (unsigned)i.storms);
    CHECK_CASE(i.fired >= 42 && i.fired <= 90, true, "%u interrupts", (unsigned)i.fired);
    clock_stop();
    CHECK(lab_wait(NUMBER(22), 200)); /* one more at the end of the pause */
    lab_sleep(120);
    CHECK_EQ(info().flags & HV_PIRQ_STORMED, 0);
    CHECK_EQ(info().storms, i.storms);
    clock_start(RTC_1024);
    CHECK(lab_wait(NUMBER(22), TAKE_MS));
    clock_stop();
    CHECK_EQ(irq_notifier_close(clock_notifier), 0);
}

/* 8192 edges a second: `ms` of it, as this CPU reads the register; how far the neighbour comes meanwhile. */
static uint64_t under_edges(struct guest *neighbour, uint64_t ms)
{
    uint64_t before = guest_box(neighbour, 0)->counter;
    for (uint64_t end = lab_now() + ms * lab_ms(); lab_now() < end;)
        (void)rtc(RTC_C);
    return guest_box(neighbour, 0)->counter - before;
}

/* The clock's interrupts hit a CPU that has a neighbour to run: unchecked they cost it much, as a storm next to nothing. */
static void neighbour_of_edges(void)
{
    struct guest *neighbour = guest_slot(1);
    struct hv_pirq b = {.cpu = 1, .limit = 1000000};
    if (lab_cpus() < 2)
        return;
    to_us();
    b.notifier = clock_notifier;
    guest_start(neighbour, "neighbour", 1);
    CHECK_EQ(hv_vcpu_affinity(neighbour->id, 0, 2), 0);
    guest_go(neighbour, 0, AGENT_SPIN, 0, 0, 0, 0);
    clock_start(RTC_8192);
    uint64_t alone = under_edges(neighbour, 300);
    CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
    uint64_t unchecked = under_edges(neighbour, 300);
    CHECK_EQ(info().storms, 0);
    CHECK_EQ(irq_pirq_unbind(CLOCK), 0);
    b.limit = 20;
    CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
    uint64_t checked;
    for (uint64_t end = lab_now() + 2000 * lab_ms(); info().storms < 5 && lab_now() < end;)
        (void)rtc(RTC_C); /* the log speaks of the first ones, which costs time too */
    CHECK_EQ(info().storms, 5);
    checked = under_edges(neighbour, 300);
    CHECK(info().storms >= 6);
    printf("neighbour: alone %u, storm unchecked %u, checked %u\n", (unsigned)alone, (unsigned)unchecked,
           (unsigned)checked);
    CHECK(checked >= alone / 20 * 19);
    CHECK(checked > unchecked);
    clock_stop();
    CHECK_EQ(irq_notifier_close(clock_notifier), 0);
    guest_box(neighbour, 0)->stop = 1;
    guest_done(neighbour, 0);
    CHECK_EQ(guest_destroy(neighbour), 0);
}

/* More bindings than there are vectors. */
static void many(void)
{
    to_us();
    for (unsigned i = 0; i < 400; i++) {
        CHECK_EQ(bind(i % 2 ? HV_PIRQ_LEVEL : 0, 0), CLOCK);
        CHECK_EQ(irq_pirq_unbind(CLOCK), 0);
    }
    int64_t handle[24];
    uint64_t vectors = 0, bound = 0;
    for (uint32_t gsi = 0; gsi < 24; gsi++) {
        const struct hv_pirq b = {.notifier = (uint64_t)(handle[gsi] = irq_notifier_notify(0, NUMBER(30))),
                                  .cpu = HV_PIRQ_ANY_CPU};
        struct hv_pirq_info i;
        CHECK(handle[gsi] > 0);
        int64_t result = irq_pirq_bind(gsi, &b);
        CHECK_EQ(result, gsi);
        CHECK_EQ(irq_pirq_info(gsi, &i), 0);
        bound += i.flags >> 8 & 1;
        CHECK(!(vectors >> i.vector % 64 & 1)); /* 24 neighbours: no two are the same */
        vectors |= 1ULL << i.vector % 64;
    }
    CHECK_EQ(bound, 24);
    for (uint32_t gsi = 0; gsi < 24; gsi++)
        CHECK_EQ(irq_notifier_close((uint64_t)handle[gsi]), 0);
    is_unbound();
    CHECK_EQ(irq_notifier_close(clock_notifier), 0);
}

void test_pirq(void)
{
    g = guest_slot(0);
    g->flags = HV_DOMAIN_IRQCHIP_FULL;
    CHECK_EQ(irq_notifier_close((uint64_t)irq_notifier_notify(0, NUMBER(0))), 0);
    guest_start(g, "first", 1);
    CHECK_EQ(guest_destroy(g), 0);
    CHECK_EQ(hv_capability(HV_CAP_PIRQS), 24);
    struct audit audit = lab_audit();
    clock_stop();
    edges_to_manager();
    guest_start(g, "devices", 1);
    lapic(APIC_SVR, 0x1ff);
    edges_to_guest();
    level_to_guest();
    unbind_asserted();
    level_to_manager();
    owners();
    stuck_line();
    edge_storm();
    neighbour_of_edges();
    dying_target();
    many();
    g->flags = 0;
    lab_audit_check(&audit, "pirq");
}
