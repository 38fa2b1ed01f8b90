/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/core/trace_ring: order, overwritten records counted exactly, positions at their ends, and a reader beside a
 * writer that is faster than it. tests/models/trace.pml has the order of accesses.
 */
#include "hv/core/trace_ring.h"

#include <pthread.h>

#include "tests/host/test.h"

enum { PAGES = 2, SIZE = PAGES * HV_TRACE_PAGE_RECORDS, MANY = 400000 };

static uint64_t pages[PAGES][512];
static struct trace_ring ring;
static struct hv_trace_record out[HV_TRACE_READ_MAX];
static bool done;

static void empty(void)
{
    memset(pages, 0xee, sizeof(pages));
    ring = (struct trace_ring){.size = SIZE, .pages = PAGES, .page = {pages[0], pages[1]}};
}

/* Every field follows from the number, so that a record made of two shows. */
static struct hv_trace_record number(uint64_t n)
{
    return (struct hv_trace_record){.tsc = n,
                                    .kind = (uint16_t)(1 + n % 8),
                                    .domain = (uint16_t)(n * 3),
                                    .vcpu = (uint16_t)(n * 5),
                                    .code = (uint16_t)(n * 7),
                                    .a = n * 0x9e3779b97f4a7c15ULL,
                                    .b = ~n};
}

static bool is(const struct hv_trace_record *r, uint64_t n)
{
    struct hv_trace_record want = number(n);
    return !memcmp(r, &want, sizeof(want));
}

static void write_all(uint64_t count)
{
    while (ring.head < count) {
        struct hv_trace_record r = number(ring.head);
        trace_ring_write(&ring, &r);
    }
}

/* One call; the records copied must be those in front of the new position. */
static uint32_t take(uint64_t *position, uint32_t room, uint64_t *lost)
{
    uint64_t before = *position, written = 0;
    uint32_t n = trace_ring_read(&ring, position, out, room, lost, &written);
    EXPECT_EQ(written, ring.head);
    EXPECT_TRUE(n <= room);
    EXPECT_EQ(*position, before + *lost + n);
    for (uint32_t i = 0; i < n; i++)
        EXPECT_TRUE(is(&out[i], *position - n + i));
    return n;
}

TEST(trace_ring_empty)
{
    uint64_t position = 0, lost = 7;
    empty();
    EXPECT_EQ(take(&position, 32, &lost), 0);
    EXPECT_EQ(lost, 0);
    EXPECT_EQ(position, 0);
}

TEST(trace_ring_all_that_fit)
{
    uint64_t position = 0, lost;
    empty();
    write_all(SIZE - 1);
    for (uint32_t i = 0; i < SIZE - 1; i += 32) {
        EXPECT_EQ(take(&position, 32, &lost), i + 32 < SIZE ? 32 : SIZE - 1 - i);
        EXPECT_EQ(lost, 0);
    }
    EXPECT_EQ(position, SIZE - 1);
    EXPECT_EQ(take(&position, 32, &lost), 0);
    write_all(SIZE + 3); /* it goes on where it was */
    EXPECT_EQ(take(&position, 32, &lost), 4);
    EXPECT_EQ(lost, 0);
}

/* The place of the next record counts as lost: it may be written at this moment. */
TEST(trace_ring_lost)
{
    static const struct {
        uint64_t written, position, lost;
    } rows[] = {
        {SIZE, 0, 1},
        {SIZE + 1, 0, 2},
        {SIZE + 1, 1, 1},
        {SIZE + 1, 2, 0},
        {10 * SIZE, 0, 0},
        {10 * SIZE, 9 * SIZE, 1},
        {10 * SIZE, 9 * SIZE + 1, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t position = rows[i].position, lost, want = i == 4 ? 9 * SIZE + 1 : rows[i].lost;
        test_row("%llu written, from %llu", (unsigned long long)rows[i].written,
                 (unsigned long long)rows[i].position);
        empty();
        write_all(rows[i].written);
        EXPECT_EQ(take(&position, 5, &lost), 5);
        EXPECT_EQ(lost, want);
    }
}

TEST(trace_ring_room_and_positions)
{
    uint64_t position = 0, lost, written;
    empty();
    write_all(10);
    EXPECT_EQ(take(&position, 0, &lost), 0);
    EXPECT_EQ(position, 0);
    EXPECT_EQ(take(&position, 3, &lost), 3);
    EXPECT_EQ(position, 3);
    position = 11; /* of another ring: back to the end */
    EXPECT_EQ(trace_ring_read(&ring, &position, out, 32, &lost, &written), 0);
    EXPECT_EQ(position, 10);
    EXPECT_EQ(lost, 0);
    position = UINT64_MAX;
    EXPECT_EQ(trace_ring_read(&ring, &position, out, 32, &lost, &written), 0);
    EXPECT_EQ(position, 10);
}

static void *writer(void *arg)
{
    (void)arg;
    write_all(MANY);
    __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    return NULL;
}

TEST(trace_ring_reader_beside_writer)
{
    uint64_t position = 0, lost = 0, lost_before = 0, written, taken = 0, wrong = 0;
    pthread_t thread;
    bool last;
    empty();
    done = false;
    ASSERT_EQ(pthread_create(&thread, NULL, writer, NULL), 0);
    do {
        last = __atomic_load_n(&done, __ATOMIC_ACQUIRE);
        uint32_t n = trace_ring_read(&ring, &position, out, 32, &lost, &written);
        for (uint32_t i = 0; i < n; i++)
            wrong += !is(&out[i], position - n + i);
        taken += n;
        lost_before += lost;
    } while (!last || position < written);
    pthread_join(thread, NULL);
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(position, MANY);
    EXPECT_EQ(taken + lost_before, MANY);
    EXPECT_TRUE(taken > 0);
}
