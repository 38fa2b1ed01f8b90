/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/vapic: every register at every offset, width and mode (A1), reserved bits, and errors (A2 to A4). What
 * must come out is a second table, typed from the SDM: "Local APIC Register Address Map" and "... Supported
 * by x2APIC".
 */
#include "tests/host/vapic.h"

#include "tests/host/test.h"

static struct vapic v;

/* Rights: x for the page, 2 for MSRs. Kept: bits that a write of all ones leaves set, from a clean state. */
struct want {
    uint32_t first, last;
    const char *rights; /* of "rx wx r2 w2", as letters r w R W */
    uint32_t kept;
    uint64_t allowed; /* by an MSR, without #GP */
};

static const struct want wants[] = {
    {0x020, 0x020, "rwR", 0, 0},
    {0x030, 0x030, "rR", 0, 0},
    {0x080, 0x080, "rwRW", 0xff, 0xff},
    {0x090, 0x090, "r", 0, 0},
    {0x0a0, 0x0a0, "rR", 0, 0},
    {0x0b0, 0x0b0, "wW", 0, 0},
    {0x0c0, 0x0c0, "r", 0, 0},
    {0x0d0, 0x0d0, "rwR", 0xff000000, 0},
    {0x0e0, 0x0e0, "rw", 0xffffffff, 0},
    {0x0f0, 0x0f0, "rwRW", 0x13ff, 0x13ff},
    {0x100, 0x270, "rR", 0, 0},
    {0x280, 0x280, "rwRW", 0, 0},
    {0x2f0, 0x2f0, "rwRW", 0x107ff, 0x117ff},
    {0x300, 0x300, "rwRW", 0xccfff, 0xffffffff000cdfff},
    {0x310, 0x310, "rw", 0xff000000, 0},
    {0x320, 0x320, "rwRW", 0x700ff, 0x710ff},
    {0x330, 0x340, "rwRW", 0x107ff, 0x117ff},
    {0x350, 0x360, "rwRW", 0x1a7ff, 0x1f7ff},
    {0x370, 0x370, "rwRW", 0x100ff, 0x110ff},
    {0x380, 0x380, "rwRW", 0xffffffff, 0xffffffff},
    {0x390, 0x390, "rR", 0, 0},
    {0x3e0, 0x3e0, "rwRW", 0xb, 0xb},
    {0x3f0, 0x3f0, "W", 0, 0xff},
};

static const struct want *find(uint32_t offset)
{
    for (size_t i = 0; i < COUNT(wants); i++)
        if (offset >= wants[i].first && offset <= wants[i].last && offset % 16 == 0)
            return &wants[i];
    return NULL;
}

static bool has(const struct want *w, char right)
{
    return w != NULL && strchr(w->rights, right) != NULL;
}

static void make(bool x2apic)
{
    vapic_make(&v, 7, false, NULL);
    vapic_enable(&v, x2apic);
    memset(&v.f, 0, sizeof(v.f));
}

TEST(l01_a1_page_reads)
{
    static const unsigned sizes[] = {1, 2, 4, 8};
    make(false);
    vapic_write(&v, 0x80, 0xa7);
    for (uint32_t offset = 0; offset < 4096; offset++)
        for (size_t s = 0; s < COUNT(sizes); s++) {
            const struct want *w = find(offset & ~15U);
            unsigned byte = offset % 16, size = sizes[s];
            uint64_t want = 0;
            if (has(w, 'r') && byte + size <= 4)
                memcpy(&want, (const uint8_t *)v.page + offset, size);
            memset(&v.f, 0, sizeof(v.f));
            uint64_t got = vlapic_mmio_read(&v.a, offset, size, v.now, &v.f);
            uint32_t esr = v.a.esr_pending;
            v.a.esr_pending = 0;
            if (got != want || esr != (w == NULL || !(has(w, 'r') || has(w, 'w')) ? 0x80 : 0) ||
                v.f.what != 0) {
                test_row("offset 0x%x size %u", offset, size);
                EXPECT_EQ(got, want);
                EXPECT_EQ(esr, 0);
            }
        }
    EXPECT_EQ(vapic_read(&v, 0x80), 0xa7);
    EXPECT_TRUE(vapic_intact(&v));
}

