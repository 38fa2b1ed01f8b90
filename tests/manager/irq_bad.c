/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts with input that no decent guest or manager gives: messages of garbage, registers written by halves and by bytes
 * while a line is up, resampling without a listener, circles of routes, lines of domains that are paused, dying or dead,
 * records under load. Always a documented error or what the hardware would do, and nothing is lost.
 */
#include <string.h>

#include "tests/manager/irq_guest.h"

#define ERROR(name) -(uint64_t)(name)

static struct guest *g;

/* ---- messages */

static bool is_message(uint64_t address, uint64_t data)
{
    uint64_t mode = data >> 8 & 7;
    if ((uint32_t)address >> 20 != 0xfee || (address & 0x13) || (address >> 32 & 0xff) || data >> 16 ||
        (data & 0x3800) || mode == 3 || mode == 6)
        return false;
    return !(address >> 40) || !(address & 0xfe0); /* one way to say a large destination, not both */
}

static uint64_t wild(void)
{
    return lab_random(UINT64_MAX);
}

/* Nobody has these destinations: what is a message is refused by all, the rest by the call. */
static void garbage_messages(void)
{
    uint64_t accepted = 0, rounds = lab_argument("messages", 3000);
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t address = MSI_BASE | (lab_random(200) + 20) << 12, data = lab_random(1 << 16);
        if (i % 2)
            address ^= 1ULL << lab_random(64);
        if (i % 3 == 0)
            data = wild() >> lab_random(64);
        if (i % 7 == 0)
            address = wild();
        if ((address >> 12 & 0xff) < 20 || (address >> 12 & 0xff) == 0xff || (address & 4))
            continue; /* somebody might take it */
        bool good = is_message(address, data);
        uint64_t want = good ? ERROR(HV_ENXIO) : ERROR(HV_EINVAL);
        accepted += good;
        CHECK_CASE(hv_call3(HV_CALL_SIGNAL_MSI, g->id, address, data), want, "message %#llx %#llx",
                   (unsigned long long)address, (unsigned long long)data);
        CHECK_CASE(hv_call4(HV_CALL_ROUTE_MSI, g->id, 50, address, data), good ? 0 : -HV_EINVAL,
                   "route %#llx %#llx", (unsigned long long)address, (unsigned long long)data);
        if (good)
            CHECK_EQ(irq_line(g->id, 50, 1), ERROR(HV_ENXIO));
    }
    CHECK(accepted > rounds / 20);
    for (uint32_t vector = 0; vector < 16; vector++) /* illegal ones are an error of the APIC, no interrupt */
        CHECK_EQ(irq_message(g->id, MSI_BASE, vector), ERROR(HV_ENXIO));
    irq_lapic(g, APIC_ESR, 0);
    CHECK_EQ(guest_do(g, 0, AGENT_READ, AGENT_LAPIC + APIC_ESR, 4, 0, 0), APIC_ESR_RECEIVE_ILLEGAL_VECTOR);
    irq_take(g, 0, 0);
}

/* ---- registers */

/* Every selection by a byte, a word and a doubleword: nothing of an earlier one stays, and what is not there reads 0. */
static void narrow_selections(void)
{
    for (uint32_t select = 0; select < 256; select++)
        for (uint32_t width = 1; width <= 4; width *= 2) {
            irq_ioapic(g, IOAPIC_IOREGSEL, 4, 0xffffffff);
            irq_ioapic(g, IOAPIC_IOREGSEL, width, select);
            CHECK_CASE(irq_ioapic_read(g, IOAPIC_IOREGSEL, 4), select, "IOREGSEL by %u", width);
            uint32_t value = irq_ioapic_read(g, IOAPIC_IOWIN, 4);
            bool there = select < 3 || (select >= 16 && select < 16 + 48);
            if (!there)
                CHECK_CASE(value, 0, "register %#x", select);
            if (select == IOAPIC_VER)
                CHECK_EQ(value, 0x00170020);
            CHECK_CASE(irq_ioapic_read(g, IOAPIC_IOWIN + 1, 1), value >> 8 & 0xff, "register %#x by bytes",
                       select);
            if (!there)
                irq_ioapic(g, IOAPIC_IOWIN, 4, 0xffffffff);
        }
    irq_ioapic(g, IOAPIC_IOREGSEL, 4, 0);
    irq_ioapic(g, IOAPIC_IOREGSEL + 1, 1, 0xff); /* beside the selecting byte */
    CHECK_EQ(irq_ioapic_read(g, IOAPIC_IOREGSEL, 4), 0);
}

