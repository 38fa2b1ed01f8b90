/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts that are counted exactly while everything moves. Who sends adds one to a box, one for each vCPU and
 * vector, and then sends; the agent's handler empties the box of its vector. Sends that meet in a box are the ones
 * that were coalesced. When all is quiet every box is empty and what was taken out is what was put in: else an
 * interrupt was lost.
 *
 *   storm   two vCPUs are paused, moved between CPUs, given other priorities, and the route moves between them
 *   save    the domain is stopped again and again, all its state is read, written into a new domain on the same
 *           memory, and the old one destroyed: requests, posted ones, what is in service, timers and lines go on
 */
#include <string.h>

#include "guest_abi/apic.h"
#include "guest_abi/irqchip.h"
#include "mgmt/lib/irq.h"
#include "tests/manager/lab.h"

#define MSI_BASE  0xfee00000U
#define VCPUS     2U
#define QUIET_MS  3000U
#define EDGES     0x40U /* 16 vectors */
#define ROUTED    0x58U
#define LEVEL     0xc1U
#define TIMER     0xd0U
#define PIT       0xd8U
#define LEVEL_PIN 21U
#define EDGE      0xc8U
#define EDGE_PIN  20U
#define GSI       40U
#define ALL       (HV_MEM_WRITE | HV_MEM_EXEC)

struct boxes {
    uint64_t waiting[256], taken[256];
};
_Static_assert(sizeof(struct boxes) == PAGE, "agent_entry.S");

static struct guest *g;
static uint64_t sent[VCPUS];
static uint32_t xsave_size;
static bool up; /* the level line */

static struct boxes *boxes(uint32_t vcpu)
{
    return (struct boxes *)(void *)(guest_scratch(g) + vcpu * PAGE);
}

static void put(uint32_t vcpu, uint32_t vector)
{
    __atomic_fetch_add(&boxes(vcpu)->waiting[vector], 1, __ATOMIC_SEQ_CST);
    sent[vcpu]++;
}

static void message(void)
{
    uint32_t vcpu = (uint32_t)lab_random(VCPUS), vector = EDGES + (uint32_t)lab_random(16);
    put(vcpu, vector);
    CHECK(irq_message(g->id, MSI_BASE | vcpu << 12, vector) >= 0);
}

/*
 * The line is up from a put to the time when the guest has taken it, and falls then. While it is up it comes again
 * after each EOI, and nothing below it comes.
 */
static void level(void)
{
    if (!up) {
        put(0, LEVEL);
        CHECK(irq_line(g->id, LEVEL_PIN, 1) >= 0);
        up = true;
    } else if (!__atomic_load_n(&boxes(0)->waiting[LEVEL], __ATOMIC_SEQ_CST)) {
        CHECK(irq_line(g->id, LEVEL_PIN, 0) >= 0);
        up = false;
    }
}

/* A pulse of a line that is an edge. */
static void pulse(void)
{
    put(0, EDGE);
    CHECK(irq_line(g->id, EDGE_PIN, 1) >= 0);
    CHECK(irq_line(g->id, EDGE_PIN, 0) >= 0);
}

static bool all_empty(void)
{
    for (uint32_t v = 0; v < VCPUS; v++)
        for (uint32_t i = 0; i < 256; i++)
            if (__atomic_load_n(&boxes(v)->waiting[i], __ATOMIC_SEQ_CST))
                return false;
    return true;
}

static void check_boxes(const char *when)
{
    for (uint64_t ms = 0; ms < QUIET_MS && (up || !all_empty()); ms++) {
        if (up)
            level();
        lab_sleep(1);
    }
    for (uint32_t v = 0; v < VCPUS; v++) {
        uint64_t taken = 0;
        for (uint32_t i = 0; i < 256; i++) {
            CHECK_CASE(boxes(v)->waiting[i], 0, "%s: vCPU %u, vector %#x never came", when, v, i);
            taken += boxes(v)->taken[i];
        }
        CHECK_CASE(taken, sent[v], "%s: vCPU %u: taken, not sent", when, v);
    }
}

static void redirect(uint32_t pin, uint32_t low)
{
    for (uint32_t half = 2; half-- > 0;) {
        (void)guest_do(g, 0, AGENT_WRITE, AGENT_IOAPIC, 4, IOAPIC_REDTBL + 2 * pin + half, 0);
        (void)guest_do(g, 0, AGENT_WRITE, AGENT_IOAPIC + IOAPIC_IOWIN, 4, half ? 0 : low, 0);
    }
}

static void lapic(uint32_t vcpu, uint32_t reg, uint32_t value)
{
    (void)guest_do(g, vcpu, AGENT_WRITE, AGENT_LAPIC + reg, 4, value, 0);
}

