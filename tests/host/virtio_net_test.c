/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of mgmt/virtio/virtio_net.c: frames between two guests over every pair of transports, with and without offloads. */
#include "mgmt/virtio/virtio_net.h"

#include "tests/host/test.h"
#include "tests/host/virtio_driver.h"

#define VERSION_1 (1ULL << 32)

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static struct net_switch net;

/* ---- two guests */

static struct driver drivers[2];
static struct virtio_net cards[2];
static const uint8_t macs[2][6] = {{2, 0x53, 0x42, 0, 0, 1}, {2, 0x53, 0x42, 0, 0, 2}};

enum { SEND = GUEST_DATA, RECEIVE = GUEST_DATA + 0x2000, LENGTH = 100 };

static void fresh(enum driver_bus first, enum driver_bus second)
{
    test_row("%s to %s", bus_name[first], bus_name[second]);
    guest_memory_make(); /* one memory for both */
    net_switch_init(&net);
    for (int i = 0; i < 2; i++) {
        EXPECT_TRUE(virtio_net_init(&cards[i], macs[i], &net, &guest_memory));
        EXPECT_TRUE(driver_attach(&drivers[i], &cards[i].virtio, i ? second : first));
    }
}

#define CSUM       (1ULL << 0)
#define GUEST_CSUM (1ULL << 1)
#define GUEST_TSO  (1ULL << 7 | 1ULL << 8)
#define HOST_TSO   (1ULL << 11 | 1ULL << 12)
#define MERGE      (1ULL << 15)
#define PLAIN      (1ULL << 5 | 1ULL << 16)
#define EVERYTHING (PLAIN | CSUM | GUEST_CSUM | GUEST_TSO | HOST_TSO | MERGE)

/* The second driver's rings are those of the first, 0x800 higher. */
static void start_with(uint32_t which, uint64_t features)
{
    struct driver *driver = &drivers[which];
    driver_set_status(driver, 0);
    driver_set_status(driver, 3);
    driver_set_features(driver, VERSION_1 | features);
    driver_set_status(driver, 11);
    if (driver->bus == BUS_MSIX)
        driver_write(driver, driver->common + 16, 2, 0);
    for (uint16_t i = 0; i < 2; i++) {
        struct ring ring = ring_at(i, 16);
        ring.desc += which * 0x800U;
        ring.used += which * 0x800U;
        ring.avail += which * 0x100U;
        driver_set_queue(driver, i, &ring);
    }
    driver_set_status(driver, 15);
    EXPECT_EQ(driver_status(driver), 15);
}

static void start(uint32_t which)
{
    start_with(which, PLAIN);
}

static void put_frame(const uint8_t *to, const uint8_t *from, uint32_t length)
{
    uint8_t *frame = guest_at(SEND);
    memset(frame, 0, 12);
    memcpy(frame + 12, to, 6);
    memcpy(frame + 18, from, 6);
    for (uint32_t i = 12; i < length; i++)
        frame[12 + i] = (uint8_t)(i * 3);
}

static void offer_receive(int which, uint16_t index, uint32_t length)
{
    ring_desc(&drivers[which].ring[0], index, RECEIVE + 0x800U * index, length, RING_WRITE, 0);
    ring_offer(&drivers[which].ring[0], index);
}

TEST(net_configuration)
{
    for (enum driver_bus bus = 0; bus < BUSES; bus++) {
        fresh(bus, bus);
        EXPECT_EQ(driver_config(&drivers[1], 0, 4), 0x00425302U);
        EXPECT_EQ(driver_config(&drivers[1], 4, 2), 0x0200U);
        EXPECT_EQ(driver_config(&drivers[1], 6, 2), 1U); /* link up */
        EXPECT_EQ(driver_features(&drivers[1]) & 0xffffff, EVERYTHING);
        driver_write(&drivers[1], drivers[1].config, 4, 0);
        EXPECT_EQ(driver_config(&drivers[1], 0, 1), 2U);
    }
}

