/* SPDX-License-Identifier: BSD-2-Clause */
/* A small generator for random tests (xorshift64*): the same numbers on every machine and in every run. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state; /* not 0 */
};

static inline uint64_t random_next(struct random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1dU;
}

/* 0 to n - 1; n > 0. */
static inline uint64_t random_below(struct random *r, uint64_t n)
{
    return (random_next(r) >> 16) % n;
}

/* True once in n times on average. */
static inline bool random_one_in(struct random *r, uint64_t n)
{
    return random_below(r, n) == 0;
}
