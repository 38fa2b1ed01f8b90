/* SPDX-License-Identifier: BSD-2-Clause */
/* The GSI table: sinks and results, counters, changes, replacement, memory. */
#include "tests/host/route_fake.h"
#include "tests/host/test.h"

static struct domain *d;

static uint64_t msi(uint32_t vector)
{
    uint64_t w = 0;
    EXPECT_TRUE(route_encode_msi(0xfee03000, vector, &w));
    return w;
}

static uint64_t encode(struct hv_route *r, uint32_t count)
{
    uint64_t w = 0;
    EXPECT_EQ(route_encode(r, count, r->gsi, &d->routing->limits, &w), 0);
    return w;
}

static void start(void)
{
    fake_start();
    d = fake_domain(1, 0);
    ASSERT_TRUE(route_init(d) != NULL);
    d->routing->limits.gsis = HV_GSI_MAX;
    d->routing->limits.ioapics = 2;
    d->routing->limits.pins[0] = 24;
    d->routing->limits.pins[1] = 8;
    d->routing->limits.manager_vcpus = 4;
}

static void end(void)
{
    fake_end();
    EXPECT_EQ(fake_pages, 0);
}

TEST(every_gsi_and_none_beyond)
{
    start();
    static const uint32_t gsis[] = {0, 1, 127, 128, 511, 512, 4095, 65535, 65536, HV_GSI_MAX - 1};
    for (size_t i = 0; i < COUNT(gsis); i++)
        EXPECT_EQ(route_set(d, gsis[i], msi(0x20 + (uint32_t)i)), 0);
    for (size_t i = 0; i < COUNT(gsis); i++) {
        EXPECT_EQ(route_fire(d, gsis[i], IRQCHIP_SOURCE_MANAGER, true), 1);
        EXPECT_TRUE(fake_last(FAKE_MESSAGE, 3, 0x20 + (uint32_t)i, APIC_DM_FIXED));
        EXPECT_EQ(route_counts(d->routing, gsis[i])->fired, 1);
    }
    EXPECT_EQ(route_fire(d, 2, IRQCHIP_SOURCE_MANAGER, true), -HV_ENXIO);
    static const uint64_t beyond[] = {HV_GSI_MAX, 1UL << 32, (1UL << 32) + 1, UINT64_MAX};
    unsigned before = fake_count;
    for (size_t i = 0; i < COUNT(beyond); i++)
        EXPECT_EQ(route_fire(d, beyond[i], IRQCHIP_SOURCE_MANAGER, true), -HV_EINVAL);
    d->routing->limits.gsis = 512;
    EXPECT_EQ(route_fire(d, 512, IRQCHIP_SOURCE_MANAGER, true), -HV_EINVAL);
    EXPECT_EQ(fake_count, before);
    end();
    fake_start();
    EXPECT_EQ(route_fire(fake_domain(1, 0), 0, IRQCHIP_SOURCE_MANAGER, true), -HV_EINVAL);
    end();
}

TEST(results_and_counters)
{
    start();
    EXPECT_EQ(route_set(d, 7, msi(0x31)), 0);
    const struct route_counts *c = route_counts(d->routing, 7);
    fake_result = 3;
    EXPECT_EQ(route_fire(d, 7, IRQCHIP_SOURCE_MANAGER, true), 3);
    fake_result = 0;
    EXPECT_EQ(route_fire(d, 7, IRQCHIP_SOURCE_MANAGER, true), 0);
    fake_result = -1;
    EXPECT_EQ(route_fire(d, 7, IRQCHIP_SOURCE_MANAGER, true), -HV_ENXIO);
    EXPECT_EQ(c->fired, 3);
    EXPECT_EQ(c->coalesced, 1);
    EXPECT_EQ(c->masked, 1);
    unsigned before = fake_count; /* the end of a line that is a message */
    EXPECT_EQ(route_fire(d, 7, IRQCHIP_SOURCE_MANAGER, false), -HV_ENXIO);
    EXPECT_EQ(fake_count, before);
    EXPECT_EQ(c->fired, 3);
    end();
}

