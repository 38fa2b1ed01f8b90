/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/core/frame.c: the table's edges, and what breaks a run of frames that can be donated. */
#include "hv/core/frame.h"

#include "tests/host/test.h"

enum { FRAMES = 64 };

/* On the heap and of the exact size, so that AddressSanitizer sees a step beyond it. */
static struct frame *fresh(uint64_t count)
{
    static struct frame *table;
    free(table);
    table = malloc(count * sizeof(*table));
    memset(table, 0x5a, count * sizeof(*table));
    frame_init(table, count);
    return table;
}

TEST(all_frames_start_as_no_memory)
{
    struct frame *table = fresh(FRAMES);
    for (uint64_t i = 0; i < FRAMES; i++) {
        EXPECT_TRUE(frame_at(i * PAGE_SIZE) == &table[i]);
        EXPECT_TRUE(frame_at(i * PAGE_SIZE + PAGE_SIZE - 1) == &table[i]);
        EXPECT_EQ(table[i].owner, FRAME_NONE);
        EXPECT_EQ(table[i].shares | table[i].pins | table[i].flags, 0);
    }
}

TEST(beyond_the_table)
{
    fresh(FRAMES);
    EXPECT_TRUE(frame_at(FRAMES * PAGE_SIZE) == NULL);
    EXPECT_TRUE(frame_at(UINT64_MAX) == NULL);
    EXPECT_EQ(frame_free_run(FRAMES * PAGE_SIZE, 4, 1), 0);
    EXPECT_EQ(frame_free_run(UINT64_MAX & PAGE_MASK, 4, 1), 0);
    fresh(0);
    EXPECT_TRUE(frame_at(0) == NULL);
}

TEST(owner_of_a_range)
{
    static const struct {
        uint64_t pa, size;
        unsigned first, count; /* frames that change */
    } rows[] = {
        {3 * PAGE_SIZE, 2 * PAGE_SIZE, 3, 2},
        {3 * PAGE_SIZE, 0, 0, 0},
        {3 * PAGE_SIZE + 4095, 2, 3, 2},
        {0, 1, 0, 1},
        {62 * PAGE_SIZE, 100 * PAGE_SIZE, 62, 2},
        {64 * PAGE_SIZE, 100 * PAGE_SIZE, 0, 0},
        {0, UINT64_MAX, 0, FRAMES},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct frame *table = fresh(FRAMES);
        test_row("row %zu", i);
        frame_set_owner(rows[i].pa, rows[i].size, 7, FRAME_MODULE);
        for (unsigned f = 0; f < FRAMES; f++) {
            bool in = f >= rows[i].first && f < rows[i].first + rows[i].count;
            EXPECT_EQ(table[f].owner, in ? 7U : FRAME_NONE);
            EXPECT_EQ(table[f].flags, in ? FRAME_MODULE : 0);
        }
    }
}

TEST(run_of_free_frames)
{
    struct frame *table = fresh(FRAMES);
    frame_set_owner(8 * PAGE_SIZE, 16 * PAGE_SIZE, 3, 0);
    EXPECT_EQ(frame_free_run(8 * PAGE_SIZE, 100, 3), 16);
    EXPECT_EQ(frame_free_run(8 * PAGE_SIZE, 5, 3), 5);
    EXPECT_EQ(frame_free_run(8 * PAGE_SIZE, 0, 3), 0);
    EXPECT_EQ(frame_free_run(8 * PAGE_SIZE, 100, 4), 0);
    EXPECT_EQ(frame_free_run(7 * PAGE_SIZE, 100, 3), 0);
    table[12].shares = 1;
    EXPECT_EQ(frame_free_run(8 * PAGE_SIZE, 100, 3), 4);
    table[12].shares = 0;
    table[11].pins = 2;
    EXPECT_EQ(frame_free_run(8 * PAGE_SIZE, 100, 3), 3);
    table[11].pins = 0;
    table[10].flags = FRAME_MODULE;
    EXPECT_EQ(frame_free_run(8 * PAGE_SIZE, 100, 3), 2);
    table[9].owner = FRAME_HV;
    EXPECT_EQ(frame_free_run(8 * PAGE_SIZE, 100, 3), 1);
    frame_set_owner(60 * PAGE_SIZE, 4 * PAGE_SIZE, 3, 0);
    EXPECT_EQ(frame_free_run(60 * PAGE_SIZE, 100, 3), 4);
}
