/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the loaders in mgmt/builder: good images land where they say, bad ones fail with the right
 * sentence, and every truncation and every changed byte of a good image is survived. Multiboot has a
 * file of its own.
 */
#include "mgmt/builder/plan.h"

#include "guest_abi/pvh.h"
#include "mgmt/builder/elf.h"
#include "tests/host/mgmt_image.h"

TEST(plan_ram_by_memory_size)
{
    static const struct {
        uint64_t memory;
        uint32_t rams;
        uint64_t end[3];
    } rows[] = {
        {64 << 10, 1, {64 << 10}},
        {640 << 10, 1, {640 << 10}},
        {MIB, 1, {640 << 10}},
        {2 * MIB, 2, {640 << 10, 2 * MIB}},
        {3072 * MIB, 2, {640 << 10, 3072 * MIB}},
        {3073 * MIB, 3, {640 << 10, 3072 * MIB, 4097 * MIB}},
        {1ULL << 40, 3, {640 << 10, 3072 * MIB, (1ULL << 40) + 1024 * MIB}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        plan_init(&plan, rows[i].memory);
        EXPECT_EQ(plan.rams, rows[i].rams);
        for (uint32_t r = 0; r < rows[i].rams; r++)
            EXPECT_EQ(plan.ram[r].end, rows[i].end[r]);
    }
}

TEST(plan_add_refuses)
{
    static const struct {
        gpa_t to;
        uint64_t bytes, room;
        const char *word;
    } rows[] = {
        {0x9f000, 0x1000, 0x1001, "not within"},
        {0xa0000, 1, 1, "not within"},
        {2 * MIB - 1, 1, 2, "not within"},
        {UINT64_MAX, 1, 1, "not within"},
        {UINT64_MAX - 1, 2, 2, "not within"},
        {0x1000, 1, UINT64_MAX, "not within"},
        {0x1000, 2, 1, "do not fit"},
        {0x8000, 1, 1, "overlaps"},
        {0x7fff, 2, 2, "overlaps"},
        {0x8fff, 1, 1, "overlaps"},
        {0x7000, 0x10, 0x10000, "overlaps"},
    };
    static const uint8_t byte[16];
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        plan_init(&plan, 2 * MIB);
        EXPECT_TRUE(plan_add(&plan, 0x8000, byte, 16, 0x1000, "first"));
        EXPECT_FALSE(plan_add(&plan, rows[i].to, byte, rows[i].bytes, rows[i].room, "second"));
        EXPECT_TRUE(strstr(plan.error, rows[i].word) != NULL);
        EXPECT_EQ(plan.pieces, 1U);
        EXPECT_FALSE(plan_add(&plan, 0x20000, byte, 1, 1, "after a failure"));
    }
}

TEST(plan_find_steps_over_pieces)
{
    static const uint8_t byte[1];
    plan_init(&plan, 2 * MIB);
    EXPECT_TRUE(plan_add(&plan, 0x2000, byte, 1, 0x1234, "a"));
    EXPECT_EQ(plan_find(&plan, 0x1000, 0x1000, 0x1000, MIB), 0x1000U);
    EXPECT_EQ(plan_find(&plan, 0x1001, 0x1000, 0x1000, MIB), 0x4000U);
    EXPECT_EQ(plan_find(&plan, 0x9d000, 0x1000, 0, UINT64_MAX), MIB);
    EXPECT_EQ(plan_find(&plan, MIB + 1, 0x1000, 0, UINT64_MAX), PLAN_NOWHERE);
    EXPECT_EQ(plan_find(&plan, 1, 0x1000, 2 * MIB, UINT64_MAX), PLAN_NOWHERE);
    EXPECT_EQ(plan_find(&plan, MIB, 0x1000, 0, 2 * MIB - 1), PLAN_NOWHERE);
}

