/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/irqchip/vpit (T-02, I7) against a reference. The model computes; the reference does what the 8254 data
 * sheet says at every clock pulse, one after the other, and random programs have to give the same.
 */
#include "tests/host/vpit.h"

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
