/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of boot/boot_memmap.c: a table of small cases, and random records compared with a model
 * that paints each unit of memory with the greatest type that any record gives it.
 */
#include "boot/boot_build.h"

#include "tests/host/test.h"

enum {
    U = BOOT_MEM_USABLE,
    A = BOOT_MEM_ACPI_RECLAIM,
    N = BOOT_MEM_ACPI_NVS,
    R = BOOT_MEM_RESERVED,
    B = BOOT_MEM_BAD
};

static struct boot_memmap done; /* a finished copy of the map that was looked at last */

static void expect_sound(const struct boot_memmap *building)
{
    const struct boot_memmap *map = &done;
    done = *building;
    boot_memmap_end(&done);
    ASSERT_TRUE(map->count <= BOOT_MEMMAP_MAX);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct boot_mem *mem = &map->entry[i];
        EXPECT_NE(mem->len, 0);
        EXPECT_TRUE(mem->base <= UINT64_MAX - mem->len);
        if (i == 0)
            continue;
        const struct boot_mem *before = mem - 1;
        EXPECT_TRUE(before->base + before->len <= mem->base);
        EXPECT_FALSE(before->base + before->len == mem->base && before->type == mem->type);
    }
}

struct range {
    uint64_t base, len;
    int type;
};

static const struct {
    const char *name;
    struct range in[6], out[6]; /* up to the first one of length 0, but see `wild` */
} rows[] = {
    {"one", {{0, 10, U}}, {{0, 10, U}}},
    {"joined", {{0, 10, U}, {10, 10, U}}, {{0, 20, U}}},
    {"joined backwards", {{10, 10, U}, {0, 10, U}}, {{0, 20, U}}},
    {"neighbours of other type", {{10, 10, R}, {0, 10, U}}, {{0, 10, U}, {10, 10, R}}},
    {"same type overlaps", {{0, 10, U}, {5, 10, U}}, {{0, 15, U}}},
    {"same type bridges", {{0, 10, U}, {20, 10, U}, {5, 20, U}}, {{0, 30, U}}},
    {"exact bridge", {{0, 10, U}, {20, 10, U}, {10, 10, U}}, {{0, 30, U}}},
    {"same type inside", {{0, 30, U}, {5, 5, U}}, {{0, 30, U}}},
    {"same type around", {{5, 5, U}, {0, 30, U}}, {{0, 30, U}}},
    {"hole", {{0, 30, U}, {10, 10, R}}, {{0, 10, U}, {10, 10, R}, {20, 10, U}}},
    {"hole given first", {{10, 10, R}, {0, 30, U}}, {{0, 10, U}, {10, 10, R}, {20, 10, U}}},
    {"swallowed", {{10, 10, U}, {0, 30, R}}, {{0, 30, R}}},
    {"swallowed exactly", {{10, 10, U}, {10, 10, R}}, {{10, 10, R}}},
    {"never shows", {{0, 30, R}, {10, 10, U}}, {{0, 30, R}}},
    {"head", {{10, 20, U}, {0, 15, N}}, {{0, 15, N}, {15, 15, U}}},
    {"tail", {{0, 20, U}, {15, 15, A}}, {{0, 15, U}, {15, 15, A}}},
    {"over many",
     {{0, 10, U}, {10, 10, N}, {20, 10, U}, {30, 10, B}, {5, 30, R}},
     {{0, 5, U}, {5, 25, R}, {30, 10, B}}},
    {"under many",
     {{0, 10, R}, {20, 10, N}, {40, 10, B}, {5, 50, U}},
     {{0, 10, R}, {10, 10, U}, {20, 10, N}, {30, 10, U}, {40, 10, B}, {50, 5, U}}},
    {"order of types",
     {{0, 50, U}, {0, 40, A}, {0, 30, N}, {0, 20, R}, {0, 10, B}},
     {{0, 10, B}, {10, 10, R}, {20, 10, N}, {30, 10, A}, {40, 10, U}}},
    {"top of the space", {{UINT64_MAX - 10, 10, U}}, {{UINT64_MAX - 10, 10, U}}},
    {"nearly all", {{0, UINT64_MAX, U}, {5, 1, R}}, {{0, 5, U}, {5, 1, R}, {6, UINT64_MAX - 6, U}}},
};

