/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_random: random bytes of the machine, by RDRAND. SDM volume 1, 7.3.17 "Random Number Generator
 * Instructions".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* False: this CPU has no such instruction. */
bool host_random_exists(void);

/* How many bytes were written: fewer when the generator is exhausted. */
uint64_t host_random_fill(void *ctx, void *to, uint64_t bytes);
