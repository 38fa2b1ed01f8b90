/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_info: the parts that all loaders share: checked reads, strings, modules, problems, texts.
 * The memory map has a file of its own, boot_memmap.c.
 */
#include "boot/boot_info.h"

#include <string.h>

#include "boot/boot_build.h"

void boot_info_begin(struct boot_info *out, enum boot_loader loader)
{
    memset(out, 0, sizeof(*out));
    out->loader = loader;
    boot_memmap_begin(&out->memmap);
}

enum boot_error boot_info_fail(struct boot_info *out, enum boot_error error)
{
    memset(out, 0, sizeof(*out));
    return error;
}

enum boot_error boot_info_end(struct boot_info *out)
{
    boot_memmap_end(&out->memmap);
    if (boot_memmap_has_usable(&out->memmap))
        return BOOT_OK;
    return boot_info_fail(out,
                          out->memmap.count == 0 ? BOOT_ERROR_NO_MEMORY_MAP : BOOT_ERROR_NO_USABLE_MEMORY);
}

void boot_info_note(struct boot_info *out, enum boot_problem_kind kind, uint32_t index)
{
    if (out->problem_count == BOOT_PROBLEM_MAX) {
        out->problems_unlisted++;
        return;
    }
    out->problem[out->problem_count++] = (struct boot_problem){.kind = kind, .index = index};
}

bool boot_read(const struct boot_env *env, uint64_t pa, void *to, uint64_t len)
{
    const void *from = env->map(env->ctx, pa, len);
    if (from == NULL)
        return false;
    memcpy(to, from, len);
    return true;
}

bool boot_copy_string(char *to, size_t size, const void *from, uint64_t len)
{
    const char *text = from;
    size_t i = 0;
    while (i < len && i + 1 < size && text[i] != '\0') {
        to[i] = text[i];
        i++;
    }
    to[i] = '\0';
    return i < len && text[i] != '\0';
}

/* Byte by byte: the length is unknown, and the byte behind the NUL need not be readable. */
bool boot_read_string(struct boot_info *out, const struct boot_env *env, uint64_t pa, char *to, size_t size,
                      enum boot_problem_kind kind, uint32_t index)
{
    for (size_t i = 0; pa != 0 && i < size; i++) {
        if (i > UINT64_MAX - pa || !boot_read(env, pa + i, &to[i], 1)) {
            memset(to, 0, size);
            boot_info_note(out, kind, index);
            return false;
        }
        if (to[i] == '\0')
            return false;
    }
    to[pa != 0 ? size - 1 : 0] = '\0';
    return pa != 0;
}

bool boot_read_record(struct boot_info *out, const struct boot_env *env, uint64_t list, uint32_t i, void *to,
                      uint64_t size, enum boot_problem_kind kind)
{
    uint64_t offset = i * size;
    if (list != 0 && offset <= UINT64_MAX - list && boot_read(env, list + offset, to, size))
        return true;
    boot_info_note(out, kind, i);
    return false;
}

static bool ranges_overlap(uint64_t a_start, uint64_t a_end, uint64_t b_start, uint64_t b_end)
{
    return a_start < b_end && b_start < a_end;
}

static bool overlaps_module(const struct boot_info *out, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < out->module_count; i++) {
        if (ranges_overlap(start, end, out->module[i].start, out->module[i].end))
            return true;
    }
    return false;
}

struct boot_module *boot_info_add_module(struct boot_info *out, const struct boot_env *env, uint32_t index,
                                         uint64_t start, uint64_t end)
{
    enum boot_problem_kind kind;
    if (start > end)
        kind = BOOT_PROBLEM_MODULE_RANGE;
    else if (start == end)
        kind = BOOT_PROBLEM_MODULE_EMPTY;
    else if (ranges_overlap(start, end, env->image_start, env->image_end))
        kind = BOOT_PROBLEM_MODULE_OVERLAPS_IMAGE;
    else if (overlaps_module(out, start, end))
        kind = BOOT_PROBLEM_MODULE_OVERLAPS_MODULE;
    else if (!boot_memmap_is_usable(&out->memmap, start, end))
        kind = BOOT_PROBLEM_MODULE_OUTSIDE_RAM;
    else if (out->module_count == BOOT_MODULE_MAX)
        kind = BOOT_PROBLEM_MODULE_TOO_MANY;
    else {
        struct boot_module *module = &out->module[out->module_count++];
        *module = (struct boot_module){.start = start, .end = end, .index = index};
        return module;
    }
    boot_info_note(out, kind, index);
    return NULL;
}

