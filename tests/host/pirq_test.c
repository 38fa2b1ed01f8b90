/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/route/pirq.c: binding, the order of blocking, firing and opening, unbinding in every state, storms, owners. */
#include "hv/route/pirq.h"

#include "tests/host/pirq_fake.h"
#include "tests/host/route_fake.h"
#include "tests/host/test.h"

static struct domain *manager, *d;
static uint32_t blocked_at_sink; /* of the pin `watched`, when a sink was called last */
static uint32_t watched;

static void look(void)
{
    blocked_at_sink = fake_pins[watched].blocked;
}

static void start(void)
{
    struct hv_route r = {.gsi = 5, .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = 2, .pin = 5}};
    uint64_t w = 0;
    fake_start();
    fake_pins_reset();
    pcpu_tsc_khz = 1000000;
    for (uint32_t i = 0; i < FAKE_CPUS; i++)
        pcpu_table[i]->arch.apic_id = 10 + i;
    manager = domain_get(0);
    d = fake_domain(1, 0);
    ASSERT_TRUE(route_init(d) != NULL);
    d->routing->limits.ioapics = 1;
    d->routing->limits.pins[0] = 24;
    ASSERT_EQ(route_encode(&r, 1, 5, &d->routing->limits, &w), 0);
    ASSERT_EQ(route_set(d, 5, w), 0);
    fake_count = 0;
}

static void end(void)
{
    EXPECT_EQ(pcpu_self()->hazard & HAZARD_NAME, 0);
    for (uint32_t i = 0; i < FAKE_PINS; i++)
        EXPECT_TRUE(fake_pins[i].blocked & IOAPIC_CLOSED);
    EXPECT_TRUE(fake_timer == NULL);
    fake_end();
    EXPECT_EQ(fake_pages, 0);
}

static struct notifier *make(struct domain *owner, uint32_t kind, uint32_t flags)
{
    bool tells = kind == HV_NOTIFIER_NOTIFY || flags;
    const struct hv_notifier b = {.kind = kind,
                                  .flags = flags,
                                  .domain = kind == HV_NOTIFIER_GSI,
                                  .gsi = kind == HV_NOTIFIER_GSI ? 5 : 0,
                                  .number = tells ? 4000 : 0};
    EXPECT_EQ(notifier_check(owner, &b), 0);
    return notifier_find((uint64_t)notifier_create(owner, &b));
}

static const struct hv_pirq anywhere = {.cpu = HV_PIRQ_ANY_CPU};

static uint8_t bound(uint32_t gsi, uint32_t flags, struct notifier *n)
{
    const struct hv_pirq b = {.cpu = HV_PIRQ_ANY_CPU, .flags = flags, .storm_number = 4001};
    EXPECT_EQ(pirq_bind(gsi, &b, n), 0);
    EXPECT_EQ(fake_pins[gsi].blocked, 0);
    return (uint8_t)fake_pins[gsi].vector;
}

static struct hv_pirq_info info(uint32_t gsi)
{
    struct hv_pirq_info i;
    pirq_info(gsi, &i);
    return i;
}

TEST(an_edge_is_a_signal)
{
    start();
    uint8_t vector = bound(4, 0, make(manager, HV_NOTIFIER_NOTIFY, 0));
    for (unsigned i = 0; i < 3; i++)
        EXPECT_TRUE(pirq_interrupt(vector));
    EXPECT_EQ(fake_count, 3);
    EXPECT_TRUE(fake_last(FAKE_NOTIFY, 0, 0, 4000));
    EXPECT_EQ(fake_pins[4].blocked, 0);
    EXPECT_EQ(info(4).fired, 3);
    EXPECT_EQ(info(4).flags, HV_PIRQ_EDGE | HV_PIRQ_HIGH | HV_PIRQ_BOUND);
    EXPECT_EQ(pirq_ack(4), 0);
    EXPECT_EQ(pirq_unbind(4), 0);
    EXPECT_TRUE(!pirq_interrupt(vector));
    EXPECT_EQ(fake_count, 3);
    EXPECT_EQ(pirq_unbind(4), -HV_ENOENT);
    EXPECT_EQ(pirq_ack(4), -HV_ENOENT);
    EXPECT_TRUE(!pirq_interrupt(0x20) && !pirq_interrupt(0x2f) && !pirq_interrupt(0xf0));
    end();
}

