/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_net: see virtio_net.h. A frame is copied out of the sender's memory before the switch looks at it,
 * so that what is looked at is what arrives.
 */
#include "mgmt/virtio/virtio_net.h"

#include <string.h>

enum { RECEIVEQ = 0, TRANSMITQ = 1, VIRTIO_NET_S_LINK_UP = 1 };

#define VIRTIO_NET_F_MAC    (1ULL << 5)
#define VIRTIO_NET_F_STATUS (1ULL << 16)

/* Section 5.1.4, up to what is used. */
struct virtio_net_config {
    uint8_t mac[NET_MAC_SIZE];
    uint16_t status;
};
_Static_assert(sizeof(struct virtio_net_config) == 8, "VIRTIO 5.1.4");

/* Section 5.1.6 "Device Operation". */
struct virtio_net_hdr {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
    uint16_t num_buffers;
};
_Static_assert(sizeof(struct virtio_net_hdr) == VIRTIO_NET_HEADER, "VIRTIO 5.1.6");

static int64_t send(struct virtio *virtio)
{
    struct virtio_net *net = (struct virtio_net *)virtio;
    struct queue_cursor cursor = queue_readable(&virtio->chain);
    struct virtio_net_hdr hdr;
    uint64_t length = virtio->chain.readable - sizeof(hdr);
    if (virtio->chain.writable != 0 ||
        queue_read(&virtio->queue[TRANSMITQ], &cursor, &hdr, sizeof(hdr)) != sizeof(hdr)) {
        virtio_break(virtio);
        return VIRTIO_BAD;
    }
    if (length > sizeof(net->frame) || hdr.gso_type != 0) {
        net->port.refused++;
        return 0;
    }
    length = queue_read(&virtio->queue[TRANSMITQ], &cursor, net->frame, length);
    net_switch_send(net->net, &net->port, net->frame, (uint32_t)length);
    return 0;
}

static bool deliver(void *ctx, const uint8_t *frame, uint32_t length)
{
    static const struct virtio_net_hdr hdr = {.num_buffers = 1};
    struct virtio_net *net = ctx;
    struct virtio *virtio = &net->virtio;
    struct queue *queue = &virtio->queue[RECEIVEQ];
    if (!virtio_pop(virtio, RECEIVEQ))
        return false;
    if (virtio->chain.readable != 0) {
        virtio_break(virtio);
        return false;
    }
    if (virtio->chain.writable < sizeof(hdr) + length) {
        queue_unpop(queue);
        return false;
    }
    struct queue_cursor cursor = queue_writable(&virtio->chain);
    (void)queue_write(queue, &cursor, &hdr, sizeof(hdr));
    (void)queue_write(queue, &cursor, frame, length);
    queue_push(queue, virtio->chain.head, (uint32_t)sizeof(hdr) + length);
    virtio_signal(virtio, RECEIVEQ);
    return true;
}

static void serve(struct virtio *virtio, uint16_t queue)
{
    if (queue == TRANSMITQ)
        virtio_drain(virtio, queue, send);
    else
        (void)queue_watch(&virtio->queue[RECEIVEQ], false);
}

bool virtio_net_init(struct virtio_net *net, const uint8_t *mac, struct net_switch *to,
                     const struct guest_memory *memory)
{
    static const struct virtio_type type = {
        .id = VIRTIO_ID_NET,
        .queues = 2,
        .queue_size = QUEUE_SIZE_MAX,
        .config_size = sizeof(struct virtio_net_config),
        .features = VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS,
        .serve = serve,
    };
    struct virtio_net_config config = {.status = VIRTIO_NET_S_LINK_UP};
    memcpy(config.mac, mac, NET_MAC_SIZE);
    virtio_init(&net->virtio, &type, 0, memory);
    memcpy(net->virtio.config, &config, sizeof(config));
    net->net = to;
    net->port = (struct net_port){.deliver = deliver, .ctx = net};
    return net_switch_attach(to, &net->port);
}

void virtio_net_detach(struct virtio_net *net)
{
    net_switch_detach(net->net, &net->port);
}
_Static_assert(offsetof(struct virtio_net, virtio) == 0, "a device begins with what is common");
