/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/virtio/queue.c and guest_memory.c: chains that are good, and every way in which one can be
 * bad. A bad one breaks the queue and changes nothing in the guest's memory.
 */
#include "mgmt/virtio/queue.h"

#include "tests/host/test.h"
#include "tests/host/virtio_driver.h"

enum { SIZE = 8, DATA = GUEST_DATA };

static struct queue queue;
static struct queue_chain chain;
static struct ring ring;

static void fresh(bool indirect, bool event_idx)
{
    guest_memory_make();
    ring = ring_at(0, SIZE);
    queue.memory = &guest_memory;
    queue_reset(&queue, SIZE);
    queue.descriptors = ring.desc;
    queue.driver = ring.avail;
    queue.device = ring.used;
    queue.indirect = indirect;
    queue.event_idx = event_idx;
    EXPECT_TRUE(queue_start(&queue));
}

/* Offers `head`, and expects that it breaks the queue without a trace in memory. */
static void expect_break(uint16_t head)
{
    ring_offer(&ring, head);
    uint64_t before = guest_memory_sum();
    EXPECT_FALSE(queue_pop(&queue, &chain));
    EXPECT_TRUE(queue.broken);
    queue_push(&queue, 0, 1);
    EXPECT_FALSE(queue_watch(&queue, false));
    EXPECT_FALSE(queue_watch(&queue, true));
    EXPECT_FALSE(queue_wants_interrupt(&queue));
    EXPECT_FALSE(queue_pop(&queue, &chain));
    EXPECT_EQ(guest_memory_sum(), before);
}

TEST(memory_in_pieces)
{
    char text[] = "across the border", got[sizeof(text)] = "";
    guest_memory_make();
    uint64_t gpa = GUEST_START + GUEST_PIECE - 5;
    EXPECT_TRUE(guest_memory_write(&guest_memory, gpa, text, sizeof(text)));
    EXPECT_MEMEQ(guest_at(gpa), "acros", 5);
    EXPECT_MEMEQ(guest_at(GUEST_START + GUEST_PIECE), "s the", 5);
    EXPECT_TRUE(guest_memory_read(&guest_memory, gpa, got, sizeof(got)));
    EXPECT_STREQ(got, text);
    EXPECT_TRUE(guest_memory_has(&guest_memory, GUEST_START, GUEST_END - GUEST_START));
    EXPECT_TRUE(guest_memory_has(&guest_memory, GUEST_END, 0));
}

TEST(memory_outside)
{
    static const struct {
        uint64_t gpa, bytes;
    } rows[] = {{GUEST_START - 1, 2},    {GUEST_END - 1, 2},        {GUEST_START, GUEST_END},
                {UINT64_MAX, 1},         {UINT64_MAX - 3, 8},       {0, 1},
                {GUEST_END, UINT64_MAX}, {GUEST_START, UINT64_MAX}, {GUEST_START + 1, UINT64_MAX}};
    uint8_t byte[16] = {1};
    guest_memory_make();
    uint64_t before = guest_memory_sum();
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%zu", i);
        EXPECT_FALSE(guest_memory_has(&guest_memory, rows[i].gpa, rows[i].bytes));
        if (rows[i].bytes > sizeof(byte))
            continue;
        EXPECT_FALSE(guest_memory_write(&guest_memory, rows[i].gpa, byte, rows[i].bytes));
        EXPECT_FALSE(guest_memory_read(&guest_memory, rows[i].gpa, byte, rows[i].bytes));
        EXPECT_EQ(byte[0], 1);
    }
    EXPECT_TRUE(guest_memory_word(&guest_memory, GUEST_START + 1) == NULL);
    EXPECT_TRUE(guest_memory_word(&guest_memory, GUEST_END) == NULL);
    EXPECT_TRUE(guest_memory_word(&guest_memory, GUEST_END - 2) != NULL);
    EXPECT_EQ(guest_memory_sum(), before);
}

