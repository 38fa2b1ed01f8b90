/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_info: what the boot loader told us, in one form for all loaders.
 *
 * Filled once by pure code (no hardware, no allocation), before anything else runs. Everything but
 * the module bodies is copied, so the loader's own data may be overwritten afterwards. Loader data
 * is never trusted: each byte is read through boot_env.map, each length is checked, and what is
 * broken is left out and counted or listed in `problems`, one entry per line that the caller ought
 * to print.
 *
 * Invariants on success: memmap is sorted by base, its entries are not empty, do not overlap and do
 * not end beyond 2^64 - 1, and neighbours of one type are joined. Each module lies wholly in usable
 * memory, outside the image and outside every other module. All strings end in NUL. On an error the
 * whole struct is zero.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum boot_limit {
    BOOT_CMDLINE_SIZE = 2048, /* bytes with the NUL; the same for the next two */
    BOOT_LOADER_NAME_SIZE = 64,
    BOOT_MODULE_STRING_SIZE = 256,
    BOOT_MEMMAP_MAX = 512, /* while the map is built, the holes in it count as entries */
    BOOT_MODULE_MAX = 32,
    BOOT_PROBLEM_MAX = 48,
    BOOT_RSDP_SIZE = 36,
};

enum boot_loader { BOOT_NONE, BOOT_MULTIBOOT1, BOOT_MULTIBOOT2, BOOT_PVH };

/* In rising order of restriction: where two ranges overlap, the greater type wins. */
enum boot_mem_type {
    BOOT_MEM_USABLE,
    BOOT_MEM_ACPI_RECLAIM,
    BOOT_MEM_ACPI_NVS,
    BOOT_MEM_PERSISTENT,
    BOOT_MEM_RESERVED,
    BOOT_MEM_BAD,
};

struct boot_mem {
    uint64_t base; /* bytes; not rounded to pages */
    uint64_t len;
    enum boot_mem_type type;
};

struct boot_memmap {
    struct boot_mem entry[BOOT_MEMMAP_MAX];
    uint32_t count;
    uint32_t dropped_empty;   /* records of length zero */
    uint32_t dropped_wrapped; /* records that reach or pass 2^64 */
    uint32_t dropped_full;    /* cuts without room: memory may be missing, none is falsely usable */
};

struct boot_module {
    uint64_t start;
    uint64_t end;   /* exclusive */
    uint32_t index; /* place in the loader's list: dropped modules are counted too */
    bool truncated; /* the string was longer than our copy */
    char string[BOOT_MODULE_STRING_SIZE];
};

enum boot_problem_kind {
    BOOT_PROBLEM_MODULE_EMPTY,
    BOOT_PROBLEM_MODULE_RANGE,           /* end below start, or past 2^64 */
    BOOT_PROBLEM_MODULE_OVERLAPS_IMAGE,  /* the range of the running hypervisor */
    BOOT_PROBLEM_MODULE_OVERLAPS_MODULE, /* an earlier one, which is kept */
    BOOT_PROBLEM_MODULE_OUTSIDE_RAM,     /* not wholly in one usable range */
    BOOT_PROBLEM_MODULE_TOO_MANY,        /* it found no room; from 256 on, index: the first of the rest */
    BOOT_PROBLEM_MODULE_LIST_UNREADABLE, /* index: the first one that could not be read */
    BOOT_PROBLEM_MODULE_STRING_UNREADABLE,
    BOOT_PROBLEM_CMDLINE_UNREADABLE,
    BOOT_PROBLEM_LOADER_NAME_UNREADABLE,
    BOOT_PROBLEM_MEMMAP_UNREADABLE, /* index: the record from which on nothing was read */
    BOOT_PROBLEM_MEMMAP_RECORD,     /* index: the record with an impossible size; the rest is ignored */
    BOOT_PROBLEM_MEMMAP_TOO_LONG,   /* index: the first record that was not looked at */
    BOOT_PROBLEM_TAG_SHORT,         /* multiboot2; index: type of the tag that was ignored */
};

struct boot_problem {
    enum boot_problem_kind kind;
    uint32_t index; /* module, record or tag type, in the loader's own counting */
};

struct boot_info {
    enum boot_loader loader;
    char loader_name[BOOT_LOADER_NAME_SIZE]; /* empty when not given */
    char cmdline[BOOT_CMDLINE_SIZE];
    bool cmdline_truncated;
    uint64_t rsdp_pa;             /* PVH only; 0: not given */
    uint8_t rsdp[BOOT_RSDP_SIZE]; /* multiboot2 only: the loader's copy of the RSDP */
    uint32_t rsdp_len;            /* 0: not given, else 20 to 36 */
    struct boot_memmap memmap;
    struct boot_module module[BOOT_MODULE_MAX];
    uint32_t module_count;
    struct boot_problem problem[BOOT_PROBLEM_MAX];
    uint32_t problem_count;
    uint32_t problems_unlisted; /* further ones for which the list had no room */
};

/*
 * `map` gives a pointer to `len` readable bytes at physical address `pa`, or NULL when not all of
 * them can be read. The pointer holds until the next call of `map`, so one temporary window is
 * enough.
 */
struct boot_env {
    const void *(*map)(void *ctx, uint64_t pa, uint64_t len);
    void *ctx;
    uint64_t image_start;
    uint64_t image_end; /* exclusive */
};

enum boot_error {
    BOOT_OK,
    BOOT_ERROR_INFO_UNREADABLE,
    BOOT_ERROR_INFO_MISALIGNED, /* multiboot2: not on 8 bytes */
    BOOT_ERROR_INFO_SIZE,       /* multiboot2: total_size impossible */
    BOOT_ERROR_MAGIC,           /* PVH */
    BOOT_ERROR_TAG,             /* multiboot2: a tag leaves the block */
    BOOT_ERROR_NO_END_TAG,      /* multiboot2 */
    BOOT_ERROR_NO_MEMORY_MAP,   /* none given, or nothing of it could be used */
    BOOT_ERROR_NO_USABLE_MEMORY,
};

enum boot_error boot_info_from_multiboot1(struct boot_info *out, const struct boot_env *env, uint64_t info_pa)
    __attribute__((warn_unused_result));
enum boot_error boot_info_from_multiboot2(struct boot_info *out, const struct boot_env *env, uint64_t info_pa)
    __attribute__((warn_unused_result));
enum boot_error boot_info_from_pvh(struct boot_info *out, const struct boot_env *env, uint64_t info_pa)
    __attribute__((warn_unused_result));

const char *boot_error_text(enum boot_error error);
const char *boot_problem_text(enum boot_problem_kind kind);
const char *boot_mem_type_text(enum boot_mem_type type);
