/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/vapic: destinations (A10, L-07 to L-11, L-14, L-21, L-37). The reference looks at every APIC in turn, as
 * the SDM describes what each of them compares, with no table at all.
 */
#include "hv/vapic/vlapic_map.h"

#include "tests/host/vapic.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

enum { IDS = 2000, MANY = 300 };

static struct vapic apics[MANY];
static struct vlapic *by_id[IDS];
static struct vlapic_map map;
static unsigned count;

static void setup(unsigned n, uint32_t stride)
{
    memset(by_id, 0, sizeof(by_id));
    vlapic_map_init(&map, by_id, IDS);
    count = n;
    for (unsigned i = 0; i < n; i++) {
        vapic_make(&apics[i], i * stride, i == 0, NULL);
        vapic_enable(&apics[i], false);
        if (!vlapic_map_add(&map, &apics[i].a))
            abort();
    }
}

static void set(unsigned i, uint32_t dfr, uint32_t ldr)
{
    vapic_write(&apics[i], 0xe0, dfr);
    vapic_write(&apics[i], 0xd0, ldr << 24);
    vlapic_map_update(&map, &apics[i].a);
}

static void base(unsigned i, uint64_t flags)
{
    if (!vapic_base(&apics[i], 0xfee00000 | flags))
        abort();
    vlapic_map_update(&map, &apics[i].a);
}

static bool hears(const struct vlapic *a, const struct vlapic *sender, const struct vlapic_message *m)
{
    bool x2 = (vlapic_base(a) & 0xc00) == 0xc00, on = vlapic_base(a) & 0x800;
    uint32_t ldr = a->page[0xd0 / 4], dfr = a->page[0xe0 / 4], d = m->dest;
    if (!on)
        return false;
    if (m->shorthand)
        return m->shorthand == 2 || (a == sender) == (m->shorthand == 1);
    if (m->wide && d == 0xffffffff)
        return true;
    if (!m->logical)
        return (!m->wide && d == 0xff) || d == a->id;
    if (x2)
        return (d >> 16 == ldr >> 16 || (!m->wide && ldr >> 16 == 0)) && (d & ldr & 0xffff);
    if (d > 0xff || a->id > 0xfe)
        return !m->wide && d == 0xff && a->id == 0xff;
    if (!m->wide && d == 0xff)
        return true;
    if (dfr == 0xffffffff)
        return (d & ldr >> 24) != 0;
    return dfr == 0x0fffffff && d >> 4 == ldr >> 28 && (d & ldr >> 24 & 15);
}

/* Fixed: exactly those that hear it, each once. */
static bool agrees(unsigned sender, const struct vlapic_message *m)
{
    static bool got[MANY];
    struct vlapic_walk w;
    struct vlapic *t;
    memset(got, 0, sizeof(got));
    vlapic_map_find(&map, &apics[sender].a, m, &w);
    while ((t = vlapic_map_next(&w)) != NULL) {
        if (t->index / (count > 1 ? apics[1].a.id : 1) >= count)
            return false;
        unsigned i = t->id / (count > 1 ? apics[1].a.id : 1);
        if (got[i])
            return false;
        got[i] = true;
    }
    for (unsigned i = 0; i < count; i++)
        if (got[i] != hears(&apics[i].a, &apics[sender].a, m)) {
            test_row("sender %u target %u: dest 0x%x logical %d wide %d shorthand %d base 0x%llx "
                     "ldr 0x%x dfr 0x%x",
                     sender, i, m->dest, m->logical, m->wide, m->shorthand,
                     (unsigned long long)vlapic_base(&apics[i].a), apics[i].page[0xd0 / 4],
                     apics[i].page[0xe0 / 4]);
            return false;
        }
    return true;
}

static bool agrees_everywhere(void)
{
    for (unsigned wide = 0; wide < 2; wide++)
        for (unsigned logical = 0; logical < 2; logical++)
            for (uint32_t dest = 0; dest < 0x100; dest++) {
                struct vlapic_message m = {.dest = dest, .logical = logical, .wide = wide};
                if (!agrees(0, &m))
                    return false;
            }
    return true;
}

