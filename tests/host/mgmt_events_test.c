/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the event loop: order, timers, sleeping, and notifications that come in the worst moment.
 */
#include "mgmt/lib/events.h"

#include "mgmt/lib/call.h"
#include "mgmt/lib/hv_error.h"
#include "tests/host/mgmt_fake.h"
#include "tests/host/test.h"

static uint32_t seen[HV_NOTIFY_COUNT];
static char order[64];
static struct events_timer a, b, c;

static void on_number(void *ctx, uint32_t number)
{
    EXPECT_TRUE(ctx == seen);
    seen[number]++;
}

static void on_timer(void *ctx)
{
    strncat(order, ctx, sizeof(order) - strlen(order) - 1);
}

static char name_a[] = "a", name_b[] = "b", name_c[] = "c";

static void fresh(void)
{
    fake_reset();
    EXPECT_EQ(events_init((struct hv_notify *)fake_memory[1], 0x1000), 0);
    memset(fake.notify, 0, sizeof(*fake.notify));
    memset(seen, 0, sizeof(seen));
    order[0] = '\0';
    events_timer_cancel(&a);
    events_timer_cancel(&b);
    events_timer_cancel(&c);
}

TEST(events_every_number)
{
    fresh();
    for (uint32_t n = 0; n < HV_NOTIFY_COUNT; n++) {
        events_set(n, on_number, seen);
        fake_notify(n);
    }
    events_run_once();
    EXPECT_EQ(fake.sleeps, 0U);
    for (uint32_t n = 0; n < HV_NOTIFY_COUNT; n++) {
        EXPECT_EQ(seen[n], 1U);
        events_set(n, NULL, NULL);
        fake_notify(n);
    }
    events_set(HV_NOTIFY_COUNT, on_number, seen);
    events_run_once();
    for (uint32_t n = 0; n < HV_NOTIFY_COUNT; n++)
        EXPECT_EQ(seen[n], 1U);
    EXPECT_EQ(fake.notify->selector, 0U);
}

static void again(void *ctx, uint32_t number)
{
    on_number(ctx, number);
    if (seen[number] < 3)
        fake_notify(number); /* while its word is being worked on */
}

TEST(events_none_is_lost_while_working)
{
    fresh();
    events_set(5, again, seen);
    fake_notify(5);
    for (int i = 0; i < 3; i++)
        events_run_once();
    EXPECT_EQ(seen[5], 3U);
    EXPECT_EQ(fake.sleeps, 0U);
    events_set(5, NULL, NULL);
}

static void wake(void)
{
    fake_notify(9);
}

TEST(events_sleep)
{
    fresh();
    events_set(9, on_number, seen);
    fake.on_sleep = wake;
    events_run_once();
    EXPECT_EQ(fake.sleeps, 1U);
    EXPECT_EQ(fake.slept_until, 0U); /* no timer: for ever */
    EXPECT_EQ(seen[9], 1U);
    uint64_t far = events_now() + (1ULL << 50);
    events_timer_set(&a, far, on_timer, name_a);
    events_run_once();
    EXPECT_EQ(fake.slept_until, far);
    EXPECT_STREQ(order, "");
    events_set(9, NULL, NULL);
}

TEST(events_timers_in_order)
{
    fresh();
    events_timer_set(&b, 2, on_timer, name_b);
    events_timer_set(&a, 1, on_timer, name_a);
    events_timer_set(&c, 2, on_timer, name_c);
    events_run_once();
    EXPECT_STREQ(order, "abc");
    EXPECT_EQ(fake.sleeps, 0U);
    order[0] = '\0';
    events_timer_set(&a, 1, on_timer, name_a);
    events_timer_set(&b, 2, on_timer, name_b);
    events_timer_set(&a, 3, on_timer, name_a); /* set anew: once */
    events_timer_cancel(&b);
    events_timer_cancel(&b);
    events_run_once();
    EXPECT_STREQ(order, "a");
}

static void cancel_b(void *ctx)
{
    on_timer(ctx);
    events_timer_cancel(&b);
    events_timer_set(&c, 1, on_timer, name_c);
}

TEST(events_timers_change_each_other)
{
    fresh();
    events_timer_set(&a, 1, cancel_b, name_a);
    events_timer_set(&b, 2, on_timer, name_b);
    events_run_once();
    EXPECT_STREQ(order, "ac");
}

TEST(errors_have_text)
{
    EXPECT_STREQ(hv_error_text(0), "success");
    EXPECT_STREQ(hv_error_text(5), "success");
    EXPECT_STREQ(hv_error_text(-HV_EBUSY), "in use");
    EXPECT_STREQ(hv_error_text(-999), "unknown error");
}
