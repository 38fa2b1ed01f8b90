/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kicks at every moment, also in the middle of accesses; notifications under load from many domains
 * on all CPUs; deadlines of NOTIFY_WAIT; the wait of a second-level domain.
 */
#include "tests/manager/services.h"

#include <string.h>

#define RAX(number) ((uint64_t)HV_CALL_MAGIC << 32 | (number))

static void expect_kick(struct guest *g, uint32_t vcpu)
{
    CHECK_EQ(guest_wait(g, vcpu), HV_EXIT_KICK);
    CHECK_EQ(guest_state(g, vcpu), HV_VCPU_SERVICE);
    CHECK_EQ(hv_vcpu_kick(g->id, vcpu), -(uint64_t)HV_EBUSY);
    CHECK_EQ(guest_complete(g, vcpu), 0);
}

static void kicks(struct guest *g)
{
    CHECK_EQ(hv_vcpu_kick(g->id, 0), -(uint64_t)HV_EBUSY); /* in service */
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    for (unsigned i = 0; i < 50; i++) {
        CHECK_EQ(hv_vcpu_kick(g->id, 0), 0);
        expect_kick(g, 0);
    }
    guest_box(g, 0)->stop = 1;
    guest_done(g, 0);
    guest_go(g, 0, AGENT_HLT, 1, 0, 0, 0);
    for (unsigned i = 0; i < 20; i++) {
        guest_until(g, 0, HV_VCPU_BLOCKED);
        CHECK_EQ(hv_vcpu_kick(g->id, 0), 0);
        expect_kick(g, 0);
    }
    guest_until(g, 0, HV_VCPU_BLOCKED);
    CHECK_EQ(guest_box(g, 0)->counter, 0); /* a kick does not end a HLT */
    /* Paused and stopped: the kick comes afterwards, once. */
    CHECK_EQ(hv_domain_pause(g->id), 0);
    CHECK_EQ(hv_vcpu_kick(g->id, 0), 0);
    CHECK_EQ(hv_vcpu_kick(g->id, 0), 0);
    CHECK(!lab_wait(HV_NOTIFY_VCPU(g->id, 0), 3));
    CHECK_EQ(hv_domain_resume(g->id), 0);
    expect_kick(g, 0);
    CHECK_EQ(hv_vcpu_stop(g->id, 0), 0);
    CHECK_EQ(hv_vcpu_kick(g->id, 0), 0);
    CHECK(!lab_wait(HV_NOTIFY_VCPU(g->id, 0), 3));
    CHECK_EQ(hv_vcpu_start(g->id, 0), 0);
    expect_kick(g, 0);
    guest_box(g, 0)->stop = 1;
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_EXTERNAL, 0x40, 0), 0);
    guest_done(g, 0);
    CHECK_EQ(guest_box(g, 0)->counter, 1);
}

/*
 * A stream of writes to a claimed port, and kicks that hit it at all moments: each write must come
 * exactly once, and each kick end in a service of its own.
 */
static void kicks_into_accesses(struct guest *g)
{
    uint32_t *buffer = (uint32_t *)(void *)guest_scratch(g);
    uint32_t next = 0, kicked = 0, reported = 0;
    const uint32_t count = 800;
    for (uint32_t i = 0; i < count; i++)
        buffer[i] = i;
    guest_go(g, 0, AGENT_OUTS, 0x200, 4, AGENT_SCRATCH, count);
    for (;;) {
        for (uint64_t spin = lab_random(400); spin; spin--)
            __asm__ volatile("pause");
        int64_t result = hv_vcpu_kick(g->id, 0);
        CHECK(result == 0 || result == -HV_EBUSY);
        kicked += result == 0;
        enum hv_exit_kind kind = guest_wait(g, 0);
        if (guest_is_done(g, 0))
            break;
        if (kind == HV_EXIT_KICK) {
            reported++;
        } else {
            CHECK_EQ(kind, HV_EXIT_PIO);
            CHECK_EQ(guest_service(g, 0)->pio.data, next);
            next++;
        }
        CHECK_EQ(guest_complete(g, 0), 0);
    }
    CHECK_EQ(next, count);
    CHECK(reported <= kicked);
    CHECK(lab_cpus() == 1 || kicked > 0);
    /* A kick that came last is served after the end of the command. */
    if (guest_is_done(g, 0))
        guest_go(g, 0, AGENT_NOP, 0, 0, 0, 0);
    if (guest_wait(g, 0) == HV_EXIT_KICK) {
        CHECK_EQ(guest_complete(g, 0), 0);
        guest_done(g, 0);
    }
}

