/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notification pages. A notification is a bit in `pending`, then its word's bit in `selector`, both by locked
 * OR, so the reader, who exchanges first the selector and then the words, either sees the bit or is followed
 * by a new selector bit:
 *
 *   here                          reader
 *     pending[w] |= bit             s = exchange(selector, 0)
 *     selector |= 1 << w            for each w in s: exchange(pending[w], 0)
 *
 * The page is pinned memory of the manager. What it writes there can only confuse itself: nothing is read
 * from it but "is a selector bit set".
 */
#include "hv/core/notify.h"

#include "arch/cpu/insn.h"
#include "hv/core/domain.h"
#include "hv/core/event.h"
#include "hv/core/sched.h"

int notify_send(struct domain *manager, uint32_t vcpu, uint32_t number)
{
    struct vcpu *v = manager ? atomic_load_acquire(&manager->vcpu[vcpu & (CONFIG_MAX_VCPUS - 1)]) : NULL;
    struct hv_notify *page = v ? atomic_load_acquire(&v->notify) : NULL;
    if (!page)
        return -HV_ENXIO;
    uint64_t bit = BIT(number % 64);
    if (atomic_fetch_or_full(&page->pending[number / 64 % 64], bit) & bit)
        return 0; /* not yet read: who set it has also told */
    atomic_fetch_or_full(&page->selector, BIT(number / 64 % 64));
    if (v->notify_vector)
        event_external(v, v->notify_vector);
    sched_request(v, REQUEST_NOTIFY);
    return 1;
}

void notify_manager(const struct domain *d, uint32_t number)
{
    (void)notify_send(domain_get(d->manager), 0, number);
}

static struct vcpu *of_timer(struct timer *t)
{
    return (struct vcpu *)(void *)((uint8_t *)t - offsetof(struct vcpu, wait_timer));
}

void notify_deadline(struct timer *t)
{
    sched_request(of_timer(t), REQUEST_NOTIFY);
}

/* A TSC value of the guest as one of the machine, at least 1; in the past, it may become any time that is. */
static uint64_t machine_time(const struct vcpu *v, uint64_t guest)
{
    uint64_t now = rdtsc(), guest_now = now + v->tsc_offset;
    if (guest <= guest_now)
        return now;
    return guest - guest_now < UINT64_MAX - now ? now + (guest - guest_now) : UINT64_MAX;
}

void notify_wait(struct vcpu *v, uint64_t deadline)
{
    v->waiting = true;
    v->wait_deadline = deadline ? machine_time(v, deadline) : 0;
    if (v->wait_deadline && v->wait_deadline > rdtsc())
        timer_set(&v->wait_timer, v->wait_deadline);
    atomic_fetch_or_full(&v->requests, REQUEST_NOTIFY); /* it runs here */
}

bool notify_finish_wait(struct vcpu *v)
{
    bool pending = notify_pending(v);
    bool late = v->wait_deadline && rdtsc() >= v->wait_deadline;
    if (!pending && !late)
        return false;
    if (v->wait_deadline)
        timer_cancel(&v->wait_timer);
    v->waiting = false;
    v->vmx.gprs.rax = pending ? 0 : -(uint64_t)HV_ETIME;
    return true;
}
