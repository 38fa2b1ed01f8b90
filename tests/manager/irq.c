/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of a domain with all its controllers in the hypervisor, as its manager sees them: messages,
 * lines, routes, notifiers, resampling, doorbells, the PIC and the PIT, state records. The agent programs the
 * controllers and takes the interrupts; it ends them when it is told to, so that each step can be looked at.
 */
#include <string.h>

#include "tests/manager/irq_guest.h"
#include "tests/manager/irq_storm.h"

#define LINE(name) -(uint64_t)(name)

static struct guest *g;

/* Takes whatever waits. */
static void drain(void)
{
    (void)irq_take_for(g, 5);
    irq_eoi(g);
}

static void stats_are(uint32_t gsi, uint64_t delivered, uint64_t coalesced, uint64_t masked,
                      uint64_t acknowledged)
{
    struct hv_route_stats s;
    CHECK_EQ(irq_route_stats(g->id, gsi, &s), 0);
    CHECK_EQ(s.fired, delivered + coalesced + masked);
    CHECK_EQ(s.delivered, delivered);
    CHECK_EQ(s.coalesced, coalesced);
    CHECK_EQ(s.masked, masked);
    CHECK_EQ(s.acknowledged, acknowledged);
}

static void messages(void)
{
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x41), LINE(HV_ENXIO)); /* APIC disabled */
    irq_lapic(g, APIC_SVR, 0x1ff);
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x41), 1);
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x41), 0);
    irq_take(g, 1, 0x41);
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x41), 1); /* requested again while in service */
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x41), 0);
    irq_take(g, 0, 0);
    irq_eoi(g);
    irq_take(g, 1, 0x41);
    irq_eoi(g);
    CHECK_EQ(irq_message(g->id, MSI_BASE | 5 << 12, 0x41), LINE(HV_ENXIO)); /* no such APIC */
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x0f), LINE(HV_ENXIO));           /* illegal vector */
    CHECK_EQ(irq_message(g->id, 0xfed00000, 0x41), LINE(HV_EINVAL));
    CHECK_EQ(irq_message(g->id, MSI_BASE | 0x10, 0x41), LINE(HV_EINVAL));
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x10041), LINE(HV_EINVAL));
    CHECK_EQ(hv_call3(HV_CALL_SIGNAL_MSI, g->id, MSI_BASE, 1ULL << 32 | 0x41), LINE(HV_EINVAL));
    uint64_t nmis = guest_box(g, 0)->nmis;
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x400), 1); /* NMI */
    (void)guest_do(g, 0, AGENT_NOP, 0, 0, 0, 0);
    CHECK_EQ(guest_box(g, 0)->nmis, nmis + 1);
}

static void edge_lines(void)
{
    CHECK_EQ(irq_line(g->id, 20, 1), LINE(HV_ENXIO)); /* masked; the edge is lost */
    CHECK_EQ(irq_line(g->id, 20, 0), 1);
    irq_redirect(g, 20, 0x45);
    irq_take(g, 0, 0);
    CHECK_EQ(irq_line(g->id, 20, 1), 1);
    CHECK_EQ(irq_line(g->id, 20, 1), 0);
    CHECK_EQ(irq_line(g->id, 20, 0), 1);
    CHECK_EQ(irq_line(g->id, 20, 1), 0); /* an edge, merged with the one that waits */
    irq_take(g, 1, 0x45);
    irq_eoi(g);
    CHECK_EQ(irq_line(g->id, 20, 0), 1);
    stats_are(20, 1, 2, 1, 0);
    CHECK_EQ(irq_line(g->id, 4096, 1), LINE(HV_EINVAL));
    CHECK_EQ(irq_line(g->id, 30, 1), LINE(HV_ENXIO)); /* no route */
}

