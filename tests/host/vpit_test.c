/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/irqchip/vpit: ports and modes (T-01, T-02), with numbers typed from the 8254 data sheet. */
#include "tests/host/vpit.h"

TEST(t02_waves_of_the_data_sheet)
{
    make(1000000);
    tick = 10;
    program(0, 0, 4); /* low, loaded a tick later, high after four more */
    EXPECT_EQ(wave(0, 8), 0x07);
    program(0, 2, 3);
    EXPECT_EQ(wave(0, 13), 0x1db6); /* 1 110 110 110 110 */
    program(0, 3, 4);
    EXPECT_EQ(wave(0, 13), 0x1ccc); /* 1 1100 1100 1100 */
    program(0, 3, 5);
    EXPECT_EQ(wave(0, 11), 0x79c); /* 1 11100 11100 */
    program(0, 4, 3);
    EXPECT_EQ(wave(0, 8), 0xf7); /* 1 111 0 111 */
    program(0, 4, 1);
    EXPECT_EQ(wave(0, 8), 0xdf);
}

TEST(t02_one_shots_are_triggered_by_gate_2)
{
    make(1000000);
    program(2, 1, 3);
    EXPECT_EQ(wave(2, 6), 0x3f);
    out8(0x61, 1);
    EXPECT_EQ(wave(2, 7), 0x47); /* 1 000 111 */
    out8(0x61, 0);
    out8(0x61, 1);
    EXPECT_EQ(wave(2, 3), 4); /* 1 00: and again before its end */
    out8(0x61, 0);
    out8(0x61, 1);
    EXPECT_EQ(wave(2, 6), 0x03); /* 0 000 11 */
    out8(0x61, 0);
    program(2, 5, 2);
    EXPECT_EQ(wave(2, 4), 0xf);
    out8(0x61, 1);
    EXPECT_EQ(wave(2, 6), 0x3b); /* 1 11 0 11 */
    EXPECT_EQ(wave(2, 20), 0xfffff);
}

TEST(t02_gate_stops_and_goes_on_or_begins_anew)
{
    make(1000000);
    out8(0x61, 1);
    program(2, 0, 100);
    tick += 31;
    out8(0x61, 0);
    EXPECT_EQ(count_of(2), 70);
    tick += 1000;
    EXPECT_EQ(count_of(2), 70);
    out8(0x61, 1);
    tick += 69;
    EXPECT_EQ(count_of(2), 1);
    EXPECT_EQ(wave(2, 2), 1);
    program(2, 2, 100);
    tick += 100;
    EXPECT_EQ(count_of(2), 1);
    EXPECT_EQ(in8(0x61) & 0x20, 0);
    out8(0x61, 0);
    EXPECT_EQ(in8(0x61) & 0x20, 0x20);
    tick += 77;
    out8(0x61, 1);
    tick += 1;
    EXPECT_EQ(count_of(2), 100);
}

TEST(t02_mode_3_shows_even_counts)
{
    static const uint16_t even[] = {6, 4, 2, 6, 4, 2, 6}, odd[] = {6, 4, 2, 0, 6, 4, 2, 6};
    make(1000000);
    program(0, 3, 6);
    for (size_t i = 0; i < COUNT(even); i++) {
        tick++;
        EXPECT_EQ(count_of(0), even[i]);
    }
    program(0, 3, 7);
    for (size_t i = 0; i < COUNT(odd); i++) {
        tick++;
        EXPECT_EQ(count_of(0), odd[i]);
    }
}

TEST(t02_new_count_waits_for_the_period)
{
    make(1000000);
    program(0, 2, 10);
    tick += 4;
    out8(0x40, 20);
    out8(0x40, 0);
    out8(0x43, 0xe2);
    EXPECT_EQ(in8(0x40), 0xf4); /* OUT, null count, word, mode 2 */
    EXPECT_EQ(count_of(0), 7);
    tick += 6;
    EXPECT_EQ(count_of(0), 1);
    tick += 1;
    EXPECT_EQ(count_of(0), 20);
    out8(0x43, 0xe2);
    EXPECT_EQ(in8(0x40), 0xb4);
}

