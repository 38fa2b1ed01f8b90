/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_memmap: one sorted list without overlaps out of what firmware says about memory.
 *
 * Each record is added at once, so no raw copy is needed: what the new record outranks is carved
 * away, then the gaps that are left in its range are filled with it. When the table is full,
 * something is left out, and always on the safe side: a usable range may shrink or be missing, but
 * a restricted range is never shown as usable.
 */
#include <string.h>

#include "boot/boot_build.h"

static uint64_t end_of(const struct boot_mem *mem)
{
    return mem->base + mem->len;
}

static void remove_entry(struct boot_memmap *map, uint32_t i)
{
    map->count--;
    memmove(&map->entry[i], &map->entry[i + 1], (map->count - i) * sizeof(map->entry[0]));
}

static void drop_piece(struct boot_memmap *map, enum boot_mem_type type)
{
    map->dropped_full++;
    map->closed |= type != BOOT_MEM_USABLE;
}

static void insert_entry(struct boot_memmap *map, uint32_t i, uint64_t base, uint64_t end,
                         enum boot_mem_type type)
{
    if (map->count == BOOT_MEMMAP_MAX) {
        drop_piece(map, type);
        return;
    }
    memmove(&map->entry[i + 1], &map->entry[i], (map->count - i) * sizeof(map->entry[0]));
    map->entry[i] = (struct boot_mem){.base = base, .len = end - base, .type = type};
    map->count++;
}

/* Takes [base, end) out of entry i. Returns the index behind what is left of it. */
static uint32_t carve_entry(struct boot_memmap *map, uint32_t i, uint64_t base, uint64_t end)
{
    struct boot_mem old = map->entry[i];
    uint64_t left = old.base < base ? base - old.base : 0;
    uint64_t right = end_of(&old) > end ? end_of(&old) - end : 0;

    if (left != 0 && right != 0 && map->count == BOOT_MEMMAP_MAX) {
        drop_piece(map, old.type);
        if (left < right)
            left = 0;
        else
            right = 0;
    }
    if (left == 0 && right == 0) {
        remove_entry(map, i);
        return i;
    }
    if (left == 0) {
        map->entry[i].base = end;
        map->entry[i].len = right;
        return i + 1;
    }
    map->entry[i].len = left;
    if (right == 0)
        return i + 1;
    insert_entry(map, i + 1, end, end + right, old.type);
    return i + 2;
}

/* Puts [base, end), which is free, before entry i, and joins it with neighbours of its type. */
static void fill_gap(struct boot_memmap *map, uint32_t i, uint64_t base, uint64_t end,
                     enum boot_mem_type type)
{
    struct boot_mem *before = i > 0 ? &map->entry[i - 1] : NULL;
    struct boot_mem *after = i < map->count ? &map->entry[i] : NULL;
    bool join_before = before != NULL && before->type == type && end_of(before) == base;
    bool join_after = after != NULL && after->type == type && after->base == end;

    if (join_before) {
        before->len += end - base + (join_after ? after->len : 0);
        if (join_after)
            remove_entry(map, i);
    } else if (join_after) {
        after->base = base;
        after->len += end - base;
    } else {
        insert_entry(map, i, base, end, type);
    }
}

void boot_memmap_add(struct boot_memmap *map, uint64_t base, uint64_t len, enum boot_mem_type type)
{
    if (len == 0) {
        map->dropped_empty++;
        return;
    }
    if (len > UINT64_MAX - base) {
        map->dropped_wrapped++;
        return;
    }
    if (map->closed && type == BOOT_MEM_USABLE) {
        map->dropped_full++;
        return;
    }
    uint64_t end = base + len;

    for (uint32_t i = 0; i < map->count;) {
        const struct boot_mem *mem = &map->entry[i];
        if (mem->type < type && mem->base < end && base < end_of(mem))
            i = carve_entry(map, i, base, end);
        else
            i++;
    }

    uint32_t i = 0;
    for (uint64_t at = base; at < end;) {
        while (i < map->count && end_of(&map->entry[i]) <= at)
            i++;
        uint64_t stop = i < map->count && map->entry[i].base < end ? map->entry[i].base : end;
        if (stop <= at) {
            at = end_of(&map->entry[i]);
            continue;
        }
        fill_gap(map, i, at, stop, type);
        at = stop;
        i -= i > 0; /* a join may have moved the entries down by one */
    }
}

void boot_memmap_add_basic(struct boot_memmap *map, uint32_t lower_kib, uint32_t upper_kib)
{
    if (lower_kib != 0)
        boot_memmap_add(map, 0, (uint64_t)lower_kib << 10, BOOT_MEM_USABLE);
    if (upper_kib != 0)
        boot_memmap_add(map, 1u << 20, (uint64_t)upper_kib << 10, BOOT_MEM_USABLE);
}

/* Neighbours of one type are joined, so a usable range lies in one entry. */
bool boot_memmap_is_usable(const struct boot_memmap *map, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct boot_mem *mem = &map->entry[i];
        if (mem->type == BOOT_MEM_USABLE && mem->base <= start && end <= end_of(mem))
            return true;
    }
    return false;
}

bool boot_memmap_has_usable(const struct boot_memmap *map)
{
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->entry[i].type == BOOT_MEM_USABLE)
            return true;
    }
    return false;
}