static bool byte_tolerated(uint32_t offset, unsigned size)
{
    return size == 1 && (offset == 0x23 || offset == 0xd3 || offset == 0xe3);
}

TEST(l01_a1_page_writes)
{
    static const unsigned sizes[] = {1, 2, 4, 8};
    uint32_t before[256], after[256];
    for (uint32_t offset = 0; offset < 4096; offset++)
        for (size_t s = 0; s < COUNT(sizes); s++) {
            const struct want *w = find(offset & ~15U);
            unsigned size = sizes[s];
            bool counts = has(w, 'w') && ((offset % 16 == 0 && size == 4) || byte_tolerated(offset, size));
            make(false);
            memcpy(before, v.page, 1024);
            vlapic_mmio_write(&v.a, offset, size, UINT64_MAX, v.now, &v.f);
            memcpy(after, v.page, 1024);
            bool exists = has(w, 'r') || has(w, 'w');
            uint32_t esr = v.a.esr_pending;
            /* ICR: mode 7 of all ones means nothing; PPR follows TPR. */
            if (offset == 0x80 && counts)
                after[0xa0 / 4] = before[0xa0 / 4];
            test_row("offset 0x%x size %u", offset, size);
            if (esr != (exists ? 0 : 0x80))
                EXPECT_EQ(esr, exists ? 0 : 0x80);
            if (counts) {
                uint32_t at = (offset & ~15U) / 4;
                uint32_t kept = offset / 16 == 2 ? before[at] : w->kept;
                EXPECT_EQ(after[at], kept);
                after[at] = before[at];
            }
            if (memcmp(before, after, 1024) != 0 || !vapic_intact(&v))
                EXPECT_MEMEQ(after, before, 1024);
        }
}

TEST(l02_id_is_fixed)
{
    make(false);
    vapic_write(&v, 0x20, 0x55000000);
    EXPECT_EQ(vapic_read(&v, 0x20), 0x07000000);
    v.page[0x20 / 4] = 0x55000000; /* stored by hardware */
    vlapic_written(&v.a, 0x20, v.now, &v.f);
    EXPECT_EQ(vapic_read(&v, 0x20), 0x07000000);
    make(true);
    EXPECT_FALSE(vapic_wrmsr(&v, 0x802, 9));
}

TEST(l36_a1_msr_reads)
{
    for (uint32_t msr = 0; msr < 0x2000; msr++) {
        uint64_t value = 0x1234567887654321;
        bool want = msr >= 0x800 && msr <= 0xbff && has(find((msr - 0x800) * 16), 'R');
        make(true);
        bool got = vlapic_msr_read(&v.a, msr, v.now, &value);
        if (got != want || (!want && value != 0x1234567887654321) ||
            (want && value != v.page[(msr - 0x800) * 4])) {
            test_row("MSR 0x%x", msr);
            EXPECT_EQ(got, want);
            EXPECT_EQ(value, 0);
        }
    }
    EXPECT_EQ(v.a.esr_pending, 0);
    for (uint32_t high = 0x10000000; high != 0; high += 0x10000000) { /* the number times 16 has lost them */
        uint64_t value;
        EXPECT_FALSE(vlapic_msr_read(&v.a, high | 0x802, v.now, &value));
        EXPECT_FALSE(vapic_wrmsr(&v, high | 0x808, 0));
    }
}

TEST(l36_a1_msr_writes_every_bit)
{
    uint8_t before[4096 + VAPIC_CANARY];
    for (uint32_t msr = 0x7f0; msr < 0xc10; msr++) {
        const struct want *w = msr >= 0x800 ? find((msr - 0x800) * 16) : NULL;
        for (unsigned bit = 0; bit <= 64; bit++) {
            uint64_t value = bit == 64 ? 0 : (uint64_t)1 << bit;
            bool want = has(w, 'W') && !(value & ~w->allowed);
            make(true);
            memcpy(before, v.page, sizeof(before));
            bool got = vapic_wrmsr(&v, msr, value);
            if (got != want || (!want && memcmp(before, v.page, sizeof(before)) != 0)) {
                test_row("MSR 0x%x value 0x%llx", msr, (unsigned long long)value);
                EXPECT_EQ(got, want);
                EXPECT_MEMEQ(v.page, before, sizeof(before));
            }
        }
    }
    EXPECT_TRUE(vapic_intact(&v));
}

