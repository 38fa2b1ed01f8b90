/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes as words: what is written comes back, what means nothing is refused. */
#include "hv/route/route_word.h"

#include "guest_abi/hv_vcpu.h"
#include "tests/host/random.h"
#include "tests/host/test.h"

static const struct route_limits full = {
    .gsis = HV_GSI_MAX, .ioapics = 3, .pins = {24, 1, 96}, .manager_vcpus = 64, .apics = true};
static const struct route_limits publishing = {.gsis = 4096, .manager_vcpus = 1, .output_vcpus = 7};
static const struct route_limits none = {.gsis = 4096, .manager_vcpus = 1};

static bool same(const struct hv_route *a, const struct hv_route *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static void there_and_back(const struct hv_route *r, uint32_t count)
{
    struct hv_route back[HV_ROUTES_PER_GSI];
    uint64_t word = ~0UL;
    EXPECT_EQ(route_encode(r, count, r->gsi, &full, &word), 0);
    EXPECT_EQ(route_decode(word, r->gsi, back), count);
    for (uint32_t i = 0; i < count; i++)
        EXPECT_TRUE(same(&r[i], &back[i]));
}

TEST(every_message_comes_back)
{
    struct random random = {.state = 1};
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t x = random_next(&random);
        uint32_t mode = (uint32_t)(x >> 40) & 7, form = (uint32_t)(x >> 50) % 3;
        if (mode == 3 || mode == 6)
            continue;
        struct hv_route r = {.gsi = (uint32_t)x & (HV_GSI_MAX - 1), .kind = HV_ROUTE_MSI};
        r.msi.address = 0xfee00000 | ((uint32_t)x & 0xff00c & ~3U);
        if (form == 1)
            r.msi.address |= 1U << (5 + x % 7);
        if (form == 2)
            r.msi.address_high = (uint32_t)(x >> 32) << 8;
        r.msi.data = ((uint32_t)(x >> 20) & 0xc0ff) | mode << 8;
        there_and_back(&r, 1);
    }
}

TEST(message_is_what_the_bits_say)
{
    uint64_t w;
    EXPECT_TRUE(route_encode_msi(0xfee12000, 0x31, &w));
    struct vlapic_message m = route_message(w);
    EXPECT_EQ(m.dest, 0x12);
    EXPECT_EQ(m.vector, 0x31);
    EXPECT_EQ(m.mode, APIC_DM_FIXED);
    EXPECT_TRUE(!m.wide && !m.level && !m.logical);
    EXPECT_TRUE(route_encode_msi(0xfee340ac, 0xc1e2, &w)); /* 11:5 = 5, RH, DM, level, lowest */
    m = route_message(w);
    EXPECT_EQ(m.dest, 0x534);
    EXPECT_TRUE(m.wide && m.level && m.logical);
    EXPECT_EQ(m.mode, APIC_DM_LOWEST);
    EXPECT_TRUE(route_encode_msi(0x12345600fee01000, 0x00000440, &w));
    m = route_message(w);
    EXPECT_EQ(m.dest, 0x12345601);
    EXPECT_EQ(m.mode, APIC_DM_NMI);
    EXPECT_TRUE(route_encode_msi(0xfee00008, 0x440, &w)); /* the hint makes no NMI a fixed one */
    EXPECT_EQ(route_message(w).mode, APIC_DM_NMI);
}

TEST(no_message_is_refused)
{
    static const struct {
        uint32_t low, high, data;
    } bad[] = {
        {0, 0, 0x31},
        {0xfed00000, 0, 0x31},
        {0xfef00000, 0, 0x31},
        {0xfee00010, 0, 0x31},
        {0xfee00001, 0, 0x31},
        {0xfee00002, 0, 0x31},
        {0xfee00000, 1, 0x31},
        {0xfee00000, 0x80, 0x31},
        {0xfee00020, 0x100, 0x31},
        {0xfee00000, 0, 0x331},
        {0xfee00000, 0, 0x631},
        {0xfee00000, 0, 0x831},
        {0xfee00000, 0, 0x2031},
        {0xfee00000, 0, 0x10031},
        {0xfee00000, 0, 0x80000031},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t w = 7;
        test_row("row %zu", i);
        EXPECT_FALSE(route_encode_msi(bad[i].low | (uint64_t)bad[i].high << 32, bad[i].data, &w));
        EXPECT_FALSE(route_encode_msi(0xfee00000, 0x31 | 1UL << (32 + i), &w));
        EXPECT_EQ(w, 7);
    }
}