/* Level: one interrupt for each time that somebody still holds the line at the EOI. */
static void resampling(void)
{
    irq_redirect(g, 21, 0x55 | IOAPIC_RTE_LEVEL);
    uint64_t a = (uint64_t)irq_notifier_resample(g->id, 21, 0, NUMBER(1));
    uint64_t b = (uint64_t)irq_notifier_resample(g->id, 21, 0, NUMBER(2));
    CHECK((int64_t)a > 0 && (int64_t)b > 0);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(irq_notifier_signal(a), 1);
        CHECK_EQ(irq_notifier_signal(b), 0);
        CHECK_EQ(irq_pin(g, 21).sources, 2);
        irq_take(g, 1, 0x55);
        CHECK(irq_pin(g, 21).rte & IOAPIC_RTE_REMOTE_IRR);
        CHECK(!lab_notified(NUMBER(1)) && !lab_notified(NUMBER(2)));
        irq_eoi(g);
        CHECK(lab_wait(NUMBER(1), TAKE_MS) && lab_wait(NUMBER(2), TAKE_MS));
        CHECK_EQ(irq_pin(g, 21).sources, 0);
        CHECK(!(irq_pin(g, 21).rte & IOAPIC_RTE_REMOTE_IRR));
        irq_take(g, 0, 0);
    }
    stats_are(21, 3, 3, 0, 3);
    CHECK_EQ(irq_notifier_signal(a), 1);
    CHECK_EQ(irq_line(g->id, 21, 1), 0); /* a second source */
    irq_take(g, 1, 0x55);
    irq_eoi(g);
    CHECK_EQ(irq_pin(g, 21).sources, 1);
    irq_take(g, 1, 0x55);
    CHECK_EQ(irq_line(g->id, 21, 0), 1);
    irq_eoi(g);
    irq_take(g, 0, 0);
    CHECK_EQ(irq_notifier_signal(a), 1); /* up when its last notifier is closed: it falls */
    CHECK_EQ(irq_notifier_close(b), 0);
    CHECK_EQ(irq_pin(g, 21).sources, 2);
    CHECK_EQ(irq_notifier_close(a), 0);
    CHECK_EQ(irq_pin(g, 21).sources, 0);
    CHECK_EQ(irq_notifier_signal(a), LINE(HV_ENOENT));
    irq_take(g, 1, 0x55);
    irq_eoi(g);
    (void)lab_notified(NUMBER(1));
    (void)lab_notified(NUMBER(2));
}

static void doorbells(void)
{
    static const uint64_t seven = 7;
    uint64_t n = (uint64_t)irq_notifier_notify(0, NUMBER(3)), m = (uint64_t)irq_notifier_gsi(g->id, 40);
    CHECK_EQ(irq_route_message(g->id, 40, MSI_BASE, 0x61), 0);
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_PIO, 0x510, 2, &seven, n), 0);
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_PIO, 0x510, 2, &seven, m), LINE(HV_EEXIST));
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_MMIO, AGENT_MMIO + 8, 0, NULL, m), 0);
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_MMIO, AGENT_CODE, 4, NULL, m), LINE(HV_EBUSY));
    for (uint64_t i = 0; i < 3; i++) {
        (void)guest_do(g, 0, AGENT_OUT, 0x510, 2, 7, 0);
        (void)guest_do(g, 0, AGENT_OUT, 0x510, 2, 8, 0);
        (void)guest_do(g, 0, AGENT_OUT, 0x510, 4, 7, 0);
        (void)guest_do(g, 0, AGENT_IN, 0x510, 2, 0, 0);
    }
    CHECK(lab_notified(NUMBER(3)) && !lab_notified(NUMBER(3)));
    CHECK_EQ(irq_notifier_read(n), 3);
    guest_box(g, 0)->arg[4] = 0;
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_MMIO + 8, 4, 1, 0);
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_MMIO + 8, 8, 1, 0);
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_MMIO + 16, 8, 1, 0);
    irq_take(g, 1, 0x61); /* its own doorbell's; the second one merged */
    irq_eoi(g);
    CHECK_EQ(irq_notifier_read(m), 2);
    memset(guest_scratch(g), 7, 16);
    CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_PIO, 0x510, 2, NULL, n), LINE(HV_ENOENT));
    CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_PIO, 0x510, 2, &seven, n), 0);
    (void)guest_do(g, 0, AGENT_OUT, 0x510, 2, 7, 0);
    CHECK_EQ(irq_notifier_read(n), 0);
    irq_any_writes(g, n);
    (void)lab_notified(NUMBER(3));
    CHECK_EQ(irq_notifier_close(m), 0);
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_MMIO + 8, 4, 1, 0); /* to nothing */
    CHECK_EQ(irq_notifier_close(n), 0);
    CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_MMIO, AGENT_MMIO + 8, 0, NULL, m), 0);
}

