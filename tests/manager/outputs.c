/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Outputs that routes lead to, in the service page of a vCPU without a local APIC: levels and edges, of lines, notifiers and
 * the PIT. Every change is told before the guest goes on, awake or in HLT; a level that stays is told once; nothing that the
 * manager writes into the page counts. Wrong would be: a change that is never told, a service without end, a guest that
 * sleeps on.
 */
#include <string.h>

#include "guest_abi/irqchip.h"
#include "mgmt/lib/irq.h"
#include "tests/manager/lab.h"

#define NUMBER(n)    (HV_NOTIFY_OWN + (n))
#define BIT_OF(n)    (1ULL << (n))
#define ERROR(name)  -(uint64_t)(name)
#define LEVEL        40U /* a GSI and the number of its output */
#define EDGE         41U
#define PIT_NUMBER   5U
#define HALTED_READY (HV_SERVICE_HALTED | HV_SERVICE_IF | HV_SERVICE_READY)

static struct guest *g;
static uint64_t edges; /* told so far */

static int64_t route(uint32_t gsi, uint32_t vcpu, uint32_t number, uint32_t edge)
{
    const struct hv_route r = {
        .gsi = gsi, .kind = HV_ROUTE_OUTPUT, .output = {.vcpu = vcpu, .number = number, .edge = edge}};
    return irq_route_set(g->id, gsi, &r, 1);
}

static void outputs_are(uint64_t level, uint64_t more)
{
    const struct hv_service *s = guest_service(g, 0);
    edges += more;
    CHECK_EQ(s->device_irq_level, level);
    CHECK_EQ(s->routed_edges, edges);
}

/* The next service is about outputs. Before it is answered the page is made rubbish. */
static void told(uint64_t level, uint64_t more)
{
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
    outputs_are(level, more);
    memset(guest_service(g, 0), 0xee, sizeof(struct hv_service));
    CHECK_EQ(guest_complete(g, 0), 0);
}

static bool quiet(uint64_t ms)
{
    lab_sleep(ms);
    return !lab_notified(HV_NOTIFY_VCPU(g->id, 0));
}

static void stop(uint64_t level)
{
    guest_box(g, 0)->stop = 1;
    guest_done(g, 0);
    outputs_are(level, 0);
}

static void refused(void)
{
    struct hv_domain_create c = {.max_vcpus = 1, .name = "refused"};
    static const uint32_t flags[] = {HV_DOMAIN_IRQCHIP_SPLIT | HV_DOMAIN_OUTPUTS,
                                     HV_DOMAIN_IRQCHIP_FULL | HV_DOMAIN_OUTPUTS,
                                     HV_DOMAIN_IRQCHIP_FULL | HV_DOMAIN_PIT,
                                     HV_DOMAIN_IRQCHIP_SPLIT | HV_DOMAIN_TSC_DEADLINE,
                                     HV_DOMAIN_IRQCHIP,
                                     HV_DOMAIN_IRQCHIP | HV_DOMAIN_OUTPUTS,
                                     32,
                                     32 | HV_DOMAIN_OUTPUTS,
                                     1U << 31};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        c.flags = flags[i];
        CHECK_CASE(call_domain_create(&c), -HV_EINVAL, "flags %#x", flags[i]);
    }
    g->flags = HV_DOMAIN_TSC_DEADLINE; /* none asked for */
    guest_start(g, "no outputs", 1);
    CHECK_EQ(route(LEVEL, 0, LEVEL, 0), ERROR(HV_ENODEV));
    CHECK_EQ(guest_destroy(g), 0);
    g->flags = HV_DOMAIN_OUTPUTS;
    guest_start(g, "refused", 1);
    CHECK_EQ(irq_line(g->id, 0, HV_LINE_END), ERROR(HV_ENODEV)); /* no route was ever set */
    CHECK_EQ(route(LEVEL, 1, LEVEL, 0), 0);                      /* a vCPU that may come */
    CHECK_EQ(irq_line(g->id, LEVEL, 1), ERROR(HV_ENXIO));
    CHECK_EQ(route(LEVEL, AGENT_VCPUS, LEVEL, 0), ERROR(HV_EINVAL));
    CHECK_EQ(route(LEVEL, UINT32_MAX, LEVEL, 0), ERROR(HV_EINVAL));
    CHECK_EQ(route(LEVEL, 0, 0, 0), ERROR(HV_EINVAL)); /* the timer's */
    CHECK_EQ(route(LEVEL, 0, 64, 0), ERROR(HV_EINVAL));
    CHECK_EQ(route(LEVEL, 0, LEVEL, 2), ERROR(HV_EINVAL));
    CHECK_EQ(irq_line(g->id, LEVEL, 4), ERROR(HV_EINVAL));
    CHECK_EQ(irq_line(g->id, 4096, HV_LINE_TICK), ERROR(HV_EINVAL));
    CHECK_EQ(irq_line(g->id, 4096, HV_LINE_END), ERROR(HV_EINVAL));
    CHECK_EQ(route(LEVEL, 0, 63, 1), 0);
    struct hv_route back[6];
    uint32_t gsi = LEVEL;
    CHECK_EQ(irq_route_get(g->id, &gsi, back, 5), 1);
    CHECK_EQ(back[0].output.vcpu | back[0].output.number << 8 | back[0].output.edge << 16, 63 << 8 | 1 << 16);
    CHECK_EQ(guest_destroy(g), 0);
}

