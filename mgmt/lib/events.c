/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events: see events.h. The hypervisor sets a bit of `pending` and then its word's bit of
 * `selector`; here the selector is emptied first, then the words. A notification in between sets the
 * selector's bit again, so that the next HV_CALL_NOTIFY_WAIT returns at once: none is lost.
 */
#include "mgmt/lib/events.h"

#include <stddef.h>

#include "mgmt/lib/call.h"

static struct {
    events_fn *fn;
    void *ctx;
} handlers[HV_NOTIFY_COUNT];

static struct hv_notify *notify;
static struct events_timer *timers; /* sorted by deadline */

int64_t events_init(struct hv_notify *page, uint64_t gpa)
{
    notify = page;
    return call_notify_page(gpa, 0);
}

void events_set(uint32_t number, events_fn *fn, void *ctx)
{
    if (number >= HV_NOTIFY_COUNT)
        return;
    handlers[number].fn = fn;
    handlers[number].ctx = ctx;
}

void events_timer_cancel(struct events_timer *timer)
{
    for (struct events_timer **at = &timers; *at; at = &(*at)->next)
        if (*at == timer) {
            *at = timer->next;
            return;
        }
}

void events_timer_set(struct events_timer *timer, uint64_t deadline, events_timer_fn *fn, void *ctx)
{
    struct events_timer **at = &timers;
    events_timer_cancel(timer);
    *timer = (struct events_timer){.deadline = deadline, .fn = fn, .ctx = ctx};
    while (*at && (*at)->deadline <= deadline)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

uint64_t events_now(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void run_pending(uint32_t word)
{
    uint64_t bits = __atomic_exchange_n(&notify->pending[word], 0, __ATOMIC_ACQ_REL);
    for (; bits != 0; bits &= bits - 1) {
        uint32_t number = word * 64 + (uint32_t)__builtin_ctzll(bits);
        if (handlers[number].fn)
            handlers[number].fn(handlers[number].ctx, number);
    }
}

static void run_timers(void)
{
    uint64_t now = events_now();
    while (timers && timers->deadline <= now) {
        struct events_timer *timer = timers;
        timers = timer->next;
        timer->next = NULL;
        timer->fn(timer->ctx);
    }
}

void events_run_once(void)
{
    if (__atomic_load_n(&notify->selector, __ATOMIC_ACQUIRE) == 0) {
        uint64_t deadline = timers ? timers->deadline : 0;
        if (!timers || deadline > events_now())
            (void)call_notify_wait(deadline);
    }
    uint64_t words = __atomic_exchange_n(&notify->selector, 0, __ATOMIC_ACQ_REL);
    for (; words != 0; words &= words - 1)
        run_pending((uint32_t)__builtin_ctzll(words));
    run_timers();
}
