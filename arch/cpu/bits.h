/* SPDX-License-Identifier: BSD-2-Clause */
/* Bit and field helpers: hardware words are masks with named getters, never C bit-fields. */
#ifndef ARCH_CPU_BITS_H
#define ARCH_CPU_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n)       (1UL << (n))
#define MASK(hi, lo) ((~0UL >> (63 - (hi))) & (~0UL << (lo)))

#define KIB 1024UL
#define MIB (1024UL * KIB)
#define GIB (1024UL * MIB)

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t field_get(uint64_t word, unsigned hi, unsigned lo)
{
    return (word & MASK(hi, lo)) >> lo;
}

/* Of a word that is not 0. */
static inline uint64_t bit_lowest(uint64_t word)
{
    uint64_t n;
    __asm__("bsfq %1, %0" : "=r"(n) : "r"(word) : "cc");
    return n;
}

static inline uint64_t align_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

static inline uint64_t align_down(uint64_t value, uint64_t align)
{
    return value & ~(align - 1);
}

#endif
