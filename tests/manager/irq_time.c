/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What interrupts have to do with time: histograms of how long they take, a line that nobody lowers, ticks of the PIT that
 * a busy guest misses, and counts of the PIT at their ends.
 */
#include <string.h>

#include "tests/manager/irq_guest.h"

#define LEVEL 21U
#define SLOW  20U /* milliseconds that an interrupt is kept waiting */

static struct guest *g;

/* ---- histograms */

/* How many in all; *slowest: the last bucket with one. */
static uint64_t histogram(uint32_t gsi, uint32_t *slowest)
{
    struct hv_route_latency l;
    uint64_t all = 0;
    CHECK_EQ(irq_route_latency(g->id, gsi, &l), 0);
    CHECK_EQ(l.gsi, gsi);
    for (uint32_t i = 0; i < HV_LATENCY_BUCKETS; i++) {
        all += l.count[i];
        if (l.count[i])
            *slowest = i;
    }
    return all;
}

/* The bucket of a duration, from the definition in hv_route.h. */
static uint32_t bucket(uint64_t ticks)
{
    uint32_t n = 0;
    while (n + 1 < HV_LATENCY_BUCKETS && ticks >= 1ULL << (HV_LATENCY_SHIFT + n))
        n++;
    return n;
}

static void latency(void)
{
    uint32_t slowest = 99, of_slow = bucket(SLOW * lab_ms());
    CHECK_EQ(histogram(LEVEL, &slowest), 0);
    irq_redirect(g, LEVEL, 0x55 | IOAPIC_RTE_LEVEL);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t start = lab_now();
        CHECK_EQ(irq_line(g->id, LEVEL, 1), 1);
        irq_take(g, 1, 0x55);
        CHECK_EQ(histogram(LEVEL, &slowest), i); /* not before its end */
        CHECK_EQ(irq_line(g->id, LEVEL, 0), 1);
        if (i == 3)
            lab_sleep(SLOW);
        irq_eoi(g);
        CHECK_EQ(histogram(LEVEL, &slowest), i + 1U);
        CHECK_CASE(slowest <= bucket(lab_now() - start), true, "bucket %u of an interrupt %u", slowest, i);
    }
    CHECK_CASE(slowest >= of_slow, true, "bucket %u, of %u ms is %u", slowest, SLOW, of_slow);
    CHECK_EQ(irq_stats(g, LEVEL).acknowledged, 4);
    irq_open_pic(g, 0xf7); /* the PIC's; the I/O APIC's pin 3 is masked */
    CHECK_EQ(irq_line(g->id, 3, 1), 1);
    CHECK_EQ(irq_line(g->id, 3, 0), 2);
    irq_take(g, 1, 0x23);
    CHECK_EQ(histogram(3, &slowest), 0);
    irq_out(g, 0x20, 0x20);
    CHECK_EQ(histogram(3, &slowest), 1);
    irq_lapic(g, APIC_LVT_LINT0, APIC_LVT_MASKED);
    irq_redirect(g, 20, 0x45); /* nobody sees when edges and messages end */
    CHECK_EQ(irq_route_message(g->id, 40, MSI_BASE, 0x61), 0);
    CHECK_EQ(irq_line(g->id, 20, 1), 1);
    CHECK_EQ(irq_line(g->id, 20, 0), 1);
    CHECK_EQ(irq_line(g->id, 40, 1), 1);
    irq_take(g, 1, 0x61);
    irq_eoi(g);
    irq_take(g, 1, 0x45);
    irq_eoi(g);
    CHECK_EQ(histogram(20, &slowest) + histogram(40, &slowest), 0);
    struct hv_vcpu_apic s;
    CHECK_EQ(call_vcpu_apic(g->id, 0, &s), 0);
    CHECK(s.count[HV_APIC_ACCEPTED] >= 6 && !s.count[HV_APIC_IPI] && !s.count[HV_APIC_ERRORS]);
}

/* ---- a line that is up for good */

static bool log_says(const char *what)
{
    static char text[8192];
    uint64_t position = 0, lost;
    size_t end = 0;
    int64_t got;
    while ((got = call_log_read(&position, &lost, text + end, 200)) > 0) {
        end += (size_t)got;
        text[end] = 0;
        if (strstr(text, what))
            return true;
        if (end > sizeof(text) - 512) { /* keeps the end of what was seen */
            memmove(text, text + end - 256, 256);
            end = 256;
        }
    }
    return false;
}

