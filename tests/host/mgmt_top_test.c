/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of top's pictures: in place, exits by reason and interrupts by route as rates of the time between two of them,
 * the most frequent first, and none of what did not move or belongs to a domain of before. How long it was between
 * them is not known, so rates are compared with each other.
 */
#include "tests/host/mgmt_fake_route.h"
#include "tests/host/mgmt_machine.h"

#define MANY 1000000000000ULL

static void fresh(void)
{
    machine_make();
    fake_route_reset();
    machine_add("a")->vcpus = 2;
    machine_add("b");
    machine_begin();
    EXPECT_STREQ(machine_command("start a"), "domain 1 (a): started\n");
}

/* Up to and with the next picture. */
static const char *picture(void)
{
    const char *seen;
    do {
        events_run_once();
        seen = machine_seen;
    } while (!strstr(seen, "any key ends this"));
    return machine_take();
}

static unsigned long long rate(const char *text, const char *row)
{
    const char *at = strstr(text, row);
    return at ? strtoull(at + strlen(row), NULL, 10) : 0;
}

/* Both have lost less than 1 by rounding. */
static bool is_times(unsigned long long large, unsigned long long small, unsigned times)
{
    return large + 1 > small * times && large < (small + 1) * times;
}

static const struct commands_mode *begin(void)
{
    EXPECT_STREQ(machine_command("top"), "");
    const struct commands_mode *mode = commands_mode();
    if (mode)
        mode->start(1000000);
    return mode;
}

TEST(top_rates)
{
    fresh();
    fake.exits[12] = fake.exits[30] = 77; /* of the time before */
    fake_route.stats[4].fired = 500;
    const struct commands_mode *mode = begin();
    ASSERT_TRUE(mode != NULL && mode->over == NULL);
    const char *text = machine_take();
    test_row("%s", text);
    EXPECT_EQ(strncmp(text, "\033[2J\033[H", 7), 0);
    EXPECT_TRUE(strstr(text, "a                    0  service"));
    EXPECT_TRUE(strstr(text, "a                    1  service"));
    EXPECT_FALSE(strstr(text, "hlt") || strstr(text, "a                 4"));
    fake.exits[30] += MANY; /* of two vCPUs */
    fake.exits[12] += 3 * MANY;
    fake_route.stats[4].fired += 4 * MANY;
    fake_route.stats[4].delivered += MANY;
    fake_route.stats[20].fired += 8 * MANY;
    text = picture();
    test_row("%s", text);
    EXPECT_EQ(strncmp(text, "\033[H", 3), 0); /* in place: no new line of the terminal is begun */
    EXPECT_FALSE(strstr(text, "\033[2J"));
    unsigned long long hlt = rate(text, "\na                 hlt"), io = rate(text, "\na                 io");
    unsigned long long four = rate(text, "\na                 4"),
                       twenty = rate(text, "\na                 20");
    EXPECT_TRUE(io > 0 && is_times(hlt, io, 3) && is_times(twenty, io, 4) && is_times(four, io, 2));
    EXPECT_TRUE(strstr(text, " hlt ") < strstr(text, " io ")); /* the most frequent first */
    EXPECT_TRUE(strstr(text, "\na                 20 ") < strstr(text, "\na                 4 "));
    EXPECT_FALSE(strstr(text, "exception_nmi"));
    text = picture(); /* nothing has moved */
    EXPECT_FALSE(strstr(text, "hlt") || strstr(text, "\na                 4 "));
    mode->stop();
    machine_forget();
}

/* Only the eight most frequent, and rows of one GSI with two routes only once. */
TEST(top_shows_the_largest)
{
    fresh();
    const struct commands_mode *mode = begin();
    ASSERT_TRUE(mode != NULL);
    (void)machine_take();
    for (unsigned i = 0; i < 12; i++)
        fake_route.stats[i].fired = (i + 1) * MANY;
    const char *text = picture();
    test_row("%s", text);
    for (unsigned i = 0; i < 12; i++) {
        char row[64];
        snprintf(row, sizeof(row), "\na                 %-14u", i);
        EXPECT_EQ(strstr(text, row) != NULL, i >= 4);
    }
    mode->stop();
    machine_forget();
}

/* A domain that takes the place of another begins from nothing. */
TEST(top_another_domain)
{
    fresh();
    const struct commands_mode *mode = begin();
    ASSERT_TRUE(mode != NULL);
    fake.exits[12] = MANY;
    (void)picture();
    EXPECT_TRUE(strstr(picture(), "service"));
    char error[GUEST_ERROR_SIZE];
    EXPECT_TRUE(guest_destroy(guest_find_name("a"), error));
    EXPECT_TRUE(guest_create(guest_find_name("b"), error) && guest_start(guest_find_name("b"), error));
    fake.exits[12] = 2 * MANY;
    (void)machine_take();
    EXPECT_FALSE(strstr(picture(), "hlt")); /* its first: no rate yet */
    fake.exits[12] = 3 * MANY;
    EXPECT_TRUE(strstr(picture(), "\nb                 hlt"));
    mode->stop();
    machine_forget();
}