TEST(l36_msrs_only_in_x2apic_mode)
{
    for (unsigned off = 0; off < 2; off++)
        for (uint32_t msr = 0x800; msr < 0xc00; msr++) {
            uint64_t value;
            make(false);
            if (off)
                vapic_base(&v, 0xfee00000);
            if (vlapic_msr_read(&v.a, msr, 0, &value) || vapic_wrmsr(&v, msr, 0))
                EXPECT_EQ(msr, 0);
        }
    EXPECT_EQ(v.a.stats[VLAPIC_STAT_IPI_INVALID], 0);
}

TEST(l36_page_not_in_x2apic_mode)
{
    make(true);
    EXPECT_FALSE(vlapic_decodes(&v.a, 0xfee00000));
    EXPECT_EQ(vapic_read(&v, 0x20), 0xffffffff);
    vapic_write(&v, 0x80, 0x70);
    EXPECT_EQ(v.page[0x80 / 4], 0);
    EXPECT_EQ(v.a.esr_pending, 0);
}

TEST(l03_l22_l26_l30_features_hide_registers)
{
    struct vlapic_features f = {.x2apic = true};
    vapic_make(&v, 0, false, &f);
    vapic_enable(&v, false);
    vapic_write(&v, 0x320, 0x700ff);
    EXPECT_EQ(vapic_read(&v, 0x320), 0x300ff);
    vapic_write(&v, 0x2f0, 0xff);
    EXPECT_EQ(v.a.esr_pending, 0x80);
    EXPECT_EQ(vapic_read(&v, 0x2f0), 0);
    vapic_enable(&v, true);
    uint64_t value;
    EXPECT_FALSE(vlapic_msr_read(&v.a, 0x82f, 0, &value));
    EXPECT_FALSE(vapic_wrmsr(&v, 0x82f, 0));
    EXPECT_FALSE(vapic_wrmsr(&v, 0x832, 0x40000));
    EXPECT_FALSE(vapic_wrmsr(&v, 0x80f, 0x11ff));
}

TEST(l07_l09_logical_registers)
{
    make(false);
    vapic_write(&v, 0xe0, 0x0);
    EXPECT_EQ(vapic_read(&v, 0xe0), 0x0fffffff);
    EXPECT_TRUE(v.f.what == 0);
    vapic_write(&v, 0xe0, 0x50000000);
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_LOGICAL);
    EXPECT_EQ(vapic_read(&v, 0xe0), 0x5fffffff);
    vapic_write(&v, 0xd0, 0x12345678);
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_LOGICAL);
    EXPECT_EQ(vapic_read(&v, 0xd0), 0x12000000);
    static const uint32_t ids[] = {0, 1, 15, 16, 31, 255, 256, 0x12345, 0xfffef};
    for (size_t i = 0; i < COUNT(ids); i++) {
        uint64_t value = 0;
        vapic_make(&v, ids[i], false, NULL);
        vapic_enable(&v, true);
        EXPECT_TRUE(vlapic_msr_read(&v.a, 0x80d, 0, &value));
        EXPECT_EQ(value, (uint64_t)(ids[i] / 16) * 65536 + (1U << ids[i] % 16));
        EXPECT_FALSE(vapic_wrmsr(&v, 0x80d, value));
    }
}

TEST(l12_icr_reads_back)
{
    uint64_t value = 0;
    make(true);
    EXPECT_TRUE(vapic_wrmsr(&v, 0x830, 0x12345678000c5041)); /* busy bit set */
    EXPECT_TRUE(vlapic_msr_read(&v.a, 0x830, 0, &value));
    EXPECT_EQ(value, 0x12345678000c4041);
    make(false);
    vapic_write(&v, 0x310, 0x12345678);
    EXPECT_EQ(vapic_read(&v, 0x310), 0x12000000);
    EXPECT_EQ(v.f.what, 0);
    vapic_write(&v, 0x300, 0xfff05041);
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_SEND);
    EXPECT_EQ(v.f.ipi.dest, 0x12);
    EXPECT_EQ(vapic_read(&v, 0x300), 0x4041);
    /* The upper half does not show in x2APIC mode. */
    vapic_enable(&v, true);
    EXPECT_TRUE(vlapic_msr_read(&v.a, 0x830, 0, &value));
    EXPECT_EQ(value, 0x4041);
}

