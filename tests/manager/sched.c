/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler as its times show it: priorities and slices on one CPU, accounts that add up, no
 * tick for a vCPU that is alone, affinity and priority changed all the time while vCPUs run, sleep
 * and are woken, several vCPUs of a domain at once.
 */
#include "tests/manager/lab.h"

#define EXTERNAL_INTERRUPT 1U /* SDM volume 3, "Basic Exit Reasons" */
#define LOW                50U
#define HIGH               100U /* below the manager's own 128: it must get through on one CPU */

static uint32_t last_cpu(void)
{
    return lab_cpus() - 1;
}

static void place(const struct guest *g, uint32_t vcpu, uint32_t cpu, uint32_t priority)
{
    CHECK_EQ(hv_vcpu_affinity(g->id, vcpu, 1ULL << cpu), 0);
    CHECK_EQ(hv_vcpu_priority(g->id, vcpu, priority, 1000), 0);
}

static struct guest *spinner(uint32_t slot, uint32_t cpu, uint32_t priority)
{
    struct guest *g = guest_slot(slot);
    guest_start(g, "spin", 1);
    place(g, 0, cpu, priority);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    return g;
}

/* Parts of a thousand of `ms` that each of two vCPUs ran. */
static void shares_of(const struct guest *a, const struct guest *b, uint64_t ms, uint64_t share[2])
{
    uint64_t start_a = guest_info(a, 0).ticks_running, start_b = guest_info(b, 0).ticks_running;
    lab_sleep(ms);
    uint64_t ran_a = guest_info(a, 0).ticks_running - start_a;
    uint64_t ran_b = guest_info(b, 0).ticks_running - start_b;
    share[0] = ran_a * 1000 / (ran_a + ran_b + 1);
    share[1] = ran_b * 1000 / (ran_a + ran_b + 1);
    CHECK(ran_a + ran_b > ms * lab_ms() / 2); /* somebody had the CPU */
}

static void priorities(void)
{
    struct guest *a = spinner(0, last_cpu(), HIGH), *b = spinner(1, last_cpu(), HIGH);
    uint64_t share[2];
    lab_sleep(5);
    shares_of(a, b, 60, share);
    CHECK(share[0] > 400 && share[0] < 600);
    /* The lower one starves, in both directions. */
    CHECK_EQ(hv_vcpu_priority(b->id, 0, LOW, 1000), 0);
    shares_of(a, b, 30, share);
    CHECK(share[0] >= 995);
    CHECK_EQ(guest_state(b, 0), HV_VCPU_RUNNABLE);
    CHECK_EQ(hv_vcpu_priority(a->id, 0, LOW - 1, 1000), 0);
    shares_of(a, b, 30, share);
    CHECK(share[1] >= 995);
    /* Slices of one to three. */
    CHECK_EQ(hv_vcpu_priority(a->id, 0, LOW, 3000), 0);
    shares_of(a, b, 100, share);
    CHECK(share[0] > 650 && share[0] < 850);
    /* Who stops leaves it to the other one. */
    CHECK_EQ(hv_vcpu_stop(b->id, 0), 0);
    shares_of(a, b, 20, share);
    CHECK_EQ(share[1], 0);
    CHECK_EQ(guest_destroy(a), 0);
    CHECK_EQ(guest_destroy(b), 0);
}

static uint64_t all_ticks(const struct hv_vcpu_info *i)
{
    return i->ticks_running + i->ticks_runnable + i->ticks_blocked + i->ticks_offline;
}

static void account_of(const struct guest *g, uint32_t vcpu)
{
    uint64_t t0 = lab_now();
    struct hv_vcpu_info first = guest_info(g, vcpu);
    uint64_t t1 = lab_now();
    lab_sleep(10);
    uint64_t t2 = lab_now();
    struct hv_vcpu_info second = guest_info(g, vcpu);
    uint64_t t3 = lab_now(), sum = all_ticks(&second) - all_ticks(&first);
    CHECK(sum >= t2 - t1);
    CHECK(sum <= t3 - t0);
    uint64_t exits = 0;
    for (unsigned i = 0; i < 72; i++)
        exits += second.exits_by_reason[i];
    CHECK_EQ(exits, second.exits);
}