static void half(uint32_t pin, uint32_t which, uint32_t value)
{
    irq_ioapic(g, IOAPIC_IOREGSEL, 4, IOAPIC_REDTBL + 2 * pin + which);
    irq_ioapic(g, IOAPIC_IOWIN, 4, value);
}

/* The line is up all the time: each way to open the pin brings the interrupt once, to whom the halves say at that moment. */
static void halves_under_a_level(void)
{
    const uint32_t level = IOAPIC_RTE_LEVEL, masked = IOAPIC_RTE_LEVEL | IOAPIC_RTE_MASKED;
    half(21, 0, masked | 0x51);
    CHECK_EQ(irq_line(g->id, 21, 1), ERROR(HV_ENXIO));
    half(21, 1, 5U << 24); /* to nobody */
    half(21, 0, level | 0x51);
    irq_take(g, 0, 0);
    CHECK(!(irq_pin(g, 21).rte & IOAPIC_RTE_REMOTE_IRR)); /* it waits */
    half(21, 1, 0);
    irq_take(g, 1, 0x51);
    half(21, 0, masked | 0x51); /* in service: masked and opened, with another vector */
    half(21, 0, level | 0x52);
    CHECK(irq_pin(g, 21).rte & IOAPIC_RTE_REMOTE_IRR);
    irq_take(g, 0, 0);
    irq_eoi(g); /* of 0x51, which the pin is not any more: its own EOI does not come */
    irq_take(g, 0, 0);
    half(21, 0, 0x52); /* to edge and back ends it, as software for version 0x11 does */
    CHECK(!(irq_pin(g, 21).rte & IOAPIC_RTE_REMOTE_IRR));
    half(21, 0, level | 0x52);
    irq_take(g, 1, 0x52);
    irq_ioapic(g, IOAPIC_EOIR, 4, 0x53); /* the EOI register: of another vector */
    CHECK(irq_pin(g, 21).rte & IOAPIC_RTE_REMOTE_IRR);
    irq_ioapic(g, IOAPIC_EOIR, 1, 0x52); /* and of this one, while it is in service: it is requested again */
    CHECK(irq_pin(g, 21).rte & IOAPIC_RTE_REMOTE_IRR);
    irq_eoi(g);
    irq_take(g, 1, 0x52);
    CHECK_EQ(irq_line(g->id, 21, 0), 1);
    irq_eoi(g);
    irq_take(g, 0, 0);
    half(21, 0, IOAPIC_RTE_MASKED);
    for (uint32_t mode = 0; mode < 8; mode++) /* reserved modes are as if masked; the others have no vector */
        if (mode == 3 || mode == 6) {
            half(20, 0, mode << IOAPIC_RTE_MODE_SHIFT | 0x45);
            CHECK_EQ(irq_line(g->id, 20, 1), ERROR(HV_ENXIO));
            CHECK_EQ(irq_line(g->id, 20, 0), 1);
        }
    half(20, 0, IOAPIC_RTE_MASKED);
}

/* Wider than a register, across two, and beside them: no effect that a byte would not have. */
static void wide_ports(void)
{
    irq_open_pic(g, 0xff);
    CHECK_EQ(guest_do(g, 0, AGENT_IN, 0x20, 4, 0, 0) & 0xff00, 0xff00); /* 0x21: the mask */
    (void)guest_do(g, 0, AGENT_OUT, 0x21, 2, 0xfffb, 0);                /* 0x21 and 0x22, which is nobody's */
    CHECK_EQ(irq_in(g, 0x21), 0xfb);
    CHECK_EQ(guest_do(g, 0, AGENT_IN, 0x1f, 2, 0, 0) & 0xff, 0xff);
    (void)guest_do(g, 0, AGENT_OUT, 0x4d0, 2, 0xffff, 0);
    CHECK_EQ(guest_do(g, 0, AGENT_IN, 0x4d0, 2, 0, 0) & 0xffff, PIC_ELCR_SLAVE_RW << 8 | PIC_ELCR_MASTER_RW);
    (void)guest_do(g, 0, AGENT_OUT, 0x4d0, 2, 0, 0);
    (void)guest_do(g, 0, AGENT_OUT, 0x40, 4, 0x34000000, 0); /* a control word behind three counts */
    CHECK_EQ(irq_in(g, 0x43), 0xff);                         /* not readable */
    irq_out(g, 0x43, 0x30);
    irq_lapic(g, APIC_LVT_LINT0, APIC_LVT_MASKED);
}

