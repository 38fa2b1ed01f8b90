/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of boot/multiboot2.c: layouts are typed from the Multiboot2 2.0 specification, section 3.6.
 */
#include "boot/boot_info.h"

#include "tests/host/blob.h"
#include "tests/host/boot_expect.h"
#include "tests/host/fake_mem.h"

enum { INFO_PA = 0x10000 };
enum {
    END = 0,
    CMDLINE = 1,
    NAME = 2,
    MODULE = 3,
    MEMINFO = 4,
    MMAP = 6,
    ACPI_OLD = 14,
    ACPI_NEW = 15,
    EFI_MMAP = 17,
    EFI_BS = 18
};

static struct blob info;
static size_t tag_at;

static void tag_begin(uint32_t type)
{
    tag_at = info.len;
    blob_u32(&info, type);
    blob_u32(&info, 0);
}

static void tag_end(void)
{
    blob_put(&info, tag_at + 4, 4, info.len - tag_at);
    blob_align(&info, 8);
}

static void text_tag(uint32_t type, const char *text)
{
    tag_begin(type);
    blob_bytes(&info, text, strlen(text) + 1);
    tag_end();
}

static void module_tag(uint32_t start, uint32_t end, const char *text)
{
    tag_begin(MODULE);
    blob_u32(&info, start);
    blob_u32(&info, end);
    blob_bytes(&info, text, strlen(text) + 1);
    tag_end();
}

static void mmap_entry(uint64_t base, uint64_t len, uint32_t type, uint32_t stride)
{
    blob_u64(&info, base);
    blob_u64(&info, len);
    blob_u32(&info, type);
    blob_u32(&info, 0);
    if (stride > 24)
        blob_fill(&info, stride - 24, 0xee);
}

static void mmap_tag(uint32_t stride)
{
    tag_begin(MMAP);
    blob_u32(&info, stride);
    blob_u32(&info, 0);
    mmap_entry(0, 0xa0000, 1, stride);
    mmap_entry(0x100000, 0x7f00000, 1, stride);
    mmap_entry(0x8000000, 0x100000, 3, stride);
    tag_end();
}

static void efi_entry(uint32_t type, uint64_t base, uint64_t pages, uint32_t stride)
{
    blob_u32(&info, type);
    blob_u32(&info, 0);
    blob_u64(&info, base);
    blob_u64(&info, 0);
    blob_u64(&info, pages);
    blob_u64(&info, 0xf);
    blob_fill(&info, stride - 40, 0);
}

static void begin(void)
{
    info.len = 0;
    blob_u64(&info, 0);
}

static void finish(void)
{
    tag_begin(END);
    tag_end();
    blob_put(&info, 0, 4, info.len);
}

static enum boot_error parse(void)
{
    struct fake_mem mem = {0};
    struct boot_env env = {fake_mem_map, &mem, 0x200000, 0x300000};
    fake_mem_add(&mem, INFO_PA, info.bytes, info.len);
    memset(&out, 0xa5, sizeof(out));
    enum boot_error error = boot_info_from_multiboot2(&out, &env, INFO_PA);
    fake_mem_drop(&mem);
    return error;
}

static void setup(void)
{
    begin();
    text_tag(NAME, "GRUB 2.06");
    module_tag(0x400000, 0x401000, "manager.elf arg"); /* before the memory map, on purpose */
    text_tag(CMDLINE, "com1=115200 loglevel=debug");
    tag_begin(99);
    blob_fill(&info, 13, 0xcc);
    tag_end();
    tag_begin(MEMINFO);
    blob_u32(&info, 640);
    blob_u32(&info, 1024);
    tag_end();
    mmap_tag(24);
    tag_begin(ACPI_OLD);
    blob_fill(&info, 20, 0x11);
    tag_end();
    tag_begin(ACPI_NEW);
    blob_fill(&info, 36, 0x22);
    tag_end();
    finish();
}

TEST(multiboot2_whole)
{
    setup();
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.loader, BOOT_MULTIBOOT2);
    EXPECT_STREQ(out.loader_name, "GRUB 2.06");
    EXPECT_STREQ(out.cmdline, "com1=115200 loglevel=debug");
    ASSERT_EQ(out.memmap.count, 3);
    EXPECT_EQ(out.memmap.entry[1].base, 0x100000);
    EXPECT_EQ(out.memmap.entry[1].len, 0x7f00000);
    EXPECT_EQ(out.memmap.entry[2].type, BOOT_MEM_ACPI_RECLAIM);
    ASSERT_EQ(out.module_count, 1);
    EXPECT_EQ(out.module[0].end, 0x401000);
    EXPECT_STREQ(out.module[0].string, "manager.elf arg");
    EXPECT_EQ(out.rsdp_len, 36);
    EXPECT_EQ(out.rsdp[35], 0x22);
    EXPECT_EQ(out.rsdp_pa, 0);
    EXPECT_EQ(out.problem_count, 0);
}

