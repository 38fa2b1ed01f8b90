/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/irqchip/vpit (T-01 to T-05, I7). The model computes; the reference below does what the 8254 data sheet
 * says at every clock pulse, one after the other, and random programs have to give the same. Numbers in the
 * other tests are typed from the data sheet.
 */
#include "hv/irqchip/vpit.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

enum { FIRST = 0x10000 }; /* position of a new device */

/* --- the reference: one counter, pulse by pulse --- */
struct ref {
    unsigned mode, access;
    bool bcd, gate, out, null, write_high, read_high, counts, odd, strobe, load, trigger, has_reload;
    bool latched_count, latched_status;
    int32_t ce, cr;
    uint8_t low, status;
    uint16_t latch;
};

static uint16_t ref_value(const struct ref *r)
{
    uint32_t v = (uint32_t)r->ce;
    if (!r->counts)
        return 0;
    if (!r->bcd)
        return (uint16_t)v;
    v %= 10000;
    return (uint16_t)(v / 1000 * 4096 + v / 100 % 10 * 256 + v / 10 % 10 * 16 + v % 10);
}

static void ref_take(struct ref *r)
{
    r->ce = r->cr;
    if (r->mode == 3) {
        r->odd = r->cr & 1;
        r->ce = r->cr - r->odd;
    }
    r->counts = true;
    r->null = r->load = r->trigger = false;
}

static void ref_down(struct ref *r)
{
    r->ce = r->ce == 0 ? (r->bcd ? 9999 : 65535) : r->ce - 1;
}

/* True when OUT rises. */
static bool ref_clock(struct ref *r)
{
    bool before = r->out, runs = r->counts && (r->gate || r->mode == 1 || r->mode == 5);
    switch (r->mode) {
    case 0:
        if (r->load) {
            ref_take(r);
        } else if (runs) {
            ref_down(r);
            r->out |= r->ce == 0;
        }
        break;
    case 1:
        if (r->trigger) {
            ref_take(r);
            r->out = false;
        } else if (runs) {
            ref_down(r);
            r->out |= r->ce == 0;
        }
        break;
    case 2:
        if (r->trigger || r->load || (runs && r->ce == 1)) {
            ref_take(r);
            r->out = true;
        } else if (runs) {
            ref_down(r);
            r->out = r->ce != 1;
        }
        break;
    case 3:
        if (r->trigger || r->load) {
            ref_take(r);
            r->out = true;
        } else if (runs && r->ce == (r->out && r->odd ? 0 : 2)) {
            ref_take(r);
            r->out = !r->out;
        } else if (runs) {
            r->ce -= 2;
        }
        break;
    default:
        if (r->mode == 4 ? r->load : r->trigger) {
            ref_take(r);
            r->out = r->strobe = true;
        } else if (runs) {
            ref_down(r);
            r->out = r->ce != 0 || !r->strobe;
            r->strobe = r->strobe && r->out;
        }
    }
    return r->out && !before;
}

static void ref_gate(struct ref *r, bool gate)
{
    bool rises = gate && !r->gate;
    r->gate = gate;
    if (r->mode == 2 || r->mode == 3)
        r->out |= !gate;
    if (rises && r->has_reload && (r->mode == 1 || r->mode == 2 || r->mode == 3 || r->mode == 5))
        r->trigger = true;
}

static void ref_mode(struct ref *r, unsigned control)
{
    bool gate = r->gate;
    unsigned mode = control >> 1 & 7;
    *r = (struct ref){.gate = gate, .null = true, .access = control >> 4 & 3, .bcd = control & 1};
    r->mode = mode == 6 ? 2 : mode == 7 ? 3 : mode;
    r->out = r->mode != 0;
}

static void ref_count(struct ref *r, unsigned v)
{
    if (r->bcd)
        v = ((v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15)) % 10000;
    r->cr = v != 0 ? (int32_t)v : r->bcd ? 10000 : 65536;
    if ((r->mode == 2 || r->mode == 3) && r->cr == 1)
        r->cr = 2;
    r->null = r->has_reload = true;
    if (r->mode == 0)
        r->counts = r->out = false;
    if (r->mode == 0 || r->mode == 4 || ((r->mode == 2 || r->mode == 3) && !r->counts))
        r->load = true;
}

