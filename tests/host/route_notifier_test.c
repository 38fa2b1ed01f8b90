/* SPDX-License-Identifier: BSD-2-Clause */
/* Notifiers and doorbells: handles, rights, what a signal does, resampling in its order, closing, memory. */
#include "tests/host/route_fake.h"
#include "tests/host/random.h"
#include "tests/host/test.h"

static struct domain *manager, *d;

static void start(void)
{
    struct hv_route r = {.gsi = 5, .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = 2, .pin = 5}};
    uint64_t w = 0;
    fake_start();
    manager = domain_get(0);
    d = fake_domain(1, 0);
    ASSERT_TRUE(route_init(d) != NULL);
    d->routing->limits.ioapics = 1;
    d->routing->limits.pins[0] = 24;
    ASSERT_EQ(route_encode(&r, 1, 5, &d->routing->limits, &w), 0);
    ASSERT_EQ(route_set(d, 5, w), 0);
    ASSERT_TRUE(route_encode_msi(0xfee00000, 0x8031, &w));
    ASSERT_EQ(route_set(d, 6, w), 0);
}

static void end(void)
{
    EXPECT_EQ(pcpu_self()->hazard & HAZARD_NAME, 0);
    fake_end();
    EXPECT_EQ(fake_pages, 0);
}

static struct hv_notifier on(uint32_t kind, uint32_t gsi, uint32_t flags, uint32_t number)
{
    return (struct hv_notifier){.size = 32,
                                .kind = kind,
                                .flags = flags,
                                .domain = kind == HV_NOTIFIER_GSI,
                                .gsi = gsi,
                                .number = number};
}

static uint64_t make(uint32_t kind, uint32_t gsi, uint32_t flags, uint32_t number)
{
    const struct hv_notifier b = on(kind, gsi, flags, number);
    EXPECT_EQ(notifier_check(manager, &b), 0);
    int64_t handle = notifier_create(manager, &b);
    EXPECT_TRUE(handle > 0);
    return (uint64_t)handle;
}

TEST(a_signal_does_what_it_is_bound_to)
{
    start();
    uint64_t edge = make(HV_NOTIFIER_GSI, 5, 0, 0), msi = make(HV_NOTIFIER_GSI, 6, 0, 0);
    uint64_t tell = make(HV_NOTIFIER_NOTIFY, 0, 0, 4095);
    EXPECT_EQ(notifier_signal(manager, edge), 1); /* a pulse */
    EXPECT_EQ(fake_count, 2);
    EXPECT_EQ(fake_events[0].c, IRQCHIP_SOURCE_MANAGER << 1 | 1);
    EXPECT_TRUE(fake_last(FAKE_LINE, 2, 5, IRQCHIP_SOURCE_MANAGER << 1));
    EXPECT_EQ(notifier_signal(manager, msi), 1);
    EXPECT_EQ(fake_count, 3);
    EXPECT_TRUE(fake_last(FAKE_MESSAGE, 0, 0x31, 0));
    EXPECT_EQ(notifier_signal(manager, tell), 1);
    EXPECT_TRUE(fake_last(FAKE_NOTIFY, 0, 0, 4095));
    fake_result = 0;
    EXPECT_EQ(notifier_signal(manager, tell), 0);
    fake_result = -HV_ENXIO;
    EXPECT_EQ(notifier_signal(manager, tell), -HV_ENXIO);
    EXPECT_EQ(notifier_signal(manager, msi), -HV_ENXIO);
    EXPECT_EQ(notifier_read(manager, tell), 3);
    EXPECT_EQ(notifier_read(manager, tell), 0);
    EXPECT_EQ(route_counts(d->routing, 5)->fired, 1);
    end();
}

TEST(counts_until_it_is_bound_and_then_fires_once)
{
    start();
    uint64_t h = make(HV_NOTIFIER_COUNT, 0, 0, 0);
    EXPECT_EQ(notifier_signal(manager, h), 1);
    EXPECT_EQ(notifier_signal(manager, h), 0);
    EXPECT_EQ(notifier_signal(manager, h), 0);
    EXPECT_EQ(fake_count, 0);
    const struct hv_notifier b = on(HV_NOTIFIER_GSI, 6, 0, 0), none = on(HV_NOTIFIER_COUNT, 0, 0, 0);
    struct notifier *n = notifier_find(h);
    EXPECT_EQ(notifier_bind(n, &b), 0);
    EXPECT_EQ(fake_count, 1);
    EXPECT_EQ(notifier_bind(n, &b), -HV_EBUSY);
    EXPECT_EQ(notifier_bind(n, &none), 0);
    EXPECT_EQ(notifier_read(manager, h), 0);
    EXPECT_EQ(notifier_bind(n, &b), 0);
    EXPECT_EQ(fake_count, 1); /* nothing had come in between */
    end();
}

