/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv/vapic under the thread sanitizer: lookups and sends beside changes of logical addresses, modes and
 * enables (A11, L-10), and requests that race with the owner's acknowledge (nothing lost, nothing doubled).
 * Every APIC has one owner thread, as in the hypervisor.
 *
 * The sources are included, so that they are compiled for this sanitizer and not for the one of the other
 * tests.
 */
#include "hv/vapic/vlapic.c"
#include "hv/vapic/vlapic_base.c"
#include "hv/vapic/vlapic_event.c"
#include "hv/vapic/vlapic_icr.c"
#include "hv/vapic/vlapic_lvt.c"
#include "hv/vapic/vlapic_map.c"
#include "hv/vapic/vlapic_timer.c"
#include "hv/vapic/vlapic_write.c"
/* last: short names */
#include "hv/vapic/vlapic_reg.c"

#include <pthread.h>

#include "tests/host/random.h"
#include "tests/host/test.h"
#include "tests/host/vapic.h"

enum { APICS = 6, ROUNDS = 30000 };

static struct vapic apics[APICS];
static struct vlapic *by_id[APICS];
static struct vlapic_map map;
static bool done;
static unsigned long wrong, found;

static void setup(void)
{
    memset(by_id, 0, sizeof(by_id));
    vlapic_map_init(&map, by_id, APICS);
    for (uint32_t i = 0; i < APICS; i++) {
        vapic_make(&apics[i], i, false, NULL);
        vapic_enable(&apics[i], false);
        vapic_write(&apics[i], 0xd0, 1U << (24 + i));
        vlapic_map_add(&map, &apics[i].a);
    }
    done = false;
    wrong = found = 0;
}

/*
 * APICs 0 and 1 never change, and 2 keeps one bit of its LDR: they must be found always. The others change
 * all the time.
 */
static void *change(void *arg)
{
    struct vapic *p = arg;
    struct random r = {.state = p->a.id + 1};
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t error;
        if (p->a.id == 2) {
            vapic_write(p, 0xd0, i % 2 ? 0x04000000 : 0x0c000000);
            vlapic_map_update(&map, &p->a);
            continue;
        }
        switch (random_below(&r, 4)) {
        case 0:
            vapic_write(p, 0xd0, (uint32_t)random_below(&r, 64) << 26);
            break;
        case 1:
            vapic_write(p, 0xe0, random_one_in(&r, 2) ? 0xffffffff : 0);
            break;
        case 2:
            if (!vapic_base(p, 0xfee00000 | random_below(&r, 4) << 10))
                vapic_base(p, 0xfee00000);
            break;
        default:
            vapic_write(p, 0xf0, (uint32_t)random_below(&r, 2) << 8 | 0xff);
            vlapic_event_start(&p->a, &error);
        }
        vlapic_map_update(&map, &p->a);
        vlapic_ack(&p->a);
        vapic_write(p, 0xb0, 0);
    }
    return NULL;
}

static void *look(void *arg)
{
    struct random r = {.state = (uintptr_t)arg | 1};
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        static const uint8_t modes[] = {0, 0, 1, 4, 5, 6};
        struct vlapic_message m = {.vector = (uint8_t)random_below(&r, 256),
                                   .mode = modes[random_below(&r, 6)],
                                   .logical = random_one_in(&r, 2),
                                   .shorthand = random_one_in(&r, 4) ? 2 : 0,
                                   .dest = (uint32_t)random_below(&r, 256)};
        struct vlapic_walk w;
        struct vlapic *t;
        uint32_t seen = 0;
        uint8_t error;
        vlapic_map_find(&map, &apics[0].a, &m, &w);
        while ((t = vlapic_map_next(&w)) != NULL) {
            seen |= 1U << t->id;
            vlapic_receive(t, &m, &error);
            __atomic_fetch_add(&found, 1, __ATOMIC_RELAXED);
        }
        bool all = m.shorthand || m.dest == 0xff;
        uint32_t want = all ? 7 : m.logical ? m.dest & 7 : m.dest < 3 ? 1U << m.dest : 0;
        if (m.mode != 1 && ((seen & 3) != (want & 3) || (want & ~seen)))
            __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

TEST(l10_a11_lookup_beside_changes)
{
    pthread_t owner[APICS], looker[2];
    setup();
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&looker[i], NULL, look, (void *)(i * 77 + 5));
    for (unsigned i = 2; i < APICS; i++)
        pthread_create(&owner[i], NULL, change, &apics[i]);
    for (unsigned i = 2; i < APICS; i++)
        pthread_join(owner[i], NULL);
    __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(looker[i], NULL);
    EXPECT_EQ(wrong, 0);
    EXPECT_TRUE(found > 1000);
    /* When all is quiet, the map says what the registers say. */
    for (uint32_t i = 0; i < APICS; i++) {
        uint32_t key = apics[i].a.map_key;
        vlapic_map_update(&map, &apics[i].a);
        EXPECT_EQ(apics[i].a.map_key, key);
    }
}

