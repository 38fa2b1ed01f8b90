/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticks (HV_LINE_TICK), as a clock in the manager sends them: each is either new to every receiver or is not sent at all, so
 * that the manager can send it later. Receivers have ended a tick when all of them have made their EOI.
 */
#include <string.h>

#include "tests/manager/irq_guest.h"

#define CLOCK  8U
#define VECTOR 0x61U

static struct guest *g;

static int64_t tick(void)
{
    return irq_line(g->id, CLOCK, HV_LINE_TICK);
}

static void at_ioapic(void)
{
    CHECK_EQ(tick(), -(uint64_t)HV_ENXIO); /* masked; it is not kept */
    irq_redirect(g, CLOCK, VECTOR);
    irq_take(g, 0, 0);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(tick(), 1);
        CHECK_EQ(tick(), 0); /* requested */
        irq_take(g, 1, VECTOR);
        CHECK_EQ(
            tick(),
            0); /* in service: without the watch it would be requested again, and the clock would not know */
        irq_take(g, 0, 0);
        irq_eoi(g);
        irq_take(g, 0, 0);
    }
    CHECK_EQ(irq_pin(g, CLOCK).sources, 0);
    CHECK_EQ(tick(), 1);
    irq_take(g, 1, VECTOR);
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x71), 1); /* EOIs of others do not count */
    irq_take(g, 1, 0x71);
    irq_eoi(g);
    CHECK_EQ(tick(), 0);
    CHECK_EQ(irq_line(g->id, CLOCK, 1), 1); /* an edge that is no tick waits for nobody */
    CHECK_EQ(irq_line(g->id, CLOCK, 0), 2); /* falls at the PIC too */
    irq_eoi(g);
    irq_take(g, 1, VECTOR);
    irq_eoi(g);
    CHECK_EQ(tick(), 1);
    irq_take(g, 1, VECTOR);
    irq_redirect(g, CLOCK, VECTOR + 1); /* the guest changes its mind: its EOI is another's */
    CHECK_EQ(tick(), 1);
    irq_eoi(g);
    irq_take(g, 1, VECTOR + 1);
    irq_eoi(g);
}

/* What was in service is gone without an EOI, as after INIT: the clock goes on. */
static void swallowed(void)
{
    static struct hv_lapic record;
    CHECK_EQ(tick(), 1);
    irq_take(g, 1, VECTOR + 1);
    CHECK_EQ(tick(), 0);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    for (uint32_t i = 0; i < 8; i++)
        record.regs[(APIC_ISR + 16 * i) / 4] = 0;
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    CHECK_EQ(tick(), 1);
    CHECK_EQ(tick(), 0);
    irq_take(g, 1, VECTOR + 1);
    irq_eoi(g);
    irq_redirect(g, CLOCK, IOAPIC_RTE_MASKED);
}

static void at_pic(void)
{
    irq_open_pic(g, 0xfb);
    irq_out(g, 0xa1, 0xfe);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(tick(), 1);
        CHECK_EQ(tick(), 0);
        irq_take(g, 1, 0x28);
        CHECK_EQ(tick(), 0);
        irq_out(g, 0x20, 0x20);
        CHECK_EQ(tick(), 0); /* the slave's is the one */
        irq_out(g, 0xa0, 0x20);
        irq_take(g, 0, 0);
    }
    irq_out(g, 0x21, 0xff);
    irq_lapic(g, APIC_LVT_LINT0, APIC_LVT_MASKED);
}

static void take_and_end(uint32_t vcpu)
{
    const struct mailbox *box = guest_box(g, vcpu);
    uint64_t before = box->interrupts, left = TAKE_MS;
    guest_go(g, vcpu, AGENT_HLT, 1, 0, 0, 0);
    while (box->interrupts == before && left--)
        lab_sleep(1);
    guest_box(g, vcpu)->stop = 1;
    CHECK_EQ(hv_vcpu_inject(g->id, vcpu, HV_INJECT_NMI, 0, 0), 0);
    guest_done(g, vcpu);
    CHECK_EQ(box->interrupts, before + 1);
    (void)guest_do(g, vcpu, AGENT_WRITE, AGENT_LAPIC + APIC_EOI, 4, 0, 0);
}

/* Two receivers: not before both have ended it. */
static void two(void)
{
    static struct hv_lapic record;
    CHECK_EQ(guest_build(g, "two ticks", 2), 0);
    CHECK_EQ(call_vcpu_get(g->id, 1, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    record.events = 0; /* as after a start-up IPI */
    CHECK_EQ(call_vcpu_set(g->id, 1, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    for (uint32_t v = 0; v < 2; v++) {
        CHECK_EQ(hv_vcpu_start(g->id, v), 0);
        guest_done(g, v);
        (void)guest_do(g, v, AGENT_WRITE, AGENT_LAPIC + APIC_SVR, 4, 0x1ff, 0);
        (void)guest_do(g, v, AGENT_WRITE, AGENT_LAPIC + APIC_LDR, 4, 1U << (24 + v), 0);
    }
    irq_ioapic(g, IOAPIC_IOREGSEL, 4, IOAPIC_REDTBL + 2 * CLOCK + 1);
    irq_ioapic(g, IOAPIC_IOWIN, 4, 3U << 24);
    irq_ioapic(g, IOAPIC_IOREGSEL, 4, IOAPIC_REDTBL + 2 * CLOCK);
    irq_ioapic(g, IOAPIC_IOWIN, 4, IOAPIC_RTE_LOGICAL | VECTOR);
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQ(tick(), 2);
        CHECK_EQ(tick(), 0);
        take_and_end(i % 2);
        CHECK_EQ(tick(), 0);
        take_and_end(1 - i % 2);
    }
    CHECK_EQ(guest_destroy(g), 0);
}

void test_irq_tick(void)
{
    g = guest_slot(0);
    g->flags = HV_DOMAIN_IRQCHIP_FULL;
    guest_start(g, "first", 1);
    CHECK_EQ(guest_destroy(g), 0);
    struct audit audit = lab_audit();
    guest_start(g, "ticks", 1);
    irq_lapic(g, APIC_SVR, 0x1ff);
    at_ioapic();
    swallowed();
    at_pic();
    CHECK_EQ(guest_destroy(g), 0);
    two();
    g->flags = 0;
    lab_audit_check(&audit, "irq-tick");
}