TEST(net_frame_arrives)
{
    uint32_t head, length, used;
    for (enum driver_bus first = 0; first < BUSES; first++)
        for (enum driver_bus second = 0; second < BUSES; second++) {
            fresh(first, second);
            start(0);
            start(1);
            offer_receive(1, 0, 2000);
            offer_receive(1, 1, 2000);
            put_frame(broadcast, macs[0], LENGTH);
            EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12 + LENGTH, 0, 0, &used));
            EXPECT_EQ(used, 0U);
            ASSERT_TRUE(ring_take(&drivers[1].ring[0], &head, &length));
            EXPECT_EQ(head, 0U);
            EXPECT_EQ(length, 12U + LENGTH);
            EXPECT_MEMEQ(guest_at(RECEIVE), "\0\0\0\0\0\0\0\0\0\0\1\0", 12); /* num_buffers */
            EXPECT_MEMEQ(guest_at(RECEIVE + 12), guest_at(SEND + 12), LENGTH);
            EXPECT_EQ(*(uint8_t *)guest_at(RECEIVE + 12 + LENGTH), 0);
            EXPECT_EQ(cards[1].virtio.interrupts, 1U);
            EXPECT_FALSE(ring_take(&drivers[0].ring[0], &head, &length));
            EXPECT_EQ(cards[0].port.in, 1U);
            EXPECT_EQ(cards[1].port.out, 1U);
        }
}

TEST(net_no_buffer_no_room)
{
    uint32_t head, length;
    fresh(BUS_MSIX, BUS_MMIO);
    start(0);
    put_frame(broadcast, macs[0], LENGTH);
    EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12 + LENGTH, 0, 0, NULL)); /* the other is off */
    EXPECT_EQ(cards[1].port.dropped, 1U);
    start(1);
    EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12 + LENGTH, 0, 0, NULL)); /* no buffer */
    EXPECT_EQ(cards[1].port.dropped, 2U);
    offer_receive(1, 0, 12 + LENGTH - 1); /* one byte too small */
    EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12 + LENGTH, 0, 0, NULL));
    EXPECT_EQ(cards[1].port.dropped, 3U);
    EXPECT_TRUE(
        driver_transfer(&drivers[0], 1, SEND, 12 + LENGTH - 1, 0, 0, NULL)); /* fits, and is still there */
    ASSERT_TRUE(ring_take(&drivers[1].ring[0], &head, &length));
    EXPECT_EQ(length, 12U + LENGTH - 1);
    EXPECT_EQ(driver_status(&drivers[1]), 15);
}

TEST(net_never_asks_for_buffers)
{
    fresh(BUS_MMIO, BUS_MMIO);
    start(1);
    driver_notify(&drivers[1], 0);
    EXPECT_EQ(ring_flags(&drivers[1].ring[0]), 1);
}

TEST(net_odd_frames)
{
    fresh(BUS_INTX, BUS_MMIO);
    start(0);
    start(1);
    offer_receive(1, 0, 2000);
    put_frame(broadcast, macs[0], LENGTH);
    EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12, 0, 0, NULL)); /* no frame at all */
    EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12 + NET_FRAME_MAX + 1, 0, 0, NULL));
    EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 0x10000, 0, 0, NULL));
    *(uint8_t *)guest_at(SEND + 1) = 1; /* an offload that was not offered */
    EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12 + LENGTH, 0, 0, NULL));
    EXPECT_EQ(cards[0].port.refused, 4U);
    EXPECT_EQ(cards[1].port.out + cards[1].port.dropped, 0U);
    EXPECT_EQ(driver_status(&drivers[0]), 15);
    EXPECT_FALSE(driver_transfer(&drivers[0], 1, SEND, 11, 0, 0, NULL)); /* no whole header */
    EXPECT_EQ(driver_status(&drivers[0]), 15 | 64);
    EXPECT_EQ(driver_status(&drivers[1]), 15);
}

/* ---- offloads */

enum { BIG = 3000, HEADERS = 54, LARGE = GUEST_DATA + 0x8000 };

