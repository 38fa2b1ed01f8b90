/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_offload: see net_offload.h. Numbers in frames are big-endian. Each frame that is cut out gets the whole
 * header with its own lengths, identification, sequence number and checksums; FIN and PSH go with the last
 * one, CWR with the first one.
 */
#include "mgmt/virtio/net_offload.h"

#include <string.h>

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_IPV6 = 0x86dd,
    VLAN_TAG = 4,
    IPV4_HEADER = 20, /* without options */
    IPV4_LENGTH = 2,
    IPV4_ID = 4,
    IPV4_FRAGMENT = 6,
    IPV4_MORE_OR_OFFSET = 0x3fff,
    IPV4_PROTOCOL = 9,
    IPV4_CHECKSUM = 10,
    IPV4_ADDRESSES = 12,
    IPV6_HEADER = 40,
    IPV6_LENGTH = 4,
    IPV6_NEXT = 6,
    IPV6_ADDRESSES = 8,
    PROTOCOL_TCP = 6,
    TCP_HEADER = 20, /* without options */
    TCP_SEQUENCE = 4,
    TCP_DATA_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_CHECKSUM = 16,
    TCP_FIN_PSH = 0x09,
    TCP_CWR = 0x80,
};

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Adds 16-bit words, an odd byte at the end counting as a high one. */
static uint64_t add(uint64_t sum, const uint8_t *at, uint32_t bytes)
{
    for (; bytes > 1; bytes -= 2, at += 2)
        sum += get16(at);
    return bytes ? sum + ((uint32_t)*at << 8) : sum;
}

/* 0 and 0xffff are the same number; UDP knows 0 as "none". */
static void put_checksum(uint8_t *at, uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(at, sum == 0xffff ? 0xffff : (uint32_t)~sum);
}

static uint32_t network_header(const struct net_frame *frame)
{
    return get16(frame->bytes + NET_FRAME_MIN - 2) == ETHERTYPE_VLAN ? NET_FRAME_MIN + VLAN_TAG
                                                                     : NET_FRAME_MIN;
}

/* Where TCP begins; 0: this is not what it is said to be. */
static uint32_t check_ip(const struct net_frame *frame)
{
    uint32_t at = network_header(frame), rest = frame->length - at;
    const uint8_t *ip = frame->bytes + at;
    if (frame->length < at + IPV4_HEADER)
        return 0;
    if (frame->gso == NET_GSO_TCP4) {
        uint32_t header = (ip[0] & 0xfU) * 4;
        return get16(ip - 2) == ETHERTYPE_IPV4 && ip[0] >> 4 == 4 && header >= IPV4_HEADER &&
                       ip[IPV4_PROTOCOL] == PROTOCOL_TCP && get16(ip + IPV4_LENGTH) == rest &&
                       (get16(ip + IPV4_FRAGMENT) & IPV4_MORE_OR_OFFSET) == 0
                   ? at + header
                   : 0;
    }
    return rest >= IPV6_HEADER && get16(ip - 2) == ETHERTYPE_IPV6 && ip[0] >> 4 == 6 &&
                   ip[IPV6_NEXT] == PROTOCOL_TCP && get16(ip + IPV6_LENGTH) == rest - IPV6_HEADER
               ? at + IPV6_HEADER
               : 0;
}

static bool check_gso(struct net_frame *frame)
{
    uint32_t tcp = check_ip(frame);
    if (tcp == 0 || frame->length < tcp + TCP_HEADER)
        return false;
    uint32_t header = (frame->bytes[tcp + TCP_DATA_OFFSET] >> 4) * 4U;
    if (header < TCP_HEADER || frame->length <= tcp + header || frame->csum_start != tcp ||
        frame->csum_offset != TCP_CHECKSUM || frame->gso_size == 0 ||
        tcp + header + frame->gso_size > NET_FRAME_MAX)
        return false;
    frame->header = (uint16_t)(tcp + header);
    if (frame->length <= frame->header + (uint32_t)frame->gso_size)
        frame->gso = NET_GSO_NONE;
    return true;
}

bool net_offload_check(struct net_frame *frame)
{
    if (frame->length < NET_FRAME_MIN || frame->length > NET_BIG_MAX)
        return false;
    if (!frame->partial)
        return frame->gso == NET_GSO_NONE && frame->length <= NET_FRAME_MAX;
    if (frame->csum_start < NET_FRAME_MIN ||
        (uint32_t)frame->csum_start + frame->csum_offset + 2 > frame->length)
        return false;
    if (frame->gso != NET_GSO_NONE && !check_gso(frame))
        return false;
    return frame->gso != NET_GSO_NONE || frame->length <= NET_FRAME_MAX;
}

uint32_t net_offload_count(const struct net_frame *frame)
{
    if (frame->gso == NET_GSO_NONE)
        return 1;
    return (frame->length - frame->header + frame->gso_size - 1) / frame->gso_size;
}

static void put_network_header(const struct net_frame *frame, uint32_t n, uint8_t *ip, uint32_t bytes)
{
    if (frame->gso == NET_GSO_TCP6) {
        put16(ip + IPV6_LENGTH, bytes - IPV6_HEADER);
        return;
    }
    put16(ip + IPV4_LENGTH, bytes);
    put16(ip + IPV4_ID, get16(ip + IPV4_ID) + n);
    put16(ip + IPV4_CHECKSUM, 0);
    put_checksum(ip + IPV4_CHECKSUM, add(0, ip, (ip[0] & 0xfU) * 4));
}

static void put_tcp_header(uint8_t *tcp, uint32_t offset, bool first, bool last)
{
    uint32_t sequence = (get16(tcp + TCP_SEQUENCE) << 16 | get16(tcp + TCP_SEQUENCE + 2)) + offset;
    put16(tcp + TCP_SEQUENCE, sequence >> 16);
    put16(tcp + TCP_SEQUENCE + 2, sequence);
    if (!first)
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    if (!last)
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_FIN_PSH;
}

static uint64_t pseudo_header(const struct net_frame *frame, const uint8_t *ip, uint32_t bytes)
{
    if (frame->gso == NET_GSO_TCP6)
        return add(PROTOCOL_TCP + bytes, ip + IPV6_ADDRESSES, 32);
    return add(PROTOCOL_TCP + bytes, ip + IPV4_ADDRESSES, 8);
}

uint32_t net_offload_make(const struct net_frame *frame, uint32_t n, uint8_t *to)
{
    uint32_t length = frame->length, start = frame->csum_start;
    uint8_t *checksum = to + start + frame->csum_offset;
    if (frame->gso == NET_GSO_NONE) {
        memcpy(to, frame->bytes, length);
        if (frame->partial)
            put_checksum(checksum, add(0, to + start, length - start));
        return length;
    }
    uint32_t offset = n * frame->gso_size, data = length - frame->header - offset, ip = network_header(frame);
    bool last = data <= frame->gso_size;
    if (!last)
        data = frame->gso_size;
    length = frame->header + data;
    memcpy(to, frame->bytes, frame->header);
    memcpy(to + frame->header, frame->bytes + frame->header + offset, data);
    put_network_header(frame, n, to + ip, length - ip);
    put_tcp_header(to + start, offset, n == 0, last);
    put16(checksum, 0);
    put_checksum(checksum, add(pseudo_header(frame, to + ip, length - start), to + start, length - start));
    return length;
}