#define PIN(g, c, p)                                                                                         \
    {                                                                                                        \
        .gsi = (g), .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = (c), .pin = (p) }                          \
    }

TEST(all_pins_come_back)
{
    const struct hv_route all[] = {PIN(9, 0, 7), PIN(9, 1, 0), PIN(9, 2, 23), PIN(9, 3, 0), PIN(9, 4, 95)};
    there_and_back(all, 5);
    for (uint32_t set = 1; set < 32; set++) { /* every selection of chips */
        struct hv_route some[5];
        uint32_t n = 0;
        for (uint32_t i = 0; i < 5; i++)
            if (set >> i & 1)
                some[n++] = all[i];
        there_and_back(some, n);
    }
    uint64_t w;
    EXPECT_EQ(route_encode(all, 5, 9, &full, &w), 0);
    for (uint32_t chip = 0; chip < 5; chip++)
        EXPECT_EQ(route_pin(w, chip), (int)all[chip].irqchip.pin);
    EXPECT_EQ(route_encode(all, 0, 9, &full, &w), 0);
    EXPECT_EQ(w, 0);
}

TEST(others_come_back)
{
    const struct hv_route gsi = {.gsi = 1, .kind = HV_ROUTE_GSI, .gsi_to = {.gsi = HV_GSI_MAX - 1}};
    const struct hv_route low = {
        .gsi = 0, .kind = HV_ROUTE_NOTIFY, .notify = {.vcpu = 63, .number = HV_NOTIFY_COUNT - 1}};
    const struct hv_route high = {
        .gsi = HV_GSI_MAX - 1, .kind = HV_ROUTE_NOTIFY, .notify = {.vcpu = 0, .number = HV_NOTIFY_OWN}};
    there_and_back(&gsi, 1);
    there_and_back(&low, 1);
    there_and_back(&high, 1);
}

TEST(outputs_come_back)
{
    const uint32_t bad[][4] = {{7, 1, 0, 0},          {UINT32_MAX, 1, 0, 0}, {0, 0, 0, 0},
                               {0, 64, 0, 0},         {0, 1, 2, 0},          {0, 1, 0, 1},
                               {0, UINT32_MAX, 0, 0}, {0, 1, UINT32_MAX, 0}};
    struct hv_route r = {.gsi = 9, .kind = HV_ROUTE_OUTPUT}, back[HV_ROUTES_PER_GSI];
    uint64_t word;
    for (r.output.vcpu = 0; r.output.vcpu < 7; r.output.vcpu++)
        for (r.output.number = 1; r.output.number < 64; r.output.number++)
            for (r.output.edge = 0; r.output.edge < 2; r.output.edge++) {
                EXPECT_EQ(route_encode(&r, 1, 9, &publishing, &word), 0);
                EXPECT_EQ(route_decode(word, 9, back), 1);
                EXPECT_TRUE(same(&r, back));
            }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(r.raw, bad[i], sizeof(r.raw));
        EXPECT_EQ(route_encode(&r, 1, 9, &publishing, &word), -HV_EINVAL);
    }
    r = (struct hv_route){.gsi = 9, .kind = HV_ROUTE_OUTPUT, .output = {.number = 1}};
    EXPECT_EQ(route_encode(&r, 1, 9, &full, &word), -HV_ENODEV);
}