TEST(l07_a10_flat)
{
    setup(8, 1);
    EXPECT_TRUE(agrees_everywhere());
    for (unsigned i = 0; i < 8; i++)
        set(i, 0xffffffff, 1U << i);
    EXPECT_TRUE(agrees_everywhere());
    set(3, 0xffffffff, 0x81); /* several bits, shared with others */
    set(5, 0xffffffff, 0);
    EXPECT_TRUE(agrees_everywhere());
}

TEST(l08_a10_cluster)
{
    setup(64, 1);
    for (unsigned i = 0; i < 64; i++)
        set(i, 0x0fffffff, (i / 4) << 4 | 1U << i % 4);
    EXPECT_TRUE(agrees_everywhere());
    set(7, 0xffffffff, 0x80);  /* both models in one domain */
    set(9, 0x3fffffff, 0x21);  /* neither */
    set(11, 0x0fffffff, 0x1f); /* alias */
    EXPECT_TRUE(agrees_everywhere());
}

TEST(l09_a10_x2apic_logical)
{
    setup(MANY, 1);
    for (unsigned i = 0; i < MANY; i++)
        base(i, i == 0 ? 0xd00 : 0xc00);
    EXPECT_TRUE(agrees_everywhere());
    for (uint32_t cluster = 0; cluster < 0x10000; cluster += cluster < 130 ? 1 : 997)
        for (uint32_t mask = 0; mask < 0x10000; mask = mask * 3 + 1) {
            struct vlapic_message m = {.dest = cluster << 16 | mask, .logical = true, .wide = true};
            ASSERT_TRUE(agrees(1, &m));
        }
    struct vlapic_message all = {.dest = 0xffffffff, .logical = true, .wide = true};
    EXPECT_TRUE(agrees(1, &all));
}

TEST(l11_l21_broadcast_and_shorthands)
{
    setup(MANY, 1);
    for (unsigned i = 2; i < MANY; i += 3)
        base(i, 0xc00);
    base(4, 0);
    for (uint8_t shorthand = 1; shorthand < 4; shorthand++)
        for (unsigned sender = 0; sender < MANY; sender += 7) {
            struct vlapic_message m = {.shorthand = shorthand, .dest = 3};
            EXPECT_TRUE(agrees(sender, &m));
        }
    struct vlapic_message narrow = {.dest = 0xff}, wide = {.dest = 0xffffffff, .wide = true};
    EXPECT_TRUE(agrees(0, &narrow));
    EXPECT_TRUE(agrees(0, &wide));
    narrow.logical = wide.logical = true;
    EXPECT_TRUE(agrees(0, &narrow));
    EXPECT_TRUE(agrees(0, &wide));
}

TEST(l10_l37_a10_no_ceiling)
{
    setup(MANY, 5); /* IDs 0 to 1495 with gaps */
    for (unsigned i = 0; i < MANY; i += 2)
        base(i, i == 0 ? 0xd00 : 0xc00);
    for (uint32_t dest = 0; dest < 3000; dest++) {
        struct vlapic_message m = {.dest = dest, .wide = true};
        ASSERT_TRUE(agrees(0, &m));
    }
    struct vlapic_message high = {.dest = 0x80000000, .wide = true};
    EXPECT_TRUE(agrees(0, &high));
    struct vapic extra;
    vapic_make(&extra, IDS, false, NULL);
    EXPECT_FALSE(vlapic_map_add(&map, &extra.a)); /* out of range */
    vapic_make(&extra, 10, false, NULL);
    EXPECT_FALSE(vlapic_map_add(&map, &extra.a)); /* taken */
}

TEST(l10_random_updates)
{
    static const uint32_t models[] = {0xffffffff, 0x0fffffff, 0x0fffffff, 0x7fffffff};
    struct random r = {.state = 0xd0a1};
    setup(100, 1);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned i = (unsigned)random_below(&r, 100);
        uint64_t bsp = i == 0 ? 0x100 : 0;
        switch (random_below(&r, 4)) {
        case 0:
            set(i, models[random_below(&r, 4)], (uint32_t)random_below(&r, 256));
            break;
        case 1: /* one step of a legal transition, whichever applies */
            if (!vapic_base(&apics[i], 0xfee00800 | bsp))
                vapic_base(&apics[i], 0xfee00000 | bsp);
            vlapic_map_update(&map, &apics[i].a);
            break;
        case 2:
            vapic_base(&apics[i], (random_one_in(&r, 2) ? 0xfee00c00 : 0xfee00000) | bsp);
            vlapic_map_update(&map, &apics[i].a);
            break;
        default:
            vlapic_reset(&apics[i].a);
            vlapic_map_update(&map, &apics[i].a);
        }
        struct vlapic_message m = {.wide = random_one_in(&r, 2),
                                   .logical = random_one_in(&r, 2) || random_one_in(&r, 2)};
        m.dest = (uint32_t)random_below(&r, m.wide && random_one_in(&r, 2) ? 0x80000 : 0x100);
        if (!agrees((unsigned)random_below(&r, 100), &m)) {
            EXPECT_EQ(round, 0);
            return;
        }
    }
    EXPECT_TRUE(agrees_everywhere());
}

