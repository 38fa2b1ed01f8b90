/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/irqchip/vpic (P-01 to P-04). The reference is written from the 8259A data sheet as a list of pins in the
 * order of priority, where the model has masks and a pointer; random programs have to give the same.
 */
#include "hv/irqchip/vpic.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

static struct vpic p;
static struct vpic_facts f;

static void out8(uint16_t port, uint8_t value)
{
    memset(&f, 0, sizeof(f));
    vpic_write(&p, port, value, &f);
}

static uint8_t in8(uint16_t port)
{
    memset(&f, 0, sizeof(f));
    return vpic_read(&p, port, &f);
}

static int ack(void)
{
    memset(&f, 0, sizeof(f));
    return vpic_ack(&p, &f);
}

static void pulse(unsigned pin)
{
    vpic_line(&p, pin, 0, true);
    vpic_line(&p, pin, 0, false);
}

/* As a PC does it: vectors 20h and 28h; ICW4 as given. */
static void make(uint8_t icw4_master, uint8_t icw4_slave)
{
    vpic_init(&p);
    out8(0x20, 0x11);
    out8(0x21, 0x20);
    out8(0x21, 0x04);
    out8(0x21, icw4_master);
    out8(0xa0, 0x11);
    out8(0xa1, 0x28);
    out8(0xa1, 0x02);
    out8(0xa1, icw4_slave);
}

TEST(p01_priority_and_nesting)
{
    make(1, 1);
    EXPECT_FALSE(vpic_output(&p));
    pulse(5);
    pulse(3);
    EXPECT_TRUE(vpic_output(&p));
    EXPECT_EQ(ack(), 0x23);
    EXPECT_FALSE(vpic_output(&p));
    pulse(1);
    EXPECT_TRUE(vpic_output(&p));
    EXPECT_EQ(ack(), 0x21);
    out8(0x20, 0x20);
    EXPECT_EQ(f.ended, 1 << 1);
    EXPECT_FALSE(vpic_output(&p));
    out8(0x20, 0x20);
    EXPECT_EQ(f.ended, 1 << 3);
    EXPECT_TRUE(vpic_output(&p));
    EXPECT_EQ(ack(), 0x25);
    out8(0x20, 0x20);
    out8(0x20, 0x20);
    EXPECT_EQ(f.ended, 0);
}

TEST(p01_cascade)
{
    make(1, 1);
    pulse(12);
    pulse(3);
    EXPECT_EQ(ack(), 0x2c); /* IRQ 8 to 15 rank as IRQ 2 */
    pulse(9);
    EXPECT_FALSE(vpic_output(&p)); /* higher in the slave, but the master waits for the end */
    pulse(0);
    EXPECT_EQ(ack(), 0x20);
    out8(0x20, 0x20);
    out8(0xa0, 0x20);
    EXPECT_EQ(f.ended, 1 << 12);
    EXPECT_FALSE(vpic_output(&p));
    out8(0x20, 0x20);
    EXPECT_EQ(f.ended, 1 << 2);
    EXPECT_EQ(ack(), 0x29);
    out8(0xa0, 0x20);
    out8(0x20, 0x20);
    EXPECT_EQ(ack(), 0x23);
}

