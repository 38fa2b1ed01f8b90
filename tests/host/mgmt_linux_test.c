/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/builder/linux.c and linux_state.c: headers of the Linux boot protocol, good and
 * spoiled, the boot parameters they lead to, placement, and the state at both entries. Where
 * Debian's memtest86+ package is installed its two images are loaded as well.
 */
#include "mgmt/builder/linux.h"

#include "tests/host/mgmt_image.h"

enum { SETUP = 3 * 512, CODE = 0x3000, FILE_SIZE = SETUP + CODE };

static uint8_t file[FILE_SIZE];

static void put16(size_t at, unsigned value)
{
    file[at] = (uint8_t)value;
    file[at + 1] = (uint8_t)(value >> 8);
}

static uint64_t get64(const uint8_t *at)
{
    return get32(at) | (uint64_t)get32(at + 4) << 32;
}

/* Version 2.15, relocatable, both entries, at 1 MiB. */
static void make_file(void)
{
    memset(file, 0xcc, sizeof(file));
    memset(file, 0x11, SETUP);
    file[0x1f1] = 2;
    put32(file + 0x1f4, CODE / 16);
    put16(0x1fe, 0xaa55);
    put16(0x200, 0x6aeb);
    memcpy(file + 0x202, "HdrS", 4);
    put16(0x206, 0x20f);
    file[0x211] = 1;
    put32(file + 0x22c, 0x7fffffff);
    put32(file + 0x230, 0x10000);
    file[0x234] = 1;
    put16(0x236, 3);
    put32(file + 0x238, 200);
    put32(file + 0x258, (uint32_t)MIB);
    put32(file + 0x25c, 0);
    put32(file + 0x260, 0x50000);
}

static void run(loader *with, uint64_t memory, uint32_t modules)
{
    static const uint8_t module[5001] = {9, 8, 7};
    struct plan_input input = input_of(file, sizeof(file));
    input.modules = modules;
    for (uint32_t i = 0; i < modules; i++)
        input.module[i] = (struct plan_bytes){module, sizeof(module), "initrd"};
    plan_free(&plan);
    plan_init(&plan, memory);
    with(&plan, &input);
    check_pieces();
}

TEST(linux_good)
{
    for (int wide = 0; wide < 2; wide++) {
        test_row("wide %d", wide);
        make_file();
        run(wide ? plan_linux : plan_linux32, 4 * MIB, 2);
        EXPECT_STREQ(plan.error, "");
        EXPECT_EQ(plan.mode, wide ? PLAN_LINUX64 : PLAN_LINUX32);
        EXPECT_EQ(plan.entry, MIB + (wide ? 0x200 : 0));
        EXPECT_EQ(plan.piece[0].to, MIB);
        EXPECT_EQ(plan.piece[0].bytes, (uint64_t)CODE);
        EXPECT_EQ(plan.piece[0].room, 0x50000U);
        EXPECT_EQ(*plan.piece[0].from, 0xccU);
        const uint8_t *params = bytes_at(plan.esi);
        ASSERT_TRUE(params != NULL);
        EXPECT_MEMEQ(params + 0x202, "HdrS", 4);
        EXPECT_EQ(params[0x1f0], 0U);
        EXPECT_EQ(params[0x26c], 0U); /* behind the header */
        EXPECT_EQ(params[0x210], 0xffU);
        EXPECT_EQ(get32(params + 0x214), MIB);
        EXPECT_EQ(get64(params + 0x250), 0U);
        EXPECT_STREQ((const char *)bytes_at(get32(params + 0x228)), "the words");
        EXPECT_EQ(params[0x1e8], 2U);
        EXPECT_EQ(get64(params + 0x2d0 + 8), 640U << 10);
        EXPECT_EQ(get32(params + 0x2d0 + 16), 1U);
        EXPECT_EQ(get64(params + 0x2d0 + 20), MIB);
        EXPECT_EQ(get64(params + 0x2d0 + 28), 3 * MIB);
        /* Two modules of 5001 bytes, padded, as high as they go. */
        uint32_t initrd = get32(params + 0x218);
        EXPECT_EQ(get32(params + 0x21c), 2U * 5004);
        EXPECT_EQ(initrd, 4 * MIB - 3 * 4096);
        EXPECT_EQ(*bytes_at(initrd), 9U);
        EXPECT_EQ(*bytes_at(initrd + 5004), 9U);
    }
}

