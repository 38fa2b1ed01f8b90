/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/irqchip/vpic (P-01 to P-04), with numbers typed from the 8259A data sheet. */
#include "tests/host/vpic.h"

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
    out8(0xa1, 1);
    EXPECT_TRUE(vpic_masked(&p, 8));
    EXPECT_FALSE(vpic_masked(&p, 0));
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
    vpic_line(&p, 9, 1, true);
    vpic_line(&p, 9, 1, false);
    EXPECT_EQ(in8(0xa0), 2);
    vpic_line(&p, 9, 0, false);
    EXPECT_EQ(in8(0xa0), 0);
    EXPECT_EQ(p.stats[VPIC_STAT_COALESCED], 6);
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