TEST(p01_no_interrupt_before_initialization_is_complete)
{
    vpic_init(&p);
    EXPECT_EQ(p.chip[0].lowest, 7);
    EXPECT_EQ(p.chip[1].lowest, 7);
    EXPECT_TRUE(vpic_masked(&p, 0));
    EXPECT_TRUE(vpic_masked(&p, 8));
    EXPECT_EQ(vpic_line(&p, 3, 0, true), -1);
    vpic_line(&p, 3, 0, false);
    out8(0x20, 0x11);
    pulse(1);
    EXPECT_FALSE(vpic_output(&p));
    EXPECT_EQ(in8(0x20), 2);
    out8(0x20, 0x11);
    EXPECT_EQ(f.ended, 2); /* lost */
    EXPECT_EQ(in8(0x20), 0);
    pulse(1);
    out8(0x21, 0x47);
    EXPECT_FALSE(vpic_output(&p));
    out8(0x21, 0x04);
    EXPECT_FALSE(vpic_output(&p));
    out8(0x21, 0x01);
    EXPECT_TRUE(vpic_output(&p));
    EXPECT_EQ(ack(), 0x41); /* only bits 7:3 of ICW2 */
    out8(0x20, 0x10);       /* no ICW4 */
    EXPECT_EQ(f.ended, 2);  /* in service */
    out8(0x21, 0x30);
    out8(0x21, 0x04);
    out8(0x21, 0xfe);
    pulse(0);
    EXPECT_EQ(in8(0x21), 0xfe);
    EXPECT_EQ(ack(), 0x30);
    EXPECT_FALSE(vpic_masked(&p, 0));
    EXPECT_TRUE(vpic_masked(&p, 8)); /* the slave never was */
    out8(0x20, 0x12);                /* single: no ICW3 */
    out8(0x21, 0x50);
    out8(0x21, 0xfb);
    EXPECT_EQ(in8(0x21), 0xfb);
    pulse(9);
    EXPECT_FALSE(vpic_output(&p));
    EXPECT_EQ(in8(0x20) & 4, 0);
}

TEST(p01_icw1_clears)
{
    make(3, 1);
    out8(0x20, 0xc3); /* IRQ 3 has the lowest priority */
    out8(0x20, 0x80);
    out8(0x20, 0x6b); /* special mask mode, read ISR */
    out8(0x21, 0xaa);
    EXPECT_EQ(f.mask, 0xaa);
    vpic_line(&p, 4, 0, true);
    out8(0x20, 0x11);
    EXPECT_EQ(f.mask, 0xaa);
    EXPECT_EQ(p.chip[0].flags, HV_PIC_NEEDS_ICW4);
    EXPECT_EQ(p.chip[0].lowest, 7);
    EXPECT_EQ(in8(0x20), 0);
    out8(0x21, 0x20);
    out8(0x21, 0x04);
    out8(0x21, 0x01);
    EXPECT_FALSE(vpic_output(&p)); /* the line is still high: no edge */
    vpic_line(&p, 4, 0, false);
    vpic_line(&p, 4, 0, true);
    EXPECT_EQ(ack(), 0x24);
    EXPECT_EQ(f.ended, 0); /* no automatic end any more */
    out8(0x20, 0x10);
    EXPECT_EQ(p.chip[0].flags, 0);
}

TEST(p01_elcr)
{
    make(1, 1);
    out8(0x4d0, 0xff);
    out8(0x4d1, 0xff);
    EXPECT_EQ(in8(0x4d0), 0xf8);
    EXPECT_EQ(in8(0x4d1), 0xde);
    vpic_line(&p, 11, 0, true);
    EXPECT_EQ(ack(), 0x2b);
    out8(0xa0, 0x20);
    out8(0x20, 0x20);
    EXPECT_TRUE(vpic_output(&p)); /* still asserted */
    EXPECT_EQ(ack(), 0x2b);
    vpic_line(&p, 11, 0, false);
    out8(0xa0, 0x20);
    out8(0x20, 0x20);
    EXPECT_FALSE(vpic_output(&p));
    pulse(11);
    EXPECT_EQ(in8(0xa0), 0); /* a level is not kept */
    EXPECT_EQ(ack(), 0x2f);  /* the master had it already */
    out8(0x20, 0x20);
    EXPECT_FALSE(vpic_output(&p));
    out8(0x4d1, 0);
    vpic_line(&p, 11, 0, true);
    EXPECT_EQ(in8(0xa0), 8);
    out8(0x4d1, 8);
    vpic_line(&p, 11, 0, false);
    EXPECT_EQ(in8(0xa0), 0); /* the edge went with the mode */
}

