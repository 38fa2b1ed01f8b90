/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduler. A vCPU belongs to one CPU at a time (`cpu`) and is in one of three places there, all under that
 * CPU's queue lock:
 *
 *   held or blocked        in no list
 *   runnable               in the list of its priority (`queued`)
 *   running                the queue's `current`
 *
 * Wake-up. Blocking and waking are the two halves of a Dekker handshake on {blocked, requests}:
 *
 *   CPU of v, in sched_block            anybody, in sched_request
 *     blocked = true                      requests |= bit          (locked OR: a full barrier)
 *     full fence                          read blocked
 *     read requests                         set: take the lock, unblock
 *       set: blocked = false, go on         clear: v runs or is queued; it reads requests before it enters
 *
 * Either the waker sees `blocked`, or the blocker sees the request: tests/models/wakeup.pml. The same pairing
 * holds between `running` and `requests` for vCPUs that are about to enter: sched_next sets `running`, and
 * the run loop then takes the requests by an exchange, which is the barrier, so either the requester sees
 * `running` and sends the IPI, or the exchange sees the request. An IPI that arrives in root mode stays
 * pending (interrupts are off) and ends the guest's first instruction.
 *
 * A vCPU that has nothing to do while its queue is empty dozes: it goes on running, and its CPU waits for an interrupt
 * where otherwise the guest would run. So whoever has something for it does as if it were in the guest, and who comes
 * into the queue pokes it whatever the priorities are. It looks at requests and ON with interrupts off before each HLT.
 */
#include "hv/core/sched.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/smp.h"
#include "arch/cpu/vectors.h"
#include "hv/core/domain.h"
#include "hv/core/page.h"
#include "hv/core/panic.h"
#include "hv/core/pcpu.h"

struct runq {
    struct spinlock lock;
    uint64_t bitmap[4];     /* priorities with a runnable vCPU */
    struct vcpu *head[256]; /* circular lists */
    struct vcpu *current;   /* NULL: idle */
    uint32_t queued;
    struct timer slice;  /* only its own CPU sets and cancels it */
    uint64_t slice_ends; /* TSC; 0: `current` has its priority for itself */
};
_Static_assert(sizeof(struct runq) <= PAGE_SIZE, "one page");

static struct pcpu *home(const struct vcpu *v)
{
    return pcpu_table[atomic_load_relaxed(&v->cpu)];
}

/* The queue of v's CPU, locked; v may move until the lock is held. */
static struct runq *lock_home(struct vcpu *v)
{
    for (;;) {
        struct runq *q = pcpu_table[atomic_load_relaxed(&v->cpu)]->runq;
        spin_lock(&q->lock);
        if (home(v)->runq == q)
            return q;
        spin_unlock(&q->lock);
    }
}

static bool eligible(const struct vcpu *v)
{
    return !v->holds && !v->blocked;
}

static void account_as(struct vcpu *v, uint64_t now, enum vcpu_account next)
{
    v->ticks[v->account] += now - v->account_since;
    v->account_since = now;
    v->account = next;
}

static void account(struct vcpu *v, uint64_t now)
{
    account_as(v, now,
               v->running  ? (v->dozing ? ACCOUNT_BLOCKED : ACCOUNT_RUNNING)
               : v->queued ? ACCOUNT_RUNNABLE
               : v->holds  ? ACCOUNT_OFFLINE
                           : ACCOUNT_BLOCKED);
}

static void enqueue(struct runq *q, struct vcpu *v, bool at_head)
{
    struct vcpu **head = &q->head[v->priority];
    if (!*head) {
        v->next = v->prev = v;
        *head = v;
        q->bitmap[v->priority / 64] |= BIT(v->priority % 64);
    } else {
        v->next = *head;
        v->prev = (*head)->prev;
        v->prev->next = v;
        (*head)->prev = v;
        if (at_head)
            *head = v;
    }
    v->queued = true;
    q->queued++;
}

static void dequeue(struct runq *q, struct vcpu *v)
{
    struct vcpu **head = &q->head[v->priority];
    if (v->next == v) {
        *head = NULL;
        q->bitmap[v->priority / 64] &= ~BIT(v->priority % 64);
    } else {
        v->prev->next = v->next;
        v->next->prev = v->prev;
        if (*head == v)
            *head = v->next;
    }
    v->queued = false;
    q->queued--;
}

static struct vcpu *highest(const struct runq *q)
{
    for (int w = 3; w >= 0; w--)
        if (q->bitmap[w])
            return q->head[64 * w + 63 - __builtin_clzl(q->bitmap[w])];
    return NULL;
}

static void kick(const struct pcpu *p)
{
    if (p != pcpu_self())
        lapic_send(p->arch.apic_id, LAPIC_FIXED, VECTOR_KICK);
}

/*
 * An equal of the vCPU that runs has come: from now on its slice counts. True: the slice timer is its own
 * CPU's to set, which this is not.
 */
static bool share_slice(struct runq *q, const struct pcpu *p)
{
    if (q->slice_ends)
        return false;
    if (p != pcpu_self())
        return true;
    q->slice_ends = q->current->slice_start + q->current->slice_left;
    timer_set(&q->slice, q->slice_ends);
    return false;
}

