/* SPDX-License-Identifier: BSD-2-Clause */
/* Notifications to a manager: the one writer of notification pages, and the wait for them. */
#ifndef HV_CORE_NOTIFY_H
#define HV_CORE_NOTIFY_H

#include "hv/core/vcpu.h"

/*
 * Tells the manager of d: number is a HV_NOTIFY_*. Lost only if the manager has no page registered, as
 * documented. Any context.
 */
void notify_manager(const struct domain *d, uint32_t number);

/*
 * The same to any vCPU of a domain, or to NULL. 1; 0: it was pending already; -HV_ENXIO: the vCPU does not exist or has no page.
 */
int notify_send(struct domain *manager, uint32_t vcpu, uint32_t number);

/* Is anything pending on v's page? */
static inline bool notify_pending(const struct vcpu *v)
{
    return v->notify && __atomic_load_n(&v->notify->selector, __ATOMIC_ACQUIRE);
}

/*
 * v, which is running here, sleeps until a notification or the TSC deadline (0: none). Sets RAX when it is
 * over: see notify_finish_wait.
 */
void notify_wait(struct vcpu *v, uint64_t deadline);

/* After a wake-up: true when the wait is over (RAX is set), false: sleep on. */
bool notify_finish_wait(struct vcpu *v);

/* Timer: the deadline of a wait. */
void notify_deadline(struct timer *t);

#endif
