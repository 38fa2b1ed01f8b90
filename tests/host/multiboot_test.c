/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of boot/multiboot.c: layouts are typed from the Multiboot 0.6.96 specification,
 * section 3.3. */
#include "boot/boot_info.h"

#include "tests/host/blob.h"
#include "tests/host/boot_expect.h"
#include "tests/host/fake_mem.h"

enum {
    INFO_PA = 0x9000,
    CMDLINE_PA = 0xa000,
    NAME_PA = 0xb000,
    MMAP_PA = 0xc000,
    MODS_PA = 0xd000,
    STRING_PA = 0xe000
};
enum { FLAG_MEM = 1, FLAG_CMDLINE = 4, FLAG_MODS = 8, FLAG_MMAP = 0x40, FLAG_NAME = 0x200 };
enum { FLAGS_ALL = FLAG_MEM | FLAG_CMDLINE | FLAG_MODS | FLAG_MMAP | FLAG_NAME };
enum {
    OFF_LOWER = 4,
    OFF_UPPER = 8,
    OFF_CMDLINE = 16,
    OFF_MODS_COUNT = 20,
    OFF_MODS_ADDR = 24,
    OFF_MMAP_LENGTH = 44,
    OFF_MMAP_ADDR = 48,
    OFF_NAME = 64,
    INFO_SIZE = 72
};

static struct blob info, cmdline, name, mmap, mods, string;

static void record(uint32_t size, uint64_t base, uint64_t len, uint32_t type)
{
    blob_u32(&mmap, size);
    blob_u64(&mmap, base);
    blob_u64(&mmap, len);
    blob_u32(&mmap, type);
    if (size > 20 && size < 100)
        blob_fill(&mmap, size - 20, 0xee);
    blob_put(&info, OFF_MMAP_LENGTH, 4, mmap.len);
}

static void module(uint32_t start, uint32_t end, uint32_t text)
{
    blob_u32(&mods, start);
    blob_u32(&mods, end);
    blob_u32(&mods, text);
    blob_u32(&mods, 0);
    blob_put(&info, OFF_MODS_COUNT, 4, mods.len / 16);
}

static void set_string(struct blob *blob, const char *text)
{
    blob->len = 0;
    blob_bytes(blob, text, strlen(text) + 1);
}

/* A sound machine: 640 KiB and 127 MiB of RAM, a reserved hole, two modules. */
static void setup(uint32_t flags)
{
    info.len = mmap.len = mods.len = 0;
    blob_fill(&info, INFO_SIZE, 0);
    blob_put(&info, 0, 4, flags);
    blob_put(&info, OFF_LOWER, 4, 639);
    blob_put(&info, OFF_UPPER, 4, 64 * 1024);
    blob_put(&info, OFF_CMDLINE, 4, CMDLINE_PA);
    blob_put(&info, OFF_MODS_ADDR, 4, MODS_PA);
    blob_put(&info, OFF_MMAP_ADDR, 4, MMAP_PA);
    blob_put(&info, OFF_NAME, 4, NAME_PA);
    set_string(&cmdline, "/boot/signalbox com1=115200");
    set_string(&name, "GNU GRUB 0.97");
    set_string(&string, "manager.elf console=x");
    record(20, 0, 0xa0000, 1);
    record(24, 0xf0000, 0x10000, 2); /* a longer record, as ACPI 3 loaders make */
    record(20, 0x100000, 0x7f00000, 1);
    record(20, 0xfee00000, 0x1000, 9);
    module(0x400000, 0x401234, STRING_PA);
    module(0x500000, 0x500001, 0);
}

static enum boot_error parse(void)
{
    struct fake_mem mem = {0};
    struct boot_env env = {fake_mem_map, &mem, 0x200000, 0x300000};
    fake_mem_add(&mem, INFO_PA, info.bytes, info.len);
    fake_mem_add(&mem, CMDLINE_PA, cmdline.bytes, cmdline.len);
    fake_mem_add(&mem, NAME_PA, name.bytes, name.len);
    fake_mem_add(&mem, MMAP_PA, mmap.bytes, mmap.len);
    fake_mem_add(&mem, MODS_PA, mods.bytes, mods.len);
    fake_mem_add(&mem, STRING_PA, string.bytes, string.len);
    memset(&out, 0xa5, sizeof(out));
    enum boot_error error = boot_info_from_multiboot1(&out, &env, INFO_PA);
    fake_mem_drop(&mem);
    return error;
}

