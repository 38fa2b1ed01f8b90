/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message to the local APICs of a domain: an edge to one of them goes the short way of
 * hv/vapic/deliver_edge.h, everything else through the funnel.
 */
#ifndef HV_ROUTE_MESSAGE_H
#define HV_ROUTE_MESSAGE_H

#include "hv/vapic/deliver.h"
#include "hv/vapic/deliver_edge.h"

/* How many newly have it; 0: merged; negative: nobody takes it. d has local APICs. */
static inline int message_send(struct domain *d, const struct vlapic_message *m)
{
    if (m->mode == APIC_DM_FIXED && !m->logical && !m->level) {
        struct vapic *one = deliver_edge_find(d->apics, m->dest, m->vector);
        if (one)
            return deliver_posted(one, m->vector) == VLAPIC_NEW;
    }
    return deliver_message(d, NULL, m);
}

#endif
