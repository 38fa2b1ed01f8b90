/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/lib/access.c: devices that note what they are asked.
 */
#include "mgmt/lib/access.h"

#include "tests/host/test.h"

static char seen[512]; /* "w8.1=2 " per access */

static uint64_t note_read(void *ctx, uint64_t offset, uint8_t width)
{
    size_t used = strlen(seen);
    snprintf(seen + used, sizeof(seen) - used, "%sr%u.%llu ", (const char *)ctx, width,
             (unsigned long long)offset);
    return 0xffffffffffffff00ULL | (0xa0 + offset);
}

static void note_write(void *ctx, uint64_t offset, uint8_t width, uint64_t data)
{
    size_t used = strlen(seen);
    snprintf(seen + used, sizeof(seen) - used, "%sw%u.%llu=%llx ", (const char *)ctx, width,
             (unsigned long long)offset, (unsigned long long)data);
}

static char a_name[] = "a", b_name[] = "b";

static void fill(struct access_table *table)
{
    memset(table, 0, sizeof(*table));
    const struct access_range a = {HV_CLAIM_PIO, 0x100, 4, 1, note_read, note_write, a_name};
    const struct access_range b = {HV_CLAIM_PIO, 0x104, 4, 4, note_read, note_write, b_name};
    EXPECT_TRUE(access_add(table, &a));
    EXPECT_TRUE(access_add(table, &b));
    seen[0] = '\0';
}

TEST(access_splits_wide_accesses)
{
    static const struct {
        uint64_t port;
        uint8_t width;
        const char *seen;
        uint64_t value;
    } rows[] = {
        {0x100, 1, "ar1.0 ", 0xa0},
        {0x100, 2, "ar1.0 ar1.1 ", 0xa1a0},
        {0x100, 4, "ar1.0 ar1.1 ar1.2 ar1.3 ", 0xa3a2a1a0},
        {0x104, 1, "br1.0 ", 0xa0},
        {0x104, 4, "br4.0 ", 0xffffffa0},
        {0x105, 2, "br2.1 ", 0xffa1},
        {0x102, 4, "ar1.2 ar1.3 br2.0 ", 0xffa0a3a2},
        {0x106, 4, "br2.2 ", 0xffffffa2},
        {0x0ff, 2, "ar1.0 ", 0xa0ff},
        {0x0fe, 4, "ar1.0 ar1.1 ", 0xa1a0ffff},
        {0x108, 4, "", 0xffffffff},
        {0x107, 2, "br1.3 ", 0xffa3},
    };
    struct access_table table;
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("port %#llx width %u", (unsigned long long)rows[i].port, rows[i].width);
        fill(&table);
        EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, rows[i].port, rows[i].width), rows[i].value);
        EXPECT_STREQ(seen, rows[i].seen);
    }
}

TEST(access_splits_writes)
{
    struct access_table table;
    fill(&table);
    access_write(&table, HV_CLAIM_PIO, 0x102, 4, 0xdeadbeef11223344ULL);
    EXPECT_STREQ(seen, "aw1.2=44 aw1.3=33 bw2.0=1122 ");
    fill(&table);
    access_write(&table, HV_CLAIM_PIO, 0x108, 4, 1);
    EXPECT_STREQ(seen, "");
}

TEST(access_spaces_are_apart)
{
    struct access_table table;
    fill(&table);
    EXPECT_EQ(access_read(&table, HV_CLAIM_MMIO, 0x100, 8), UINT64_MAX);
    const struct access_range wide = {HV_CLAIM_MMIO, 0x100, 0x1000, 8, note_read, NULL, a_name};
    EXPECT_TRUE(access_add(&table, &wide));
    EXPECT_EQ(access_read(&table, HV_CLAIM_MMIO, 0x108, 8), 0xffffffffffffffa8ULL);
    access_write(&table, HV_CLAIM_MMIO, 0x108, 8, 1);
    EXPECT_STREQ(seen, "ar8.8 ");
}

TEST(access_without_read_gives_ones)
{
    struct access_table table = {.count = 0};
    const struct access_range range = {HV_CLAIM_PIO, 0, 2, 2, NULL, NULL, NULL};
    EXPECT_TRUE(access_add(&table, &range));
    EXPECT_EQ(access_read(&table, HV_CLAIM_PIO, 0, 2), 0xffffU);
}

TEST(access_add_refuses)
{
    static const struct access_range bad[] = {
        {HV_CLAIM_PIO, 0x100, 0, 1, NULL, NULL, NULL},
        {HV_CLAIM_PIO, 0xffff, 2, 1, NULL, NULL, NULL},
        {HV_CLAIM_PIO, 0x10000, 1, 1, NULL, NULL, NULL},
        {HV_CLAIM_PIO, 0x103, 1, 1, NULL, NULL, NULL},
        {HV_CLAIM_PIO, 0xf0, 0x11, 1, NULL, NULL, NULL},
        {HV_CLAIM_PIO, 0x107, 0x100, 1, NULL, NULL, NULL},
        {HV_CLAIM_MMIO, UINT64_MAX - 1, 4, 1, NULL, NULL, NULL},
    };
    struct access_table table;
    fill(&table);
    for (size_t i = 0; i < COUNT(bad); i++) {
        test_row("row %zu", i);
        EXPECT_FALSE(access_add(&table, &bad[i]));
        EXPECT_EQ(table.count, 2U);
    }
}

TEST(access_table_is_bounded)
{
    struct access_table table = {.count = 0};
    struct access_range range = {HV_CLAIM_PIO, 0, 1, 1, NULL, NULL, NULL};
    for (uint32_t i = 0; i < ACCESS_MAX; i++, range.base++)
        EXPECT_TRUE(access_add(&table, &range));
    EXPECT_FALSE(access_add(&table, &range));
}
