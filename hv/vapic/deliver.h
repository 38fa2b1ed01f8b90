/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one way to interrupt a vCPU that has a local APIC. Any context in root mode, any CPU; no lock, but the
 * run queue's when a vCPU has to be woken.
 */
#ifndef HV_VAPIC_DELIVER_H
#define HV_VAPIC_DELIVER_H

#include "hv/vapic/vapic.h"

/*
 * Sends m (an MSI, an I/O APIC's message, an IPI with its sender) to the local APICs of d that it names.
 * Returns how many newly have it; 0: it was merged with one that was pending at each of them; negative:
 * nobody takes it (disabled, no such destination, vector 0 to 15, SIPI to one that does not wait). Lowest
 * priority reaches one.
 */
int deliver_message(struct domain *d, const struct vlapic *sender, const struct vlapic_message *m);

/*
 * Somebody to whom m could go has its vector requested or in service. What hardware moves from one to the other at this
 * moment may be missed.
 */
bool deliver_holds(struct domain *d, const struct vlapic_message *m);

/* The same to one vCPU, whatever m's destination: local vectors, errors. */
enum vlapic_receipt deliver_to(struct vcpu *v, const struct vlapic_message *m);

/*
 * The timer of v, whose VMCS is current here, has expired and is not masked. False: there is more to it, deliver_lvt
 * knows.
 */
bool deliver_own_timer(struct vcpu *v);

/* An interrupt from a local source. */
void deliver_lvt(struct vcpu *v, enum apic_reg lvt);

#endif