/* Up, for a while, and down: two services. */
static void levels(void)
{
    struct mailbox *box = guest_box(g, 0);
    CHECK_EQ(route(LEVEL, 0, LEVEL, 0), 0);
    for (unsigned i = 0; i < 5; i++) {
        guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
        CHECK(quiet(1));
        CHECK_EQ(irq_line(g->id, LEVEL, 1), 1);
        CHECK_EQ(irq_line(g->id, LEVEL, 1), 0);
        CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
        uint64_t count = box->counter;
        outputs_are(BIT_OF(LEVEL), 0);
        CHECK(quiet(1));
        CHECK_EQ(box->counter, count);
        memset(guest_service(g, 0), 0xff, sizeof(struct hv_service));
        CHECK_EQ(guest_complete(g, 0), 0);
        CHECK(quiet(3)); /* it stays, and is not told again */
        CHECK(box->counter > count);
        CHECK_EQ(hv_vcpu_kick(g->id, 0), 0); /* but whatever service comes has it */
        CHECK_EQ(guest_wait(g, 0), HV_EXIT_KICK);
        outputs_are(BIT_OF(LEVEL), 0);
        CHECK_EQ(guest_complete(g, 0), 0);
        CHECK_EQ(irq_line(g->id, LEVEL, 0), 1);
        CHECK_EQ(irq_line(g->id, LEVEL, 0), 0);
        told(0, 0);
        CHECK(quiet(1));
        stop(0);
    }
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0,
             0); /* changes while the manager has the page are told by the next one */
    CHECK_EQ(irq_line(g->id, LEVEL, 1), 1);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
    CHECK_EQ(irq_line(g->id, LEVEL, 0), 1);
    outputs_are(BIT_OF(LEVEL), 0); /* it holds still */
    CHECK_EQ(guest_complete(g, 0), 0);
    told(0, 0);
    CHECK_EQ(call_domain_pause(g->id),
             0); /* up and down again while it does not run: one service, for the change */
    CHECK_EQ(irq_line(g->id, LEVEL, 1), 1);
    CHECK_EQ(irq_line(g->id, LEVEL, 0), 1);
    CHECK(quiet(2));
    uint64_t count = box->counter;
    CHECK_EQ(call_domain_resume(g->id), 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
    CHECK_EQ(box->counter, count);
    outputs_are(0, 0);
    CHECK_EQ(guest_complete(g, 0), 0);
    CHECK(quiet(2));
    stop(0);
}

/* In HLT, with interrupts on and off: each change ends it for the time of the service, and no longer. */
static void asleep(void)
{
    struct mailbox *box = guest_box(g, 0);
    for (unsigned on = 0; on < 2; on++) {
        uint64_t flags = on ? HALTED_READY : HV_SERVICE_HALTED, before = box->interrupts;
        guest_go(g, 0, AGENT_HLT, on, 0, 0, 0);
        guest_until(g, 0, HV_VCPU_BLOCKED);
        for (unsigned i = 0; i < 10; i++) {
            CHECK_EQ(irq_line(g->id, LEVEL, i % 2 == 0), 1);
            CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
            outputs_are(i % 2 ? 0 : BIT_OF(LEVEL), 0);
            CHECK_EQ(guest_service(g, 0)->flags, flags);
            CHECK_EQ(guest_complete(g, 0), 0);
            guest_until(g, 0, HV_VCPU_BLOCKED);
            CHECK_EQ(box->counter, 0);
        }
        CHECK_EQ(irq_line(g->id, LEVEL, 1), 1); /* what it is for: an interrupt follows */
        CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
        CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_EXTERNAL, 0x50, 0), 0);
        CHECK_EQ(guest_complete(g, 0), 0);
        for (uint64_t left = 1000; on && left && box->interrupts == before; left--)
            lab_sleep(1);
        CHECK_EQ(box->interrupts, before + on);
        CHECK_EQ(irq_line(g->id, LEVEL, 0), 1);
        told(0, 0);
        box->stop = 1;
        CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
        guest_done(g, 0);
        guest_go(g, 0, AGENT_HLT, 1, 0, 0, 0); /* one that waited is taken */
        lab_sleep(2);
        CHECK_EQ(box->interrupts, before + 1);
        box->stop = 1;
        CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
        guest_done(g, 0);
    }
}

