/* SPDX-License-Identifier: BSD-2-Clause */
/* See irq_guest.h. */
#include "tests/manager/irq_guest.h"

void irq_lapic(struct guest *g, uint32_t reg, uint32_t value)
{
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_LAPIC + reg, 4, value, 0);
}

void irq_eoi(struct guest *g)
{
    irq_lapic(g, APIC_EOI, 0);
}

void irq_ioapic(struct guest *g, uint32_t offset, uint32_t width, uint32_t value)
{
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_IOAPIC + offset, width, value, 0);
}

uint32_t irq_ioapic_read(struct guest *g, uint32_t offset, uint32_t width)
{
    return (uint32_t)guest_do(g, 0, AGENT_READ, AGENT_IOAPIC + offset, width, 0, 0);
}

void irq_redirect(struct guest *g, uint32_t pin, uint32_t low)
{
    for (uint32_t half = 2; half-- > 0;) {
        irq_ioapic(g, IOAPIC_IOREGSEL, 4, IOAPIC_REDTBL + 2 * pin + half);
        irq_ioapic(g, IOAPIC_IOWIN, 4, half ? 0 : low);
    }
}

void irq_out(struct guest *g, uint16_t port, uint8_t value)
{
    (void)guest_do(g, 0, AGENT_OUT, port, 1, value, 0);
}

uint8_t irq_in(struct guest *g, uint16_t port)
{
    return (uint8_t)guest_do(g, 0, AGENT_IN, port, 1, 0, 0);
}

void irq_open_pic(struct guest *g, uint8_t mask)
{
    static const uint8_t writes[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1},   {0xa0, 0x11},
                                        {0xa1, 0x28}, {0xa1, 2},    {0xa1, 1}, {0xa1, 0xff}};
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        irq_out(g, writes[i][0], writes[i][1]);
    irq_out(g, 0x21, mask);
    irq_lapic(g, APIC_LVT_LINT0, APIC_DM_EXTINT << APIC_LVT_MODE_SHIFT);
}

static void stop(struct guest *g)
{
    guest_box(g, 0)->stop = 1;
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
    guest_done(g, 0);
}

uint64_t irq_take_for(struct guest *g, uint64_t ms)
{
    const struct mailbox *box = guest_box(g, 0);
    uint64_t before = box->interrupts;
    guest_go(g, 0, AGENT_HLT, 1, 0, 0, 0);
    lab_sleep(ms);
    stop(g);
    return box->interrupts - before;
}

void irq_take(struct guest *g, uint32_t count, uint32_t vector)
{
    const struct mailbox *box = guest_box(g, 0);
    uint64_t until = box->interrupts + count, left = TAKE_MS;
    guest_go(g, 0, AGENT_HLT, 1, 0, 0, 0);
    while (box->interrupts < until && left--)
        lab_sleep(1);
    lab_sleep(1);
    CHECK_CASE(box->interrupts - until + count, count, "interrupts, last %#llx, waiting for %#x",
               (unsigned long long)box->last_interrupt, vector);
    if (count)
        CHECK_EQ(box->last_interrupt, vector);
    stop(g);
}

struct hv_ioapic_pin irq_pin(const struct guest *g, uint32_t pin)
{
    static struct hv_ioapic io;
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_IOAPIC, &io, HV_IOAPIC_SIZE(24)), 0);
    return io.pin[pin];
}

struct hv_route_stats irq_stats(const struct guest *g, uint32_t gsi)
{
    struct hv_route_stats s;
    CHECK_EQ(irq_route_stats(g->id, gsi, &s), 0);
    return s;
}
