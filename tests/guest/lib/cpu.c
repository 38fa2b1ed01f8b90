/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR accesses that may fault, and a window of pages: see cpu.h. memcpy and memset are what the compiler
 * calls.
 */
#include <stdbool.h>
#include <stddef.h>

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/trap.h"

extern uint64_t page_pml4[];
static uint64_t window_pdpt[512] __attribute__((aligned(4096)));
static uint64_t window_pd[512] __attribute__((aligned(4096)));
static uint64_t window_pt[512] __attribute__((aligned(4096)));

void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);

bool msr_read(uint32_t msr, uint64_t *value)
{
    uint32_t low = 0, high = 0;
    TRY("rdmsr", : "+a"(low), "+d"(high) : "c"(msr) : "memory");
    *value = (uint64_t)high << 32 | low;
    return trap.vector == TRAP_NONE;
}

bool msr_write(uint32_t msr, uint64_t value)
{
    TRY("wrmsr", ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(msr) : "memory");
    return trap.vector == TRAP_NONE;
}

void *map_page(unsigned slot, uint64_t gpa, uint64_t bits)
{
    page_pml4[MAP_BASE >> 39] = (uint64_t)(uintptr_t)window_pdpt | 7;
    window_pdpt[0] = (uint64_t)(uintptr_t)window_pd | 7;
    window_pd[0] = (uint64_t)(uintptr_t)window_pt | 7;
    window_pt[slot] = bits ? gpa | bits : 0;
    char *at = (char *)(MAP_BASE + 4096UL * slot);
    __asm__ volatile("invlpg %0" ::"m"(*at) : "memory");
    return at;
}

void *memset(void *to, int c, size_t n)
{
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(c) : "memory");
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n)::"memory");
    return to;
}
