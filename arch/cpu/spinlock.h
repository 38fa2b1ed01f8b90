/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket lock: first come, first served, so no CPU starves. Interrupts are off everywhere in the
 * hypervisor but in the idle HLT, so a lock is never taken twice by an interrupt on the same CPU.
 * NMI handlers take no lock.
 */
#ifndef ARCH_CPU_SPINLOCK_H
#define ARCH_CPU_SPINLOCK_H

#include "arch/cpu/atomic.h"
#include "arch/cpu/insn.h"

struct spinlock {
    uint32_t next;  /* the ticket that the next comer draws */
    uint32_t owner; /* the ticket that holds the lock */
};

static inline void spin_lock(struct spinlock *l)
{
    uint32_t ticket = atomic_fetch_add_full(&l->next, 1);
    if (__builtin_expect(atomic_load_acquire(&l->owner) == ticket, 1))
        return;
    do
        cpu_pause();
    while (atomic_load_acquire(&l->owner) != ticket);
}

/* Release order: what was written under the lock is visible before the next ticket is called. */
static inline void spin_unlock(struct spinlock *l)
{
    __asm__ volatile("incl %0" : "+m"(l->owner)::"memory", "cc"); /* not locked: nobody else writes it */
}

static inline bool spin_holding_any(struct spinlock *l)
{
    return atomic_load_relaxed(&l->next) != atomic_load_relaxed(&l->owner);
}

#endif