TEST(p01_ltim)
{
    vpic_init(&p);
    out8(0x20, 0x19);
    out8(0x21, 0x20);
    out8(0x21, 0x04);
    out8(0x21, 0x01);
    vpic_line(&p, 0, 5, true);
    EXPECT_EQ(ack(), 0x20);
    out8(0x20, 0x20);
    EXPECT_EQ(ack(), 0x20);
    vpic_line(&p, 0, 5, false);
    out8(0x20, 0x20);
    EXPECT_FALSE(vpic_output(&p));
}

TEST(p01_masked_edges_are_latched)
{
    make(1, 1);
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
    EXPECT_EQ(f.mask, 0xff00);
    EXPECT_EQ(vpic_line(&p, 4, 0, true), -1);
    EXPECT_EQ(vpic_line(&p, 4, 0, false), 1);
    EXPECT_EQ(vpic_line(&p, 14, 0, true), -1);
    EXPECT_FALSE(vpic_output(&p));
    EXPECT_EQ(in8(0x20), 0x10);
    EXPECT_EQ(in8(0xa0), 0x40);
    EXPECT_TRUE(vpic_masked(&p, 4));
    out8(0x21, 0xef);
    EXPECT_EQ(f.mask, 0x10);
    EXPECT_FALSE(vpic_masked(&p, 4));
    EXPECT_EQ(ack(), 0x24);
    out8(0xa1, 0);
    EXPECT_TRUE(vpic_masked(&p, 14)); /* by IRQ 2 */
    EXPECT_TRUE(vpic_masked(&p, 8));
    out8(0x21, 0);
    EXPECT_FALSE(vpic_masked(&p, 14));
    EXPECT_EQ(ack(), 0x2e);
}

TEST(p01_status_and_sharing)
{
    make(1, 1);
    EXPECT_EQ(vpic_line(&p, 5, 0, true), 1);
    EXPECT_EQ(vpic_line(&p, 5, 1, true), 0);
    EXPECT_EQ(vpic_line(&p, 5, 0, false), 1);
    EXPECT_EQ(vpic_line(&p, 5, 0, true), 0); /* no edge: source 1 holds it */
    EXPECT_EQ(ack(), 0x25);
    EXPECT_EQ(vpic_line(&p, 5, 2, true), 0);
    for (unsigned i = 0; i < 3; i++)
        vpic_line(&p, 5, i, false);
    EXPECT_EQ(vpic_line(&p, 5, 63, true), 1);
    out8(0x4d1, 2);
    EXPECT_EQ(vpic_line(&p, 9, 0, true), 1);
    EXPECT_EQ(vpic_line(&p, 9, 1, true), 0);
    vpic_line(&p, 9, 0, false);
    EXPECT_EQ(in8(0xa0), 2);
    vpic_line(&p, 9, 0, true);
    vpic_line(&p, 9, 1, false);
    EXPECT_EQ(in8(0xa0), 2);
    vpic_line(&p, 9, 0, false);
    EXPECT_EQ(in8(0xa0), 0);
    EXPECT_EQ(p.stats[VPIC_STAT_COALESCED], 5);
}

TEST(p01_pins_that_do_not_exist)
{
    struct vpic before;
    make(1, 1);
    before = p;
    EXPECT_EQ(vpic_line(&p, 2, 0, true), -1);
    EXPECT_EQ(vpic_line(&p, 16, 0, true), -1);
    EXPECT_EQ(vpic_line(&p, ~0U, 0, true), -1);
    EXPECT_EQ(vpic_line(&p, 3, 64, true), -1);
    EXPECT_TRUE(vpic_masked(&p, 16));
    for (unsigned port = 0; port < 0x10000; port++) {
        if (port == 0x20 || port == 0x21 || port == 0xa0 || port == 0xa1 || port == 0x4d0 || port == 0x4d1)
            continue;
        ASSERT_EQ(in8((uint16_t)port), 0xff);
        out8((uint16_t)port, 0x11);
    }
    EXPECT_MEMEQ(&p, &before, sizeof(p));
}

