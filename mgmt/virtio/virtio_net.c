/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio_net: see virtio_net.h. A frame is copied out of the sender's memory before the switch looks at it,
 * so that what is looked at is what arrives.
 */
#include "mgmt/virtio/virtio_net.h"

#include <string.h>

enum {
    RECEIVEQ = 0,
    TRANSMITQ = 1,
    VIRTIO_NET_S_LINK_UP = 1,
    VIRTIO_NET_HDR_F_NEEDS_CSUM = 1,
    VIRTIO_NET_HDR_GSO_NONE = 0,
    VIRTIO_NET_HDR_GSO_TCPV4 = 1,
    VIRTIO_NET_HDR_GSO_TCPV6 = 4,
};

#define VIRTIO_NET_F_CSUM       (1ULL << 0)
#define VIRTIO_NET_F_GUEST_CSUM (1ULL << 1)
#define VIRTIO_NET_F_MAC        (1ULL << 5)
#define VIRTIO_NET_F_GUEST_TSO4 (1ULL << 7)
#define VIRTIO_NET_F_GUEST_TSO6 (1ULL << 8)
#define VIRTIO_NET_F_HOST_TSO4  (1ULL << 11)
#define VIRTIO_NET_F_HOST_TSO6  (1ULL << 12)
#define VIRTIO_NET_F_MRG_RXBUF  (1ULL << 15)
#define VIRTIO_NET_F_STATUS     (1ULL << 16)

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

/* What the header says, in the terms of what the driver may say. False: it may not. */
static bool describe(const struct virtio *virtio, const struct virtio_net_hdr *hdr, struct net_frame *frame)
{
    frame->partial = (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
    frame->csum_start = hdr->csum_start;
    frame->csum_offset = hdr->csum_offset;
    frame->gso_size = hdr->gso_size;
    if (frame->partial && !virtio_has(virtio, VIRTIO_NET_F_CSUM))
        return false;
    switch (hdr->gso_type) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return true;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        frame->gso = NET_GSO_TCP4;
        return frame->partial && virtio_has(virtio, VIRTIO_NET_F_HOST_TSO4);
    case VIRTIO_NET_HDR_GSO_TCPV6:
        frame->gso = NET_GSO_TCP6;
        return frame->partial && virtio_has(virtio, VIRTIO_NET_F_HOST_TSO6);
    default:
        return false;
    }
}

static int64_t send(struct virtio *virtio)
{
    static uint8_t bytes[NET_BIG_MAX];
    struct virtio_net *net = (struct virtio_net *)virtio;
    struct queue_cursor cursor = queue_readable(&virtio->chain);
    struct virtio_net_hdr hdr;
    uint64_t length = virtio->chain.readable - sizeof(hdr);
    if (virtio->chain.writable != 0 ||
        queue_read(&virtio->queue[TRANSMITQ], &cursor, &hdr, sizeof(hdr)) != sizeof(hdr)) {
        virtio_break(virtio);
        return VIRTIO_BAD;
    }
    struct net_frame frame = {.bytes = bytes, .length = (uint32_t)length};
    if (length > sizeof(bytes) || !describe(virtio, &hdr, &frame)) {
        net->port.refused++;
        return 0;
    }
    (void)queue_read(&virtio->queue[TRANSMITQ], &cursor, bytes, length);
    net_switch_send(net->net, &net->port, &frame);
    virtio->extra = frame.header != 0 ? net_offload_count(&frame) : 0; /* somebody may have had to cut it */
    return 0;
}

static bool takes_as_it_is(const struct virtio *virtio, const struct net_frame *frame)
{
    static const uint64_t needed[] = {
        [NET_GSO_NONE] = VIRTIO_NET_F_GUEST_CSUM,
        [NET_GSO_TCP4] = VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4,
        [NET_GSO_TCP6] = VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO6,
    };
    uint64_t need = needed[frame->gso];
    return !frame->partial || (virtio->accepted & need) == need;
}