void boot_info_read_module(struct boot_info *out, const struct boot_env *env, uint32_t index, uint64_t start,
                           uint64_t end, uint64_t string_pa)
{
    struct boot_module *module = boot_info_add_module(out, env, index, start, end);
    if (module != NULL)
        module->truncated = boot_read_string(out, env, string_pa, module->string, sizeof(module->string),
                                             BOOT_PROBLEM_MODULE_STRING_UNREADABLE, index);
}

enum boot_mem_type boot_mem_type_of_e820(uint32_t type)
{
    static const uint8_t types[] = {
        [0] = BOOT_MEM_RESERVED, [1] = BOOT_MEM_USABLE, [2] = BOOT_MEM_RESERVED, [3] = BOOT_MEM_ACPI_RECLAIM,
        [4] = BOOT_MEM_ACPI_NVS, [5] = BOOT_MEM_BAD,    [6] = BOOT_MEM_RESERVED, [7] = BOOT_MEM_PERSISTENT,
    };
    return (enum boot_mem_type)(type < sizeof(types) ? types[type] : BOOT_MEM_RESERVED);
}

const char *boot_error_text(enum boot_error error)
{
    static const char *const text[] = {
        [BOOT_OK] = "no error",
        [BOOT_ERROR_INFO_UNREADABLE] = "the loader's information cannot be read",
        [BOOT_ERROR_INFO_MISALIGNED] = "the loader's information is not aligned to 8 bytes",
        [BOOT_ERROR_INFO_SIZE] = "the loader's information has an impossible size",
        [BOOT_ERROR_MAGIC] = "the loader's information has the wrong magic number",
        [BOOT_ERROR_TAG] = "a tag has an impossible size",
        [BOOT_ERROR_NO_END_TAG] = "the list of tags has no end",
        [BOOT_ERROR_NO_MEMORY_MAP] = "the loader gave no memory map",
        [BOOT_ERROR_NO_USABLE_MEMORY] = "the memory map has no usable memory",
    };
    return (size_t)error < sizeof(text) / sizeof(text[0]) ? text[error] : "unknown error";
}

const char *boot_problem_text(enum boot_problem_kind kind)
{
    static const char *const text[] = {
        [BOOT_PROBLEM_MODULE_EMPTY] = "module is empty",
        [BOOT_PROBLEM_MODULE_RANGE] = "module ends before it starts",
        [BOOT_PROBLEM_MODULE_OVERLAPS_IMAGE] = "module overlaps the hypervisor",
        [BOOT_PROBLEM_MODULE_OVERLAPS_MODULE] = "module overlaps an earlier one",
        [BOOT_PROBLEM_MODULE_OUTSIDE_RAM] = "module lies outside usable memory",
        [BOOT_PROBLEM_MODULE_TOO_MANY] = "too many modules",
        [BOOT_PROBLEM_MODULE_LIST_UNREADABLE] = "module list cannot be read",
        [BOOT_PROBLEM_MODULE_STRING_UNREADABLE] = "module string cannot be read",
        [BOOT_PROBLEM_CMDLINE_UNREADABLE] = "command line cannot be read",
        [BOOT_PROBLEM_LOADER_NAME_UNREADABLE] = "loader name cannot be read",
        [BOOT_PROBLEM_MEMMAP_UNREADABLE] = "memory map cannot be read",
        [BOOT_PROBLEM_MEMMAP_RECORD] = "memory map record has an impossible size",
        [BOOT_PROBLEM_MEMMAP_TOO_LONG] = "memory map has too many records",
        [BOOT_PROBLEM_TAG_SHORT] = "tag is too short for its type",
    };
    return (size_t)kind < sizeof(text) / sizeof(text[0]) ? text[kind] : "unknown problem";
}

const char *boot_mem_type_text(enum boot_mem_type type)
{
    static const char *const text[] = {
        [BOOT_MEM_USABLE] = "usable",     [BOOT_MEM_ACPI_RECLAIM] = "ACPI reclaimable",
        [BOOT_MEM_ACPI_NVS] = "ACPI NVS", [BOOT_MEM_PERSISTENT] = "persistent",
        [BOOT_MEM_RESERVED] = "reserved", [BOOT_MEM_BAD] = "bad",
    };
    return (size_t)type < sizeof(text) / sizeof(text[0]) ? text[type] : "unknown";
}