static void message_route(struct hv_route *r, uint32_t gsi, uint32_t vector)
{
    *r = (struct hv_route){.gsi = gsi, .kind = HV_ROUTE_MSI, .msi = {.address = MSI_BASE, .data = vector}};
}

static void routes(void)
{
    static struct hv_route table[400], back[128];
    uint32_t gsi = 0, n = 0, destination = 0;
    int64_t got;
    while ((got = irq_route_get(g->id, &gsi, back, 127)) > 0)
        n += (uint32_t)got;
    CHECK_EQ(got, 0);
    CHECK_EQ(gsi, 4096);
    CHECK_EQ(n, 15 * 2 + 9 + 1); /* the default, and GSI 40 */
    for (uint32_t i = 0; i < 400; i++)
        message_route(&table[i], i * 10, 32 + i % 200);
    CHECK_EQ(irq_route_replace(g->id, table, 400), 0);
    for (gsi = n = 0; (got = irq_route_get(g->id, &gsi, back, 50)) > 0; n += (uint32_t)got)
        CHECK(!memcmp(&table[n], back, (size_t)got * sizeof(back[0])));
    CHECK_EQ(n, 400);
    gsi = 11;
    CHECK_EQ(irq_route_find(g->id, &gsi, 33, NULL), 0);
    CHECK_EQ(gsi, 2010);
    destination = 1;
    CHECK_EQ(irq_route_find(g->id, &gsi, 33, &destination), LINE(HV_ENOENT));
    table[399].msi.data = 0x10000; /* one that is wrong: nothing changes */
    CHECK_EQ(irq_route_replace(g->id, table, 400), LINE(HV_EINVAL));
    CHECK_EQ(irq_line(g->id, 3990, 1), 1);
    irq_take(g, 1, 32 + 399 % 200);
    irq_eoi(g);
    message_route(&table[0], 5, 0x70);
    CHECK_EQ(irq_route_replace(g->id, table, 1), 0);
    CHECK_EQ(irq_line(g->id, 3990, 1), LINE(HV_ENXIO));
    CHECK_EQ(irq_line(g->id, 5, 1), 1);
    irq_take(g, 1, 0x70);
    irq_eoi(g);
    static const struct {
        uint64_t gsi, address, data;
    } bad[] = {{4096, MSI_BASE, 0x70}, {1ULL << 32, MSI_BASE, 0x70},
               {5, 0, 0x70},           {5, MSI_BASE | 1ULL << 32, 0x70},
               {5, MSI_BASE, 0x10070}, {5, MSI_BASE, 1ULL << 32 | 0x70}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_CASE(hv_call4(HV_CALL_ROUTE_MSI, g->id, bad[i].gsi, bad[i].address, bad[i].data), -HV_EINVAL,
                   "ROUTE_MSI %u", (unsigned)i);
    CHECK_EQ(irq_line(g->id, 5, 1), 1); /* as it was */
    irq_take(g, 1, 0x70);
    irq_eoi(g);
    const struct hv_route link = {.gsi = 6, .kind = HV_ROUTE_GSI, .gsi_to = {.gsi = 5}};
    CHECK_EQ(irq_route_set(g->id, 6, &link, 1), 0);
    CHECK_EQ(irq_line(g->id, 6, 1), 1);
    irq_take(g, 1, 0x70);
    irq_eoi(g);
    CHECK_EQ(irq_route_notify(g->id, 7, 0, NUMBER(9)), 0);
    CHECK_EQ(irq_line(g->id, 7, 1), 1);
    CHECK(lab_notified(NUMBER(9)));
}

/* As firmware does: vectors 0x20 to 0x2f, only some pins open, LINT0 as ExtINT. */
static void open_pic(uint32_t mask)
{
    static const uint16_t writes[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1},   {0xa0, 0x11},
                                         {0xa1, 0x28}, {0xa1, 2},    {0xa1, 1}, {0xa1, 0xff}};
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        (void)guest_do(g, 0, AGENT_OUT, writes[i][0], 1, writes[i][1], 0);
    (void)guest_do(g, 0, AGENT_OUT, 0x21, 1, mask, 0);
    irq_lapic(g, APIC_LVT_LINT0, APIC_DM_EXTINT << APIC_LVT_MODE_SHIFT);
}

