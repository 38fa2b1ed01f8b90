/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain without local APICs whose timer is in the hypervisor: each deadline is told to the manager exactly
 * once, before the guest goes on, awake or in HLT, whatever the manager does to the page and to the domain in
 * between. Wrong would be: an edge twice, an edge never, a bit that stays, a guest that runs on or sleeps on.
 */
#include <string.h>

#include "tests/manager/lab.h"

#define DEADLINE   0x6e0U
#define TSC_ADJUST 0x3bU
#define GP         0x10dU
#define TSC_BIT    (1U << 24)
#define VECTOR     0x40U
#define HALTED_IF  (HV_SERVICE_HALTED | HV_SERVICE_IF | HV_SERVICE_READY)

#define SLOW                                                                                                 \
    5U /* times that tests count in: a hypervisor that checks itself needs a millisecond for a command */

static struct guest *g;
static uint64_t edges; /* told so far */

static void expect_level(uint32_t vcpu, uint64_t level, uint64_t more)
{
    const struct hv_service *s = guest_service(g, vcpu);
    edges += more;
    CHECK_EQ(s->device_irq_level, level);
    CHECK_EQ(s->device_irq_edges, edges);
}

/* The next service is an edge's. Before it is answered the page is made rubbish, as `fill` says. */
static void edge(uint8_t fill)
{
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
    expect_level(0, HV_IRQ_TIMER, 1);
    memset(guest_service(g, 0), fill, sizeof(struct hv_service));
    CHECK_EQ(guest_complete(g, 0), 0);
}

/* The next service is the end of the command; it tells no edge. */
static void done(void)
{
    guest_done(g, 0);
    expect_level(0, 0, 0);
}

static uint64_t rdmsr(uint32_t number)
{
    guest_go(g, 0, AGENT_RDMSR, number, 0, 0, 0);
    done();
    return guest_box(g, 0)->result;
}

static void wrmsr(uint32_t number, uint64_t value)
{
    guest_go(g, 0, AGENT_WRMSR, number, value, 0, 0);
    done();
}

static uint64_t guest_tsc(void)
{
    guest_go(g, 0, AGENT_TSC, 0, 0, 0, 0);
    done();
    return guest_box(g, 0)->result;
}

static void arm(uint64_t ms)
{
    wrmsr(DEADLINE, guest_tsc() + ms * SLOW * lab_ms());
}

static void stop_spinning(void)
{
    guest_box(g, 0)->stop = 1;
    done();
}

static bool quiet(uint64_t ms)
{
    lab_sleep(ms * SLOW);
    return !lab_notified(HV_NOTIFY_VCPU(g->id, 0));
}

/* Without the flag there is no such MSR. */
static void not_asked_for(void)
{
    g->flags = HV_DOMAIN_IRQCHIP_NONE;
    guest_start(g, "no timer", 1);
    CHECK_EQ(guest_do(g, 0, AGENT_CPUID, 1, 0, 0, 0) & TSC_BIT, 0);
    (void)guest_do(g, 0, AGENT_RDMSR, DEADLINE, 0, 0, 0);
    CHECK_EQ(guest_box(g, 0)->vector, GP);
    (void)guest_do(g, 0, AGENT_WRMSR, DEADLINE, 1, 0, 0);
    CHECK_EQ(guest_box(g, 0)->vector, GP);
    CHECK_EQ(guest_destroy(g), 0);
}