TEST(linux_placement)
{
    static const struct {
        uint32_t preferred, align, init_size;
        uint64_t memory;
        bool relocatable;
        const char *word; /* NULL: good */
        gpa_t at;
    } rows[] = {
        {0x100000, 0x1000, 0x50000, 4 * MIB, false, NULL, 0x100000},
        {0x1000000, 0x200000, 0x50000, 32 * MIB, true, NULL, 0x1000000},
        {0x1100000, 0x200000, 0x50000, 32 * MIB, true, NULL, 0x1200000},
        {0x1000000, 0x200000, 0x50000, 16 * MIB, true, "no room for kernel", 0},
        {0x1000000, 0x200000, 0x50000, 16 * MIB, false, "not within", 0},
        {0x1000000, 0x200000, 0xffffffff, 32 * MIB, true, "no room for kernel", 0},
        {0, 0x1000, 0x50000, 4 * MIB, true, NULL, 0x100000},
        {0, 0x1000, 0x90000, 4 * MIB, false, NULL, 0},
        {0x98000, 0x1000, 0x50000, 4 * MIB, false, "not within", 0},
        {0x100000, 0, 0x50000, 4 * MIB, true, "power of two", 0},
        {0x100000, 0x3000, 0x50000, 4 * MIB, true, "power of two", 0},
        {0x100000, 0x80000000, 0x50000, 4 * MIB, true, "no room for kernel", 0},
        {0x100000, 1, 0x50000, 4 * MIB, true, NULL, 0x100000},
        {0x100000, 0x1000, 0, 4 * MIB, true, NULL, 0x100000},
        {0x100000, 0x1000, 0x50000, 512 << 10, true, "no room for kernel", 0},
        {0xfffff000, 0x1000, 0x50000, 4 * MIB, true, "no room for kernel", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        make_file();
        put32(file + 0x258, rows[i].preferred);
        put32(file + 0x230, rows[i].align);
        put32(file + 0x260, rows[i].init_size);
        file[0x234] = rows[i].relocatable;
        run(plan_linux, rows[i].memory, 0);
        EXPECT_EQ(plan.failed, rows[i].word != NULL);
        if (!rows[i].word)
            EXPECT_EQ(plan.piece[0].to, rows[i].at);
        else if (!strstr(plan.error, rows[i].word))
            EXPECT_STREQ(plan.error, rows[i].word);
    }
    make_file();
    file[0x234] = 0;
    file[0x25d] = 1; /* 1 TiB */
    run(plan_linux, 4 * MIB, 0);
    EXPECT_TRUE(strstr(plan.error, "above 4 GiB") != NULL);
}

TEST(linux_bad_headers)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *word;
    } rows[] = {
        {0x1fe, 0, "no header"},    {0x202, 'h', "no header"},  {0x206, 5, "2.05"},
        {0x207, 1, "1.15"},         {0x211, 0, "zImage"},       {0x211, 0x80, "zImage"},
        {0x201, 0x39, "too early"}, {0x201, 0x61, "too early"}, {0x238, 8, "at most 8"},
        {0x1f1, 255, "cut off"},    {0x1f1, 26, "cut off"},     {0x1f1, 3, "cut off"},
        {0x1f5, 0xff, "cut off"},   {0x1f7, 1, "cut off"},      {0x1f1, 0, "cut off"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("row %zu", i);
        make_file();
        file[rows[i].at] = rows[i].value;
        run(plan_linux, 4 * MIB, 0);
        EXPECT_TRUE(plan.failed);
        EXPECT_EQ(plan.pieces, 0U);
        if (!strstr(plan.error, rows[i].word))
            EXPECT_STREQ(plan.error, rows[i].word);
    }
    make_file(); /* the last paragraph need not be whole, the one before must */
    put32(file + 0x1f4, CODE / 16 + 1);
    run(plan_linux, 4 * MIB, 0);
    EXPECT_TRUE(plan.failed);
    put32(file + 0x1f4, 0);
    file[0x1f1] = 0; /* stands for 4 */
    run(plan_linux, 4 * MIB, 0);
    EXPECT_FALSE(plan.failed);
    EXPECT_EQ(plan.piece[0].bytes, FILE_SIZE - 5U * 512);
}