/*
 * Puts v where its holds and `blocked` say, with q locked. Returns the vCPU that must look at its requests
 * because of it: v itself when it runs but may not any more, or the current one when v should take its place;
 * NULL: none. A current one that may not run any more is told already. *idle: the CPU sleeps and must be
 * woken.
 */
static struct vcpu *settle(struct runq *q, struct vcpu *v, bool *idle)
{
    struct vcpu *poke = NULL, *current = q->current;
    *idle = false;
    if (v->running)
        return eligible(v) ? NULL : v;
    if (eligible(v) && !v->queued) {
        enqueue(q, v, false);
        *idle = !current;
        if (current && eligible(current) &&
            (current->dozing || current->priority < v->priority ||
             (current->priority == v->priority && share_slice(q, home(v)))))
            poke = current;
    } else if (!eligible(v) && v->queued) {
        dequeue(q, v);
    }
    account(v, rdtsc());
    return poke;
}

static void settle_and_unlock(struct runq *q, struct vcpu *v)
{
    bool idle;
    struct vcpu *poke = settle(q, v, &idle);
    struct pcpu *p = home(v);
    spin_unlock(&q->lock);
    if (poke)
        sched_request(poke, REQUEST_RESCHED);
    else if (idle)
        kick(p);
}

void sched_hold(struct vcpu *v, uint32_t holds)
{
    struct runq *q = lock_home(v);
    v->holds |= holds;
    settle_and_unlock(q, v);
}

void sched_release(struct vcpu *v, uint32_t holds)
{
    struct runq *q = lock_home(v);
    v->holds &= ~holds;
    settle_and_unlock(q, v);
}

void sched_hold_self(struct vcpu *v, uint32_t holds, uint32_t unless)
{
    struct runq *q = pcpu_self()->runq;
    spin_lock(&q->lock);
    if (!(atomic_load_relaxed(&v->requests) & unless))
        v->holds |= holds;
    spin_unlock(&q->lock);
    atomic_fetch_or_full(&v->requests, REQUEST_RESCHED);
}

void sched_wait_stopped(struct vcpu *v)
{
    while (atomic_load_acquire(&v->running)) {
        smp_run_calls();
        cpu_pause();
    }
}

static uint64_t set_dozing(struct vcpu *v, bool dozing)
{
    uint64_t now = rdtsc();
    v->dozing = dozing;
    account_as(v, now, dozing ? ACCOUNT_BLOCKED : ACCOUNT_RUNNING);
    return now;
}

bool sched_doze(struct vcpu *v)
{
    struct pcpu *p = pcpu_self();
    struct runq *q = p->runq;
    if (atomic_load_relaxed(&q->queued))
        return false;
    spin_lock(&q->lock);
    bool alone = !q->queued;
    uint64_t start = alone ? set_dozing(v, true) : 0;
    spin_unlock(&q->lock);
    if (!alone)
        return false;
    while (!atomic_load_relaxed(&v->requests) && !vcpu_posted(v))
        sti_hlt_cli();
    spin_lock(&q->lock);
    uint64_t slept = set_dozing(v, false) - start;
    spin_unlock(&q->lock);
    p->ticks_idle += slept;
    v->slice_start += slept; /* it has used nothing of it */
    return true;
}

bool sched_block(struct vcpu *v)
{
    struct runq *q = pcpu_self()->runq;
    spin_lock(&q->lock);
    atomic_store_relaxed(&v->blocked, true);
    atomic_store_relaxed(&v->notify_at, 0);
    atomic_fence_full(); /* `blocked` before `requests`: see the handshake above */
    if (atomic_load_relaxed(&v->requests) || vcpu_posted(v)) {
        v->blocked = false;
        atomic_store_relaxed(&v->notify_at, percpu_self()->x2apic_logical);
    }
    bool blocked = v->blocked;
    spin_unlock(&q->lock);
    return blocked;
}

void sched_wake(struct vcpu *v)
{
    struct runq *q = lock_home(v);
    v->blocked = false;
    settle_and_unlock(q, v);
}

void sched_notify(struct vcpu *v)
{
    struct pcpu *p = home(v);
    if (p == pcpu_self())
        atomic_fetch_or_full(&v->requests, REQUEST_EVENT);
    else
        lapic_send(p->arch.apic_id, LAPIC_FIXED, VECTOR_PI_NOTIFY);
}

void sched_request(struct vcpu *v, uint32_t requests)
{
    atomic_fetch_or_full(&v->requests, requests);
    if (atomic_load_relaxed(&v->blocked)) {
        sched_wake(v);
    } else if (atomic_load_relaxed(&v->running)) {
        kick(home(v));
    }
}

static void slice_over(struct timer *t)
{
    struct runq *q = pcpu_self()->runq;
    (void)t;
    spin_lock(&q->lock);
    struct vcpu *v = q->current;
    spin_unlock(&q->lock);
    if (v)
        sched_request(v, REQUEST_RESCHED);
}