TEST(queue_start_checks_the_rings)
{
    static const struct {
        const char *name;
        uint16_t size;
        uint64_t desc, avail, used;
        bool good;
    } rows[] = {
        {"good", 8, 0x10000, 0x14000, 0x15000, true},
        {"largest", 256, 0x10000, 0x14000, 0x15000, true},
        {"one entry", 1, 0x10000, 0x14000, 0x15000, true},
        {"no entry", 0, 0x10000, 0x14000, 0x15000, false},
        {"no power of two", 12, 0x10000, 0x14000, 0x15000, false},
        {"too large", 512, 0x10000, 0x14000, 0x15000, false},
        {"largest number", 32768, 0x10000, 0x14000, 0x15000, false},
        {"descriptors by 8", 8, 0x10008, 0x14000, 0x15000, false},
        {"available by 1", 8, 0x10000, 0x14001, 0x15000, false},
        {"used by 2", 8, 0x10000, 0x14000, 0x15002, false},
        {"descriptors outside", 8, GUEST_END, 0x14000, 0x15000, false},
        {"descriptors half outside", 8, GUEST_END - 64, 0x14000, 0x15000, false},
        {"available outside", 8, 0x10000, 0, 0x15000, false},
        {"available half outside", 8, 0x10000, GUEST_END - 18, 0x15000, false},
        {"used outside", 8, 0x10000, 0x14000, UINT64_MAX - 3, false},
        {"used half outside", 8, 0x10000, 0x14000, GUEST_END - 64, false},
        {"descriptors wrap", 8, UINT64_MAX - 15, 0x14000, 0x15000, false},
        {"to the last byte", 8, GUEST_END - 128, GUEST_END - 22, GUEST_END - 72, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].name);
        fresh(false, false);
        queue_reset(&queue, rows[i].size);
        queue.event_idx = true;
        queue.descriptors = rows[i].desc;
        queue.driver = rows[i].avail;
        queue.device = rows[i].used;
        EXPECT_EQ(queue_start(&queue), rows[i].good);
        EXPECT_EQ(queue.enabled, rows[i].good);
        EXPECT_EQ(queue.broken, !rows[i].good);
    }
}

TEST(queue_chain_of_both_directions)
{
    char got[8] = "";
    uint64_t bytes;
    fresh(false, false);
    EXPECT_FALSE(queue_pop(&queue, &chain));
    memcpy(guest_at(DATA), "abc", 3);
    memcpy(guest_at(DATA + 16), "de", 2);
    ring_desc(&ring, 3, DATA, 3, RING_NEXT, 7);
    ring_desc(&ring, 7, DATA + 16, 2, RING_NEXT, 0);
    ring_desc(&ring, 0, DATA + 32, 4, RING_NEXT | RING_WRITE, 1);
    ring_desc(&ring, 1, DATA + 48, 5, RING_WRITE, 3);
    ring_offer(&ring, 3);
    ASSERT_TRUE(queue_pop(&queue, &chain));
    EXPECT_EQ(chain.head, 3);
    EXPECT_EQ(chain.readable, 5U);
    EXPECT_EQ(chain.writable, 9U);
    EXPECT_EQ(queue_chain_end(&chain), DATA + 53U);
    struct queue_cursor in = queue_readable(&chain), out = queue_writable(&chain);
    EXPECT_EQ(queue_read(&queue, &in, got, 4), 4U);
    EXPECT_MEMEQ(got, "abcd", 4);
    EXPECT_EQ(queue_read(&queue, &in, got, 8), 1U);
    EXPECT_EQ(queue_read(&queue, &in, got, 8), 0U);
    EXPECT_EQ(queue_write(&queue, &out, "0123456789", 10), 9U);
    EXPECT_MEMEQ(guest_at(DATA + 32), "0123\0", 5);
    EXPECT_MEMEQ(guest_at(DATA + 48), "45678\0", 6);
    out = queue_writable(&chain);
    bytes = 100;
    EXPECT_TRUE(queue_piece(&queue, &out, &bytes) == guest_at(DATA + 32));
    EXPECT_EQ(bytes, 4U);
    queue_push(&queue, chain.head, 9);
    uint32_t head, length;
    ASSERT_TRUE(ring_take(&ring, &head, &length));
    EXPECT_EQ(head, 3U);
    EXPECT_EQ(length, 9U);
    EXPECT_FALSE(queue_pop(&queue, &chain));
    EXPECT_FALSE(queue.broken);
}