/* Of one vCPU's MSR: past, ahead, taken back, moved; and that the guest does not go on before the service. */
static void deadlines(void)
{
    static const uint8_t fills[] = {0, 0xee, 0xff, 1};
    struct mailbox *box = guest_box(g, 0);
    CHECK_EQ(guest_do(g, 0, AGENT_CPUID, 1, 0, 0, 0) & TSC_BIT, TSC_BIT);
    for (size_t i = 0; i < sizeof(fills); i++) {
        guest_go(g, 0, AGENT_WRMSR, DEADLINE, 1 + i, 0, 0);
        CHECK(lab_wait(HV_NOTIFY_VCPU(g->id, 0), 1000));
        CHECK_EQ(guest_service(g, 0)->kind, HV_EXIT_IRQ_LEVEL);
        CHECK_EQ(guest_state(g, 0), HV_VCPU_SERVICE);
        CHECK_EQ(box->counter, 0); /* the next instruction */
        expect_level(0, HV_IRQ_TIMER, 1);
        memset(guest_service(g, 0), fills[i], sizeof(struct hv_service));
        CHECK_EQ(guest_complete(g, 0), 0);
        done();
        CHECK_EQ(box->counter, 1);
        CHECK_EQ(rdmsr(DEADLINE), 0);
    }
    uint64_t at = guest_tsc() + 20 * SLOW * lab_ms();
    wrmsr(DEADLINE, at);
    CHECK_EQ(rdmsr(DEADLINE), at);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK(quiet(5));
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
    uint64_t count = box->counter;
    lab_sleep(2);
    CHECK_EQ(box->counter, count);
    expect_level(0, HV_IRQ_TIMER, 1);
    CHECK_EQ(guest_service(g, 0)->flags, 0); /* IF is 0 */
    CHECK_EQ(guest_complete(g, 0), 0);
    CHECK(quiet(5)); /* once */
    CHECK(box->counter > count);
    stop_spinning();
    CHECK_EQ(rdmsr(DEADLINE), 0);
    arm(4); /* taken back */
    wrmsr(DEADLINE, 0);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK(quiet(8));
    stop_spinning();
    arm(4); /* put off */
    wrmsr(DEADLINE, UINT64_MAX);
    CHECK_EQ(rdmsr(DEADLINE), UINT64_MAX);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK(quiet(8));
    stop_spinning();
    arm(1000000); /* the clock moves instead */
    guest_go(g, 0, AGENT_WRMSR, TSC_ADJUST, 1000001 * SLOW * lab_ms(), 0, 0);
    edge(0xee);
    done();
}

