/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_random: see host_random.h. The instruction fails when it is asked faster than it can answer; ten tries
 * in a row mean that something is wrong with it.
 */
#include "mgmt/shell/host_random.h"

#include <string.h>

#define ECX_RDRAND (1U << 30) /* CPUID leaf 1 */

enum { TRIES = 10 };

bool host_random_exists(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (ecx & ECX_RDRAND) != 0;
}

static bool draw(uint64_t *word)
{
    uint8_t ok = 0;
    for (int i = 0; i < TRIES && !ok; i++)
        __asm__ volatile("rdrand %0; setc %1" : "=r"(*word), "=qm"(ok)::"cc");
    return ok != 0;
}

uint64_t host_random_fill(void *ctx, void *to, uint64_t bytes)
{
    uint64_t done = 0, word;
    (void)ctx;
    while (done < bytes && draw(&word)) {
        uint64_t piece = bytes - done < sizeof(word) ? bytes - done : sizeof(word);
        memcpy((uint8_t *)to + done, &word, piece);
        done += piece;
    }
    return done;
}