static void put_ip(uint8_t *at, bool six)
{
    static const uint8_t v4[] = {8, 0, 0x45, 0, (40 + BIG) >> 8, (40 + BIG) & 0xff, 0, 0, 0, 0, 64, 6};
    static const uint8_t v6[] = {0x86, 0xdd, 0x60, 0, 0, 0, (20 + BIG) >> 8, (20 + BIG) & 0xff, 6, 64};
    memcpy(at, six ? v6 : v4, six ? sizeof(v6) : sizeof(v4));
    at[six ? 54 : 34] = 0x50; /* TCP, 20 bytes of header */
}

/* A large piece of TCP, by IPv6 for gso_type 4, in three descriptors of the sender, header first. */
static void send_big(uint8_t gso_type, uint16_t gso_size)
{
    const bool six = gso_type == 4;
    const uint32_t headers = six ? HEADERS + 20 : HEADERS;
    uint8_t *hdr = guest_at(SEND), *at = hdr + 12;
    const uint16_t fields[] = {(uint16_t)headers, gso_size, six ? 54 : 34, 16, 0};
    memset(hdr, 0, 12 + headers);
    hdr[0] = 1;
    hdr[1] = gso_type;
    memcpy(hdr + 2, fields, sizeof(fields));
    memcpy(at, macs[1], 6);
    memcpy(at + 6, macs[0], 6);
    put_ip(at + 12, six);
    for (uint32_t i = 0; i < BIG; i++)
        *(uint8_t *)guest_at(LARGE + i) = (uint8_t)(i * 7 + (i >> 8));
    struct ring *ring = &drivers[0].ring[1];
    uint32_t head, length;
    ring_desc(ring, 0, SEND, 12, RING_NEXT, 1);
    ring_desc(ring, 1, SEND + 12, headers, RING_NEXT, 2);
    ring_desc(ring, 2, LARGE, BIG, 0, 0);
    ring_offer(ring, 0);
    driver_notify(&drivers[0], 1);
    EXPECT_TRUE(ring_take(ring, &head, &length));
}

/* Puts what arrived in `count` buffers of 0x800 bytes behind each other; its length. */
static uint32_t received(uint8_t *to, uint32_t count)
{
    uint32_t head, length, total = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!ring_take(&drivers[1].ring[0], &head, &length) || length > 0x800)
            return 0;
        memcpy(to + total, guest_at(RECEIVE + 0x800U * head), length);
        total += length;
    }
    return ring_take(&drivers[1].ring[0], &head, &length) ? 0 : total;
}

TEST(net_large_piece_over_buffers)
{
    uint8_t got[0x2000];
    for (enum driver_bus bus = 0; bus < BUSES; bus++) {
        fresh(bus, bus);
        start_with(0, EVERYTHING);
        start_with(1, EVERYTHING);
        offer_receive(1, 0, 0x800);
        send_big(1, 1400); /* there is one buffer, and two are needed */
        EXPECT_EQ(cards[1].port.dropped, 1U);
        EXPECT_EQ(ring_used_index(&drivers[1].ring[0]), 0);
        offer_receive(1, 1, 0x800);
        send_big(1, 1400);
        EXPECT_EQ(cards[1].virtio.interrupts, 1U);
        EXPECT_EQ(cards[1].virtio.chains, 2U);
        ASSERT_TRUE(received(got, 2) == 12 + HEADERS + BIG);
        /* NEEDS_CSUM, TCPV4, hdr_len, gso_size, csum_start, csum_offset, num_buffers */
        EXPECT_MEMEQ(got, ((const uint8_t[]){1, 1, HEADERS, 0, 1400 & 0xff, 1400 >> 8, 34, 0, 16, 0, 2, 0}),
                     12);
        EXPECT_MEMEQ(got + 12, guest_at(SEND + 12), HEADERS);
        EXPECT_MEMEQ(got + 12 + HEADERS, guest_at(LARGE), BIG);
        EXPECT_EQ(driver_status(&drivers[1]), 15);
    }
}

