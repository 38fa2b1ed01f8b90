/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which physical memory is taken, and where room is left: used during start to place what the
 * hypervisor owns, and then to tell what remains for the management domain. Pure.
 */
#ifndef HV_CORE_RAM_H
#define HV_CORE_RAM_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/boot_info.h"

#define RAM_TAKEN_MAX 48

struct ram_range {
    uint64_t start, end; /* bytes; end exclusive */
};

struct ram {
    const struct boot_memmap *map;
    struct ram_range taken[RAM_TAKEN_MAX]; /* sorted by start, not overlapping, page-aligned */
    uint32_t taken_count;
};

/* Marks [start, end), widened to pages, as taken. False: no room in the list. Overlaps are joined.
 */
bool ram_take(struct ram *r, uint64_t start, uint64_t end);

/* The highest aligned place of `size` bytes in usable RAM in [low, high) that is not taken; 0:
 * none. Does not take it. */
uint64_t ram_find(const struct ram *r, uint64_t size, uint64_t align, uint64_t low, uint64_t high);

/* Bytes of usable RAM, whole pages, taken or not. */
uint64_t ram_usable(const struct boot_memmap *map);

/* End of the highest usable page. */
uint64_t ram_top(const struct boot_memmap *map);

#endif
