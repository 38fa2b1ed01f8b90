/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_memmap: one sorted list without overlaps out of what firmware says about memory.
 *
 * While it is built, the list covers [0, 2^64 - 1) without gaps; what nobody spoke of is a HOLE. A record
 * cuts the entries at its ends and raises the type of all entries between; boot_memmap_end takes the holes
 * out. When the list is full, an entry that would have to be cut is raised as a whole by a restricted record
 * and left as it is by a usable one: memory may be missing then, but a restricted range is never shown as
 * usable.
 */
#include <string.h>

#include "boot/boot_build.h"

static const enum boot_mem_type HOLE = (enum boot_mem_type)(BOOT_MEM_BAD + 1);

static uint64_t end_of(const struct boot_mem *mem)
{
    return mem->base + mem->len;
}

static bool outranks(enum boot_mem_type type, enum boot_mem_type old)
{
    return old == HOLE || (old < type && type != HOLE);
}

/* Cuts entry i at `at`, which lies inside it. */
static bool cut(struct boot_memmap *map, uint32_t i, uint64_t at)
{
    struct boot_mem *mem = &map->entry[i];
    if (map->count == BOOT_MEMMAP_MAX) {
        map->dropped_full++;
        return false;
    }
    memmove(mem + 1, mem, (map->count - i) * sizeof(*mem));
    map->count++;
    mem[1].base = at;
    mem[1].len -= at - mem->base;
    mem->len = at - mem->base;
    return true;
}

static void join_neighbours(struct boot_memmap *map)
{
    uint32_t kept = 0;
    for (uint32_t i = 1; i < map->count; i++) {
        struct boot_mem *last = &map->entry[kept];
        if (last->type == map->entry[i].type && end_of(last) == map->entry[i].base)
            last->len += map->entry[i].len;
        else
            map->entry[++kept] = map->entry[i];
    }
    map->count = kept + 1;
}

void boot_memmap_begin(struct boot_memmap *map)
{
    *map = (struct boot_memmap){.count = 1, .entry = {{.len = UINT64_MAX, .type = HOLE}}};
}

void boot_memmap_add(struct boot_memmap *map, uint64_t base, uint64_t len, enum boot_mem_type type)
{
    uint64_t end = base + len;
    map->dropped_empty += len == 0;
    map->dropped_wrapped += len > UINT64_MAX - base;
    if (end <= base)
        return;

    for (uint32_t i = 0; i < map->count && map->entry[i].base < end; i++) {
        struct boot_mem *mem = &map->entry[i];
        if (end_of(mem) <= base || !outranks(type, mem->type))
            continue;
        /* The part in front stays as it is; the next turn looks at the rest. */
        if (mem->base < base && cut(map, i, base))
            continue;
        bool inside = mem->base >= base && (end_of(mem) <= end || cut(map, i, end));
        if (inside || type != BOOT_MEM_USABLE)
            mem->type = type;
    }
    join_neighbours(map);
}

void boot_memmap_end(struct boot_memmap *map)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        if (map->entry[i].type != HOLE)
            map->entry[kept++] = map->entry[i];
    }
    memset(&map->entry[kept], 0, (map->count - kept) * sizeof(map->entry[0]));
    map->count = kept;
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
