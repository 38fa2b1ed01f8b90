/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message to the local APICs of a domain. The plain one, an edge to the APIC of an ID, goes the short way of
 * hv/vapic/deliver_edge.h, everything else through the funnel.
 */
#ifndef HV_ROUTE_MESSAGE_H
#define HV_ROUTE_MESSAGE_H

#include "hv/route/route_word.h"
#include "hv/vapic/deliver.h"
#include "hv/vapic/deliver_edge.h"

/* An edge to the APIC of an ID: as message_send; negative: not to be done this way. d has local APICs. */
static inline int message_edge(const struct domain *d, uint32_t id, uint8_t vector)
{
    struct vapic *one = deliver_edge_find(d->apics, id, vector);
    return one ? deliver_posted(one, vector) == VLAPIC_NEW : -1;
}

/* Of a route's word. How many newly have it; 0: merged; negative: nobody takes it. d has local APICs. */
static inline int message_send(struct domain *d, uint64_t word)
{
    const struct vlapic_message m = route_message(word);
    return deliver_message(d, NULL, &m);
}

#endif
