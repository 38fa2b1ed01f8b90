/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_switch: a learning switch for Ethernet frames between devices of domains. Pure. IEEE 802.1Q, section
 * 8.7 "The learning process", as far as one switch without others needs it.
 *
 * A frame goes to the port where its destination was last seen as a source, else to all but its own. It never
 * goes back where it came from, and there is no second switch, so nothing circles. A port that has no room
 * drops the frame; nobody waits. Age is counted in frames: what was not heard of for NET_SWITCH_AGE frames is
 * unknown again, so the table needs no clock.
 */
#pragma once

#include "mgmt/virtio/net_offload.h"

enum {
    NET_MAC_SIZE = 6,
    NET_SWITCH_PORTS = 64,
    NET_SWITCH_MACS = 256,
    NET_SWITCH_WAYS = 4, /* places where an address can be kept */
    NET_SWITCH_AGE = 1 << 18,
};

struct net_port {
    /* False: no room, the frame is lost. */
    bool (*deliver)(void *ctx, const struct net_frame *frame);
    void *ctx;
    uint64_t in, out, dropped; /* frames from it, to it, and lost on the way to it */
    uint64_t refused; /* from it: too short, too long, from no single sender, or contradicting itself */
};

struct net_switch_entry {
    uint8_t mac[NET_MAC_SIZE];
    uint16_t port;
    bool used;
    uint64_t seen; /* count of frames then */
};

struct net_switch {
    struct net_port *port[NET_SWITCH_PORTS];
    struct net_switch_entry entry[NET_SWITCH_MACS];
    uint64_t frames, flooded;
};

void net_switch_init(struct net_switch *net);

/* False: all ports are taken. */
bool net_switch_attach(struct net_switch *net, struct net_port *port);
/* Forgets the port and all addresses behind it. */
void net_switch_detach(struct net_switch *net, struct net_port *port);

/* A frame from this port; what it says of its checksum and of cutting is checked here. */
void net_switch_send(struct net_switch *net, struct net_port *from, struct net_frame *frame);

/* Addresses that are known and not too old. */
uint32_t net_switch_known(const struct net_switch *net);