TEST(l23_self_ipi)
{
    make(true);
    for (uint64_t vector = 0; vector < 256; vector++) {
        EXPECT_TRUE(vapic_wrmsr(&v, 0x83f, vector));
        test_row("vector 0x%x", (unsigned)vector);
        EXPECT_EQ((v.f.what & VLAPIC_FACT_SEND) != 0, vector >= 16);
        EXPECT_EQ(vapic_esr(&v), vector < 16 ? 0x60 : 0);
        if (vector >= 16) {
            EXPECT_EQ(v.f.ipi.vector, 0);
            vapic_wrmsr(&v, 0x83f, vector);
            EXPECT_EQ(v.f.ipi.vector, vector);
            EXPECT_EQ(v.f.ipi.mode, 0);
            EXPECT_EQ(v.f.ipi.shorthand, 1);
        }
    }
    EXPECT_FALSE(vapic_wrmsr(&v, 0x83f, 0x100));
    make(false);
    vapic_write(&v, 0x3f0, 0x40);
    EXPECT_EQ(v.f.what, 0);
    EXPECT_EQ(vapic_esr(&v), 0x80); /* no such register there */
}

TEST(l24_a2_illegal_vectors)
{
    struct vlapic_message m;
    uint8_t error;
    for (uint8_t vector = 0; vector < 16; vector++)
        for (unsigned x2 = 0; x2 < 2; x2++) {
            test_row("vector %u x2apic %u", vector, x2);
            make(x2);
            EXPECT_EQ(vapic_send(&v, 0, vector, false, &error),
                      VLAPIC_DROPPED_ILLEGAL); /* IPI, MSI, I/O APIC */
            EXPECT_EQ(error, 0);
            EXPECT_EQ(vapic_esr(&v), 0x40);
            EXPECT_EQ(vapic_send(&v, 1, vector, true, &error), VLAPIC_DROPPED_ILLEGAL);
            EXPECT_EQ(vapic_esr(&v), 0x40);
            if (x2)
                EXPECT_TRUE(vapic_wrmsr(&v, 0x830, 0x4000U | vector));
            else
                vapic_write(&v, 0x300, 0x4000U | vector);
            EXPECT_EQ(v.f.what, 0);
            EXPECT_EQ(vapic_esr(&v), 0x20);
            if (x2)
                EXPECT_TRUE(vapic_wrmsr(&v, 0x832, vector));
            else
                vapic_write(&v, 0x320, vector);
            EXPECT_EQ(vapic_esr(&v), 0); /* the write of the LVT is no error */
            EXPECT_TRUE(vlapic_lvt_fire(&v.a, APIC_LVT_TIMER, &m));
            EXPECT_EQ(vlapic_receive(&v.a, &m, &error), VLAPIC_DROPPED_ILLEGAL);
            EXPECT_EQ(vapic_esr(&v), 0x40);
            for (uint32_t reg = 0x100; reg < 0x280; reg += 16)
                EXPECT_EQ(v.page[reg / 4], 0);
        }
}

TEST(l24_a3_no_recursion)
{
    make(false);
    vapic_write(&v, 0x370, 0x0f);
    vapic_write(&v, 0x300, 0x4003);
    EXPECT_EQ(v.f.what, 0);
    EXPECT_EQ(v.a.stats[VLAPIC_STAT_ERRORS], 1);
    EXPECT_EQ(vapic_esr(&v), 0x60);
    EXPECT_EQ(vlapic_highest(&v.a, APIC_IRR), 0);
}