/*
 * What is left of the slice of a vCPU that stops running goes with it: one that is interrupted again and
 * again by others, of whatever priority, does not get a new slice each time, at the cost of its equals.
 * False: the slice is used up.
 */
static bool slice_charge(struct vcpu *v, uint64_t now)
{
    uint64_t used = now - v->slice_start;
    if (used < v->slice_left) {
        v->slice_left -= used;
        return true;
    }
    v->slice_left = v->slice_us * pcpu_tsc_khz / 1000;
    return false;
}

/* With the queue locked: takes the best runnable vCPU, or NULL. */
static struct vcpu *take(struct runq *q, struct vcpu *previous)
{
    uint64_t now = rdtsc();
    if (previous) {
        previous->running = false;
        atomic_store_relaxed(&previous->notify_at, 0);
        bool at_head = slice_charge(previous, now);
        if (eligible(previous))
            enqueue(q, previous, at_head);
        account(previous, now);
    }
    struct vcpu *v = highest(q);
    q->current = v;
    q->slice_ends = 0;
    if (!v)
        return NULL;
    dequeue(q, v);
    atomic_store_relaxed(&v->running, true);
    atomic_store_relaxed(&v->notify_at, percpu_self()->x2apic_logical);
    account_as(v, now, ACCOUNT_RUNNING);
    v->slice_start = now;
    if (q->head[v->priority])
        q->slice_ends = now + v->slice_left;
    return v;
}

static void idle(struct pcpu *p)
{
    uint64_t start = rdtsc();
    sti_hlt_cli();
    p->ticks_idle += rdtsc() - start;
}

struct vcpu *sched_next(struct vcpu *previous)
{
    struct pcpu *p = pcpu_self();
    struct runq *q = p->runq;
    struct vcpu *v;
    if (q->slice.cpu)
        timer_cancel(&q->slice);
    for (;;) {
        spin_lock(&q->lock);
        v = take(q, previous);
        spin_unlock(&q->lock);
        if (v)
            break;
        previous = NULL;
        idle(p);
    }
    if (q->slice_ends)
        timer_set(&q->slice, q->slice_ends);
    p->switches++;
    return v;
}

static uint32_t least_loaded(uint64_t mask)
{
    uint32_t best = VCPU_NOWHERE;
    for (uint32_t i = 0; i < pcpu_count; i++)
        if ((mask & BIT(i)) && (best == VCPU_NOWHERE || pcpu_table[i]->assigned < pcpu_table[best]->assigned))
            best = i;
    return best;
}

void sched_set_affinity(struct vcpu *v, uint64_t mask)
{
    struct runq *q = lock_home(v);
    hv_assert(!v->running && !v->queued);
    v->affinity = mask;
    if (!(mask & BIT(v->cpu))) {
        home(v)->assigned--;
        atomic_store_relaxed(&v->cpu, least_loaded(mask));
        home(v)->assigned++;
    }
    spin_unlock(&q->lock);
}

void sched_set_priority(struct vcpu *v, uint8_t priority, uint64_t slice_us)
{
    struct runq *q = lock_home(v);
    hv_assert(!v->running && !v->queued);
    v->priority = priority;
    v->slice_us = slice_us ? slice_us : SCHED_SLICE_US_DEFAULT;
    v->slice_left = v->slice_us * pcpu_tsc_khz / 1000;
    spin_unlock(&q->lock);
}

void sched_add(struct vcpu *v)
{
    v->holds = HOLD_STOPPED;
    v->affinity = MASK(pcpu_count - 1, 0);
    v->priority = SCHED_PRIORITY_DEFAULT;
    v->slice_us = SCHED_SLICE_US_DEFAULT;
    v->slice_left = v->slice_us * pcpu_tsc_khz / 1000;
    v->account = ACCOUNT_OFFLINE;
    v->account_since = rdtsc();
    v->cpu = least_loaded(v->affinity);
    home(v)->assigned++;
}

void sched_remove(struct vcpu *v)
{
    home(v)->assigned--;
}

void sched_times(struct vcpu *v, uint64_t ticks[ACCOUNT_KINDS], enum hv_vcpu_state *state)
{
    struct runq *q = lock_home(v);
    account(v, rdtsc());
    for (unsigned i = 0; i < ACCOUNT_KINDS; i++)
        ticks[i] = v->ticks[i];
    *state = v->running && !v->dozing  ? HV_VCPU_RUNNING
             : v->queued               ? HV_VCPU_RUNNABLE
             : v->holds & HOLD_STOPPED ? HV_VCPU_STOPPED
             : v->holds & HOLD_SERVICE ? HV_VCPU_SERVICE
             : v->holds                ? HV_VCPU_STOPPED
                                       : HV_VCPU_BLOCKED;
    spin_unlock(&q->lock);
}

uint32_t sched_queue_length(const struct pcpu *p)
{
    const struct vcpu *current = atomic_load_relaxed(&p->runq->current);
    return p->runq->queued + (current && !current->dozing ? 1 : 0);
}

bool sched_init_cpu(struct pcpu *p)
{
    p->runq = page_alloc();
    if (!p->runq)
        return false;
    p->runq->slice.fire = slice_over;
    return true;
}
