/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mgmt_image: what the tests of the loaders in mgmt/builder share: a small good ELF image to be
 * spoiled, a run of a loader on a copy of exactly its size (so that ASan catches a read beyond the
 * end), and what must hold for every plan.
 */
#pragma once

#include "mgmt/builder/plan.h"
#include "tests/host/test.h"

#define MIB 0x100000ULL

static struct plan plan;

static inline void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, 4);
}

static inline uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

/* The piece that holds an address; its bytes, or NULL. */
static inline const uint8_t *bytes_at(gpa_t gpa)
{
    for (uint32_t i = 0; i < plan.pieces; i++)
        if (gpa - plan.piece[i].to < plan.piece[i].bytes)
            return plan.piece[i].from + (gpa - plan.piece[i].to);
    return NULL;
}

/* What must hold for every plan that did not fail. */
static inline void check_pieces(void)
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

static inline struct plan_input input_of(const void *data, uint64_t size)
{
    return (struct plan_input){.kernel = {data, size, "kernel"}, .cmdline = "the words", .load = 0x7c00};
}

/* ---- ELF images */

enum { IMAGE_SIZE = 0x3000, PHDRS = 4 };

struct image {
    uint8_t bytes[IMAGE_SIZE];
    bool wide;
};

static inline void put_word(struct image *image, size_t at, uint64_t value)
{
    memcpy(image->bytes + at, &value, image->wide ? 8 : 4);
}

static inline size_t phdr_at(const struct image *image, unsigned index)
{
    return image->wide ? 64 + 56 * (size_t)index : 52 + 32 * (size_t)index;
}

static inline void put_segment(struct image *image, unsigned index, uint32_t type, uint64_t offset,
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
static inline void make_image(struct image *image, bool wide)
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
static inline void load(loader *with, const void *bytes, size_t size, uint32_t modules)
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
