/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/vapic: the timer (L-29, L-30, A18). One timer tick is 4 TSC ticks here, so the numbers can be followed
 * by hand.
 */
#include "tests/host/vapic.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

static struct vapic v;

static void make(uint32_t lvt, uint32_t tdcr)
{
    vapic_make(&v, 0, false, NULL);
    vapic_enable(&v, false);
    vapic_write(&v, 0x320, lvt);
    vapic_write(&v, 0x3e0, tdcr);
}

static uint64_t next(void)
{
    uint64_t deadline;
    return vlapic_timer_next(&v.a, &deadline) ? deadline : 0;
}

TEST(l29_divide)
{
    static const struct {
        uint32_t tdcr, by;
    } rows[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        make(0x40, rows[i].tdcr);
        test_row("TDCR %u", rows[i].tdcr);
        EXPECT_EQ(next(), 0);
        vapic_write(&v, 0x380, 100);
        EXPECT_TRUE(v.f.what & VLAPIC_FACT_TIMER);
        EXPECT_EQ(next(), v.now + 400 * rows[i].by);
        vapic_write(&v, 0x380, 0xffffffff);
        EXPECT_EQ(next(), v.now + 4 * (uint64_t)0xffffffff * rows[i].by);
        EXPECT_EQ(vapic_read(&v, 0x390), 0xffffffff);
    }
}

TEST(l29_one_shot)
{
    make(0x40, 11);
    vapic_write(&v, 0x380, 10);
    uint64_t start = v.now;
    for (uint64_t t = 0; t <= 40; t++) {
        v.now = start + t;
        EXPECT_EQ(vapic_read(&v, 0x390), (40 - t + 3) / 4);
        if (t < 40)
            EXPECT_FALSE(vlapic_timer_expire(&v.a, v.now));
    }
    EXPECT_TRUE(vlapic_timer_expire(&v.a, v.now));
    EXPECT_FALSE(vlapic_timer_expire(&v.a, v.now + 1000000));
    EXPECT_EQ(next(), 0);
    EXPECT_EQ(vapic_read(&v, 0x390), 0);
    EXPECT_EQ(vapic_read(&v, 0x380), 10);
}

TEST(a18_initial_count_0_and_1)
{
    for (unsigned periodic = 0; periodic < 2; periodic++) {
        make(0x40 | periodic << 17, 11);
        vapic_write(&v, 0x380, 10);
        vapic_write(&v, 0x380, 0);
        EXPECT_EQ(next(), 0);
        EXPECT_EQ(vapic_read(&v, 0x390), 0);
        EXPECT_FALSE(vlapic_timer_expire(&v.a, UINT64_MAX));
        vapic_write(&v, 0x380, 1);
        EXPECT_EQ(next(), v.now + 4);
        EXPECT_TRUE(vlapic_timer_expire(&v.a, v.now + 4));
        EXPECT_EQ(next(), periodic ? v.now + 8 : 0);
    }
}

TEST(l29_a18_periodic_keeps_phase_and_catches_up_once)
{
    struct random r = {.state = 77};
    make(0x20040, 11);
    vapic_write(&v, 0x380, 250); /* period 1000 */
    uint64_t start = v.now, now = start;
    for (unsigned i = 0; i < 100000; i++) {
        now += random_one_in(&r, 50) ? random_below(&r, 1000000) : random_below(&r, 700);
        bool due = now >= next(), fired = vlapic_timer_expire(&v.a, now);
        if (fired != due || next() <= now || next() > now + 1000 || (next() - start) % 1000 != 0 ||
            vlapic_timer_expire(&v.a, now)) {
            test_row("step %u", i);
            EXPECT_EQ(next(), now);
            return;
        }
    }
    uint64_t hour = now + 3600ULL * 3000000000;
    EXPECT_TRUE(vlapic_timer_expire(&v.a, hour));
    EXPECT_FALSE(vlapic_timer_expire(&v.a, hour));
}

TEST(a18_short_period_is_bounded)
{
    struct vlapic_features f = {.tick = 1, .min_period = 5000};
    for (uint32_t period = 1; period < 6000; period += 37) {
        vapic_make(&v, 0, false, &f);
        vapic_enable(&v, false);
        vapic_write(&v, 0x320, 0x20040);
        vapic_write(&v, 0x3e0, 11);
        vapic_write(&v, 0x380, period);
        uint64_t now = next(), start = v.now, fired = 0;
        for (; now < start + 1000000; now = next()) {
            ASSERT_TRUE(vlapic_timer_expire(&v.a, now));
            fired++;
            ASSERT_TRUE(next() > now && (next() - start) % period == 0);
            v.now = now + period / 2;
            ASSERT_TRUE(vapic_read(&v, 0x390) > 0 && vapic_read(&v, 0x390) <= period);
            if (period < 5000)
                ASSERT_TRUE(next() >= now + 5000 && next() < now + 5000 + period);
        }
        EXPECT_TRUE(fired <= 200);
    }
}

