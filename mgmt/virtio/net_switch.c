/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_switch: see net_switch.h. The table is a hash with NET_SWITCH_WAYS places for each value; a new address
 * takes the place that was heard of the longest time ago. A guest that sends from many addresses pushes out
 * others, whose frames are flooded then: it can cost time, not correctness.
 */
#include "mgmt/virtio/net_switch.h"

#include <stddef.h>
#include <string.h>

enum { GROUP_BIT = 1, SOURCE = NET_MAC_SIZE };

void net_switch_init(struct net_switch *net)
{
    memset(net, 0, sizeof(*net));
}

bool net_switch_attach(struct net_switch *net, struct net_port *port)
{
    for (uint32_t i = 0; i < NET_SWITCH_PORTS; i++)
        if (!net->port[i]) {
            port->in = port->out = port->dropped = port->refused = 0;
            net->port[i] = port;
            return true;
        }
    return false;
}

void net_switch_detach(struct net_switch *net, struct net_port *port)
{
    for (uint32_t i = 0; i < NET_SWITCH_PORTS; i++) {
        if (net->port[i] != port)
            continue;
        net->port[i] = NULL;
        for (uint32_t j = 0; j < NET_SWITCH_MACS; j++)
            if (net->entry[j].port == i)
                net->entry[j].used = false;
    }
}

/* The first of the places that an address may have. */
static struct net_switch_entry *places(struct net_switch *net, const uint8_t *mac)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (uint32_t i = 0; i < NET_MAC_SIZE; i++)
        hash = (hash ^ mac[i]) * 16777619U;
    return &net->entry[(hash ^ hash >> 16) % (NET_SWITCH_MACS / NET_SWITCH_WAYS) * NET_SWITCH_WAYS];
}

static bool fresh(const struct net_switch *net, const struct net_switch_entry *entry)
{
    return entry->used && net->frames - entry->seen <= NET_SWITCH_AGE;
}

static struct net_switch_entry *lookup(struct net_switch *net, const uint8_t *mac)
{
    struct net_switch_entry *entry = places(net, mac);
    for (uint32_t i = 0; i < NET_SWITCH_WAYS; i++)
        if (fresh(net, &entry[i]) && memcmp(entry[i].mac, mac, NET_MAC_SIZE) == 0)
            return &entry[i];
    return NULL;
}

static void learn(struct net_switch *net, const uint8_t *mac, uint16_t port)
{
    struct net_switch_entry *entry = lookup(net, mac);
    if (!entry) {
        struct net_switch_entry *set = places(net, mac);
        entry = set;
        for (uint32_t i = 1; i < NET_SWITCH_WAYS && entry->used; i++)
            if (!set[i].used || set[i].seen < entry->seen)
                entry = &set[i];
        memcpy(entry->mac, mac, NET_MAC_SIZE);
        entry->used = true;
    }
    entry->port = port;
    entry->seen = net->frames;
}

static uint16_t number_of(const struct net_switch *net, const struct net_port *port)
{
    uint16_t number = 0;
    while (number < NET_SWITCH_PORTS && net->port[number] != port)
        number++;
    return number;
}

static void pass(struct net_port *to, const struct net_frame *frame)
{
    if (to->deliver(to->ctx, frame))
        to->out++;
    else
        to->dropped++;
}

void net_switch_send(struct net_switch *net, struct net_port *from, struct net_frame *frame)
{
    uint16_t own = number_of(net, from);
    if (own == NET_SWITCH_PORTS)
        return;
    if (!net_offload_check(frame) || frame->bytes[SOURCE] & GROUP_BIT) {
        from->refused++;
        return;
    }
    net->frames++;
    from->in++;
    learn(net, frame->bytes + SOURCE, own);
    const struct net_switch_entry *known = frame->bytes[0] & GROUP_BIT ? NULL : lookup(net, frame->bytes);
    if (known) {
        if (known->port != own)
            pass(net->port[known->port], frame);
        return;
    }
    net->flooded++;
    for (uint16_t i = 0; i < NET_SWITCH_PORTS; i++)
        if (i != own && net->port[i])
            pass(net->port[i], frame);
}

uint32_t net_switch_known(const struct net_switch *net)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < NET_SWITCH_MACS; i++)
        count += fresh(net, &net->entry[i]);
    return count;
}