TEST(p03_spurious)
{
    make(1, 1);
    EXPECT_EQ(ack(), 0x27);
    out8(0x20, 0x0b);
    EXPECT_EQ(in8(0x20), 0); /* not in service */
    EXPECT_EQ(p.stats[VPIC_STAT_SPURIOUS], 1);
    pulse(10);
    out8(0xa1, 0x04);
    EXPECT_TRUE(vpic_output(&p)); /* the master has latched it */
    EXPECT_EQ(ack(), 0x2f);
    EXPECT_EQ(in8(0x20), 4);
    out8(0xa0, 0x0b);
    EXPECT_EQ(in8(0xa0), 0);
    EXPECT_EQ(p.stats[VPIC_STAT_SPURIOUS], 2);
    out8(0x20, 0x20);
    EXPECT_FALSE(vpic_output(&p));
    out8(0xa1, 0);
    EXPECT_EQ(ack(), 0x2a);
    EXPECT_EQ(p.stats[VPIC_STAT_ACKNOWLEDGED], 1);
}

TEST(p02_automatic_end)
{
    make(3, 3);
    vpic_line(&p, 1, 0, true);
    EXPECT_EQ(ack(), 0x21);
    EXPECT_EQ(f.ended, 2);
    EXPECT_FALSE(vpic_output(&p));
    pulse(8);
    pulse(15);
    EXPECT_EQ(ack(), 0x28);
    EXPECT_EQ(f.ended, 0x104);
    EXPECT_EQ(ack(), 0x2f);
    EXPECT_FALSE(vpic_output(&p));
    out8(0x20, 0x80); /* rotate */
    pulse(3);
    EXPECT_EQ(ack(), 0x23);
    pulse(3);
    pulse(4);
    EXPECT_EQ(ack(), 0x24);
    EXPECT_EQ(ack(), 0x23);
    out8(0x20, 0x00); /* and no more: IRQ 3 keeps the lowest */
    pulse(3);
    pulse(2 + 4);
    EXPECT_EQ(ack(), 0x26);
    EXPECT_EQ(ack(), 0x23);
}

TEST(p02_special_fully_nested)
{
    make(0x11, 1);
    pulse(12);
    EXPECT_EQ(ack(), 0x2c);
    pulse(14);
    EXPECT_FALSE(vpic_output(&p)); /* lower in the slave */
    pulse(9);
    EXPECT_TRUE(vpic_output(&p));
    EXPECT_EQ(ack(), 0x29);
    pulse(3);
    EXPECT_FALSE(vpic_output(&p)); /* below IRQ 2 */
    pulse(1);
    EXPECT_EQ(ack(), 0x21);
}

TEST(p02_rotation_by_commands)
{
    make(1, 1);
    pulse(4);
    EXPECT_EQ(ack(), 0x24);
    out8(0x20, 0xa0); /* rotate on non-specific EOI */
    EXPECT_EQ(f.ended, 0x10);
    pulse(4);
    pulse(5);
    pulse(0);
    EXPECT_EQ(ack(), 0x25); /* 5 is the highest now */
    EXPECT_FALSE(vpic_output(&p));
    out8(0x20, 0xe5); /* rotate on specific EOI */
    EXPECT_EQ(ack(), 0x20);
    out8(0x20, 0x20);
    out8(0x20, 0xc3); /* set priority: 4 the highest */
    pulse(6);
    EXPECT_EQ(ack(), 0x24);
    out8(0x20, 0x40); /* nothing */
    EXPECT_EQ(f.ended, 0);
    EXPECT_FALSE(vpic_output(&p));
    out8(0x20, 0x66); /* specific EOI of another */
    EXPECT_EQ(f.ended, 0);
    out8(0x20, 0x64);
    EXPECT_EQ(f.ended, 0x10);
    EXPECT_EQ(ack(), 0x26);
}