TEST(only_who_may)
{
    start();
    const struct domain *other = fake_domain(2, 0);
    uint64_t h = make(HV_NOTIFIER_COUNT, 0, 0, 0);
    EXPECT_EQ(notifier_signal(d, h), -HV_EPERM);
    EXPECT_EQ(notifier_read(d, h), -HV_EPERM);
    notifier_find(h)->may[0] |= BIT(1);
    EXPECT_EQ(notifier_signal(d, h), 1);
    EXPECT_EQ(notifier_signal(other, h), -HV_EPERM);
    EXPECT_EQ(notifier_read(d, h), 1);
    notifier_forget(d);
    EXPECT_EQ(notifier_signal(d, h), -HV_EPERM);
    EXPECT_EQ(notifier_signal(manager, h), 1);
    end();
}

TEST(wild_handles)
{
    start();
    uint64_t h = make(HV_NOTIFIER_COUNT, 0, 0, 0);
    for (unsigned bit = 0; bit < 64; bit++) {
        test_row("bit %u", bit);
        EXPECT_EQ(notifier_signal(manager, h ^ BIT(bit)), -HV_ENOENT);
    }
    const uint64_t wild[] = {0, 1, UINT64_MAX, BIT(63), h + 1};
    for (size_t i = 0; i < COUNT(wild); i++)
        EXPECT_EQ(notifier_read(manager, wild[i]), -HV_ENOENT);
    notifier_close(notifier_find(h));
    EXPECT_EQ(notifier_signal(manager, h), -HV_ENOENT);
    uint64_t again = make(HV_NOTIFIER_COUNT, 0, 0, 0); /* the same place */
    EXPECT_EQ(again & 0x3fffff, h & 0x3fffff);
    EXPECT_NE(again, h);
    EXPECT_EQ(notifier_signal(manager, h), -HV_ENOENT);
    EXPECT_EQ(notifier_signal(manager, again), 1);
    EXPECT_TRUE((int64_t)again > 0);
    end();
}

TEST(bad_binds)
{
    start();
    fake_domain(2, 3)->manager = 3;
    struct domain *below = fake_domain(3, 0);
    static const struct {
        struct hv_notifier b;
        int want;
    } rows[] = {
        {{.kind = 3}, -HV_EINVAL},
        {{.kind = UINT32_MAX}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_COUNT, .flags = 1}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_COUNT, .gsi = 1}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_COUNT, .domain = 1}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_COUNT, .number = 2304}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_COUNT, .reserved = 1}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_NOTIFY, .number = 2303}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_NOTIFY, .number = 4096}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_NOTIFY, .number = 2304, .vcpu = 4}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_NOTIFY, .number = 2304, .flags = 1}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_NOTIFY, .number = 2304, .gsi = 1}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_GSI, .domain = 1, .gsi = 4096}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_GSI, .domain = 1, .gsi = UINT32_MAX}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_GSI, .domain = 1, .flags = 2}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_GSI, .domain = 1, .number = 2304}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_GSI, .domain = 1, .flags = 1, .number = 1}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_GSI, .domain = 1, .flags = 1, .number = 2304, .vcpu = 64}, -HV_EINVAL},
        {{.kind = HV_NOTIFIER_GSI, .domain = 0}, -HV_EPERM},
        {{.kind = HV_NOTIFIER_GSI, .domain = 200}, -HV_ESRCH},
        {{.kind = HV_NOTIFIER_GSI, .domain = UINT32_MAX}, -HV_ESRCH},
        {{.kind = HV_NOTIFIER_GSI, .domain = 3, .gsi = 4096}, -HV_EINVAL}, /* has no table yet */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        EXPECT_EQ(notifier_check(manager, &rows[i].b), rows[i].want);
    }
    const struct hv_notifier foreign =
        on(HV_NOTIFIER_GSI, 5, 0, 0); /* of domain 1, by one that does not manage it */
    EXPECT_EQ(notifier_check(below, &foreign), -HV_EPERM);
    end();
}