/* Blocked before it is fired; opened after the guest's line has fallen. */
TEST(a_level_is_blocked_until_its_end)
{
    start();
    uint8_t vector = bound(20, 0, make(manager, HV_NOTIFIER_GSI, HV_NOTIFIER_RESAMPLE));
    watched = 20;
    fake_hook = look;
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_TRUE(pirq_interrupt(vector));
        EXPECT_TRUE(fake_last(FAKE_LINE, 2, 5, IRQCHIP_SOURCE_RESAMPLE << 1 | 1));
        EXPECT_EQ(blocked_at_sink, IOAPIC_LINE);
        EXPECT_EQ(info(20).flags, HV_PIRQ_LEVEL | HV_PIRQ_LOW | HV_PIRQ_BOUND | HV_PIRQ_WAITS);
        notifier_acked(d, 2, 6); /* of another line */
        EXPECT_EQ(fake_pins[20].blocked, IOAPIC_LINE);
        notifier_acked(d, 2, 5);
        EXPECT_TRUE(fake_last(FAKE_LINE, 2, 5, IRQCHIP_SOURCE_RESAMPLE << 1)); /* and nobody is told */
        EXPECT_EQ(blocked_at_sink, IOAPIC_LINE);
        EXPECT_EQ(fake_pins[20].blocked, 0);
    }
    EXPECT_EQ(pirq_unbind(20), 0);
    end();
}

/* An edge that comes while the guest's line is up is not lost: it rises again after the guest's EOI. */
TEST(an_edge_that_merges_comes_again)
{
    start();
    struct notifier *n = make(manager, HV_NOTIFIER_GSI, HV_NOTIFIER_RESAMPLE);
    uint8_t vector = bound(4, 0, n);
    EXPECT_TRUE(pirq_interrupt(vector));
    notifier_acked(d, 2, 5);
    EXPECT_TRUE(fake_last(FAKE_LINE, 2, 5, IRQCHIP_SOURCE_RESAMPLE << 1));
    for (unsigned i = 0; i < 3; i++) {
        fake_result = 1;
        EXPECT_TRUE(pirq_interrupt(vector));
        fake_result = 0;
        for (unsigned more = 0; more < i; more++)
            EXPECT_TRUE(pirq_interrupt(vector));
        notifier_acked(d, 2, 5);
        EXPECT_TRUE(fake_last(FAKE_LINE, 2, 5, IRQCHIP_SOURCE_RESAMPLE << 1 | (i > 0)));
        notifier_acked(d, 2, 5);
        EXPECT_TRUE(fake_last(FAKE_LINE, 2, 5, IRQCHIP_SOURCE_RESAMPLE << 1));
    }
    EXPECT_EQ(n->signals, 7);
    EXPECT_TRUE(pirq_interrupt(vector)); /* it merges, and the line goes away */
    EXPECT_EQ(pirq_unbind(4), 0);
    EXPECT_TRUE(fake_last(FAKE_LINE, 2, 5, IRQCHIP_SOURCE_RESAMPLE << 1));
    end();
}

TEST(a_level_for_the_owner_waits_for_his_acknowledgement)
{
    start();
    uint8_t vector = bound(4, HV_PIRQ_LEVEL | HV_PIRQ_LOW, make(manager, HV_NOTIFIER_COUNT, 0));
    EXPECT_TRUE(fake_pins[4].signal.level && fake_pins[4].signal.low);
    EXPECT_TRUE(pirq_interrupt(vector));
    EXPECT_EQ(fake_pins[4].blocked, IOAPIC_LINE);
    EXPECT_EQ(pirq_ack(4), 1);
    EXPECT_EQ(fake_pins[4].blocked, 0);
    EXPECT_EQ(pirq_ack(4), 0);
    EXPECT_EQ(pirq_unbind(4), 0);
    vector = bound(20, HV_PIRQ_EDGE | HV_PIRQ_HIGH, make(manager, HV_NOTIFIER_COUNT, 0));
    EXPECT_TRUE(!fake_pins[20].signal.level && !fake_pins[20].signal.low);
    EXPECT_TRUE(pirq_interrupt(vector));
    EXPECT_EQ(fake_pins[20].blocked, 0);
    EXPECT_EQ(pirq_unbind(20), 0);
    end();
}

