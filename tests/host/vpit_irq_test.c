/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/irqchip/vpit: ticks on IRQ 0, their frequency and reinjection (T-03). */
#include "tests/host/vpit.h"

TEST(t03_frequency_without_drift)
{
    static const uint64_t rates[] = {1000, 1193, 2400003, 3999999, 5123457};
    for (size_t i = 0; i < COUNT(rates); i++) {
        uint64_t pulses = 0, deadline;
        test_row("%llu kHz", (unsigned long long)rates[i]);
        make(rates[i]);
        vpit_reinject(&p, false);
        program(0, 2, 11932);
        /* A day of TSC at 100 Hz: 24 * 3600 * 1193182 / 11932 whole periods; served late by varying amounts. */
        while (vpit_deadline(&p, &deadline) && deadline <= base + 86400 * rates[i] * 1000) {
            ASSERT_EQ(deadline, tsc(1 + (pulses + 1) * 11932));
            EXPECT_FALSE(vpit_run(&p, deadline - 1));
            EXPECT_TRUE(vpit_run(&p, deadline + pulses % 5));
            EXPECT_FALSE(vpit_run(&p, deadline + pulses % 5));
            pulses++;
        }
        EXPECT_EQ(pulses, (86400ULL * 1193182 - 1) / 11932);
        EXPECT_EQ(p.ticks, pulses);
    }
}

TEST(t03_one_shot_gives_one_tick)
{
    uint64_t deadline;
    make(2000000);
    EXPECT_FALSE(vpit_deadline(&p, &deadline));
    program(0, 0, 100);
    ASSERT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(101));
    EXPECT_FALSE(vpit_run(&p, deadline - 1));
    EXPECT_TRUE(vpit_run(&p, deadline));
    vpit_sent(&p, 1);
    EXPECT_FALSE(vpit_deadline(&p, &deadline));
    EXPECT_FALSE(vpit_ack(&p, tsc(1000000)));
    tick = 2000000;
    program(0, 4, 10);
    ASSERT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(tick + 12));
    EXPECT_FALSE(vpit_run(&p, deadline - 1));
    EXPECT_TRUE(vpit_run(&p, deadline));
    EXPECT_FALSE(vpit_run(&p, deadline + 1000000));
    program(0, 1, 10);
    EXPECT_FALSE(vpit_deadline(&p, &deadline));
    program(0, 5, 10);
    EXPECT_FALSE(vpit_deadline(&p, &deadline));
}

TEST(t03_reinjection_on)
{
    uint64_t deadline;
    make(1000000);
    program(0, 2, 1000);
    EXPECT_TRUE(vpit_run(&p, tsc(1001)));
    vpit_sent(&p, 1);
    EXPECT_FALSE(vpit_run(&p, tsc(2001))); /* the first one is not acknowledged */
    EXPECT_FALSE(vpit_run(&p, tsc(5500)));
    ASSERT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(6001)); /* an edge as any: no need to ask anew when the acknowledgement comes */
    for (unsigned i = 0; i < 4; i++) { /* 2001, 3001, 4001, 5001 */
        EXPECT_TRUE(vpit_ack(&p, tsc(5600 + i)));
        vpit_sent(&p, 1);
        EXPECT_FALSE(vpit_run(&p, tsc(5600 + i)));
    }
    EXPECT_FALSE(vpit_ack(&p, tsc(5700)));
    ASSERT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(6001));
    EXPECT_TRUE(vpit_run(&p, tsc(6001)));
    vpit_sent(&p, 0); /* coalesced: not lost, but not at once, lest the caller go round for ever */
    EXPECT_FALSE(vpit_ack(&p, tsc(6002)));
    ASSERT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(6001 + 239));
    EXPECT_FALSE(vpit_run(&p, deadline - 1));
    EXPECT_TRUE(vpit_run(&p, deadline));
    vpit_sent(&p, 2);
    EXPECT_FALSE(vpit_ack(&p, tsc(6300)));
    ASSERT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(7001));
    EXPECT_EQ(p.ticks, 7);
    EXPECT_EQ(p.dropped, 0);
}

