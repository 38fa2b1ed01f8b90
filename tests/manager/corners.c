/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts in corners where one was lost, came too often, or stopped the machine: state that is read while something is posted,
 * a line that was put off when nobody takes it, vCPUs that are made while ticks come, a window that two wait for, INIT, destinations
 * that get a name late, doorbells of closed notifiers.
 */
#include <string.h>

#include "guest_abi/apic.h"
#include "guest_abi/irqchip.h"
#include "mgmt/lib/irq.h"
#include "tests/manager/lab.h"

#define MSI_BASE 0xfee00000U
#define TAKE_MS  2000U
#define PIN      20U

static struct guest *g;

static void lapic(uint32_t reg, uint32_t value)
{
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_LAPIC + reg, 4, value, 0);
}

static void redirect(uint32_t low, uint32_t destination)
{
    for (uint32_t half = 2; half-- > 0;) {
        (void)guest_do(g, 0, AGENT_WRITE, AGENT_IOAPIC, 4, IOAPIC_REDTBL + 2 * PIN + half, 0);
        (void)guest_do(g, 0, AGENT_WRITE, AGENT_IOAPIC + IOAPIC_IOWIN, 4, half ? destination << 24 : low, 0);
    }
}

/* What the agent takes from now on until it is told to stop. */
static uint64_t before;

static void begin(enum agent_command command)
{
    before = guest_box(g, 0)->interrupts;
    guest_go(g, 0, command, 1, 0, 0, 0);
}

static void ends_with(uint32_t count, uint32_t vector)
{
    struct mailbox *box = guest_box(g, 0);
    for (uint32_t left = TAKE_MS; box->interrupts - before < count && left; left--)
        lab_sleep(1);
    lab_sleep(1);
    CHECK_CASE(box->interrupts - before, count, "interrupts, the last %#llx",
               (unsigned long long)box->last_interrupt);
    if (count)
        CHECK_EQ(box->last_interrupt, vector);
    box->stop = 1;
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
    guest_done(g, 0);
}

/* A message is posted while the vCPU cannot run, and its state is read then. */
static void read_while_posted(void)
{
    static struct hv_lapic record;
    for (unsigned i = 0; i < 6; i++) {
        begin(i & 1 ? AGENT_EOIS : AGENT_HLT);
        lab_sleep(1);
        CHECK_EQ(hv_domain_pause(g->id), 0);
        CHECK_EQ(irq_message(g->id, MSI_BASE, 0x41), 1);
        CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_LAPIC, &record, sizeof(record)), 0);
        CHECK_EQ(record.regs[APIC_IRR / 4 + 8], 2);
        CHECK_EQ(irq_message(g->id, MSI_BASE, 0x31), 1);
        CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_LAPIC, &record, sizeof(record)), 0);
        CHECK_EQ(call_domain_resume(g->id), 0);
        ends_with(i & 1 ? 2 : 1, i & 1 ? 0x31 : 0x41);
        lapic(APIC_EOI, 0);
        if (i & 1)
            continue;
        begin(AGENT_HLT);
        ends_with(1, 0x31);
        lapic(APIC_EOI, 0);
    }
}

/* The storm guard lets a pin go on, and there is no such APIC: that is looked at once. */
static void put_off_for_nobody(void)
{
    static struct hv_ioapic io;
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_IOAPIC, &io, HV_IOAPIC_SIZE(24)), 0);
    io.pin[PIN] = (struct hv_ioapic_pin){
        .rte = 5ULL << IOAPIC_RTE_DEST_SHIFT | IOAPIC_RTE_LEVEL | 0x57, .sources = 1, .put_off = lab_ms()};
    CHECK_EQ(irq_chip_set(g->id, HV_IRQCHIP_STATE_IOAPIC, &io, HV_IOAPIC_SIZE(24)), 0);
    lab_sleep(5);
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_IOAPIC, &io, HV_IOAPIC_SIZE(24)), 0);
    CHECK_EQ(io.pin[PIN].put_off, 0);
    CHECK(!(io.pin[PIN].rte & IOAPIC_RTE_REMOTE_IRR));
    redirect(IOAPIC_RTE_LEVEL | 0x57, 0); /* it waits for whoever takes it */
    begin(AGENT_HLT);
    ends_with(1, 0x57);
    CHECK_EQ(irq_line(g->id, PIN, 0), 1);
    lapic(APIC_EOI, 0);
    redirect(IOAPIC_RTE_MASKED, 0);
}

/* An edge waits for a logical destination that nobody has yet. */
static void named_late(void)
{
    redirect(IOAPIC_RTE_LOGICAL | 0x5b, 4);
    CHECK_EQ(irq_line(g->id, PIN, 1), -HV_ENXIO);
    CHECK_EQ(irq_line(g->id, PIN, 0), 1);
    lapic(APIC_LDR, 4U << 24);
    begin(AGENT_HLT);
    ends_with(1, 0x5b);
    lapic(APIC_EOI, 0);
    redirect(IOAPIC_RTE_MASKED, 0);
}

