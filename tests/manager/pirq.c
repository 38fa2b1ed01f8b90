/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupts: edges and levels, to the manager and to a guest; unbinding in every state; owners; dying domains. The
 * device is in pirq.h.
 */
#include "guest_abi/apic.h"
#include "guest_abi/irqchip.h"
#include "tests/manager/pirq.h"

#define RAX(call) ((uint64_t)HV_CALL_MAGIC << 32 | (call))

/* ---- the guest: its I/O APIC and what it takes */

static void lapic(uint32_t reg, uint32_t value)
{
    (void)guest_do(pirq_guest, 0, AGENT_WRITE, AGENT_LAPIC + reg, 4, value, 0);
}

static uint64_t sources(uint32_t pin)
{
    static struct hv_ioapic io;
    CHECK_EQ(irq_chip_get(pirq_guest->id, HV_IRQCHIP_STATE_IOAPIC, &io, HV_IOAPIC_SIZE(24)), 0);
    return io.pin[pin].sources;
}

/* Takes so many interrupts and then no more; the last one is not ended. */
static void take(uint32_t count, uint32_t vector)
{
    struct mailbox *box = guest_box(pirq_guest, 0);
    uint64_t until = box->interrupts + count, left = TAKE_MS;
    guest_go(pirq_guest, 0, AGENT_HLT, 1, 0, 0, 0);
    while (box->interrupts < until && left--)
        lab_sleep(1);
    lab_sleep(2);
    CHECK_CASE(box->interrupts - until + count, count, "interrupts, waiting for %#x", vector);
    if (count)
        CHECK_EQ(box->last_interrupt, vector);
    pirq_stop_guest();
}

static void eoi(void)
{
    lapic(APIC_EOI, 0);
}

/* ---- the tests */

static void edges_to_manager(void)
{
    pirq_is_unbound();
    pirq_to_us();
    CHECK_EQ(irq_pirq_ack(CLOCK), LINE(HV_ENOENT));
    CHECK_EQ(irq_pirq_unbind(CLOCK), LINE(HV_ENOENT));
    pirq_start(RTC_1024);
    CHECK(!lab_wait(NUMBER(22), 5));
    CHECK_EQ(pirq_bind(0, 0), CLOCK);
    CHECK_EQ(pirq_bind(0, 0), LINE(HV_EEXIST));
    const struct hv_pirq again = {.notifier = pirq_notifier, .cpu = HV_PIRQ_ANY_CPU};
    CHECK_EQ(irq_pirq_bind(3, &again), LINE(HV_EBUSY));
    for (unsigned i = 0; i < 20; i++) {
        (void)pirq_rtc(RTC_C);
        CHECK(lab_wait(NUMBER(22), TAKE_MS));
    }
    struct hv_pirq_info i = pirq_info();
    CHECK(i.flags == (HV_PIRQ_EDGE | HV_PIRQ_HIGH | HV_PIRQ_BOUND) && i.fired >= 20 && !i.storms);
    CHECK(i.vector >= 48 && (i.entry & 0xff) == i.vector && !(i.entry & MASKED));
    CHECK_EQ(i.notifier, pirq_notifier);
    CHECK_EQ(irq_pirq_ack(CLOCK), 0);
    CHECK_EQ(irq_pirq_unbind(CLOCK), 0);
    pirq_is_unbound();
    (void)lab_notified(NUMBER(22));
    (void)pirq_rtc(RTC_C);
    CHECK(!lab_wait(NUMBER(22), 5));
    for (uint32_t cpu = 0; cpu < lab_cpus(); cpu++) { /* and on each CPU */
        const struct hv_pirq b = {.notifier = pirq_notifier, .cpu = cpu};
        CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
        (void)pirq_rtc(RTC_C);
        CHECK(lab_wait(NUMBER(22), TAKE_MS));
        CHECK_EQ(pirq_info().cpu, cpu);
        CHECK_EQ(irq_pirq_unbind(CLOCK), 0);
    }
    pirq_stop();
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0);
}

static void edges_to_guest(void)
{
    pirq_redirect(20, 0x45);
    pirq_to_guest(20, false);
    CHECK_EQ(pirq_bind(0, 0), CLOCK);
    pirq_start(RTC_1024);
    for (unsigned i = 0; i < 10; i++) {
        (void)pirq_rtc(RTC_C);
        take(1, 0x45);
        eoi();
    }
    pirq_stop();
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0); /* unbinds it too */
    pirq_is_unbound();
}

/* Up while the clock's register has not been read: one interrupt after each EOI. */
static void level_to_guest(void)
{
    pirq_redirect(21, 0x55 | IOAPIC_RTE_LEVEL);
    pirq_to_guest(21, true);
    CHECK_EQ(pirq_bind(HV_PIRQ_LEVEL, 0), CLOCK);
    pirq_start(RTC_1024);
    lab_sleep(5);
    pirq_hold();
    for (unsigned i = 0; i < 5; i++) {
        take(1, 0x55);
        CHECK_EQ(pirq_info().flags, HV_PIRQ_LEVEL | HV_PIRQ_HIGH | HV_PIRQ_BOUND | HV_PIRQ_WAITS);
        CHECK_EQ(pirq_info().fired, i + 1);
        CHECK_EQ(sources(21), 2);
        eoi();
    }
    take(1, 0x55);
    (void)pirq_rtc(RTC_C);
    eoi();
    CHECK_EQ(sources(21), 0);
    CHECK_EQ(pirq_info().flags, HV_PIRQ_LEVEL | HV_PIRQ_HIGH | HV_PIRQ_BOUND);
    take(0, 0);
    CHECK(!lab_notified(NUMBER(21))); /* the listener is the line */
}