TEST(a18_change_while_armed)
{
    /* One-shot and periodic into each other: the count goes on. */
    make(0x40, 11);
    vapic_write(&v, 0x380, 100);
    vapic_write(&v, 0x320, 0x20040);
    EXPECT_EQ(next(), v.now + 400);
    EXPECT_TRUE(vlapic_timer_expire(&v.a, v.now + 400));
    EXPECT_EQ(next(), v.now + 800);
    vapic_write(&v, 0x320, 0x40);
    EXPECT_TRUE(vlapic_timer_expire(&v.a, v.now + 800));
    EXPECT_EQ(next(), 0);
    /* The divider: the count that is left stays. */
    make(0x40, 11);
    vapic_write(&v, 0x380, 100);
    v.now += 200;
    vapic_write(&v, 0x3e0, 0);
    EXPECT_EQ(vapic_read(&v, 0x390), 50);
    EXPECT_EQ(next(), v.now + 400);
    /* Reserved mode 11b stands still. */
    vapic_write(&v, 0x320, 0x60040);
    EXPECT_EQ(next(), 0);
    EXPECT_FALSE(vlapic_timer_expire(&v.a, UINT64_MAX));
}

TEST(l30_into_and_out_of_deadline_mode)
{
    make(0x40, 11);
    vapic_write(&v, 0x380, 100);
    vapic_write(&v, 0x320, 0x40040);
    EXPECT_EQ(next(), 0);
    EXPECT_EQ(vapic_read(&v, 0x380), 0);
    vapic_write(&v, 0x380, 100); /* ignored */
    EXPECT_EQ(vapic_read(&v, 0x380), 0);
    EXPECT_EQ(vapic_read(&v, 0x390), 0);
    EXPECT_EQ(next(), 0);
    vlapic_timer_deadline_set(&v.a, v.now + 5000);
    EXPECT_EQ(next(), v.now + 5000);
    EXPECT_EQ(vlapic_timer_deadline(&v.a, v.now), v.now + 5000);
    EXPECT_EQ(vapic_read(&v, 0x390), 0);
    vapic_write(&v, 0x320, 0x20040);
    EXPECT_EQ(next(), 0);
    EXPECT_EQ(vlapic_timer_deadline(&v.a, v.now), 0);
    vlapic_timer_deadline_set(&v.a, v.now + 5000); /* ignored */
    EXPECT_EQ(next(), 0);
}

TEST(l30_a18_deadline_values)
{
    make(0x40040, 11);
    vlapic_timer_deadline_set(&v.a, v.now - 1); /* past: at once */
    EXPECT_TRUE(vlapic_timer_expire(&v.a, v.now));
    EXPECT_EQ(vlapic_timer_deadline(&v.a, v.now), 0);
    EXPECT_FALSE(vlapic_timer_expire(&v.a, v.now));
    vlapic_timer_deadline_set(&v.a, UINT64_MAX);
    EXPECT_FALSE(vlapic_timer_expire(&v.a, UINT64_MAX - 1));
    EXPECT_EQ(vlapic_timer_deadline(&v.a, v.now), UINT64_MAX);
    vlapic_timer_deadline_set(&v.a, 0);
    EXPECT_EQ(next(), 0);
    vlapic_timer_deadline_set(&v.a, 1);
    EXPECT_TRUE(vlapic_timer_expire(&v.a, v.now));
    vlapic_timer_deadline_set(&v.a, v.now + 10);
    EXPECT_FALSE(vlapic_timer_expire(&v.a, v.now + 9));
    EXPECT_TRUE(vlapic_timer_expire(&v.a, v.now + 10));
}

TEST(l25_l26_masked_timer_runs_unheard)
{
    make(0x10040, 11);
    vapic_write(&v, 0x380, 100);
    EXPECT_EQ(next(), 0);
    v.now += 100;
    EXPECT_EQ(vapic_read(&v, 0x390), 75);
    v.now += 500; /* passed */
    EXPECT_FALSE(vlapic_timer_expire(&v.a, v.now));
    vapic_write(&v, 0x320, 0x40);
    EXPECT_EQ(next(), 0);
    make(0x50040, 11);
    vlapic_timer_deadline_set(&v.a, v.now + 10);
    v.now += 20;
    EXPECT_EQ(vlapic_timer_deadline(&v.a, v.now), 0);
    vapic_write(&v, 0x320, 0x40040);
    EXPECT_EQ(next(), 0);
    make(0x30040, 11);
    vapic_write(&v, 0x380, 250);
    uint64_t start = v.now;
    v.now += 2500;
    EXPECT_EQ(vapic_read(&v, 0x390), 125);
    vapic_write(&v, 0x320, 0x20040);
    EXPECT_EQ(next(), start + 3000);
    vapic_write(&v, 0xf0, 0xff); /* software disable masks it */
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_TIMER);
    EXPECT_EQ(next(), 0);
}

TEST(l33_off_stops_the_timer)
{
    make(0x20040, 11);
    vapic_write(&v, 0x380, 250);
    EXPECT_TRUE(vapic_base(&v, 0xfee00000));
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_TIMER);
    EXPECT_EQ(next(), 0);
    EXPECT_TRUE(vapic_base(&v, 0xfee00800));
    EXPECT_EQ(next(), 0);
    EXPECT_EQ(vapic_read(&v, 0x380), 0);
}

TEST(a18_far_end_of_time)
{
    make(0x20040, 10);
    v.now = UINT64_MAX - 5;
    vapic_write(&v, 0x380, 0xffffffff);
    EXPECT_EQ(next(), UINT64_MAX);
    EXPECT_TRUE(vlapic_timer_expire(&v.a, UINT64_MAX));
    struct vlapic_features f = {.tick = 0}; /* no division by zero */
    vapic_make(&v, 0, false, &f);
    vapic_enable(&v, false);
    vapic_write(&v, 0x320, 0x20040);
    vapic_write(&v, 0x380, 3);
    EXPECT_EQ(next(), v.now + 6);
    EXPECT_EQ(vapic_read(&v, 0x390), 3);
}