TEST(memmap_rows)
{
    for (size_t r = 0; r < COUNT(rows); r++) {
        static struct boot_memmap map;
        uint32_t want = 0;
        test_row("%s", rows[r].name);
        boot_memmap_begin(&map);
        for (size_t i = 0; i < COUNT(rows[r].in) && rows[r].in[i].len != 0; i++)
            boot_memmap_add(&map, rows[r].in[i].base, rows[r].in[i].len,
                            (enum boot_mem_type)rows[r].in[i].type);
        expect_sound(&map);
        while (want < COUNT(rows[r].out) && rows[r].out[want].len != 0)
            want++;
        EXPECT_EQ(done.count, want);
        for (uint32_t i = 0; i < want && i < done.count; i++) {
            EXPECT_EQ(done.entry[i].base, rows[r].out[i].base);
            EXPECT_EQ(done.entry[i].len, rows[r].out[i].len);
            EXPECT_EQ((int)done.entry[i].type, rows[r].out[i].type);
        }
        EXPECT_EQ(map.dropped_empty + map.dropped_wrapped + map.dropped_full, 0);
    }
}

TEST(memmap_empty_and_wrapping_are_counted)
{
    static const struct range wild[] = {
        {0, 0, U},          {UINT64_MAX, 0, R},          {1, UINT64_MAX, U},
        {UINT64_MAX, 1, U}, {UINT64_MAX, UINT64_MAX, R}, {0xfffffffffffff000, 0x1000, R},
    };
    static struct boot_memmap map;
    boot_memmap_begin(&map);
    for (size_t i = 0; i < COUNT(wild); i++)
        boot_memmap_add(&map, wild[i].base, wild[i].len, (enum boot_mem_type)wild[i].type);
    expect_sound(&map);
    EXPECT_EQ(done.count, 0);
    EXPECT_EQ(map.dropped_empty, 2);
    EXPECT_EQ(map.dropped_wrapped, 4);
    EXPECT_FALSE(boot_memmap_has_usable(&map));
}

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * n) >> 32);
}

enum { UNITS = 2500, MODEL_UNITS = 700, NOTHING = -1 };

static void paint(int *unit, uint32_t base, uint32_t len, int type)
{
    for (uint32_t i = base; i < base + len; i++)
        unit[i] = type > unit[i] ? type : unit[i];
}

static int shown(const struct boot_memmap *map, uint64_t at)
{
    for (uint32_t i = 0; i < map->count; i++) {
        if (at >= map->entry[i].base && at - map->entry[i].base < map->entry[i].len)
            return (int)map->entry[i].type;
    }
    return NOTHING;
}

TEST(memmap_random_against_model)
{
    for (uint32_t seed = 1; seed <= 300; seed++) {
        static struct boot_memmap map;
        static int unit[UNITS];
        test_row("seed %u", seed);
        random_state = seed;
        boot_memmap_begin(&map);
        for (size_t i = 0; i < MODEL_UNITS; i++)
            unit[i] = NOTHING;
        for (unsigned n = 0; n < 60; n++) {
            uint32_t base = random_below(MODEL_UNITS - 40), len = 1 + random_below(40);
            int type = (int)random_below(BOOT_MEM_BAD + 1);
            boot_memmap_add(&map, base, len, (enum boot_mem_type)type);
            paint(unit, base, len, type);
            expect_sound(&map);
        }
        ASSERT_EQ(map.dropped_full, 0);
        for (uint32_t i = 0; i < MODEL_UNITS; i++)
            ASSERT_EQ(shown(&done, i), unit[i]);
    }
}

/* With more pieces than room, what is shown as usable must be usable, and what is shown must have
 * been said. */
TEST(memmap_full_stays_safe)
{
    for (uint32_t seed = 1; seed <= 30; seed++) {
        static struct boot_memmap map;
        static int unit[UNITS];
        test_row("seed %u", seed);
        random_state = seed;
        boot_memmap_begin(&map);
        for (size_t i = 0; i < UNITS; i++)
            unit[i] = NOTHING;
        for (unsigned n = 0; n < 2500; n++) {
            uint32_t len = 1 + random_below(2), base = random_below(UNITS - len);
            int type = (int)random_below(BOOT_MEM_BAD + 1);
            if (n % 200 == 199) {
                len = 200;
                base = random_below(UNITS - 200);
                type = U;
            }
            boot_memmap_add(&map, base, len, (enum boot_mem_type)type);
            paint(unit, base, len, type);
        }
        expect_sound(&map);
        EXPECT_NE(map.dropped_full, 0);
        for (uint32_t i = 0; i < UNITS; i++) {
            if (shown(&done, i) == U)
                EXPECT_EQ(unit[i], U);
        }
    }
}