/* Edges: one bit, and how many. */
static void edges_of_lines(void)
{
    CHECK_EQ(route(EDGE, 0, EDGE, 1), 0);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK_EQ(irq_line(g->id, EDGE, 0), ERROR(HV_ENXIO));
    CHECK(quiet(1));
    CHECK_EQ(irq_line(g->id, EDGE, 1), 1);
    told(BIT_OF(EDGE), 1);
    CHECK(quiet(1));
    CHECK_EQ(call_domain_pause(g->id), 0);
    CHECK_EQ(irq_line(g->id, EDGE, 1), 1);
    CHECK_EQ(irq_line(g->id, EDGE, 1), 0);
    CHECK_EQ(irq_line(g->id, EDGE, HV_LINE_TICK), 0);
    CHECK_EQ(irq_line(g->id, LEVEL, 1), 1);
    CHECK_EQ(call_domain_resume(g->id), 0);
    told(BIT_OF(EDGE) | BIT_OF(LEVEL), 3);
    CHECK_EQ(irq_line(g->id, LEVEL, HV_LINE_TICK), ERROR(HV_ENXIO));
    CHECK_EQ(irq_line(g->id, LEVEL, 0), 1);
    told(0, 0);
    stop(0);
}

/* Two hold the level; the end, which the manager tells, takes the notifier's part away and tells its listener. */
static void resampled(void)
{
    uint64_t n = (uint64_t)irq_notifier_resample(g->id, LEVEL, 0, NUMBER(1));
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(irq_notifier_signal(n), 1);
        told(BIT_OF(LEVEL), 0);
        CHECK_EQ(irq_line(g->id, LEVEL, 1), 0); /* up already */
        CHECK(quiet(1));
        CHECK(!lab_notified(NUMBER(1)));
        CHECK_EQ(irq_line(g->id, LEVEL, HV_LINE_END), 1);
        CHECK(lab_notified(NUMBER(1)));
        CHECK(quiet(1)); /* the manager holds it still */
        CHECK_EQ(irq_line(g->id, LEVEL, HV_LINE_END), 1);
        CHECK(lab_notified(NUMBER(1)));
        CHECK_EQ(irq_line(g->id, LEVEL, 0), 1);
        told(0, 0);
    }
    CHECK_EQ(irq_notifier_signal(n), 1);
    told(BIT_OF(LEVEL), 0);
    CHECK_EQ(irq_notifier_close(n), 0);
    told(0, 0);
    CHECK_EQ(irq_line(g->id, LEVEL, HV_LINE_END), 0);
    stop(0);
}

/* ---- the PIT of a domain whose interrupt controllers are the manager's */

static void pit(uint32_t count)
{
    (void)guest_do(g, 0, AGENT_OUT, PIT_CONTROL, 1, 0x34, 0);
    (void)guest_do(g, 0, AGENT_OUT, PIT_CHANNEL0, 1, count & 0xff, 0);
    (void)guest_do(g, 0, AGENT_OUT, PIT_CHANNEL0, 1, count >> 8, 0);
}

/* Ticks of 5 ms for 100 ms, each told; `command`: what the guest does meanwhile. */
static void ticks(enum agent_command command)
{
    uint64_t first = edges, services = 0;
    guest_go(g, 0, command, 0, 0, 0, 0);
    for (uint64_t end = lab_now() + 100 * lab_ms(); lab_now() < end;) {
        if (!lab_wait(HV_NOTIFY_VCPU(g->id, 0), 20)) {
            CHECK(!"a tick");
            break;
        }
        const struct hv_service *s = guest_service(g, 0);
        CHECK_EQ(s->kind, HV_EXIT_IRQ_LEVEL);
        CHECK_EQ(s->device_irq_level, BIT_OF(PIT_NUMBER));
        CHECK(s->routed_edges > edges);
        edges = s->routed_edges;
        services++;
        CHECK_EQ(guest_complete(g, 0), 0);
    }
    CHECK_CASE(edges - first >= 18 && edges - first <= 22, true, "%u ticks in %u services",
               (unsigned)(edges - first), (unsigned)services);
    guest_box(g, 0)->stop = 1;
    if (command == AGENT_HLT)
        CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
    while (guest_wait(g, 0) == HV_EXIT_IRQ_LEVEL)
        CHECK_EQ(guest_complete(g, 0), 0);
    edges = guest_service(g, 0)->routed_edges;
}

