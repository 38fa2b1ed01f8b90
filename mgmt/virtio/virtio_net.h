/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_net: a network device on a port of a net_switch. Pure. Virtual I/O Device (VIRTIO) Version 1.2,
 * section 5.1 "Network Device".
 *
 * Drivers may leave checksums out and send TCP in large pieces; who receives gets it so if its driver has said
 * that it can do with that, over as many buffers as it takes, else complete frames, one per buffer. A frame
 * for a driver that has not enough buffers is lost and counted by the port; what the driver sends too long or
 * too short, or what contradicts itself, as well. The driver is never asked to tell of new receive buffers:
 * nothing waits for them.
 */
#pragma once

#include "mgmt/virtio/net_switch.h"
#include "mgmt/virtio/virtio.h"

enum { VIRTIO_NET_HEADER = 12 };

struct virtio_net {
    struct virtio virtio;
    struct net_switch *net;
    struct net_port port;
};

/* Attaches the device to the switch; false: the switch has no port left. */
bool virtio_net_init(struct virtio_net *net, const uint8_t *mac, struct net_switch *to,
                     const struct guest_memory *memory);
/* Before the device goes. */
void virtio_net_detach(struct virtio_net *net);