/* Readable memory ends anywhere before the block does. */
TEST(multiboot2_unreadable_at_every_byte)
{
    setup();
    size_t whole = info.len;
    for (size_t len = 0; len < whole; len++) {
        test_row("%zu bytes", len);
        info.len = len;
        EXPECT_EQ(parse(), BOOT_ERROR_INFO_UNREADABLE);
        expect_zero();
    }
}

/* total_size ends anywhere before the end tag does: never success, and nothing is kept. */
TEST(multiboot2_total_size_at_every_byte)
{
    setup();
    for (uint32_t size = 0; size < info.len; size++) {
        test_row("total_size %u", size);
        blob_put(&info, 0, 4, size);
        enum boot_error error = parse();
        if (size < 8)
            EXPECT_EQ(error, BOOT_ERROR_INFO_SIZE);
        else
            EXPECT_TRUE(error == BOOT_ERROR_TAG || error == BOOT_ERROR_NO_END_TAG);
        expect_zero();
    }
}

TEST(multiboot2_total_size_absurd)
{
    static const struct {
        uint32_t size;
        enum boot_error error;
    } rows[] = {
        {0, BOOT_ERROR_INFO_SIZE},
        {1, BOOT_ERROR_INFO_SIZE},
        {7, BOOT_ERROR_INFO_SIZE},
        {8, BOOT_ERROR_NO_END_TAG},
        {(4 << 20) + 1, BOOT_ERROR_INFO_SIZE},
        {0x80000000, BOOT_ERROR_INFO_SIZE},
        {UINT32_MAX, BOOT_ERROR_INFO_SIZE},
        {4 << 20, BOOT_ERROR_INFO_UNREADABLE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("total_size %u", rows[i].size);
        setup();
        blob_put(&info, 0, 4, rows[i].size);
        EXPECT_EQ(parse(), rows[i].error);
        expect_zero();
    }
}

TEST(multiboot2_misaligned)
{
    struct fake_mem mem = {0};
    struct boot_env env = {fake_mem_map, &mem, 0, 0};
    setup();
    for (uint64_t off = 1; off < 8; off++) {
        fake_mem_drop(&mem);
        fake_mem_add(&mem, INFO_PA + off, info.bytes, info.len);
        EXPECT_EQ(boot_info_from_multiboot2(&out, &env, INFO_PA + off), BOOT_ERROR_INFO_MISALIGNED);
        expect_zero();
    }
    EXPECT_EQ(mem.maps, 0);
}

TEST(multiboot2_tag_sizes)
{
    static const struct {
        uint32_t size;
        enum boot_error error;
    } rows[] = {
        {0, BOOT_ERROR_TAG},
        {1, BOOT_ERROR_TAG},
        {7, BOOT_ERROR_TAG},
        {UINT32_MAX, BOOT_ERROR_TAG},
        {UINT32_MAX - 7, BOOT_ERROR_TAG},
        {0x80000000, BOOT_ERROR_TAG},
        {8, BOOT_OK},
        {16, BOOT_OK},
        {17, BOOT_ERROR_NO_END_TAG},
        {24, BOOT_ERROR_NO_END_TAG},
        {25, BOOT_ERROR_TAG},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("size %u", rows[i].size);
        begin();
        mmap_tag(24);
        tag_begin(77);
        blob_u64(&info, 0); /* read as an end tag header of size 0 when the tag is 8 bytes */
        tag_end();
        size_t at = tag_at;
        finish();
        if (rows[i].size == 8)
            blob_put(&info, at + 8, 8, 8ull << 32);
        blob_put(&info, at + 4, 4, rows[i].size);
        EXPECT_EQ(parse(), rows[i].error);
    }
}

TEST(multiboot2_no_end_tag)
{
    begin();
    mmap_tag(24);
    blob_put(&info, 0, 4, info.len);
    EXPECT_EQ(parse(), BOOT_ERROR_NO_END_TAG);
    expect_zero();
    for (size_t extra = 1; extra < 8; extra++) {
        blob_put(&info, 0, 4, info.len + 1);
        blob_u8(&info, 0);
        EXPECT_EQ(parse(), BOOT_ERROR_TAG);
    }
}

TEST(multiboot2_memory_map_strides)
{
    static const struct {
        uint32_t stride;
        uint32_t entries; /* that are used */
    } rows[] = {{0, 0}, {1, 0}, {8, 0}, {23, 0}, {24, 3}, {32, 3}, {40, 3}, {73, 0}, {UINT32_MAX, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t stride = rows[i].stride;
        test_row("stride %u", stride);
        begin();
        mmap_tag(stride <= 40 && stride >= 24 ? stride : 24);
        blob_put(&info, tag_at + 8, 4, stride);
        tag_begin(MEMINFO);
        blob_u32(&info, 640);
        blob_u32(&info, 0);
        tag_end();
        finish();
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_EQ(out.memmap.count, rows[i].entries == 0 ? 1 : rows[i].entries);
        EXPECT_EQ(out.problem_count, rows[i].entries == 0 ? 1 : 0);
        if (rows[i].entries == 0)
            expect_problem(0, BOOT_PROBLEM_MEMMAP_RECORD, 0);
    }
}

TEST(multiboot2_memory_map_partial_entry)
{
    for (uint32_t cut = 1; cut < 24; cut++) {
        test_row("%u bytes cut", cut);
        begin();
        mmap_tag(24);
        blob_put(&info, tag_at + 4, 4, 16 + 72 - cut);
        info.len = (tag_at + 16 + 72 - cut + 7) & ~(size_t)7;
        finish();
        ASSERT_EQ(parse(), BOOT_OK);
        EXPECT_EQ(out.memmap.count, 2);
        expect_problem(0, BOOT_PROBLEM_MEMMAP_RECORD, 2);
    }
}

static void efi_tag(uint32_t stride)
{
    tag_begin(EFI_MMAP);
    blob_u32(&info, stride);
    blob_u32(&info, 1);
    for (uint32_t type = 0; type < 16; type++)
        efi_entry(type, 0x1000000 + type * 0x2000ull, 1, stride);
    efi_entry(7, 0x8000000, UINT64_MAX >> 11, stride);
    efi_entry(7, 0x9000000, 0, stride);
    tag_end();
}

TEST(multiboot2_efi_map_is_a_fallback)
{
    static const enum boot_mem_type want[16] = {
        BOOT_MEM_RESERVED, BOOT_MEM_USABLE,       BOOT_MEM_USABLE,     BOOT_MEM_USABLE,
        BOOT_MEM_USABLE,   BOOT_MEM_RESERVED,     BOOT_MEM_RESERVED,   BOOT_MEM_USABLE,
        BOOT_MEM_BAD,      BOOT_MEM_ACPI_RECLAIM, BOOT_MEM_ACPI_NVS,   BOOT_MEM_RESERVED,
        BOOT_MEM_RESERVED, BOOT_MEM_RESERVED,     BOOT_MEM_PERSISTENT, BOOT_MEM_RESERVED,
    };
    for (uint32_t stride = 40; stride <= 56; stride += 8) {
        for (int boot_services = 0; boot_services < 2; boot_services++) {
            test_row("stride %u, boot services %d", stride, boot_services);
            begin();
            efi_tag(stride);
            if (boot_services) {
                tag_begin(EFI_BS);
                tag_end();
            }
            finish();
            ASSERT_EQ(parse(), BOOT_OK);
            ASSERT_EQ(out.memmap.count, 16);
            for (uint32_t i = 0; i < 16; i++) {
                bool held = boot_services && (i == 3 || i == 4);
                EXPECT_EQ(out.memmap.entry[i].type, held ? BOOT_MEM_RESERVED : want[i]);
                EXPECT_EQ(out.memmap.entry[i].len, 0x1000);
            }
            EXPECT_EQ(out.memmap.dropped_wrapped, 1);
            EXPECT_EQ(out.memmap.dropped_empty, 1);
        }
    }
    begin();
    efi_tag(48);
    mmap_tag(24);
    finish();
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.memmap.count, 3);
    begin();
    efi_tag(48);
    blob_put(&info, tag_at + 8, 4, 39);
    finish();
    EXPECT_EQ(parse(), BOOT_ERROR_NO_MEMORY_MAP);
}

TEST(multiboot2_no_memory)
{
    begin();
    text_tag(CMDLINE, "x");
    finish();
    EXPECT_EQ(parse(), BOOT_ERROR_NO_MEMORY_MAP);
    expect_zero();
}

TEST(multiboot2_short_tags_are_noted)
{
    static const struct {
        uint32_t type, min; /* body bytes */
    } rows[] = {{MODULE, 8}, {ACPI_OLD, 20}, {ACPI_NEW, 36}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint32_t len = 0; len < rows[i].min; len++) {
            test_row("type %u, %u bytes", rows[i].type, len);
            begin();
            mmap_tag(24);
            tag_begin(rows[i].type);
            blob_fill(&info, len, 0x44);
            tag_end();
            finish();
            ASSERT_EQ(parse(), BOOT_OK);
            EXPECT_EQ(out.module_count, 0);
            EXPECT_EQ(out.rsdp_len, 0);
            EXPECT_EQ(out.problem_count, 1);
            expect_problem(0, BOOT_PROBLEM_TAG_SHORT, rows[i].type);
        }
    }
    for (uint32_t len = 0; len < 8; len++) {
        begin();
        tag_begin(MMAP);
        blob_fill(&info, len, 0x44);
        tag_end();
        tag_begin(MEMINFO);
        blob_fill(&info, len, 0x44);
        tag_end();
        finish();
        EXPECT_EQ(parse(), BOOT_ERROR_NO_MEMORY_MAP);
    }
}