TEST(pins_rise_and_fall_together)
{
    start();
    struct hv_route r[] = {{.gsi = 4, .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = 0, .pin = 4}},
                           {.gsi = 4, .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = 3, .pin = 7}}};
    EXPECT_EQ(route_set(d, 4, encode(r, 2)), 0);
    EXPECT_EQ(route_fire(d, 4, IRQCHIP_SOURCE_RESAMPLE, true), 2);
    EXPECT_EQ(fake_count, 2);
    EXPECT_TRUE(fake_last(FAKE_LINE, 3, 7, IRQCHIP_SOURCE_RESAMPLE << 1 | 1));
    EXPECT_EQ(fake_events[0].a, 0);
    EXPECT_EQ(route_fire(d, 4, IRQCHIP_SOURCE_MANAGER, false), 2);
    EXPECT_TRUE(fake_last(FAKE_LINE, 3, 7, IRQCHIP_SOURCE_MANAGER << 1));
    EXPECT_EQ(route_counts(d->routing, 4)->fired, 1);
    fake_result = -1;
    EXPECT_EQ(route_fire(d, 4, IRQCHIP_SOURCE_MANAGER, true), -HV_ENXIO);
    EXPECT_EQ(route_gsi_of(d->routing, 0, 4), 4);
    EXPECT_EQ(route_gsi_of(d->routing, 3, 7), 4);
    EXPECT_EQ(route_gsi_of(d->routing, 3, 6), HV_GSI_MAX);
    EXPECT_EQ(route_set(d, 4, encode(r, 1)), 0);
    EXPECT_EQ(route_gsi_of(d->routing, 0, 4), 4);
    EXPECT_EQ(route_gsi_of(d->routing, 3, 7), HV_GSI_MAX);
    EXPECT_EQ(route_set(d, 4, 0), 0);
    EXPECT_EQ(route_gsi_of(d->routing, 0, 4), HV_GSI_MAX);
    end();
}

TEST(a_pin_of_two_gsis_belongs_to_the_last)
{
    start();
    struct hv_route a = {.gsi = 4, .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = 2, .pin = 4}}, b = a;
    b.gsi = 5;
    EXPECT_EQ(route_set(d, 4, encode(&a, 1)), 0);
    EXPECT_EQ(route_set(d, 5, encode(&b, 1)), 0);
    EXPECT_EQ(route_gsi_of(d->routing, 2, 4), 5);
    EXPECT_EQ(route_set(d, 4, 0), 0); /* takes nothing that is not its own */
    EXPECT_EQ(route_gsi_of(d->routing, 2, 4), 5);
    end();
}

TEST(chains_end)
{
    start();
    for (uint32_t i = 0; i < 6; i++) {
        struct hv_route r = {.gsi = i, .kind = HV_ROUTE_GSI, .gsi_to = {.gsi = i + 1}};
        EXPECT_EQ(route_set(d, i, encode(&r, 1)), 0);
    }
    struct hv_route back = {.gsi = 9, .kind = HV_ROUTE_GSI, .gsi_to = {.gsi = 8}};
    EXPECT_EQ(route_set(d, 9, encode(&back, 1)), 0);
    back = (struct hv_route){.gsi = 8, .kind = HV_ROUTE_GSI, .gsi_to = {.gsi = 9}};
    EXPECT_EQ(route_set(d, 8, encode(&back, 1)), 0);
    EXPECT_EQ(route_set(d, 6, msi(0x40)), 0);
    EXPECT_EQ(route_fire(d, 3, IRQCHIP_SOURCE_MANAGER, true), 1); /* 3, 4, 5, 6 */
    EXPECT_TRUE(fake_last(FAKE_MESSAGE, 3, 0x40, 0));
    for (uint32_t i = 3; i <= 6; i++)
        EXPECT_EQ(route_counts(d->routing, i)->fired, 1);
    EXPECT_EQ(route_fire(d, 2, IRQCHIP_SOURCE_MANAGER, true), -HV_ENXIO); /* one too many */
    EXPECT_EQ(route_fire(d, 8, IRQCHIP_SOURCE_MANAGER, true), -HV_ENXIO); /* for ever */
    EXPECT_EQ(fake_count, 1);
    EXPECT_EQ(pcpu_self()->hazard & HAZARD_NAME, 0);
    end();
}

