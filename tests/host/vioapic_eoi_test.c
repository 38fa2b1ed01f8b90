/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/irqchip/vioapic: ends of interrupts, storms, random programs (I-09, I-10, I-13; I4). */
#include "tests/host/vioapic.h"

static unsigned resampled;

static void resample_and_drop(uint32_t pin)
{
    EXPECT_TRUE(pins[pin].rte & IRR); /* before remote IRR goes */
    resampled++;
    line(pin, 7, false);
}

static void resample_and_raise_again(uint32_t pin)
{
    resampled++;
    line(pin, 7, false);
    EXPECT_EQ(line(pin, 7, true), 0);
}

static void resample_and_move(uint32_t pin)
{
    rte(pin, LEVEL | 0x61);
}

static void resample_and_switch(uint32_t pin)
{
    rte(pin, 0x50);
}

TEST(i09_i4_resampler_first)
{
    make();
    rte(9, LEVEL | 0x50);
    rte(10, LEVEL | 0x50);
    rte(11, 0x50); /* edge: not ended */
    line(9, 7, true);
    line(10, 7, true);
    pulse(11);
    EXPECT_EQ(bus.messages, 3);
    resampled = 0;
    EXPECT_EQ(eoi(0x50, resample_and_drop), 3 << 9);
    EXPECT_EQ(resampled, 2);
    EXPECT_EQ(bus.messages, 3);
    line(9, 7, true);
    EXPECT_EQ(eoi(0x50, resample_and_raise_again), 1 << 9);
    EXPECT_EQ(bus.messages, 5);
    EXPECT_EQ(eoi(0x50, resample_and_move), 1 << 9); /* changed in between: left alone */
    EXPECT_EQ(reg(0x22), LEVEL | IRR | 0x61);
    EXPECT_EQ(bus.messages, 5);
    rte(9, LEVEL | 0x50);
    EXPECT_EQ(eoi(0x50, resample_and_switch), 1 << 9);
    EXPECT_EQ(reg(0x22), 0x50);
    EXPECT_EQ(bus.messages, 5);
    EXPECT_FALSE(vioapic_end(&a, 24, 0, now));
    EXPECT_FALSE(vioapic_end(&a, UINT32_MAX, 0, now));
}

TEST(i10_storm_guard)
{
    uint64_t deadline, put_off = 0;
    make();
    rte(9, LEVEL | 0x50);
    line(9, 0, true);
    EXPECT_EQ(bus.messages, 1);
    for (unsigned i = 1; i < 10000; i++)
        eoi(0x50, NULL);
    EXPECT_EQ(bus.messages, 10000);
    EXPECT_FALSE(vioapic_deadline(&a, &deadline));
    eoi(0x50, NULL);
    put_off = now;
    EXPECT_EQ(bus.messages, 10000);
    EXPECT_EQ(pins[9].storms, 1);
    EXPECT_EQ(a.stats[VIOAPIC_STAT_STORMS], 1);
    EXPECT_EQ(reg(0x22), LEVEL | STATUS | 0x50);
    ASSERT_TRUE(vioapic_deadline(&a, &deadline));
    EXPECT_EQ(deadline, put_off + 10000000);
    now = deadline - 1;
    send_all();
    EXPECT_EQ(line(9, 1, true), 0);
    rte(9, LEVEL | 0x50); /* nor by another way */
    EXPECT_EQ(bus.messages, 10000);
    now = deadline;
    send_all();
    EXPECT_EQ(bus.messages, 10001);
    EXPECT_FALSE(vioapic_deadline(&a, &deadline));
    for (unsigned i = 0; i < 9999; i++)
        eoi(0x50, NULL);
    EXPECT_EQ(bus.messages, 20000);
    eoi(0x50, NULL);
    EXPECT_EQ(pins[9].storms, 2);
    line(9, 0, false);
    EXPECT_TRUE(vioapic_deadline(&a, &deadline));
    line(9, 1, false);
    EXPECT_FALSE(vioapic_deadline(&a, &deadline));
    EXPECT_EQ(line(9, 0, true), 1); /* the row ended with the line */
}

/* What has been put off and is then refused is not due again and again. */
TEST(i10_put_off_and_refused)
{
    uint64_t deadline;
    make();
    rte(9, LEVEL | 0x50);
    line(9, 0, true);
    for (unsigned i = 0; i < 10000; i++)
        eoi(0x50, NULL);
    ASSERT_TRUE(vioapic_deadline(&a, &now));
    bus.result = -1;
    send_all();
    EXPECT_FALSE(vioapic_deadline(&a, &deadline));
    EXPECT_EQ(reg(0x22), LEVEL | STATUS | 0x50);
    bus.result = 1;
    send_all();
    EXPECT_EQ(reg(0x22), LEVEL | IRR | 0x50);
}