TEST(multiboot2_old_rsdp_alone)
{
    begin();
    mmap_tag(24);
    tag_begin(ACPI_OLD);
    blob_fill(&info, 20, 0x11);
    tag_end();
    finish();
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.rsdp_len, 20);
    EXPECT_EQ(out.rsdp[19], 0x11);
    EXPECT_EQ(out.rsdp[20], 0);
}

/* Strings without their NUL end with the tag; long ones are cut. */
TEST(multiboot2_strings)
{
    for (size_t len = 0; len < 3000; len += 1 + len / 3) {
        test_row("%zu characters", len);
        begin();
        mmap_tag(24);
        for (uint32_t type = MODULE; type >= CMDLINE; type--) { /* so that no 0 follows the first two */
            tag_begin(type);
            if (type == MODULE)
                blob_u64(&info, 0x500000 | 0x501000ull << 32);
            blob_fill(&info, len, 'x');
            tag_end();
        }
        finish();
        ASSERT_EQ(parse(), BOOT_OK);
        ASSERT_EQ(out.module_count, 1);
        EXPECT_EQ(strlen(out.cmdline), len < BOOT_CMDLINE_SIZE ? len : BOOT_CMDLINE_SIZE - 1);
        EXPECT_EQ(out.cmdline_truncated, len >= BOOT_CMDLINE_SIZE);
        EXPECT_EQ(strlen(out.loader_name), len < BOOT_LOADER_NAME_SIZE ? len : BOOT_LOADER_NAME_SIZE - 1);
        EXPECT_EQ(strlen(out.module[0].string),
                  len < BOOT_MODULE_STRING_SIZE ? len : BOOT_MODULE_STRING_SIZE - 1);
        EXPECT_EQ(out.module[0].truncated, len >= BOOT_MODULE_STRING_SIZE);
    }
}