TEST(p02_special_mask_mode)
{
    make(1, 1);
    pulse(3);
    EXPECT_EQ(ack(), 0x23);
    pulse(6);
    out8(0x21, 0x08);
    EXPECT_FALSE(vpic_output(&p));
    out8(0x20, 0x68);
    EXPECT_TRUE(vpic_output(&p)); /* IRQ 3 in service is masked: it stops nobody */
    EXPECT_EQ(ack(), 0x26);
    out8(0x20, 0x20);
    EXPECT_EQ(f.ended, 0x40);
    out8(0x20, 0x20);
    EXPECT_EQ(f.ended, 0); /* does not end a masked one */
    out8(0x20, 0x08);      /* ESMM is 0: no change */
    pulse(6);
    EXPECT_TRUE(vpic_output(&p));
    out8(0x20, 0x48);
    EXPECT_FALSE(vpic_output(&p));
    out8(0x20, 0x20);
    EXPECT_EQ(f.ended, 8);
    EXPECT_TRUE(vpic_output(&p));
}

TEST(p02_poll)
{
    make(1, 1);
    out8(0x20, 0x0c);
    EXPECT_EQ(in8(0x20), 0);
    pulse(6);
    out8(0x20, 0x0c);
    EXPECT_EQ(in8(0x21), 0x86); /* either port */
    EXPECT_FALSE(vpic_output(&p));
    EXPECT_EQ(in8(0x21), 0);
    out8(0x20, 0x0b);
    EXPECT_EQ(in8(0x20), 0x40);
    out8(0x20, 0x20);
    pulse(13);
    out8(0xa0, 0x0c);
    EXPECT_EQ(in8(0xa0), 0x85);
    EXPECT_FALSE(vpic_output(&p)); /* the master has nothing left */
    out8(0x20, 0x0a);
    EXPECT_EQ(in8(0x20), 0);
    out8(0xa0, 0x20);
    make(3, 1);
    pulse(1);
    out8(0x20, 0x0c);
    EXPECT_EQ(in8(0x20), 0x81);
    EXPECT_EQ(f.ended, 2);
}

TEST(p02_reads_of_irr_and_isr)
{
    make(1, 1);
    pulse(1);
    pulse(7);
    EXPECT_EQ(in8(0x20), 0x82);
    ack();
    EXPECT_EQ(in8(0x20), 0x80);
    out8(0x20, 0x0b);
    EXPECT_EQ(in8(0x20), 0x02);
    out8(0x20, 0x08); /* RR is 0: no change */
    EXPECT_EQ(in8(0x20), 0x02);
    out8(0x20, 0x0a);
    EXPECT_EQ(in8(0x20), 0x80);
    vpic_line(&p, 8, 0, true);
    EXPECT_EQ(in8(0x20), 0x84);
}

TEST(p04_facts_add_up)
{
    make(1, 1);
    out8(0x21, 0xa0);
    pulse(1);
    pulse(9);
    ack();
    f = (struct vpic_facts){.ended = 0x8000, .mask = 0x4000};
    vpic_write(&p, 0x21, 0xb1, &f);
    EXPECT_EQ(f.ended, 0x8000);
    EXPECT_EQ(f.mask, 0x4011);
    vpic_write(&p, 0xa0, 0x11, &f); /* drops IRQ 9 */
    EXPECT_EQ(f.ended, 0x8200);
    vpic_write(&p, 0x20, 0x11, &f); /* ends IRQ 1, drops the cascade, unmasks */
    EXPECT_EQ(f.ended, 0x8206);
    EXPECT_EQ(f.mask, 0x40b1);
}

/* --- the reference --- */
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

/* --- records --- */
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
