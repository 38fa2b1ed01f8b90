/* SPDX-License-Identifier: BSD-2-Clause */
/* Storms of physical interrupts: they are cut, counted and reported, and the others go on. */
#include <stdio.h>

#include "guest_abi/irqchip.h"
#include "tests/manager/pirq.h"

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
    CHECK_EQ(hv_vcpu_affinity(pirq_guest->id, 0, 1), 0);
    CHECK_EQ(hv_vcpu_affinity(other->id, 0, 1), 0);
    guest_go(other, 0, AGENT_SPIN, 0, 0, 0, 0);
    guest_go(pirq_guest, 0, AGENT_SPIN, 0, 0, 0, 0);
    uint64_t share = progress(other, 300);
    pirq_stop_guest();
    pirq_redirect(21, 0x55 | IOAPIC_RTE_LEVEL);
    pirq_to_guest(21, true);
    guest_go(pirq_guest, 0, AGENT_EOIS, 0, 0, 0, 0);
    const struct hv_pirq b = {
        .flags = HV_PIRQ_LEVEL, .notifier = pirq_notifier, .limit = 5, .storm_number = NUMBER(20)};
    CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
    pirq_start(RTC_1024);
    uint64_t kept = progress(other, 300);
    struct hv_pirq_info i = pirq_info();
    CHECK(lab_notified(NUMBER(20)));
    CHECK_CASE(i.storms >= 2 && i.storms <= 4, true, "%u storms", (unsigned)i.storms);
    CHECK_CASE(i.fired >= 12 && i.fired <= 30, true, "%u interrupts", (unsigned)i.fired);
    CHECK_CASE(kept >= share / 4 * 3, true, "share %u, kept %u", (unsigned)share, (unsigned)kept);
    for (uint64_t left = 400; left && !(pirq_info().flags & HV_PIRQ_STORMED); left--)
        lab_sleep(1);
    CHECK(pirq_info().flags & HV_PIRQ_STORMED);
    CHECK_EQ(irq_pirq_unbind(CLOCK), 0); /* in the pause */
    pirq_is_unbound();
    CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
    (void)pirq_rtc(RTC_C);
    CHECK(pirq_info().fired);
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0);
    pirq_stop();
    pirq_stop_guest();
    guest_box(other, 0)->stop = 1;
    guest_done(other, 0);
    CHECK_EQ(guest_destroy(other), 0);
}

/* Too many edges: after each pause they go on, the last one is not lost. */
static void edge_storm(void)
{
    pirq_to_us();
    (void)lab_notified(NUMBER(20));
    CHECK_EQ(pirq_bind(0, 20), CLOCK);
    pirq_start(RTC_8192);
    for (uint64_t end = lab_now() + 250 * lab_ms(); lab_now() < end;)
        (void)pirq_rtc(RTC_C);
    CHECK(lab_notified(NUMBER(20)) && lab_notified(NUMBER(22)));
    struct hv_pirq_info i = pirq_info();
    CHECK_CASE(i.storms >= 2 && i.storms <= 3, true, "%u storms", (unsigned)i.storms);
    CHECK_CASE(i.fired >= 42 && i.fired <= 90, true, "%u interrupts", (unsigned)i.fired);
    pirq_stop();
    CHECK(lab_wait(NUMBER(22), 200)); /* one more at the end of the pause */
    lab_sleep(120);
    CHECK_EQ(pirq_info().flags & HV_PIRQ_STORMED, 0);
    CHECK_EQ(pirq_info().storms, i.storms);
    pirq_start(RTC_1024);
    CHECK(lab_wait(NUMBER(22), TAKE_MS));
    pirq_stop();
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0);
}

/* 8192 edges a second: `ms` of it, as this CPU reads the register; how far the neighbour comes meanwhile. */
static uint64_t under_edges(struct guest *neighbour, uint64_t ms)
{
    uint64_t before = guest_box(neighbour, 0)->counter;
    for (uint64_t end = lab_now() + ms * lab_ms(); lab_now() < end;)
        (void)pirq_rtc(RTC_C);
    return guest_box(neighbour, 0)->counter - before;
}

/* The clock's interrupts hit a CPU that has a neighbour to run: unchecked they cost it much, as a storm next to nothing. */
static void neighbour_of_edges(void)
{
    struct guest *neighbour = guest_slot(1);
    struct hv_pirq b = {.cpu = 1, .limit = 1000000};
    if (lab_cpus() < 2)
        return;
    pirq_to_us();
    b.notifier = pirq_notifier;
    guest_start(neighbour, "neighbour", 1);
    CHECK_EQ(hv_vcpu_affinity(neighbour->id, 0, 2), 0);
    guest_go(neighbour, 0, AGENT_SPIN, 0, 0, 0, 0);
    pirq_start(RTC_8192);
    uint64_t alone = under_edges(neighbour, 300);
    CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
    uint64_t unchecked = under_edges(neighbour, 300);
    CHECK_EQ(pirq_info().storms, 0);
    CHECK_EQ(irq_pirq_unbind(CLOCK), 0);
    b.limit = 20;
    CHECK_EQ(irq_pirq_bind(CLOCK, &b), CLOCK);
    uint64_t checked;
    for (uint64_t end = lab_now() + 2000 * lab_ms(); pirq_info().storms < 5 && lab_now() < end;)
        (void)pirq_rtc(RTC_C); /* the log speaks of the first ones, which costs time too */
    CHECK_EQ(pirq_info().storms, 5);
    checked = under_edges(neighbour, 300);
    CHECK(pirq_info().storms >= 6);
    printf("neighbour: alone %u, storm unchecked %u, checked %u\n", (unsigned)alone, (unsigned)unchecked,
           (unsigned)checked);
    CHECK(checked >= alone / 20 * 19);
    CHECK(checked > unchecked);
    pirq_stop();
    CHECK_EQ(irq_notifier_close(pirq_notifier), 0);
    guest_box(neighbour, 0)->stop = 1;
    guest_done(neighbour, 0);
    CHECK_EQ(guest_destroy(neighbour), 0);
}

void pirq_storms(void)
{
    stuck_line();
    edge_storm();
    neighbour_of_edges();
}
