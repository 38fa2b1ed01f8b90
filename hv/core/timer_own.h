/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only timer of the executing CPU, or the place in its empty queue, without the lock. Only this CPU puts timers in;
 * another one takes out only what it owns, and `t` is owned here. So while `t` is the only one, or goes into an empty queue,
 * nobody else has anything to write there: a cancel that is under way has made `first` or `next` NULL before they are seen
 * so. On machines with TSC deadlines.
 */
#ifndef HV_CORE_TIMER_OWN_H
#define HV_CORE_TIMER_OWN_H

#include "arch/cpu/atomic.h"
#include "arch/cpu/lapic.h"
#include "hv/core/pcpu.h"

/* t is the first timer of this CPU; NULL: there is none. */
static inline bool timer_own_is_first(const struct timer *t)
{
    bool is;
    __asm__ volatile("cmpq %2, %%gs:%c1"
                     : "=@cce"(is)
                     : "i"(offsetof(struct pcpu, timers.first)), "re"(t)
                     : "memory");
    return is;
}

/* False: t is set, and not alone or due; or it is not set, and another one is. */
static inline bool timer_own_set(struct timer *t, uint64_t deadline, uint64_t now)
{
    if (__builtin_expect(timer_own_is_first(t), 1)) {
        if (t->next || t->deadline <= now)
            return false;
    } else {
        if (t->cpu || !timer_own_is_first(NULL))
            return false;
        t->cpu = pcpu_self();
        atomic_store_relaxed(&t->cpu->timers.first, t);
    }
    t->deadline = deadline;
    wrmsr(MSR_IA32_TSC_DEADLINE, deadline);
    return true;
}

/* t is alone and its deadline has come: takes it out, without firing it. */
static inline bool timer_own_take(struct timer *t)
{
    if (!timer_own_is_first(t) || t->next || t->deadline > rdtsc())
        return false;
    __asm__ volatile("movq $0, %%gs:%c0" ::"i"(offsetof(struct pcpu, timers.first)) : "memory");
    atomic_store_release(&t->cpu, NULL);
    return true;
}

#endif
