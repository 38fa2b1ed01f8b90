/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical destinations, shorthands and SELF IPI; logical ones in flat, cluster and x2APIC mode; lowest
 * priority.
 */
#include "tests/guest/apic_ipi/apic_ipi.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

enum { VECTOR = 0x61, LOWEST = APIC_DM_LOWEST << APIC_ICR_MODE_SHIFT, ROUNDS = 64 };
#define SHORTHAND(which) ((uint32_t)(which) << APIC_ICR_SHORTHAND_SHIFT)

static uint32_t everybody(void)
{
    return (1U << processors) - 1;
}

/* From a processor to each one. */
static void from_here(uint64_t arg)
{
    (void)arg;
    for (unsigned id = 0; id < processors; id++)
        apic_icr(id, (uint32_t)(0x80 + 8 * smp_self()->id));
    sti();
    cli();
}

/* Each to each: vector 0x80 + 8 * sender. */
static void pairs(void)
{
    unsigned wrong = 0;
    listen();
    from_here(0);
    listen_no_more();
    for (unsigned id = 1; id < processors; id++) {
        smp_run(id, from_here, 0);
        report(smp_wait(id), "processor %u hangs", id);
    }
    listen();
    smp_delay(SHORT_TIME);
    listen_no_more();
    for (unsigned to = 0; to < processors; to++)
        for (unsigned from = 0; from < processors; from++)
            wrong += cpus[to].count[0x80 + 8 * from] != 1;
    report(wrong == 0, "%u of %u pairs have not one IPI", wrong, processors * processors);
    trace("pairs: %u", wrong);
    smp_forget();
}

void physical_tests(void)
{
    bool x2apic = smp_self()->x2apic;
    pairs();
    listen();
    for (unsigned id = 0; id < processors; id++)
        send_and_check("physical", id, 0, VECTOR, 1U << id);
    send_and_check("physical, all", x2apic ? X2APIC_BROADCAST : APIC_BROADCAST, 0, VECTOR, everybody());
    send_and_check("self", 0xee, SHORTHAND(APIC_TO_SELF), VECTOR, 1);
    send_and_check("all", 0xee, SHORTHAND(APIC_TO_ALL), VECTOR, everybody());
    send_and_check("others", 0xee, SHORTHAND(APIC_TO_OTHERS), VECTOR, everybody() & ~1U);
    /* Nobody has these. */
    send_and_check("physical, nobody", processors, 0, VECTOR, 0);
    send_and_check("physical, nobody", 0xfe, 0, VECTOR, 0);
    if (x2apic && !guest_native) {
        send_and_check("physical, aliased", 0x100, 0, VECTOR, 0);
        send_and_check("physical, aliased", 0x80000001, 0, VECTOR, 0);
        send_and_check("physical, 0xff is no broadcast", 0xff, 0, VECTOR, 0);
    }
    /* Levels are edges. */
    send_and_check("level", 0, APIC_ICR_LEVEL | APIC_ICR_ASSERT, VECTOR, 1);
    report_exact(!apic_bit(APIC_TMR, VECTOR), "an IPI has set TMR");
    listen_no_more();
}

/* --- logical --- */
static void flat(uint64_t arg)
{
    (void)arg;
    apic_write(APIC_DFR, APIC_DFR_FLAT);
    apic_write(APIC_LDR, 1U << (24 + smp_self()->id % 8));
}

/* Two to a cluster, so that there is more than one. */
static void cluster(uint64_t arg)
{
    uint32_t id = smp_self()->id;
    (void)arg;
    apic_write(APIC_DFR, APIC_DFR_CLUSTER);
    apic_write(APIC_LDR, (id / 2) << 28 | 1U << (24 + id % 2));
}

static void flat_model(void)
{
    on_each(flat, 0);
    listen();
    for (uint32_t mda = 0; mda<256; mda += processors> 4 ? 3 : 1)
        send_and_check("flat", mda, APIC_ICR_LOGICAL, VECTOR, mda & everybody());
    send_and_check("flat, all", 0xff, APIC_ICR_LOGICAL, VECTOR, everybody());
    listen_no_more();
}

