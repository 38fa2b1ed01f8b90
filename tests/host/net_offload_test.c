/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/virtio/net_offload.c: what contradicts itself is refused, and what is cut comes out as frames whose
 * headers, checksums and data are right by a receiver's own arithmetic.
 */
#include "mgmt/virtio/net_offload.h"

#include "tests/host/test.h"

enum { ETHER = 14, TCP = 20, DATA = 5000, PIECE = 1400 };

static uint8_t bytes[NET_BIG_MAX + 100];
static struct net_frame frame;

static void be16(uint32_t at, uint32_t value)
{
    bytes[at] = (uint8_t)(value >> 8);
    bytes[at + 1] = (uint8_t)value;
}

/* A large piece of TCP with FIN, PSH, CWR and ACK; sequence numbers wrap in it. */
static void make(bool six, bool vlan, uint32_t data)
{
    uint32_t ip = ETHER + (vlan ? 4 : 0), tcp = ip + (six ? 40 : 20);
    memset(bytes, 0, sizeof(bytes));
    for (uint32_t i = 0; i < 12; i++)
        bytes[i] = (uint8_t)(2 * i);
    be16(12, 0x8100);
    be16(ip - 2, six ? 0x86dd : 0x0800);
    bytes[ip] = six ? 0x60 : 0x45;
    for (uint32_t i = 0; i < (six ? 32U : 8U); i++)
        bytes[ip + (six ? 8U : 12U) + i] = (uint8_t)(0xe1 + 7 * i);
    bytes[ip + (six ? 6 : 9)] = 6;
    be16(ip + (six ? 4 : 2), six ? TCP + data : 20 + TCP + data);
    if (!six) {
        be16(ip + 4, 0xffff); /* the identification wraps, too */
        be16(ip + 6, 0x4000);
        bytes[ip + 8] = 64;
    }
    be16(tcp, 5000);
    be16(tcp + 4, 0xffff);
    be16(tcp + 6, 0xfe00);
    bytes[tcp + 12] = 0x50;
    bytes[tcp + 13] = 0x99;
    for (uint32_t i = 0; i < data; i++)
        bytes[tcp + TCP + i] = (uint8_t)(i * 31 + (i >> 8));
    frame = (struct net_frame){
        bytes, tcp + TCP + data, true, (uint16_t)tcp, 16, six ? NET_GSO_TCP6 : NET_GSO_TCP4, PIECE, 0};
}

/* Ones' complement sum, in another way than the code that is tested: byte by byte. */
static uint32_t sum(const uint8_t *at, uint32_t count, uint32_t start)
{
    uint32_t total = start;
    for (uint32_t i = 0; i < count; i++) {
        total += i % 2 ? at[i] : at[i] * 256U;
        if (total > 0xffff)
            total -= 0xffff;
    }
    return total;
}

static uint32_t read16(const uint8_t *at)
{
    return at[0] * 256U + at[1];
}

static void check_piece(const uint8_t *piece, uint32_t length, uint32_t n, uint32_t count, bool six)
{
    uint32_t tcp = frame.csum_start, ip = six ? tcp - 40 : tcp - 20, data = length - tcp - TCP;
    EXPECT_MEMEQ(piece, bytes, 12);
    if (six) {
        EXPECT_EQ(read16(piece + ip + 4), length - tcp);
        EXPECT_EQ(sum(piece + ip + 8, 32, sum(piece + tcp, length - tcp, 6 + length - tcp)), 0xffffU);
    } else {
        EXPECT_EQ(read16(piece + ip + 2), length - ip);
        EXPECT_EQ(read16(piece + ip + 4), (0xffff + n) & 0xffff);
        EXPECT_EQ(sum(piece + ip, 20, 0), 0xffffU);
        EXPECT_EQ(sum(piece + ip + 12, 8, sum(piece + tcp, length - tcp, 6 + length - tcp)), 0xffffU);
    }
    uint32_t sequence = 0xfffffe00U + n * PIECE;
    EXPECT_EQ(read16(piece + tcp + 4), sequence >> 16);
    EXPECT_EQ(read16(piece + tcp + 6), sequence & 0xffff);
    EXPECT_EQ(piece[tcp + 13], (n == 0 ? 0x80 : 0) | 0x10 | (n == count - 1 ? 0x09 : 0));
    EXPECT_MEMEQ(piece + tcp + TCP, bytes + tcp + TCP + n * PIECE, data);
}

TEST(offload_cuts)
{
    uint8_t piece[NET_FRAME_MAX];
    for (uint32_t variant = 0; variant < 4; variant++)
        for (uint32_t data = DATA; data < DATA + 2 * PIECE; data += 99) {
            bool six = variant & 1;
            uint32_t total = 0;
            test_row("IPv%d%s, %u bytes", six ? 6 : 4, variant & 2 ? ", VLAN" : "", data);
            make(six, (variant & 2) != 0, data);
            ASSERT_TRUE(net_offload_check(&frame));
            uint32_t count = net_offload_count(&frame);
            EXPECT_EQ(count, (data + PIECE - 1) / PIECE);
            for (uint32_t n = 0; n < count; n++) {
                uint32_t length = net_offload_make(&frame, n, piece);
                ASSERT_TRUE(length <= NET_FRAME_MAX);
                check_piece(piece, length, n, count, six);
                total += length - frame.header;
            }
            EXPECT_EQ(total, data);
        }
}

