/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page pool: all memory that the hypervisor ever has, fixed at boot (`hvmem=`). Pages of 4 KiB,
 * zeroed when handed out.
 */
#ifndef HV_CORE_PAGE_H
#define HV_CORE_PAGE_H

#include "arch/cpu/bits.h"

/* Takes over [pa, pa + size), both page-aligned. Until page_set_linear the pool is reached at its
 * physical address. */
void page_init(uint64_t pa, uint64_t size);

/* From now on the pool is mapped at va. */
void page_set_linear(uint64_t va);

/* A zeroed page, or NULL when the pool is empty. */
void *page_alloc(void);

/* The same by its physical address, 0 when empty: for page tables. */
uint64_t page_alloc_pa(void);

/* `count` adjoining zeroed pages, only during start (they are taken from the untouched end of the
 * pool); NULL when there are none. */
void *page_alloc_many(uint64_t count);

void page_free(void *page);

uint64_t page_pa(const void *page);
void *page_from_pa(uint64_t pa);

uint64_t page_total(void);
uint64_t page_free_count(void);

/* Tests: the k-th allocation from now on fails, once (1 = the next). 0: none. */
void page_fail_at(uint64_t k);

#endif
