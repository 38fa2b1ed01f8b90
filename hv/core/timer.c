/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadline queues; see timer.h. The queues are short (a slice and a few waits per CPU), so a sorted list is
 * enough. The lock is a leaf lock; the local APIC is only ever armed by its own CPU: a cancel from another
 * CPU leaves an early interrupt behind, which finds nothing due and arms for the next.
 */
#include "hv/core/timer.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "hv/core/pcpu.h"

static void arm(struct timer_queue *q)
{
    lapic_timer_arm(q->first ? q->first->deadline : 0);
}

void timer_set(struct timer *t, uint64_t deadline)
{
    struct timer_queue *q = &pcpu_self()->timers;
    spin_lock(&q->lock);
    struct timer **at = &q->first;
    while (*at && (*at)->deadline <= deadline)
        at = &(*at)->next;
    t->deadline = deadline;
    t->next = *at;
    t->cpu = pcpu_self();
    *at = t;
    if (q->first == t)
        arm(q);
    spin_unlock(&q->lock);
}

void timer_move(struct timer *t, uint64_t deadline)
{
    timer_cancel(t);
    timer_set(t, deadline);
}

/* t, to which `at` points, leaves its queue. */
static void take_out(struct timer **at, struct timer *t)
{
    *at = t->next;
    t->next = NULL;
    atomic_store_release(&t->cpu, NULL);
}

void timer_cancel(struct timer *t)
{
    struct pcpu *cpu = atomic_load_acquire(&t->cpu);
    if (!cpu)
        return;
    struct timer_queue *q = &cpu->timers;
    spin_lock(&q->lock);
    /* It may have fired between the load and the lock. */
    if (t->cpu == cpu) {
        struct timer **at = &q->first;
        while (*at != t)
            at = &(*at)->next;
        take_out(at, t);
    }
    spin_unlock(&q->lock);
}

void timer_interrupt(void)
{
    struct timer_queue *q = &pcpu_self()->timers;
    spin_lock(&q->lock);
    while (q->first && q->first->deadline <= rdtsc()) {
        struct timer *t = q->first;
        void (*fire)(struct timer *) = t->fire;
        take_out(&q->first, t);
        spin_unlock(&q->lock);
        fire(t);
        spin_lock(&q->lock);
    }
    arm(q);
    spin_unlock(&q->lock);
}