static uint64_t progress(struct guest *of, uint64_t ms)
{
    uint64_t before = guest_box(of, 0)->counter;
    lab_sleep(ms);
    return guest_box(of, 0)->counter - before;
}

/* The guest ends it and gets it again: it is put off again and again, the neighbour on its CPU keeps its share. */
static void runaway(void)
{
    static const char said[] = "at GSI 21, which its manager holds";
    struct guest *other = guest_slot(1);
    guest_start(other, "neighbour", 1);
    CHECK_EQ(hv_vcpu_affinity(g->id, 0, 1), 0);
    CHECK_EQ(hv_vcpu_affinity(other->id, 0, 1), 0);
    guest_go(other, 0, AGENT_SPIN, 0, 0, 0, 0);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    uint64_t share = progress(other, 200), ended = irq_stats(g, LEVEL).acknowledged;
    guest_box(g, 0)->stop = 1;
    guest_done(g, 0);
    irq_redirect(g, LEVEL, 0x56 | IOAPIC_RTE_LEVEL);
    CHECK_EQ(irq_stats(g, LEVEL).storms, 0);
    CHECK(!log_says(said));
    guest_go(g, 0, AGENT_EOIS, 0, 0, 0, 0);
    CHECK_EQ(irq_line(g->id, LEVEL, 1), 1);
    for (uint64_t left = 20000; left && irq_stats(g, LEVEL).storms < 3; left--)
        lab_sleep(1);
    uint64_t kept = progress(other, 200), storms = irq_stats(g, LEVEL).storms;
    CHECK_CASE(kept >= share / 4 * 3, true, "share %u, kept %u", (unsigned)share, (unsigned)kept);
    CHECK_CASE(storms >= 3, true, "%u storms", (unsigned)storms);
    CHECK(irq_stats(g, LEVEL).acknowledged - ended >= storms * 10000);
    CHECK(log_says(said));
    CHECK_EQ(irq_line(g->id, LEVEL, 0), 1);
    guest_box(g, 0)->stop = 1;
    guest_done(g, 0);
    irq_redirect(g, LEVEL, IOAPIC_RTE_MASKED);
    guest_box(other, 0)->stop = 1;
    guest_done(other, 0);
    CHECK_EQ(guest_destroy(other), 0);
}

/* ---- the PIT */

static void pit(uint8_t control, uint32_t count)
{
    uint16_t port = (uint16_t)(PIT_CHANNEL0 + (control >> 6));
    irq_out(g, PIT_CONTROL, control);
    irq_out(g, port, (uint8_t)count);
    irq_out(g, port, (uint8_t)(count >> 8));
}

static void set_reinject(bool on)
{
    struct hv_pit record;
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_PIT, &record, sizeof(record)), 0);
    CHECK_EQ(record.flags & HV_PIT_REINJECT, on ? 0 : HV_PIT_REINJECT);
    record.flags ^= HV_PIT_REINJECT;
    CHECK_EQ(irq_chip_set(g->id, HV_IRQCHIP_STATE_PIT, &record, sizeof(record)), 0);
}

/* Busy for ten periods of 50 ms with interrupts off. How many ticks come in the 40 ms after that, each ended at the PIC. */
static uint32_t ticks_after_a_pause(void)
{
    uint32_t ticks = 0;
    pit(0x34, 59659);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    lab_sleep(505);
    guest_box(g, 0)->stop = 1;
    guest_done(g, 0);
    for (uint64_t end = lab_now() + 40 * lab_ms(); lab_now() < end;) {
        uint64_t now = irq_take_for(g, 2);
        CHECK(now <= 1);
        ticks += (uint32_t)now;
        irq_out(g, 0x20, 0x20);
    }
    pit(0x30, 0);
    (void)irq_take_for(g, 2);
    irq_out(g, 0x20, 0x20);
    return ticks;
}