/* What happens, in order, when the guest ends the interrupt. */
TEST(resample_lowers_first_and_then_tells_all)
{
    start();
    uint64_t a = make(HV_NOTIFIER_GSI, 5, HV_NOTIFIER_RESAMPLE, 2304);
    uint64_t b = make(HV_NOTIFIER_GSI, 5, HV_NOTIFIER_RESAMPLE, 2305);
    EXPECT_EQ(notifier_signal(manager, a), 1);
    EXPECT_TRUE(fake_last(FAKE_LINE, 2, 5, IRQCHIP_SOURCE_RESAMPLE << 1 | 1)); /* and stays */
    EXPECT_EQ(fake_count, 1);
    notifier_acked(d, 2, 4);
    notifier_acked(d, 0, 5);
    EXPECT_EQ(fake_count, 1);
    notifier_acked(d, 2, 5);
    EXPECT_EQ(fake_count, 4);
    EXPECT_EQ(fake_events[1].what, FAKE_LINE);
    EXPECT_EQ(fake_events[1].c, IRQCHIP_SOURCE_RESAMPLE << 1);
    EXPECT_EQ(fake_events[2].what, FAKE_NOTIFY);
    EXPECT_EQ(fake_events[2].c + fake_events[3].c, 2304 + 2305);
    EXPECT_EQ(route_counts(d->routing, 5)->acknowledged, 1);
    notifier_close(notifier_find(a));
    EXPECT_EQ(fake_count, 4);
    notifier_acked(d, 2, 5);
    EXPECT_EQ(fake_count, 6);
    EXPECT_TRUE(fake_last(FAKE_NOTIFY, 0, 0, 2305));
    notifier_close(notifier_find(b)); /* the last one takes the line down */
    EXPECT_EQ(fake_count, 7);
    EXPECT_TRUE(fake_last(FAKE_LINE, 2, 5, IRQCHIP_SOURCE_RESAMPLE << 1));
    notifier_acked(d, 2, 5);
    EXPECT_EQ(fake_count, 7);
    end();
}

TEST(resample_by_vector)
{
    start();
    (void)make(HV_NOTIFIER_GSI, 6, HV_NOTIFIER_RESAMPLE, 2310);
    notifier_acked_vector(d, 0x30);
    EXPECT_EQ(fake_count, 0);
    notifier_acked_vector(d, 0x31);
    EXPECT_EQ(fake_count, 1);
    EXPECT_TRUE(fake_last(FAKE_NOTIFY, 0, 0, 2310));
    end();
}

TEST(the_manager_tells_the_end)
{
    start();
    (void)make(HV_NOTIFIER_GSI, 6, HV_NOTIFIER_RESAMPLE, 2310);
    EXPECT_EQ(notifier_ended(d, 6), 1);
    EXPECT_TRUE(fake_last(FAKE_NOTIFY, 0, 0, 2310));
    EXPECT_EQ(notifier_ended(d, 7), 0);
    EXPECT_EQ(notifier_ended(d, 5), -HV_EINVAL); /* a pin: its end is seen */
    EXPECT_EQ(notifier_ended(d, UINT64_MAX), -HV_EINVAL);
    end();
}

TEST(resample_places_are_limited_and_come_back)
{
    start();
    uint64_t h[ROUTE_RESAMPLERS];
    for (uint32_t i = 0; i < ROUTE_RESAMPLERS; i++)
        h[i] = make(HV_NOTIFIER_GSI, 100 + i, HV_NOTIFIER_RESAMPLE, 2304);
    const struct hv_notifier b = on(HV_NOTIFIER_GSI, 7, HV_NOTIFIER_RESAMPLE, 2304);
    EXPECT_EQ(notifier_create(manager, &b), -HV_ENOSPC);
    notifier_close(notifier_find(h[20]));
    EXPECT_TRUE(notifier_create(manager, &b) > 0);
    EXPECT_EQ(
        notifier_create(manager,
                        &(struct hv_notifier){.kind = 1, .domain = 1, .gsi = 8, .flags = 1, .number = 2304}),
        -HV_ENOSPC);
    (void)make(HV_NOTIFIER_GSI, 7, HV_NOTIFIER_RESAMPLE, 2305); /* a second listener needs no place */
    end();
}

TEST(a_domain_that_goes_is_forgotten)
{
    start();
    uint64_t a = make(HV_NOTIFIER_GSI, 5, HV_NOTIFIER_RESAMPLE, 2304), b = make(HV_NOTIFIER_GSI, 6, 0, 0);
    notifier_forget(d);
    unsigned before = fake_count;
    EXPECT_EQ(notifier_signal(manager, b), 1); /* counted */
    EXPECT_EQ(notifier_signal(manager, a), 1);
    EXPECT_EQ(fake_count, before);
    struct hv_notifier_info info = {0};
    notifier_info(notifier_find(a), &info);
    EXPECT_EQ(info.bind.kind, HV_NOTIFIER_COUNT);
    EXPECT_EQ(info.unread, 1);
    end();
}

