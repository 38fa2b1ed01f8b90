/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of arch/vmx/ept.c: a pool of table pages that aborts on any access to a page that is not taken,
 * and the processor's view of a tree, entry by entry, with every reserved bit checked (SDM volume 3, tables
 * "Format of an EPT PML4 Entry" and following).
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/vmx/ept.h"

enum { POOL_PAGES = 8192, ENTRIES = 512 };

/* ---- table pages ---- */

/*
 * Page n of the pool has physical address (n + 1) << 12 | 1 << 40, so that no pointer is ever taken for one.
 */
static struct {
    uint64_t (*page)[ENTRIES];
    uint16_t free[POOL_PAGES];
    bool taken[POOL_PAGES];
    uint32_t free_count, allocs, frees, fail_at;
} pool;

static const uint64_t POOL_PA = BIT(40) + PAGE_SIZE;

static inline void *pool_at(void *ctx, uint64_t pa)
{
    (void)ctx;
    uint64_t n = (pa - POOL_PA) >> PAGE_SHIFT;
    if (pa < POOL_PA || n >= POOL_PAGES || (pa & ~PAGE_MASK) || !pool.taken[n]) {
        printf("access to %#llx, which is no table page\n", (unsigned long long)pa);
        abort();
    }
    return pool.page[n];
}

static inline uint64_t pool_alloc(void *ctx)
{
    (void)ctx;
    pool.allocs++;
    if ((pool.fail_at && --pool.fail_at == 0) || pool.free_count == 0)
        return 0;
    uint32_t n = pool.free[--pool.free_count];
    pool.taken[n] = true;
    memset(pool.page[n], 0, PAGE_SIZE);
    return POOL_PA + ((uint64_t)n << PAGE_SHIFT);
}

static inline void pool_free(void *ctx, uint64_t pa)
{
    uint64_t *page = pool_at(ctx, pa);
    memset(page, 0xa7, PAGE_SIZE); /* all entries present and misconfigured */
    uint32_t n = (uint32_t)((pa - POOL_PA) >> PAGE_SHIFT);
    pool.taken[n] = false;
    pool.free[pool.free_count++] = (uint16_t)n;
    pool.frees++;
}

static inline uint32_t pool_used(void)
{
    return POOL_PAGES - pool.free_count;
}

static struct ept_env env = {pool_alloc, pool_free, pool_at, NULL, true};

static inline void pool_reset(bool large_1g)
{
    if (!pool.page)
        pool.page = calloc(POOL_PAGES, PAGE_SIZE);
    for (uint32_t i = 0; i < POOL_PAGES; i++) {
        pool.free[i] = (uint16_t)i;
        pool.taken[i] = false;
    }
    pool.free_count = POOL_PAGES;
    pool.fail_at = 0;
    env.large_1g = large_1g;
}

/* ---- the processor's view ---- */

/*
 * What stands for one 4 KiB page: its address, access and type; 0: not present. Any bad entry on the way:
 * BAD.
 */
#define BAD UINT64_MAX

static inline uint64_t hardware_walk(const struct ept *e, uint64_t gpa, uint64_t *leaf_size)
{
    uint64_t pointer = ept_pointer(e);
    if ((pointer & 0xfff) != 0x1e) /* WB, four levels, nothing else */
        return BAD;
    uint64_t table = pointer & ~0xfffUL;
    for (unsigned shift = 39;; shift -= 9) {
        uint64_t entry = ((const uint64_t *)pool_at(NULL, table))[gpa >> shift & 511];
        *leaf_size = BIT(shift);
        unsigned access = entry & 7, type = entry >> 3 & 7;
        if (access == 0)
            return 0;
        bool leaf = shift == 12 || (entry & BIT(7) && shift < 39);
        if (access == 2 || access == 4 || access == 6 || entry >> 52)
            return BAD;
        if (!leaf && (entry & MASK(11, 3)))
            return BAD;
        if (leaf && (type == 2 || type == 3 || type == 7 || (entry & MASK(11, 8)) ||
                     (shift > 12 && (entry & (MASK(shift - 1, 12)))) || (shift == 12 && (entry & BIT(7))) ||
                     (shift == 30 && !env.large_1g)))
            return BAD;
        if (leaf)
            return ((entry & MASK(51, 12)) + (gpa & (BIT(shift) - 1) & PAGE_MASK)) | (entry & 0x3f);
        table = entry & MASK(51, 12);
    }
}

/* Linked tables below and including this one. */
static inline uint64_t count_tables(uint64_t table, unsigned shift)
{
    const uint64_t *entry = pool_at(NULL, table);
    uint64_t count = 1;
    for (unsigned i = 0; i < ENTRIES; i++)
        if ((entry[i] & 7) && shift > 12 && !(entry[i] & BIT(7)))
            count += count_tables(entry[i] & MASK(51, 12), shift - 9);
    return count;
}

static inline uint64_t count_linked(const struct ept *e)
{
    return count_tables(ept_pointer(e) & MASK(51, 12), 39);
}

/* The hardware may still walk a retired table: what is present in it is another retired table. */
static inline uint64_t count_retired(const struct ept *e)
{
    static bool retired[POOL_PAGES];
    memset(retired, 0, sizeof(retired));
    uint64_t count = 0, below = 0, pa;
    for (pa = e->retired; pa; pa = *(const uint64_t *)pool_at(NULL, pa))
        retired[(pa - POOL_PA) >> PAGE_SHIFT] = true;
    for (pa = e->retired; pa; pa = *(const uint64_t *)pool_at(NULL, pa), count++) {
        const uint64_t *page = pool_at(NULL, pa);
        for (unsigned i = 0; i < ENTRIES; i++) {
            if ((page[i] & 7) == 0)
                continue;
            below++;
            if ((page[i] & 0xfff) != 7 || !retired[((page[i] & PAGE_MASK) - POOL_PA) >> PAGE_SHIFT])
                return BAD;
        }
    }
    return below < count || count == 0 ? count : BAD;
}