/* Interrupts and NMIs that hit a vCPU in the middle of accesses are delivered, and once. */
static void events_into_accesses(struct guest *g)
{
    struct mailbox *box = guest_box(g, 0);
    uint64_t nmis = box->nmis;
    for (uint32_t i = 0; i < 50; i++) {
        guest_go(g, 0, AGENT_RMW, AGENT_MMIO, RMW_OR, 1, 0);
        (void)services_expect_mmio(g, 0, AGENT_MMIO, 4, false, 0);
        CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
        CHECK_EQ(services_answer(g, 0, 2), 0);
        (void)services_expect_mmio(g, 0, AGENT_MMIO, 4, true, 3);
        CHECK_EQ(box->nmis, nmis + i);
        CHECK_EQ(services_answer(g, 0, 0), 0);
        guest_done(g, 0);
        CHECK_EQ(box->nmis, nmis + i + 1);
    }
    /* Two wait at most. */
    guest_go(g, 0, AGENT_IN, 0x200, 1, 0, 0);
    (void)services_expect_pio(g, 0, 0x200, 1, false, 0);
    nmis = box->nmis;
    for (uint32_t i = 0; i < 5; i++)
        CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
    CHECK_EQ(services_answer(g, 0, 0), 0);
    guest_done(g, 0);
    CHECK_EQ(box->nmis, nmis + 2);
}

/* Many domains ask at once, on all CPUs. guest_wait aborts when a notification is lost. */
static void load(void)
{
    const uint32_t domains = 12, each = 60;
    uint32_t open[12], done = 0;
    struct audit before = lab_audit();
    for (uint32_t d = 0; d < domains; d++) {
        struct guest *g = guest_slot(d);
        guest_start(g, "load", 1 + d % 3);
        CHECK_EQ(call_domain_claim(g->id, HV_CLAIM_PIO, 0x200, 16), 0);
        memset(guest_scratch(g), (int)d, PAGE);
        for (uint32_t v = 0; v < g->vcpus; v++) {
            guest_service(g, v)->kind = HV_EXIT_NONE;
            guest_go(g, v, AGENT_OUTS, 0x200, 1, AGENT_SCRATCH, each);
        }
        open[d] = g->vcpus;
    }
    uint64_t end = lab_now() + 60000 * lab_ms();
    uint32_t writes = 0, all = 0;
    for (uint32_t d = 0; d < domains; d++)
        all += guest_slot(d)->vcpus;
    while (done < all && lab_now() < end) {
        for (uint32_t d = 0; d < domains; d++) {
            struct guest *g = guest_slot(d);
            for (uint32_t v = 0; open[d] && v < g->vcpus; v++) {
                if (!lab_notified(HV_NOTIFY_VCPU(g->id, v)))
                    continue;
                if (guest_is_done(g, v)) {
                    done++;
                    continue;
                }
                CHECK_EQ(guest_service(g, v)->pio.data, d);
                writes++;
                CHECK_EQ(guest_complete(g, v), 0);
            }
        }
        (void)hv_notify_wait(lab_now() + lab_ms());
    }
    CHECK_EQ(done, all);
    CHECK_EQ(writes, all * each);
    for (uint32_t d = 0; d < domains; d++)
        CHECK_EQ(guest_destroy(guest_slot(d)), 0);
    (void)before;
}

static void drain(void)
{
    while (hv_notify_wait(1) == 0)
        (void)lab_notified(0);
}

