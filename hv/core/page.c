/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page pool, under one lock: pages never handed out lie behind `fresh`; pages given back form a
 * list through their first word. A page is cleared when it is handed out, so nothing of its former
 * use leaks.
 */
#include "hv/core/page.h"

#include <string.h>

#include "arch/cpu/spinlock.h"

struct free_page {
    struct free_page *next;
};

static struct spinlock lock;
static uint64_t pool_pa, pool_size; /* constant after page_init */
static uint64_t linear;             /* virtual minus physical; set once, before other CPUs run */
static uint64_t fresh;              /* under lock: offset of the first page never handed out */
static struct free_page *free_list; /* under lock */
static uint64_t free_pages;         /* under lock */
static uint64_t fail_countdown;     /* under lock */

void page_init(uint64_t pa, uint64_t size)
{
    pool_pa = pa;
    pool_size = size;
    free_pages = size / PAGE_SIZE;
}

void page_set_linear(uint64_t va)
{
    linear = va - pool_pa;
}

void *page_from_pa(uint64_t pa)
{
    return (void *)(uintptr_t)(pa + linear);
}

uint64_t page_pa(const void *page)
{
    return (uint64_t)(uintptr_t)page - linear;
}

static void *take(uint64_t count)
{
    if (fail_countdown && --fail_countdown == 0)
        return NULL;
    void *p = NULL;
    if (count == 1 && free_list) {
        p = free_list;
        free_list = free_list->next;
    } else if (pool_size - fresh >= count * PAGE_SIZE) {
        p = page_from_pa(pool_pa + fresh);
        fresh += count * PAGE_SIZE;
    }
    if (p)
        free_pages -= count;
    return p;
}

void *page_alloc_many(uint64_t count)
{
    spin_lock(&lock);
    void *p = take(count);
    spin_unlock(&lock);
    return p ? memset(p, 0, count * PAGE_SIZE) : NULL;
}

void *page_alloc(void)
{
    return page_alloc_many(1);
}

uint64_t page_alloc_pa(void)
{
    void *p = page_alloc();
    return p ? page_pa(p) : 0;
}

void page_free(void *page)
{
    if (!page)
        return;
    struct free_page *f = page;
    spin_lock(&lock);
    f->next = free_list;
    free_list = f;
    free_pages++;
    spin_unlock(&lock);
}

uint64_t page_total(void)
{
    return pool_size / PAGE_SIZE;
}

uint64_t page_free_count(void)
{
    spin_lock(&lock);
    uint64_t n = free_pages;
    spin_unlock(&lock);
    return n;
}

void page_fail_at(uint64_t k)
{
    spin_lock(&lock);
    fail_countdown = k;
    spin_unlock(&lock);
}