/* ---- resampling */

static void no_listener(void)
{
    irq_redirect(g, 22, 0x57 | IOAPIC_RTE_LEVEL);
    uint64_t n = (uint64_t)irq_notifier_resample(g->id, 22, 0, NUMBER(4));
    CHECK_EQ(irq_notifier_signal(n), 1);
    irq_take(g, 1, 0x57);
    CHECK_EQ(irq_notifier_close(n), 0); /* in service: the EOI finds no listener */
    irq_eoi(g);
    CHECK(!lab_wait(NUMBER(4), 3));
    CHECK_EQ(irq_pin(g, 22).sources, 0);
    irq_take(g, 0, 0);
    for (unsigned i = 0; i < 3;
         i++) { /* of a GSI without a route, of a masked pin, of an edge: it stays up, nobody is told */
        uint32_t gsi = (const uint32_t[]){60, 23, 20}[i];
        if (gsi == 20)
            irq_redirect(g, gsi, 0x45);
        n = (uint64_t)irq_notifier_resample(g->id, gsi, 0, NUMBER(4));
        CHECK((int64_t)n > 0);
        CHECK_EQ(irq_notifier_signal(n), gsi == 20 ? 1 : ERROR(HV_ENXIO));
        CHECK_EQ(irq_notifier_signal(n), gsi == 20 ? 0 : ERROR(HV_ENXIO));
        irq_take(g, gsi == 20, 0x45);
        irq_eoi(g);
        CHECK(!lab_wait(NUMBER(4), 3));
        CHECK_EQ(irq_notifier_close(n), 0);
        if (gsi < 24)
            CHECK_EQ(irq_pin(g, gsi).sources, 0);
    }
    irq_redirect(g, 20, IOAPIC_RTE_MASKED);
    uint64_t up =
        (uint64_t)irq_notifier_resample(g->id, 22, 0, NUMBER(4)); /* the route goes while it is up */
    CHECK_EQ(irq_notifier_signal(up), 1);
    CHECK_EQ(irq_route_set(g->id, 22, NULL, 0), 0);
    irq_take(g, 1, 0x57);
    irq_eoi(g);
    CHECK(!lab_wait(NUMBER(4), 3)); /* it is not that GSI's pin any more */
    irq_take(g, 1, 0x57);           /* and who has raised it has nothing to lower it by */
    CHECK_EQ(irq_route_pin(g->id, 22, HV_CHIP_IOAPIC, 22), 0);
    CHECK_EQ(irq_notifier_close(up), 0);
    irq_eoi(g);
    CHECK_EQ(irq_pin(g, 22).sources, 0);
    irq_take(g, 0, 0);
    irq_redirect(g, 22, IOAPIC_RTE_MASKED);
}

/* ---- what the list of the issue does not have */

/* Circles and long ways of GSIs end somewhere. */
static void circles(void)
{
    struct hv_route r = {.kind = HV_ROUTE_GSI};
    for (uint32_t i = 0; i < 8; i++) { /* 70 -> 71 -> ... -> 77 -> 70 */
        r.gsi = 70 + i;
        r.gsi_to.gsi = 70 + (i + 1) % 8;
        CHECK_EQ(irq_route_set(g->id, r.gsi, &r, 1), 0);
    }
    for (uint32_t i = 0; i < 8; i++)
        CHECK_EQ(irq_line(g->id, 70 + i, 1), ERROR(HV_ENXIO));
    for (uint32_t i = 0; i < 8; i++)
        CHECK_EQ(irq_stats(g, 70 + i).masked, 4);              /* four links each */
    CHECK_EQ(irq_route_message(g->id, 73, MSI_BASE, 0x61), 0); /* 70, 71, 72, 73 */
    CHECK_EQ(irq_line(g->id, 70, 1), 1);
    irq_take(g, 1, 0x61);
    irq_eoi(g);
    CHECK_EQ(irq_line(g->id, 77, 1), ERROR(HV_ENXIO)); /* one too many */
    irq_take(g, 0, 0);
    for (uint32_t i = 0; i < 8; i++)
        CHECK_EQ(irq_route_set(g->id, 70 + i, NULL, 0), 0);
}

