/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/irqchip/vioapic: records: what is saved comes back the same, what is wrong is refused. */
#include "tests/host/vioapic.h"

static struct hv_ioapic record, again;

static void live(struct random *r, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        uint32_t pin = (uint32_t)random_below(r, a.pin_count);
        bus.result = (int)random_below(r, 4) - 1;
        now += random_below(r, 1000);
        switch (random_below(r, 5)) {
        case 0:
            set(0x10 + (uint32_t)random_below(r, 2 * a.pin_count), (uint32_t)random_next(r));
            break;
        case 1:
            eoi((uint8_t)pins[pin].rte, NULL);
            break;
        case 2:
            set((uint32_t)random_below(r, 3), (uint32_t)random_next(r));
            break;
        default:
            line(pin, (unsigned)random_below(r, 64), random_one_in(r, 2));
        }
    }
}

TEST(a14_round_trip)
{
    static struct vioapic_pin twin_pins[240];
    for (uint64_t seed = 1; seed <= 300 && test_state.failures == 0; seed++) {
        struct random r = {.state = seed};
        struct vioapic twin;
        struct vlapic_message m, n;
        uint32_t count = 1 + (uint32_t)random_below(&r, 240);
        test_row("seed %llu, %u pins", (unsigned long long)seed, count);
        make_pins(count);
        live(&r, 500);
        if (seed % 5 == 0) {
            rte(0, LEVEL | 0x20);
            line(0, 0, true);
            pins[0].rte |= IRR;
            pins[0].streak = 9999;
            vioapic_end(&a, 0, 0x20, now);
        }
        memset(&record, 0xa5, sizeof(record));
        vioapic_state_get(&a, now, &record);
        EXPECT_EQ(record.id, a.id);
        EXPECT_EQ(record.select, a.select);
        if (count < 240)
            EXPECT_EQ(record.pin[count].rte, 0xa5a5a5a5a5a5a5a5);
        vioapic_init(&twin, twin_pins, count, 0x20, true, 1000000);
        ASSERT_TRUE(vioapic_state_set(&twin, 77, &record, 32 + 32 * count));
        memset(&again, 0xa5, sizeof(again));
        vioapic_state_get(&twin, 77, &again);
        EXPECT_MEMEQ(&again, &record, sizeof(record));
        for (uint32_t i = 0; i < count; i++) {
            bool ready = vioapic_ready(&a, i, now, &m);
            EXPECT_EQ(vioapic_ready(&twin, i, 77, &n), ready);
            EXPECT_EQ(twin_pins[i].put_off != 0 ? twin_pins[i].put_off - 77 : 0,
                      pins[i].put_off > now ? pins[i].put_off - now : 0);
        }
    }
}

TEST(a14_restored_level_is_sent)
{
    struct vlapic_message m;
    make();
    rte(9, LEVEL | MASKED | 0x50);
    line(9, 3, true);
    vioapic_state_get(&a, now, &record);
    record.pin[9].rte &= ~(uint64_t)MASKED;
    record.pin[9].put_off = UINT64_MAX; /* from a faster clock: cut to 10 ms */
    EXPECT_TRUE(vioapic_state_set(&a, now, &record, 32 + 32 * 24));
    EXPECT_FALSE(vioapic_ready(&a, 9, now + 9999999, &m));
    EXPECT_TRUE(vioapic_ready(&a, 9, now + 10000000, &m));
    for (size_t k = 0; k < sizeof(pins[0]); k++)
        EXPECT_EQ(((const uint8_t *)&pins[24])[k], 0x2a); /* no pin of ours */
}

static void expect_refused(const char *what, size_t size)
{
    static struct vioapic_pin before_pins[241];
    struct vioapic before = a;
    memcpy(before_pins, pins, sizeof(pins));
    test_row("%s", what);
    EXPECT_FALSE(vioapic_state_set(&a, now, &again, size));
    EXPECT_MEMEQ(&a, &before, sizeof(a));
    EXPECT_MEMEQ(pins, before_pins, sizeof(pins));
}

TEST(a14_bad_records_change_nothing)
{
    size_t size = 32 + 32 * 24;
    make();
    rte(9, LEVEL | 0x50);
    line(9, 0, true);
    rte(23, 0x51);
    vioapic_state_get(&a, now, &record);
    EXPECT_TRUE(vioapic_state_set(&a, now, &record, size));
    again = record;
    expect_refused("short", size - 1);
    expect_refused("long", size + 32);
    expect_refused("whole", sizeof(record));
#define BAD(change)                                                                                          \
    do {                                                                                                     \
        again = record;                                                                                      \
        again.change;                                                                                        \
        expect_refused(#change, size);                                                                       \
    } while (0)
    BAD(size = 0);
    BAD(version = 0);
    BAD(version = 2);
    BAD(pins = 23);
    BAD(pins = 25);
    BAD(id = 1);
    BAD(id = 0x10000000);
    BAD(select = 0x100);
    BAD(reserved[0] = 1);
    BAD(reserved[1] = 1);
    BAD(reserved[2] = 1);
    for (unsigned i = 0; i < 24; i += 23) {
        BAD(pin[i].rte |= STATUS);
        BAD(pin[i].rte |= 1ULL << 48);
        BAD(pin[i].rte |= 1ULL << 32);
        BAD(pin[i].rte |= 1ULL << 17);
        BAD(pin[i].rte |= IRR); /* edge */
        BAD(pin[i].flags = 2);
        BAD(pin[i].put_off = 1);
        BAD(pin[i].streak = 1);
    }
    BAD(pin[0].flags = 1); /* masked */
    BAD(pin[23].rte |= 0x300; again.pin[23].flags = 1);
    BAD(pin[9].flags = 1);
    BAD(pin[9].reserved = 1);
    BAD(pin[9].streak = 10000);
    BAD(pin[9].put_off = 1); /* in service */
    BAD(pin[9].rte |= MASKED; again.pin[9].streak = 1);
    BAD(pin[9].sources = 0; again.pin[9].streak = 1); /* low */
    BAD(pin[9].rte = LEVEL; again.pin[9].put_off = 1; again.pin[9].sources = 0);
#undef BAD
    a.extended = false;
    again = record;
    again.pin[0].rte |= 1ULL << 49;
    expect_refused("extended destination", size);
}

TEST(a14_random_records)
{
    struct random r = {.state = 8};
    unsigned taken = 0;
    make();
    for (unsigned i = 0; i < 50000; i++) {
        size_t size = 32 + 32 * 24;
        live(&r, 2);
        vioapic_state_get(&a, now, &record);
        for (unsigned k = 0; k < 1 + i % 3; k++)
            ((uint8_t *)&record)[random_below(&r, size)] ^= (uint8_t)(1U << random_below(&r, 8));
        if (!vioapic_state_set(&a, now, &record, size))
            continue;
        taken++;
        send_all();
        vioapic_state_get(&a, now, &again);
        ASSERT_TRUE(vioapic_state_set(&a, now, &again, size));
    }
    EXPECT_TRUE(taken > 1000);
}
