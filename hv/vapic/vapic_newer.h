/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What newer processors do by themselves: send IPIs (IPI virtualization) and fire TSC deadlines (APIC-timer
 * virtualization). No emulator has either: written from the specification, never run. Without them each of
 * these functions is one test of a constant.
 *
 * IPIs. The processor posts to the descriptor of the target, found by APIC ID in a table of the domain, and
 * notifies as the descriptor says, so the descriptor always tells where the vCPU is:
 *
 *   running     SN = 0, NV = VECTOR_PI_NOTIFY, NDST = its CPU
 *   preempted   SN = 1: nobody is notified; PIR is looked at when it comes back
 *   asleep      SN = 0, NV = VECTOR_PI_WAKEUP, NDST = its CPU, whose handler wakes those with ON
 *
 * The change to "asleep" comes before `blocked` and the look at ON in sched_block: a notification of before
 * is seen there, one of afterwards wakes. In the table is who accepts fixed interrupts.
 *
 * The timer. While it is on, the deadline lives in the VMCS, and the model is behind: vapic_newer_sync brings
 * it up to date before anybody looks. A vCPU that leaves its CPU has a software timer meanwhile.
 *
 * SDM volume 3, "IPI Virtualization", "Virtual-Interrupt Posting"; Intel Architecture Instruction Set
 * Extensions Programming Reference, "APIC-Timer Virtualization".
 */
#ifndef HV_VAPIC_VAPIC_NEWER_H
#define HV_VAPIC_VAPIC_NEWER_H

#include "hv/vapic/vapic.h"

enum { VAPIC_NEWER_IPI = 1, VAPIC_NEWER_TIMER = 2 };
extern uint32_t vapic_newer; /* constant after start; 0: neither */

void vapic_newer_choose(enum apicv_level level, const struct vmx_caps *caps);

/* Pages for a domain, for a vCPU; without them the processor does less. */
void vapic_newer_domain(struct domain *d);
void vapic_newer_vcpu(struct vcpu *v);

/* After apicv_set_mode: the controls, and the vCPU's place in the table. */
void vapic_newer_follow(struct vcpu *v);

/* The timer, instead of a software timer. False: it cannot, or does not any more. */
bool vapic_newer_arm(struct vcpu *v);
void vapic_newer_sync(struct vcpu *v);

/* v, whose VMCS is current: runs here from now on; is about to sleep; leaves the CPU. */
enum vapic_place { VAPIC_HERE, VAPIC_ASLEEP, VAPIC_AWAY };
void vapic_newer_place(struct vcpu *v, enum vapic_place place);

static inline void vapic_place(struct vcpu *v, enum vapic_place place)
{
    if (__builtin_expect(vapic_newer != 0, 0) && v->apic)
        vapic_newer_place(v, place);
}

#endif
