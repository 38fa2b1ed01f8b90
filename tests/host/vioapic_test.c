/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/irqchip/vioapic (I-01 to I-13; I1, I2, I4, I5, I12). The tests act as the wiring will: a fake local APIC
 * takes messages, ends them, and answers what deliver_message would. Numbers are typed from the data sheet.
 */
#include "hv/irqchip/vioapic.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

static struct vioapic a;
static struct vioapic_pin pins[241]; /* one more, as a canary */
static struct vioapic_facts f;
static uint64_t now;

static struct {
    unsigned messages;
    struct vlapic_message m; /* the last one */
    int result;              /* for the next ones */
} bus;

static void make_pins(uint32_t count)
{
    memset(pins, 0x2a, sizeof(pins));
    memset(&bus, 0, sizeof(bus));
    bus.result = 1;
    now = 1000000;
    EXPECT_TRUE(vioapic_init(&a, pins, count, 0x20, true, 1000000)); /* 10 ms are 10,000,000 TSC ticks */
}

static void make(void)
{
    make_pins(24);
}

static int send(uint32_t pin)
{
    struct vlapic_message m;
    if (!vioapic_ready(&a, pin, now, &m))
        return VIOAPIC_SEND; /* nothing to send */
    bus.messages++;
    bus.m = m;
    return vioapic_sent(&a, pin, bus.result);
}

static void send_all(void)
{
    struct vlapic_message m;
    for (uint32_t i = 0; (i = vioapic_next(&a, i, now, &m)) < a.pin_count; i++)
        send(i);
}

static int line(uint32_t pin, unsigned source, bool high)
{
    int status = vioapic_line(&a, pin, source, high, now);
    return status == VIOAPIC_SEND ? send(pin) : status;
}

static int pulse(uint32_t pin)
{
    int status = line(pin, 0, true);
    line(pin, 0, false);
    return status;
}

static void mmio(uint32_t offset, unsigned size, uint64_t value)
{
    memset(&f, 0, sizeof(f));
    vioapic_write(&a, offset, size, value, &f);
    if (f.what & VIOAPIC_FACT_RTE)
        send(f.pin);
}

static uint32_t reg(uint32_t index)
{
    mmio(0, 4, index);
    return (uint32_t)vioapic_read(&a, 0x10, 4);
}

static void set(uint32_t index, uint32_t value)
{
    mmio(0, 4, index);
    mmio(0x10, 4, value);
}

static void rte(uint32_t pin, uint64_t value)
{
    set(0x11 + 2 * pin, (uint32_t)(value >> 32));
    set(0x10 + 2 * pin, (uint32_t)value);
}

/* As the caller does it: the resampler comes between. Returns the pins that were ended. */
static uint64_t eoi(uint8_t vector, void (*resample)(uint32_t pin))
{
    struct vioapic_pins ended;
    vioapic_eoi(&a, vector, &ended);
    for (uint32_t i = 0; i < a.pin_count; i++) {
        if (!(ended.bits[i / 64] >> i % 64 & 1))
            continue;
        if (resample != NULL)
            resample(i);
        if (vioapic_end(&a, i, vector, now))
            send(i);
    }
    return ended.bits[0];
}

enum { LEVEL = 0x8000, MASKED = 0x10000, IRR = 0x4000, STATUS = 0x1000 };

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
        EXPECT_FALSE(vioapic_ready(&a, last + 1, now, &bus.m));
        EXPECT_EQ(vioapic_next(&a, 0, now, &bus.m), counts[i]);
        set(0x12 + 2 * last, 0x33);
        EXPECT_FALSE(vioapic_masked(&a, last));
        EXPECT_EQ(vioapic_masked(&a, 0), last != 0);
        EXPECT_TRUE(vioapic_masked(&a, last + 1));
        vioapic_watch(&a, last + 1, VIOAPIC_WATCH_EOI);
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