TEST(t03_reinjection_every_tick_arrives)
{
    struct random r = {.state = 99};
    uint64_t acked = 0;
    bool pending = false;
    make(3000000);
    program(0, 3, 1193);
    while (tick < 1193182ULL * 60) {
        tick += random_below(&r, 6000);
        if (vpit_run(&p, tsc(tick))) {
            EXPECT_FALSE(pending);
            pending = true;
            vpit_sent(&p, 1);
        }
        tick += random_below(&r, random_one_in(&r, 50) ? 100000 : 300);
        while (pending) {
            acked++;
            pending = vpit_ack(&p, tsc(tick));
            if (pending)
                vpit_sent(&p, 1);
        }
    }
    EXPECT_EQ(acked, (tick - 1) / 1193);
    EXPECT_EQ(p.dropped, 0);
}

TEST(t03_masked_ticks_are_not_kept)
{
    uint64_t deadline;
    make(1000000);
    program(0, 2, 1000);
    EXPECT_TRUE(vpit_run(&p, tsc(10001)));
    vpit_sent(&p, -1);
    EXPECT_EQ(p.edges, 0);
    EXPECT_EQ(p.dropped, 10);
    ASSERT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(11001));
    EXPECT_TRUE(vpit_run(&p, tsc(11001)));
    vpit_sent(&p, 1);
    EXPECT_FALSE(vpit_run(&p, tsc(20001)));
    vpit_reinject(&p, true); /* unmasked: what was missed is forgotten */
    EXPECT_FALSE(vpit_run(&p, tsc(20001)));
    EXPECT_TRUE(vpit_run(&p, tsc(21001)));
}

TEST(t03_lost_acknowledgement_is_given_up)
{
    uint64_t deadline;
    make(1000000);
    program(0, 2, 1000);
    EXPECT_TRUE(vpit_run(&p, tsc(1001)));
    vpit_sent(&p, 1);
    EXPECT_FALSE(vpit_run(&p, tsc(1001 + 1193181)));
    ASSERT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(1001 + 1193182));
    EXPECT_TRUE(vpit_run(&p, deadline));
    make(1000000);
    program(0, 0, 1000); /* no further edge would wake anybody */
    EXPECT_TRUE(vpit_run(&p, tsc(1001)));
    vpit_sent(&p, 0);
    ASSERT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(1001 + 1193182));
    EXPECT_TRUE(vpit_run(&p, deadline));
}

/* A caller that acknowledges in the guest's place, whatever came of the pulse. */
TEST(t03_pulses_in_a_row_are_bounded)
{
    unsigned pulses = 0;
    make(1000000);
    program(0, 2, 1000);
    tick = 100001;
    for (bool due = vpit_run(&p, tsc(tick)); due && pulses < 1000; pulses++) {
        vpit_sent(&p, pulses < 7);
        due = vpit_ack(&p, tsc(tick));
    }
    EXPECT_EQ(pulses, 8);
    vpit_reinject(&p, true);
    EXPECT_FALSE(vpit_run(&p, tsc(tick)));
    vpit_sent(&p, 0); /* one that was on the way */
    vpit_reinject(&p, true);
    program(0, 4, 1);
    EXPECT_TRUE(vpit_run(&p, tsc(tick + 3)));
}

TEST(t03_reinjection_off_merges)
{
    make(1000000);
    vpit_reinject(&p, false);
    program(0, 2, 1000);
    EXPECT_TRUE(vpit_run(&p, tsc(1001)));
    vpit_sent(&p, 1);
    EXPECT_TRUE(vpit_run(&p, tsc(9500)));
    vpit_sent(&p, 0);
    EXPECT_FALSE(vpit_run(&p, tsc(9500)));
    EXPECT_FALSE(vpit_ack(&p, tsc(9600)));
    EXPECT_TRUE(vpit_run(&p, tsc(10001)));
    vpit_sent(&p, -1);
    EXPECT_EQ(p.dropped, 0);
}

TEST(t03_period_of_200_us_at_least)
{
    for (unsigned reinject = 0; reinject < 2; reinject++)
        for (unsigned count = 1; count < 300; count++) {
            unsigned pulses = 0;
            uint64_t deadline, last = 0;
            test_row("count %u", count);
            make(1000000); /* TSC ticks of a nanosecond */
            vpit_reinject(&p, reinject);
            program(0, 2, count);
            while (vpit_deadline(&p, &deadline) && deadline < base + 10000000) {
                EXPECT_TRUE(vpit_run(&p, deadline));
                vpit_sent(&p, 1);
                EXPECT_FALSE(vpit_ack(&p, deadline));
                if (last != 0)
                    EXPECT_TRUE(deadline - last >= 200000);
                last = deadline;
                pulses++;
            }
            EXPECT_TRUE(pulses >= 39 && pulses <= 50);
        }
}