static void nmi_of_a_record(void)
{
    static struct hv_lapic record;
    uint64_t nmis = guest_box(g, 0)->nmis;
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    record.events |= HV_LAPIC_NMI;
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    (void)guest_do(g, 0, AGENT_NOP, 0, 0, 0, 0);
    CHECK_EQ(guest_box(g, 0)->nmis, nmis + 1);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    CHECK_EQ(record.events, 0);
}

/* A deadline, and a count, while the manager puts the guest's clock back and forward. */
static void clock_that_moves(void)
{
    static struct hv_msrs msrs;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t now = guest_do(g, 0, AGENT_TSC, 0, 0, 0, 0), by = (i & 1 ? 3 : -3ULL) * lab_ms();
        lapic(APIC_LVT_TIMER, (i & 2 ? APIC_TIMER_ONE_SHOT : APIC_TIMER_DEADLINE) | 0x61);
        lapic(APIC_TDCR, 0xb);
        if (i & 2)
            lapic(APIC_TMICT, (uint32_t)(5 * lab_ms()));
        else
            (void)guest_do(g, 0, AGENT_WRMSR, 0x6e0, now + 5 * lab_ms(), 0, 0);
        CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_MSRS, &msrs, sizeof(msrs)), 0);
        msrs.tsc += by;
        CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_MSRS, &msrs, sizeof(msrs)), 0);
        begin(AGENT_HLT);
        ends_with(1, 0x61);
        lapic(APIC_EOI, 0);
    }
}

static void bell_of_a_closed_notifier(void)
{
    uint64_t n = (uint64_t)irq_notifier_notify(0, HV_NOTIFY_OWN + 1),
             m = (uint64_t)irq_notifier_notify(0, HV_NOTIFY_OWN + 2);
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_PIO, 0x510, 2, NULL, n), 0);
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_PIO, 0x510, 2, NULL, m), -HV_EEXIST);
    CHECK_EQ(irq_notifier_close(n), 0);
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_PIO, 0x510, 2, NULL, m), 0);
    (void)guest_do(g, 0, AGENT_OUT, 0x510, 2, 7, 0);
    CHECK_EQ(irq_notifier_read(m), 1);
    CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_PIO, 0x510, 2, NULL, n), -HV_ENOENT);
    CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_PIO, 0x510, 2, NULL, m), 0);
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_MMIO, IOAPIC_DEFAULT, 4, NULL, m), 0); /* before the device */
    CHECK_EQ(irq_doorbell_add(g->id, HV_CLAIM_PIO, PIT_PORT61, 1, NULL, m), 0);
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_IOAPIC, 4, 1, 0);
    (void)guest_do(g, 0, AGENT_OUT, PIT_PORT61, 1, 0, 0);
    CHECK_EQ(irq_notifier_read(m), 2);
    CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_MMIO, IOAPIC_DEFAULT, 4, NULL, m), 0);
    CHECK_EQ(irq_doorbell_remove(g->id, HV_CLAIM_PIO, PIT_PORT61, 1, NULL, m), 0);
    CHECK_EQ(irq_notifier_close(m), 0);
    (void)lab_notified(HV_NOTIFY_OWN + 2);
}

/* The PIC's interrupt and a notification wait for the window; the PIC's goes away. */
static void two_at_the_window(void)
{
    static const uint16_t writes[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1}, {0x21, 0xf7}};
    const struct hv_notifier bind = {
        .size = sizeof(bind), .kind = HV_NOTIFIER_NOTIFY, .number = HV_NOTIFY_OWN};
    const uint64_t page[6] = {0, 0x90}, create[6] = {AGENT_SCRATCH};
    const uint64_t magic = (uint64_t)HV_CALL_MAGIC << 32;
    memcpy(guest_scratch(g), &bind, sizeof(bind));
    CHECK_EQ(guest_call(g, 0, magic | HV_CALL_NOTIFY_PAGE, page), 0);
    const uint64_t signal[6] = {(uint64_t)guest_call(g, 0, magic | HV_CALL_NOTIFIER_CREATE, create)};
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        (void)guest_do(g, 0, AGENT_OUT, writes[i][0], 1, writes[i][1], 0);
    lapic(APIC_LVT_LINT0, APIC_DM_EXTINT << APIC_LVT_MODE_SHIFT);
    CHECK_EQ(irq_line(g->id, 3, 1), 1);
    CHECK_EQ(guest_call(g, 0, magic | HV_CALL_NOTIFIER_SIGNAL, signal), 1);
    lapic(APIC_LVT_LINT0, APIC_LVT_MASKED);
    begin(AGENT_EOIS);
    ends_with(1, 0x90);
    CHECK_EQ(irq_line(g->id, 3, 0), 2);
}