TEST(flat16_places)
{
    static const uint8_t code[512];
    static const struct {
        uint64_t load, size;
        const char *word; /* NULL: good */
    } rows[] = {
        {0x7c00, 512, NULL},          {0xffff, 512, NULL},       {0x10000, 512, NULL},
        {0x10008, 512, "multiple"},   {MIB, 512, "below 1 MiB"}, {0x9fe00, 512, NULL},
        {0x9fe10, 512, "not within"}, {0x7c00, 0, "empty"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        struct plan_input input = input_of(code, rows[i].size);
        input.load = rows[i].load;
        plan_init(&plan, 2 * MIB);
        plan_flat16(&plan, &input);
        EXPECT_EQ(plan.failed, rows[i].word != NULL);
        if (rows[i].word)
            EXPECT_TRUE(strstr(plan.error, rows[i].word) != NULL);
        else
            EXPECT_EQ(plan.entry, rows[i].load);
        check_pieces();
        plan_free(&plan);
    }
}

/* Start info of the current plan against the input. */
static void check_start_info(const struct plan_input *input)
{
    struct hvm_start_info info;
    const uint8_t *at = bytes_at(plan.ebx);
    ASSERT_TRUE(at != NULL);
    memcpy(&info, at, sizeof(info));
    EXPECT_EQ(info.magic, XEN_HVM_START_MAGIC_VALUE);
    EXPECT_EQ(info.version, 1U);
    EXPECT_EQ(info.nr_modules, input->modules);
    EXPECT_EQ(info.memmap_entries, plan.rams);
    EXPECT_STREQ((const char *)bytes_at(info.cmdline_paddr), input->cmdline);
    for (uint32_t i = 0; i < plan.rams; i++) {
        struct hvm_memmap_table_entry entry;
        memcpy(&entry, bytes_at(info.memmap_paddr + i * sizeof(entry)), sizeof(entry));
        EXPECT_EQ(entry.addr, plan.ram[i].start);
        EXPECT_EQ(entry.addr + entry.size, plan.ram[i].end);
        EXPECT_EQ(entry.type, 1U);
    }
    for (uint32_t i = 0; i < input->modules; i++) {
        struct hvm_modlist_entry entry;
        memcpy(&entry, bytes_at(info.modlist_paddr + i * sizeof(entry)), sizeof(entry));
        EXPECT_EQ(entry.size, input->module[i].size);
        EXPECT_EQ(entry.paddr % 4096, 0U);
        EXPECT_STREQ((const char *)bytes_at(entry.cmdline_paddr), input->module[i].name);
        if (entry.size)
            EXPECT_MEMEQ(bytes_at(entry.paddr), input->module[i].data, entry.size);
    }
}

TEST(flat32_gets_start_info)
{
    static const uint8_t code[5000], module[3] = {1, 2, 3};
    struct plan_input input = input_of(code, sizeof(code));
    input.load = 0x1000;
    input.modules = 2;
    input.module[0] = (struct plan_bytes){module, 3, "first one"};
    input.module[1] = (struct plan_bytes){module, 0, "empty"};
    plan_init(&plan, 2 * MIB);
    plan_flat32(&plan, &input);
    EXPECT_STREQ(plan.error, "");
    EXPECT_EQ(plan.entry, 0x1000U);
    check_pieces();
    check_start_info(&input);
    plan_free(&plan);
}

TEST(pvh_good)
{
    struct image image;
    for (int wide = 0; wide < 2; wide++) {
        make_image(&image, wide);
        struct plan_input input = input_of(image.bytes, IMAGE_SIZE);
        input.modules = 1;
        input.module[0] = (struct plan_bytes){image.bytes, 100, "m"};
        plan_free(&plan);
        plan_init(&plan, 4 * MIB);
        EXPECT_TRUE(plan_is_pvh(&input.kernel));
        plan_pvh(&plan, &input);
        EXPECT_STREQ(plan.error, "");
        EXPECT_EQ(plan.entry, MIB + 0x10);
        EXPECT_EQ(plan.mode, PLAN_FLAT32);
        EXPECT_MEMEQ(bytes_at(MIB), image.bytes + 0x1000, 0x1000);
        EXPECT_EQ(*bytes_at(0x600), 0x77U);
        EXPECT_TRUE(bytes_at(MIB + 0x1000) == NULL); /* zeroed part */
        check_pieces();
        check_start_info(&input);
    }
}

TEST(elf_bad_fields)
{
    static const struct {
        size_t at;
        uint32_t value;
        unsigned bytes;
        const char *word;
    } rows[] = {
        {0, 0, 1, "not an ELF"},
        {4, 3, 1, "32 or 64"},
        {5, 2, 1, "little-endian"},
        {18, 40, 2, "machine 40"},
        {16, 1, 2, "type 1"},
        {28, 0xfffffff0, 4, "program headers"},
        {42, 31, 2, "headers of 31"},
        {44, 0xffff, 2, "cut off"},
        {52 + 4, 0x2001, 4, "segment 0"},
        {52 + 16, 0x2001, 4, "segment 0"},
        {52 + 16, 0xffffffff, 4, "segment 0"},
        {52 + 20, 0xfff, 4, "do not fit"},
        {52 + 20, 0x400000, 4, "memory"},
        {52 + 20, 0xffffffff, 4, "memory"},
        {52 + 12, 0xfffff000, 4, "memory"},
        {52 + 12, 0x9f000, 4, "memory"},
        {52 + 12, 0x500, 4, "overlaps"},
        {0x2f10, 0xa0000, 4, "entry point"},
        {0x2f08, 17, 4, "no PVH"},
        {0x2f0c, 0, 4, "no PVH"},
        {0x2f00, 0xffffffff, 4, "no PVH"},
        {0x2f04, 0xfffffffc, 4, "no PVH"},
        {0x2f04, 5, 4, "no PVH"},
    };
    struct image image;
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        make_image(&image, false);
        memcpy(image.bytes + rows[i].at, &rows[i].value, rows[i].bytes);
        load(plan_pvh, image.bytes, IMAGE_SIZE, 1);
        EXPECT_TRUE(plan.failed);
        if (!strstr(plan.error, rows[i].word))
            EXPECT_STREQ(plan.error, rows[i].word);
    }
}