TEST(queue_buffer_across_pieces)
{
    char got[32];
    uint64_t border = GUEST_START + GUEST_PIECE, bytes = 20;
    fresh(false, false);
    ring_desc(&ring, 0, border - 10, 20, RING_WRITE, 0);
    ring_offer(&ring, 0);
    ASSERT_TRUE(queue_pop(&queue, &chain));
    struct queue_cursor cursor = queue_writable(&chain);
    EXPECT_EQ(queue_write(&queue, &cursor, "abcdefghijklmnopqrst", 20), 20U);
    EXPECT_TRUE(guest_memory_read(&guest_memory, border - 10, got, 20));
    EXPECT_MEMEQ(got, "abcdefghijklmnopqrst", 20);
    cursor = queue_writable(&chain);
    EXPECT_TRUE(queue_piece(&queue, &cursor, &bytes) == guest_at(border - 10));
    EXPECT_EQ(bytes, 10U);
    bytes = 20;
    EXPECT_TRUE(queue_piece(&queue, &cursor, &bytes) == guest_at(border));
    EXPECT_EQ(bytes, 10U);
    EXPECT_TRUE(queue_piece(&queue, &cursor, &bytes) == NULL);
}

TEST(queue_indices_wrap)
{
    uint32_t head, length;
    fresh(false, true);
    ring_desc(&ring, 5, DATA, 1, 0, 0);
    for (uint32_t i = 0; i < 70000; i++) {
        ring_offer(&ring, 5);
        if (!queue_pop(&queue, &chain)) {
            EXPECT_EQ(i, 70000U);
            break;
        }
        queue_push(&queue, chain.head, i);
        if (!ring_take(&ring, &head, &length) || length != i) {
            EXPECT_EQ(length, i);
            break;
        }
    }
    EXPECT_EQ(ring_used_index(&ring), 70000 % 65536);
}

TEST(queue_full_ring_and_unpop)
{
    fresh(false, false);
    for (uint16_t i = 0; i < SIZE; i++) {
        ring_desc(&ring, i, DATA + i, 1, 0, 0);
        ring_offer(&ring, i);
    }
    for (uint16_t i = 0; i < SIZE; i++) {
        ASSERT_TRUE(queue_pop(&queue, &chain));
        queue_unpop(&queue);
        ASSERT_TRUE(queue_pop(&queue, &chain));
        EXPECT_EQ(chain.head, i);
    }
    EXPECT_FALSE(queue_pop(&queue, &chain));
    EXPECT_FALSE(queue.broken);
}

TEST(queue_indirect)
{
    fresh(true, false);
    ring_desc(&ring, 2, GUEST_INDIRECT, 16 * SIZE, RING_INDIRECT, 0);
    for (uint16_t i = 0; i < SIZE; i++)
        indirect_desc(i, DATA + 8U * i, 2, i + 1 < SIZE ? RING_NEXT : 0, (uint16_t)(i + 1));
    ring_offer(&ring, 2);
    ASSERT_TRUE(queue_pop(&queue, &chain));
    EXPECT_EQ(chain.count, SIZE);
    EXPECT_EQ(chain.readable, 2U * SIZE);
    EXPECT_EQ(chain.segment[SIZE - 1].gpa, DATA + 8U * (SIZE - 1));
    /* Behind ordinary descriptors; the write flag of the one that refers to the table means nothing. */
    ring_desc(&ring, 0, DATA, 4, RING_NEXT, 1);
    ring_desc(&ring, 1, GUEST_INDIRECT + 1, 16, RING_INDIRECT | RING_WRITE, 0);
    uint8_t desc[16];
    memcpy(desc, guest_at(GUEST_INDIRECT), 16);
    desc[12] = RING_WRITE;
    memcpy(guest_at(GUEST_INDIRECT + 1), desc, 16); /* a table needs no alignment */
    ring_offer(&ring, 0);
    ASSERT_TRUE(queue_pop(&queue, &chain));
    EXPECT_EQ(chain.count, 2);
    EXPECT_EQ(chain.readable, 4U);
    EXPECT_EQ(chain.writable, 2U);
}

