/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/irqchip/vioapic: registers, messages, edge and level (I-01 to I-08; I1, I2, I5, I12). */
#include "tests/host/vioapic.h"

TEST(i01_registers)
{
    make();
    EXPECT_EQ(reg(0), 0);
    set(0, 0xffffffff);
    EXPECT_EQ(reg(0), 0x0f000000);
    EXPECT_EQ(reg(2), 0x0f000000);
    set(2, 0);
    set(1, 0);
    EXPECT_EQ(reg(2), 0x0f000000);
    EXPECT_EQ(reg(1), 0x00170020);
    for (uint32_t i = 0; i < 24; i++) {
        EXPECT_EQ(reg(0x10 + 2 * i), 0x10000);
        EXPECT_EQ(reg(0x11 + 2 * i), 0);
    }
    for (uint32_t i = 3; i < 256; i++) {
        if (i >= 0x10 && i < 0x40)
            continue;
        set(i, 0xffffffff);
        EXPECT_EQ(reg(i), 0);
    }
    for (uint32_t i = 0; i < 24; i++)
        EXPECT_EQ(reg(0x10 + 2 * i), 0x10000);
    EXPECT_EQ(bus.messages, 0);
    for (size_t k = 0; k < sizeof(pins[0]); k++)
        EXPECT_EQ(((const uint8_t *)&pins[24])[k], 0x2a);
}

TEST(i02_pin_counts)
{
    static const uint32_t counts[] = {1, 24, 48, 64, 65, 120, 121, 239, 240};
    for (size_t i = 0; i < COUNT(counts); i++) {
        uint32_t last = counts[i] - 1;
        struct vioapic_pins ended;
        test_row("%u pins", counts[i]);
        make_pins(counts[i]);
        EXPECT_EQ(reg(1), last << 16 | 0x20);
        mmio(0, 4, 0xffffffff);
        EXPECT_EQ(a.select, counts[i] > 120 ? 0x1ff : 0xff);
        rte(last, LEVEL | 0x44);
        EXPECT_EQ(reg(0x10 + 2 * last), LEVEL | 0x44);
        EXPECT_EQ(line(last, 0, true), 1);
        EXPECT_TRUE(vioapic_eoi(&a, 0x44, &ended));
        EXPECT_EQ(ended.bits[last / 64], 1ULL << last % 64);
        EXPECT_EQ(line(last + 1, 0, true), -1);
        EXPECT_EQ(line(UINT32_MAX, 0, true), -1);
        EXPECT_EQ(line(0, 64, true), -1);
        EXPECT_FALSE(vioapic_asserted(&a, last + 1));
        EXPECT_FALSE(vioapic_ready(&a, last + 1, UINT64_MAX, &bus.m));
        EXPECT_EQ(vioapic_next(&a, 0, now, &bus.m), counts[i]);
        set(0x12 + 2 * last, 0x33);
        EXPECT_FALSE(vioapic_masked(&a, last));
        EXPECT_EQ(vioapic_masked(&a, 0), last != 0);
        EXPECT_TRUE(vioapic_masked(&a, last + 1));
        EXPECT_FALSE(vioapic_eoi(&a, 0x2a, &ended));
        EXPECT_FALSE(vioapic_end(&a, last + 1, 0x2a, now));
        for (size_t k = 0; k < sizeof(pins[0]); k++)
            EXPECT_EQ(((const uint8_t *)&pins[counts[i]])[k], 0x2a);
    }
    EXPECT_FALSE(vioapic_init(&a, pins, 0, 0x20, true, 1));
    EXPECT_FALSE(vioapic_init(&a, pins, 241, 0x20, true, 1));
    EXPECT_FALSE(vioapic_init(&a, pins, 24, 0x10, true, 1));
}