/* The deadline passes while the manager has the page, the vCPU is stopped, or its domain paused. */
static void meanwhile(void)
{
    struct mailbox *box = guest_box(g, 0);
    arm(2);
    lab_sleep(4 * SLOW); /* in service */
    CHECK_EQ(guest_service(g, 0)->device_irq_level, 0);
    guest_go(g, 0, AGENT_WRMSR, TSC_ADJUST, 0, 0, 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
    CHECK_EQ(box->counter, 0);
    expect_level(0, HV_IRQ_TIMER, 1);
    CHECK_EQ(guest_complete(g, 0), 0);
    done();
    arm(3);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK_EQ(call_domain_pause(g->id), 0);
    CHECK(quiet(6));
    uint64_t count = box->counter;
    CHECK_EQ(call_domain_resume(g->id), 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
    CHECK_EQ(box->counter, count); /* not one turn more */
    expect_level(0, HV_IRQ_TIMER, 1);
    CHECK_EQ(guest_complete(g, 0), 0);
    stop_spinning();
    /* A kick's service tells it too, and then there is no other. */
    arm(3);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK_EQ(hv_vcpu_stop(g->id, 0), 0);
    CHECK(quiet(6));
    CHECK_EQ(hv_vcpu_kick(g->id, 0), 0);
    CHECK_EQ(hv_vcpu_start(g->id, 0), 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_KICK);
    expect_level(0, HV_IRQ_TIMER, 1);
    CHECK_EQ(guest_complete(g, 0), 0);
    CHECK(quiet(3));
    stop_spinning();
}

/* HLT with interrupts on: the manager is told, and only what it injects ends the HLT. */
static void asleep(void)
{
    struct mailbox *box = guest_box(g, 0);
    for (unsigned i = 0; i < 20; i++) {
        uint64_t before = box->interrupts;
        arm(i % 4 + 1);
        guest_go(g, 0, AGENT_HLT, 1, 0, 0, 0);
        CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
        expect_level(0, HV_IRQ_TIMER, 1);
        CHECK_EQ(guest_service(g, 0)->flags, HALTED_IF);
        if (i % 2) { /* later than the answer */
            CHECK_EQ(guest_complete(g, 0), 0);
            guest_until(g, 0, HV_VCPU_BLOCKED);
            CHECK(quiet(1));
            CHECK_EQ(box->counter, 0);
            CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_EXTERNAL, VECTOR + i, 0), 0);
        } else {
            CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_EXTERNAL, VECTOR + i, 0), 0);
            CHECK_EQ(guest_complete(g, 0), 0);
        }
        while (box->interrupts == before || !box->counter)
            lab_sleep(1);
        CHECK_EQ(box->interrupts, before + 1);
        CHECK_EQ(box->last_interrupt, VECTOR + i);
        box->stop = 1;
        guest_until(g, 0, HV_VCPU_BLOCKED);
        CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
        done();
    }
    /* Interrupts off: told all the same; an interrupt waits, an NMI ends it. */
    arm(2);
    guest_go(g, 0, AGENT_HLT, 0, 0, 0, 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_IRQ_LEVEL);
    expect_level(0, HV_IRQ_TIMER, 1);
    CHECK_EQ(guest_service(g, 0)->flags, HV_SERVICE_HALTED);
    uint64_t before = box->interrupts;
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_EXTERNAL, VECTOR, 0), 0);
    CHECK_EQ(guest_complete(g, 0), 0);
    guest_until(g, 0, HV_VCPU_BLOCKED);
    CHECK_EQ(hv_vcpu_kick(g->id, 0), 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_KICK);
    expect_level(0, 0, 0);
    CHECK_EQ(guest_service(g, 0)->flags, HV_SERVICE_HALTED | HV_SERVICE_WAITING);
    CHECK_EQ(guest_complete(g, 0), 0);
    guest_until(g, 0, HV_VCPU_BLOCKED);
    box->stop = 1;
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
    done();
    CHECK_EQ(box->interrupts, before);
    guest_go(g, 0, AGENT_HLT, 1, 0, 0, 0); /* taken now, by its window */
    while (box->interrupts == before)
        lab_sleep(1);
    CHECK_EQ(box->last_interrupt, VECTOR);
    box->stop = 1;
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
    done();
}

/* Deadlines of which some pass on the way of the exit that replaces them: how many services told two edges. */
static uint64_t race(uint64_t rounds, uint64_t ahead)
{
    uint64_t bits = 0, first = edges;
    guest_go(g, 0, AGENT_RACE, rounds, ahead, 2 * ahead, 0);
    for (;;) {
        enum hv_exit_kind kind = guest_wait(g, 0);
        const struct hv_service *s = guest_service(g, 0);
        CHECK_EQ(s->device_irq_level, kind == HV_EXIT_IRQ_LEVEL);
        CHECK(s->device_irq_edges - edges <= 2);
        CHECK_EQ(s->device_irq_edges != edges, kind == HV_EXIT_IRQ_LEVEL);
        edges = s->device_irq_edges;
        if (kind != HV_EXIT_IRQ_LEVEL)
            break;
        bits++;
        CHECK_EQ(guest_complete(g, 0), 0);
    }
    CHECK(guest_is_done(g, 0));
    CHECK(bits >= rounds && edges - first <= 2 * rounds);
    return edges - first - bits;
}

static void two_at_once(void)
{
    uint64_t merged = 0;
    for (uint64_t ahead = 1500; !merged && ahead < 100000; ahead *= 2) /* an exit costs more in some builds */
        merged = race(lab_argument("races", 400), ahead);
    CHECK(merged > 0);
}

