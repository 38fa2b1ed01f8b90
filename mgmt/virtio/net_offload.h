/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_offload: frames that a sender has left unfinished: without the checksum of what is behind the network
 * header, or as one large piece of TCP that is to be cut into frames. Pure. Virtual I/O Device (VIRTIO)
 * Version 1.2, section 5.1.6.2 "Packet Transmission"; RFC 1071, RFC 9293, RFC 791, RFC 8200.
 *
 * Order: net_offload_check() once, as soon as the frame is there. A receiver that can do with it gets it as
 * it is; for one that cannot, net_offload_make() makes each of the net_offload_count() complete frames.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    NET_FRAME_MIN = 14,   /* destination, source, type */
    NET_FRAME_MAX = 1518, /* with one VLAN tag, without checksum */
    NET_BIG_MAX = 65535 + 18,
};

enum net_gso { NET_GSO_NONE, NET_GSO_TCP4, NET_GSO_TCP6 };

struct net_frame {
    const uint8_t *bytes;
    uint32_t length;
    bool partial;         /* where the checksum belongs there is that of the pseudo header */
    uint16_t csum_start;  /* with partial: it covers all from here on */
    uint16_t csum_offset; /* and belongs here, counted from csum_start */
    enum net_gso gso;     /* to be cut; partial is set, too */
    uint16_t gso_size;    /* bytes of data in each frame but the last */
    uint16_t header;      /* bytes in front of the data; net_offload_check() fills it in */
};

/*
 * Is it what it says? False: a length, a field or a header contradicts another; nothing else looks at them
 * again. A frame that needs no cutting loses its gso.
 */
bool net_offload_check(struct net_frame *frame);

uint32_t net_offload_count(const struct net_frame *frame);

/* Frame number n, from 0, into NET_FRAME_MAX bytes at `to`; its length. */
uint32_t net_offload_make(const struct net_frame *frame, uint32_t n, uint8_t *to);