TEST(info_and_list)
{
    start();
    uint64_t h[70];
    for (uint32_t i = 0; i < COUNT(h); i++)
        h[i] = make(HV_NOTIFIER_GSI, i, HV_NOTIFIER_RESAMPLE & (i == 9), i == 9 ? 4000 : 0);
    notifier_close(notifier_find(h[0]));
    notifier_close(notifier_find(h[40]));
    uint32_t n = 0;
    for (struct notifier *at = notifier_next(manager, -1); at; at = notifier_next(manager, at->place), n++)
        EXPECT_TRUE(notifier_find(notifier_handle(at)) == at);
    EXPECT_EQ(n, COUNT(h) - 2);
    struct hv_notifier_info info = {0};
    notifier_find(h[9])->may[1] = 5;
    notifier_info(notifier_find(h[9]), &info);
    const struct hv_notifier want = on(HV_NOTIFIER_GSI, 9, HV_NOTIFIER_RESAMPLE, 4000);
    EXPECT_MEMEQ(&info.bind, &want, sizeof(want));
    EXPECT_EQ(info.may_signal[1], 5);
    EXPECT_TRUE(notifier_next(d, -1) == NULL);
    end();
}

TEST(notifiers_without_memory)
{
    const struct hv_notifier b = {.kind = HV_NOTIFIER_COUNT};
    for (long n = 1; n <= 4; n++) {
        start();
        fake_fail_at = n; /* routing, table, directory, page */
        EXPECT_EQ(notifier_create(manager, &b), -HV_ENOMEM);
        EXPECT_TRUE(notifier_create(manager, &b) > 0);
        end();
    }
}

TEST(as_many_as_there_are)
{
    start();
    for (uint32_t i = 0; i < NOTIFIERS_MAX; i++)
        if (notifier_create(manager, &(struct hv_notifier){.kind = 0}) <= 0)
            EXPECT_EQ(i, NOTIFIERS_MAX);
    EXPECT_EQ(notifier_create(manager, &(struct hv_notifier){.kind = 0}), -HV_ENOSPC);
    end();
}

/* ---- doorbells */

static struct hv_doorbell bell(uint64_t address, uint32_t width, int64_t data, uint64_t notifier)
{
    return (struct hv_doorbell){.size = 48,
                                .space = HV_CLAIM_MMIO,
                                .address = address,
                                .width = width,
                                .flags = data >= 0 ? HV_DOORBELL_MATCH : 0,
                                .data = data >= 0 ? (uint64_t)data : 0,
                                .notifier = notifier};
}

static int add(struct hv_doorbell b)
{
    return doorbell_add(d, &b, notifier_find(b.notifier));
}