static void cluster_model(void)
{
    on_each(cluster, 0);
    listen();
    for (uint32_t number = 0; number < 16; number++)
        for (uint32_t mask = 0; mask < 16; mask++) {
            uint32_t want = number == 15 && mask == 15 ? everybody() : (mask & 3) << number * 2 & everybody();
            send_and_check("cluster", number << 4 | mask, APIC_ICR_LOGICAL, VECTOR,
                           number * 2 < 32 ? want : 0);
        }
    listen_no_more();
    on_each(flat, 0);
}

/* A processor without a logical address gets nothing but broadcasts; one with two bits answers to both. */
static void odd_addresses(void)
{
    apic_write(APIC_LDR, 0);
    listen();
    for (uint32_t mda = 1; mda < 256; mda *= 2)
        send_and_check("flat, LDR 0", mda, APIC_ICR_LOGICAL, VECTOR, mda & everybody() & ~1U);
    apic_write(APIC_LDR, 0xc0000000);
    send_and_check("flat, two bits", 0x40, APIC_ICR_LOGICAL, VECTOR, 1 | (processors > 6 ? 0x40 : 0));
    send_and_check("flat, two bits", 0x80, APIC_ICR_LOGICAL, VECTOR, 1 | (processors > 7 ? 0x80 : 0));
    listen_no_more();
    flat(0);
}

static void x2apic_model(void)
{
    static const uint32_t nobody[] = {0, 0x10001, 0x7fff0001, 0x0000ff00, 0xffff0001};
    listen();
    for (uint32_t mask = 0; mask<256; mask += processors> 4 ? 3 : 1)
        send_and_check("x2APIC logical", mask, APIC_ICR_LOGICAL, VECTOR, mask & everybody());
    for (unsigned i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
        send_and_check("x2APIC logical, nobody", nobody[i], APIC_ICR_LOGICAL, VECTOR, 0);
    send_and_check("x2APIC logical, all", X2APIC_BROADCAST, APIC_ICR_LOGICAL, VECTOR, everybody());
    listen_no_more();
}

void logical_tests(void)
{
    if (smp_self()->x2apic) {
        x2apic_model();
        return;
    }
    flat_model();
    if (!guest_native) {
        odd_addresses();
        cluster_model();
    }
}

/* --- lowest priority: one of those addressed, the one with the lowest PPR; equals take turns --- */
static void set_tpr(uint64_t tpr)
{
    apic_write(APIC_TPR, (uint32_t)tpr);
}

static unsigned taken(uint8_t vector)
{
    unsigned n = 0;
    for (unsigned id = 0; id < processors; id++)
        n += cpus[id].count[vector];
    return n;
}

static void turns(void)
{
    unsigned least = ~0U, most = 0;
    listen();
    for (unsigned i = 0; i < ROUNDS; i++) {
        apic_icr(everybody(), LOWEST | APIC_ICR_LOGICAL | VECTOR);
        report(WAIT_FOR(taken(VECTOR) >= i + 1) && taken(VECTOR) == i + 1,
               "lowest priority, round %u: %u interrupts", i, taken(VECTOR));
    }
    listen_no_more();
    for (unsigned id = 0; id < processors; id++) {
        least = cpus[id].count[VECTOR] < least ? cpus[id].count[VECTOR] : least;
        most = cpus[id].count[VECTOR] > most ? cpus[id].count[VECTOR] : most;
    }
    report_exact(most - least <= 1 + ROUNDS % processors,
                 "equals take %u to %u of %u interrupts of lowest priority", least, most, ROUNDS);
    smp_forget();
}

static void lowest_wins(void)
{
    for (unsigned low = 0; low < processors; low++) {
        on_each(set_tpr, 0x50);
        if (low) {
            smp_run(low, set_tpr, 0x20);
            (void)smp_wait(low);
        } else {
            set_tpr(0x20);
        }
        listen();
        for (unsigned i = 0; i < 5; i++)
            if (!guest_native)
                send_and_check("lowest wins", everybody(), LOWEST | APIC_ICR_LOGICAL, VECTOR, 1U << low);
        listen_no_more();
    }
    on_each(set_tpr, 0);
}

void lowest_tests(void)
{
    turns();
    lowest_wins();
    listen();
    send_and_check("lowest of one", 1U << (processors - 1) % 8, LOWEST | APIC_ICR_LOGICAL, VECTOR,
                   1U << (processors - 1));
    if (processors < 8)
        send_and_check("lowest of nobody", 0x80, LOWEST | APIC_ICR_LOGICAL, VECTOR, 0);
    listen_no_more();
}
