/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/vapic: every encoding of ICR (A9). What must come out is written down once more as a list of rules that
 * hold, from the SDM's table of valid combinations.
 */
#include "tests/host/vapic.h"

#include "tests/host/test.h"

static enum vlapic_icr expected(unsigned mode, unsigned shorthand, bool level, bool assert, unsigned vector)
{
    bool fixed = mode == 0, lowest = mode == 1, smi = mode == 2, nmi = mode == 4, init = mode == 5,
         sipi = mode == 6;
    if (!(fixed || lowest || smi || nmi || init || sipi))
        return VLAPIC_ICR_IGNORED;
    if (level && !assert && (fixed || lowest || init))
        return VLAPIC_ICR_IGNORED;
    if ((shorthand == 1 || shorthand == 2) && !fixed)
        return VLAPIC_ICR_IGNORED;
    if ((fixed || lowest) && vector < 16)
        return VLAPIC_ICR_ILLEGAL_VECTOR;
    return VLAPIC_ICR_SEND;
}

/* All 20 low bits that have a meaning, both modes: 2 million encodings. */
TEST(l12_l13_l16_to_l21_a9_all_encodings)
{
    unsigned long sent = 0;
    for (uint32_t low = 0; low < 1U << 20; low++) {
        unsigned vector = low & 0xff, mode = low / 0x100 % 8, shorthand = low >> 18;
        bool level = low & 0x8000, assert = low & 0x4000;
        for (unsigned x2 = 0; x2 < 2; x2++) {
            struct vlapic_message m;
            enum vlapic_icr got = vlapic_icr_decode(0xa1b2c3d400000000 | low, x2, &m);
            bool fields = m.vector == vector && m.mode == mode && m.shorthand == shorthand && !m.level &&
                          m.wide == x2 && m.logical == ((low & 0x800) != 0) &&
                          m.dest == (x2 ? 0xa1b2c3d4 : 0xa1);
            if (got != expected(mode, shorthand, level, assert, vector) || !fields) {
                test_row("ICR 0x%x x2apic %u", low, x2);
                EXPECT_EQ(got, expected(mode, shorthand, level, assert, vector));
                EXPECT_TRUE(fields);
            }
            sent += got == VLAPIC_ICR_SEND;
        }
    }
    EXPECT_TRUE(sent > 100000 && sent < 2 * (1UL << 20) / 2);
}

/* The same by the registers: a fact, or a count and nothing else. */
TEST(l20_ignored_is_counted)
{
    static struct vapic v;
    for (unsigned mode = 0; mode < 8; mode++)
        for (unsigned shorthand = 0; shorthand < 4; shorthand++) {
            vapic_make(&v, 0, false, NULL);
            vapic_enable(&v, false);
            vapic_write(&v, 0x300, shorthand << 18 | 0x4000 | mode << 8 | 0x40);
            bool sent = expected(mode, shorthand, false, true, 0x40) == VLAPIC_ICR_SEND;
            test_row("mode %u shorthand %u", mode, shorthand);
            EXPECT_EQ(v.f.what, sent ? VLAPIC_FACT_SEND : 0);
            EXPECT_EQ(v.a.stats[VLAPIC_STAT_IPI], sent);
            EXPECT_EQ(v.a.stats[VLAPIC_STAT_IPI_INVALID], !sent);
            EXPECT_EQ(v.a.stats[VLAPIC_STAT_IPI_SELF], sent && shorthand == 1);
            EXPECT_EQ(v.a.stats[VLAPIC_STAT_IPI_BROADCAST], sent && shorthand >= 2);
            EXPECT_EQ(v.a.esr_pending, 0);
            EXPECT_EQ(vlapic_highest(&v.a, APIC_IRR), 0); /* sending is the caller's */
        }
}
