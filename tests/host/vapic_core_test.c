/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/vapic: reset, requests, priority, EOI. Named after the rows of the feature list (L) and the test list
 * (A). The random test compares with a model that shares nothing with the code: a sorted list of vectors in
 * plain arrays.
 */
#include "tests/host/vapic.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

static struct vapic v;

TEST(l34_reset_state)
{
    for (unsigned bsp = 0; bsp < 2; bsp++) {
        vapic_make(&v, 5, bsp, NULL);
        test_row("bsp %u", bsp);
        EXPECT_EQ(vlapic_base(&v.a), 0xfee00800 | (uint64_t)bsp << 8);
        for (uint32_t offset = 0; offset < 0x400; offset += 16) {
            uint32_t want = 0;
            switch (offset) {
            case 0x20:
                want = 5U << 24;
                break;
            case 0x30:
                want = 0x01060014;
                break;
            case 0xe0:
                want = 0xffffffff;
                break;
            case 0xf0:
                want = 0xff;
                break;
            case 0x2f0:
            case 0x320:
            case 0x330:
            case 0x340:
            case 0x360:
            case 0x370:
                want = 0x10000;
                break;
            case 0x350:
                want = bsp ? 0x700 : 0x10000;
                break;
            default:
                break;
            }
            test_row("bsp %u offset 0x%x", bsp, offset);
            EXPECT_EQ(v.page[offset / 4], want);
        }
        EXPECT_TRUE(vapic_intact(&v));
    }
}

TEST(l34_init_keeps_mode_and_id)
{
    vapic_make(&v, 0x123, false, NULL);
    vapic_enable(&v, true);
    EXPECT_TRUE(vapic_wrmsr(&v, 0x808, 0x55));
    vapic_fixed(&v, 0x80);
    vlapic_reset(&v.a);
    EXPECT_EQ(vlapic_base(&v.a), 0xfee00c00);
    uint64_t value = 0;
    EXPECT_TRUE(vlapic_msr_read(&v.a, 0x802, 0, &value));
    EXPECT_EQ(value, 0x123);
    EXPECT_TRUE(vlapic_msr_read(&v.a, 0x80d, 0, &value));
    EXPECT_EQ(value, 0x120008);
    EXPECT_EQ(v.page[0x80 / 4], 0);
    EXPECT_EQ(vlapic_highest(&v.a, APIC_IRR), 0);
    EXPECT_FALSE(vlapic_accepting(&v.a));
}

TEST(l03_version)
{
    for (unsigned i = 0; i < 4; i++) {
        struct vlapic_features f = {.cmci = i & 1, .directed_eoi = i & 2};
        vapic_make(&v, 1, false, &f);
        EXPECT_EQ(vapic_read(&v, 0x30), 0x14U | (i & 1 ? 6U : 5U) << 16 | (i & 2 ? 1U << 24 : 0));
    }
}

TEST(l04_ppr_all_pairs)
{
    for (unsigned tpr = 0; tpr < 256; tpr++)
        for (unsigned isr = 15; isr < 256; isr += isr < 16 ? 1 : 7) {
            vapic_make(&v, 0, false, NULL);
            vapic_enable(&v, false);
            if (isr >= 16) {
                vapic_fixed(&v, (uint8_t)isr);
                vlapic_ack(&v.a);
            }
            vapic_write(&v, 0x80, tpr);
            unsigned isrv = isr >= 16 ? isr : 0;
            unsigned want = tpr / 16 >= isrv / 16 ? tpr : isrv / 16 * 16;
            if (vlapic_ppr(&v.a) != want || vapic_read(&v, 0xa0) != want || vlapic_cr8(&v.a) != tpr / 16) {
                test_row("tpr 0x%x isr 0x%x", tpr, isr);
                EXPECT_EQ(vapic_read(&v, 0xa0), want);
                EXPECT_EQ(vlapic_cr8(&v.a), tpr / 16);
            }
        }
    EXPECT_TRUE(vapic_intact(&v));
}

TEST(l04_cr8)
{
    vapic_make(&v, 0, false, NULL);
    for (uint64_t value = 0; value < 16; value++) {
        EXPECT_TRUE(vlapic_cr8_set(&v.a, value, &v.f));
        EXPECT_EQ(vapic_read(&v, 0x80), value << 4);
    }
    for (unsigned bit = 4; bit < 64; bit++) {
        EXPECT_FALSE(vlapic_cr8_set(&v.a, (uint64_t)1 << bit, &v.f));
        EXPECT_EQ(vapic_read(&v, 0x80), 0xf0);
    }
}

