/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of mgmt/virtio/net_switch.c: what the switch learns and forgets, whom a frame reaches. */
#include "mgmt/virtio/net_switch.h"

#include "tests/host/test.h"

static struct net_switch net;

struct sink {
    struct net_port port;
    uint32_t frames, length;
    bool full;
};

static struct sink sinks[NET_SWITCH_PORTS + 1];

static bool sink(void *ctx, const struct net_frame *frame)
{
    struct sink *s = ctx;
    EXPECT_TRUE(frame->bytes != NULL);
    s->frames++;
    s->length = frame->length;
    return !s->full;
}

static void ports(uint32_t count)
{
    memset(sinks, 0, sizeof(sinks));
    net_switch_init(&net);
    for (uint32_t i = 0; i < count; i++) {
        sinks[i].port = (struct net_port){.deliver = sink, .ctx = &sinks[i]};
        EXPECT_EQ(net_switch_attach(&net, &sinks[i].port), i < NET_SWITCH_PORTS);
    }
}

static void send(uint32_t from, uint64_t to_mac, uint64_t from_mac, uint32_t length)
{
    uint8_t frame[NET_FRAME_MAX + 1] = {0};
    for (int i = 0; i < 6; i++) {
        frame[i] = (uint8_t)(to_mac >> 8 * (5 - i));
        frame[6 + i] = (uint8_t)(from_mac >> 8 * (5 - i));
    }
    net_switch_send(&net, &sinks[from].port, &(struct net_frame){.bytes = frame, .length = length});
}

#define ALL 0xffffffffffffULL
#define A   0x020000000001ULL
#define B   0x020000000002ULL

TEST(switch_floods_and_learns)
{
    ports(4);
    send(0, B, A, 60); /* nobody knows B */
    EXPECT_EQ(sinks[0].frames, 0U);
    EXPECT_EQ(sinks[1].frames & sinks[2].frames & sinks[3].frames, 1U);
    EXPECT_EQ(net.flooded, 1U);
    send(1, A, B, 60);
    EXPECT_EQ(sinks[0].frames, 1U);
    EXPECT_EQ(sinks[2].frames, 1U);
    send(0, B, A, 60);
    EXPECT_EQ(sinks[1].frames, 2U);
    EXPECT_EQ(sinks[2].frames, 1U);
    EXPECT_EQ(net.flooded, 1U);
    EXPECT_EQ(net_switch_known(&net), 2U);
    EXPECT_EQ(sinks[0].port.in, 2U);
    EXPECT_EQ(sinks[1].port.out, 2U);
}

TEST(switch_groups_go_to_all)
{
    ports(3);
    send(1, ALL, B, 60);
    send(1, 0x01005e000001, B, 60);
    EXPECT_EQ(sinks[0].frames, 2U);
    EXPECT_EQ(sinks[1].frames, 0U);
    EXPECT_EQ(sinks[2].frames, 2U);
    EXPECT_EQ(net_switch_known(&net), 1U);
}

TEST(switch_never_sends_back)
{
    ports(2);
    send(0, ALL, A, 60);
    send(0, ALL, B, 60); /* both live behind port 0 */
    uint32_t before = sinks[1].frames;
    send(0, A, B, 60);
    EXPECT_EQ(sinks[0].frames, 0U);
    EXPECT_EQ(sinks[1].frames, before);
}

TEST(switch_follows_a_move)
{
    ports(3);
    send(1, ALL, B, 60);
    send(2, ALL, B, 60);
    uint32_t one = sinks[1].frames, two = sinks[2].frames;
    send(0, B, A, 60);
    EXPECT_EQ(sinks[1].frames, one);
    EXPECT_EQ(sinks[2].frames, two + 1);
    EXPECT_EQ(net_switch_known(&net), 2U);
}

TEST(switch_forgets_by_count)
{
    ports(3);
    send(1, ALL, B, 60);
    for (uint32_t i = 0; i < NET_SWITCH_AGE - 1; i++)
        send(0, 0x010000000000, A, 60);
    uint32_t two = sinks[2].frames;
    send(0, B, A, 60);
    EXPECT_EQ(sinks[2].frames, two); /* still known */
    send(0, B, A, 60);
    EXPECT_EQ(sinks[2].frames, two + 1);
    EXPECT_EQ(net_switch_known(&net), 1U);
}

TEST(switch_many_addresses)
{
    ports(3);
    for (uint64_t i = 0; i < 100000; i++)
        send(1, ALL, B + (i << 8), 60);
    EXPECT_TRUE(net_switch_known(&net) <= NET_SWITCH_MACS);
    EXPECT_TRUE(net_switch_known(&net) > NET_SWITCH_MACS / 2);
    send(2, ALL, A, 60);
    uint32_t one = sinks[1].frames;
    send(0, A, B, 60);
    EXPECT_EQ(sinks[1].frames, one); /* the newest is known */
}

TEST(switch_refuses)
{
    ports(2);
    send(0, ALL, A, 13);
    send(0, ALL, A, 0);
    send(0, ALL, A, NET_FRAME_MAX + 1);
    send(0, ALL, ALL, 60); /* a group is no sender */
    EXPECT_EQ(sinks[1].frames, 0U);
    EXPECT_EQ(sinks[0].port.refused, 4U);
    EXPECT_EQ(net.frames, 0U);
    send(0, ALL, A, 14);
    send(0, ALL, A, NET_FRAME_MAX);
    EXPECT_EQ(sinks[1].frames, 2U);
}

TEST(switch_drops_for_the_full)
{
    ports(3);
    sinks[1].full = true;
    send(0, ALL, A, 60);
    EXPECT_EQ(sinks[1].port.dropped, 1U);
    EXPECT_EQ(sinks[1].port.out, 0U);
    EXPECT_EQ(sinks[2].port.out, 1U);
}

TEST(switch_ports_come_and_go)
{
    ports(NET_SWITCH_PORTS + 1);
    send(5, ALL, A, 60);
    net_switch_detach(&net, &sinks[5].port);
    EXPECT_EQ(net_switch_known(&net), 0U);
    send(0, A, B, 60);
    EXPECT_EQ(sinks[5].frames, 0U);
    EXPECT_EQ(sinks[6].frames, 2U);
    send(5, ALL, A, 60); /* no longer there */
    EXPECT_EQ(net.frames, 2U);
    EXPECT_TRUE(net_switch_attach(&net, &sinks[NET_SWITCH_PORTS].port));
    net_switch_detach(&net, &sinks[5].port); /* twice does no harm */
}