static void reinjected(void)
{
    struct hv_pit record;
    uint64_t told_of = 0;
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_PIT, &record, sizeof(record)), 0);
    CHECK_EQ(record.flags & HV_PIT_REINJECT, 0); /* not before it is asked for */
    record.flags |= HV_PIT_REINJECT;
    CHECK_EQ(irq_chip_set(g->id, HV_IRQCHIP_STATE_PIT, &record, sizeof(record)), 0);
    CHECK_EQ(irq_chip_get(g->id, HV_IRQCHIP_STATE_PIC, &record, 176), ERROR(HV_ENODEV));
    uint64_t first = irq_line(g->id, 0, HV_LINE_END) == 0 ? lab_now() : 0;
    CHECK(first);
    lab_sleep(52); /* ten ticks that nobody ends */
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    for (uint64_t end = lab_now() + 3 * lab_ms(); lab_now() < end;)
        if (lab_wait(HV_NOTIFY_VCPU(g->id, 0), 1)) {
            uint64_t now = guest_service(g, 0)->routed_edges - edges;
            CHECK(now <= 2); /* one each, and none is merged */
            edges += now;
            told_of += now;
            CHECK_EQ(irq_line(g->id, 0, HV_LINE_END), 0);
            CHECK_EQ(guest_complete(g, 0), 0);
        }
    CHECK_CASE(told_of >= 9 && told_of <= 13, true, "%u ticks came later", (unsigned)told_of);
    guest_box(g, 0)->stop = 1;
    while (guest_wait(g, 0) == HV_EXIT_IRQ_LEVEL)
        CHECK_EQ(guest_complete(g, 0), 0);
    edges = guest_service(g, 0)->routed_edges;
}

static void timer_chip(void)
{
    edges = 0;
    g->flags = HV_DOMAIN_OUTPUTS | HV_DOMAIN_PIT;
    guest_start(g, "pit", 1);
    CHECK_EQ(guest_do(g, 0, AGENT_IN, 0x20, 1, 0, 0) & 0xff, 0xff); /* no PIC */
    CHECK_EQ(route(0, 0, PIT_NUMBER, 1), 0);
    pit(5966);
    ticks(AGENT_SPIN);
    ticks(AGENT_HLT);
    reinjected();
    CHECK_EQ(guest_destroy(g), 0); /* while it ticks */
    g->flags = HV_DOMAIN_IRQCHIP_SPLIT | HV_DOMAIN_PIT;
    guest_start(g, "split", 1);
    CHECK_EQ(irq_route_notify(g->id, 0, 0, NUMBER(2)), 0);
    CHECK_EQ(route(1, 0, 20, 0), ERROR(HV_ENODEV)); /* it has local APICs */
    pit(5966);
    for (unsigned i = 0; i < 5; i++)
        CHECK(lab_wait(NUMBER(2), 20));
    pit(0); /* 55 ms */
    (void)lab_notified(NUMBER(2));
    CHECK(!lab_wait(NUMBER(2), 20));
    CHECK_EQ(guest_destroy(g), 0);
    (void)lab_notified(NUMBER(2));
}

void test_outputs(void)
{
    g = guest_slot(0);
    CHECK_EQ(hv_capability(HV_CAP_DEVICE_IRQ), 2);
    CHECK(hv_capability(HV_CAP_ROUTE_KINDS) >> HV_ROUTE_OUTPUT & 1);
    CHECK_EQ(irq_notifier_close((uint64_t)irq_notifier_notify(0, NUMBER(0))), 0);
    guest_start(g, "first", 1);
    CHECK_EQ(guest_destroy(g), 0);
    struct audit audit = lab_audit();
    refused();
    g->flags = HV_DOMAIN_OUTPUTS;
    guest_start(g, "outputs", 1);
    levels();
    asleep();
    edges_of_lines();
    resampled();
    CHECK_EQ(guest_destroy(g), 0);
    timer_chip();
    g->flags = 0;
    lab_audit_check(&audit, "outputs");
}