TEST(multiboot_whole)
{
    setup(FLAGS_ALL);
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.loader, BOOT_MULTIBOOT1);
    EXPECT_STREQ(out.loader_name, "GNU GRUB 0.97");
    EXPECT_STREQ(out.cmdline, "/boot/signalbox com1=115200");
    EXPECT_FALSE(out.cmdline_truncated);
    EXPECT_EQ(out.rsdp_pa, 0);
    EXPECT_EQ(out.rsdp_len, 0);
    ASSERT_EQ(out.memmap.count, 4);
    EXPECT_EQ(out.memmap.entry[1].base, 0xf0000);
    EXPECT_EQ(out.memmap.entry[1].type, BOOT_MEM_RESERVED);
    EXPECT_EQ(out.memmap.entry[2].len, 0x7f00000);
    EXPECT_EQ(out.memmap.entry[2].type, BOOT_MEM_USABLE);
    EXPECT_EQ(out.memmap.entry[3].type, BOOT_MEM_RESERVED);
    ASSERT_EQ(out.module_count, 2);
    EXPECT_EQ(out.module[0].start, 0x400000);
    EXPECT_EQ(out.module[0].end, 0x401234);
    EXPECT_STREQ(out.module[0].string, "manager.elf console=x");
    EXPECT_EQ(out.module[1].index, 1);
    EXPECT_STREQ(out.module[1].string, "");
    EXPECT_EQ(out.problem_count, 0);
}

TEST(multiboot_flags_are_obeyed)
{
    setup(FLAG_MEM);
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_STREQ(out.loader_name, "");
    EXPECT_STREQ(out.cmdline, "");
    EXPECT_EQ(out.module_count, 0);
    ASSERT_EQ(out.memmap.count, 2);
    EXPECT_EQ(out.memmap.entry[0].len, 639 * 1024);
    EXPECT_EQ(out.memmap.entry[1].base, 0x100000);
    EXPECT_EQ(out.memmap.entry[1].len, 0x4000000);
    setup(FLAGS_ALL & ~FLAG_MEM & ~FLAG_MMAP);
    EXPECT_EQ(parse(), BOOT_ERROR_NO_MEMORY_MAP);
    expect_zero();
}

TEST(multiboot_info_truncated)
{
    for (size_t len = 0; len < INFO_SIZE; len++) {
        test_row("%zu bytes", len);
        setup(FLAGS_ALL);
        info.len = len;
        EXPECT_EQ(parse(), BOOT_ERROR_INFO_UNREADABLE);
        expect_zero();
    }
}

/* The map can be read up to `len` bytes: whole records count, the broken one is named. */
TEST(multiboot_memory_map_truncated)
{
    setup(FLAGS_ALL);
    size_t whole = mmap.len;
    for (size_t len = 0; len < whole; len++) {
        static const size_t end_of_record[] = {24, 52, 76, 100};
        uint32_t records = 0;
        test_row("%zu bytes", len);
        setup(FLAGS_ALL);
        mmap.len = len;
        while (end_of_record[records] <= len)
            records++;
        /* A record's tail behind its type field is not read. */
        records += records == 1 && len >= 48;
        ASSERT_EQ(parse(), BOOT_OK);
        expect_problem(0, BOOT_PROBLEM_MEMMAP_UNREADABLE, records);
        EXPECT_EQ(out.memmap.count, records == 0 ? 2 : records); /* none: mem_lower and mem_upper */
    }
}

TEST(multiboot_memory_map_length_cuts_a_record)
{
    for (uint32_t len = 1; len < 24; len++) {
        test_row("%u bytes", len);
        setup(FLAGS_ALL);
        blob_put(&info, OFF_MMAP_LENGTH, 4, 76 + len);
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_EQ(out.memmap.count, 3);
        expect_problem(0, BOOT_PROBLEM_MEMMAP_RECORD, 3);
    }
}

