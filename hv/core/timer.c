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
    t->queue = q;
    *at = t;
    if (q->first == t)
        arm(q);
    spin_unlock(&q->lock);
}

void timer_move(struct timer *t, uint64_t deadline)
{
    struct timer_queue *q = &pcpu_self()->timers;
    if (t->queue == q) {
        spin_lock(&q->lock);
        bool stays = q->first == t && (!t->next || deadline <= t->next->deadline);
        if (stays) {
            t->deadline = deadline;
            arm(q);
        }
        spin_unlock(&q->lock);
        if (stays)
            return;
    }
    timer_cancel(t);
    timer_set(t, deadline);
}

bool timer_take(struct timer *t)
{
    struct timer_queue *q = &pcpu_self()->timers;
    if (q->first != t)
        return false;
    spin_lock(&q->lock);
    bool due = q->first == t && t->deadline <= rdtsc();
    if (due) {
        q->first = t->next;
        atomic_store_release(&t->queue, NULL);
        if (q->first)
            arm(q);
    }
    spin_unlock(&q->lock);
    return due;
}

void timer_cancel(struct timer *t)
{
    struct timer_queue *q = atomic_load_acquire(&t->queue);
    if (!q)
        return;
    spin_lock(&q->lock);
    /* It may have fired between the load and the lock. */
    if (t->queue == q) {
        struct timer **at = &q->first;
        while (*at != t)
            at = &(*at)->next;
        *at = t->next;
        atomic_store_release(&t->queue, NULL);
    }
    spin_unlock(&q->lock);
}

void timer_interrupt(void)
{
    struct timer_queue *q = &pcpu_self()->timers;
    spin_lock(&q->lock);
    while (q->first && q->first->deadline <= rdtsc()) {
        struct timer *t = q->first;
        q->first = t->next;
        void (*fire)(struct timer *) = t->fire;
        atomic_store_release(&t->queue, NULL);
        spin_unlock(&q->lock);
        fire(t);
        spin_lock(&q->lock);
    }
    arm(q);
    spin_unlock(&q->lock);
}