TEST(unbinding_lets_the_line_fall_and_tells_the_others)
{
    start();
    struct notifier *n = make(manager, HV_NOTIFIER_GSI, HV_NOTIFIER_RESAMPLE);
    struct notifier *other = make(manager, HV_NOTIFIER_GSI, HV_NOTIFIER_RESAMPLE);
    uint8_t vector = bound(20, 0, n);
    EXPECT_TRUE(pirq_interrupt(vector));
    fake_count = 0;
    EXPECT_EQ(pirq_unbind(20), 0);
    EXPECT_EQ(fake_count, 2);
    EXPECT_EQ(fake_events[0].c, IRQCHIP_SOURCE_RESAMPLE << 1);
    EXPECT_EQ(other->resampled, 1);
    EXPECT_TRUE(fake_pins[20].blocked == IOAPIC_CLOSED && !n->pirq);
    notifier_acked(d, 2, 5); /* n is a plain notifier again */
    EXPECT_EQ(fake_count, 5);
    /* Closing the notifier unbinds too. */
    (void)bound(20, 0, n);
    notifier_close(n);
    EXPECT_EQ(info(20).flags, HV_PIRQ_LEVEL | HV_PIRQ_LOW);
    notifier_close(other);
    end();
}

TEST(what_cannot_be_bound)
{
    static struct notifier *n[FAKE_PINS];
    start();
    const struct hv_pirq wrong = {.cpu = FAKE_CPUS}, last = {.cpu = FAKE_CPUS - 1};
    uint32_t gsi = 0, seen[256] = {0};
    for (uint32_t i = 0; i < FAKE_PINS; i++)
        n[i] = make(manager, HV_NOTIFIER_COUNT, 0);
    EXPECT_EQ(pirq_check(manager, FAKE_PINS), -HV_ENOENT);
    EXPECT_EQ(pirq_check(manager, 1ULL << 32), -HV_ENOENT);
    EXPECT_EQ(pirq_bind(0, &wrong, n[0]), -HV_EINVAL);
    pcpu_table[FAKE_CPUS - 1]->arch.apic_id = IOAPIC_APIC_IDS_END;
    EXPECT_EQ(pirq_bind(0, &last, n[0]), -HV_ENODEV);
    for (; !pirq_bind(gsi, &anywhere, n[gsi]); gsi++) {
        EXPECT_TRUE(fake_pins[gsi].vector >= 0x30 && fake_pins[gsi].vector < 0xf0 &&
                    !seen[fake_pins[gsi].vector]++);
        EXPECT_TRUE(fake_pins[gsi].apic_id < 10 + FAKE_CPUS - 1);
    }
    EXPECT_EQ(gsi, 192);
    EXPECT_EQ(pirq_bind(gsi, &anywhere, n[gsi]), -HV_ENOSPC);
    EXPECT_EQ(pirq_bind(3, &anywhere, n[gsi]), -HV_EEXIST);
    EXPECT_EQ(pirq_bind(gsi, &anywhere, n[3]), -HV_EBUSY);
    EXPECT_EQ(pirq_unbind(3), 0);
    EXPECT_EQ(pirq_bind(gsi, &anywhere, n[gsi]), 0);
    EXPECT_EQ(pirq_unbind(gsi), 0);
    while (gsi-- > 0)
        EXPECT_EQ(pirq_unbind(gsi), gsi == 3 ? -HV_ENOENT : 0);
    end();
}

static void storm(uint32_t gsi, uint8_t vector, bool level)
{
    for (unsigned i = 0; i < HV_PIRQ_LIMIT; i++) {
        EXPECT_TRUE(pirq_interrupt(vector));
        if (level)
            EXPECT_EQ(pirq_ack(gsi), 1);
    }
    EXPECT_EQ(fake_pins[gsi].blocked, 0);
    EXPECT_TRUE(!fake_timer && info(gsi).storms == 0);
    EXPECT_TRUE(pirq_interrupt(vector)); /* it is delivered, and is the last */
    EXPECT_EQ(info(gsi).fired, HV_PIRQ_LIMIT + 1);
    EXPECT_EQ(info(gsi).storms, 1);
    EXPECT_TRUE(info(gsi).flags & HV_PIRQ_STORMED);
    EXPECT_EQ(fake_pins[gsi].blocked, IOAPIC_STORM | (level ? IOAPIC_LINE : 0U));
    EXPECT_EQ(fake_log_lines, 1);
    EXPECT_TRUE(fake_timer != NULL);
    EXPECT_EQ(fake_events[(fake_count - 2) % 256].c, 4001);
}

static void pause_ends(void)
{
    struct timer *t = fake_timer;
    fake_timer = NULL;
    t->fire(t);
}