/* Its header lies in pieces: num_buffers is one byte in each of two. */
TEST(net_header_in_pieces)
{
    uint32_t head, length;
    fresh(BUS_MMIO, BUS_MMIO);
    start_with(0, EVERYTHING);
    start_with(1, EVERYTHING);
    ring_desc(&drivers[1].ring[0], 0, RECEIVE, 11, RING_WRITE | RING_NEXT, 1);
    ring_desc(&drivers[1].ring[0], 1, RECEIVE + 0x800, 1, RING_WRITE, 0);
    ring_offer(&drivers[1].ring[0], 0);
    offer_receive(1, 2, 0x800);
    offer_receive(1, 3, 0x800);
    *(uint8_t *)guest_at(RECEIVE + 0x800) = 0xff;
    send_big(1, 1400);
    ASSERT_TRUE(ring_take(&drivers[1].ring[0], &head, &length));
    EXPECT_EQ(length, 12U);
    EXPECT_EQ(*(uint8_t *)guest_at(RECEIVE + 10), 3);
    EXPECT_EQ(*(uint8_t *)guest_at(RECEIVE + 0x800), 0);
}

TEST(net_large_piece_is_cut)
{
    static const uint64_t lesser[] = {PLAIN, PLAIN | GUEST_CSUM, PLAIN | GUEST_TSO,
                                      PLAIN | MERGE | GUEST_CSUM};
    uint8_t got[0x4000];
    for (size_t i = 0; i < COUNT(lesser); i++) {
        fresh(BUS_MSIX, BUS_MMIO);
        test_row("features %#llx", (unsigned long long)lesser[i]);
        start_with(0, EVERYTHING);
        start_with(1, lesser[i]);
        for (uint16_t j = 0; j < 4; j++)
            offer_receive(1, j, 0x800);
        send_big(1, 1400);
        ASSERT_TRUE(received(got, 3) == 3 * (12 + HEADERS) + BIG);
        EXPECT_EQ(cards[1].port.out, 1U);
        for (uint32_t n = 0, at = 0; n < 3; n++) {
            uint32_t data = n < 2 ? 1400 : 200;
            EXPECT_MEMEQ(got + at, "\0\0\0\0\0\0\0\0\0\0\1\0", 12);
            EXPECT_MEMEQ(got + at + 12 + HEADERS, (uint8_t *)guest_at(LARGE) + 1400 * n, data);
            at += 12 + HEADERS + data;
        }
    }
}

TEST(net_large_piece_of_ipv6)
{
    uint8_t got[0x2000];
    fresh(BUS_MSIX, BUS_MMIO);
    start_with(0, EVERYTHING);
    start_with(1, EVERYTHING);
    offer_receive(1, 0, 0x800);
    offer_receive(1, 1, 0x800);
    send_big(4, 1400);
    ASSERT_TRUE(received(got, 2) == 12 + HEADERS + 20 + BIG);
    EXPECT_EQ(got[1], 4);
    EXPECT_EQ(got[2], HEADERS + 20);
    EXPECT_MEMEQ(got + 12 + HEADERS + 20, guest_at(LARGE), BIG);
}

/* A driver that does not merge has room for a frame in one buffer, or not at all. */
TEST(net_small_buffers_are_not_merged)
{
    fresh(BUS_MSIX, BUS_MMIO);
    start_with(0, EVERYTHING);
    start_with(1, EVERYTHING & ~MERGE);
    for (uint16_t i = 0; i < 4; i++)
        offer_receive(1, i, 0x800);
    send_big(1, 1400);
    EXPECT_EQ(cards[1].port.dropped, 1U);
    EXPECT_EQ(ring_used_index(&drivers[1].ring[0]), 0);
}