TEST(linux_every_length)
{
    make_file();
    for (size_t size = 0; size <= FILE_SIZE; size += size < SETUP + 64 ? 1 : 509) {
        test_row("%zu bytes", size);
        load(plan_linux, file, size, 1);
        EXPECT_EQ(plan.failed, size + 16 <= FILE_SIZE);
        EXPECT_EQ(plan.pieces == 0, plan.failed);
    }
}

TEST(linux_old_versions)
{
    make_file();
    put16(0x206, 0x206);
    file[0x201] = 0x3a;
    memset(file + 0x23c, 0xff, 0x40); /* no part of the header */
    run(plan_linux, 4 * MIB, 1);
    EXPECT_FALSE(plan.failed);
    EXPECT_EQ(plan.mode, PLAN_LINUX32);
    EXPECT_EQ(plan.piece[0].to, MIB);
    EXPECT_EQ(plan.piece[0].room, (uint64_t)CODE);
    const uint8_t *params = bytes_at(plan.esi);
    ASSERT_TRUE(params != NULL);
    EXPECT_EQ(params[0x23c], 0U);
    make_file();
    put16(0x206, 0x20b); /* xloadflags came with 2.12 */
    run(plan_linux, 4 * MIB, 0);
    EXPECT_EQ(plan.mode, PLAN_LINUX32);
    make_file();
    put16(0x236, 2);
    run(plan_linux, 4 * MIB, 0);
    EXPECT_EQ(plan.mode, PLAN_LINUX32);
}