TEST(a_storm_of_edges)
{
    start();
    uint8_t vector = bound(4, 0, make(manager, HV_NOTIFIER_NOTIFY, 0));
    pcpu_tsc_khz = 1000000000; /* the window is longer than this test */
    storm(4, vector, false);
    unsigned before = fake_count;
    pause_ends();
    EXPECT_EQ(fake_pins[4].blocked, 0);
    EXPECT_EQ(fake_count, before + 1); /* for those that came meanwhile */
    EXPECT_TRUE(pirq_interrupt(vector) && !fake_timer);
    EXPECT_EQ(pirq_unbind(4), 0);
    end();
}

TEST(a_storm_of_levels)
{
    start();
    uint8_t vector = bound(20, 0, make(manager, HV_NOTIFIER_NOTIFY, 0));
    pcpu_tsc_khz = 1000000000;
    storm(20, vector, true);
    EXPECT_EQ(pirq_ack(20), 1); /* the pause is not over */
    EXPECT_EQ(fake_pins[20].blocked, IOAPIC_STORM);
    unsigned before = fake_count;
    pause_ends();
    EXPECT_EQ(fake_pins[20].blocked, 0);
    EXPECT_EQ(fake_count, before);
    EXPECT_EQ(pirq_unbind(20), 0);
    end();
}

/* In the pause, and with the timer that has just run out. */
TEST(unbound_in_the_pause)
{
    start();
    struct notifier *n = make(manager, HV_NOTIFIER_NOTIFY, 0);
    uint8_t vector = bound(4, 0, n);
    pcpu_tsc_khz = 1000000000;
    storm(4, vector, false);
    struct timer *t = fake_timer;
    EXPECT_EQ(pirq_unbind(4), 0);
    EXPECT_TRUE(fake_timer == NULL);
    unsigned before = fake_count;
    t->fire(t);
    EXPECT_EQ(fake_count, before);
    EXPECT_EQ(fake_pins[4].blocked, IOAPIC_CLOSED);
    (void)bound(4, 0, n);
    EXPECT_EQ(pirq_unbind(4), 0);
    end();
}

TEST(interrupts_far_apart_are_no_storm)
{
    start();
    uint8_t vector = bound(4, 0, make(manager, HV_NOTIFIER_NOTIFY, 0));
    pcpu_tsc_khz = 0; /* no window holds two */
    for (unsigned i = 0; i < 3 * HV_PIRQ_LIMIT; i++)
        EXPECT_TRUE(pirq_interrupt(vector));
    EXPECT_EQ(info(4).storms, 0);
    EXPECT_EQ(pirq_unbind(4), 0);
    end();
}

TEST(owners_and_their_end)
{
    start();
    EXPECT_EQ(pirq_check(manager, 4), 0);
    EXPECT_EQ(pirq_check(d, 4), -HV_EPERM);
    (void)bound(4, 0, make(manager, HV_NOTIFIER_COUNT, 0));
    pirq_give(4, 1);
    EXPECT_EQ(fake_pins[4].blocked, IOAPIC_CLOSED);
    EXPECT_EQ(pirq_check(manager, 4), -HV_EPERM);
    EXPECT_EQ(pirq_check(d, 4), 0);
    EXPECT_EQ(info(4).owner, 1);
    uint8_t vector = bound(4, 0, make(d, HV_NOTIFIER_COUNT, 0));
    pirq_give(7, 1);
    (void)bound(5, 0, make(manager, HV_NOTIFIER_COUNT, 0));
    pirq_forget(d);
    EXPECT_TRUE(!pirq_interrupt(vector));
    EXPECT_EQ(info(4).owner + info(7).owner, 0);
    EXPECT_EQ(fake_pins[5].blocked, 0);
    EXPECT_EQ(pirq_unbind(5), 0);
    end();
}

/* The target of a level goes: the notifier counts, and the owner can still acknowledge. */
TEST(the_target_goes)
{
    start();
    struct notifier *n = make(manager, HV_NOTIFIER_GSI, HV_NOTIFIER_RESAMPLE);
    uint8_t vector = bound(20, 0, n);
    EXPECT_TRUE(pirq_interrupt(vector));
    pirq_forget(d);
    notifier_forget(d);
    EXPECT_EQ(fake_pins[20].blocked, IOAPIC_LINE);
    unsigned before = fake_count;
    EXPECT_EQ(pirq_ack(20), 1);
    EXPECT_TRUE(pirq_interrupt(vector));
    EXPECT_EQ(fake_count, before);
    EXPECT_EQ(n->signals, 2);
    notifier_close(n);
    end();
}
