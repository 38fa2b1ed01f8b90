/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: per CPU a queue of runnable vCPUs, fixed priorities 0 (lowest) to 255, round robin with a
 * time slice inside a priority. A vCPU that is alone at its priority, with nobody above, takes no tick.
 */
#ifndef HV_CORE_SCHED_H
#define HV_CORE_SCHED_H

#include "hv/core/vcpu.h"

struct pcpu;

#define SCHED_PRIORITY_DEFAULT 128
#define SCHED_SLICE_US_DEFAULT 5000

/* The executing CPU becomes able to schedule. False: no memory. */
bool sched_init_cpu(struct pcpu *p);

/*
 * Sets or clears reasons not to run. The vCPU is queued, taken from its queue or asked to leave the guest as
 * needed.
 */
void sched_hold(struct vcpu *v, uint32_t holds);
void sched_release(struct vcpu *v, uint32_t holds);

/*
 * The same as sched_hold for v that runs on this CPU: it leaves at its next look at its requests. Not when one
 * of `unless` has been requested already.
 */
void sched_hold_self(struct vcpu *v, uint32_t holds, uint32_t unless);

/*
 * Returns when v does not run (any more): after sched_hold, from another vCPU's context. Serves cross-CPU
 * calls meanwhile.
 */
void sched_wait_stopped(struct vcpu *v);

/*
 * v, which runs on this CPU, has nothing to do. True: nobody else was there, and the CPU has slept until v had requests
 * or something was posted. False: somebody is in the queue.
 */
bool sched_doze(struct vcpu *v);

/*
 * v, which runs on this CPU, has nothing to do. True: it is blocked now, pick another. False: a request has
 * come meanwhile, and v goes on.
 */
bool sched_block(struct vcpu *v);

/*
 * Sets request bits and makes sure that v looks at them soon: wakes it when blocked, sends it out of the
 * guest when it runs elsewhere.
 */
void sched_request(struct vcpu *v, uint32_t requests);

/*
 * Two halves of telling a vCPU that interrupts have been posted to it, by whoever has set ON by a locked instruction
 * before: v was seen blocked, it is woken; or running, its processor is notified. v looks at ON before it is
 * entered and before it sleeps.
 */
void sched_wake(struct vcpu *v);
void sched_notify(struct vcpu *v);

/*
 * Who runs next on this CPU; sleeps until there is one. `previous` (or NULL) stops running, and goes back to
 * its queue if it is eligible. The caller takes the requests of the new one by an atomic exchange before it
 * enters it: see the barriers in sched.c.
 */
struct vcpu *sched_next(struct vcpu *previous);

/*
 * Both while v is held and neither runs nor is queued. The affinity mask holds at least one CPU that exists.
 */
void sched_set_affinity(struct vcpu *v, uint64_t mask);
void sched_set_priority(struct vcpu *v, uint8_t priority, uint64_t slice_us);

/* Time of v by kind up to now, and its state for the ABI. */
void sched_times(struct vcpu *v, uint64_t ticks[ACCOUNT_KINDS], enum hv_vcpu_state *state);

/*
 * A new vCPU, stopped, gets a CPU; a vCPU that is about to be freed gives it up. Both under the management
 * lock.
 */
void sched_add(struct vcpu *v);
void sched_remove(struct vcpu *v);

/* vCPUs that run or could run on a CPU. For statistics, without a lock. */
uint32_t sched_queue_length(const struct pcpu *p);

#endif
