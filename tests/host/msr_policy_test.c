/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/core/msr_policy.c: every MSR number of both ranges against a table frozen here with the numbers of SDM
 * volume 4, and against the bitmap as the processor reads it. A row that is missing here, or too many there,
 * fails: what a guest may reach changes only on purpose.
 */
#include "hv/core/msr_policy.h"

#include "tests/host/test.h"

enum {
    F = MSR_ACCESS_FAULT,
    D = MSR_ACCESS_DIRECT,
    V = MSR_ACCESS_VALUE,
    I = MSR_ACCESS_IGNORE,
    E = MSR_ACCESS_EMULATE
};

static const struct {
    uint32_t first, last;
    unsigned read, write, kind;
    uint64_t value;
} frozen[] = {
    {0x10, 0x10, D, E, MSR_KIND_TSC, 0},
    {0x17, 0x17, V, F, 0, 0},
    {0x1b, 0x1b, E, E, MSR_KIND_APIC_BASE, 0},
    {0x3a, 0x3a, V, F, 0, 1},
    {0x3b, 0x3b, E, E, MSR_KIND_TSC_ADJUST, 0},
    {0x8b, 0x8b, V, I, 0, 1UL << 32},
    {0xfe, 0xfe, V, F, 0, 0},
    {0x174, 0x176, D, D, 0, 0},
    {0x179, 0x179, V, F, 0, 0},
    {0x17a, 0x17a, V, V, 0, 0},
    {0x1a0, 0x1a0, E, E, MSR_KIND_MISC_ENABLE, 0},
    {0x1d9, 0x1d9, V, V, 0, 0},
    {0x277, 0x277, D, E, MSR_KIND_PAT, 0},
    {0x2ff, 0x2ff, V, V, 0, 0x806},
    {0x6e0, 0x6e0, E, E, MSR_KIND_TSC_DEADLINE, 0},
    {0x800, 0x8ff, E, E, MSR_KIND_X2APIC, 0},
    {0xda0, 0xda0, E, E, MSR_KIND_XSS, 0},
    {0xc0000080, 0xc0000080, D, E, MSR_KIND_EFER, 0},
    {0xc0000081, 0xc0000084, D, E, MSR_KIND_SWITCHED, 0},
    {0xc0000100, 0xc0000102, D, D, 0, 0},
    {0xc0000103, 0xc0000103, D, E, MSR_KIND_SWITCHED, 0},
};

static uint8_t bitmap[PAGE_SIZE];

/*
 * As in SDM volume 3, "MSR-Bitmap Address": offsets 0 read low, 1024 read high, 2048 write low, 3072 write
 * high.
 */
static bool exits(uint32_t msr, bool write)
{
    unsigned offset = write ? 2048 : 0;
    if (msr >= 0xc0000000 && msr <= 0xc0001fff)
        offset += 1024;
    else if (msr > 0x1fff)
        return true;
    return bitmap[offset + (msr & 0x1fff) / 8] >> (msr & 7) & 1;
}

static void check(uint32_t msr)
{
    size_t i = 0;
    while (i < COUNT(frozen) && (msr < frozen[i].first || msr > frozen[i].last))
        i++;
    bool known = i < COUNT(frozen);
    const struct msr_rule *rule = msr_policy_find(msr);
    test_row("MSR %#x", msr);
    EXPECT_TRUE(msr >= rule->first && msr <= rule->last);
    EXPECT_EQ(rule->read, known ? frozen[i].read : F);
    EXPECT_EQ(rule->write, known ? frozen[i].write : F);
    EXPECT_EQ(rule->kind, known ? frozen[i].kind : MSR_KIND_NONE);
    EXPECT_EQ(rule->value, known ? frozen[i].value : 0);
    EXPECT_EQ(exits(msr, false), rule->read != MSR_ACCESS_DIRECT);
    EXPECT_EQ(exits(msr, true), rule->write != MSR_ACCESS_DIRECT);
    /* Only these combinations mean something. */
    EXPECT_NE(rule->read, MSR_ACCESS_IGNORE);
    EXPECT_EQ(rule->read == E || rule->write == E, rule->kind != MSR_KIND_NONE);
}

TEST(every_msr)
{
    memset(bitmap, 0, sizeof(bitmap));
    msr_policy_fill_bitmap(bitmap);
    for (uint32_t i = 0; i < 0x2000; i++) {
        check(i);
        check(0xc0000000 + i);
    }
}

TEST(outside_of_both_ranges)
{
    static const uint32_t msrs[] = {0x2000, 0x40000000, 0x40000073, 0xbfffffff, 0xc0002000, UINT32_MAX};
    for (size_t i = 0; i < COUNT(msrs); i++) {
        check(msrs[i]);
        EXPECT_EQ(msr_policy_find(msrs[i])->read, F);
    }
}

TEST(bits_of_the_bitmap)
{
    unsigned clear = 0;
    memset(bitmap, 0, sizeof(bitmap));
    msr_policy_fill_bitmap(bitmap);
    for (size_t i = 0; i < sizeof(bitmap) * 8; i++)
        clear += !(bitmap[i / 8] >> (i % 8) & 1);
    EXPECT_EQ(clear, (1 + 3 + 1 + 1 + 4 + 3 + 1) + (3 + 3));
}