/* Nor is the caller asked to look more often than that while nobody acknowledges. */
TEST(t03_short_period_without_acknowledgement)
{
    for (unsigned count = 2; count < 300; count += 59) {
        unsigned looks = 0, pulses = 0;
        uint64_t deadline;
        test_row("count %u", count);
        make(1000000);
        program(0, 2, count);
        while (vpit_deadline(&p, &deadline) && deadline < base + 2100000000) {
            if (vpit_run(&p, deadline)) {
                vpit_sent(&p, 1);
                pulses++;
            }
            ASSERT_TRUE(++looks <= 10500);
        }
        EXPECT_EQ(pulses, 3);
    }
}

/* A guest that ends nothing: how often the caller has to look. At every edge of a count of 2 it would do nothing else. */
TEST(t03_short_period_that_nobody_ends)
{
    for (unsigned count = 1; count < 239; count++) {
        unsigned looks = 0;
        uint64_t deadline, now = 0;
        test_row("count %u", count);
        make(1000000);
        now = base;
        program(0, 2, count);
        while (vpit_deadline(&p, &deadline) && deadline < base + 3000000000) {
            now = deadline > now ? deadline : now + 1;
            if (vpit_run(&p, now))
                vpit_sent(&p, 1);
            looks++;
        }
        EXPECT_TRUE(looks >= 3 && looks <= 12);
    }
}

TEST(t03_slow_machine)
{
    uint64_t deadline, last = 0;
    make(20000); /* 10000 of its ticks are 500 us */
    vpit_reinject(&p, false);
    program(0, 2, 2);
    for (unsigned pulses = 0; pulses < 20; pulses++) {
        ASSERT_TRUE(vpit_deadline(&p, &deadline));
        EXPECT_TRUE(last == 0 || deadline - last >= 10000);
        EXPECT_TRUE(vpit_run(&p, deadline));
        vpit_sent(&p, 1);
        last = deadline;
    }
}

TEST(t03_year_of_pause)
{
    uint64_t year = 365ULL * 86400 * 1193182, edges;
    make(4000000);
    program(0, 2, 1193);
    program(2, 3, 7);
    out8(0x61, 1);
    tick = year;
    edges = (year - 1) / 1193;
    EXPECT_TRUE(vpit_run(&p, tsc(tick)));
    EXPECT_EQ(p.edges, 0xfffe);
    EXPECT_EQ(p.dropped, edges - 0xffff);
    EXPECT_EQ(count_of(0), 1193 - (year - 1) % 1193);
    tick = 73 * year; /* TSC near 2^63 */
    EXPECT_EQ(count_of(0), 1193 - (tick - 1) % 1193);
    vpit_run(&p, UINT64_MAX);
    vpit_out(&p, 1, UINT64_MAX);
    EXPECT_TRUE(vpit_deadline(&p, &edges));
}

TEST(t03_time_that_goes_back)
{
    uint16_t count;
    make(1000000);
    program(0, 2, 1000);
    tick = 500;
    count = count_of(0);
    tick = 400;
    EXPECT_EQ(count_of(0), count);
    EXPECT_FALSE(vpit_run(&p, 0));
    EXPECT_EQ(count_of(0), count);
}

TEST(t05_mute_for_legacy_replacement)
{
    uint64_t deadline;
    make(1000000);
    program(0, 2, 1000);
    vpit_mute(&p, true);
    EXPECT_FALSE(vpit_deadline(&p, &deadline));
    EXPECT_FALSE(vpit_run(&p, tsc(5500)));
    tick = 5500;
    EXPECT_EQ(count_of(0), 501);
    vpit_mute(&p, false);
    EXPECT_FALSE(vpit_run(&p, tsc(5500)));
    EXPECT_TRUE(vpit_deadline(&p, &deadline));
    EXPECT_EQ(deadline, tsc(6001));
    EXPECT_TRUE(vpit_run(&p, tsc(6001)));
}