/* Both vCPUs take interrupts from now on: their timers', the PIT's, and ours. */
static void start(const char *name)
{
    static struct hv_lapic record;
    g = guest_slot(0);
    g->flags = HV_DOMAIN_IRQCHIP_FULL;
    g->shared = true;
    CHECK_EQ(guest_build(g, name, VCPUS), 0);
    /* As after a start-up IPI: the manager has set the registers. */
    CHECK_EQ(call_vcpu_get(g->id, 1, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    CHECK_EQ(record.events, HV_LAPIC_WAIT);
    record.events = 0;
    CHECK_EQ(call_vcpu_set(g->id, 1, HV_STATE_LAPIC, &record, sizeof(record)), 0);
    memset(sent, 0, sizeof(sent));
    memset(boxes(0), 0, VCPUS * PAGE);
    for (uint32_t v = 0; v < VCPUS; v++)
        CHECK_EQ(hv_vcpu_start(g->id, v), 0);
    for (uint32_t v = 0; v < VCPUS; v++) {
        guest_done(g, v);
        guest_box(g, v)->boxes = AGENT_SCRATCH + v * PAGE;
        lapic(v, APIC_SVR, 0x1ff);
        lapic(v, APIC_TDCR, 0xb);
        lapic(v, APIC_LVT_TIMER, APIC_TIMER_PERIODIC | TIMER);
        lapic(v, APIC_TMICT, 40000);
    }
    redirect(2, PIT);
    redirect(LEVEL_PIN, LEVEL | IOAPIC_RTE_LEVEL);
    redirect(EDGE_PIN, EDGE);
    (void)guest_do(g, 0, AGENT_OUT, 0x43, 1, 0x34, 0); /* channel 0, rate generator, 2 ms */
    (void)guest_do(g, 0, AGENT_OUT, 0x40, 1, 2386 & 0xff, 0);
    (void)guest_do(g, 0, AGENT_OUT, 0x40, 1, 2386 >> 8, 0);
    for (uint32_t v = 0; v < VCPUS; v++)
        guest_go(g, v, AGENT_HLT, 1, 0, 0, 0);
    /* A service is finished when its vCPU runs again: records of before would do it once more. */
    for (uint32_t v = 0; v < VCPUS; v++)
        for (unsigned ms = 0; !guest_box(g, v)->interrupts && ms < QUIET_MS; ms++)
            lab_sleep(1);
}

static void finish(void)
{
    check_boxes("at the end");
    uint64_t ticks = guest_box(g, 0)->interrupts;
    lab_sleep(20);
    CHECK(guest_box(g, 0)->interrupts > ticks); /* the timers go on */
    for (uint32_t v = 0; v < VCPUS; v++) {
        guest_box(g, v)->stop = 1;
        CHECK_EQ(hv_vcpu_inject(g->id, v, HV_INJECT_NMI, 0, 0), 0);
        guest_done(g, v);
        guest_box(g, v)->boxes = 0;
    }
    CHECK_EQ(guest_destroy(g), 0);
    g->flags = 0;
    g->shared = false;
}

void test_storm(void)
{
    uint64_t rounds = lab_argument("rounds", 3000), all_cpus = (1ULL << lab_cpus()) - 1;
    uint32_t target = 0;
    start("storm");
    uint64_t n = (uint64_t)irq_notifier_gsi(g->id, GSI);
    CHECK_EQ(irq_route_message(g->id, GSI, MSI_BASE, ROUTED), 0);
    for (uint64_t i = 0; i < rounds; i++) {
        uint32_t vcpu = (uint32_t)lab_random(VCPUS);
        for (unsigned k = 0; k < 8; k++)
            message();
        put(target, ROUTED);
        CHECK(irq_notifier_signal(n) >= 0);
        pulse();
        switch (lab_random(8)) {
        case 0:
            CHECK_EQ(call_domain_pause(g->id), 0);
            message();
            CHECK_EQ(call_domain_resume(g->id), 0);
            break;
        case 1:
            CHECK_EQ(call_vcpu_affinity(g->id, vcpu, 1 + lab_random(all_cpus)), 0);
            break;
        case 2:
            CHECK_EQ(call_vcpu_priority(g->id, vcpu, 100 + (uint32_t)lab_random(28), 0), 0);
            break;
        case 3: /* from when it returns, nothing to the old one */
            target = 1 - target;
            CHECK_EQ(irq_route_message(g->id, GSI, MSI_BASE | target << 12, ROUTED), 0);
            break;
        case 4:
            level();
            break;
        default:
            break;
        }
        if (i % 500 == 499)
            check_boxes("on the way");
    }
    CHECK_EQ(irq_notifier_close(n), 0);
    finish();
}

/* ---- save and restore */

static struct {
    struct hv_regs regs;
    struct hv_sregs sregs;
    struct hv_msrs msrs;
    struct hv_events events;
    struct hv_lapic lapic;
    uint8_t xsave[PAGE];
} cpu[VCPUS];
static struct hv_ioapic io;
static struct hv_pic pic;
static struct hv_pit pit;

static void each_record(uint32_t domain, bool set)
{
    for (uint32_t v = 0; v < VCPUS; v++) {
        const struct {
            enum hv_state_kind kind;
            void *at;
            size_t size;
        } rows[] = {{HV_STATE_SREGS, &cpu[v].sregs, sizeof(cpu[v].sregs)},
                    {HV_STATE_REGS, &cpu[v].regs, sizeof(cpu[v].regs)},
                    {HV_STATE_MSRS, &cpu[v].msrs, sizeof(cpu[v].msrs)},
                    {HV_STATE_XSAVE, cpu[v].xsave, xsave_size},
                    {HV_STATE_LAPIC, &cpu[v].lapic, sizeof(cpu[v].lapic)},
                    {HV_STATE_EVENTS, &cpu[v].events, sizeof(cpu[v].events)}};
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            CHECK_CASE((set ? call_vcpu_set(domain, v, rows[i].kind, rows[i].at, rows[i].size)
                            : call_vcpu_get(domain, v, rows[i].kind, rows[i].at, rows[i].size)),
                       0, "%s record %u of vCPU %u", set ? "set" : "get", rows[i].kind, v);
    }
    CHECK_EQ((set ? irq_chip_set(domain, HV_IRQCHIP_STATE_PIC, &pic, sizeof(pic))
                  : irq_chip_get(domain, HV_IRQCHIP_STATE_PIC, &pic, sizeof(pic))),
             0);
    CHECK_EQ((set ? irq_chip_set(domain, HV_IRQCHIP_STATE_PIT, &pit, sizeof(pit))
                  : irq_chip_get(domain, HV_IRQCHIP_STATE_PIT, &pit, sizeof(pit))),
             0);
    CHECK_EQ((set ? irq_chip_set(domain, HV_IRQCHIP_STATE_IOAPIC, &io, HV_IOAPIC_SIZE(24))
                  : irq_chip_get(domain, HV_IRQCHIP_STATE_IOAPIC, &io, HV_IOAPIC_SIZE(24))),
             0);
}

/* A new domain on the same memory, its vCPUs stopped. The slots take turns with their service pages. */
static void succeed(uint32_t turn)
{
    struct hv_domain_create c = {.max_vcpus = AGENT_VCPUS, .flags = HV_DOMAIN_IRQCHIP_FULL, .name = "heir"};
    uint32_t old = g->id;
    each_record(old, false);
    g->id = (uint32_t)call_domain_create(&c);
    g->service = guest_slot(1 + turn % 2)->service;
    CHECK_EQ(call_mem_share(g->id, g->memory, 0, AGENT_PAGES + VCPUS, ALL), AGENT_PAGES + VCPUS);
    CHECK_EQ(call_mem_share(g->id, g->mailbox, AGENT_MAILBOX, VCPUS, HV_MEM_WRITE), VCPUS);
    CHECK_EQ(call_mem_share(g->id, g->mailbox + AGENT_VCPUS * PAGE, AGENT_SCRATCH, AGENT_SCRATCH_PAGES,
                            HV_MEM_WRITE),
             AGENT_SCRATCH_PAGES);
    CHECK_EQ(call_domain_claim(g->id, HV_CLAIM_PIO, AGENT_DONE, 1), 0);
    for (uint32_t v = 0; v < VCPUS; v++) {
        (void)lab_notified(HV_NOTIFY_VCPU(g->id, v));
        guest_service(g, v)->kind = HV_EXIT_NONE;
        CHECK_EQ(call_vcpu_create(g->id, v, g->service + v * PAGE), 0);
    }
    each_record(g->id, true);
    CHECK_EQ(call_domain_destroy(old), 0);
    for (uint32_t v = 0; v < VCPUS; v++)
        CHECK_EQ(hv_vcpu_start(g->id, v), 0);
}

void test_save(void)
{
    static uint8_t probe[PAGE];
    uint32_t rounds = (uint32_t)lab_argument("rounds", 60);
    start("save");
    gpa_t service = g->service;
    for (uint32_t size = 64 + 512; size <= PAGE && !xsave_size; size += 8)
        if (!call_vcpu_get(g->id, 0, HV_STATE_XSAVE, probe, size))
            xsave_size = size;
    for (uint32_t i = 0; i < rounds; i++) {
        for (uint64_t k = lab_random(20); k > 0; k--)
            message();
        pulse();
        level();
        if (lab_random(2))
            lab_sleep(1);
        CHECK_EQ(call_domain_pause(g->id), 0);
        message(); /* posted to a vCPU that is held */
        message();
        succeed(i);
    }
    finish();
    g->service = service;
}