static void ref_write(struct ref *r, uint8_t v)
{
    if (r->access == 1) {
        ref_count(r, v);
    } else if (r->access == 2) {
        ref_count(r, v * 256U);
    } else if (r->write_high) {
        r->write_high = false;
        ref_count(r, r->low + v * 256U);
    } else {
        r->write_high = true;
        r->low = v;
        if (r->mode == 0)
            r->counts = r->out = r->load = false;
    }
}

static uint8_t ref_read(struct ref *r)
{
    uint16_t v = r->latched_count ? r->latch : ref_value(r);
    bool last = true, high = r->access == 2;
    if (r->latched_status) {
        r->latched_status = false;
        return r->status;
    }
    if (r->access == 3) {
        high = last = r->read_high;
        r->read_high = !r->read_high;
    }
    if (last)
        r->latched_count = false;
    return (uint8_t)(high ? v / 256 : v % 256);
}

static void ref_latch(struct ref *r, bool count, bool status)
{
    if (count && !r->latched_count)
        r->latch = ref_value(r);
    if (status && !r->latched_status)
        r->status = (uint8_t)(r->out * 128U + r->null * 64U + r->access * 16 + r->mode * 2 + r->bcd);
    r->latched_count |= count;
    r->latched_status |= status;
}

static void ref_control(struct ref r[3], uint8_t v)
{
    if (v >> 6 == 3) {
        for (unsigned i = 0; i < 3; i++)
            if (v >> (i + 1) & 1)
                ref_latch(&r[i], !(v & 0x20), !(v & 0x10));
    } else if ((v & 0x30) == 0) {
        ref_latch(&r[v >> 6], true, false);
    } else {
        ref_mode(&r[v >> 6], v);
    }
}

/* --- the device under test --- */
static struct vpit p;
static uint64_t khz = 1000000, base, tick; /* tick: PIT ticks since the device was made */

/* The first TSC at which `ticks` have passed. */
static uint64_t tsc(uint64_t ticks)
{
    unsigned __int128 n = (unsigned __int128)ticks * khz * 1000;
    return base + (uint64_t)((n + 1193181) / 1193182);
}

static void make(uint64_t frequency)
{
    khz = frequency;
    base = 123456789;
    tick = 0;
    vpit_init(&p, khz, base);
}

static void out8(uint16_t port, uint8_t value)
{
    vpit_write(&p, port, value, tsc(tick));
}

static uint8_t in8(uint16_t port)
{
    return vpit_read(&p, port, tsc(tick));
}

