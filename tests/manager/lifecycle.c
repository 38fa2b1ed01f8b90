/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lifecycle: rounds of create, build, start, run, destroy cost nothing in the end; a domain can be
 * destroyed in every state; pausing nests; a vCPU can be stopped and started at any moment.
 */
#include "tests/manager/lab.h"

#include <stdio.h>

static void round_trip(struct guest *g, uint32_t number)
{
    guest_start(g, "round", 1);
    struct mailbox *box = guest_box(g, 0);
    guest_go(g, 0, AGENT_WRITE, AGENT_MAILBOX + 0x800, 8, number, 0);
    guest_done(g, 0);
    CHECK_EQ(((uint64_t *)(void *)box)[0x100], number);
    CHECK_EQ(guest_destroy(g), 0);
}

static void rounds(void)
{
    struct guest *g = guest_slot(0);
    uint64_t count = lab_argument("rounds", 1000);
    round_trip(g, 0); /* the manager's page tables are split now, once */
    struct audit before = lab_audit();
    for (uint32_t i = 1; i <= count; i++) {
        round_trip(g, i);
        if (i % 100 == 0)
            lab_audit_check(&before, "rounds");
    }
    lab_audit_check(&before, "all rounds");
}

enum moment {
    EMPTY,    /* created, nothing else */
    BUILDING, /* not started */
    RUNNING,  /* in the guest */
    HALTED,   /* in HLT, interrupts on */
    HALTED_CLI,
    IN_SERVICE,
    IN_SERVICE_2, /* between the two services of one instruction */
    PAUSED,
    PAUSED_TWICE,
    STOPPED,
    KICKED, /* the kick has not been served */
    DEAD,
    DEAD_NOW, /* the triple fault is about to happen */
    MOMENTS
};

static void bring_to(struct guest *g, enum moment m)
{
    if (m == EMPTY) {
        struct hv_domain_create c = {.max_vcpus = 1, .name = "empty"};
        g->id = (uint32_t)call_domain_create(&c);
        return;
    }
    if (m == BUILDING) {
        CHECK_EQ(guest_build(g, "building", 2), 0);
        return;
    }
    guest_start(g, "moment", 2);
    switch (m) {
    case RUNNING:
    case PAUSED:
    case PAUSED_TWICE:
    case STOPPED:
    case KICKED:
        guest_go(g, 1, AGENT_SPIN, 0, 0, 0, 0);
        lab_sleep(1);
        break;
    case HALTED:
    case HALTED_CLI:
        guest_go(g, 1, AGENT_HLT, m == HALTED, 0, 0, 0);
        guest_until(g, 1, HV_VCPU_BLOCKED);
        break;
    case IN_SERVICE_2:
        CHECK_EQ(call_domain_claim(g->id, HV_CLAIM_MMIO, AGENT_MMIO, PAGE), 0);
        guest_go(g, 1, AGENT_RMW, AGENT_MMIO, RMW_OR, 1, 0);
        CHECK_EQ(guest_wait(g, 1), HV_EXIT_MMIO);
        CHECK_EQ(guest_complete(g, 1), 0);
        CHECK_EQ(guest_wait(g, 1), HV_EXIT_MMIO);
        break;
    case DEAD:
        guest_go(g, 1, AGENT_TRIPLE, 0, 0, 0, 0);
        guest_dead(g);
        break;
    case DEAD_NOW:
        guest_go(g, 1, AGENT_TRIPLE, 0, 0, 0, 0);
        break;
    case EMPTY:
    case BUILDING:
    case IN_SERVICE:
    case MOMENTS:
        break;
    }
    if (m == PAUSED || m == PAUSED_TWICE)
        CHECK_EQ(hv_domain_pause(g->id), 0);
    if (m == PAUSED_TWICE)
        CHECK_EQ(hv_domain_pause(g->id), 0);
    if (m == STOPPED)
        CHECK_EQ(hv_vcpu_stop(g->id, 1), 0);
    if (m == KICKED)
        CHECK_EQ(hv_vcpu_kick(g->id, 1), 0);
}

static void destroy_at_every_moment(void)
{
    struct guest *g = guest_slot(0);
    bring_to(g, IN_SERVICE_2);
    CHECK_EQ(guest_destroy(g), 0);
    for (enum moment m = EMPTY; m < MOMENTS; m++) {
        struct audit before = lab_audit();
        for (unsigned i = 0; i < 10; i++) {
            bring_to(g, m);
            uint32_t id = g->id;
            CHECK_CASE(guest_destroy(g), 0, "destroy at moment %d", m);
            CHECK_EQ(hv_domain_destroy(id), -(uint64_t)HV_ESRCH);
        }
        lab_audit_check(&before, "destroyed");
    }
}

