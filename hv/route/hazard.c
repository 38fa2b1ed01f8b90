/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for the end of firings: see hazard.h. */
#include "hv/route/hazard.h"

static inline void wait(uint32_t name, uint32_t mask)
{
    for (uint32_t i = pcpu_count; i--;) {
        const uint64_t *hazard = &pcpu_table[i]->hazard;
        uint64_t first = atomic_load_acquire(hazard);
        uint32_t named = (uint32_t)first;
        if (__builtin_expect(!named, 1) || (named != HAZARD_ALL && ((named ^ name) & mask)))
            continue;
        for (uint64_t now = first; now >> 32 == first >> 32 && (uint32_t)now;
             now = atomic_load_acquire(hazard))
            cpu_pause();
    }
}

void hazard_wait(uint32_t name)
{
    wait(name, ~0U);
}

void hazard_wait_domain(uint32_t domain)
{
    wait(hazard_gsi(domain, 0), ~(HV_GSI_MAX - 1));
}