static void program(unsigned channel, unsigned mode, unsigned count)
{
    out8(0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    out8((uint16_t)(0x40 + channel), (uint8_t)count);
    out8((uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

/* OUT from now on, a tick each. */
static uint64_t wave(unsigned channel, unsigned ticks)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < ticks; i++, tick++)
        bits = bits << 1 | vpit_out(&p, channel, tsc(tick));
    return bits;
}

static uint16_t count_of(unsigned channel)
{
    uint16_t port = (uint16_t)(0x40 + channel), low;
    out8(0x43, (uint8_t)(channel << 6));
    low = in8(port);
    return (uint16_t)(low | in8(port) << 8);
}

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

/* Programs of random accesses: model and reference agree in everything that can be seen. */
static void random_access(struct random *r, struct ref ref[3], bool wild)
{
    static const uint8_t counts[] = {0, 1, 2, 3, 4, 5, 7, 10, 0x20};
    unsigned i = (unsigned)random_below(r, 3);
    uint8_t v = (uint8_t)random_next(r);
    switch (random_below(r, 8)) {
    case 0:
        if (random_one_in(r, 4)) {
            out8(0x43, v);
            ref_control(ref, v);
        }
        break;
    case 1:
        v &= 0xfe; /* read-back, latches */
        v = random_one_in(r, 2) ? v | 0xc0 : v & 0xcf;
        out8(0x43, v);
        ref_control(ref, v);
        break;
    case 2:
    case 3:
        if (!wild)
            v = ref[i].write_high || ref[i].access == 2 ? 0 : counts[random_below(r, COUNT(counts))];
        out8((uint16_t)(0x40 + i), v);
        ref_write(&ref[i], v);
        break;
    case 4:
    case 5:
        EXPECT_EQ(in8((uint16_t)(0x40 + i)), ref_read(&ref[i]));
        break;
    default:
        out8(0x61, v & 3);
        ref_gate(&ref[2], v & 1);
    }
}

static void expect_deadline(const struct ref *now)
{
    struct ref r = *now;
    uint64_t at, t = tick, deadline;
    bool due = vpit_deadline(&p, &deadline);
    for (unsigned i = 0; i < 60; i++) {
        t++;
        if (!ref_clock(&r))
            continue;
        at = tsc(t);
        EXPECT_TRUE(due);
        EXPECT_EQ(deadline, at);
        return;
    }
    EXPECT_TRUE(!due || deadline > tsc(t));
}

static void against_reference(uint64_t seed, unsigned steps, bool wild)
{
    struct random r = {.state = seed};
    struct ref ref[3] = {{.gate = true}, {.gate = true}, {.gate = false}};
    make(1 + random_below(&r, 5000000));
    for (unsigned i = 0; i < 3; i++) {
        uint8_t v = (uint8_t)(i << 6 | 0x10 | random_below(&r, 3) << 4 | random_below(&r, 16));
        out8(0x43, v);
        ref_control(ref, v);
    }
    for (unsigned step = 0; step < steps && test_state.failures == 0; step++) {
        uint64_t ticks = random_below(&r, wild ? 3000 : 12), edges = 0;
        test_row("seed %llu step %u", (unsigned long long)seed, step);
        random_access(&r, ref, wild);
        for (uint64_t k = 0; k < ticks; k++) {
            edges += ref_clock(&ref[0]);
            ref_clock(&ref[1]);
            ref_clock(&ref[2]);
        }
        tick += ticks;
        for (unsigned i = 0; i < 3; i++)
            EXPECT_EQ(vpit_out(&p, i, tsc(tick)), ref[i].out);
        EXPECT_EQ(p.edges, edges);
        p.edges = 0;
        if (!wild)
            expect_deadline(&ref[0]);
    }
}

TEST(t02_i7_random_programs_as_the_reference)
{
    for (uint64_t seed = 1; seed <= 600; seed++)
        against_reference(seed, 300, false);
}

TEST(t02_i7_random_programs_with_long_counts)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        against_reference(seed + 1000, 100, true);
}

TEST(i7_counts_0_1_ffff_in_all_modes)
{
    static const uint16_t counts[] = {0, 1, 2, 3, 0xfffe, 0xffff};
    for (unsigned mode = 0; mode < 8; mode++)
        for (size_t i = 0; i < COUNT(counts); i++)
            for (unsigned bcd = 0; bcd < 2; bcd++)
                for (unsigned channel = 0; channel < 3; channel++) {
                    struct ref ref = {.gate = true};
                    test_row("mode %u count %u bcd %u channel %u", mode, counts[i], bcd, channel);
                    make(1000000);
                    out8(0x61, 1);
                    out8(0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1 | bcd));
                    ref_mode(&ref, 0x30 | mode << 1 | bcd);
                    for (unsigned k = 0; k < 2; k++) {
                        uint8_t v = (uint8_t)(counts[i] >> 8 * k);
                        out8((uint16_t)(0x40 + channel), v);
                        ref_write(&ref, v);
                    }
                    for (unsigned k = 0; k < 140000; k++) {
                        ref_clock(&ref);
                        tick++;
                        if (k % 997 == 0 || k < 8)
                            ASSERT_EQ(vpit_out(&p, channel, tsc(tick)), ref.out);
                    }
                    EXPECT_EQ(count_of(channel), ref_value(&ref));
                }
}

/* --- IRQ 0 --- */
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

