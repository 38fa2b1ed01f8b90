/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/builder/multiboot.c: boot information as section 3.3 of the specification has it,
 * addresses in the header, flags, and where things find no room.
 */
#include "mgmt/builder/plan.h"

#include "tests/host/mgmt_image.h"

TEST(multiboot_elf_good)
{
    struct image image;
    for (int wide = 0; wide < 2; wide++) {
        make_image(&image, wide);
        struct plan_input input = input_of(image.bytes, IMAGE_SIZE);
        input.modules = 2;
        input.module[0] = (struct plan_bytes){image.bytes, 100, "first module"};
        input.module[1] = (struct plan_bytes){image.bytes, 0x2001, "second"};
        plan_free(&plan);
        plan_init(&plan, 4 * MIB);
        EXPECT_TRUE(plan_is_multiboot(&input.kernel));
        plan_multiboot(&plan, &input);
        EXPECT_STREQ(plan.error, "");
        EXPECT_EQ(plan.eax, 0x2badb002U);
        EXPECT_EQ(plan.entry, MIB + 0x10);
        check_pieces();
        const uint8_t *info = bytes_at(plan.ebx);
        ASSERT_TRUE(info != NULL);
        EXPECT_EQ(get32(info), 0x24dU);
        EXPECT_EQ(get32(info + 4), 640U);
        EXPECT_EQ(get32(info + 8), 3072U);
        EXPECT_STREQ((const char *)bytes_at(get32(info + 16)), "the words");
        ASSERT_EQ(get32(info + 20), 2U);
        for (uint32_t i = 0; i < 2; i++) {
            const uint8_t *mod = bytes_at(get32(info + 24)) + 16 * i;
            EXPECT_EQ(get32(mod) % 4096, 0U);
            EXPECT_EQ(get32(mod + 4) - get32(mod), input.module[i].size);
            EXPECT_STREQ((const char *)bytes_at(get32(mod + 8)), input.module[i].name);
            EXPECT_MEMEQ(bytes_at(get32(mod)), image.bytes, input.module[i].size);
        }
        EXPECT_EQ(get32(info + 44), 48U);
        const uint8_t *map = bytes_at(get32(info + 48));
        EXPECT_EQ(get32(map), 20U);
        EXPECT_EQ(get32(map + 24 + 4), MIB);
        EXPECT_EQ(get32(map + 24 + 12), 3 * MIB);
        EXPECT_EQ(get32(map + 24 + 20), 1U);
    }
}

/* ---- Multiboot with addresses in the header */

static void make_aout(uint8_t *bytes, uint32_t header_addr, uint32_t load_addr, uint32_t load_end,
                      uint32_t bss_end, uint32_t entry)
{
    const uint32_t flags = 0x10002;
    memset(bytes, 0x5a, 1024);
    put32(bytes + 64, 0x1badb002);
    put32(bytes + 68, flags);
    put32(bytes + 72, -(0x1badb002U + flags));
    put32(bytes + 76, header_addr);
    put32(bytes + 80, load_addr);
    put32(bytes + 84, load_end);
    put32(bytes + 88, bss_end);
    put32(bytes + 92, entry);
}