/* The last entry that has room takes the range from 1000000 to the top; it cannot be cut any more. */
static void fill_up(struct boot_memmap *map)
{
    boot_memmap_begin(map);
    for (uint64_t i = 0; map->count < BOOT_MEMMAP_MAX - 1; i++)
        boot_memmap_add(map, i, 1, i % 2 ? BOOT_MEM_USABLE : BOOT_MEM_RESERVED);
    boot_memmap_add(map, 1000000, UINT64_MAX - 1000000, BOOT_MEM_USABLE);
}

TEST(memmap_full_restricts_the_whole_entry)
{
    static const struct range full[] = {
        {2000000, 10, R}, {1000000, 10, R}, {1000010, UINT64_MAX - 1000010, R}};
    for (size_t i = 0; i < COUNT(full); i++) {
        static struct boot_memmap map;
        test_row("%zu", i);
        fill_up(&map);
        ASSERT_EQ(map.count, BOOT_MEMMAP_MAX);
        EXPECT_TRUE(boot_memmap_is_usable(&map, 2000000, 3000000));
        boot_memmap_add(&map, full[i].base, full[i].len, BOOT_MEM_RESERVED);
        EXPECT_TRUE(map.dropped_full > 0);
        EXPECT_FALSE(boot_memmap_is_usable(&map, 2000000, 2000001));
        boot_memmap_add(&map, 900000, 10, BOOT_MEM_USABLE); /* in a hole that cannot be cut */
        EXPECT_FALSE(boot_memmap_is_usable(&map, 900000, 900001));
        expect_sound(&map);
    }
}

TEST(memmap_is_usable)
{
    static struct boot_memmap map;
    boot_memmap_begin(&map);
    boot_memmap_add(&map, 100, 100, BOOT_MEM_USABLE);
    boot_memmap_add(&map, 200, 100, BOOT_MEM_ACPI_RECLAIM);
    boot_memmap_add(&map, 400, 50, BOOT_MEM_USABLE);
    boot_memmap_add(&map, 450, 50, BOOT_MEM_USABLE);
    EXPECT_TRUE(boot_memmap_is_usable(&map, 100, 200));
    EXPECT_TRUE(boot_memmap_is_usable(&map, 440, 460));
    EXPECT_FALSE(boot_memmap_is_usable(&map, 99, 200));
    EXPECT_FALSE(boot_memmap_is_usable(&map, 100, 201));
    EXPECT_FALSE(boot_memmap_is_usable(&map, 200, 300));
    EXPECT_FALSE(boot_memmap_is_usable(&map, 300, 400));
    EXPECT_TRUE(boot_memmap_has_usable(&map));
}

TEST(memmap_basic)
{
    static struct boot_memmap map;
    boot_memmap_begin(&map);
    boot_memmap_add_basic(&map, 0, 0);
    EXPECT_EQ(map.count, 1);
    EXPECT_EQ(map.dropped_empty, 0);
    boot_memmap_add_basic(&map, 640, UINT32_MAX);
    boot_memmap_end(&map);
    ASSERT_EQ(map.count, 2);
    EXPECT_EQ(map.entry[0].len, 640 * 1024);
    EXPECT_EQ(map.entry[1].base, 0x100000);
    EXPECT_EQ(map.entry[1].len, 0x3fffffffc00ull);
}

TEST(memmap_type_names)
{
    static const struct {
        uint32_t e820;
        const char *name;
    } names[] = {
        {0, "reserved"}, {1, "usable"},   {2, "reserved"},   {3, "ACPI reclaimable"},  {4, "ACPI NVS"},
        {5, "bad"},      {6, "reserved"}, {7, "persistent"}, {UINT32_MAX, "reserved"},
    };
    for (size_t i = 0; i < COUNT(names); i++)
        EXPECT_STREQ(boot_mem_type_text(boot_mem_type_of_e820(names[i].e820)), names[i].name);
    EXPECT_STREQ(boot_mem_type_text((enum boot_mem_type)(BOOT_MEM_BAD + 1)), "unknown");
}
