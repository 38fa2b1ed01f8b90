/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/lib/frames.c: single cases, then random takes and gives against a bitmap.
 */
#include "mgmt/lib/frames.h"

#include "tests/host/test.h"

#define MIB 0x100000ULL

TEST(frames_add_joins_neighbours)
{
    struct frames f = {0};
    EXPECT_TRUE(frames_add(&f, 0x1000, 0x3000));
    EXPECT_TRUE(frames_add(&f, 0x5000, 0x6000));
    EXPECT_EQ(f.count, 2U);
    EXPECT_TRUE(frames_add(&f, 0x3000, 0x5000));
    EXPECT_EQ(f.count, 1U);
    EXPECT_EQ(f.range[0].start, 0x1000U);
    EXPECT_EQ(f.range[0].end, 0x6000U);
    EXPECT_EQ(f.free_pages, 5U);
    frames_free_list(&f);
}

TEST(frames_add_refuses)
{
    struct frames f = {0};
    ASSERT_TRUE(frames_add(&f, 0x4000, 0x8000));
    static const struct frames_range bad[] = {
        {0x4000, 0x5000}, {0x7000, 0x9000}, {0x3000, 0x5000}, {0x1000, 0x9000}, {0x4000, 0x8000},
        {0x9000, 0x9000}, {0xa000, 0x9000}, {0x9001, 0xa000}, {0x9000, 0xa001},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        test_row("%#llx", (unsigned long long)bad[i].start);
        EXPECT_FALSE(frames_add(&f, bad[i].start, bad[i].end));
        EXPECT_EQ(f.free_pages, 4U);
        EXPECT_EQ(f.count, 1U);
    }
    frames_free_list(&f);
}

TEST(frames_take_aligns)
{
    struct frames f = {0};
    ASSERT_TRUE(frames_add(&f, MIB, 64 * MIB));
    EXPECT_EQ(frames_take(&f, 512, 2 * MIB, 0), 2 * MIB);
    EXPECT_EQ(frames_take(&f, 256, 2 * MIB, MIB), MIB);
    EXPECT_EQ(frames_take(&f, 1, 2 * MIB, 0x5000), 4 * MIB + 0x5000);
    EXPECT_EQ(f.free_pages, 63 * 256U - 512 - 256 - 1);
    frames_free_list(&f);
}

TEST(frames_take_prefers_the_smallest_range)
{
    struct frames f = {0};
    ASSERT_TRUE(frames_add(&f, 0x1000, 0x100000));
    ASSERT_TRUE(frames_add(&f, 0x200000, 0x203000));
    EXPECT_EQ(frames_take(&f, 2, FRAMES_PAGE, 0), 0x200000U);
    EXPECT_EQ(frames_take(&f, 2, FRAMES_PAGE, 0), 0x1000U);
    frames_free_list(&f);
}

TEST(frames_take_refuses)
{
    struct frames f = {0};
    ASSERT_TRUE(frames_add(&f, 0x1000, 0x10000));
    EXPECT_EQ(frames_take(&f, 0, FRAMES_PAGE, 0), FRAMES_NONE);
    EXPECT_EQ(frames_take(&f, 16, FRAMES_PAGE, 0), FRAMES_NONE);
    EXPECT_EQ(frames_take(&f, 1, 2 * MIB, 0), FRAMES_NONE);
    EXPECT_EQ(frames_take(&f, 1, 0x3000, 0), FRAMES_NONE);
    EXPECT_EQ(frames_take(&f, 1, 0x800, 0), FRAMES_NONE);
    EXPECT_EQ(frames_take(&f, 1, 0x2000, 0x800), FRAMES_NONE);
    EXPECT_EQ(frames_take(&f, 1, 0x2000, 0x2000), FRAMES_NONE);
    EXPECT_EQ(frames_take(&f, UINT64_MAX, FRAMES_PAGE, 0), FRAMES_NONE);
    EXPECT_EQ(f.free_pages, 15U);
    EXPECT_EQ(frames_take(&f, 15, FRAMES_PAGE, 0), 0x1000U);
    EXPECT_EQ(f.count, 0U);
    frames_free_list(&f);
}