static unsigned long sent[2];
static unsigned ended;

static void *post(void *arg)
{
    unsigned which = (unsigned)(uintptr_t)arg;
    struct random r = {.state = which + 99};
    for (unsigned i = 0; i < ROUNDS * 4; i++) {
        uint8_t error;
        struct vlapic_message m = {.vector = (uint8_t)(64 + random_below(&r, 32)), .level = which};
        if (vlapic_receive(&apics[0].a, &m, &error) == VLAPIC_NEW)
            sent[which]++;
    }
    __atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* Sent minus merged equals received. All vectors share one word, so that both sides meet there. */
TEST(l05_requests_beside_acknowledge)
{
    pthread_t poster[2];
    unsigned long received = 0;
    setup();
    sent[0] = sent[1] = ended = 0;
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&poster[i], NULL, post, (void *)i);
    while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) != 2)
        if (vlapic_next(&apics[0].a) != 0) {
            vlapic_ack(&apics[0].a);
            vlapic_end(&apics[0].a);
            received++;
        }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(poster[i], NULL);
    while (vlapic_next(&apics[0].a) != 0) {
        vlapic_ack(&apics[0].a);
        vlapic_end(&apics[0].a);
        received++;
    }
    EXPECT_EQ(received, sent[0] + sent[1]);
    EXPECT_EQ(apics[0].a.stats[VLAPIC_STAT_ACCEPTED], sent[0] + sent[1]);
    EXPECT_EQ(apics[0].a.stats[VLAPIC_STAT_MERGED], 2UL * ROUNDS * 4 - sent[0] - sent[1]);
}

static void *post_start(void *arg)
{
    unsigned long *dropped = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t error;
        struct vlapic_message init = {.mode = 5}, sipi = {.mode = 6, .vector = (uint8_t)i};
        vlapic_receive(&apics[1].a, &init, &error);
        if (vlapic_receive(&apics[1].a, &sipi, &error) == VLAPIC_DROPPED_STATE)
            ++*dropped; /* lost, although an INIT went before it */
    }
    __atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
    return NULL;
}

TEST(l18_l19_sipi_behind_init_is_not_lost)
{
    pthread_t poster;
    unsigned long lost = 0, inits = 0, sipis = 0;
    uint8_t vector = 0;
    setup();
    ended = 0;
    pthread_create(&poster, NULL, post_start, &lost);
    while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) != 1) {
        enum vlapic_start start = vlapic_event_start(&apics[1].a, &vector);
        inits += start == VLAPIC_START_INIT;
        sipis += start == VLAPIC_START_SIPI;
    }
    pthread_join(poster, NULL);
    while (vlapic_event_start(&apics[1].a, &vector) != VLAPIC_START_NONE)
        sipis++;
    EXPECT_EQ(lost, 0);
    EXPECT_TRUE(inits + sipis > 0);
    EXPECT_EQ(vector, (uint8_t)(ROUNDS - 1)); /* the last one arrived */
    EXPECT_FALSE(vlapic_event_waiting(&apics[1].a));
}
