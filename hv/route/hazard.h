/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a change of something that is read without a lock knows when nobody uses the old value any more. Each
 * CPU has a word that says what it is firing; who fires stores it first, who changes stores the new value
 * first, and then both look at the other's:
 *
 *   fire                                 change
 *     hazard = what    \ locked            old = exchange(value, new)    locked
 *     load value                           for each CPU: wait while its hazard names this value
 *     act on it                            return: the old value acts no more
 *     hazard = 0         release
 *
 * Either the load sees the new value, or the change sees the hazard: tests/models/route.pml. The wait is for
 * one firing at most, whatever comes after it: a count beside the name changes with each. Root mode is never
 * preempted and nobody waits for another CPU while firing, so it is short; it costs O(CPUs) and disturbs none
 * of them.
 */
#ifndef HV_ROUTE_HAZARD_H
#define HV_ROUTE_HAZARD_H

#include "arch/cpu/atomic.h"
#include "guest_abi/hv_route.h"
#include "hv/core/pcpu.h"

#define HAZARD_ALL  0xffffffffU /* anything: notifiers, doorbells, chains of GSIs */
#define HAZARD_NAME 0xffffffffUL
#define HAZARD_ONE  (1UL << 32)

static inline uint32_t hazard_gsi(uint32_t domain, uint32_t gsi)
{
    return 1U << 31 | domain << 17 | gsi;
}

/* Not nested: the outermost names enough. */
static inline void hazard_enter(uint32_t name)
{
    struct pcpu *p = pcpu_self();
    (void)atomic_exchange_full(&p->hazard, p->hazard + HAZARD_ONE + name); /* no name was in it */
}

/* Names everything from now on; what was named stays named. */
static inline void hazard_widen(void)
{
    struct pcpu *p = pcpu_self();
    (void)atomic_exchange_full(&p->hazard, p->hazard | HAZARD_NAME);
}

static inline void hazard_leave(void)
{
    atomic_store_release((uint32_t *)(void *)&pcpu_self()->hazard, 0); /* the name is its lower half */
}

/* After a locked exchange of the value: returns when no firing that may have read the old one goes on. */
void hazard_wait(uint32_t name);
void hazard_wait_domain(uint32_t domain); /* any of its GSIs */

#endif