/* An edge that was not told goes with the record, and is told once. */
static void records(void)
{
    struct hv_msrs m;
    uint64_t at = guest_tsc() + 2 * SLOW * lab_ms();
    wrmsr(DEADLINE, at);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
    CHECK_EQ(m.tsc_deadline, at);
    lab_sleep(4 * SLOW);
    for (unsigned i = 0; i < 3; i++) { /* again and again: one edge all the same */
        CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
        CHECK(m.tsc_deadline != 0 && m.tsc_deadline <= m.tsc);
        CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
    }
    guest_go(g, 0, AGENT_NOP, 0, 0, 0, 0);
    edge(0);
    done();
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
    CHECK_EQ(m.tsc_deadline, 0);
    m.tsc_deadline = m.tsc + 3 * SLOW * lab_ms(); /* as a copy elsewhere would get it */
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
    guest_go(g, 0, AGENT_HLT, 0, 0, 0, 0);
    edge(0xff);
    guest_box(g, 0)->stop = 1;
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
    done();
    m.reserved[0] = 1;
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), -(uint64_t)HV_EINVAL);
}

/* Many, awake and asleep, on one CPU and another: as many edges as deadlines. */
static void many(void)
{
    uint64_t rounds = lab_argument("rounds", 200);
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t ticks = lab_random(lab_ms() / 2);
        uint32_t late = 0;
        guest_go(g, 0, AGENT_WRMSR, DEADLINE, guest_tsc() + ticks, 0, 0);
        /* It may be over already: told by a service of its own, or by the one that ends the command. */
        while (guest_wait(g, 0) == HV_EXIT_IRQ_LEVEL) {
            expect_level(0, HV_IRQ_TIMER, 1);
            CHECK_EQ(guest_complete(g, 0), 0);
            late++;
        }
        CHECK(guest_is_done(g, 0));
        uint64_t now = guest_service(g, 0)->device_irq_level;
        expect_level(0, now, now);
        late += (uint32_t)now;
        CHECK(late <= 1);
        if (i % 3 == 0)
            CHECK_EQ(hv_vcpu_affinity(g->id, 0, 1ULL << lab_random(lab_cpus())), 0);
        guest_go(g, 0, i % 2 ? AGENT_SPIN : AGENT_HLT, 0, 0, 0, 0);
        if (!late)
            edge((uint8_t)lab_random(256));
        guest_box(g, 0)->stop = 1;
        if (i % 2 == 0)
            CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
        done();
    }
}

/* Each vCPU has a timer, a page and a count of its own. */
static void two_vcpus(void)
{
    guest_start(g, "two", 2);
    edges = 0;
    for (uint64_t i = 1; i <= 5; i++) {
        guest_go(g, 1, AGENT_WRMSR, DEADLINE, 1, 0, 0);
        CHECK_EQ(guest_wait(g, 1), HV_EXIT_IRQ_LEVEL);
        CHECK_EQ(guest_service(g, 1)->device_irq_edges, i);
        CHECK_EQ(guest_complete(g, 1), 0);
        guest_done(g, 1);
        CHECK_EQ(rdmsr(DEADLINE), 0); /* of vCPU 0, with no edge told */
    }
    wrmsr(DEADLINE, UINT64_MAX);
    (void)guest_do(g, 1, AGENT_RDMSR, DEADLINE, 0, 0, 0);
    CHECK_EQ(guest_box(g, 1)->result, 0);
    CHECK_EQ(guest_destroy(g), 0);
}

void test_irq_level(void)
{
    g = guest_slot(0);
    CHECK_EQ(hv_capability(HV_CAP_DEVICE_IRQ), 2);
    guest_start(g, "first", 1);
    CHECK_EQ(guest_destroy(g), 0);
    struct audit audit = lab_audit();
    not_asked_for();
    g->flags = HV_DOMAIN_TSC_DEADLINE;
    guest_start(g, "timer", 1);
    deadlines();
    meanwhile();
    asleep();
    two_at_once();
    records();
    many();
    arm(3); /* its domain goes first */
    CHECK_EQ(guest_destroy(g), 0);
    two_vcpus();
    lab_sleep(5 * SLOW);
    g->flags = 0;
    lab_audit_check(&audit, "irq-level");
}