/* --- lowest priority --- */
static struct vlapic *lowest(uint32_t dest, bool logical)
{
    struct vlapic_message m = {.mode = 1, .vector = 0x40, .dest = dest, .logical = logical};
    struct vlapic_walk w;
    vlapic_map_find(&map, NULL, &m, &w);
    struct vlapic *t = vlapic_map_next(&w);
    if (vlapic_map_next(&w) != NULL)
        abort(); /* exactly one */
    return t;
}

TEST(l14_lowest_priority)
{
    setup(8, 1);
    for (unsigned i = 0; i < 8; i++) {
        set(i, 0xffffffff, 1U << i);
        vapic_write(&apics[i], 0x80, 0x20 + i * 16);
    }
    for (uint32_t mask = 1; mask < 256; mask++) {
        struct vlapic *t = lowest(mask, true);
        ASSERT_TRUE(t != NULL);
        if (t->id != (uint32_t)__builtin_ctz(mask) && mask != 0xff)
            EXPECT_EQ(t->id, mask);
    }
    EXPECT_EQ(lowest(0xff, false)->id, 0); /* broadcast: one as well */
    /* What is in service counts, not the task priority alone. */
    vapic_fixed(&apics[0], 0xe0);
    vlapic_ack(&apics[0].a);
    EXPECT_EQ(lowest(0x0f, true)->id, 1);
    vlapic_end(&apics[0].a);
    EXPECT_EQ(lowest(0x0f, true)->id, 0);
    vapic_fixed(&apics[0], 0xe0);
    vlapic_ack(&apics[0].a);
    /* Disabled by software, or off: no candidate. */
    vapic_write(&apics[1], 0xf0, 0xff);
    EXPECT_EQ(lowest(0x0f, true)->id, 2);
    base(2, 0);
    EXPECT_EQ(lowest(0x0f, true)->id, 3);
    vapic_write(&apics[3], 0xf0, 0xff);
    EXPECT_EQ(lowest(0x0f, true)->id, 0);
    EXPECT_TRUE(lowest(0x0a, true) == NULL); /* A9: an empty set */
    EXPECT_TRUE(lowest(0, true) == NULL);
    EXPECT_TRUE(lowest(77, false) == NULL);
    EXPECT_EQ(lowest(5, false)->id, 5);
}

TEST(l14_round_robin)
{
    unsigned won[MANY] = {0};
    setup(100, 1);
    for (unsigned i = 0; i < 100; i++)
        base(i, i == 0 ? 0xd00 : 0xc00);
    struct vlapic_message m = {.mode = 1, .vector = 0x40, .dest = 0x0002b00f, .logical = true, .wide = true};
    struct vlapic_walk w;
    for (unsigned i = 0; i < 700; i++) {
        vlapic_map_find(&map, NULL, &m, &w);
        struct vlapic *t = vlapic_map_next(&w);
        ASSERT_TRUE(t != NULL);
        won[t->id]++;
    }
    for (unsigned bit = 0; bit < 16; bit++)
        EXPECT_EQ(won[32 + bit], 0xb00f >> bit & 1 ? 100 : 0);
    /* Others, with the lowest priority: never the sender. */
    m = (struct vlapic_message){.mode = 1, .vector = 0x40, .shorthand = 3};
    memset(won, 0, sizeof(won));
    for (unsigned i = 0; i < 990; i++) {
        vlapic_map_find(&map, &apics[42].a, &m, &w);
        won[vlapic_map_next(&w)->id]++;
    }
    for (unsigned i = 0; i < 100; i++)
        EXPECT_EQ(won[i], i == 42 ? 0 : 10);
}