TEST(offload_largest)
{
    uint8_t piece[NET_FRAME_MAX];
    make(false, true, 65535 - 40);
    ASSERT_TRUE(net_offload_check(&frame));
    EXPECT_EQ(frame.length, (uint32_t)NET_BIG_MAX);
    EXPECT_EQ(net_offload_count(&frame), (65535U - 40 + PIECE - 1) / PIECE);
    frame.gso_size = 1;
    ASSERT_TRUE(net_offload_check(&frame));
    EXPECT_EQ(net_offload_make(&frame, net_offload_count(&frame) - 1, piece), frame.header + 1U);
    frame.length++;
    EXPECT_FALSE(net_offload_check(&frame));
}

TEST(offload_need_not_cut)
{
    make(false, false, PIECE);
    ASSERT_TRUE(net_offload_check(&frame));
    EXPECT_EQ(frame.gso, NET_GSO_NONE);
    EXPECT_EQ(net_offload_count(&frame), 1U);
}

TEST(offload_checksum_only)
{
    uint8_t piece[NET_FRAME_MAX];
    for (uint32_t length = 60; length < 64; length++) {
        test_row("%u bytes", length);
        make(false, false, 400);
        frame = (struct net_frame){
            .bytes = bytes, .length = length, .partial = true, .csum_start = 30, .csum_offset = 6};
        be16(36, 0x1234); /* what the pseudo header gave */
        ASSERT_TRUE(net_offload_check(&frame));
        EXPECT_EQ(net_offload_make(&frame, 0, piece), length);
        uint32_t want = 0xffff - sum(bytes + 30, length - 30, 0);
        EXPECT_EQ(read16(piece + 36), want);
        EXPECT_MEMEQ(piece, bytes, 36);
        EXPECT_MEMEQ(piece + 38, bytes + 38, length - 38);
    }
    memset(bytes + 30, 0, 40);
    be16(36, 0xffff);
    frame.length = 60;
    (void)net_offload_make(&frame, 0, piece);
    EXPECT_EQ(read16(piece + 36), 0xffffU); /* never 0, which is "none" to UDP */
    frame.partial = false;
    EXPECT_EQ(net_offload_make(&frame, 0, piece), 60U);
    EXPECT_MEMEQ(piece, bytes, 60);
}

TEST(offload_refuses)
{
    static const struct {
        const char *name;
        bool six;
        uint32_t at; /* byte of the frame, or 0 */
        uint8_t value;
    } rows[] = {
        {"another type", false, 13, 1},
        {"IPv6 in an IPv4 frame", false, 14, 0x65},
        {"a header of 16 bytes", false, 14, 0x44},
        {"a header longer than TCP's place", false, 14, 0x46},
        {"a length of its own", false, 17, 1},
        {"more fragments", false, 20, 0x20},
        {"a fragment", false, 21, 1},
        {"not TCP", false, 23, 17},
        {"a TCP header of 16 bytes", false, 46, 0x40},
        {"IPv6: IPv4's type", true, 12, 8},
        {"IPv6: another version", true, 14, 0x45},
        {"IPv6: an extension header", true, 20, 0},
        {"IPv6: a length of its own", true, 19, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].name);
        make(rows[i].six, false, DATA);
        EXPECT_TRUE(net_offload_check(&frame));
        make(rows[i].six, false, DATA);
        bytes[rows[i].at] = rows[i].value;
        EXPECT_FALSE(net_offload_check(&frame));
    }
}

TEST(offload_refuses_fields)
{
    for (uint32_t i = 0; i < 11; i++) {
        test_row("change %u", i);
        make(false, false, DATA);
        switch (i) {
        case 0:
            frame.partial = false;
            break;
        case 1:
            frame.csum_start++;
            break;
        case 2:
            frame.csum_offset--;
            break;
        case 3:
            frame.gso_size = 0;
            break;
        case 4:
            frame.gso_size = NET_FRAME_MAX - 54 + 1;
            break;
        case 5:
            frame.length = 13;
            break;
        case 6:
            frame.length = 54;
            break;
        case 7:
            frame.length = 33;
            break;
        case 8:
            frame.gso = NET_GSO_TCP6;
            break;
        case 9:
            frame.gso = NET_GSO_NONE;
            break; /* too long then */
        default:
            frame.csum_start = 0xffff;
            break;
        }
        EXPECT_FALSE(net_offload_check(&frame));
    }
    for (uint32_t i = 0; i < 4; i++) {
        test_row("checksum %u", i);
        frame = (struct net_frame){
            .bytes = bytes, .length = 60, .partial = true, .csum_start = 34, .csum_offset = 16};
        EXPECT_TRUE(net_offload_check(&frame));
        switch (i) {
        case 0:
            frame.csum_start = 13;
            break;
        case 1:
            frame.csum_start = 43;
            break;
        case 2:
            frame.csum_offset = 0xffff;
            break;
        default:
            frame.length = 51;
            break;
        }
        EXPECT_FALSE(net_offload_check(&frame));
    }
}

/* What only one check finds: everything else agrees. */
TEST(offload_refuses_the_consistent)
{
    make(false, false, DATA);
    bytes[ETHER] = 0x44; /* TCP would begin inside the IP header */
    frame.csum_start = 30;
    bytes[42] = 0x50;
    EXPECT_FALSE(net_offload_check(&frame));
    make(false, false, 0);
    EXPECT_FALSE(net_offload_check(&frame));
    make(true, false, 0);
    EXPECT_FALSE(net_offload_check(&frame));
    make(true, false, 1);
    EXPECT_TRUE(net_offload_check(&frame));
}
