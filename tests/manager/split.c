/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APICs in the hypervisor, the I/O APIC in the manager: what the guest's EOIs of level-triggered vectors
 * become that the manager has asked for. One service for each of these, before the guest goes on, and none for
 * edges and for vectors that nobody asked for.
 */
#include "tests/manager/irq_guest.h"

#define LEVEL 0xc000U /* in the data of a message: level-triggered, asserted */

static struct guest *g;

static int64_t ask(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const uint64_t vectors[4] = {a, b, c, d};
    return irq_eoi_vectors(g->id, vectors);
}

static void send(uint32_t data)
{
    CHECK_EQ(irq_message(g->id, MSI_BASE, data), 1);
    irq_take(g, 1, data & 0xff);
}

/* The guest's EOI; `vector`: it is told, else 0. Two accesses in one command show that it waits for the answer. */
static void eoi(uint32_t vector)
{
    guest_go(g, 0, AGENT_WRITE, AGENT_LAPIC + APIC_EOI, 4, 0, 0);
    if (vector) {
        CHECK_EQ(guest_wait(g, 0), HV_EXIT_EOI);
        CHECK_EQ(guest_service(g, 0)->eoi.vector, vector);
        lab_sleep(1);
        CHECK_EQ(guest_state(g, 0), HV_VCPU_SERVICE);
        CHECK_EQ(guest_complete(g, 0), 0);
    }
    guest_done(g, 0);
}

static void asked_and_not(void)
{
    send(LEVEL | 0x61);
    eoi(0);
    CHECK_EQ(ask(0, 1ULL << (0x61 - 64), 0, 1ULL << (0xe1 - 192)), 0);
    send(LEVEL | 0x61);
    eoi(0x61);
    send(LEVEL | 0xe1);
    eoi(0xe1);
    send(0x61); /* an edge */
    eoi(0);
    send(LEVEL | 0x62);
    eoi(0);
    send(LEVEL | 0xa1);
    eoi(0);
    send(LEVEL | 0x61); /* one in the other */
    CHECK_EQ(irq_message(g->id, MSI_BASE, LEVEL | 0xe1), 1);
    irq_take(g, 1, 0xe1);
    eoi(0xe1);
    eoi(0x61);
    eoi(0); /* nothing is in service */
    CHECK_EQ(ask(0, 0, 0, 1ULL << (0xe1 - 192)), 0);
    send(LEVEL | 0x61);
    eoi(0);
    send(LEVEL | 0xe1);
    eoi(0xe1);
    CHECK_EQ(ask(~0xffffULL, ~0ULL, ~0ULL, ~0ULL), 0);
    for (uint32_t vector = 0x21; vector < 256; vector += 17) {
        send(LEVEL | vector);
        eoi(vector);
    }
    eoi(0);
    CHECK_EQ(ask(1ULL << 15, 0, 0, 0), -(uint64_t)HV_EINVAL); /* and nothing has changed */
    send(LEVEL | 0x71);
    eoi(0x71);
}

/* As an I/O APIC in the manager works: the line is up until the device is served, each EOI sends it again. */
static void as_a_line(void)
{
    unsigned level = 5;
    CHECK_EQ(irq_route_message(g->id, 3, MSI_BASE, LEVEL | 0x91), 0);
    CHECK_EQ(irq_line(g->id, 3, 1), 1);
    while (level--) {
        irq_take(g, 1, 0x91);
        guest_go(g, 0, AGENT_WRITE, AGENT_LAPIC + APIC_EOI, 4, 0, 0);
        CHECK_EQ(guest_wait(g, 0), HV_EXIT_EOI);
        CHECK_EQ(guest_service(g, 0)->eoi.vector, 0x91);
        if (level)
            CHECK_EQ(irq_line(g->id, 3, 1), 1);
        CHECK_EQ(guest_complete(g, 0), 0);
        guest_done(g, 0);
    }
    eoi(0);
}

/* Kicks come at any time, also while the EOI is on its way to us; neither swallows the other. */
static void with_kicks(void)
{
    uint64_t rounds = lab_argument("rounds", 500), kicks = 0, sent = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        bool told = false;
        send(LEVEL | 0x81);
        guest_go(g, 0, AGENT_WRITE, AGENT_LAPIC + APIC_EOI, 4, 0, 0);
        for (uint64_t end = lab_now() + lab_random(lab_ms() / 20); lab_now() < end;)
            continue;
        sent += !hv_vcpu_kick(g->id, 0);
        for (;;) {
            enum hv_exit_kind kind = guest_wait(g, 0);
            if (kind == HV_EXIT_PIO)
                break;
            kicks += kind == HV_EXIT_KICK;
            CHECK(kind == HV_EXIT_KICK || (kind == HV_EXIT_EOI && !told));
            told |= kind == HV_EXIT_EOI;
            CHECK_EQ(guest_complete(g, 0), 0);
        }
        CHECK(guest_is_done(g, 0) && told);
    }
    guest_go(g, 0, AGENT_NOP, 0, 0, 0, 0); /* the last kick */
    while (guest_wait(g, 0) == HV_EXIT_KICK) {
        kicks++;
        CHECK_EQ(guest_complete(g, 0), 0);
    }
    CHECK_EQ(kicks, sent);
}

void test_split(void)
{
    g = guest_slot(0);
    CHECK_EQ(hv_capability(HV_CAP_EOI_VECTORS), 1);
    for (unsigned i = 0; i < 2; i++) {
        g->flags = i ? HV_DOMAIN_IRQCHIP_FULL : HV_DOMAIN_IRQCHIP_NONE;
        guest_start(g, "no split", 1);
        CHECK_EQ(ask(0, 1, 0, 0), -(uint64_t)HV_ENODEV);
        CHECK_EQ(guest_destroy(g), 0);
    }
    struct audit audit = lab_audit();
    g->flags = HV_DOMAIN_IRQCHIP_SPLIT;
    guest_start(g, "split", 1);
    irq_lapic(g, APIC_SVR, 0x1ff);
    asked_and_not();
    as_a_line();
    with_kicks();
    CHECK_EQ(guest_destroy(g), 0);
    g->flags = 0;
    lab_audit_check(&audit, "split");
}