TEST(doorbells_ring_for_what_they_match)
{
    start();
    uint64_t a = make(HV_NOTIFIER_NOTIFY, 0, 0, 2304), b = make(HV_NOTIFIER_NOTIFY, 0, 0, 2305);
    EXPECT_FALSE(doorbell_hit(d, HV_CLAIM_MMIO, 0x1000, 4, 1));
    EXPECT_EQ(add(bell(0x1000, 4, -1, a)), 0);
    EXPECT_EQ(add(bell(0x1004, 0, -1, b)), 0);
    EXPECT_EQ(add(bell(0x2000, 2, 7, a)), 0);
    EXPECT_EQ(add(bell(0x2000, 2, 8, b)), 0);
    EXPECT_EQ(add(bell(0x2000, 4, 7, b)), 0); /* another width */
    EXPECT_TRUE(doorbell_hit(d, HV_CLAIM_MMIO, 0x1000, 4, 99));
    EXPECT_TRUE(fake_last(FAKE_NOTIFY, 0, 0, 2304));
    EXPECT_FALSE(doorbell_hit(d, HV_CLAIM_MMIO, 0x1000, 2, 99));
    EXPECT_FALSE(doorbell_hit(d, HV_CLAIM_MMIO, 0x1001, 4, 99));
    EXPECT_FALSE(doorbell_hit(d, HV_CLAIM_PIO, 0x1000, 4, 99));
    for (uint32_t width = 1; width <= 8; width *= 2)
        EXPECT_TRUE(doorbell_hit(d, HV_CLAIM_MMIO, 0x1004, width, width));
    EXPECT_TRUE(doorbell_hit(d, HV_CLAIM_MMIO, 0x2000, 2, 0x10007)); /* the low two bytes */
    EXPECT_TRUE(fake_last(FAKE_NOTIFY, 0, 0, 2304));
    EXPECT_TRUE(doorbell_hit(d, HV_CLAIM_MMIO, 0x2000, 2, 8));
    EXPECT_TRUE(fake_last(FAKE_NOTIFY, 0, 0, 2305));
    EXPECT_TRUE(doorbell_hit(d, HV_CLAIM_MMIO, 0x2000, 4, 7));
    EXPECT_FALSE(doorbell_hit(d, HV_CLAIM_MMIO, 0x2000, 2, 9));
    EXPECT_FALSE(doorbell_hit(d, HV_CLAIM_MMIO, 0x2000, 4, 0x10007));
    EXPECT_EQ(notifier_read(manager, a), 2);
    notifier_close(notifier_find(a));
    EXPECT_FALSE(doorbell_hit(d, HV_CLAIM_MMIO, 0x1000, 4, 99)); /* no doorbell any more */
    const struct hv_doorbell gone = bell(0x1000, 4, -1, a);
    EXPECT_EQ(doorbell_remove(d, &gone), 0); /* by its old handle */
    uint64_t c = make(HV_NOTIFIER_COUNT, 0, 0, 0);
    EXPECT_EQ(add(bell(0x1000, 4, -1, c)), 0);
    EXPECT_EQ(add(bell(0x3000, 2, 7, c)), 0);
    notifier_close(notifier_find(c));
    uint64_t e = make(HV_NOTIFIER_COUNT, 0, 0, 0); /* in the same place */
    EXPECT_EQ(add(bell(0x3000, 2, -1, e)), 0);
    EXPECT_EQ(add(bell(0x1000, 0, -1, e)), 0);
    EXPECT_TRUE(doorbell_hit(d, HV_CLAIM_MMIO, 0x1000, 4, 99) &&
                doorbell_hit(d, HV_CLAIM_MMIO, 0x3000, 2, 7));
    EXPECT_EQ(notifier_read(manager, e), 2);
    EXPECT_EQ(d->doorbells->matches, 2);
    end();
}

TEST(doorbells_that_clash)
{
    start();
    uint64_t n = make(HV_NOTIFIER_COUNT, 0, 0, 0);
    EXPECT_EQ(add(bell(0x1000, 4, -1, n)), 0);
    EXPECT_EQ(add(bell(0x1000, 4, -1, n)), -HV_EEXIST);
    EXPECT_EQ(add(bell(0x1000, 4, 1, n)), -HV_EEXIST);
    EXPECT_EQ(add(bell(0x1000, 0, -1, n)), -HV_EEXIST);
    EXPECT_EQ(add(bell(0x1002, 2, -1, n)), -HV_EEXIST);
    EXPECT_EQ(add(bell(0xffc, 8, -1, n)), -HV_EINVAL); /* across a page */
    EXPECT_EQ(add(bell(0x1003, 0, 1, n)), -HV_EINVAL); /* data without a width */
    EXPECT_EQ(add(bell(0x1003, 0, -1, n)), -HV_EEXIST);
    EXPECT_EQ(add(bell(0x1004, 4, -1, n)), 0);
    EXPECT_EQ(add(bell(0x1000, 2, 1, n)), 0);
    EXPECT_EQ(add(bell(0x1000, 2, 1, n)), -HV_EEXIST);
    EXPECT_EQ(add(bell(0x1000, 2, 2, n)), 0);
    EXPECT_EQ(add(bell(0x1000, 2, -1, n)), -HV_EEXIST);
    struct hv_doorbell port = bell(0x1000, 4, -1, n);
    port.space = HV_CLAIM_PIO; /* another space */
    EXPECT_EQ(add(port), 0);
    end();
}