/* --- records --- */
static void live(struct random *r, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        static const uint16_t ports[] = {0x40, 0x41, 0x42, 0x43, 0x61};
        tick += random_below(r, 700);
        out8(ports[random_below(r, 5)], (uint8_t)(random_one_in(r, 3) ? random_next(r) : random_below(r, 4)));
        if (random_one_in(r, 3))
            in8(ports[random_below(r, 3)]);
        if (random_one_in(r, 3) && vpit_run(&p, tsc(tick)))
            vpit_sent(&p, (int)random_below(r, 3) - 1);
        if (random_one_in(r, 6))
            vpit_ack(&p, tsc(tick));
        if (random_one_in(r, 40))
            vpit_mute(&p, random_one_in(r, 2));
        if (random_one_in(r, 40))
            vpit_reinject(&p, random_one_in(r, 2));
    }
}

/* The same accesses to two devices, at the same distance from their own zero, show the same. */
static void expect_twins(struct vpit *a, struct vpit *b, uint64_t zero_a, uint64_t zero_b, struct random *r)
{
    for (unsigned i = 0; i < 30; i++) {
        uint64_t t = i * 100000 + random_below(r, 90000), da = 0, db = 0;
        uint16_t port = (uint16_t)(0x40 + random_below(r, 3));
        bool due = vpit_deadline(a, &da);
        EXPECT_EQ(vpit_deadline(b, &db), due);
        if (due)
            EXPECT_EQ(db - zero_b, da - zero_a);
        EXPECT_EQ(vpit_read(b, port, zero_b + t), vpit_read(a, port, zero_a + t));
        EXPECT_EQ(vpit_read(b, 0x61, zero_b + t), vpit_read(a, 0x61, zero_a + t));
        EXPECT_EQ(vpit_run(b, zero_b + t), vpit_run(a, zero_a + t));
        if (random_one_in(r, 3))
            EXPECT_EQ(vpit_ack(b, zero_b + t), vpit_ack(a, zero_a + t));
    }
}

TEST(t05_round_trip_and_life_goes_on)
{
    struct random r = {.state = 31};
    for (unsigned i = 0; i < 3000 && test_state.failures == 0; i++) {
        struct hv_pit record, again;
        struct vpit copy;
        uint64_t now, there;
        test_row("life %u", i);
        make(596591 * (1 + random_below(&r, 7))); /* so a PIT tick has 500 TSC ticks, or a multiple */
        live(&r, 1 + (unsigned)random_below(&r, 60));
        now = tsc(tick) + random_below(&r, 800);
        there = random_next(&r) >> 2;
        vpit_state_get(&p, now, &record);
        vpit_init(&copy, khz, there - 5000);
        ASSERT_TRUE(vpit_state_set(&copy, there, &record, sizeof(record)));
        vpit_state_get(&copy, there, &again);
        EXPECT_MEMEQ(&again, &record, sizeof(record));
        expect_twins(&p, &copy, now, there, &r);
    }
}

static void expect_refused(const char *what, const struct hv_pit *record, size_t size)
{
    struct vpit before = p;
    test_row("%s", what);
    EXPECT_FALSE(vpit_state_set(&p, tsc(tick), record, size));
    EXPECT_MEMEQ(&p, &before, sizeof(p));
}