static void reinjection(void)
{
    irq_open_pic(g, 0xfe);
    uint32_t ticks = ticks_after_a_pause();
    CHECK_CASE(ticks >= 10 && ticks <= 11, true, "%u ticks, all of them", ticks);
    set_reinject(false);
    ticks = ticks_after_a_pause();
    CHECK_CASE(ticks >= 1 && ticks <= 2, true, "%u ticks, merged", ticks);
    set_reinject(true);
    ticks = ticks_after_a_pause();
    CHECK_CASE(ticks >= 10 && ticks <= 11, true, "%u ticks, again all of them", ticks);
    irq_out(g, 0x21, 0xff);
    irq_lapic(g, APIC_LVT_LINT0, APIC_LVT_MASKED);
    irq_redirect(g, 2, 0x48); /* at an I/O APIC they merge */
    pit(0x34, 59659);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    lab_sleep(505);
    guest_box(g, 0)->stop = 1;
    guest_done(g, 0);
    irq_take(g, 1, 0x48);
    irq_eoi(g);
    CHECK(irq_take_for(g, 20) <= 1);
    irq_eoi(g);
    irq_redirect(g, 2, IOAPIC_RTE_MASKED);
}

/* Counts 0 (65536), 1 and 65535 in every mode; interrupts of channel 0 come as often as they may. */
static void counts(void)
{
    static const uint32_t ends[] = {0, 1, 65535};
    irq_redirect(g, 2, 0x48);
    for (uint32_t mode = 0; mode < 8; mode++)
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
            bool periodic = (mode & 3) >= 2 && mode != 4 && mode != 5, gated = mode == 1 || mode == 5;
            uint64_t most = gated ? 0 : !periodic ? 1 : ends[i] == 1 ? 20 * 5 + 5 : 1;
            for (uint32_t channel = 0; channel < 3; channel++)
                pit((uint8_t)(channel << 6 | 0x30 | mode << 1), ends[i]);
            uint64_t taken = 0;
            for (uint64_t end = lab_now() + 20 * lab_ms(); lab_now() < end;) {
                taken += irq_take_for(g, 1);
                irq_eoi(g);
            }
            CHECK_CASE(taken <= most, true, "mode %u count %u: %u ticks", mode, ends[i], (unsigned)taken);
            CHECK_CASE(taken >= (ends[i] == 1 && !gated), true, "mode %u count %u: no tick", mode, ends[i]);
            irq_out(g, PIT_CONTROL, 0xc2); /* read back status and count */
            uint8_t status = irq_in(g, PIT_CHANNEL0);
            (void)irq_in(g, PIT_CHANNEL0);
            (void)irq_in(g, PIT_CHANNEL0);
            uint32_t is = status >> 1 & 7;
            CHECK_CASE(is == mode || (mode >= 6 && is == mode - 4), true, "status %#x after mode %u", status,
                       mode);
        }
    irq_redirect(g, 2, IOAPIC_RTE_MASKED);
    pit(0x30, 0);
}

/* The shortest period, at a guest that never ends a tick, at the PIC and at the I/O APIC: its CPU goes on. */
static void shortest_period(void)
{
    uint64_t alone = 0, kept;
    for (unsigned where = 0; where < 3; where++) {
        if (where == 1)
            irq_open_pic(g, 0xfe);
        if (where == 2) {
            irq_out(g, 0x21, 0xff);
            irq_redirect(g, 2, 0x48);
        }
        if (where)
            pit(0x34, 1);
        guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
        kept = progress(g, 50);
        guest_box(g, 0)->stop = 1;
        guest_done(g, 0);
        alone = where ? alone : kept;
        CHECK_CASE(kept >= alone / 4, true, "alone %u, kept %u", (unsigned)alone, (unsigned)kept);
    }
    pit(0x30, 0);
    irq_redirect(g, 2, IOAPIC_RTE_MASKED);
    irq_lapic(g, APIC_LVT_LINT0, APIC_LVT_MASKED);
    (void)irq_take_for(g, 2);
    irq_eoi(g);
}

void test_irq_time(void)
{
    g = guest_slot(0);
    g->flags = HV_DOMAIN_IRQCHIP_FULL;
    CHECK_EQ(irq_notifier_close((uint64_t)irq_notifier_notify(0, NUMBER(0))), 0);
    guest_start(g, "first", 1);
    CHECK_EQ(guest_destroy(g), 0);
    struct audit audit = lab_audit();
    guest_start(g, "time", 1);
    irq_lapic(g, APIC_SVR, 0x1ff);
    latency();
    reinjection();
    counts();
    shortest_period();
    runaway();
    CHECK_EQ(guest_destroy(g), 0);
    g->flags = 0;
    lab_audit_check(&audit, "irq-time");
}