TEST(l05_highest_class_wins)
{
    vapic_make(&v, 0, false, NULL);
    vapic_enable(&v, false);
    EXPECT_EQ(vapic_fixed(&v, 0x41), VLAPIC_NEW);
    EXPECT_EQ(vapic_fixed(&v, 0x41), VLAPIC_MERGED);
    EXPECT_EQ(vapic_fixed(&v, 0x43), VLAPIC_NEW);
    EXPECT_EQ(vlapic_ack(&v.a), 0x43);
    EXPECT_EQ(vlapic_next(&v.a), 0); /* the same class waits */
    EXPECT_EQ(vapic_fixed(&v, 0x51), VLAPIC_NEW);
    EXPECT_EQ(vlapic_ack(&v.a), 0x51);
    EXPECT_EQ(vlapic_end(&v.a).vector, 0x51);
    EXPECT_EQ(vlapic_next(&v.a), 0);
    EXPECT_EQ(vlapic_end(&v.a).vector, 0x43);
    EXPECT_EQ(vlapic_ack(&v.a), 0x41);
    EXPECT_EQ(vlapic_end(&v.a).vector, 0x41);
    EXPECT_EQ(v.a.stats[VLAPIC_STAT_ACCEPTED], 3); /* L-41 */
    EXPECT_EQ(v.a.stats[VLAPIC_STAT_MERGED], 1);
    EXPECT_EQ(v.a.stats[VLAPIC_STAT_EOI], 3);
}

TEST(l05_a12_trigger_mode_by_delivery)
{
    uint8_t error;
    for (unsigned vector = 16; vector < 256; vector++) {
        vapic_make(&v, 0, false, NULL);
        vapic_enable(&v, false);
        test_row("vector 0x%x", vector);
        /* TMR is there although the request is not: a poster to PIR relies on it. */
        EXPECT_EQ(vlapic_admit(&v.a, (uint8_t)vector, true, &error), VLAPIC_NEW);
        EXPECT_TRUE(vlapic_test(&v.a, APIC_TMR, (uint8_t)vector));
        EXPECT_EQ(vlapic_highest(&v.a, APIC_IRR), 0);
        EXPECT_EQ(vlapic_request(&v.a, (uint8_t)vector), VLAPIC_NEW);
        EXPECT_EQ(vlapic_ack(&v.a), vector);
        vapic_write(&v, 0xb0, 0);
        EXPECT_EQ(v.f.what, VLAPIC_FACT_EOI | VLAPIC_FACT_PRIORITY);
        EXPECT_EQ(v.f.eoi.vector, vector);
        EXPECT_TRUE(v.f.eoi.level && v.f.eoi.broadcast);
        vapic_write(&v, 0xb0, 0); /* once: nothing is in service */
        EXPECT_EQ(v.f.eoi.vector, 0);
        EXPECT_FALSE(v.f.eoi.broadcast);
        vapic_fixed(&v, (uint8_t)vector);
        EXPECT_FALSE(vlapic_test(&v.a, APIC_TMR, (uint8_t)vector));
        vlapic_ack(&v.a);
        EXPECT_FALSE(vlapic_end(&v.a).broadcast);
    }
}

TEST(l06_idle_eoi)
{
    vapic_make(&v, 0, false, NULL);
    vapic_enable(&v, false);
    vapic_fixed(&v, 0x30);
    struct vlapic_eoi eoi = vlapic_end(&v.a);
    EXPECT_EQ(eoi.vector, 0);
    EXPECT_FALSE(eoi.level || eoi.broadcast);
    EXPECT_EQ(v.a.stats[VLAPIC_STAT_EOI_IDLE], 1);
    EXPECT_EQ(vlapic_next(&v.a), 0x30);
}

TEST(l22_directed_eoi)
{
    for (unsigned offered = 0; offered < 2; offered++) {
        struct vlapic_features f = {.directed_eoi = offered};
        uint8_t error;
        vapic_make(&v, 0, false, &f);
        vapic_write(&v, 0xf0, 0x11ff);
        EXPECT_EQ(vapic_read(&v, 0xf0), offered ? 0x11ff : 0x1ff);
        vapic_send(&v, 0, 0x60, true, &error);
        vlapic_ack(&v.a);
        struct vlapic_eoi eoi = vlapic_end(&v.a);
        EXPECT_TRUE(eoi.level);
        EXPECT_EQ(eoi.broadcast, !offered);
    }
}

