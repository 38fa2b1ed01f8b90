/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical interrupts as sources of routes: guest_abi/hv_pirq.h says what they do. A line of the machine that is bound has a
 * vector of the CPUs, the same on all, and with it a place in a table that the interrupt reads without a lock; what it
 * signals is a notifier (notifier.h), so that targets, changes and deaths are that one's affair.
 *
 * Taking an interrupt, in this order: a level is blocked at the I/O APIC; the notifier is signalled; EOI. The end of a level:
 * the guest's line has fallen, then the pin is opened, and the I/O APIC looks at the line again.
 *
 * All of an interrupt happens under HAZARD_ALL, so unbinding is: close the pin, take the notifier out of the table, wait. An
 * interrupt that the CPU has accepted before finds nobody, or, 190 bindings later, a stranger, who gets one too many.
 *
 * Everything but interrupts, ends and acknowledgements: the caller holds the management lock.
 */
#ifndef HV_ROUTE_PIRQ_H
#define HV_ROUTE_PIRQ_H

#include "guest_abi/hv_pirq.h"
#include "hv/route/notifier.h"

struct pirq;

/* The vector of a device on this CPU. False: nobody has it. Followed by the EOI. */
bool pirq_interrupt(uint8_t vector);
/* The line of p's notifier has fallen; under HAZARD_ALL. */
void pirq_ended(struct pirq *p);

/* May the domain bind, unbind, acknowledge? 0, -HV_ENOENT: no such GSI in the machine, -HV_EPERM. */
int pirq_check(const struct domain *d, uint64_t gsi);
/*
 * Checked, b's flags, notification and notifier n too. 0; -HV_EEXIST: the GSI is bound; -HV_EBUSY: the notifier has another;
 * -HV_ENOSPC: no vector is left; -HV_ENODEV: the I/O APIC cannot reach that CPU; -HV_EINVAL: there is none.
 */
int pirq_bind(uint32_t gsi, const struct hv_pirq *b, struct notifier *n);
/* Returns when it fires no more; the target's line falls as if the guest had ended the interrupt. 0, -HV_ENOENT: not bound. */
int pirq_unbind(uint32_t gsi);
void pirq_unbind_notifier(struct notifier *n); /* if it has one */
void pirq_give(uint32_t gsi, uint16_t domain);
void pirq_info(uint32_t gsi, struct hv_pirq_info *out);

/* No lock. 1, 0, -HV_ENOENT: not bound. */
int pirq_ack(uint32_t gsi);

/* d is about to be destroyed: its lines are domain 0's again. */
void pirq_forget(const struct domain *d);

#endif