/* What was posted before an INIT has not come after it. */
static void posted_before_init(void)
{
    static struct hv_lapic record;
    CHECK_EQ(irq_message(g->id, MSI_BASE, 0x41), 1);
    CHECK_EQ(irq_message(g->id, MSI_BASE, APIC_DM_INIT << 8), 1);
    CHECK_EQ(guest_complete(g, 0), 0);
    guest_dead(g); /* there is no memory at the reset vector */
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(record.regs[APIC_IRR / 4 + 4 * i], 0);
    CHECK_EQ(record.regs[APIC_SVR / 4], 0xff);
}

/* Each tick looks at all local APICs of the domain, on another CPU than the one that makes them. */
static void made_while_ticks_come(void)
{
    static const uint16_t writes[][2] = {{0x43, 0x34}, {0x40, 239}, {0x40, 0}};
    for (unsigned round = 0; round < lab_argument("rounds", 10); round++) {
        guest_start(g, "ticks", 1);
        CHECK_EQ(call_vcpu_affinity(g->id, 0, 1ULL << (lab_cpus() - 1)), 0);
        for (size_t i = 0; i < 3; i++)
            (void)guest_do(g, 0, AGENT_OUT, writes[i][0], 1, writes[i][1], 0);
        for (uint32_t v = 1; v < AGENT_VCPUS; v++)
            CHECK_EQ(call_vcpu_create(g->id, v, g->service + v * PAGE), 0);
        CHECK_EQ(guest_destroy(g), 0);
    }
}

/*
 * All others send to vCPU `to` as fast as they can: its CPU goes on to take the machine's interrupts, else this program, which
 * runs there, is not woken. icr 0: each its own vector; INITs leave the target waiting.
 */
static void flood(uint32_t to, uint32_t icr)
{
    uint32_t vcpus = lab_cpus() < AGENT_VCPUS ? lab_cpus() : AGENT_VCPUS;
    if (to >= vcpus)
        return;
    static struct hv_lapic record;
    CHECK_EQ(guest_build(g, "flood", vcpus), 0);
    for (uint32_t v = 0; v < vcpus; v++) {
        CHECK_EQ(call_vcpu_get(g->id, v, HV_STATE_LAPIC, &record, sizeof(record)), 0);
        record.events = 0; /* it does not wait for a start-up IPI */
        CHECK_EQ(call_vcpu_set(g->id, v, HV_STATE_LAPIC, &record, sizeof(record)), 0);
        CHECK_EQ(hv_vcpu_start(g->id, v), 0);
        guest_done(g, v);
        CHECK_EQ(call_vcpu_affinity(g->id, v, 1ULL << (v == to ? 0 : v < to ? v + 1 : v)), 0);
        (void)guest_do(g, v, AGENT_WRITE, AGENT_LAPIC + APIC_SVR, 4, 0x1ff, 0);
    }
    guest_go(g, to, AGENT_EOIS, 0, 0, 0, 0);
    for (uint32_t v = 0; v < vcpus; v++)
        if (v != to)
            guest_go(g, v, AGENT_IPIS, icr ? icr : 0x40 + 16 * v, to, 0, 0);
    lab_sleep(20);
    for (uint32_t v = 0; v < vcpus; v++)
        guest_box(g, v)->stop = 1;
    for (uint32_t v = 0; v < vcpus; v++) {
        if (v == to && icr)
            continue;
        guest_done(g, v);
        CHECK(v == to || guest_box(g, v)->counter > 20);
    }
    if (!icr) { /* what has not been taken comes now */
        guest_go(g, to, AGENT_EOIS, 0, 0, 0, 0);
        lab_sleep(2);
        guest_box(g, to)->stop = 1;
        guest_done(g, to);
        CHECK(guest_box(g, to)->interrupts >= vcpus - 1);
    }
    CHECK_EQ(guest_destroy(g), 0);
}

void test_corners(void)
{
    g = guest_slot(0);
    g->flags = HV_DOMAIN_IRQCHIP_FULL;
    g->may = HV_MAY_DOMAINS;
    CHECK_EQ(irq_notifier_close((uint64_t)irq_notifier_notify(0, HV_NOTIFY_OWN)), 0); /* pages that stay */
    guest_start(g, "first", 1);
    CHECK_EQ(guest_destroy(g), 0);
    struct audit audit = lab_audit();
    guest_start(g, "corners", 1);
    lapic(APIC_SVR, 0x1ff);
    read_while_posted();
    put_off_for_nobody();
    named_late();
    nmi_of_a_record();
    clock_that_moves();
    bell_of_a_closed_notifier();
    two_at_the_window();
    posted_before_init();
    CHECK_EQ(guest_destroy(g), 0);
    made_while_ticks_come();
    flood(0, 0);
    flood(1, APIC_DM_INIT << APIC_ICR_MODE_SHIFT | APIC_ICR_ASSERT);
    lab_audit_check(&audit, "corners");
}