static uint64_t seen;

static void look(void)
{
    seen = pcpu_self()->hazard & HAZARD_NAME;
}

TEST(a_firing_names_what_it_fires)
{
    start();
    struct hv_route r = {.gsi = 5, .kind = HV_ROUTE_GSI, .gsi_to = {.gsi = 6}};
    EXPECT_EQ(route_set(d, 5, encode(&r, 1)), 0);
    EXPECT_EQ(route_set(d, 6, msi(0x40)), 0);
    fake_hook = look;
    EXPECT_EQ(route_fire(d, 6, IRQCHIP_SOURCE_MANAGER, true), 1);
    EXPECT_EQ(seen, hazard_gsi(1, 6));
    EXPECT_EQ(route_fire(d, 5, IRQCHIP_SOURCE_MANAGER, true), 1);
    EXPECT_EQ(seen, HAZARD_ALL);
    EXPECT_EQ(pcpu_self()->hazard & HAZARD_NAME, 0);
    end();
}

TEST(manager_notification)
{
    start();
    struct hv_route r = {.gsi = 9, .kind = HV_ROUTE_NOTIFY, .notify = {.vcpu = 3, .number = 2304}};
    EXPECT_EQ(route_set(d, 9, encode(&r, 1)), 0);
    EXPECT_EQ(route_fire(d, 9, IRQCHIP_SOURCE_MANAGER, true), 1);
    EXPECT_TRUE(fake_last(FAKE_NOTIFY, 0, 3, 2304));
    EXPECT_EQ(route_fire(d, 9, IRQCHIP_SOURCE_MANAGER, false), -HV_ENXIO);
    EXPECT_EQ(fake_count, 1);
    end();
}

TEST(default_table)
{
    start();
    const struct route_limits limits = d->routing->limits;
    EXPECT_EQ(route_set(d, 30, 0), 0);
    EXPECT_EQ(route_set(d, 99, msi(0x40)), 0);
    fake_fail_at = 2;
    EXPECT_EQ(route_default(d, &limits), -HV_ENOMEM);
    EXPECT_EQ(route_get(d->routing, 99), msi(0x40));
    EXPECT_EQ(route_default(d, &limits), 0);
    EXPECT_EQ(route_get(d->routing, 99), 0);
    struct hv_route r[HV_ROUTES_PER_GSI];
    for (uint32_t gsi = 0; gsi < 40; gsi++) {
        uint32_t n = route_decode(route_get(d->routing, gsi), gsi, r);
        test_row("GSI %u", gsi);
        EXPECT_EQ(n, gsi == 2 ? 1 : gsi < 16 ? 2 : gsi < 32 ? 1 : 0);
        if (n == 2) {
            EXPECT_EQ(r[0].irqchip.chip, gsi / 8);
            EXPECT_EQ(r[0].irqchip.pin, gsi % 8);
        }
        if (n) {
            EXPECT_EQ(r[n - 1].irqchip.chip, gsi < 24 ? 2 : 3);
            EXPECT_EQ(r[n - 1].irqchip.pin, gsi == 0 ? 2 : gsi < 24 ? gsi : gsi - 24);
        }
    }
    end();
}