static void unbind_asserted(void)
{
    pirq_start(RTC_1024);
    lab_sleep(5);
    pirq_hold();
    CHECK_EQ(sources(21), 2);
    CHECK_EQ(irq_pirq_unbind(CLOCK), 0);
    CHECK_EQ(sources(21), 0);
    pirq_is_unbound();
    take(1, 0x55);
    eoi();
    take(0, 0);
    CHECK_EQ(pirq_bind(HV_PIRQ_LEVEL, 0), CLOCK); /* the device still wants something */
    take(1, 0x55);
    (void)pirq_rtc(RTC_C);
    eoi();
    take(0, 0);
    pirq_stop();
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0);
    CHECK_EQ(sources(21), 0);
}

static void level_to_manager(void)
{
    pirq_to_us();
    CHECK_EQ(pirq_bind(HV_PIRQ_LEVEL, 0), CLOCK);
    pirq_start(RTC_1024);
    CHECK(lab_wait(NUMBER(22), TAKE_MS));
    pirq_hold();
    for (unsigned i = 0; i < 5; i++) {
        CHECK(!lab_wait(NUMBER(22), 2));
        CHECK(pirq_info().flags & HV_PIRQ_WAITS);
        CHECK_EQ(irq_pirq_ack(CLOCK), 1);
        CHECK(lab_wait(NUMBER(22), TAKE_MS));
    }
    (void)pirq_rtc(RTC_C);
    CHECK_EQ(irq_pirq_ack(CLOCK), 1);
    CHECK(!lab_wait(NUMBER(22), 2));
    CHECK_EQ(irq_pirq_ack(CLOCK), 0);
    CHECK_EQ(pirq_info().fired, 6);
    pirq_stop();
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0);
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
    pirq_to_us();
    CHECK_EQ(pirq_bind(0, 0), CLOCK);
    CHECK_EQ(irq_pirq_give(CLOCK, other->id), 0);
    CHECK_EQ(pirq_info().flags & HV_PIRQ_BOUND, 0);
    CHECK_EQ(pirq_info().owner, other->id);
    CHECK_EQ(pirq_bind(0, 0), LINE(HV_EPERM));
    CHECK_EQ(irq_pirq_unbind(CLOCK), LINE(HV_EPERM));
    CHECK_EQ(irq_pirq_ack(CLOCK), LINE(HV_EPERM));
    b->notifier = pirq_notifier; /* not its own */
    CHECK_EQ(guest_call(other, 0, RAX(HV_CALL_PIRQ_BIND), args), LINE(HV_EPERM));
    for (unsigned round = 0; round < 2; round++) {
        b->notifier = (uint64_t)handle;
        CHECK_EQ(guest_call(other, 0, RAX(HV_CALL_PIRQ_BIND), args), CLOCK);
        pirq_start(RTC_1024);
        lab_sleep(5);
        CHECK(pirq_info().fired);
        const uint64_t read[6] = {(uint64_t)handle};
        CHECK(guest_call(other, 0, RAX(HV_CALL_NOTIFIER_READ), read) > 0);
        if (round == 0) {
            CHECK_EQ(irq_pirq_give(CLOCK, 0), 0);
            CHECK_EQ(irq_pirq_give(CLOCK, other->id), 0);
        }
    }
    CHECK_EQ(guest_destroy(other), 0);
    pirq_is_unbound();
    other->may = 0;
    CHECK_EQ(pirq_bind(0, 0), CLOCK);
    (void)pirq_rtc(RTC_C);
    CHECK(lab_wait(NUMBER(22), TAKE_MS));
    pirq_stop();
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0);
}

/* The target goes while its line is up: the physical line stays blocked until it is unbound or acknowledged. */
static void dying_target(void)
{
    pirq_redirect(21, 0x55 | IOAPIC_RTE_LEVEL);
    pirq_to_guest(21, true);
    CHECK_EQ(pirq_bind(HV_PIRQ_LEVEL, 0), CLOCK);
    pirq_start(RTC_1024);
    lab_sleep(5);
    CHECK_EQ(sources(21), 2);
    CHECK_EQ(guest_destroy(pirq_guest), 0);
    CHECK(pirq_info().flags & HV_PIRQ_WAITS);
    uint64_t fired = pirq_info().fired;
    CHECK_EQ(irq_pirq_ack(CLOCK), 1);
    lab_sleep(2);
    CHECK_EQ(pirq_info().fired, fired + 1);
    CHECK_EQ(irq_notifier_read(pirq_notifier), fired + 1);
    pirq_stop();
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0);
    pirq_is_unbound();
}

/* More bindings than there are vectors. */
static void many(void)
{
    pirq_to_us();
    for (unsigned i = 0; i < 400; i++) {
        CHECK_EQ(pirq_bind(i % 2 ? HV_PIRQ_LEVEL : 0, 0), CLOCK);
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
    pirq_is_unbound();
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0);
}

void test_pirq(void)
{
    pirq_guest = guest_slot(0);
    pirq_guest->flags = HV_DOMAIN_IRQCHIP_FULL;
    CHECK_EQ(irq_notifier_close((uint64_t)irq_notifier_notify(0, NUMBER(0))), 0);
    guest_start(pirq_guest, "first", 1);
    CHECK_EQ(guest_destroy(pirq_guest), 0);
    CHECK_EQ(hv_capability(HV_CAP_PIRQS), 24);
    struct audit audit = lab_audit();
    pirq_stop();
    edges_to_manager();
    guest_start(pirq_guest, "devices", 1);
    lapic(APIC_SVR, 0x1ff);
    edges_to_guest();
    level_to_guest();
    unbind_asserted();
    level_to_manager();
    owners();
    pirq_storms();
    dying_target();
    many();
    pirq_guest->flags = 0;
    lab_audit_check(&audit, "pirq");
}