static uint64_t counter_of(struct guest *g)
{
    return guest_box(g, 0)->counter;
}

/* Does the guest's counter move within some milliseconds? */
static bool moves(struct guest *g)
{
    uint64_t start = counter_of(g);
    for (unsigned i = 0; i < 50 && counter_of(g) == start; i++)
        lab_sleep(1);
    return counter_of(g) != start;
}

static bool stands(struct guest *g)
{
    uint64_t start = counter_of(g);
    lab_sleep(10);
    return counter_of(g) == start;
}

static void pausing(void)
{
    struct guest *g = guest_slot(0);
    guest_start(g, "pause", 1);
    CHECK_EQ(hv_domain_resume(g->id), -(uint64_t)HV_EINVAL);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK(moves(g));
    for (unsigned depth = 1; depth <= 5; depth++) {
        for (unsigned i = 0; i < depth; i++)
            CHECK_EQ(hv_domain_pause(g->id), 0);
        CHECK_EQ(guest_domain(g).state, HV_DOMAIN_PAUSED);
        for (unsigned i = 0; i < depth; i++) {
            CHECK(stands(g));
            CHECK_EQ(hv_domain_resume(g->id), 0);
        }
        CHECK_EQ(guest_domain(g).state, HV_DOMAIN_ACTIVE);
        CHECK(moves(g));
    }
    CHECK_EQ(hv_domain_resume(g->id), -(uint64_t)HV_EINVAL);
    /* Stop and pause are independent. */
    CHECK_EQ(hv_domain_pause(g->id), 0);
    CHECK_EQ(hv_vcpu_stop(g->id, 0), 0);
    CHECK_EQ(hv_vcpu_stop(g->id, 0), 0);
    CHECK_EQ(hv_domain_resume(g->id), 0);
    CHECK(stands(g));
    CHECK_EQ(hv_vcpu_start(g->id, 0), 0);
    CHECK_EQ(hv_vcpu_start(g->id, 0), -(uint64_t)HV_EEXIST);
    CHECK(moves(g));
    guest_box(g, 0)->stop = 1;
    guest_done(g, 0);
    /* A service stays open through a pause, and can be completed in it. */
    CHECK_EQ(hv_domain_pause(g->id), 0);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK(stands(g));
    CHECK_EQ(hv_domain_resume(g->id), 0);
    CHECK(moves(g));
    CHECK_EQ(guest_destroy(g), 0);
}

static void stop_and_start(void)
{
    struct guest *g = guest_slot(0);
    guest_start(g, "stop", 2);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    guest_go(g, 1, AGENT_CPUIDS, 1000000000, 0, 0, 0);
    for (unsigned i = 0; i < 300; i++) {
        uint32_t vcpu = i & 1;
        CHECK_EQ(hv_vcpu_stop(g->id, vcpu), 0);
        CHECK_EQ(guest_state(g, vcpu), HV_VCPU_STOPPED);
        if (i % 16 == 0)
            CHECK(vcpu || stands(g));
        CHECK_EQ(hv_vcpu_start(g->id, vcpu), 0);
    }
    CHECK(moves(g));
    CHECK_EQ(guest_destroy(g), 0);
}

/* A dead domain answers questions, and everything that would let it go on is refused. */
static void death(void)
{
    struct guest *g = guest_slot(0);
    guest_start(g, "death", 2);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    guest_go(g, 1, AGENT_TRIPLE, 0, 0, 0, 0);
    guest_dead(g);
    struct hv_domain_info info = guest_domain(g);
    CHECK_EQ(info.reason, HV_DEAD_TRIPLE_FAULT);
    CHECK(stands(g));
    CHECK_EQ(hv_vcpu_stop(g->id, 0), 0);
    CHECK_EQ(hv_vcpu_start(g->id, 0), -(uint64_t)HV_ESRCH);
    CHECK_EQ(hv_domain_pause(g->id), 0);
    CHECK_EQ(hv_domain_resume(g->id), 0);
    CHECK(stands(g));
    struct hv_regs r;
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
    CHECK_EQ(guest_destroy(g), 0);
}

void test_lifecycle(void)
{
    rounds();
    destroy_at_every_moment();
    pausing();
    stop_and_start();
    death();
}