TEST(replacement_is_whole_or_nothing)
{
    start();
    EXPECT_EQ(route_set(d, 3, msi(0x33)), 0);
    EXPECT_EQ(route_set(d, 4, msi(0x34)), 0);
    EXPECT_EQ(route_fire(d, 4, IRQCHIP_SOURCE_MANAGER, true), 1);
    const uint32_t gsi[] = {4, 600, 70000};
    const uint64_t word[] = {msi(0x44), msi(0x45), msi(0x46)};
    EXPECT_EQ(route_add(d, gsi, word, 3), -HV_EINVAL); /* not begun */
    EXPECT_EQ(route_commit(d), -HV_EINVAL);
    EXPECT_EQ(route_begin(d), 0);
    EXPECT_EQ(route_add(d, gsi, word, 2), 0);
    EXPECT_EQ(route_get(d->routing, 600), 0); /* not yet */
    EXPECT_EQ(route_get(d->routing, 4), msi(0x34));
    EXPECT_EQ(route_add(d, gsi + 1, word, 1), -HV_EINVAL); /* not rising */
    const uint32_t twice[] = {700, 700};
    EXPECT_EQ(route_add(d, twice, word, 2), -HV_EINVAL);
    EXPECT_EQ(route_add(d, gsi + 2, word + 2, 1), 0);
    EXPECT_EQ(route_commit(d), 0);
    EXPECT_EQ(route_get(d->routing, 3), 0);
    EXPECT_EQ(route_get(d->routing, 4), msi(0x44));
    EXPECT_EQ(route_get(d->routing, 600), msi(0x45));
    EXPECT_EQ(route_get(d->routing, 700), 0);
    EXPECT_EQ(route_get(d->routing, 70000), msi(0x46));
    EXPECT_EQ(route_counts(d->routing, 4)->fired, 1); /* counters go on */
    EXPECT_EQ(route_commit(d), -HV_EINVAL);
    EXPECT_EQ(route_begin(d), 0);
    route_abort(d);
    EXPECT_EQ(route_get(d->routing, 4), msi(0x44));
    EXPECT_EQ(route_start(d, gsi, word, 2), 0);
    for (long n = 1; n <= 2; n++) { /* what was prepared stays */
        long pages = fake_pages;
        fake_fail_at = n;
        EXPECT_EQ(route_start(d, gsi + 2, word + 2, 1), -HV_ENOMEM);
        EXPECT_EQ(fake_pages, pages);
    }
    fake_fail_at = 0;
    EXPECT_EQ(route_commit(d), 0);
    EXPECT_EQ(route_get(d->routing, 4), msi(0x44));
    EXPECT_EQ(route_begin(d), 0);
    long before = fake_pages;
    EXPECT_EQ(route_commit(d), 0);          /* by an empty one */
    EXPECT_EQ(fake_pages_at_grace, before); /* the old one stays until nobody can look at it */
    EXPECT_EQ(route_get(d->routing, 4), 0);
    end();
}

TEST(no_memory_changes_nothing)
{
    start();
    EXPECT_EQ(route_set(d, 3, msi(0x33)), 0);
    for (long n = 1; n <= 3; n++) {
        fake_fail_at = n;
        int64_t error = route_set(d, 70000, msi(0x50));
        test_row("page %ld", n);
        EXPECT_EQ(error, -HV_ENOMEM);
        EXPECT_EQ(route_get(d->routing, 70000), 0);
        EXPECT_EQ(route_fire(d, 70000, IRQCHIP_SOURCE_MANAGER, true), -HV_ENXIO);
        fake_fail_at = 0;
        end(); /* what was made for it is freed too */
        start();
        EXPECT_EQ(route_set(d, 3, msi(0x33)), 0);
    }
    fake_fail_at = 1;
    EXPECT_EQ(route_begin(d), -HV_ENOMEM);
    EXPECT_EQ(route_begin(d), 0);
    const uint32_t gsi[] = {4, 70000};
    const uint64_t word[] = {msi(0x44), msi(0x45)};
    fake_fail_at = 2;
    EXPECT_EQ(route_add(d, gsi, word, 2), -HV_ENOMEM);
    EXPECT_EQ(route_get(d->routing, 3), msi(0x33));
    EXPECT_EQ(route_add(d, gsi, word, 2), 0); /* again, with memory */
    EXPECT_EQ(route_commit(d), 0);
    EXPECT_EQ(route_get(d->routing, 70000), msi(0x45));
    long pages = fake_pages;
    EXPECT_EQ(route_set(d, 80000, 0), 0); /* nothing to nothing costs nothing */
    EXPECT_EQ(fake_pages, pages);
    end();
    for (long n = 1; n <= 2; n++) {
        fake_start();
        d = fake_domain(1, 0);
        fake_fail_at = n;
        EXPECT_TRUE(route_init(d) == NULL);
        EXPECT_TRUE(d->routing == NULL);
        end();
    }
}