TEST(multiboot_memory_map_record_sizes)
{
    static const struct {
        uint32_t size;
        uint32_t count;
        int problem; /* -1: none */
    } rows[] = {
        {0, 1, BOOT_PROBLEM_MEMMAP_RECORD},
        {1, 1, BOOT_PROBLEM_MEMMAP_RECORD},
        {19, 1, BOOT_PROBLEM_MEMMAP_RECORD},
        {20, 3, -1},
        {1000, 2, -1},
        {0x7fffffff, 2, -1},
        {0xfffffffc, 2, -1},
        {UINT32_MAX, 2, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("size %u", rows[i].size);
        setup(FLAGS_ALL & ~FLAG_MODS);
        mmap.len = 0;
        record(20, 0x100000, 0x100000, 1);
        record(rows[i].size, 0x300000, 0x100000, 1);
        record(20, 0x500000, 0x100000, 1);
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_EQ(out.memmap.count, rows[i].count);
        EXPECT_EQ(out.problem_count, rows[i].problem >= 0 ? 1 : 0);
        if (rows[i].problem >= 0)
            expect_problem(0, (enum boot_problem_kind)rows[i].problem, 1);
    }
}

TEST(multiboot_memory_map_absurd)
{
    setup(FLAGS_ALL);
    blob_put(&info, OFF_MMAP_LENGTH, 4, UINT32_MAX);
    ASSERT_EQ(parse(), BOOT_OK);
    expect_problem(0, BOOT_PROBLEM_MEMMAP_UNREADABLE, 4);
    blob_put(&info, OFF_MMAP_ADDR, 4, UINT32_MAX);
    ASSERT_EQ(parse(), BOOT_OK);
    expect_problem(0, BOOT_PROBLEM_MEMMAP_UNREADABLE, 0);

    setup(FLAGS_ALL);
    mmap.len = 0;
    for (unsigned i = 0; i < 4097; i++)
        record(20, 0x100000 + i * 0x1000ull, 0x1000, 1);
    ASSERT_EQ(parse(), BOOT_OK);
    expect_problem(0, BOOT_PROBLEM_MEMMAP_TOO_LONG, 4096);
    ASSERT_EQ(out.memmap.count, 1);
    EXPECT_EQ(out.memmap.entry[0].len, 4096 * 0x1000);
}

TEST(multiboot_no_usable_memory)
{
    setup(FLAG_MMAP);
    mmap.len = 0;
    record(20, 0, 0x100000, 2);
    EXPECT_EQ(parse(), BOOT_ERROR_NO_USABLE_MEMORY);
    expect_zero();
    mmap.len = 0;
    record(20, 0, 0, 1);
    record(20, 0xffffffffffffff00, 0x200, 1);
    EXPECT_EQ(parse(), BOOT_ERROR_NO_MEMORY_MAP);
    expect_zero();
    /* mem_upper fills in where the map names nothing usable, but does not outrank what it names. */
    setup(FLAG_MMAP | FLAG_MEM);
    mmap.len = 0;
    record(20, 0x200000, 0x1000, 2);
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.memmap.count, 4);
}

TEST(multiboot_modules_refused)
{
    static const struct {
        const char *name;
        uint32_t start, end;
        int problem; /* -1: accepted */
    } rows[] = {
        {"beside the image", 0x1ff000, 0x200000, -1},
        {"behind the image", 0x300000, 0x301000, -1},
        {"to the end of RAM", 0x7fff000, 0x8000000, -1},
        {"low memory", 0, 0xa0000, -1},
        {"empty", 0x600000, 0x600000, BOOT_PROBLEM_MODULE_EMPTY},
        {"all zero", 0, 0, BOOT_PROBLEM_MODULE_EMPTY},
        {"backwards", 0x600001, 0x600000, BOOT_PROBLEM_MODULE_RANGE},
        {"all ones", UINT32_MAX, UINT32_MAX, BOOT_PROBLEM_MODULE_EMPTY},
        {"head in image", 0x2fffff, 0x300001, BOOT_PROBLEM_MODULE_OVERLAPS_IMAGE},
        {"tail in image", 0x1ff000, 0x200001, BOOT_PROBLEM_MODULE_OVERLAPS_IMAGE},
        {"around image", 0x100000, 0x380000, BOOT_PROBLEM_MODULE_OVERLAPS_IMAGE},
        {"in image", 0x210000, 0x220000, BOOT_PROBLEM_MODULE_OVERLAPS_IMAGE},
        {"same as module", 0x400000, 0x401234, BOOT_PROBLEM_MODULE_OVERLAPS_MODULE},
        {"last byte of module", 0x401233, 0x402000, BOOT_PROBLEM_MODULE_OVERLAPS_MODULE},
        {"around module", 0x3ff000, 0x402000, BOOT_PROBLEM_MODULE_OVERLAPS_MODULE},
        {"hole", 0xb0000, 0xb1000, BOOT_PROBLEM_MODULE_OUTSIDE_RAM},
        {"reserved", 0xf0000, 0xf1000, BOOT_PROBLEM_MODULE_OUTSIDE_RAM},
        {"into the hole", 0x9f000, 0xa0001, BOOT_PROBLEM_MODULE_OUTSIDE_RAM},
        {"out of RAM", 0x7fff000, 0x8000001, BOOT_PROBLEM_MODULE_OUTSIDE_RAM},
        {"all of it", 0x400000, UINT32_MAX, BOOT_PROBLEM_MODULE_OVERLAPS_MODULE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].name);
        setup(FLAGS_ALL);
        mods.len = 0;
        module(0x400000, 0x401234, STRING_PA);
        module(rows[i].start, rows[i].end, STRING_PA);
        module(0x700000, 0x701000, STRING_PA);
        ASSERT_EQ(parse(), BOOT_OK);
        bool refused = rows[i].problem >= 0;
        ASSERT_EQ(out.module_count, refused ? 2 : 3);
        EXPECT_EQ(out.module[out.module_count - 1].index, 2);
        EXPECT_EQ(out.problem_count, refused ? 1 : 0);
        if (refused)
            expect_problem(0, (enum boot_problem_kind)rows[i].problem, 1);
    }
}