static struct virtio_net_hdr header_of(const struct net_frame *frame)
{
    static const uint8_t types[] = {
        [NET_GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE,
        [NET_GSO_TCP4] = VIRTIO_NET_HDR_GSO_TCPV4,
        [NET_GSO_TCP6] = VIRTIO_NET_HDR_GSO_TCPV6,
    };
    struct virtio_net_hdr hdr = {.num_buffers = 1};
    if (!frame->partial)
        return hdr;
    hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    hdr.csum_start = frame->csum_start;
    hdr.csum_offset = frame->csum_offset;
    hdr.gso_type = types[frame->gso];
    if (frame->gso == NET_GSO_NONE)
        return hdr;
    hdr.gso_size = frame->gso_size;
    hdr.hdr_len = frame->header;
    return hdr;
}

/* num_buffers of a header that is in the guest already, wherever its two bytes lie. */
static void set_num_buffers(const struct queue *queue, const struct queue_chain *first, uint16_t count)
{
    struct queue_cursor cursor = queue_writable(first);
    uint64_t skipped = 0, piece;
    while (skipped < offsetof(struct virtio_net_hdr, num_buffers)) {
        piece = offsetof(struct virtio_net_hdr, num_buffers) - skipped;
        if (!queue_piece(queue, &cursor, &piece))
            return;
        skipped += piece;
    }
    (void)queue_write(queue, &cursor, &count, sizeof(count));
}

/* The next chain, if it is one for a frame and has room for `least` bytes. */
static bool take_buffer(struct virtio *virtio, uint64_t least)
{
    if (!virtio_pop(virtio, RECEIVEQ))
        return false;
    if (virtio->chain.readable != 0) {
        virtio_break(virtio);
        return false;
    }
    if (virtio->chain.writable >= least)
        return true;
    queue_unpop(&virtio->queue[RECEIVEQ]);
    virtio->chains--;
    return false;
}

/* Into one buffer, or as many as it takes if the driver merges them. False: there are not enough. */
static bool put(struct virtio *virtio, const struct net_frame *frame)
{
    static struct queue_chain first;
    struct queue *queue = &virtio->queue[RECEIVEQ];
    const struct virtio_net_hdr hdr = header_of(frame);
    const bool merges = virtio_has(virtio, VIRTIO_NET_F_MRG_RXBUF);
    uint64_t left = frame->length, written, least = sizeof(hdr) + (merges ? 0 : left);
    for (const uint8_t *at = frame->bytes; queue->unseen == 0 || left > 0; at += written, left -= written) {
        if (queue->unseen == queue->size || !take_buffer(virtio, queue->unseen == 0 ? least : 1)) {
            virtio->chains -= queue->unseen;
            queue_take_back(queue);
            return false;
        }
        struct queue_cursor cursor = queue_writable(&virtio->chain);
        uint32_t header = 0;
        if (queue->unseen == 0)
            header = (uint32_t)queue_write(queue, &cursor, &hdr, sizeof(hdr));
        written = queue_write(queue, &cursor, at, left);
        if (queue->unseen == 0 && written < left)
            memcpy(&first, &virtio->chain,
                   offsetof(struct queue_chain, segment) +
                       virtio->chain.count * sizeof(virtio->chain.segment[0]));
        queue_put(queue, virtio->chain.head, header + (uint32_t)written);
        if (queue->broken)
            break;
    }
    if (queue->unseen > 1)
        set_num_buffers(queue, &first, queue->unseen);
    queue_publish(queue);
    return true;
}

static bool deliver(void *ctx, const struct net_frame *frame)
{
    static uint8_t made[NET_FRAME_MAX];
    struct virtio_net *net = ctx;
    struct virtio *virtio = &net->virtio;
    bool done = true;
    if (takes_as_it_is(virtio, frame)) {
        done = put(virtio, frame);
    } else {
        for (uint32_t n = 0; n < net_offload_count(frame) && done; n++) {
            const struct net_frame one = {.bytes = made, .length = net_offload_make(frame, n, made)};
            done = put(virtio, &one);
        }
    }
    virtio_signal(virtio, RECEIVEQ);
    return done;
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
        .features = VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM |
                    VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_HOST_TSO4 |
                    VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_MRG_RXBUF,
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