TEST(linux_initrd)
{
    static const struct {
        uint32_t max;
        uint64_t memory;
        gpa_t at; /* 0: no room */
    } rows[] = {
        {0x7fffffff, 4 * MIB, 4 * MIB - 0x2000},
        {0x37ffff, 4 * MIB, 0x380000 - 0x2000},
        {0x380000, 4 * MIB, 0x380000 - 0x2000},
        {0x150fff, 4 * MIB, 0x151000 - 0x2000 - 0},
        {0x151fff, 4 * MIB, 0x150000},
        {0x14ffff, 4 * MIB, 0},
        {0xfffff, 4 * MIB, 0},
        {0, 4 * MIB, 0},
        {0xffffffff, 4 * MIB, 4 * MIB - 0x2000},
        {0x7fffffff, 0x150000, 0},
        {0x7fffffff, 0x151000, 0},
        {0x7fffffff, 0x152000, 0x150000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool room = rows[i].at != 0 && rows[i].at >= 0x150000;
        test_row("row %zu", i);
        make_file();
        put32(file + 0x22c, rows[i].max);
        run(plan_linux, rows[i].memory, 1);
        EXPECT_EQ(plan.failed, !room);
        if (!room) {
            EXPECT_TRUE(strstr(plan.error, "no room for the initial RAM disk") != NULL);
            continue;
        }
        EXPECT_EQ(get32(bytes_at(plan.esi) + 0x218), rows[i].at);
    }
    make_file(); /* right below a kernel that is in the way */
    put32(file + 0x258, 0x200000);
    put32(file + 0x22c, 0x220000);
    run(plan_linux, 4 * MIB, 1);
    EXPECT_EQ(plan.piece[0].to, 0x200000U);
    EXPECT_EQ(get32(bytes_at(plan.esi) + 0x218), 0x200000U - 0x2000);
    make_file();
    run(plan_linux, 4ULL << 30, 1); /* below the devices, and the rest of the RAM is told */
    EXPECT_EQ(get32(bytes_at(plan.esi) + 0x218), 0x7fffe000U);
    EXPECT_EQ(bytes_at(plan.esi)[0x1e8], 3U);
}

TEST(linux_state_at_entry)
{
    for (int wide = 0; wide < 2; wide++) {
        test_row("wide %d", wide);
        make_file();
        run(wide ? plan_linux : plan_linux32, 4 * MIB, 0);
        struct hv_sregs sregs = {.cr0 = 0x10, .cr4 = 0};
        struct hv_regs regs = {.rflags = 2};
        linux_set_state(&plan, &sregs, &regs);
        EXPECT_EQ(regs.rip, plan.entry);
        EXPECT_EQ(regs.rsi, plan.esi);
        EXPECT_EQ(regs.rbx | regs.rbp | regs.rdi, 0U);
        EXPECT_EQ(sregs.cs.selector, 0x10U);
        EXPECT_EQ(sregs.ss.selector, 0x18U);
        EXPECT_EQ(sregs.gdt.limit, 31U);
        const uint8_t *gdt = bytes_at(sregs.gdt.base);
        ASSERT_TRUE(gdt != NULL);
        /* What is in the segment registers is what the table holds. */
        EXPECT_EQ(gdt[0x15], sregs.cs.access & 0xff);
        EXPECT_EQ(gdt[0x16] >> 4, (int)(sregs.cs.access >> 12));
        EXPECT_EQ(gdt[0x1d], sregs.ds.access & 0xff);
        EXPECT_EQ(sregs.cr0 & 0x80000001U, wide ? 0x80000001U : 1U);
        EXPECT_EQ(sregs.cr4, wide ? 0x20U : 0U);
        EXPECT_EQ(sregs.efer, wide ? 0x500U : 0U);
        EXPECT_EQ(sregs.cs.access, wide ? 0xa09bU : 0xc09bU);
    }
    /* Every page of 2 MiB is found through the tables. */
    for (uint64_t at = 0; at < 1ULL << 32; at += 0x200000) {
        uint64_t e = get64(bytes_at(plan.cr3));
        e = get64(bytes_at(e & ~0xfffULL) + 8 * (at >> 30));
        e = get64(bytes_at(e & ~0xfffULL) + 8 * (at >> 21 & 511));
        EXPECT_EQ(e, at | 0x83);
    }
}

TEST(linux_memtest86)
{
    static const char *const names[] = {"/boot/memtest86+x64.bin", "/boot/memtest86+ia32.bin"};
    static uint8_t bytes[1 << 20];
    size_t missing = 0;
    for (size_t i = 0; i < COUNT(names); i++) {
        FILE *stream = fopen(names[i], "rb");
        if (!stream) {
            missing++;
            continue;
        }
        size_t size = fread(bytes, 1, sizeof(bytes), stream);
        fclose(stream);
        test_row("%s", names[i]);
        load(plan_linux, bytes, size, 0);
        EXPECT_STREQ(plan.error, "");
        EXPECT_EQ(plan.mode, i == 0 ? PLAN_LINUX64 : PLAN_LINUX32);
        EXPECT_EQ(plan.entry, MIB + (i == 0 ? 0x200 : 0));
        load(plan_linux, bytes, size / 2, 0);
        EXPECT_TRUE(strstr(plan.error, "cut off") != NULL);
    }
    EXPECT_TRUE(missing == 0 || missing == COUNT(names)); /* a package is there or not */
    if (missing != 0)
        printf("    memtest86+ is not installed, its images were not tried\n");
    plan_free(&plan);
}