TEST(multiboot2_nothing_counts_behind_the_end_tag)
{
    begin();
    mmap_tag(24);
    text_tag(CMDLINE, "before");
    tag_begin(END);
    tag_end();
    text_tag(CMDLINE, "behind");
    module_tag(0x400000, 0x500000, "behind");
    finish();
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_STREQ(out.cmdline, "before");
    EXPECT_EQ(out.module_count, 0);
}

TEST(multiboot2_many_modules)
{
    begin();
    mmap_tag(24);
    for (uint32_t i = 0; i < 300; i++)
        module_tag(0x1000000 + i * 0x1000, 0x1001000 + i * 0x1000, "m");
    finish();
    ASSERT_EQ(parse(), BOOT_OK);
    EXPECT_EQ(out.module_count, BOOT_MODULE_MAX);
    EXPECT_EQ(out.module[31].index, 31);
    expect_problem(0, BOOT_PROBLEM_MODULE_TOO_MANY, 32);
    EXPECT_EQ(out.problems_unlisted, 256 - 32 + 1 - BOOT_PROBLEM_MAX);
}

TEST(multiboot2_modules_refused)
{
    begin();
    mmap_tag(24);
    module_tag(0x2fffff, 0x300000, "image");
    module_tag(0x400000, 0x500000, "first");
    module_tag(0x4fffff, 0x600000, "overlap");
    module_tag(0x8000000, 0x8001000, "ACPI memory");
    module_tag(0x600000, 0x700000, "last");
    finish();
    ASSERT_EQ(parse(), BOOT_OK);
    ASSERT_EQ(out.module_count, 2);
    EXPECT_STREQ(out.module[0].string, "first");
    EXPECT_STREQ(out.module[1].string, "last");
    EXPECT_EQ(out.module[1].index, 4);
    expect_problem(0, BOOT_PROBLEM_MODULE_OVERLAPS_IMAGE, 0);
    expect_problem(1, BOOT_PROBLEM_MODULE_OVERLAPS_MODULE, 2);
    expect_problem(2, BOOT_PROBLEM_MODULE_OUTSIDE_RAM, 3);
}