/* XSA-239: a narrow write, then a wide read. */
TEST(i01_i1_select_by_any_width)
{
    static const unsigned widths[] = {1, 2, 4, 8};
    for (uint32_t select = 0; select < 256; select++)
        for (size_t i = 0; i < COUNT(widths); i++) {
            make();
            mmio(0, 4, 0xff);
            mmio(0, widths[i], 0xa5a5a5a5a5a5a500 | select);
            EXPECT_EQ(vioapic_read(&a, 0, 8), select);
            EXPECT_EQ(vioapic_read(&a, 0, 4), select);
            EXPECT_EQ(vioapic_read(&a, 0, 1), select);
            mmio(1, 1, 0x77); /* reserved bytes */
            mmio(2, 2, 0x7777);
            EXPECT_EQ(vioapic_read(&a, 0, 4), select);
        }
    make_pins(240);
    mmio(0, 4, 0x1ef);
    EXPECT_EQ(vioapic_read(&a, 0, 4), 0x1ef);
    mmio(0, 1, 0x12);
    EXPECT_EQ(vioapic_read(&a, 0, 4), 0x12); /* not 112h */
}

TEST(i01_all_widths_and_offsets)
{
    for (uint32_t offset = 0; offset < 4096; offset++)
        for (unsigned size = 1; size <= 8; size++) {
            uint64_t want = 0;
            make();
            rte(3, MASKED | 0x5a);
            mmio(0, 4, 0x16);
            for (unsigned i = 0; i < size; i++) {
                uint64_t byte = offset + i == 0 ? 0x16 : offset + i == 0x10 ? 0x5a : offset + i == 0x12;
                want |= byte << 8 * i;
            }
            ASSERT_EQ(vioapic_read(&a, offset, size), want);
            memset(&f, 0, sizeof(f));
            vioapic_write(&a, offset, size, 0, &f);
            ASSERT_EQ((f.what & VIOAPIC_FACT_RTE) != 0, offset < 0x14 && offset + size > 0x10);
            ASSERT_EQ((f.what & VIOAPIC_FACT_EOI) != 0, offset <= 0x40 && offset + size > 0x40);
            ASSERT_EQ(a.select, offset == 0 ? 0 : 0x16);
            want = MASKED | 0x5a;
            for (unsigned i = 0; i < size; i++)
                if (offset + i >= 0x10 && offset + i < 0x14)
                    want &= ~(0xffULL << 8 * (offset + i - 0x10));
            ASSERT_EQ(a.pins[3].rte, want);
        }
    vioapic_write(&a, UINT32_MAX - 3, 8, 0, &f);
    EXPECT_EQ(vioapic_read(&a, 0, 9), vioapic_read(&a, 0, 8));
}

TEST(i01_narrow_window_keeps_the_other_bytes)
{
    make();
    rte(5, 0xab00000000000000 | MASKED | 0x0931);
    mmio(0, 4, 0x1a);
    mmio(0x10, 1, 0x42);
    EXPECT_EQ(a.pins[5].rte, 0xab00000000000000 | MASKED | 0x0942);
    mmio(0x11, 1, 0x80);
    EXPECT_EQ(a.pins[5].rte, 0xab00000000000000 | MASKED | 0x8042);
    mmio(0x12, 2, 0);
    EXPECT_EQ(a.pins[5].rte, 0xab00000000000000 | 0x8042);
    mmio(0, 4, 0x1b);
    mmio(0x13, 1, 0xcd);
    EXPECT_EQ(a.pins[5].rte, 0xcd00000000000000 | 0x8042);
}

TEST(i04_writable_fields)
{
    make();
    rte(7, UINT64_MAX);
    EXPECT_EQ(reg(0x1e), 0x1afff); /* all but delivery status and remote IRR */
    EXPECT_EQ(reg(0x1f), 0xfffe0000);
    a.extended = false;
    rte(7, UINT64_MAX);
    EXPECT_EQ(reg(0x1f), 0xff000000);
}