/* Paused it takes note, dead and gone it does not. */
static void late_domains(void)
{
    struct guest *other = guest_slot(1);
    other->flags = HV_DOMAIN_IRQCHIP_FULL;
    guest_start(other, "late", 1);
    irq_lapic(other, APIC_SVR, 0x1ff);
    irq_redirect(other, 21, 0x55 | IOAPIC_RTE_LEVEL);
    uint64_t n = (uint64_t)irq_notifier_resample(other->id, 21, 0, NUMBER(5));
    CHECK_EQ(call_domain_pause(other->id), 0);
    CHECK_EQ(irq_notifier_signal(n), 1);
    CHECK_EQ(irq_message(other->id, MSI_BASE, 0x41), 1);
    CHECK_EQ(irq_message(other->id, MSI_BASE, 0x41), 0);
    CHECK_EQ(call_domain_resume(other->id), 0);
    irq_take(other, 1, 0x55);
    irq_eoi(other);
    CHECK(lab_wait(NUMBER(5), TAKE_MS));
    irq_take(other, 1, 0x41);
    guest_go(other, 0, AGENT_TRIPLE, 0, 0, 0, 0);
    guest_dead(other);
    int64_t result = irq_message(other->id, MSI_BASE, 0x42);
    CHECK_CASE(result >= 0 || result == -HV_ENXIO, true, "message to a dead domain: %d", (int)result);
    (void)irq_notifier_signal(n);
    CHECK_EQ(irq_route_message(other->id, 9, MSI_BASE, 0x43), 0);
    CHECK_EQ(guest_destroy(other), 0);
    CHECK_EQ(irq_message(other->id, MSI_BASE, 0x42), ERROR(HV_ESRCH));
    int64_t signal = irq_notifier_signal(n); /* it is still ours, but leads nowhere: it counts */
    CHECK_CASE(signal >= 0, true, "signal to nowhere: %d", (int)signal);
    CHECK_EQ(irq_notifier_close(n), 0);
    other->flags = 0;
}

/* A bit of an I/O APIC's record flipped, again and again, while lines and messages come: refused or taken whole. */
static void records_under_load(void)
{
    static struct hv_ioapic good, bad, back;
    uint64_t refused = 0, rounds = lab_argument("records", 400);
    irq_redirect(g, 20, 0x45);
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_IOAPIC, &good, HV_IOAPIC_SIZE(24)), 0);
    for (uint64_t i = 0; i < rounds; i++) {
        uint32_t bit = (uint32_t)lab_random(HV_IOAPIC_SIZE(24) * 8);
        memcpy(&bad, &good, sizeof(bad));
        ((uint8_t *)&bad)[bit / 8] ^= (uint8_t)(1U << bit % 8);
        int64_t result = irq_chip_set(g->id, HV_IRQCHIP_STATE_IOAPIC, &bad, HV_IOAPIC_SIZE(24));
        CHECK_CASE(result == 0 || result == -HV_EINVAL, true, "bit %u: %d", bit, (int)result);
        CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_IOAPIC, &back, HV_IOAPIC_SIZE(24)), 0);
        refused += result != 0;
        if (result) {
            CHECK_CASE(memcmp(&back, &good, HV_IOAPIC_SIZE(24)), 0, "bit %u: refused and changed", bit);
            continue;
        }
        CHECK_EQ(irq_chip_set(g->id, HV_IRQCHIP_STATE_IOAPIC, &good, HV_IOAPIC_SIZE(24)), 0);
    }
    CHECK(refused > rounds / 10 && refused < rounds);
    (void)irq_take_for(g, 3);
    irq_eoi(g);
    (void)irq_take_for(g, 3);
    irq_eoi(g);
    CHECK_EQ(irq_line(g->id, 20, 1), 1); /* alive */
    irq_take(g, 1, 0x45);
    irq_eoi(g);
    CHECK_EQ(irq_line(g->id, 20, 0), 1);
}

void test_irq_bad(void)
{
    g = guest_slot(0);
    g->flags = HV_DOMAIN_IRQCHIP_FULL;
    CHECK_EQ(irq_notifier_close((uint64_t)irq_notifier_notify(0, NUMBER(0))), 0);
    guest_start(g, "first", 1);
    CHECK_EQ(guest_destroy(g), 0);
    struct audit audit = lab_audit();
    guest_start(g, "bad", 1);
    irq_lapic(g, APIC_SVR, 0x1ff);
    garbage_messages();
    narrow_selections();
    halves_under_a_level();
    wide_ports();
    no_listener();
    circles();
    late_domains();
    records_under_load();
    CHECK_EQ(guest_destroy(g), 0);
    g->flags = 0;
    lab_audit_check(&audit, "irq-bad");
}
