/* SPDX-License-Identifier: BSD-2-Clause */
/* What the calls on domains and those on interrupts have in common. Under the management lock. */
#ifndef HV_MGMT_MGMT_IRQ_H
#define HV_MGMT_MGMT_IRQ_H

#include "hv/route/route.h"

/* A new domain with local APICs: its controllers and its table, as they are without a configuration. 0, -HV_ENOMEM. */
int mgmt_irq_create(struct domain *d);

/* d->routing, made when it is not there; NULL: no memory. */
struct routing *mgmt_irq_routing(struct domain *d);

#endif