TEST(i04_messages)
{
    make();
    for (uint32_t mode = 0; mode < 8; mode++) {
        bool legal = mode != 3 && mode != 6;
        test_row("mode %u", mode);
        bus.messages = 0;
        rte(4, 0x9900000000000000 | mode << 8 | 0x800 | 0x77);
        EXPECT_EQ(pulse(4), legal ? 1 : -1);
        EXPECT_EQ(bus.messages, legal);
        if (!legal)
            continue;
        EXPECT_EQ(bus.m.mode, mode);
        EXPECT_EQ(bus.m.vector, 0x77);
        EXPECT_EQ(bus.m.dest, 0x99);
        EXPECT_EQ(bus.m.shorthand, 0);
        EXPECT_TRUE(bus.m.logical);
        EXPECT_FALSE(bus.m.level);
        EXPECT_FALSE(bus.m.wide);
        rte(4, MASKED);
    }
    rte(4, LEVEL | 0x40);
    line(4, 0, true);
    EXPECT_TRUE(bus.m.level);
    EXPECT_FALSE(bus.m.logical);
}

TEST(l37_destinations_of_15_bits)
{
    make();
    rte(4, 0xff00000000000040); /* 8 bits: broadcast */
    pulse(4);
    EXPECT_EQ(bus.m.dest, 0xff);
    EXPECT_FALSE(bus.m.wide);
    rte(4, 0x34feULL << 48 | 0x40); /* 55:49 are bits 14:8 */
    pulse(4);
    EXPECT_EQ(bus.m.dest, 0x7f34);
    EXPECT_TRUE(bus.m.wide);
    rte(4, 0xff02ULL << 48 | 0x40);
    pulse(4);
    EXPECT_EQ(bus.m.dest, 0x1ff);
    EXPECT_TRUE(bus.m.wide);
    rte(4, 0x0101ULL << 48 | 0x40); /* bit 48 is no part of it */
    pulse(4);
    EXPECT_EQ(bus.m.dest, 1);
    a.extended = false;
    rte(4, 0x34feULL << 48 | 0x40);
    pulse(4);
    EXPECT_EQ(bus.m.dest, 0x34);
    EXPECT_FALSE(bus.m.wide);
}

TEST(i05_i12_edges)
{
    make();
    EXPECT_EQ(pulse(4), -1); /* masked: lost */
    EXPECT_EQ(line(4, 0, true), -1);
    rte(4, 0x40);
    EXPECT_EQ(bus.messages, 0);
    EXPECT_EQ(line(4, 0, true), 0); /* no edge: it was high */
    EXPECT_EQ(line(4, 0, false), 1);
    EXPECT_EQ(line(4, 0, true), 1);
    EXPECT_EQ(bus.messages, 1);
    EXPECT_EQ(line(4, 0, true), 0);
    EXPECT_EQ(bus.messages, 1);
    line(4, 0, false);
    bus.result = 0;
    EXPECT_EQ(pulse(4), 0); /* merged in the local APIC */
    bus.result = 3;
    EXPECT_EQ(pulse(4), 3);
    EXPECT_EQ(bus.messages, 3);
    EXPECT_EQ(reg(0x18), 0x40);
    EXPECT_EQ(a.stats[VIOAPIC_STAT_IGNORED], 2);
    EXPECT_EQ(a.stats[VIOAPIC_STAT_SENT], 2);
    EXPECT_EQ(a.stats[VIOAPIC_STAT_COALESCED], 3);
}

TEST(i05_edge_that_nobody_takes)
{
    make();
    rte(4, 0x40);
    bus.result = -1;
    EXPECT_EQ(pulse(4), -1);
    EXPECT_EQ(reg(0x18), STATUS | 0x40);
    EXPECT_EQ(pulse(4), 0); /* the earlier one still waits */
    EXPECT_EQ(bus.messages, 1);
    bus.result = 1;
    send_all();
    EXPECT_EQ(bus.messages, 2);
    EXPECT_EQ(reg(0x18), 0x40);
    send_all();
    EXPECT_EQ(bus.messages, 2);
    bus.result = -1;
    pulse(4);
    rte(4, MASKED | 0x40); /* tried again by the high half, dropped by the mask */
    bus.result = 1;
    rte(4, 0x40);
    EXPECT_EQ(bus.messages, 4);
    bus.result = -1;
    pulse(4);
    bus.result = 1;
    rte(4, 0x1100000000000040); /* another destination takes it */
    EXPECT_EQ(bus.messages, 6);
    EXPECT_EQ(bus.m.dest, 0x11);
    EXPECT_EQ(a.stats[VIOAPIC_STAT_REFUSED], 4);
    bus.result = -1;
    pulse(4);
    rte(4, LEVEL | 0x40); /* gone with the trigger mode */
    bus.result = 1;
    rte(4, 0x40);
    EXPECT_EQ(bus.messages, 8);
}

