/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the loaders in mgmt/builder: good images land where they say, bad ones fail with the right
 * sentence, and every truncation and every changed byte of a good image is survived. Images are
 * copied into blocks of exactly their size, so that a read beyond the end is caught by ASan.
 */
#include "mgmt/builder/plan.h"

#include "guest_abi/pvh.h"
#include "mgmt/builder/elf.h"
#include "tests/host/test.h"

#define MIB 0x100000ULL

static struct plan plan;

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, 4);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

/* The piece that holds an address; its bytes, or NULL. */
static const uint8_t *bytes_at(gpa_t gpa)
{
    for (uint32_t i = 0; i < plan.pieces; i++)
        if (gpa - plan.piece[i].to < plan.piece[i].bytes)
            return plan.piece[i].from + (gpa - plan.piece[i].to);
    return NULL;
}

/* What must hold for every plan that did not fail. */
static void check_pieces(void)
{
    if (plan.failed) {
        EXPECT_TRUE(plan.error[0] != '\0');
        return;
    }
    for (uint32_t i = 0; i < plan.pieces; i++) {
        const struct plan_piece *a = &plan.piece[i];
        EXPECT_TRUE(plan_is_ram(&plan, a->to, a->room));
        EXPECT_TRUE(a->bytes <= a->room);
        for (uint32_t j = 0; j < i; j++) {
            const struct plan_piece *b = &plan.piece[j];
            EXPECT_TRUE(a->to + a->room <= b->to || b->to + b->room <= a->to);
        }
    }
    EXPECT_TRUE(plan_is_ram(&plan, plan.entry, 1));
}

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

static struct plan_input input_of(const void *data, uint64_t size)
{
    return (struct plan_input){
        .kernel = {data, size, "kernel"}, .cmdline = "the words", .load = 0x7c00};
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

/* ---- ELF images */

enum { IMAGE_SIZE = 0x3000, PHDRS = 4 };

struct image {
    uint8_t bytes[IMAGE_SIZE];
    bool wide;
};

static void put_word(struct image *image, size_t at, uint64_t value)
{
    memcpy(image->bytes + at, &value, image->wide ? 8 : 4);
}

static size_t phdr_at(const struct image *image, unsigned index)
{
    return image->wide ? 64 + 56 * (size_t)index : 52 + 32 * (size_t)index;
}

static void put_segment(struct image *image, unsigned index, uint32_t type, uint64_t offset,
                        uint64_t vaddr, uint64_t paddr, uint64_t filesz, uint64_t memsz)
{
    size_t at = phdr_at(image, index), w = image->wide ? 8 : 4;
    put32(image->bytes + at, type);
    at += w;
    put_word(image, at, offset);
    put_word(image, at + w, vaddr);
    put_word(image, at + 2 * w, paddr);
    put_word(image, at + 3 * w, filesz);
    put_word(image, at + 4 * w, memsz);
}

/* Two segments, at 1 MiB and at 0x600, a PVH note with entry 0x100010, a Multiboot header. */
static void make_image(struct image *image, bool wide)
{
    static const uint8_t ident32[] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    memset(image, 0, sizeof(*image));
    image->wide = wide;
    memcpy(image->bytes, ident32, sizeof(ident32));
    image->bytes[4] = wide ? 2 : 1;
    image->bytes[16] = 2;
    image->bytes[18] = wide ? 62 : 3;
    put_word(image, 24, 0xffff0010U);
    put_word(image, wide ? 32 : 28, wide ? 64 : 52);
    image->bytes[wide ? 54 : 42] = wide ? 56 : 32;
    image->bytes[wide ? 56 : 44] = PHDRS;
    put_segment(image, 0, 1, 0x1000, 0xffff0000U, MIB, 0x1000, 0x2000);
    put_segment(image, 1, 1, 0x2000, 0x600, 0x600, 0x200, 0x200);
    put_segment(image, 2, 4, 0x2f00, 0, 0, 0x14, 0x14);
    put32(image->bytes + 0x2f00, 4);
    put32(image->bytes + 0x2f04, 4);
    put32(image->bytes + 0x2f08, 18);
    memcpy(image->bytes + 0x2f0c, "Xen", 4);
    put32(image->bytes + 0x2f10, (uint32_t)MIB + 0x10);
    put32(image->bytes + 0x1004, 0x1badb002);
    put32(image->bytes + 0x1008, 3);
    put32(image->bytes + 0x100c, -(0x1badb002U + 3));
    memset(image->bytes + 0x2000, 0x77, 0x200);
}

typedef void loader(struct plan *plan, const struct plan_input *input);

/* Runs a loader on a copy of exactly that size. */
static void load(loader *with, const void *bytes, size_t size, uint32_t modules)
{
    static const uint8_t module[5000] = {9, 8, 7};
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    struct plan_input input = input_of(copy, size);
    input.modules = modules;
    for (uint32_t i = 0; i < modules; i++)
        input.module[i] = (struct plan_bytes){module, sizeof(module), "a module"};
    plan_free(&plan);
    plan_init(&plan, 4 * MIB);
    (void)plan_is_multiboot(&input.kernel);
    (void)plan_is_pvh(&input.kernel);
    with(&plan, &input);
    check_pieces();
    free(copy);
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
        {8180, 0, "no ELF"},      {8184, 0, "no Multiboot"}, {66, 0, "no Multiboot"},
        {0, 4, "video"},          {0, 0x10004, "video"},     {0, 8, "not known"},
        {0, 0x8000, "not known"}, {0, 0x20000, "no ELF"},
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
