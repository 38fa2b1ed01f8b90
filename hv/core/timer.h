/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines in TSC time, one sorted queue per CPU, served by that CPU's local APIC timer. A timer lives on
 * the CPU where it was set, whatever happens to its owner meanwhile; `fire` runs there, in interrupt context
 * (interrupts off, no lock held).
 */
#ifndef HV_CORE_TIMER_H
#define HV_CORE_TIMER_H

#include "arch/cpu/bits.h"
#include "arch/cpu/spinlock.h"

struct timer {
    /* Under the lock of the queue that it is in. */
    uint64_t deadline;
    struct timer *next; /* NULL also while not set */
    struct pcpu *cpu;   /* NULL: not set. Written under the lock of its queue, read by its owner */
    void (*fire)(struct timer *t);
};

struct timer_queue {
    struct spinlock lock;
    struct timer *first; /* under lock: ascending deadlines */
};

/* Sets t, which is not set, on the executing CPU. */
void timer_set(struct timer *t, uint64_t deadline);

/* The same for a timer that may be set. */
void timer_move(struct timer *t, uint64_t deadline);

/*
 * Takes t back, wherever it was set. After the return it is not in a queue; `fire` may just be running on the
 * other CPU.
 */
void timer_cancel(struct timer *t);

/* VECTOR_TIMER: fires what is due, arms the local APIC for the next. */
void timer_interrupt(void);

#endif