static void pic_eoi(void)
{
    (void)guest_do(g, 0, AGENT_OUT, 0x20, 1, 0x20, 0);
}

static void pic_and_pit(void)
{
    open_pic(0xf7);
    CHECK_EQ(guest_do(g, 0, AGENT_IN, 0x21, 1, 0, 0) & 0xff, 0xf7);
    CHECK_EQ(irq_line(g->id, 3, 1), 1);
    CHECK_EQ(irq_line(g->id, 3, 0), 2); /* falls at both controllers */
    irq_take(g, 1, 0x23);
    pic_eoi();
    irq_take(g, 0, 0);
    irq_lapic(g, APIC_LVT_LINT0, APIC_LVT_MASKED);
    CHECK_EQ(irq_line(g->id, 3, 1), 1);
    CHECK_EQ(irq_line(g->id, 3, 0), 2); /* falls at both controllers */
    irq_take(g, 0, 0);
    irq_lapic(g, APIC_LVT_LINT0, APIC_DM_EXTINT << APIC_LVT_MODE_SHIFT); /* what waits comes now */
    irq_take(g, 1, 0x23);
    pic_eoi();
    open_pic(0xfe);
    (void)guest_do(g, 0, AGENT_OUT, 0x43, 1, 0x34, 0); /* channel 0, rate generator, 1 ms */
    (void)guest_do(g, 0, AGENT_OUT, 0x40, 1, 1193 & 0xff, 0);
    (void)guest_do(g, 0, AGENT_OUT, 0x40, 1, 1193 >> 8, 0);
    for (unsigned i = 0; i < 5; i++) {
        irq_take(g, 1, 0x20);
        pic_eoi();
    }
    (void)guest_do(g, 0, AGENT_OUT, 0x21, 1, 0xff, 0);
    irq_redirect(g, 2, 0x48); /* the same timer at the I/O APIC */
    for (unsigned i = 0; i < 5; i++) {
        irq_take(g, 1, 0x48);
        irq_eoi(g);
    }
    irq_redirect(g, 2, IOAPIC_RTE_MASKED);
    drain();
    /* The watchdog of old: ticks as NMIs, besides the one that ends take. */
    uint64_t nmis = guest_box(g, 0)->nmis;
    irq_lapic(g, APIC_LVT_LINT0, APIC_DM_NMI << APIC_LVT_MODE_SHIFT);
    irq_take(g, 0, 0);
    CHECK(guest_box(g, 0)->nmis >= nmis + 2);
    irq_lapic(g, APIC_LVT_LINT0, APIC_LVT_MASKED);
    (void)guest_do(g, 0, AGENT_OUT, 0x43, 1, 0x30, 0); /* one-shot without a count: quiet */
}

static void records(void)
{
    static union {
        struct hv_pic pic;
        struct hv_pit pit;
        struct hv_ioapic io;
    } a, b;
    static const struct {
        enum hv_irqchip_state kind;
        uint32_t size;
    } kinds[] = {{HV_IRQCHIP_STATE_PIC, sizeof(struct hv_pic)},
                 {HV_IRQCHIP_STATE_PIT, sizeof(struct hv_pit)},
                 {HV_IRQCHIP_STATE_IOAPIC, HV_IOAPIC_SIZE(24)}};
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(irq_chip_get(g->id, kinds[i].kind, &a, kinds[i].size), 0);
        CHECK_EQ(irq_chip_set(g->id, kinds[i].kind, &a, kinds[i].size), 0);
        CHECK_EQ(irq_chip_get(g->id, kinds[i].kind, &b, kinds[i].size), 0);
        if (kinds[i].kind != HV_IRQCHIP_STATE_PIT) /* time goes on */
            CHECK(!memcmp(&a, &b, kinds[i].size));
        CHECK_EQ(irq_chip_get(g->id, kinds[i].kind, &a, kinds[i].size - 1), LINE(HV_EINVAL));
        CHECK_EQ(irq_chip_set(g->id, kinds[i].kind, &a, kinds[i].size + 8), LINE(HV_EINVAL));
        for (size_t at = 0; at < 8; at += 4) { /* size, version */
            memcpy(&b, &a, kinds[i].size);
            ((uint8_t *)&b)[at] ^= 0x80;
            CHECK_EQ(irq_chip_set(g->id, kinds[i].kind, &b, kinds[i].size), LINE(HV_EINVAL));
        }
    }
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_IOAPIC + 1, &a, HV_IOAPIC_SIZE(24)), LINE(HV_ENODEV));
    /* A line that a record asserts is delivered. */
    irq_redirect(g, 22, 0x59 | IOAPIC_RTE_LEVEL | IOAPIC_RTE_MASKED);
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_IOAPIC, &a, HV_IOAPIC_SIZE(24)), 0);
    a.io.pin[22].sources = 1;
    a.io.pin[22].rte &= ~IOAPIC_RTE_MASKED;
    CHECK_EQ(irq_chip_set(g->id, HV_IRQCHIP_STATE_IOAPIC, &a, HV_IOAPIC_SIZE(24)), 0);
    irq_take(g, 1, 0x59);
    a.io.pin[22].sources = 0;
    CHECK_EQ(irq_chip_set(g->id, HV_IRQCHIP_STATE_IOAPIC, &a, HV_IOAPIC_SIZE(24)), 0);
    irq_eoi(g);
    irq_take(g, 0, 0);
}