TEST(l24_error_interrupt)
{
    uint8_t error;
    make(false);
    vapic_write(&v, 0x370, 0xe3);
    vapic_write(&v, 0x300, 0x4003);
    EXPECT_EQ(v.f.what, VLAPIC_FACT_ERROR);
    EXPECT_EQ(v.f.error, 0xe3);
    vapic_write(&v, 0x300, 0x4004); /* not rearmed: noted only */
    EXPECT_EQ(v.f.what, 0);
    EXPECT_EQ(vapic_send(&v, 0, 5, false, &error), VLAPIC_DROPPED_ILLEGAL);
    EXPECT_EQ(error, 0);
    EXPECT_EQ(vapic_esr(&v), 0x60);
    EXPECT_EQ(vapic_send(&v, 0, 5, false, &error), VLAPIC_DROPPED_ILLEGAL);
    EXPECT_EQ(error, 0xe3);
    vapic_read(&v, 0x10);
    EXPECT_EQ(v.f.what, 0);
    EXPECT_EQ(vapic_esr(&v), 0xc0);
    vapic_read(&v, 0x10);
    EXPECT_EQ(v.f.error, 0xe3);
    vapic_write(&v, 0x370, 0x100e3);
    vapic_esr(&v);
    vapic_read(&v, 0x10);
    EXPECT_EQ(v.f.what, 0); /* masked */
}

TEST(l24_a4_esr_protocol)
{
    make(false);
    vapic_read(&v, 0x3f0);
    EXPECT_EQ(vapic_read(&v, 0x280), 0); /* not before a write */
    vapic_write(&v, 0x280, 0xffffffff);
    EXPECT_EQ(vapic_read(&v, 0x280), 0x80);
    EXPECT_EQ(vapic_read(&v, 0x280), 0x80); /* stays */
    vapic_write(&v, 0x280, 0);
    EXPECT_EQ(vapic_read(&v, 0x280), 0);
    /* With a value that hardware has stored. */
    vapic_read(&v, 0x3f0);
    v.page[0x280 / 4] = 0xffffffff;
    vlapic_written(&v.a, 0x280, v.now, &v.f);
    EXPECT_EQ(vapic_read(&v, 0x280), 0x80);
    make(true);
    vapic_wrmsr(&v, 0x830, 3);
    EXPECT_FALSE(vapic_wrmsr(&v, 0x828, 0x20));
    EXPECT_EQ(v.a.esr_pending, 0x20);
    EXPECT_EQ(vapic_esr(&v), 0x20);
}

/* Writes that hardware lets through in x2APIC mode. */
TEST(written_in_x2apic_mode)
{
    make(true);
    v.page[0x3f0 / 4] = 3;
    vlapic_written(&v.a, 0x3f0, v.now, &v.f);
    EXPECT_EQ(vapic_esr(&v), 0x60);
    v.page[0x300 / 4] = 0x4041;
    v.page[0x304 / 4] = 0x12345;
    vlapic_written(&v.a, 0x300, v.now, &v.f);
    EXPECT_EQ(v.f.what, VLAPIC_FACT_SEND);
    EXPECT_EQ(v.f.ipi.dest, 0x12345);
    memset(&v.f, 0, sizeof(v.f));
    vlapic_written(&v.a, 0xe0, v.now, &v.f);
    vlapic_written(&v.a, 0x400, v.now, &v.f);
    EXPECT_EQ(v.f.what, 0);
}

TEST(l06_eoi_value)
{
    make(true);
    vapic_fixed(&v, 0x40);
    vlapic_ack(&v.a);
    EXPECT_FALSE(vapic_wrmsr(&v, 0x80b, 1));
    EXPECT_TRUE(vlapic_test(&v.a, APIC_ISR, 0x40));
    EXPECT_TRUE(vapic_wrmsr(&v, 0x80b, 0));
    EXPECT_EQ(v.f.eoi.vector, 0x40);
    make(false);
    vapic_fixed(&v, 0x40);
    vlapic_ack(&v.a);
    vapic_write(&v, 0xb0, 0x12345678);
    EXPECT_EQ(v.f.eoi.vector, 0x40);
    EXPECT_EQ(v.page[0xb0 / 4], 0);
}

TEST(l15_l25_svr)
{
    make(false);
    vapic_write(&v, 0xf0, 0xffffffff);
    EXPECT_EQ(vapic_read(&v, 0xf0), 0x13ff);
    EXPECT_TRUE(vlapic_accepting(&v.a));
    /* The page holds the new value before the handler sees it. */
    v.page[0xf0 / 4] = 0xff;
    memset(&v.f, 0, sizeof(v.f));
    vlapic_written(&v.a, 0xf0, v.now, &v.f);
    EXPECT_TRUE(v.f.what & VLAPIC_FACT_ENABLE);
    EXPECT_FALSE(vlapic_accepting(&v.a));
    EXPECT_EQ(v.page[0x370 / 4], 0x10000);
}