TEST(i11_rtc_coalescing)
{
    make();
    rte(8, 0x48);
    vioapic_watch(&a, 8, VIOAPIC_WATCH_COUNT);
    bus.result = 2; /* two receivers */
    EXPECT_EQ(pulse(8), 2);
    EXPECT_EQ(pulse(8), 0);
    EXPECT_EQ(eoi(0x48, NULL), 1 << 8);
    EXPECT_EQ(pulse(8), 0);
    EXPECT_EQ(eoi(0x48, NULL), 1 << 8);
    EXPECT_EQ(pulse(8), 2);
    EXPECT_EQ(bus.messages, 2);
    vioapic_watch(&a, 8, VIOAPIC_WATCH_COUNT); /* a vCPU was reset */
    EXPECT_EQ(pulse(8), 2);
    rte(8, 0x48); /* programmed anew */
    EXPECT_EQ(pulse(8), 2);
    bus.result = 0;
    eoi(0x48, NULL);
    eoi(0x48, NULL);
    eoi(0x48, NULL);
    EXPECT_EQ(pulse(8), 0);
    bus.result = 1;
    EXPECT_EQ(pulse(8), 1); /* a merged one owes nothing */
    vioapic_watch(&a, 8, VIOAPIC_WATCH_EOI);
    EXPECT_EQ(pulse(8), 1);
    EXPECT_EQ(pulse(8), 1);
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

static uint64_t exits(uint8_t vector)
{
    uint64_t bitmap[4] = {0};
    vioapic_eoi_exits(&a, bitmap);
    return bitmap[vector / 64] >> vector % 64 & 1;
}

static bool changed(uint32_t *generation)
{
    bool is = a.generation != *generation;
    *generation = a.generation;
    return is;
}

TEST(eoi_exit_bitmap)
{
    uint32_t generation;
    uint64_t bitmap[4] = {0, 0, 0, 1ULL << 63};
    make();
    generation = a.generation;
    rte(9, LEVEL | MASKED | 0x50);
    EXPECT_FALSE(changed(&generation));
    EXPECT_EQ(exits(0x50), 0);
    rte(9, LEVEL | 0x50);
    EXPECT_TRUE(changed(&generation));
    EXPECT_EQ(exits(0x50), 1);
    set(0x23, 0x12000000); /* the destination changes nothing */
    EXPECT_FALSE(changed(&generation));
    line(9, 0, true);
    EXPECT_FALSE(changed(&generation));
    rte(9, LEVEL | MASKED | 0x50); /* in service: its end has to be seen */
    EXPECT_FALSE(changed(&generation));
    EXPECT_EQ(exits(0x50), 1);
    eoi(0x50, NULL);
    EXPECT_TRUE(changed(&generation));
    EXPECT_EQ(exits(0x50), 0);
    rte(10, 0xf1);
    EXPECT_FALSE(changed(&generation));
    vioapic_watch(&a, 10, VIOAPIC_WATCH_EOI);
    EXPECT_TRUE(changed(&generation));
    EXPECT_EQ(exits(0xf1), 1);
    rte(10, 0xf2);
    EXPECT_TRUE(changed(&generation));
    EXPECT_EQ(exits(0xf1), 0);
    vioapic_eoi_exits(&a, bitmap); /* adds */
    EXPECT_EQ(bitmap[3], 1ULL << 63 | 1ULL << (0xf2 - 192));
    EXPECT_EQ(bitmap[0] | bitmap[1] | bitmap[2], 0);
}

/* The generation changes whenever the bitmap does, whatever happens. */
TEST(eoi_exit_generation_misses_nothing)
{
    struct random r = {.state = 12};
    make();
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t before[4] = {0}, after[4] = {0};
        uint32_t generation = a.generation, pin = (uint32_t)random_below(&r, 24);
        vioapic_eoi_exits(&a, before);
        switch (random_below(&r, 5)) {
        case 0:
            set(0x10 + (uint32_t)random_below(&r, 48), (uint32_t)random_next(&r));
            break;
        case 1:
            eoi((uint8_t)pins[pin].rte, NULL);
            break;
        case 2:
            vioapic_watch(&a, pin, (enum vioapic_watch)random_below(&r, 3));
            break;
        default:
            line(pin, 0, random_one_in(&r, 2));
        }
        vioapic_eoi_exits(&a, after);
        if (memcmp(before, after, sizeof(before)) != 0)
            ASSERT_TRUE(a.generation != generation);
    }
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

/* --- records --- */
static struct hv_ioapic record, again;

static void live(struct random *r, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        uint32_t pin = (uint32_t)random_below(r, a.pin_count);
        bus.result = (int)random_below(r, 4) - 1;
        now += random_below(r, 1000);
        switch (random_below(r, 6)) {
        case 0:
            set(0x10 + (uint32_t)random_below(r, 2 * a.pin_count), (uint32_t)random_next(r));
            break;
        case 1:
            eoi((uint8_t)pins[pin].rte, NULL);
            break;
        case 2:
            set((uint32_t)random_below(r, 3), (uint32_t)random_next(r));
            break;
        case 3:
            if (random_one_in(r, 4))
                vioapic_watch(&a, pin, (enum vioapic_watch)random_below(r, 3));
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
        for (uint32_t i = 0; i < count; i++)
            vioapic_watch(&twin, i, (enum vioapic_watch)pins[i].watch);
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
    uint32_t generation;
    make();
    rte(9, LEVEL | MASKED | 0x50);
    line(9, 3, true);
    vioapic_state_get(&a, now, &record);
    record.pin[9].rte &= ~(uint64_t)MASKED;
    record.pin[9].put_off = UINT64_MAX; /* from a faster clock: cut to 10 ms */
    generation = a.generation;
    EXPECT_TRUE(vioapic_state_set(&a, now, &record, 32 + 32 * 24));
    EXPECT_NE(a.generation, generation);
    EXPECT_FALSE(vioapic_ready(&a, 9, now + 9999999, &m));
    EXPECT_TRUE(vioapic_ready(&a, 9, now + 10000000, &m));
    record.pin[8].owed = 3; /* nobody counts here */
    EXPECT_TRUE(vioapic_state_set(&a, now, &record, 32 + 32 * 24));
    EXPECT_EQ(pins[8].owed, 0);
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
    BAD(pin[9].owed = 1);
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
