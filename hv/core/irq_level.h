/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Outputs of devices for the manager of a vCPU without a local APIC. Routes lead to some (HV_DOMAIN_OUTPUTS): levels, of which
 * every change is followed by a service before the guest goes on, and edges.
 *
 * And one of its own: the output of a device that a vCPU without a local APIC has in the hypervisor, for its manager: the timer of
 * IA32_TSC_DEADLINE (HV_DOMAIN_TSC_DEADLINE). The guest does not go on behind an edge before the manager has
 * been told, once, by whatever service comes next. What was told is kept here, never read back from the page.
 */
#ifndef HV_CORE_IRQ_LEVEL_H
#define HV_CORE_IRQ_LEVEL_H

#include "hv/core/vcpu.h"

/*
 * A route's source drives output `number`: 1: a change or an edge that will be told; 0: it was so, or merged with an edge that
 * waits; -HV_ENXIO: the end of a pulse, or a source that has no level. Any context.
 */
int irq_level_drive(struct vcpu *v, uint32_t number, bool edge, unsigned source, bool level);

/* A new vCPU. */
void irq_level_init(struct vcpu *v);

/* The MSR. On v's CPU while it runs. False: there is none. */
bool irq_level_read(const struct vcpu *v, uint64_t *deadline);
bool irq_level_write(struct vcpu *v, uint64_t deadline);
/* The guest's clock has moved. */
void irq_level_moved(struct vcpu *v);

/* REQUEST_APIC, on v's CPU: is there an edge to tell? */
bool irq_level_due(struct vcpu *v);

/* v's service page is being filled. */
void irq_level_publish(struct vcpu *v);

/*
 * For state records, while v does not run: the deadline, also one that has passed and was not told; such a one
 * is an edge when it is set.
 */
uint64_t irq_level_get(const struct vcpu *v);
void irq_level_set(struct vcpu *v, uint64_t deadline);

#endif