/* Thousands of tiny frames out of one chain: others have a turn before the next one. */
TEST(net_cutting_is_charged)
{
    fresh(BUS_MMIO, BUS_MMIO);
    start_with(0, EVERYTHING);
    start_with(1, PLAIN);
    send_big(1, 1);
    EXPECT_EQ(drivers[0].defers, 0U);
    ring_offer(&drivers[0].ring[1], 0);
    ring_offer(&drivers[0].ring[1], 0);
    driver_notify(&drivers[0], 1);
    EXPECT_EQ(drivers[0].defers, 1U);
    EXPECT_EQ(ring_used_index(&drivers[0].ring[1]), 2);
    virtio_poll(&cards[0].virtio);
    EXPECT_EQ(ring_used_index(&drivers[0].ring[1]), 3);
}

TEST(net_checksum_left_out)
{
    uint32_t head, length;
    static const uint64_t receivers[] = {PLAIN, PLAIN | GUEST_CSUM};
    for (size_t i = 0; i < 2; i++) {
        fresh(BUS_INTX, BUS_MSIX);
        start_with(0, PLAIN | CSUM);
        start_with(1, receivers[i]);
        offer_receive(1, 0, 2000);
        put_frame(broadcast, macs[0], LENGTH);
        memcpy(guest_at(SEND), "\1\0\0\0\0\0\42\0\20\0", 10); /* from byte 34, to 34 + 16 */
        EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12 + LENGTH, 0, 0, NULL));
        ASSERT_TRUE(ring_take(&drivers[1].ring[0], &head, &length));
        EXPECT_EQ(length, 12U + LENGTH);
        bool same = memcmp(guest_at(RECEIVE + 12), guest_at(SEND + 12), LENGTH) == 0;
        EXPECT_EQ(same, i == 1);
        EXPECT_EQ(*(uint8_t *)guest_at(RECEIVE), i);
    }
}

TEST(net_offloads_that_were_not_chosen)
{
    static const struct {
        uint64_t features;
        uint8_t type;
    } rows[] = {{PLAIN, 1},      {PLAIN | CSUM, 1}, {PLAIN | CSUM, 4}, {PLAIN | HOST_TSO, 1},
                {EVERYTHING, 3}, {EVERYTHING, 0x81}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        fresh(BUS_MSIX, BUS_MSIX);
        test_row("row %zu", i);
        start_with(0, rows[i].features);
        start_with(1, EVERYTHING);
        offer_receive(1, 0, 0x800);
        offer_receive(1, 1, 0x800);
        send_big(rows[i].type, 1400);
        EXPECT_EQ(cards[0].port.refused, 1U);
        EXPECT_EQ(cards[1].port.out + cards[1].port.dropped, 0U);
        EXPECT_EQ(driver_status(&drivers[0]), 15);
    }
}

TEST(net_wrong_direction)
{
    fresh(BUS_MSIX, BUS_MSIX);
    start(0);
    start(1);
    ring_desc(&drivers[1].ring[0], 0, RECEIVE, 2000, 0, 0);
    ring_offer(&drivers[1].ring[0], 0);
    put_frame(broadcast, macs[0], LENGTH);
    EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12 + LENGTH, 0, 0, NULL));
    EXPECT_EQ(driver_status(&drivers[1]), 15 | 64); /* the receiver has itself to blame */
    EXPECT_EQ(driver_status(&drivers[0]), 15);
    EXPECT_EQ(cards[1].port.dropped, 1U);
    EXPECT_FALSE(driver_transfer(&drivers[0], 1, SEND, 64, SEND + 0x400, 64, NULL));
    EXPECT_EQ(driver_status(&drivers[0]), 15 | 64);
}

TEST(net_detach)
{
    fresh(BUS_MSIX, BUS_MSIX);
    start(0);
    virtio_net_detach(&cards[1]);
    put_frame(broadcast, macs[0], LENGTH);
    EXPECT_TRUE(driver_transfer(&drivers[0], 1, SEND, 12 + LENGTH, 0, 0, NULL));
    EXPECT_EQ(cards[1].port.dropped, 0U);
    EXPECT_EQ(cards[0].port.in, 1U);
}
