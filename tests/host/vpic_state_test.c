/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/irqchip/vpic: records: what is saved comes back the same, what is wrong is refused. */
#include "tests/host/vpic.h"

TEST(a14_round_trip)
{
    for (uint64_t seed = 1; seed <= 400 && test_state.failures == 0; seed++) {
        struct random r = {.state = seed};
        struct hv_pic record, again;
        struct vpic twin;
        test_row("seed %llu", (unsigned long long)seed);
        make(1, 1);
        for (unsigned i = 0; i < 200; i++) {
            static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};
            uint16_t port = ports[random_below(&r, 6)];
            switch (random_below(&r, 5)) {
            case 0:
                out8(port, (uint8_t)random_next(&r));
                break;
            case 1:
                in8(port);
                break;
            case 2:
                ack();
                break;
            default:
                vpic_line(&p, (uint32_t)random_below(&r, 16), (unsigned)random_below(&r, 64),
                          random_one_in(&r, 2));
            }
        }
        vpic_state_get(&p, &record);
        EXPECT_EQ(record.size, 176);
        vpic_init(&twin);
        ASSERT_TRUE(vpic_state_set(&twin, &record, sizeof(record)));
        vpic_state_get(&twin, &again);
        EXPECT_MEMEQ(&again, &record, sizeof(record));
        memcpy(twin.stats, p.stats, sizeof(twin.stats));
        EXPECT_MEMEQ(&twin, &p, sizeof(p));
    }
}

static void expect_refused(const char *what, const struct hv_pic *record, size_t size)
{
    struct vpic before = p;
    test_row("%s", what);
    EXPECT_FALSE(vpic_state_set(&p, record, size));
    EXPECT_MEMEQ(&p, &before, sizeof(p));
}

TEST(a14_bad_records_change_nothing)
{
    struct hv_pic good, bad;
    make(1, 1);
    pulse(4);
    pulse(9);
    ack();
    vpic_state_get(&p, &good);
    EXPECT_TRUE(vpic_state_set(&p, &good, sizeof(good)));
    EXPECT_EQ(good.chip[0].icw3, 4);
    EXPECT_EQ(good.chip[1].icw3, 2);
    expect_refused("short", &good, sizeof(good) - 1);
    expect_refused("long", &good, sizeof(good) + 1);
#define BAD(change)                                                                                          \
    do {                                                                                                     \
        bad = good;                                                                                          \
        bad.change;                                                                                          \
        expect_refused(#change, &bad, sizeof(bad));                                                          \
    } while (0)
    BAD(size = 175);
    BAD(version = 0);
    BAD(version = 2);
    BAD(reserved[0] = 1);
    BAD(reserved[1] = 1);
    BAD(sources[2] = 1);
    for (unsigned i = 0; i < 2; i++) {
        BAD(chip[i].flags = 0x200);
        BAD(chip[i].step = 5);
        BAD(chip[i].base = 0x21);
        BAD(chip[i].lowest = 8);
        BAD(chip[i].elcr = 1);
        BAD(chip[i].elcr = 0x10; bad.chip[i].latch = 0x10);
        BAD(chip[i].flags = HV_PIC_LTIM; bad.chip[i].latch = 1);
        BAD(chip[i].reserved[0] = 1);
        BAD(chip[i].reserved[5] = 1);
        BAD(chip[i].step = HV_PIC_ICW2; bad.chip[i].isr = 1);
        BAD(chip[i].flags = HV_PIC_AEOI; bad.chip[i].isr = 1);
        BAD(chip[i].flags = HV_PIC_NEEDS_ICW4);
        BAD(chip[i].step = HV_PIC_ICW4; bad.chip[i].isr = 0);
        BAD(chip[i].step = HV_PIC_ICW3; bad.chip[i].isr = 0; bad.chip[i].flags = HV_PIC_SINGLE);
    }
    BAD(chip[0].elcr = 4);
    BAD(chip[1].elcr = 0x20);
#undef BAD
}

/* Any bytes: taken or refused, and whatever is taken can be lived with. */
TEST(a14_random_records)
{
    struct random r = {.state = 5};
    unsigned taken = 0;
    make(1, 1);
    for (unsigned i = 0; i < 100000; i++) {
        struct hv_pic record, again;
        struct vpic before = p;
        vpic_state_get(&p, &record);
        for (unsigned k = 0; k < 1 + i % 4; k++)
            ((uint8_t *)&record)[random_below(&r, 64)] ^= (uint8_t)(1U << random_below(&r, 8));
        if (vpic_state_set(&p, &record, sizeof(record))) {
            taken++;
            ack();
            in8(0x20);
            out8(0xa0, 0x20);
            vpic_state_get(&p, &again);
            ASSERT_TRUE(vpic_state_set(&p, &again, sizeof(again)));
        } else {
            ASSERT_TRUE(memcmp(&p, &before, sizeof(p)) == 0);
        }
    }
    EXPECT_TRUE(taken > 10000);
}