static void deadlines(void)
{
    drain();
    CHECK_EQ(hv_notify_wait(1), -(uint64_t)HV_ETIME);
    CHECK_EQ(hv_notify_wait(lab_now() - 1), -(uint64_t)HV_ETIME);
    CHECK_EQ(hv_notify_wait(lab_now()), -(uint64_t)HV_ETIME);
    for (uint64_t ticks = 1; ticks < 20 * lab_ms(); ticks *= 3) {
        uint64_t until = lab_now() + ticks;
        CHECK_EQ(hv_notify_wait(until), -(uint64_t)HV_ETIME);
        CHECK(lab_now() >= until);
        CHECK(lab_now() < until + 20 * lab_ms());
    }
    /* Far away and never: a notification ends the wait. */
    const uint64_t far[] = {0, UINT64_MAX, 1ULL << 63, lab_now() + (1ULL << 40)};
    struct guest *g = guest_slot(0);
    guest_start(g, "far", 1);
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        drain();
        guest_go(g, 0, AGENT_CPUIDS, 2000, 0, 0, 0);
        while (!lab_notified(HV_NOTIFY_VCPU(g->id, 0)))
            CHECK_EQ(hv_notify_wait(far[i]), 0);
        CHECK(guest_is_done(g, 0));
    }
    CHECK_EQ(guest_destroy(g), 0);
}

/* A guest waits itself: its deadline is in its own time, which started later than the machine's. */
static void second_level_wait(void)
{
    struct guest *g = guest_slot(0);
    uint64_t arg[6] = {AGENT_STACKS + PAGE, 0};
    g->may = 0;
    guest_start(g, "waits", 2);
    CHECK_EQ(guest_call(g, 0, RAX(HV_CALL_NOTIFY_PAGE), arg), 0);
    CHECK_EQ(hv_mem_unmap(g->id, AGENT_STACKS + PAGE, 1), -(uint64_t)HV_EBUSY); /* pinned */
    for (uint64_t ms = 1; ms <= 30; ms += 7) {
        uint64_t start = guest_do(g, 0, AGENT_TSC, 0, 0, 0, 0), here = lab_now();
        arg[0] = start + ms * lab_ms();
        CHECK_EQ(guest_call(g, 0, RAX(HV_CALL_NOTIFY_WAIT), arg), -(uint64_t)HV_ETIME);
        uint64_t end = guest_do(g, 0, AGENT_TSC, 0, 0, 0, 0);
        CHECK(end >= arg[0]);
        CHECK(lab_now() - here >= ms * lab_ms() / 2);
    }
    /* Times that are over, also when the guest's clock was set. */
    struct hv_msrs m;
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
    m.tsc = 1ULL << 62;
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
    arg[0] = 5;
    CHECK_EQ(guest_call(g, 0, RAX(HV_CALL_NOTIFY_WAIT), arg), -(uint64_t)HV_ETIME);
    arg[0] = 1ULL << 62;
    CHECK_EQ(guest_call(g, 0, RAX(HV_CALL_NOTIFY_WAIT), arg), -(uint64_t)HV_ETIME);
    /* A wait without end is kicked, paused, and ended by destruction. */
    guest_box(g, 0)->arg[4] = guest_box(g, 0)->arg[5] = 0;
    guest_go(g, 0, AGENT_CALL, RAX(HV_CALL_NOTIFY_WAIT), 0, 0, 0);
    guest_until(g, 0, HV_VCPU_BLOCKED);
    CHECK_EQ(hv_vcpu_kick(g->id, 0), 0);
    expect_kick(g, 0);
    guest_until(g, 0, HV_VCPU_BLOCKED);
    CHECK_EQ(hv_domain_pause(g->id), 0);
    CHECK_EQ(hv_domain_resume(g->id), 0);
    guest_until(g, 0, HV_VCPU_BLOCKED);
    CHECK_EQ(guest_destroy(g), 0);
}

void services_load(void)
{
    struct guest *g = guest_slot(0);
    struct audit before = lab_audit();
    guest_start(g, "kicks", 2);
    services_claim(g);
    for (uint64_t i = lab_argument("rounds", 1); i; i--) {
        kicks(g);
        kicks_into_accesses(g);
        events_into_accesses(g);
    }
    CHECK_EQ(guest_destroy(g), 0);
    deadlines();
    second_level_wait();
    load();
    lab_audit_check(&before, "services");
}