TEST(what_means_nothing_is_refused)
{
    static const struct {
        struct hv_route r;
        int limited; /* by what the domain has */
        int want;
    } rows[] = {
        {{.gsi = 5, .kind = HV_ROUTE_NONE}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = 3}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = 6}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = 19}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = UINT32_MAX}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_HV_SINT}, 0, -HV_ENODEV},
        {{.gsi = 5, .kind = HV_ROUTE_XEN_EVTCHN}, 0, -HV_ENODEV},
        {{.gsi = 6, .kind = HV_ROUTE_GSI}, 0, -HV_EINVAL}, /* of another GSI */
        {{.gsi = 5, .kind = HV_ROUTE_GSI, .gsi_to = {.gsi = 5}}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_GSI, .gsi_to = {.gsi = HV_GSI_MAX}}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_GSI, .gsi_to = {.gsi = 4096}}, 1, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_GSI, .flags = 1}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_GSI, .reserved = 1}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_GSI, .raw = {1, 1, 0, 0}}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_GSI, .raw = {1, 0, 0, 1}}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_NOTIFY, .raw = {64, HV_NOTIFY_OWN}}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_NOTIFY, .raw = {1, HV_NOTIFY_OWN}}, 1, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_NOTIFY, .raw = {0, HV_NOTIFY_OWN - 1}}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_NOTIFY, .raw = {0, HV_NOTIFY_COUNT}}, 0, -HV_EINVAL},
        {{.gsi = 5, .kind = HV_ROUTE_NOTIFY, .raw = {0, HV_NOTIFY_OWN, 1, 0}}, 0, -HV_EINVAL},
        {PIN(5, 5, 0), 0, -HV_EINVAL},
        {PIN(5, 0, 8), 0, -HV_EINVAL},
        {PIN(5, 2, 24), 0, -HV_EINVAL},
        {PIN(5, 3, 1), 0, -HV_EINVAL},
        {PIN(5, 4, 96), 0, -HV_EINVAL},
        {PIN(5, 2, UINT32_MAX), 0, -HV_EINVAL},
        {PIN(5, 0, 0), 1, -HV_ENODEV},
        {PIN(5, 2, 0), 1, -HV_ENODEV},
        {{.gsi = 5, .kind = HV_ROUTE_MSI, .raw = {0xfee00000, 0, 0x31, 0}}, 1, -HV_ENODEV},
        {{.gsi = 5, .kind = HV_ROUTE_MSI, .raw = {0xfee00000, 0, 0x31, 1}}, 0, -HV_EINVAL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t w = 99;
        test_row("row %zu", i);
        EXPECT_EQ(route_encode(&rows[i].r, 1, 5, rows[i].limited ? &none : &full, &w), rows[i].want);
        EXPECT_EQ(w, 99);
    }
}

TEST(several_routes_are_pins_of_different_chips)
{
    const struct hv_route msi = {.gsi = 5, .kind = HV_ROUTE_MSI, .raw = {0xfee00000, 0, 0x31, 0}};
    struct hv_route two[6] = {PIN(5, 0, 1), PIN(5, 0, 2)};
    uint64_t w = 1;
    EXPECT_EQ(route_encode(two, 2, 5, &full, &w), -HV_EINVAL);
    two[1] = msi;
    EXPECT_EQ(route_encode(two, 2, 5, &full, &w), -HV_EINVAL);
    two[0] = msi;
    two[1] = (struct hv_route)PIN(5, 2, 2);
    EXPECT_EQ(route_encode(two, 2, 5, &full, &w), -HV_EINVAL);
    two[0] = (struct hv_route)PIN(5, 0, 1);
    two[1].gsi = 6;
    EXPECT_EQ(route_encode(two, 2, 5, &full, &w), -HV_EINVAL);
    EXPECT_EQ(route_encode(two, 6, 5, &full, &w), -HV_EINVAL);
    EXPECT_EQ(route_encode(two, 0, HV_GSI_MAX, &full, &w), -HV_EINVAL);
    EXPECT_EQ(w, 1);
}
