/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/irqchip/vpit: records (T-05, I7): what is saved lives on the same, what is wrong is refused. */
#include "tests/host/vpit.h"

static void live(struct random *r, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        static const uint16_t ports[] = {0x40, 0x41, 0x42, 0x43, 0x61};
        tick += random_below(r, 700);
        out8(ports[random_below(r, 5)], (uint8_t)(random_one_in(r, 3) ? random_next(r) : random_below(r, 4)));
        if (random_one_in(r, 3))
            in8(ports[random_below(r, 3)]);
        if (random_one_in(r, 3) && vpit_run(&p, tsc(tick)))
            vpit_sent(&p, (int)random_below(r, 3) - 1);
        if (random_one_in(r, 6))
            vpit_ack(&p, tsc(tick));
        if (random_one_in(r, 40))
            vpit_mute(&p, random_one_in(r, 2));
        if (random_one_in(r, 40))
            vpit_reinject(&p, random_one_in(r, 2));
    }
}

/* The same accesses to two devices, at the same distance from their own zero, show the same. */
static void expect_twins(struct vpit *a, struct vpit *b, uint64_t zero_a, uint64_t zero_b, struct random *r)
{
    for (unsigned i = 0; i < 30; i++) {
        uint64_t t = i * 100000 + random_below(r, 90000), da = 0, db = 0;
        uint16_t port = (uint16_t)(0x40 + random_below(r, 3));
        bool due = vpit_deadline(a, &da);
        EXPECT_EQ(vpit_deadline(b, &db), due);
        if (due)
            EXPECT_EQ(db - zero_b, da - zero_a);
        EXPECT_EQ(vpit_read(b, port, zero_b + t), vpit_read(a, port, zero_a + t));
        EXPECT_EQ(vpit_read(b, 0x61, zero_b + t), vpit_read(a, 0x61, zero_a + t));
        EXPECT_EQ(vpit_run(b, zero_b + t), vpit_run(a, zero_a + t));
        if (random_one_in(r, 3))
            EXPECT_EQ(vpit_ack(b, zero_b + t), vpit_ack(a, zero_a + t));
    }
}

TEST(t05_round_trip_and_life_goes_on)
{
    struct random r = {.state = 31};
    for (unsigned i = 0; i < 3000 && test_state.failures == 0; i++) {
        struct hv_pit record, again;
        struct vpit copy;
        uint64_t now, there;
        test_row("life %u", i);
        make(596591 * (1 + random_below(&r, 7))); /* so a PIT tick has 500 TSC ticks, or a multiple */
        live(&r, 1 + (unsigned)random_below(&r, 60));
        now = tsc(tick) + random_below(&r, 800);
        there = random_next(&r) >> 2;
        vpit_state_get(&p, now, &record);
        vpit_init(&copy, khz, there - 5000);
        ASSERT_TRUE(vpit_state_set(&copy, there, &record, sizeof(record)));
        vpit_state_get(&copy, there, &again);
        EXPECT_MEMEQ(&again, &record, sizeof(record));
        expect_twins(&p, &copy, now, there, &r);
    }
}

static void expect_refused(const char *what, const struct hv_pit *record, size_t size)
{
    struct vpit before = p;
    test_row("%s", what);
    EXPECT_FALSE(vpit_state_set(&p, tsc(tick), record, size));
    EXPECT_MEMEQ(&p, &before, sizeof(p));
}