TEST(multiboot_module_counts)
{
    setup(FLAGS_ALL);
    blob_put(&info, OFF_MODS_COUNT, 4, 0);
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.module_count, 0);
    EXPECT_EQ(out.problem_count, 0);

    blob_put(&info, OFF_MODS_COUNT, 4, UINT32_MAX);
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.module_count, 2);
    expect_problem(0, BOOT_PROBLEM_MODULE_LIST_UNREADABLE, 2);

    setup(FLAGS_ALL);
    mods.len = 0;
    for (uint32_t i = 0; i < 300; i++)
        module(0x1000000 + i * 0x1000, 0x1000800 + i * 0x1000, 0);
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.module_count, BOOT_MODULE_MAX);
    expect_problem(0, BOOT_PROBLEM_MODULE_TOO_MANY, 32);
    EXPECT_EQ(out.problem_count, BOOT_PROBLEM_MAX);
    EXPECT_EQ(out.problems_unlisted, 256 - 32 + 1 - BOOT_PROBLEM_MAX);
}

TEST(multiboot_module_list_truncated)
{
    for (size_t len = 0; len < 32; len++) {
        test_row("%zu bytes", len);
        setup(FLAGS_ALL);
        mods.len = len;
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_EQ(out.module_count, len / 16);
        expect_problem(0, BOOT_PROBLEM_MODULE_LIST_UNREADABLE, (uint32_t)(len / 16));
    }
}

static void fill_text(struct blob *blob, size_t len)
{
    blob->len = 0;
    for (size_t i = 0; i < len; i++)
        blob_u8(blob, 'a' + i % 26);
    blob_u8(blob, 0);
}

TEST(multiboot_string_lengths)
{
    static const struct {
        size_t len;
        bool cut;
    } rows[] = {{0, false},
                {1, false},
                {BOOT_CMDLINE_SIZE - 2, false},
                {BOOT_CMDLINE_SIZE - 1, false},
                {BOOT_CMDLINE_SIZE, true},
                {3000, true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t kept = rows[i].len < BOOT_CMDLINE_SIZE ? rows[i].len : BOOT_CMDLINE_SIZE - 1;
        test_row("%zu characters", rows[i].len);
        setup(FLAGS_ALL);
        fill_text(&cmdline, rows[i].len);
        fill_text(&string, rows[i].len);
        fill_text(&name, rows[i].len);
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_EQ(out.cmdline_truncated, rows[i].cut);
        EXPECT_EQ(strlen(out.cmdline), kept);
        EXPECT_MEMEQ(out.cmdline, cmdline.bytes, kept);
        EXPECT_EQ(out.module[0].truncated, rows[i].len >= BOOT_MODULE_STRING_SIZE);
        EXPECT_TRUE(strlen(out.module[0].string) < BOOT_MODULE_STRING_SIZE);
        EXPECT_TRUE(strlen(out.loader_name) < BOOT_LOADER_NAME_SIZE);
        EXPECT_EQ(out.problem_count, 0);
    }
}

/* A string whose NUL lies beyond readable memory is not used, whatever its length. */
TEST(multiboot_strings_truncated)
{
    for (size_t len = 0; len < 14; len++) {
        test_row("%zu bytes", len);
        setup(FLAGS_ALL);
        cmdline.len = name.len = string.len = len;
        name.len = len < 13 ? len : 13;
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_STREQ(out.cmdline, "");
        EXPECT_STREQ(out.loader_name, "");
        EXPECT_STREQ(out.module[0].string, "");
        EXPECT_EQ(out.module_count, 2);
        EXPECT_EQ(out.problem_count, 3);
        expect_problem(0, BOOT_PROBLEM_LOADER_NAME_UNREADABLE, 0);
        expect_problem(1, BOOT_PROBLEM_CMDLINE_UNREADABLE, 0);
        expect_problem(2, BOOT_PROBLEM_MODULE_STRING_UNREADABLE, 0);
    }
}

TEST(multiboot_texts)
{
    for (int i = BOOT_OK; i <= BOOT_ERROR_NO_USABLE_MEMORY; i++)
        EXPECT_TRUE(strlen(boot_error_text((enum boot_error)i)) > 5);
    for (int i = 0; i <= BOOT_PROBLEM_TAG_SHORT; i++)
        EXPECT_TRUE(strlen(boot_problem_text((enum boot_problem_kind)i)) > 5);
    EXPECT_STREQ(boot_error_text((enum boot_error)(BOOT_ERROR_NO_USABLE_MEMORY + 1)), "unknown error");
    EXPECT_STREQ(boot_problem_text((enum boot_problem_kind)(BOOT_PROBLEM_TAG_SHORT + 1)), "unknown problem");
}
