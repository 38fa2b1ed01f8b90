/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/core/ram.c against a model with one byte per page: a small machine with random memory maps, compared
 * place by place.
 */
#include "hv/core/ram.h"

#include "arch/cpu/bits.h"
#include "tests/host/random.h"
#include "tests/host/test.h"

enum { PAGES = 96 };

static struct boot_memmap map;
static bool usable[PAGES], taken[PAGES];

/* Sorted, not overlapping, neighbours of different types: what boot_info promises. Edges are not on pages. */
static void random_map(struct random *r)
{
    uint64_t base = 0;
    map.count = 0;
    memset(usable, 0, sizeof(usable));
    memset(taken, 0, sizeof(taken));
    while (map.count < 12) {
        base += random_one_in(r, 3) ? 1 + random_below(r, 3 * PAGE_SIZE) : 0;
        uint64_t len = 1 + random_below(r, 20 * PAGE_SIZE);
        if (random_one_in(r, 2))
            base = align_up(base, PAGE_SIZE), len = align_up(len, PAGE_SIZE);
        enum boot_mem_type type = random_one_in(r, 4) ? BOOT_MEM_RESERVED : BOOT_MEM_USABLE;
        if (base + len > PAGES * PAGE_SIZE)
            break;
        const struct boot_mem *last = map.count ? &map.entry[map.count - 1] : NULL;
        if (last && last->type == type && last->base + last->len == base)
            continue;
        map.entry[map.count++] = (struct boot_mem){base, len, type};
        for (uint64_t p = align_up(base, PAGE_SIZE); type == BOOT_MEM_USABLE && p + PAGE_SIZE <= base + len;
             p += PAGE_SIZE)
            usable[p / PAGE_SIZE] = true;
        base += len;
    }
}

static uint64_t model_find(uint64_t size, uint64_t align, uint64_t low, uint64_t high)
{
    uint64_t pages = align_up(size, PAGE_SIZE) / PAGE_SIZE;
    for (uint64_t pa = PAGES * PAGE_SIZE; size && pa > 0;) {
        pa -= align < PAGE_SIZE ? align : PAGE_SIZE;
        if (pa % align || pa < low || pa + size > high || pa % PAGE_SIZE)
            continue;
        uint64_t n = 0;
        while (n < pages && pa / PAGE_SIZE + n < PAGES && usable[pa / PAGE_SIZE + n] &&
               !taken[pa / PAGE_SIZE + n])
            n++;
        if (n == pages)
            return pa;
    }
    return 0;
}

static void check_taken(const struct ram *r)
{
    static bool got[PAGES];
    memset(got, 0, sizeof(got));
    for (uint32_t i = 0; i < r->taken_count; i++) {
        const struct ram_range *t = &r->taken[i];
        EXPECT_TRUE(t->start < t->end && t->start % PAGE_SIZE == 0 && t->end % PAGE_SIZE == 0);
        if (i)
            EXPECT_TRUE(r->taken[i - 1].end < t->start); /* ranges that touch are joined */
        for (uint64_t p = t->start / PAGE_SIZE; p < t->end / PAGE_SIZE && p < PAGES; p++)
            got[p] = true;
    }
    EXPECT_MEMEQ(got, taken, sizeof(got));
}

TEST(random_machines)
{
    struct random r = {31};
    unsigned long found = 0, none = 0;
    for (unsigned round = 0; round < 20000 && test_state.failures == 0; round++) {
        struct ram ram = {.map = &map};
        random_map(&r);
        test_row("round %u", round);
        for (unsigned i = 0; i < 8; i++) {
            uint64_t start = random_below(&r, PAGES * PAGE_SIZE);
            uint64_t end = start + 1 + random_below(&r, random_one_in(&r, 2) ? PAGE_SIZE : 8 * PAGE_SIZE);
            if (end > PAGES * PAGE_SIZE)
                end = PAGES * PAGE_SIZE;
            EXPECT_TRUE(ram_take(&ram, start, end));
            for (uint64_t p = start / PAGE_SIZE; p * PAGE_SIZE < end; p++)
                taken[p] = true;
            check_taken(&ram);
            uint64_t size = random_below(&r, 10) * PAGE_SIZE, align = PAGE_SIZE << random_below(&r, 4);
            uint64_t low = random_below(&r, PAGES) * PAGE_SIZE,
                     high = random_below(&r, PAGES + 4) * PAGE_SIZE;
            if (random_one_in(&r, 2))
                low = 0, high = UINT64_MAX;
            uint64_t got = ram_find(&ram, size, align, low, high);
            EXPECT_EQ(got, model_find(size, align, low, high));
            found += got != 0;
            none += got == 0;
        }
    }
    EXPECT_TRUE(found > 10000 && none > 10000);
}

TEST(sums_and_top)
{
    struct random r = {32};
    for (unsigned round = 0; round < 5000; round++) {
        uint64_t sum = 0, top = 0;
        random_map(&r);
        for (uint64_t p = 0; p < PAGES; p++)
            if (usable[p]) {
                sum += PAGE_SIZE;
                top = (p + 1) * PAGE_SIZE;
            }
        EXPECT_EQ(ram_usable(&map), sum);
        if (sum) /* an entry without one whole page may end higher */
            EXPECT_TRUE(ram_top(&map) >= top && ram_top(&map) < top + 40 * PAGE_SIZE);
    }
}

TEST(list_of_taken_ranges_is_full)
{
    struct ram ram = {.map = &map};
    map.count = 0;
    for (uint64_t i = 0; i < RAM_TAKEN_MAX; i++)
        EXPECT_TRUE(ram_take(&ram, (2 * i + 2) * PAGE_SIZE, (2 * i + 3) * PAGE_SIZE));
    struct ram before = ram;
    EXPECT_FALSE(ram_take(&ram, 0, PAGE_SIZE));
    EXPECT_MEMEQ(&ram, &before, sizeof(ram));
    /* What joins needs no place. */
    EXPECT_TRUE(ram_take(&ram, 3 * PAGE_SIZE, 4 * PAGE_SIZE));
    EXPECT_EQ(ram.taken_count, RAM_TAKEN_MAX - 1);
    EXPECT_TRUE(ram_take(&ram, 0, 1));
    EXPECT_FALSE(ram_take(&ram, 1000 * PAGE_SIZE, 1001 * PAGE_SIZE));
    EXPECT_TRUE(ram_take(&ram, 0, 10000 * PAGE_SIZE));
    EXPECT_EQ(ram.taken_count, 1);
}

TEST(empty_map)
{
    struct ram ram = {.map = &map};
    map.count = 0;
    EXPECT_EQ(ram_find(&ram, PAGE_SIZE, PAGE_SIZE, 0, UINT64_MAX), 0);
    EXPECT_EQ(ram_usable(&map), 0);
    EXPECT_EQ(ram_top(&map), 0);
}
