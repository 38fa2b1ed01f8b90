/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/core/page.c: one pool for all tests, as in the hypervisor. The first test runs on the untouched pool;
 * each gives back what it took.
 */
#include "hv/core/page.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

enum { PAGES = 256, MANY = 7 };

static const uint64_t POOL_PA = 0x7f000000;
static uint8_t *pool;

/* Physical addresses that are no pointers, so that a mix-up cannot go unnoticed. */
static void setup(void)
{
    if (pool)
        return;
    pool = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
    memset(pool, 0x5a, PAGES * PAGE_SIZE);
    page_init(POOL_PA, PAGES * PAGE_SIZE);
    page_set_linear((uint64_t)(uintptr_t)pool);
}

static bool is_zero(const void *page, uint64_t pages)
{
    const uint8_t *p = page;
    for (uint64_t i = 0; i < pages * PAGE_SIZE; i++)
        if (p[i])
            return false;
    return true;
}

static bool in_pool(const void *page)
{
    const uint8_t *p = page;
    return p >= pool && p < pool + PAGES * PAGE_SIZE && (uint64_t)(p - pool) % PAGE_SIZE == 0;
}

TEST(adjoining_pages_from_the_fresh_end)
{
    setup();
    EXPECT_EQ(page_total(), PAGES);
    EXPECT_EQ(page_free_count(), PAGES);
    void *one = page_alloc();
    uint8_t *many = page_alloc_many(MANY);
    ASSERT_TRUE(in_pool(one) && in_pool(many));
    EXPECT_TRUE(many + MANY * PAGE_SIZE <= pool + PAGES * PAGE_SIZE);
    EXPECT_TRUE(is_zero(one, 1) && is_zero(many, MANY));
    EXPECT_EQ(page_free_count(), PAGES - 1 - MANY);
    page_free(one);
    /* A page that was given back does not adjoin the fresh end. */
    EXPECT_TRUE(page_alloc_many(PAGES - MANY) == NULL);
    EXPECT_EQ(page_free_count(), PAGES - MANY);
    EXPECT_TRUE(page_alloc_many(PAGES + 1) == NULL);
    for (unsigned i = 0; i < MANY; i++)
        page_free(many + i * PAGE_SIZE);
    EXPECT_EQ(page_free_count(), PAGES);
}

TEST(each_page_once_and_zeroed)
{
    static void *page[PAGES];
    setup();
    for (unsigned round = 0; round < 3; round++) {
        static bool seen[PAGES];
        memset(seen, 0, sizeof(seen));
        for (unsigned i = 0; i < PAGES; i++) {
            page[i] = page_alloc();
            ASSERT_TRUE(in_pool(page[i]));
            unsigned n = (unsigned)(((uint8_t *)page[i] - pool) / (ptrdiff_t)PAGE_SIZE);
            EXPECT_FALSE(seen[n]);
            seen[n] = true;
            EXPECT_TRUE(is_zero(page[i], 1));
            memset(page[i], 0xee, PAGE_SIZE);
        }
        EXPECT_TRUE(page_alloc() == NULL);
        EXPECT_EQ(page_alloc_pa(), 0);
        EXPECT_EQ(page_free_count(), 0);
        for (unsigned i = 0; i < PAGES; i++)
            page_free(page[i]);
        EXPECT_EQ(page_free_count(), PAGES);
    }
    page_free(NULL);
    EXPECT_EQ(page_free_count(), PAGES);
}

TEST(physical_addresses)
{
    setup();
    uint64_t pa = page_alloc_pa();
    EXPECT_TRUE(pa >= POOL_PA && pa < POOL_PA + PAGES * PAGE_SIZE && pa % PAGE_SIZE == 0);
    uint8_t *page = page_from_pa(pa);
    EXPECT_TRUE(page == pool + (pa - POOL_PA));
    EXPECT_EQ(page_pa(page), pa);
    EXPECT_EQ(page_pa(page + 100), pa + 100);
    page_free(page);
}

TEST(the_kth_allocation_fails_once)
{
    setup();
    for (uint64_t k = 1; k <= 20; k++) {
        void *page[20];
        unsigned failures = 0;
        page_fail_at(k);
        for (unsigned i = 0; i < 20; i++) {
            page[i] = page_alloc();
            EXPECT_EQ(page[i] == NULL, i + 1 == k);
            failures += page[i] == NULL;
        }
        EXPECT_EQ(failures, 1);
        EXPECT_EQ(page_free_count(), PAGES - 19);
        for (unsigned i = 0; i < 20; i++)
            page_free(page[i]);
    }
    page_fail_at(1);
    page_fail_at(0);
    void *page = page_alloc();
    EXPECT_TRUE(page != NULL);
    page_free(page);
    EXPECT_EQ(page_free_count(), PAGES);
}

TEST(random_taking_and_giving)
{
    static void *held[PAGES];
    unsigned count = 0;
    struct random r = {9};
    setup();
    for (unsigned i = 0; i < 20000; i++) {
        if (random_one_in(&r, 2)) {
            void *page = page_alloc();
            EXPECT_EQ(page == NULL, count == PAGES);
            if (!page)
                continue;
            memset(page, (int)(count & 0xff), PAGE_SIZE); /* a list through it would break */
            held[count++] = page;
        } else if (count) {
            unsigned n = (unsigned)random_below(&r, count);
            page_free(held[n]);
            held[n] = held[--count];
        }
        EXPECT_EQ(page_free_count(), PAGES - count);
    }
    while (count)
        page_free(held[--count]);
    EXPECT_EQ(page_free_count(), PAGES);
}