static void granted(void)
{
    struct guest *other = guest_slot(1);
    guest_start(other, "signals", 1);
    uint64_t n = (uint64_t)irq_notifier_gsi(g->id, 5), arg[6] = {n};
    uint64_t rax = (uint64_t)HV_CALL_MAGIC << 32 | HV_CALL_NOTIFIER_SIGNAL;
    CHECK_EQ(guest_call(other, 0, rax, arg), LINE(HV_EPERM));
    CHECK_EQ(irq_notifier_grant(n, other->id, 1), 0);
    CHECK_EQ(guest_call(other, 0, rax, arg), 1);
    irq_take(g, 1, 0x70);
    irq_eoi(g);
    struct hv_notifier_info info;
    CHECK_EQ(irq_notifier_info(n, &info), 0);
    CHECK_EQ(info.signals, 1);
    CHECK_EQ(info.may_signal[0], 1ULL << other->id);
    CHECK_EQ(info.bind.gsi, 5);
    CHECK_EQ(irq_notifier_grant(n, other->id, 0), 0);
    CHECK_EQ(guest_call(other, 0, rax, arg), LINE(HV_EPERM));
    CHECK_EQ(irq_notifier_grant(n, other->id, 1), 0);
    CHECK_EQ(guest_destroy(other), 0); /* who comes next with its number may not */
    CHECK_EQ(irq_notifier_info(n, &info), 0);
    CHECK_EQ(info.may_signal[0], 0);
    uint64_t list[4];
    CHECK_EQ(irq_notifier_list(0, list, 4), 1);
    CHECK_EQ(list[0], n);
    CHECK_EQ(irq_notifier_list(n, list, 4), 0);
    CHECK_EQ(irq_notifier_close(n), 0);
}