TEST(multiboot_addresses)
{
    static const struct {
        uint32_t header_addr, load_addr, load_end, bss_end, entry;
        const char *word; /* NULL: good */
        gpa_t to;
        uint64_t bytes, room;
    } rows[] = {
        {0x7c40, 0x7c00, 0, 0, 0x7c00, NULL, 0x7c00, 1024, 1024},
        {0x7c40, 0x7c00, 0x7d00, 0x9000, 0x7c10, NULL, 0x7c00, 256, 0x1400},
        {0x7c40, 0x7c20, 0, 0, 0x7c40, NULL, 0x7c20, 1024 - 0x20, 1024 - 0x20},
        {0x100040, 0x100000, 0, 0x200000, 0x100000, NULL, 0x100000, 1024, 0x100000},
        {0x7c40, 0x7c41, 0, 0, 0x7c41, "load_addr", 0, 0, 0},
        {0x7c40, 0x7bff, 0, 0, 0x7c00, "load_addr", 0, 0, 0},
        {0x7c40, 0x7c00, 0x8001, 0, 0x7c00, "load_end_addr", 0, 0, 0},
        {0x7c40, 0x7c00, 0x7c00, 0, 0x7c00, "load_end_addr", 0, 0, 0},
        {0x7c40, 0x7c00, 0x7000, 0, 0x7c00, "load_end_addr", 0, 0, 0},
        {0x7c40, 0x7c00, 0, 0x7000, 0x7c00, "bss_end_addr", 0, 0, 0},
        {0x7c40, 0x7c00, 0, 0xffffffff, 0x7c00, "memory", 0, 0, 0},
        {0x7c40, 0x7c00, 0, 0, 0xa0000, "entry", 0, 0, 0},
        {0xfffffff0, 0xffffffb0, 0, 0, 0xffffffb0, "memory", 0, 0, 0},
    };
    uint8_t bytes[1024];
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        make_aout(bytes, rows[i].header_addr, rows[i].load_addr, rows[i].load_end, rows[i].bss_end,
                  rows[i].entry);
        load(plan_multiboot, bytes, sizeof(bytes), 1);
        EXPECT_EQ(plan.failed, rows[i].word != NULL);
        if (rows[i].word) {
            EXPECT_TRUE(strstr(plan.error, rows[i].word) != NULL);
            continue;
        }
        EXPECT_EQ(plan.piece[0].to, rows[i].to);
        EXPECT_EQ(plan.piece[0].bytes, rows[i].bytes);
        EXPECT_EQ(plan.piece[0].room, rows[i].room);
        EXPECT_EQ(plan.entry, rows[i].entry);
    }
}

TEST(multiboot_header_place_and_flags)
{
    static uint8_t bytes[16384];
    static const struct {
        size_t at;
        uint32_t flags;
        const char *word;
    } rows[] = {
        {8180, 0, "no ELF"},   {8184, 0, "no Multiboot"}, {66, 0, "no Multiboot"},  {0, 4, "video"},
        {0, 0x10004, "video"}, {0, 8, "not known"},       {0, 0x8000, "not known"}, {0, 0x20000, "no ELF"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        memset(bytes, 0, sizeof(bytes));
        put32(bytes + rows[i].at, 0x1badb002);
        put32(bytes + rows[i].at + 4, rows[i].flags);
        put32(bytes + rows[i].at + 8, -(0x1badb002U + rows[i].flags));
        load(plan_multiboot, bytes, sizeof(bytes), 0);
        EXPECT_TRUE(plan.failed);
        if (!strstr(plan.error, rows[i].word))
            EXPECT_STREQ(plan.error, rows[i].word);
    }
    make_aout(bytes, 0x7c40, 0x7c00, 0, 0, 0x7c00);
    load(plan_multiboot, bytes, 95, 0);
    EXPECT_TRUE(strstr(plan.error, "cut off") != NULL);
}

TEST(no_room_for_the_rest)
{
    static uint8_t bytes[1024];
    make_aout(bytes, 0x40, 0, 0, 0xa0000, 0x100); /* all the low memory */
    plan_free(&plan);
    plan_init(&plan, 640 << 10);
    struct plan_input input = input_of(bytes, sizeof(bytes));
    plan_multiboot(&plan, &input);
    EXPECT_TRUE(strstr(plan.error, "no room for the boot information") != NULL);
    make_aout(bytes, 0x7c40, 0x7c00, 0, 0, 0x7c00);
    input.modules = 1;
    input.module[0] = (struct plan_bytes){bytes, 1024, "m"};
    plan_free(&plan);
    plan_init(&plan, 640 << 10);
    plan_multiboot(&plan, &input);
    EXPECT_TRUE(strstr(plan.error, "no room for module m") != NULL);
    plan_free(&plan);
}