TEST(t05_i7_bad_records_change_nothing)
{
    struct hv_pit good, bad;
    make(1000000);
    out8(0x61, 1);
    program(0, 2, 1000);
    program(1, 3, 18);
    program(2, 0, 500);
    tick = 300;
    vpit_state_get(&p, tsc(tick), &good);
    EXPECT_TRUE(vpit_state_set(&p, tsc(tick), &good, sizeof(good)));
    bad = good; /* the largest that fit */
    bad.edges = 0xffff;
    bad.position = 1ULL << 62;
    EXPECT_TRUE(vpit_state_set(&p, tsc(tick), &bad, sizeof(bad)));
    expect_refused("short", &good, sizeof(good) - 1);
    expect_refused("long", &good, sizeof(good) + 1);
#define BAD(change)                                                                                          \
    do {                                                                                                     \
        bad = good;                                                                                          \
        bad.change;                                                                                          \
        expect_refused(#change, &bad, sizeof(bad));                                                          \
    } while (0)
    BAD(size = 0);
    BAD(version = 2);
    BAD(version = 0);
    BAD(reserved = 1);
    BAD(reserved2[0] = 1);
    BAD(reserved2[2] = 1);
    BAD(position = 0);
    BAD(position = UINT64_MAX);
    BAD(served = bad.position + 1);
    BAD(edges = 0x10000);
    BAD(flags = 0x10);
    BAD(flags = HV_PIT_COALESCED);
    BAD(flags = HV_PIT_MUTED | HV_PIT_REINJECT | HV_PIT_COALESCED);
    BAD(flags = HV_PIT_UNACKED);
    BAD(flags = HV_PIT_MUTED | HV_PIT_REINJECT | HV_PIT_UNACKED);
    BAD(flags = HV_PIT_MUTED; bad.edges = 1);
    BAD(port61 = 0x11);
    BAD(port61 = 0);
    BAD(channel[0].flags &= (uint16_t)~HV_PIT_GATE);
    BAD(channel[0].flags |= 0x80);
    BAD(channel[0].mode = 6);
    BAD(channel[0].access = 0);
    BAD(channel[0].access = 4);
    BAD(channel[0].count = 65537);
    BAD(channel[0].count = 1);
    BAD(channel[0].reload = 65537);
    BAD(channel[0].reload = 0);
    BAD(channel[0].flags |= HV_PIT_BCD; bad.channel[0].count = 10001);
    BAD(channel[0].access = 1; bad.channel[0].flags |= HV_PIT_READ_HIGH);
    BAD(channel[0].start = bad.position + 1);
    BAD(channel[0].load_at = bad.position);
    BAD(channel[0].load_at = bad.position + 65537);
    BAD(channel[0].frozen_at = bad.position + 1);
    BAD(channel[0].frozen_at = bad.channel[0].start - 1);
    BAD(channel[0].frozen_at = bad.position);
    BAD(channel[2].mode = 1; bad.channel[2].frozen_at = bad.position);
    BAD(channel[2].flags &= (uint16_t)~HV_PIT_GATE; bad.port61 = 0);
#undef BAD
}

/* A count of 0 that was restored once divided by zero (CVE-2015-7513). */
TEST(i7_restored_zero_counts)
{
    struct hv_pit record;
    for (unsigned mode = 0; mode < 6; mode++) {
        make(1000000);
        vpit_state_get(&p, base, &record);
        for (unsigned i = 0; i < 3; i++)
            record.channel[i].mode = (uint8_t)mode;
        ASSERT_TRUE(vpit_state_set(&p, base, &record, sizeof(record)));
        tick = 100;
        EXPECT_EQ(count_of(0), 0);
        EXPECT_EQ(vpit_out(&p, 0, tsc(200)), mode != 0);
        EXPECT_FALSE(vpit_run(&p, tsc(300)));
        out8(0x61, 1);
        tick = 400;
        EXPECT_EQ(count_of(2), 0);
    }
}

/* Whatever is taken can be lived with; whatever is refused changes nothing. */
TEST(t05_i7_random_records)
{
    struct random r = {.state = 77};
    unsigned taken = 0;
    for (unsigned i = 0; i < 60000 && test_state.failures == 0; i++) {
        struct hv_pit record, again;
        struct vpit before;
        make(1000 + random_below(&r, 4000000));
        live(&r, 1 + (unsigned)random_below(&r, 8));
        vpit_state_get(&p, tsc(tick), &record);
        for (unsigned k = 0; k < 1 + i % 3; k++)
            ((uint8_t *)&record)[random_below(&r, sizeof(record))] ^= (uint8_t)(1U << random_below(&r, 8));
        before = p;
        if (!vpit_state_set(&p, tsc(tick), &record, sizeof(record))) {
            ASSERT_TRUE(memcmp(&p, &before, sizeof(p)) == 0);
            continue;
        }
        taken++;
        vpit_state_get(&p, tsc(tick), &again);
        EXPECT_EQ(memcmp(again.channel, record.channel, sizeof(again.channel)), 0);
        live(&r, 8);
        vpit_state_get(&p, tsc(tick), &record);
        EXPECT_TRUE(vpit_state_set(&p, tsc(tick), &record, sizeof(record)));
    }
    EXPECT_TRUE(taken > 1000);
}