/* Where the time goes in each state; the sum is the time that went by. */
static void accounts(void)
{
    struct guest *g = guest_slot(0);
    guest_start(g, "account", 3);
    struct hv_vcpu_info before, after;
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    guest_go(g, 1, AGENT_HLT, 1, 0, 0, 0);
    guest_until(g, 1, HV_VCPU_BLOCKED);
    for (uint32_t v = 0; v < 3; v++)
        account_of(g, v);
    before = guest_info(g, 1);
    lab_sleep(20);
    after = guest_info(g, 1);
    CHECK(after.ticks_blocked - before.ticks_blocked >= 20 * lab_ms());
    CHECK_EQ(after.ticks_offline, before.ticks_offline);
    before = guest_info(g, 2); /* in service */
    lab_sleep(20);
    after = guest_info(g, 2);
    CHECK(after.ticks_offline - before.ticks_offline >= 20 * lab_ms());
    CHECK_EQ(after.ticks_running, before.ticks_running);
    CHECK_EQ(hv_domain_pause(g->id), 0);
    before = guest_info(g, 0);
    lab_sleep(20);
    after = guest_info(g, 0);
    CHECK(after.ticks_offline - before.ticks_offline >= 20 * lab_ms());
    CHECK_EQ(after.ticks_running, before.ticks_running);
    for (uint32_t v = 0; v < 3; v++)
        account_of(g, v);
    CHECK_EQ(hv_domain_resume(g->id), 0);
    account_of(g, 0);
    CHECK_EQ(guest_destroy(g), 0);
}

/* A vCPU that is alone on its CPU is not interrupted. */
static void no_tick(void)
{
    if (lab_cpus() == 1)
        return;
    struct guest *g = spinner(0, last_cpu(), HIGH);
    lab_sleep(10);
    struct hv_vcpu_info before = guest_info(g, 0);
    lab_sleep(200);
    struct hv_vcpu_info after = guest_info(g, 0);
    CHECK(after.ticks_running - before.ticks_running >= 190 * lab_ms());
    CHECK_EQ(after.exits_by_reason[EXTERNAL_INTERRUPT], before.exits_by_reason[EXTERNAL_INTERRUPT]);
    CHECK_EQ(after.exits, before.exits);
    /* A lower one beside it changes nothing; an equal one brings the slices. */
    struct guest *low = spinner(1, last_cpu(), LOW);
    lab_sleep(5);
    before = guest_info(g, 0);
    lab_sleep(50);
    after = guest_info(g, 0);
    CHECK_EQ(after.exits, before.exits);
    CHECK_EQ(hv_vcpu_priority(low->id, 0, HIGH, 1000), 0);
    lab_sleep(50);
    CHECK(guest_info(g, 0).exits_by_reason[EXTERNAL_INTERRUPT] >
          after.exits_by_reason[EXTERNAL_INTERRUPT] + 10);
    CHECK_EQ(guest_destroy(g), 0);
    CHECK_EQ(guest_destroy(low), 0);
}

static uint64_t random_mask(void)
{
    return 1 + lab_random((1ULL << lab_cpus()) - 1);
}

