/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_boot: runs one loader parser on a fuzz input and holds its result to what boot_info.h promises.
 */
#pragma once

#include <assert.h>

#include "boot/boot_info.h"
#include "tests/fuzz/fuzz_mem.h"

enum { FUZZ_INFO_PA = 0x9000, FUZZ_IMAGE_START = 0x200000, FUZZ_IMAGE_END = 0x300000 };

typedef enum boot_error fuzz_boot_parser(struct boot_info *out, const struct boot_env *env, uint64_t info_pa);

static inline void fuzz_check_memmap(const struct boot_memmap *map)
{
    assert(map->count != 0 && map->count <= BOOT_MEMMAP_MAX);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct boot_mem *mem = &map->entry[i];
        assert(mem->len != 0 && mem->base <= UINT64_MAX - mem->len && mem->type <= BOOT_MEM_BAD);
        if (i == 0)
            continue;
        uint64_t before = mem[-1].base + mem[-1].len;
        assert(before <= mem->base && (before != mem->base || mem[-1].type != mem->type));
    }
}

static inline void fuzz_check_module(const struct boot_info *out, uint32_t i)
{
    const struct boot_module *module = &out->module[i];
    bool usable = false;
    assert(module->start < module->end);
    assert(module->end <= FUZZ_IMAGE_START || module->start >= FUZZ_IMAGE_END);
    assert(memchr(module->string, '\0', sizeof(module->string)) != NULL);
    for (uint32_t j = 0; j < i; j++)
        assert(out->module[j].end <= module->start || out->module[j].start >= module->end);
    for (uint32_t j = 0; j < out->memmap.count; j++) {
        const struct boot_mem *mem = &out->memmap.entry[j];
        usable |=
            mem->type == BOOT_MEM_USABLE && mem->base <= module->start && module->end - mem->base <= mem->len;
    }
    assert(usable);
}

static inline int fuzz_boot(fuzz_boot_parser *parse, const uint8_t *data, size_t size)
{
    static const struct boot_info zero;
    static struct boot_info out;
    struct fake_mem mem;
    struct boot_env env = {fake_mem_map, &mem, FUZZ_IMAGE_START, FUZZ_IMAGE_END};
    fuzz_mem_load(&mem, data, size);
    memset(&out, 0xa5, sizeof(out));
    enum boot_error error = parse(&out, &env, FUZZ_INFO_PA);
    fake_mem_drop(&mem);
    if (error != BOOT_OK) {
        assert(memcmp(&out, &zero, sizeof(out)) == 0);
        return 0;
    }
    fuzz_check_memmap(&out.memmap);
    assert(out.module_count <= BOOT_MODULE_MAX && out.problem_count <= BOOT_PROBLEM_MAX);
    assert(out.rsdp_len == 0 || out.rsdp_len == 20 || out.rsdp_len == BOOT_RSDP_SIZE);
    assert(memchr(out.cmdline, '\0', sizeof(out.cmdline)) != NULL);
    assert(memchr(out.loader_name, '\0', sizeof(out.loader_name)) != NULL);
    for (uint32_t i = 0; i < out.module_count; i++)
        fuzz_check_module(&out, i);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