static void configuration(void)
{
    struct hv_domain_create c = {.max_vcpus = 1, .flags = HV_DOMAIN_IRQCHIP_FULL, .name = "config"};
    struct hv_irqchip_config k = {.gsis = HV_GSI_MAX,
                                  .ioapics = 3,
                                  .ioapic = {{0xfec00000, 96, 0}, {0xfec01000, 24, 0}, {0xfec08000, 1, 0}}};
    uint32_t d = (uint32_t)call_domain_create(&c), gsi = 100;
    struct hv_route back[8];
    CHECK_EQ(irq_config(d, &k), 0);
    CHECK_EQ(irq_route_get(d, &gsi, back, 6), 2);
    CHECK_EQ(back[0].irqchip.chip, HV_CHIP_IOAPIC + 1);
    CHECK_EQ(back[0].irqchip.pin, 4);
    CHECK_EQ(irq_route_pin(d, HV_GSI_MAX - 1, HV_CHIP_IOAPIC + 2, 0), 0);
    CHECK_EQ(irq_line(d, HV_GSI_MAX - 1, 1), LINE(HV_ENXIO));
    CHECK_EQ(irq_line(d, HV_GSI_MAX, 1), LINE(HV_EINVAL));
    for (unsigned i = 0; i < 9; i++) {
        struct hv_irqchip_config bad = k;
        *(i == 0   ? &bad.gsis
          : i == 1 ? &bad.flags
          : i == 2 ? &bad.ioapics
          : i == 3 ? &bad.ioapic[0].pins
          : i == 4 ? &bad.ioapic[1].reserved
          : i == 5 ? (uint32_t *)&bad.ioapic[1].base
          : i == 6 ? (uint32_t *)&bad.ioapic[2].base
          : i == 7 ? &bad.gsis
                   : &bad.ioapics) =
            (const uint32_t[]){0, 1, 4, 97, 1, 0xfec01008, 0xfec01000, HV_GSI_MAX + 1, 2}[i];
        CHECK_CASE(irq_config(d, &bad), -HV_EINVAL, "configuration %u", i);
    }
    CHECK_EQ(irq_line(d, HV_GSI_MAX - 1, 1), LINE(HV_ENXIO)); /* nothing has changed */
    CHECK_EQ(hv_vcpu_create(d, 0, lab_pages(1, PAGE)), 0);
    CHECK_EQ(irq_config(d, &k), LINE(HV_EBUSY));
    CHECK_EQ(hv_domain_destroy(d), 0);
    c.flags = HV_DOMAIN_IRQCHIP_SPLIT;
    d = (uint32_t)call_domain_create(&c);
    CHECK_EQ(irq_config(d, &k), LINE(HV_EINVAL));
    CHECK_EQ(irq_route_pin(d, 3, HV_CHIP_IOAPIC, 3), LINE(HV_ENODEV));
    CHECK_EQ(irq_route_message(d, 3, MSI_BASE, 0x8031), 0);
    CHECK_EQ(hv_domain_destroy(d), 0);
}

/*
 * Signals without a pause while routes move and notifiers come and go: what is counted adds up, and nothing
 * is lost for good.
 */
static void storm(void)
{
    uint64_t rounds = lab_argument("rounds", 2000), sent = 0, fresh = 0;
    struct mailbox *box = guest_box(g, 0);
    struct hv_route_stats before, after;
    CHECK_EQ(irq_route_message(g->id, 8, MSI_BASE, 0xe0), 0);
    CHECK_EQ(irq_route_stats(g->id, 8, &before), 0);
    irq_lapic(g, APIC_SVR, 0x1ff);
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t n = (uint64_t)irq_notifier_gsi(g->id, 8);
        for (unsigned k = 0; k < 3; k++, sent++)
            fresh += irq_notifier_signal(n) == 1;
        CHECK_EQ(irq_route_message(g->id, 8, MSI_BASE, i % 2 ? 0xe0 : 0xd0), 0);
        sent++;
        fresh += irq_notifier_signal(n) == 1;
        CHECK_EQ(irq_notifier_close(n), 0);
        CHECK_EQ(irq_notifier_signal(n), LINE(HV_ENOENT));
    }
    CHECK_EQ(irq_route_stats(g->id, 8, &after), 0);
    CHECK_EQ(after.fired - before.fired, sent);
    CHECK_EQ(after.delivered - before.delivered, fresh);
    CHECK_EQ(after.coalesced - before.coalesced, sent - fresh);
    CHECK_EQ(after.masked, before.masked);
    uint64_t taken = box->interrupts;
    irq_take(g, 1, 0xe0);
    irq_eoi(g);
    irq_take(g, 1, 0xd0);
    irq_eoi(g);
    CHECK_EQ(box->interrupts - taken, fresh); /* nobody took any in between */
}

void test_irq(void)
{
    g = guest_slot(0);
    g->flags = HV_DOMAIN_IRQCHIP_FULL;
    CHECK_EQ(irq_notifier_close((uint64_t)irq_notifier_notify(0, NUMBER(0))),
             0); /* what the manager has from now on */
    guest_start(g, "first", 1);
    CHECK_EQ(guest_destroy(g), 0);
    struct audit audit = lab_audit();
    configuration();
    guest_start(g, "irq", 1);
    messages();
    edge_lines();
    resampling();
    doorbells();
    pic_and_pit();
    records();
    routes();
    granted();
    storm();
    irq_ring_and_close(g);
    irq_init_of_first(g);
    CHECK_EQ(guest_destroy(g), 0);
    g->flags = 0;
    lab_audit_check(&audit, "irq");
}