TEST(t02_null_count_status_and_latch)
{
    make(1000000);
    out8(0x43, 0x30);
    out8(0x40, 0x34);
    out8(0x40, 0x12);
    out8(0x43, 0xe2); /* status of channel 0 */
    EXPECT_EQ(in8(0x40), 0x70);
    tick += 1;
    out8(0x43, 0xc2); /* status and count */
    tick += 0x34;
    out8(0x43, 0x00); /* a second latch changes nothing */
    out8(0x43, 0xc2);
    EXPECT_EQ(in8(0x40), 0x30);
    EXPECT_EQ(in8(0x40), 0x34);
    EXPECT_EQ(in8(0x40), 0x12);
    EXPECT_EQ(in8(0x40), 0x00); /* not latched any more */
    EXPECT_EQ(in8(0x40), 0x12);
    out8(0x43, 0xc2);
    out8(0x43, 0x34); /* a new mode drops what is latched */
    EXPECT_EQ(in8(0x40), 0);
    out8(0x43, 0xee); /* all three */
    EXPECT_EQ(in8(0x40), 0xf4);
    EXPECT_EQ(in8(0x41), 0x70);
    EXPECT_EQ(in8(0x42), 0x70);
}

TEST(t02_access_to_one_byte_and_bcd)
{
    make(1000000);
    out8(0x43, 0x10 | 4); /* low byte, mode 2 */
    out8(0x40, 0x80);
    tick += 1 + 0x10;
    EXPECT_EQ(in8(0x40), 0x70);
    EXPECT_EQ(in8(0x40), 0x70);
    out8(0x43, 0x20 | 4);
    out8(0x40, 0x80);
    tick += 1 + 0x1000;
    EXPECT_EQ(in8(0x40), 0x70);
    program(0, 2, 0);
    out8(0x43, 0x31); /* mode 0, BCD */
    out8(0x40, 0x00);
    out8(0x40, 0x20);
    tick += 2;
    EXPECT_EQ(count_of(0), 0x1999);
    tick += 2000;
    EXPECT_EQ(count_of(0), 0x9999);
    out8(0x43, 0x31);
    out8(0x40, 0);
    out8(0x40, 0);
    tick += 1 + 9999;
    EXPECT_EQ(vpit_out(&p, 0, tsc(tick)), 0);
    tick += 1;
    EXPECT_EQ(vpit_out(&p, 0, tsc(tick)), 1);
    program(0, 0, 0);
    tick += 1 + 65535;
    EXPECT_EQ(vpit_out(&p, 0, tsc(tick)), 0);
    tick += 1;
    EXPECT_EQ(vpit_out(&p, 0, tsc(tick)), 1);
}

TEST(t01_port_61)
{
    unsigned toggles = 0;
    uint8_t last;
    make(1000000);
    out8(0x61, 0xff);
    EXPECT_EQ(in8(0x61) & ~0x30, 0x0f);
    out8(0x61, 0xf0);
    EXPECT_EQ(in8(0x61) & ~0x30, 0);
    last = in8(0x61);
    for (unsigned i = 0; i < 1800; i++, tick++) {
        uint8_t now = in8(0x61);
        toggles += ((now ^ last) & 0x10) != 0;
        last = now;
    }
    EXPECT_TRUE(toggles >= 99 && toggles <= 101); /* every 15.085 us */
    out8(0x61, 1);
    program(2, 0, 50);
    EXPECT_EQ(in8(0x61) & 0x20, 0);
    tick += 51;
    EXPECT_EQ(in8(0x61) & 0x20, 0x20);
    out8(0x61, 0);
    EXPECT_EQ(in8(0x61) & 0x20, 0x20);
}

TEST(t01_foreign_ports)
{
    struct vpit before;
    make(1000000);
    program(0, 2, 100);
    before = p;
    for (unsigned port = 0; port < 0x10000; port++) {
        if ((port >= 0x40 && port <= 0x42) || port == 0x61)
            continue;
        ASSERT_EQ(in8((uint16_t)port), 0xff);
        if (port != 0x43)
            out8((uint16_t)port, 0x5a);
    }
    EXPECT_MEMEQ(&p, &before, sizeof(p));
    EXPECT_FALSE(vpit_out(&p, 3, base));
    EXPECT_FALSE(vpit_out(&p, ~0U, base));
}