TEST(i06_level)
{
    make();
    rte(9, LEVEL | 0x50);
    EXPECT_EQ(line(9, 0, true), 1);
    EXPECT_EQ(reg(0x22), LEVEL | IRR | 0x50);
    EXPECT_EQ(line(9, 0, true), 0);
    EXPECT_EQ(line(9, 0, false), 1);
    EXPECT_EQ(line(9, 0, true), 0); /* still in service */
    EXPECT_EQ(bus.messages, 1);
    EXPECT_EQ(eoi(0x51, NULL), 0);
    EXPECT_EQ(eoi(0x50, NULL), 1 << 9); /* asserted: again */
    EXPECT_EQ(bus.messages, 2);
    EXPECT_EQ(reg(0x22), LEVEL | IRR | 0x50);
    line(9, 0, false);
    EXPECT_EQ(eoi(0x50, NULL), 1 << 9);
    EXPECT_EQ(bus.messages, 2);
    EXPECT_EQ(reg(0x22), LEVEL | 0x50);
    EXPECT_EQ(eoi(0x50, NULL), 0);
    EXPECT_EQ(a.stats[VIOAPIC_STAT_ENDED], 2);
}

TEST(i09_end_says_whether_there_is_something_to_send)
{
    make();
    rte(9, LEVEL | 0x50);
    rte(4, 0x40);
    EXPECT_FALSE(vioapic_end(&a, 9, 0x50, now)); /* not in service */
    line(9, 0, true);
    EXPECT_FALSE(vioapic_end(&a, 9, 0x51, now));
    EXPECT_TRUE(vioapic_end(&a, 9, 0x50, now));
    send(9);
    line(9, 0, false);
    EXPECT_FALSE(vioapic_end(&a, 9, 0x50, now));
    pulse(4);
    EXPECT_FALSE(vioapic_end(&a, 4, 0x40, now)); /* edge */
    line(9, 0, true);
    pins[9].streak = 9999;
    EXPECT_FALSE(vioapic_end(&a, 9, 0x50, now)); /* put off */
    EXPECT_EQ(pins[9].storms, 1);
}

TEST(i06_level_only_for_fixed_and_lowest)
{
    for (uint32_t mode = 0; mode < 8; mode++) {
        test_row("mode %u", mode);
        make();
        rte(9, LEVEL | mode << 8 | 0x50);
        line(9, 0, true);
        EXPECT_EQ((reg(0x22) & IRR) != 0, mode < 2);
        line(9, 0, false);
        line(9, 0, true);
        EXPECT_EQ(bus.messages, mode < 2 ? 1 : mode == 3 || mode == 6 ? 0 : 2);
        EXPECT_EQ(eoi(0x50, NULL) != 0, mode < 2);
    }
}

TEST(i06_level_that_nobody_takes)
{
    make();
    rte(9, LEVEL | 0x50);
    bus.result = -1;
    EXPECT_EQ(line(9, 0, true), -1);
    EXPECT_EQ(reg(0x22), LEVEL | STATUS | 0x50);
    EXPECT_EQ(line(9, 0, true), -1);
    EXPECT_EQ(bus.messages, 2); /* tried again */
    bus.result = 0;
    send_all();
    EXPECT_EQ(bus.messages, 3);
    EXPECT_EQ(reg(0x22), LEVEL | IRR | 0x50); /* merged is delivered: its EOI comes */
    rte(10, LEVEL | 0x51);
    bus.result = -1;
    line(10, 0, true);
    line(10, 0, false);
    bus.result = 1;
    send_all();
    EXPECT_EQ(bus.messages, 4); /* gone with the line */
}