TEST(bad_doorbells)
{
    start();
    uint64_t n = make(HV_NOTIFIER_COUNT, 0, 0, 0);
    static const struct hv_doorbell bad[] = {
        {.space = 2},
        {.space = UINT32_MAX},
        {.width = 3},
        {.width = 16},
        {.width = 5},
        {.width = UINT32_MAX},
        {.flags = 2},
        {.flags = 3, .width = 1},
        {.data = 1},
        {.flags = 1, .width = 1, .data = 256},
        {.flags = 1, .width = 4, .data = 1UL << 32},
        {.flags = 1},
        {.reserved = 1},
        {.width = 8},
        {.address = 0x10000},
        {.address = 0xffff, .width = 2},
        {.address = UINT64_MAX},
        {.space = 1, .address = EPT_GPA_END},
        {.space = 1, .address = UINT64_MAX},
        {.space = 1, .address = 0xfff, .width = 2},
    };
    long pages = fake_pages;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct hv_doorbell b = bad[i];
        b.notifier = n;
        test_row("row %zu", i);
        EXPECT_EQ(add(b), -HV_EINVAL);
        EXPECT_EQ(doorbell_remove(d, &b), -HV_EINVAL);
    }
    EXPECT_EQ(fake_pages, pages);
    EXPECT_EQ(add((struct hv_doorbell){.address = 0xffff, .width = 1, .notifier = n}), 0);
    EXPECT_EQ(add((struct hv_doorbell){.address = 0xfffc, .width = 0, .notifier = n}), 0);
    EXPECT_EQ(add((struct hv_doorbell){.space = 1, .address = EPT_GPA_END - 8, .width = 8, .notifier = n}),
              0);
    end();
}

/* Against a list that is looked through one by one. */
TEST(doorbells_against_a_list)
{
    struct random r = {.state = 7};
    static struct hv_doorbell list[64];
    unsigned count = 0, hits = 0;
    start();
    uint64_t n[4];
    for (uint32_t i = 0; i < 4; i++)
        n[i] = make(HV_NOTIFIER_NOTIFY, 0, 0, 2304 + i);
    for (unsigned step = 0; step < 60000; step++) {
        struct hv_doorbell b = bell(0x1000 + 8 * random_below(&r, 8), 1U << random_below(&r, 4),
                                    (int64_t)random_below(&r, 4) - 1, n[random_below(&r, 4)]);
        if (random_one_in(&r, 3)) {
            unsigned i = 0, clash = 0;
            for (; i < count; i++)
                clash += list[i].address == b.address && list[i].width == b.width &&
                         (!list[i].flags || !b.flags || list[i].data == b.data);
            bool full = count == COUNT(list);
            if (!full || clash)
                EXPECT_EQ(add(b), clash ? -HV_EEXIST : 0);
            if (!clash && !full)
                list[count++] = b;
        } else if (count && random_one_in(&r, 3)) {
            unsigned i = (unsigned)random_below(&r, count);
            EXPECT_EQ(doorbell_remove(d, &list[i]), 0);
            EXPECT_EQ(doorbell_remove(d, &list[i]), -HV_ENOENT);
            list[i] = list[--count];
        } else {
            const struct hv_doorbell *want = NULL;
            for (unsigned i = 0; i < count; i++)
                if (list[i].address == b.address && list[i].width == b.width &&
                    (!list[i].flags || list[i].data == b.data))
                    want = &list[i];
            bool hit = doorbell_hit(d, HV_CLAIM_MMIO, b.address, b.width, b.data);
            EXPECT_EQ(hit, want != NULL);
            if (hit && want)
                EXPECT_TRUE(notifier_find(want->notifier)->place + 2304U ==
                            fake_events[(fake_count - 1) % 256].c);
            hits += hit;
        }
    }
    EXPECT_TRUE(hits > 1000);
    end();
}

TEST(doorbells_full_and_without_memory)
{
    start();
    uint64_t n = make(HV_NOTIFIER_COUNT, 0, 0, 0);
    fake_fail_at = 1;
    EXPECT_EQ(add(bell(0x1000, 4, -1, n)), -HV_ENOMEM);
    fake_fail_at = 2;
    EXPECT_EQ(add(bell(0x1000, 4, -1, n)), -HV_ENOMEM);
    for (uint32_t i = 0; i < DOORBELLS_MAX; i++)
        if (add(bell(0x1000 + 4 * i, 4, -1, n)))
            EXPECT_EQ(i, DOORBELLS_MAX);
    EXPECT_EQ(add(bell(0x100000, 4, -1, n)), -HV_ENOSPC);
    EXPECT_TRUE(doorbell_hit(d, HV_CLAIM_MMIO, 0x1000 + 4 * (DOORBELLS_MAX - 1), 4, 0));
    const struct hv_doorbell b = bell(0x1000, 4, -1, n);
    EXPECT_EQ(doorbell_remove(d, &b), 0);
    EXPECT_EQ(add(bell(0x100000, 4, -1, n)), 0);
    end();
}