TEST(queue_bad_indirect)
{
    static const struct {
        const char *name;
        uint64_t gpa;
        uint32_t length;
        uint16_t flags, inner_flags, inner_next;
        bool negotiated;
    } rows[] = {
        {"not negotiated", GUEST_INDIRECT, 16, RING_INDIRECT, 0, 0, false},
        {"with a next one", GUEST_INDIRECT, 16, RING_INDIRECT | RING_NEXT, 0, 0, true},
        {"no entry", GUEST_INDIRECT, 0, RING_INDIRECT, 0, 0, true},
        {"half an entry", GUEST_INDIRECT, 8, RING_INDIRECT, 0, 0, true},
        {"one and a half", GUEST_INDIRECT, 24, RING_INDIRECT, 0, 0, true},
        {"larger than the queue", GUEST_INDIRECT, 16 * (SIZE + 1), RING_INDIRECT, 0, 0, true},
        {"largest", GUEST_INDIRECT, 0xfffffff0, RING_INDIRECT, 0, 0, true},
        {"outside", GUEST_END, 16, RING_INDIRECT, 0, 0, true},
        {"half outside", GUEST_END - 8, 16, RING_INDIRECT, 0, 0, true},
        {"wraps", UINT64_MAX - 7, 16, RING_INDIRECT, 0, 0, true},
        {"indirect in indirect", GUEST_INDIRECT, 32, RING_INDIRECT, RING_INDIRECT, 0, true},
        {"next outside the table", GUEST_INDIRECT, 32, RING_INDIRECT, RING_NEXT, 2, true},
        {"loop inside", GUEST_INDIRECT, 32, RING_INDIRECT, RING_NEXT, 0, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].name);
        fresh(rows[i].negotiated, false);
        indirect_desc(0, DATA, 16, rows[i].inner_flags, rows[i].inner_next);
        ring_desc(&ring, 0, rows[i].gpa, rows[i].length, rows[i].flags, 1);
        ring_desc(&ring, 1, DATA, 16, 0, 0);
        expect_break(0);
    }
}

TEST(queue_bad_descriptors)
{
    static const struct {
        const char *name;
        uint64_t gpa;
        uint32_t length;
        uint16_t flags, next;
    } rows[] = {
        {"no bytes", DATA, 0, 0, 0},
        {"no bytes to write", DATA, 0, RING_WRITE, 0},
        {"outside", GUEST_END, 1, 0, 0},
        {"one byte outside", GUEST_END - 15, 16, 0, 0},
        {"below", GUEST_START - 1, 2, 0, 0},
        {"wraps", UINT64_MAX, 2, 0, 0},
        {"ends at the top", UINT64_MAX - 15, 16, 0, 0},
        {"longest", DATA, UINT32_MAX, 0, 0},
        {"longest to write", 0, UINT32_MAX, RING_WRITE, 0},
        {"itself again", DATA, 1, RING_NEXT, 0},
        {"a loop of two", DATA, 1, RING_NEXT, 1},
        {"next outside the table", DATA, 1, RING_NEXT, SIZE},
        {"next far outside", DATA, 1, RING_NEXT, 0xffff},
        {"written first, then read", DATA, 1, RING_NEXT | RING_WRITE, 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].name);
        fresh(true, true);
        ring_desc(&ring, 0, rows[i].gpa, rows[i].length, rows[i].flags, rows[i].next);
        ring_desc(&ring, 1, DATA + 64, 1, RING_NEXT, 0);
        ring_desc(&ring, 2, DATA + 96, 1, 0, 0);
        expect_break(0);
    }
}

