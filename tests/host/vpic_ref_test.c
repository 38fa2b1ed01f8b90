/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/irqchip/vpic (P-02) against a reference, written from the 8259A data sheet as a list of pins in the order
 * of priority, where the model has masks and a pointer; random programs have to give the same.
 */
#include "tests/host/vpic.h"

struct ref_chip {
    unsigned order[8]; /* pins, highest priority first */
    bool irr[8], isr[8], imr[8], level[8], line[8];
    bool aeoi, sfnm, rotate, smm, read_isr, poll, ltim, ready;
    unsigned base;
};

static struct ref_chip ref[2];
static unsigned ref_ended;

static int ref_pick(unsigned which);

static bool ref_request(unsigned which, unsigned pin)
{
    struct ref_chip *c = &ref[which];
    if (which == 0 && pin == 2 && ref_pick(1) >= 0)
        return true;
    return c->irr[pin] || (c->line[pin] && (c->level[pin] || c->ltim));
}

static int ref_pick(unsigned which)
{
    struct ref_chip *c = &ref[which];
    int blocked_at = 8, best = 8;
    for (int i = 7; i >= 0; i--) {
        unsigned pin = c->order[i];
        if (c->isr[pin] && !(c->smm && c->imr[pin]))
            blocked_at = i;
        if (ref_request(which, pin) && !c->imr[pin])
            best = i;
    }
    if (!c->ready || best == 8)
        return -1;
    if (best < blocked_at || (best == blocked_at && which == 0 && c->sfnm && c->order[best] == 2))
        return (int)c->order[best];
    return -1;
}

static void ref_lowest(struct ref_chip *c, unsigned pin)
{
    for (unsigned i = 0; i < 8; i++)
        c->order[i] = (pin + 1 + i) % 8;
}

static void ref_cascade(void)
{
    if (ref_pick(1) >= 0 && !ref[0].ltim)
        ref[0].irr[2] = true;
}

static void ref_serve(unsigned which, unsigned pin)
{
    struct ref_chip *c = &ref[which];
    c->irr[pin] = false;
    c->isr[pin] = !c->aeoi;
    if (c->aeoi) {
        ref_ended |= 1U << (8 * which + pin);
        if (c->rotate)
            ref_lowest(c, pin);
    }
}

static unsigned ref_ack(void)
{
    int pin = ref_pick(0), slave = -1;
    if (pin >= 0)
        ref_serve(0, (unsigned)pin);
    if (pin != 2)
        return ref[0].base + (pin < 0 ? 7U : (unsigned)pin);
    slave = ref_pick(1);
    if (slave >= 0)
        ref_serve(1, (unsigned)slave);
    ref_cascade();
    return ref[1].base + (slave < 0 ? 7U : (unsigned)slave);
}

static void ref_eoi(unsigned which, bool specific, bool end, bool rotate, unsigned pin)
{
    struct ref_chip *c = &ref[which];
    if (!specific) {
        unsigned i = 0;
        while (i < 8 && !(c->isr[c->order[i]] && !(c->smm && c->imr[c->order[i]])))
            i++;
        if (i == 8)
            return;
        pin = c->order[i];
    }
    if (end && c->isr[pin]) {
        ref_ended |= 1U << (8 * which + pin);
        c->isr[pin] = false;
    }
    if (rotate)
        ref_lowest(c, pin);
}

static void ref_command(unsigned which, unsigned v)
{
    struct ref_chip *c = &ref[which];
    if (v & 8) {
        if ((v & 0x60) >= 0x40)
            c->smm = v & 0x20;
        if ((v & 3) >= 2)
            c->read_isr = v & 1;
        c->poll = v & 4;
        return;
    }
    switch (v >> 5) {
    case 0:
        c->rotate = false;
        break;
    case 1:
        ref_eoi(which, false, true, false, 0);
        break;
    case 3:
        ref_eoi(which, true, true, false, v & 7);
        break;
    case 4:
        c->rotate = true;
        break;
    case 5:
        ref_eoi(which, false, true, true, 0);
        break;
    case 6:
        ref_eoi(which, true, false, true, v & 7);
        break;
    case 7:
        ref_eoi(which, true, true, true, v & 7);
        break;
    default:
        break;
    }
}

static unsigned ref_byte(unsigned which, const bool *bits)
{
    unsigned v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (bits != NULL ? bits[i] : ref_request(which, i)) ? 1U << i : 0;
    return v;
}

