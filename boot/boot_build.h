/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_build: what the three loader parsers share to fill struct boot_info. Not for use outside
 * boot/.
 *
 * Order: boot_info_begin, all memory ranges, then the modules (they are checked against the
 * finished memory map), then boot_info_end, whose result the parser returns.
 */
#pragma once

#include <stddef.h>

#include "boot/boot_info.h"

enum boot_build_limit {
    BOOT_RECORDS_MAX = 4096, /* memory records looked at: bounds the time a broken length costs */
    BOOT_MODULE_RECORDS_MAX = 256,
};

void boot_info_begin(struct boot_info *out, enum boot_loader loader);
enum boot_error boot_info_end(struct boot_info *out);
enum boot_error boot_info_fail(struct boot_info *out, enum boot_error error);
void boot_info_note(struct boot_info *out, enum boot_problem_kind kind, uint32_t index);

/* Copies `len` bytes; false, and *to unchanged, when they cannot be read. */
bool boot_read(const struct boot_env *env, uint64_t pa, void *to, uint64_t len);

/* Both end `to` with NUL. Return: something was cut off. `from` is at most `len` bytes, with or
 * without a NUL. */
bool boot_copy_string(char *to, size_t size, const void *from, uint64_t len);

/* `pa` 0 gives the empty string. An unreadable byte gives the empty string and the problem (kind, index). */
bool boot_read_string(struct boot_info *out, const struct boot_env *env, uint64_t pa, char *to, size_t size,
                      enum boot_problem_kind kind, uint32_t index);

/* Record i of a list at `list`; when it cannot be read, or `list` is 0, the problem (kind, i). */
bool boot_read_record(struct boot_info *out, const struct boot_env *env, uint64_t list, uint32_t i, void *to,
                      uint64_t size, enum boot_problem_kind kind);

/*
 * Order: begin, add, is_usable and has_usable as needed, end. boot_info_begin and _end call the first and the
 * last.
 */
void boot_memmap_begin(struct boot_memmap *map);
void boot_memmap_end(struct boot_memmap *map);
void boot_memmap_add(struct boot_memmap *map, uint64_t base, uint64_t len, enum boot_mem_type type);
bool boot_memmap_is_usable(const struct boot_memmap *map, uint64_t start, uint64_t end);
bool boot_memmap_has_usable(const struct boot_memmap *map);

/* mem_lower and mem_upper of both multiboots: KiB from 0 and from 1 MiB. */
void boot_memmap_add_basic(struct boot_memmap *map, uint32_t lower_kib, uint32_t upper_kib);

/* Types 1 to 5 mean the same in both multiboots, PVH and E820; 7 is persistent memory; all else is
 * reserved. */
enum boot_mem_type boot_mem_type_of_e820(uint32_t type);

/* The new module with an empty string, or NULL when it was refused and noted. */
struct boot_module *boot_info_add_module(struct boot_info *out, const struct boot_env *env, uint32_t index,
                                         uint64_t start, uint64_t end);

/* The same for loaders that give the address of the string. */
void boot_info_read_module(struct boot_info *out, const struct boot_env *env, uint32_t index, uint64_t start,
                           uint64_t end, uint64_t string_pa);