TEST(queue_total_of_a_chain)
{
    /* All of memory, again and again: no offence, and the sum is right. */
    fresh(false, false);
    for (uint16_t i = 0; i < SIZE; i++)
        ring_desc(&ring, i, GUEST_START, GUEST_END - GUEST_START, i + 1 < SIZE ? RING_NEXT : 0,
                  (uint16_t)(i + 1));
    ring_offer(&ring, 0);
    ASSERT_TRUE(queue_pop(&queue, &chain));
    EXPECT_EQ(chain.readable, (uint64_t)SIZE * (GUEST_END - GUEST_START));
}

/* Memory that is everywhere, for sums that no real guest reaches. */
static void *endless(void *ctx, uint64_t gpa, uint64_t *bytes)
{
    uint64_t rest = GUEST_END - gpa;
    if (gpa >= GUEST_START && gpa < GUEST_END)
        return *bytes = *bytes < rest ? *bytes : rest, guest_memory.view(ctx, gpa, bytes);
    return guest_at(DATA);
}

TEST(queue_more_than_32_bits)
{
    static const struct guest_memory everywhere = {endless, NULL};
    fresh(false, false);
    queue.memory = &everywhere;
    ring_desc(&ring, 0, 1ULL << 40, 0x80000000, RING_NEXT, 1);
    ring_desc(&ring, 1, 1ULL << 41, 0x7fffffff, 0, 0);
    ring_offer(&ring, 0);
    EXPECT_TRUE(queue_pop(&queue, &chain));
    EXPECT_EQ(chain.readable, UINT32_MAX);
    ring_desc(&ring, 1, 1ULL << 41, 0x80000000, 0, 0);
    expect_break(0);
}

TEST(queue_bad_heads_and_indices)
{
    fresh(false, false);
    expect_break(SIZE);
    fresh(false, false);
    expect_break(0xffff);
    fresh(false, false); /* more chains than fit */
    ring.index = SIZE;
    ring_desc(&ring, 0, DATA, 1, 0, 0);
    expect_break(0);
    fresh(false, false); /* the index goes back */
    ring.index = (uint16_t)-2;
    expect_break(0);
}

TEST(queue_overlaps_are_only_the_guests_problem)
{
    uint32_t head, length;
    fresh(false, false);
    ring_desc(&ring, 0, ring.used, 64, RING_NEXT | RING_WRITE, 1);
    ring_desc(&ring, 1, ring.desc, 32, RING_NEXT | RING_WRITE, 2);
    ring_desc(&ring, 2, ring.desc + 16, 32, RING_WRITE, 0);
    ring_offer(&ring, 0);
    ASSERT_TRUE(queue_pop(&queue, &chain));
    struct queue_cursor cursor = queue_writable(&chain);
    uint8_t junk[128];
    memset(junk, 0xa5, sizeof(junk));
    EXPECT_EQ(queue_write(&queue, &cursor, junk, sizeof(junk)), 128U);
    queue_push(&queue, 0, 128);
    EXPECT_TRUE(ring_take(&ring, &head, &length));
    EXPECT_EQ(length, 128U);
    ring_offer(&ring, 0); /* the descriptors are junk now */
    EXPECT_FALSE(queue_pop(&queue, &chain));
    EXPECT_TRUE(queue.broken);
}

