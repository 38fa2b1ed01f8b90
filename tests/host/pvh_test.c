/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of boot/pvh.c: layouts are typed from Xen's public description of hvm_start_info. */
#include "boot/boot_info.h"

#include "tests/host/blob.h"
#include "tests/host/boot_expect.h"
#include "tests/host/fake_mem.h"

enum { INFO_PA = 0x9000, CMDLINE_PA = 0xa000, MEMMAP_PA = 0xc000, MODS_PA = 0xd000, STRING_PA = 0xe000 };
enum {
    OFF_VERSION = 4,
    OFF_NR_MODULES = 12,
    OFF_MODLIST = 16,
    OFF_CMDLINE = 24,
    OFF_RSDP = 32,
    OFF_MEMMAP = 40,
    OFF_ENTRIES = 48,
    INFO_SIZE = 56
};

static struct blob info, cmdline, memmap, mods, string;

static void entry(uint64_t base, uint64_t len, uint32_t type)
{
    blob_u64(&memmap, base);
    blob_u64(&memmap, len);
    blob_u32(&memmap, type);
    blob_u32(&memmap, 0);
    blob_put(&info, OFF_ENTRIES, 4, memmap.len / 24);
}

static void module(uint64_t start, uint64_t size, uint64_t text)
{
    blob_u64(&mods, start);
    blob_u64(&mods, size);
    blob_u64(&mods, text);
    blob_u64(&mods, 0);
    blob_put(&info, OFF_NR_MODULES, 4, mods.len / 32);
}

static void setup(uint32_t version)
{
    info.len = memmap.len = mods.len = cmdline.len = string.len = 0;
    blob_fill(&info, INFO_SIZE, 0);
    blob_put(&info, 0, 4, 0x336ec578);
    blob_put(&info, OFF_VERSION, 4, version);
    blob_put(&info, OFF_MODLIST, 8, MODS_PA);
    blob_put(&info, OFF_CMDLINE, 8, CMDLINE_PA);
    blob_put(&info, OFF_RSDP, 8, 0xf5a40);
    blob_put(&info, OFF_MEMMAP, 8, MEMMAP_PA);
    blob_bytes(&cmdline, "loglevel=info", 14);
    blob_bytes(&string, "manager", 8);
    entry(0, 0x9fc00, 1);
    entry(0x100000, 0x7f00000, 1);
    entry(0x100000000, 0x100000000, 1);
    entry(0xfffc0000, 0x40000, 2);
    module(0x400000, 0x1000, STRING_PA);
    module(0x180000000, 0x80000000, 0);
}

static enum boot_error parse(void)
{
    struct fake_mem mem = {0};
    struct boot_env env = {fake_mem_map, &mem, 0x200000, 0x300000};
    fake_mem_add(&mem, INFO_PA, info.bytes, info.len);
    fake_mem_add(&mem, CMDLINE_PA, cmdline.bytes, cmdline.len);
    fake_mem_add(&mem, MEMMAP_PA, memmap.bytes, memmap.len);
    fake_mem_add(&mem, MODS_PA, mods.bytes, mods.len);
    fake_mem_add(&mem, STRING_PA, string.bytes, string.len);
    memset(&out, 0xa5, sizeof(out));
    enum boot_error error = boot_info_from_pvh(&out, &env, INFO_PA);
    fake_mem_drop(&mem);
    return error;
}

TEST(pvh_whole)
{
    for (uint32_t version = 1; version < 4; version++) {
        setup(version);
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_EQ(out.loader, BOOT_PVH);
        EXPECT_STREQ(out.loader_name, "");
        EXPECT_STREQ(out.cmdline, "loglevel=info");
        EXPECT_EQ(out.rsdp_pa, 0xf5a40);
        ASSERT_EQ(out.memmap.count, 4);
        EXPECT_EQ(out.memmap.entry[3].base, 0x100000000);
        ASSERT_EQ(out.module_count, 2);
        EXPECT_STREQ(out.module[0].string, "manager");
        EXPECT_EQ(out.module[1].start, 0x180000000);
        EXPECT_EQ(out.module[1].end, 0x200000000);
        EXPECT_EQ(out.problem_count, 0);
    }
}

TEST(pvh_version_0_has_no_memory_map)
{
    setup(0);
    info.len = 40;
    EXPECT_EQ(parse(), BOOT_ERROR_NO_MEMORY_MAP);
    expect_zero();
}

TEST(pvh_info_truncated)
{
    for (size_t len = 0; len < INFO_SIZE; len++) {
        test_row("%zu bytes", len);
        setup(1);
        info.len = len;
        EXPECT_EQ(parse(), BOOT_ERROR_INFO_UNREADABLE);
        expect_zero();
    }
}

TEST(pvh_magic)
{
    static const uint32_t magics[] = {0, 1, 0x336ec577, 0x78c56e33, UINT32_MAX};
    for (size_t i = 0; i < COUNT(magics); i++) {
        setup(1);
        blob_put(&info, 0, 4, magics[i]);
        EXPECT_EQ(parse(), BOOT_ERROR_MAGIC);
        expect_zero();
    }
}