TEST(frames_give_twice_is_refused)
{
    struct frames f = {0};
    ASSERT_TRUE(frames_add(&f, 0x1000, 0x10000));
    gpa_t a = frames_take(&f, 4, FRAMES_PAGE, 0);
    EXPECT_TRUE(frames_give(&f, a, 4));
    EXPECT_FALSE(frames_give(&f, a, 4));
    EXPECT_EQ(f.free_pages, 15U);
    EXPECT_EQ(f.taken, 0U);
    frames_free_list(&f);
}

TEST(frames_at_the_end_of_the_address_space)
{
    struct frames f = {0};
    gpa_t end = UINT64_MAX & ~0xfffULL;
    ASSERT_TRUE(frames_add(&f, end - 0x4000, end));
    EXPECT_EQ(frames_take(&f, 1, 1ULL << 63, 0), FRAMES_NONE);
    EXPECT_EQ(frames_take(&f, 4, FRAMES_PAGE, 0), end - 0x4000);
    frames_free_list(&f);
}

enum { PAGES = 4096, BLOCKS = 64 };

static bool owned[PAGES]; /* taken, by the test's own books */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

/* Free memory as the module sees it is the complement of `owned`, in maximal ranges. */
static void check_against_books(const struct frames *f)
{
    uint64_t free_pages = 0;
    gpa_t last = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        EXPECT_TRUE(i == 0 || f->range[i].start > last);
        last = f->range[i].end;
        for (gpa_t at = f->range[i].start; at < f->range[i].end; at += FRAMES_PAGE, free_pages++)
            EXPECT_FALSE(owned[at / FRAMES_PAGE]);
    }
    for (uint32_t i = 0; i < PAGES; i++)
        free_pages += owned[i];
    EXPECT_EQ(free_pages, (uint64_t)PAGES);
    EXPECT_TRUE(f->capacity >= f->count + f->taken);
}

TEST(frames_random_life)
{
    struct frames f = {0};
    struct {
        gpa_t start;
        uint64_t pages;
    } block[BLOCKS] = {{0, 0}};
    uint32_t state = 7;
    ASSERT_TRUE(frames_add(&f, 0, PAGES * FRAMES_PAGE));
    for (uint32_t round = 0; round < 20000; round++) {
        uint32_t i = next_random(&state) % BLOCKS;
        if (block[i].pages == 0) {
            uint64_t align = FRAMES_PAGE << next_random(&state) % 6;
            uint64_t pages = 1 + next_random(&state) % 200;
            uint64_t offset = next_random(&state) * FRAMES_PAGE % align;
            gpa_t start = frames_take(&f, pages, align, offset);
            if (start == FRAMES_NONE)
                continue;
            EXPECT_EQ(start % align, offset);
            for (uint64_t p = 0; p < pages; p++) {
                EXPECT_FALSE(owned[start / FRAMES_PAGE + p]);
                owned[start / FRAMES_PAGE + p] = true;
            }
            block[i].start = start;
            block[i].pages = pages;
        } else {
            EXPECT_TRUE(frames_give(&f, block[i].start, block[i].pages));
            for (uint64_t p = 0; p < block[i].pages; p++)
                owned[block[i].start / FRAMES_PAGE + p] = false;
            block[i].pages = 0;
        }
        if (round % 512 == 0)
            check_against_books(&f);
    }
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (block[i].pages)
            EXPECT_TRUE(frames_give(&f, block[i].start, block[i].pages));
    EXPECT_EQ(f.free_pages, (uint64_t)PAGES);
    EXPECT_EQ(f.count, 1U);
    EXPECT_EQ(f.taken, 0U);
    frames_free_list(&f);
}