TEST(queue_memory_goes_away)
{
    fresh(false, false);
    ring_desc(&ring, 0, DATA, 1, 0, 0);
    ring_offer(&ring, 0);
    queue.driver = GUEST_END;
    EXPECT_FALSE(queue_pop(&queue, &chain));
    EXPECT_TRUE(queue.broken);
    fresh(false, false);
    queue.device = GUEST_END;
    queue_push(&queue, 0, 0);
    EXPECT_TRUE(queue.broken);
    fresh(false, true);
    queue.device = GUEST_END;
    EXPECT_FALSE(queue_watch(&queue, true));
    EXPECT_TRUE(queue.broken);
}

TEST(queue_interrupt_by_flag)
{
    fresh(false, false);
    EXPECT_FALSE(queue_wants_interrupt(&queue));
    queue_push(&queue, 0, 0);
    EXPECT_TRUE(queue_wants_interrupt(&queue));
    EXPECT_FALSE(queue_wants_interrupt(&queue));
    ring_set_flags(&ring, 1);
    queue_push(&queue, 0, 0);
    EXPECT_FALSE(queue_wants_interrupt(&queue));
    ring_set_flags(&ring, 0);
    EXPECT_FALSE(queue_wants_interrupt(&queue));
    queue_push(&queue, 0, 0);
    EXPECT_TRUE(queue_wants_interrupt(&queue));
}

TEST(queue_interrupt_by_index)
{
    static const struct {
        uint16_t from, event, pushes;
        bool want;
    } rows[] = {
        {0, 0, 1, true},          {0, 1, 1, false},    {0, 1, 2, true},         {0, 2, 2, false},
        {5, 4, 3, false},         {5, 5, 3, true},     {5, 7, 3, true},         {5, 8, 3, false},
        {65534, 0, 2, false},     {65534, 0, 3, true}, {65534, 65535, 2, true}, {65535, 65535, 1, true},
        {65535, 65534, 4, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%zu", i);
        fresh(false, true);
        ring_set_flags(&ring, 1); /* means nothing with indices */
        queue.used = queue.signalled = rows[i].from;
        ring_set_used_event(&ring, rows[i].event);
        for (uint16_t j = 0; j < rows[i].pushes; j++)
            queue_push(&queue, 0, 0);
        EXPECT_EQ(queue_wants_interrupt(&queue), rows[i].want);
    }
}

TEST(queue_watch_by_flag)
{
    fresh(false, false);
    EXPECT_FALSE(queue_watch(&queue, false));
    EXPECT_EQ(ring_flags(&ring), 1);
    EXPECT_FALSE(queue_watch(&queue, true));
    EXPECT_EQ(ring_flags(&ring), 0);
    ring_desc(&ring, 0, DATA, 1, 0, 0);
    ring_offer(&ring, 0);
    EXPECT_FALSE(queue_watch(&queue, false));
    EXPECT_TRUE(queue_watch(&queue, true));
}

TEST(queue_watch_by_index)
{
    fresh(false, true);
    ring_desc(&ring, 0, DATA, 1, 0, 0);
    ring_offer(&ring, 0);
    EXPECT_TRUE(queue_pop(&queue, &chain));
    EXPECT_FALSE(queue_watch(&queue, false));
    EXPECT_EQ(ring_avail_event(&ring), 0); /* behind: the driver stays silent */
    EXPECT_EQ(ring_flags(&ring), 0);
    EXPECT_FALSE(queue_watch(&queue, true));
    EXPECT_EQ(ring_avail_event(&ring), 1);
}

TEST(queue_reset_forgets)
{
    fresh(true, true);
    expect_break(SIZE);
    queue_reset(&queue, 4);
    EXPECT_EQ(queue.size, 4);
    EXPECT_FALSE(queue.broken || queue.enabled || queue.indirect || queue.event_idx);
    EXPECT_EQ(queue.descriptors | queue.driver | queue.device, 0U);
    EXPECT_TRUE(queue.memory == &guest_memory);
    EXPECT_FALSE(queue_pop(&queue, &chain));
    EXPECT_FALSE(queue.broken);
}