/* Affinity and priority of running, sleeping and served vCPUs change all the time. */
static void migrations(void)
{
    struct guest *g[3];
    uint64_t rounds = lab_argument("migrations", 600);
    for (uint32_t d = 0; d < 3; d++) {
        g[d] = guest_slot(d);
        guest_start(g[d], "migrate", 3);
        guest_go(g[d], 0, AGENT_SPIN, 0, 0, 0, 0);
        guest_go(g[d], 1, AGENT_HLT, 1, 0, 0, 0);
        guest_go(g[d], 2, AGENT_CPUIDS, 1ULL << 60, 0, 0, 0);
        for (uint32_t v = 0; v < 3; v++)
            CHECK_EQ(hv_vcpu_priority(g[d]->id, v, HIGH, 500), 0);
    }
    uint64_t spun = guest_box(g[0], 0)->counter;
    for (uint64_t i = 0; i < rounds; i++) {
        struct guest *at = g[lab_random(3)];
        uint32_t vcpu = (uint32_t)lab_random(3);
        uint64_t mask = random_mask();
        CHECK_EQ(hv_vcpu_affinity(at->id, vcpu, mask), 0);
        struct hv_vcpu_info info = guest_info(at, vcpu);
        CHECK_EQ(info.affinity, mask);
        CHECK(mask >> info.cpu & 1);
        uint32_t priority = LOW + (uint32_t)lab_random(HIGH - LOW);
        CHECK_EQ(hv_vcpu_priority(at->id, vcpu, priority, 1 + lab_random(2000)), 0);
        CHECK_EQ(guest_info(at, vcpu).priority, priority);
        if (i % 8 == 0) { /* wake a sleeping one, wherever it is now */
            uint64_t woken = guest_box(at, 1)->interrupts;
            CHECK_EQ(hv_vcpu_priority(at->id, 1, HIGH + 1, 0), 0);
            CHECK_EQ(hv_vcpu_inject(at->id, 1, HV_INJECT_EXTERNAL, 0x40, 0), 0);
            for (unsigned n = 0; n < 200 && guest_box(at, 1)->interrupts == woken; n++)
                lab_sleep(1);
            CHECK_EQ(guest_box(at, 1)->interrupts, woken + 1);
        }
    }
    for (uint32_t d = 0; d < 3; d++)
        CHECK_EQ(hv_vcpu_priority(g[d]->id, 0, HIGH + 2, 1000), 0);
    lab_sleep(20);
    CHECK(guest_box(g[0], 0)->counter != spun);
    for (uint32_t d = 0; d < 3; d++)
        CHECK_EQ(guest_destroy(g[d]), 0);
}

/* All vCPUs of a domain at once, a CPU each. */
static void side_by_side(void)
{
    struct guest *g = guest_slot(0);
    uint32_t n = lab_cpus() < AGENT_VCPUS ? lab_cpus() : AGENT_VCPUS;
    uint64_t before[AGENT_VCPUS];
    guest_start(g, "side by side", n);
    for (uint32_t v = 0; v < n; v++) {
        place(g, v, v, HIGH);
        guest_go(g, v, AGENT_SPIN, 0, 0, 0, 0);
    }
    lab_sleep(10);
    for (uint32_t v = 0; v < n; v++) {
        before[v] = guest_info(g, v).ticks_running;
        if (v) /* the manager runs on the first CPU now */
            CHECK_EQ(guest_state(g, v), HV_VCPU_RUNNING);
    }
    lab_sleep(20);
    for (uint32_t v = 0; v < n; v++) {
        CHECK(guest_info(g, v).ticks_running - before[v] > 10 * lab_ms());
        CHECK_EQ(guest_info(g, v).cpu, v);
        guest_box(g, v)->stop = 1;
        guest_done(g, v);
    }
    CHECK_EQ(guest_destroy(g), 0);
}

static void cpu_info(void)
{
    for (uint32_t c = 0; c < lab_cpus(); c++) {
        struct hv_cpu_info a, b;
        CHECK_EQ(call_cpu_info(c, &a), 0);
        lab_sleep(20);
        CHECK_EQ(call_cpu_info(c, &b), 0);
        uint64_t passed = b.ticks_idle - a.ticks_idle + b.ticks_guest - a.ticks_guest;
        CHECK(passed >= 19 * lab_ms() || c); /* an idle CPU adds its time when it wakes */
        CHECK(b.exits >= a.exits && b.switches >= a.switches);
        CHECK_EQ(b.reserved0 | b.reserved[0] | b.reserved[1], 0);
    }
}

void test_sched(void)
{
    struct guest *g = guest_slot(0);
    guest_start(g, "warm", 1);
    for (uint32_t d = 1; d < 3; d++) {
        guest_start(guest_slot(d), "warm", 1);
        CHECK_EQ(guest_destroy(guest_slot(d)), 0);
    }
    CHECK_EQ(guest_destroy(g), 0);
    struct audit before = lab_audit();
    priorities();
    accounts();
    no_tick();
    migrations();
    side_by_side();
    cpu_info();
    lab_audit_check(&before, "sched");
}