TEST(elf_without_segments)
{
    struct image image;
    make_image(&image, true);
    put32(image.bytes + phdr_at(&image, 0), 0);
    put32(image.bytes + phdr_at(&image, 1), 0);
    load(plan_pvh, image.bytes, IMAGE_SIZE, 0);
    EXPECT_TRUE(strstr(plan.error, "no segment") != NULL);
}

TEST(loaders_survive_truncation)
{
    struct image image;
    for (int wide = 0; wide < 2; wide++) {
        make_image(&image, wide);
        for (size_t size = 0; size < IMAGE_SIZE; size += size < 0x140 ? 1 : 61) {
            load(plan_pvh, image.bytes, size, 0);
            EXPECT_TRUE(plan.failed || size > 0x2f00);
            load(plan_multiboot, image.bytes, size, 0);
            EXPECT_TRUE(plan.failed || size >= 0x2200);
        }
    }
}

TEST(loaders_survive_changed_bytes)
{
    struct image image;
    uint32_t state = 1;
    for (uint32_t round = 0; round < 30000; round++) {
        make_image(&image, round & 1);
        for (uint32_t n = 0; n < 1 + round % 4; n++) {
            static const size_t areas[][2] = {{0, 0x140}, {0x1004, 12}, {0x2f00, 0x14}};
            state = state * 1664525U + 1013904223U;
            const size_t *area = areas[(state >> 28) % 3];
            image.bytes[area[0] + (state >> 8) % area[1]] = (uint8_t)(state >> 16);
        }
        load(round & 2 ? plan_pvh : plan_multiboot, image.bytes, IMAGE_SIZE, 1);
    }
}