/* The caller's timer may be gone with the mask, so unmasking sends. */
TEST(i10_mask_ends_the_row)
{
    uint64_t deadline;
    make();
    rte(9, LEVEL | 0x50);
    line(9, 0, true);
    for (unsigned i = 0; i < 10000; i++)
        eoi(0x50, NULL);
    EXPECT_EQ(bus.messages, 10000);
    EXPECT_TRUE(vioapic_deadline(&a, &deadline));
    rte(9, LEVEL | MASKED | 0x50);
    EXPECT_FALSE(vioapic_deadline(&a, &deadline));
    rte(9, LEVEL | 0x50);
    EXPECT_EQ(bus.messages, 10001);
    for (unsigned i = 0; i < 9999; i++)
        eoi(0x50, NULL);
    rte(9, LEVEL | MASKED | 0x50);
    rte(9, LEVEL | 0x50);
    eoi(0x50, NULL);
    EXPECT_EQ(pins[9].storms, 1);
}

TEST(i10_a_line_that_falls_is_no_storm)
{
    make();
    rte(9, LEVEL | 0x50);
    for (unsigned i = 0; i < 25000; i++) {
        line(9, 0, true);
        if (i % 5000 == 4999)
            line(9, 0, false);
        eoi(0x50, NULL);
    }
    EXPECT_EQ(pins[9].storms, 0);
}

TEST(i10_two_pins)
{
    uint64_t deadline;
    make();
    rte(9, LEVEL | 0x50);
    rte(10, LEVEL | 0x51);
    line(9, 0, true);
    line(10, 0, true);
    for (unsigned i = 0; i < 10000; i++)
        eoi(0x51, NULL);
    now += 5;
    for (unsigned i = 0; i < 10000; i++)
        eoi(0x50, NULL);
    ASSERT_TRUE(vioapic_deadline(&a, &deadline));
    EXPECT_EQ(deadline, now - 5 + 10000000);
    now = deadline;
    send_all();
    ASSERT_TRUE(vioapic_deadline(&a, &deadline));
    EXPECT_EQ(deadline, now + 5);
    now = deadline;
    EXPECT_EQ(line(9, 3, true), 1);
    bus.result = -1;
    eoi(0x50, NULL); /* waits, but for no time */
    EXPECT_FALSE(vioapic_deadline(&a, &deadline));
}

TEST(i13_eoi_register)
{
    make();
    mmio(0x40, 4, 0x50);
    EXPECT_EQ(f.what, VIOAPIC_FACT_EOI);
    EXPECT_EQ(f.vector, 0x50);
    mmio(0x40, 1, 0xff);
    EXPECT_EQ(f.vector, 0xff);
    mmio(0x41, 1, 0xff);
    EXPECT_EQ(f.what, 0);
    EXPECT_EQ(vioapic_read(&a, 0x40, 4), 0);
    vioapic_init(&a, pins, 24, 0x11, false, 1000000);
    EXPECT_EQ(reg(1), 0x00170011);
    mmio(0x40, 4, 0x50);
    EXPECT_EQ(f.what, 0);
}

/*
 * The rules in one place, for random programs: a level pin is sent exactly when it is asserted, open and not
 * in service; an edge exactly when it rises on an open pin.
 */
TEST(i05_i06_i08_random_programs)
{
    struct random r = {.state = 3};
    bool high[24] = {false}, in_service[24] = {false};
    uint32_t low[24];
    make();
    for (unsigned i = 0; i < 24; i++)
        low[i] = MASKED;
    for (unsigned i = 0; i < 300000 && test_state.failures == 0; i++) {
        uint32_t pin = (uint32_t)random_below(&r, 24), value = (uint32_t)random_next(&r) & 0x1a0ff;
        unsigned before = bus.messages, want = 0;
        test_row("step %u pin %u", i, pin);
        value |= random_one_in(&r, 2) ? 0x100 : 0;
        switch (random_below(&r, 4)) {
        case 0:
            low[pin] = value;
            in_service[pin] = in_service[pin] && (value & LEVEL);
            want = (value & LEVEL) && !(value & MASKED) && high[pin] && !in_service[pin];
            in_service[pin] |= want;
            set(0x10 + 2 * pin, value);
            break;
        case 1:
            for (unsigned k = 0; k < 24; k++) {
                if ((low[k] & 0xff) != (low[pin] & 0xff) || !in_service[k])
                    continue;
                in_service[k] = high[k] && !(low[k] & MASKED);
                want += in_service[k];
            }
            eoi((uint8_t)low[pin], NULL);
            break;
        default:
            value &= 1;
            want = value && !(low[pin] & MASKED) && (low[pin] & LEVEL ? !in_service[pin] : !high[pin]);
            in_service[pin] |= want && (low[pin] & LEVEL);
            high[pin] = value;
            line(pin, 0, value);
        }
        EXPECT_EQ(bus.messages - before, want);
        EXPECT_EQ(reg(0x10 + 2 * pin), low[pin] | (in_service[pin] ? IRR : 0));
    }
}