TEST(spurious_vector)
{
    vapic_make(&v, 0, false, NULL);
    vapic_write(&v, 0xf0, 0x1e7);
    EXPECT_EQ(vlapic_ack(&v.a), 0xe7);
    vapic_fixed(&v, 0x52);
    vapic_write(&v, 0x80, 0x50);
    EXPECT_EQ(vlapic_ack(&v.a), 0xe7);
    EXPECT_EQ(vlapic_highest(&v.a, APIC_ISR), 0);
    EXPECT_EQ(v.a.stats[VLAPIC_STAT_SPURIOUS], 2);
}

/* The sequence INTa above TPR, INTb equal to it, and raise and lower in a loop. */
TEST(a8_tpr_storm)
{
    vapic_make(&v, 0, false, NULL);
    vapic_enable(&v, false);
    unsigned taken = 0;
    for (unsigned i = 0; i < 100000; i++) {
        vapic_write(&v, 0x80, 0x40);
        vapic_fixed(&v, 0x45);
        vapic_fixed(&v, 0x51);
        if (vlapic_ack(&v.a) != 0x51)
            break;
        vapic_write(&v, 0xb0, 0);
        if (vlapic_next(&v.a) != 0)
            break;
        vapic_write(&v, 0x80, 0x30);
        if (!(v.f.what & VLAPIC_FACT_PRIORITY) || vlapic_ack(&v.a) != 0x45)
            break;
        vapic_write(&v, 0xb0, 0);
        taken++;
    }
    EXPECT_EQ(taken, 100000);
}

/* --- against a model --- */
struct model {
    bool irr[256], isr[256], tmr[256];
    unsigned tpr;
};

static unsigned model_top(const bool *set)
{
    unsigned top = 0;
    for (unsigned i = 0; i < 256; i++)
        if (set[i])
            top = i;
    return top;
}

static unsigned model_next(const struct model *m)
{
    unsigned top = model_top(m->irr), isr = model_top(m->isr), ppr = m->tpr > isr ? m->tpr : isr;
    return top / 16 > ppr / 16 ? top : 0;
}

static bool model_equal(const struct model *m)
{
    for (unsigned i = 0; i < 256; i++) {
        uint8_t vector = (uint8_t)i;
        if (vlapic_test(&v.a, APIC_IRR, vector) != m->irr[i] ||
            vlapic_test(&v.a, APIC_ISR, vector) != m->isr[i] ||
            vlapic_test(&v.a, APIC_TMR, vector) != m->tmr[i])
            return false;
    }
    return true;
}

static bool model_step(struct model *m, struct random *r)
{
    unsigned vector = (unsigned)random_below(r, 256), want;
    bool level = random_one_in(r, 3), new = vector >= 16 && !m->irr[vector];
    uint64_t pir[4] = {0};
    uint8_t error;
    switch (random_below(r, 6)) {
    case 0:
    case 1:
        if (vector >= 16) {
            m->irr[vector] = true;
            m->tmr[vector] = level;
        }
        return vapic_send(&v, 0, (uint8_t)vector, level, &error) == (vector < 16 ? VLAPIC_DROPPED_ILLEGAL
                                                                     : new       ? VLAPIC_NEW
                                                                                 : VLAPIC_MERGED);
    case 2:
        want = model_next(m);
        if (want) {
            m->irr[want] = false;
            m->isr[want] = true;
        }
        return vlapic_next(&v.a) == want && vlapic_ack(&v.a) == (want ? want : 0xff);
    case 3:
        want = model_top(m->isr);
        m->isr[want] = false;
        vapic_write(&v, 0xb0, 0);
        return v.f.eoi.vector == want && (want == 0 || v.f.eoi.level == m->tmr[want]);
    case 4:
        m->tpr = (unsigned)random_below(r, 256);
        vapic_write(&v, 0x80, m->tpr);
        return true;
    default:
        pir[vector / 64] = (uint64_t)1 << vector % 64;
        if (vector >= 16)
            m->irr[vector] = true;
        return vapic_fold(&v, pir) == (vector >= 16 ? vector : 0);
    }
}

TEST(l05_random_against_model)
{
    struct random r = {.state = 0x51b0};
    struct model m = {.tpr = 0};
    vapic_make(&v, 0, false, NULL);
    vapic_enable(&v, false);
    for (unsigned i = 0; i < 200000; i++) {
        bool ok = model_step(&m, &r);
        if (ok && (i % 16 == 0))
            ok = model_equal(&m);
        if (!ok) {
            test_row("step %u", i);
            EXPECT_TRUE(ok);
            return;
        }
    }
    EXPECT_TRUE(model_equal(&m));
    EXPECT_TRUE(vapic_intact(&v));
}