TEST(t05_i7_bad_records_change_nothing)
{
    struct hv_pit good, bad;
    make(1000000);
    out8(0x61, 1);
    program(0, 2, 1000);
    program(1, 3, 18);
    program(2, 0, 500);
    tick = 300;
    vpit_state_get(&p, tsc(tick), &good);
    EXPECT_TRUE(vpit_state_set(&p, tsc(tick), &good, sizeof(good)));
    expect_refused("short", &good, sizeof(good) - 1);
    expect_refused("long", &good, sizeof(good) + 1);
#define BAD(change)                                                                                          \
    do {                                                                                                     \
        bad = good;                                                                                          \
        bad.change;                                                                                          \
        expect_refused(#change, &bad, sizeof(bad));                                                          \
    } while (0)
    BAD(size = 0);
    BAD(version = 2);
    BAD(version = 0);
    BAD(reserved = 1);
    BAD(reserved2[0] = 1);
    BAD(reserved2[2] = 1);
    BAD(position = 0);
    BAD(position = UINT64_MAX);
    BAD(served = bad.position + 1);
    BAD(edges = 0x10000);
    BAD(flags = 0x10);
    BAD(flags = HV_PIT_COALESCED);
    BAD(flags = HV_PIT_MUTED | HV_PIT_REINJECT | HV_PIT_COALESCED);
    BAD(flags = HV_PIT_UNACKED);
    BAD(flags = HV_PIT_MUTED | HV_PIT_REINJECT | HV_PIT_UNACKED);
    BAD(flags = HV_PIT_MUTED; bad.edges = 1);
    BAD(port61 = 0x11);
    BAD(port61 = 0);
    BAD(channel[0].flags &= (uint16_t)~HV_PIT_GATE);
    BAD(channel[0].flags |= 0x80);
    BAD(channel[0].mode = 6);
    BAD(channel[0].access = 0);
    BAD(channel[0].access = 4);
    BAD(channel[0].count = 65537);
    BAD(channel[0].count = 1);
    BAD(channel[0].reload = 65537);
    BAD(channel[0].reload = 0);
    BAD(channel[0].flags |= HV_PIT_BCD; bad.channel[0].count = 10001);
    BAD(channel[0].access = 1; bad.channel[0].flags |= HV_PIT_READ_HIGH);
    BAD(channel[0].start = bad.position + 1);
    BAD(channel[0].load_at = bad.position);
    BAD(channel[0].load_at = bad.position + 65537);
    BAD(channel[0].frozen_at = bad.position + 1);
    BAD(channel[0].frozen_at = bad.channel[0].start - 1);
    BAD(channel[0].frozen_at = bad.position);
    BAD(channel[2].mode = 1; bad.channel[2].frozen_at = bad.position);
    BAD(channel[2].flags &= (uint16_t)~HV_PIT_GATE; bad.port61 = 0);
#undef BAD
}

/* A count of 0 that was restored once divided by zero (CVE-2015-7513). */
TEST(i7_restored_zero_counts)
{
    struct hv_pit record;
    for (unsigned mode = 0; mode < 6; mode++) {
        make(1000000);
        vpit_state_get(&p, base, &record);
        for (unsigned i = 0; i < 3; i++)
            record.channel[i].mode = (uint8_t)mode;
        ASSERT_TRUE(vpit_state_set(&p, base, &record, sizeof(record)));
        tick = 100;
        EXPECT_EQ(count_of(0), 0);
        EXPECT_EQ(vpit_out(&p, 0, tsc(200)), mode != 0);
        EXPECT_FALSE(vpit_run(&p, tsc(300)));
        out8(0x61, 1);
        tick = 400;
        EXPECT_EQ(count_of(2), 0);
    }
}

/* Whatever is taken can be lived with; whatever is refused changes nothing. */
TEST(t05_i7_random_records)
{
    struct random r = {.state = 77};
    unsigned taken = 0;
    for (unsigned i = 0; i < 60000 && test_state.failures == 0; i++) {
        struct hv_pit record, again;
        struct vpit before;
        make(1000 + random_below(&r, 4000000));
        live(&r, 1 + (unsigned)random_below(&r, 8));
        vpit_state_get(&p, tsc(tick), &record);
        for (unsigned k = 0; k < 1 + i % 3; k++)
            ((uint8_t *)&record)[random_below(&r, sizeof(record))] ^= (uint8_t)(1U << random_below(&r, 8));
        before = p;
        if (!vpit_state_set(&p, tsc(tick), &record, sizeof(record))) {
            ASSERT_TRUE(memcmp(&p, &before, sizeof(p)) == 0);
            continue;
        }
        taken++;
        vpit_state_get(&p, tsc(tick), &again);
        EXPECT_EQ(memcmp(again.channel, record.channel, sizeof(again.channel)), 0);
        live(&r, 8);
        vpit_state_get(&p, tsc(tick), &record);
        EXPECT_TRUE(vpit_state_set(&p, tsc(tick), &record, sizeof(record)));
    }
    EXPECT_TRUE(taken > 1000);
}