TEST(pvh_memory_map_truncated)
{
    for (size_t len = 0; len < 96; len++) {
        test_row("%zu bytes", len);
        setup(1);
        blob_put(&info, OFF_NR_MODULES, 4, 0);
        memmap.len = len;
        enum boot_error error = parse();
        EXPECT_EQ(error, len < 24 ? BOOT_ERROR_NO_MEMORY_MAP : BOOT_OK);
        EXPECT_EQ(out.memmap.count, len / 24);
        if (error == BOOT_OK)
            expect_problem(0, BOOT_PROBLEM_MEMMAP_UNREADABLE, (uint32_t)(len / 24));
    }
}

TEST(pvh_memory_map_absurd)
{
    static const struct {
        uint64_t pa;
        uint32_t entries;
        enum boot_error error;
    } rows[] = {
        {0, 4, BOOT_ERROR_NO_MEMORY_MAP},
        {MEMMAP_PA, 0, BOOT_ERROR_NO_MEMORY_MAP},
        {UINT64_MAX, 4, BOOT_ERROR_NO_MEMORY_MAP},
        {UINT64_MAX - 10, UINT32_MAX, BOOT_ERROR_NO_MEMORY_MAP},
        {MEMMAP_PA, 1, BOOT_OK},
        {MEMMAP_PA, UINT32_MAX, BOOT_OK},
        {MEMMAP_PA + 72, 1, BOOT_ERROR_NO_USABLE_MEMORY},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%zu", i);
        setup(1);
        blob_put(&info, OFF_MEMMAP, 8, rows[i].pa);
        blob_put(&info, OFF_ENTRIES, 4, rows[i].entries);
        EXPECT_EQ(parse(), rows[i].error);
        if (rows[i].error != BOOT_OK)
            expect_zero();
    }
    setup(1);
    memmap.len = 0;
    for (uint64_t i = 0; i < 4100; i++)
        entry(i * 0x2000, 0x1000, 1);
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.memmap.count, BOOT_MEMMAP_MAX / 2); /* the holes between take the rest */
    EXPECT_TRUE(out.memmap.dropped_full > 0);
    expect_problem(0, BOOT_PROBLEM_MEMMAP_TOO_LONG, 4096);
}

TEST(pvh_modules)
{
    static const struct {
        const char *name;
        uint64_t start, size;
        int problem; /* -1: accepted */
    } rows[] = {
        {"accepted", 0x600000, 0x1000, -1},
        {"empty", 0x600000, 0, BOOT_PROBLEM_MODULE_EMPTY},
        {"wraps", 0x600000, UINT64_MAX, BOOT_PROBLEM_MODULE_RANGE},
        {"wraps to 0", 0x600000, 0ull - 0x600000, BOOT_PROBLEM_MODULE_RANGE},
        {"all ones", UINT64_MAX, UINT64_MAX, BOOT_PROBLEM_MODULE_RANGE},
        {"image", 0x2ff000, 0x2000, BOOT_PROBLEM_MODULE_OVERLAPS_IMAGE},
        {"module", 0x3ff000, 0x1001, BOOT_PROBLEM_MODULE_OVERLAPS_MODULE},
        {"hole", 0x9fc00, 1, BOOT_PROBLEM_MODULE_OUTSIDE_RAM},
        {"over the hole", 0x7000000, 0x100000000, BOOT_PROBLEM_MODULE_OUTSIDE_RAM},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].name);
        setup(1);
        mods.len = 0;
        module(0x400000, 0x1000, STRING_PA);
        module(rows[i].start, rows[i].size, STRING_PA);
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_EQ(out.module_count, rows[i].problem < 0 ? 2 : 1);
        if (rows[i].problem >= 0)
            expect_problem(0, (enum boot_problem_kind)rows[i].problem, 1);
    }
}

TEST(pvh_module_list_broken)
{
    static const struct {
        uint64_t pa;
        uint32_t count, problem_index;
    } rows[] = {{0, 1, 0},
                {UINT64_MAX, UINT32_MAX, 0},
                {UINT64_MAX - 40, 9, 0},
                {MODS_PA, UINT32_MAX, 2},
                {MODS_PA + 1, 2, 1}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%zu", i);
        setup(1);
        blob_put(&info, OFF_MODLIST, 8, rows[i].pa);
        blob_put(&info, OFF_NR_MODULES, 4, rows[i].count);
        ASSERT_EQ(parse(), BOOT_OK);
        ASSERT_TRUE(out.problem_count > 0);
        expect_problem(out.problem_count - 1, BOOT_PROBLEM_MODULE_LIST_UNREADABLE, rows[i].problem_index);
    }
    for (size_t len = 0; len < 64; len++) {
        test_row("%zu bytes", len);
        setup(1);
        mods.len = len;
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_EQ(out.module_count, len / 32);
    }
}

TEST(pvh_strings_unreadable)
{
    setup(1);
    cmdline.len = 13;
    string.len = 7;
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_STREQ(out.cmdline, "");
    EXPECT_EQ(out.module_count, 2);
    EXPECT_STREQ(out.module[0].string, "");
    expect_problem(0, BOOT_PROBLEM_CMDLINE_UNREADABLE, 0);
    expect_problem(1, BOOT_PROBLEM_MODULE_STRING_UNREADABLE, 0);
    setup(1);
    blob_put(&info, OFF_CMDLINE, 8, UINT64_MAX);
    ASSERT_EQ(parse(), BOOT_OK);
    expect_problem(0, BOOT_PROBLEM_CMDLINE_UNREADABLE, 0);
    blob_put(&info, OFF_CMDLINE, 8, 0);
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.problem_count, 0);
}