TEST(i07_i5_wired_or_of_64_sources)
{
    make();
    rte(9, LEVEL | 0x50);
    for (unsigned i = 0; i < 64; i++)
        line(9, i, true);
    EXPECT_EQ(bus.messages, 1);
    for (unsigned i = 0; i < 64; i++) {
        EXPECT_TRUE(vioapic_asserted(&a, 9));
        EXPECT_EQ(eoi(0x50, NULL), 1 << 9);
        EXPECT_EQ(bus.messages, i + 2);
        line(9, i, false);
        line(9, i, false);
    }
    EXPECT_FALSE(vioapic_asserted(&a, 9));
    EXPECT_EQ(eoi(0x50, NULL), 1 << 9);
    EXPECT_EQ(bus.messages, 65);
    line(9, 4, true);
    line(9, 5, true);
    line(9, 5, false);
    EXPECT_TRUE(vioapic_asserted(&a, 9));
    rte(4, 0x40);
    EXPECT_EQ(line(4, 1, true), 1);
    EXPECT_EQ(line(4, 2, true), 0);
    line(4, 1, false);
    EXPECT_EQ(line(4, 1, true), 0);
}

TEST(i08_i2_rewrites)
{
    make();
    line(9, 0, true);
    rte(9, LEVEL | 0x50); /* unmask while asserted */
    EXPECT_EQ(bus.messages, 1);
    rte(9, LEVEL | MASKED | 0x50);
    EXPECT_EQ(reg(0x22), LEVEL | MASKED | IRR | 0x50); /* remote IRR stays */
    rte(9, LEVEL | 0x50);
    EXPECT_EQ(bus.messages, 1);
    set(0x22, MASKED | 0x50); /* edge: ended, as software for 0x11 does it */
    EXPECT_EQ(f.what, VIOAPIC_FACT_RTE | VIOAPIC_FACT_MASK | VIOAPIC_FACT_ENDED);
    EXPECT_EQ(f.pin, 9);
    EXPECT_EQ(reg(0x22), MASKED | 0x50);
    set(0x22, LEVEL | 0x50);
    EXPECT_EQ(f.what, VIOAPIC_FACT_RTE | VIOAPIC_FACT_MASK);
    EXPECT_EQ(bus.messages, 2);
    set(0x22, LEVEL | 0x50);
    EXPECT_EQ(f.what, VIOAPIC_FACT_RTE);
    set(0x22, LEVEL | 0x200 | 0x50); /* SMI cannot be level */
    EXPECT_TRUE(f.what & VIOAPIC_FACT_ENDED);
    rte(4, 0x40);
    line(4, 0, true);
    EXPECT_EQ(bus.messages, 3);
    rte(4, LEVEL | 0x40); /* an edge pin that is high becomes level */
    EXPECT_EQ(bus.messages, 4);
    rte(4, 0x40);
    EXPECT_EQ(bus.messages, 4); /* high is no edge */
}

TEST(i2_halves_in_both_orders_under_an_asserted_line)
{
    make();
    line(9, 0, true);
    set(0x23, 0x05000000); /* high half first: one message, whole */
    EXPECT_EQ(bus.messages, 0);
    set(0x22, LEVEL | 0x50);
    EXPECT_EQ(bus.messages, 1);
    EXPECT_EQ(bus.m.dest, 5);
    make();
    line(9, 0, true);
    set(0x22, LEVEL | 0x50); /* low half first: sent to the old destination, once */
    EXPECT_EQ(bus.messages, 1);
    EXPECT_EQ(bus.m.dest, 0);
    set(0x23, 0x05000000);
    EXPECT_EQ(bus.messages, 1);
    EXPECT_EQ(reg(0x22), LEVEL | IRR | 0x50);
    set(0x22, LEVEL | 0x60); /* vector changed in service: the EOI of the old one means nothing */
    EXPECT_EQ(eoi(0x50, NULL), 0);
    EXPECT_EQ(eoi(0x60, NULL), 1 << 9);
    EXPECT_EQ(bus.m.dest, 5);
}
