/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Placing things in physical memory during start. The memory map is sorted and free of overlaps
 * (boot_info), and so is our list of taken ranges; a search walks usable entries from the top and
 * steps below each taken range that is in the way.
 */
#include "hv/core/ram.h"

#include <string.h>

#include "arch/cpu/bits.h"

bool ram_take(struct ram *r, uint64_t start, uint64_t end)
{
    start = align_down(start, PAGE_SIZE);
    end = align_up(end, PAGE_SIZE);
    uint32_t i = 0;
    while (i < r->taken_count && r->taken[i].end < start)
        i++;
    uint32_t j = i;
    for (; j < r->taken_count && r->taken[j].start <= end; j++) {
        if (r->taken[j].start < start)
            start = r->taken[j].start;
        if (r->taken[j].end > end)
            end = r->taken[j].end;
    }
    if (i == j && r->taken_count == RAM_TAKEN_MAX)
        return false;
    memmove(&r->taken[i + 1], &r->taken[j], (r->taken_count - j) * sizeof(r->taken[0]));
    r->taken[i] = (struct ram_range){start, end};
    r->taken_count = r->taken_count + 1 - (j - i);
    return true;
}

/* The highest place in [low, high) beside the taken ranges, or 0. */
static uint64_t find_in(const struct ram *r, uint64_t size, uint64_t align, uint64_t low, uint64_t high)
{
    for (uint32_t i = r->taken_count + 1; i-- > 0;) {
        uint64_t floor = i ? r->taken[i - 1].end : 0;
        if (floor < low)
            floor = low;
        if (high >= size && align_down(high - size, align) >= floor && high > floor)
            return align_down(high - size, align);
        if (i && r->taken[i - 1].start < high)
            high = r->taken[i - 1].start;
        if (high <= low)
            return 0;
    }
    return 0;
}

uint64_t ram_find(const struct ram *r, uint64_t size, uint64_t align, uint64_t low, uint64_t high)
{
    for (uint32_t i = r->map->count; i-- > 0;) {
        const struct boot_mem *e = &r->map->entry[i];
        if (e->type != BOOT_MEM_USABLE)
            continue;
        uint64_t start = align_up(e->base, PAGE_SIZE);
        uint64_t end = align_down(e->base + e->len, PAGE_SIZE);
        start = start < low ? low : start;
        end = end > high ? high : end;
        if (start >= end || !size)
            continue;
        uint64_t found = find_in(r, size, align, start, end);
        if (found)
            return found;
    }
    return 0;
}

uint64_t ram_usable(const struct boot_memmap *map)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct boot_mem *e = &map->entry[i];
        uint64_t start = align_up(e->base, PAGE_SIZE);
        uint64_t end = align_down(e->base + e->len, PAGE_SIZE);
        if (e->type == BOOT_MEM_USABLE && start < end)
            sum += end - start;
    }
    return sum;
}

uint64_t ram_top(const struct boot_memmap *map)
{
    for (uint32_t i = map->count; i-- > 0;) {
        const struct boot_mem *e = &map->entry[i];
        uint64_t end = align_down(e->base + e->len, PAGE_SIZE);
        if (e->type == BOOT_MEM_USABLE && end > e->base)
            return end;
    }
    return 0;
}