static unsigned ref_read(unsigned which, bool data)
{
    struct ref_chip *c = &ref[which];
    if (c->poll) {
        int pin = ref_pick(which);
        c->poll = false;
        if (pin < 0)
            return 0;
        ref_serve(which, (unsigned)pin);
        if (which == 1)
            ref[0].irr[2] = false;
        ref_cascade();
        return 0x80 | (unsigned)pin;
    }
    return ref_byte(which, data ? c->imr : c->read_isr ? c->isr : NULL);
}

static void ref_init(unsigned which, bool ltim, unsigned icw4)
{
    struct ref_chip *c = &ref[which];
    for (unsigned i = 0; i < 8; i++) {
        ref_ended |= c->irr[i] || c->isr[i] ? 1U << (8 * which + i) : 0;
        c->irr[i] = c->isr[i] = c->imr[i] = false;
    }
    ref_lowest(c, 7);
    c->rotate = c->smm = c->read_isr = c->poll = false;
    c->ltim = ltim;
    c->aeoi = icw4 & 2;
    c->sfnm = icw4 & 16;
    c->ready = true;
    c->base = which ? 0x70 : 0x08;
}

static void ref_line(unsigned pin, bool high)
{
    struct ref_chip *c = &ref[pin / 8];
    if (high && !c->line[pin % 8] && !c->level[pin % 8] && !c->ltim)
        c->irr[pin % 8] = true;
    c->line[pin % 8] = high;
}

static void initialize(unsigned which, struct random *r)
{
    uint16_t port = which ? 0xa0 : 0x20;
    bool ltim = random_one_in(r, 6);
    uint8_t icw4 = random_one_in(r, 2) ? 1 : (uint8_t)(random_next(r) & 0x1f);
    unsigned all;
    out8(port, (uint8_t)(0x11 | ltim << 3));
    all = f.ended;
    /* While it is not ready the slave must not move the master. */
    out8(port + 1, which ? 0x75 : 0x0f);
    out8(port + 1, 0);
    out8(port + 1, icw4);
    ref_ended = 0;
    ref[which].ready = false;
    ref_init(which, ltim, icw4);
    EXPECT_EQ(all, ref_ended);
    ref_cascade();
}

static void random_step(struct random *r)
{
    unsigned which = (unsigned)random_below(r, 2), pin = (unsigned)random_below(r, 16);
    uint16_t port = which ? 0xa0 : 0x20;
    uint8_t v = (uint8_t)random_next(r);
    unsigned all;
    ref_ended = 0;
    switch (random_below(r, 12)) {
    case 0:
        v &= (uint8_t)random_next(r);
        out8(port + 1, v);
        for (unsigned i = 0; i < 8; i++)
            ref[which].imr[i] = v >> i & 1;
        ref_cascade();
        break;
    case 1:
    case 2:
        v &= 0xef;
        out8(port, v);
        EXPECT_EQ(f.ended, (ref_command(which, v), ref_ended));
        ref_cascade();
        break;
    case 3:
        out8(port, 0x20);
        EXPECT_EQ(f.ended, (ref_command(which, 0x20), ref_ended));
        ref_cascade();
        break;
    case 4:
    case 5:
        EXPECT_EQ(in8(port + (v & 1)), ref_read(which, v & 1));
        EXPECT_EQ(f.ended, ref_ended);
        break;
    case 6:
        if (random_one_in(r, 10)) {
            all = which ? 0xdeU : 0xf8U;
            out8(which ? 0x4d1 : 0x4d0, v);
            for (unsigned i = 0; i < 8; i++) {
                ref[which].level[i] = (v & all) >> i & 1;
                if (ref[which].level[i])
                    ref[which].irr[i] = false;
            }
            ref_cascade();
        } else if (random_one_in(r, 20)) {
            initialize(which, r);
        }
        break;
    case 7:
    case 8:
        EXPECT_EQ(ack(), (int)ref_ack());
        EXPECT_EQ(f.ended, ref_ended);
        break;
    default:
        if (pin != 2) {
            vpic_line(&p, pin, 3, v & 1);
            ref_line(pin, v & 1);
            ref_cascade();
        }
    }
    EXPECT_EQ(vpic_output(&p), ref_pick(0) >= 0);
}

TEST(p02_random_programs_as_the_reference)
{
    for (uint64_t seed = 1; seed <= 300 && test_state.failures == 0; seed++) {
        struct random r = {.state = seed};
        vpic_init(&p);
        memset(ref, 0, sizeof(ref));
        initialize(0, &r);
        initialize(1, &r);
        for (unsigned step = 0; step < 1000 && test_state.failures == 0; step++) {
            test_row("seed %llu step %u", (unsigned long long)seed, step);
            random_step(&r);
        }
    }
}
