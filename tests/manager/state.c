/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of a vCPU's state: what is set can be read back, what cannot be entered is refused and
 * changes nothing, and what is set has its effect also on a vCPU that sleeps.
 */
#include "tests/manager/state.h"

#include <string.h>

#define ROUNDS 40U

static const size_t fixed_size[] = {sizeof(struct hv_regs), sizeof(struct hv_sregs), sizeof(struct hv_msrs),
                                    0, sizeof(struct hv_events)};
static uint32_t xsave_size;

size_t state_size(enum hv_state_kind kind)
{
    return kind == HV_STATE_XSAVE ? xsave_size : fixed_size[kind];
}

void state_get(const struct guest *g, enum hv_state_kind kind, union record *r)
{
    memset(r, 0xa5, sizeof(*r));
    CHECK_EQ(call_vcpu_get(g->id, 0, kind, r, state_size(kind)), 0);
    if (kind == HV_STATE_MSRS)
        r->msrs.tsc = 0; /* it does not stand still */
}

int64_t state_set(const struct guest *g, enum hv_state_kind kind, const union record *r)
{
    return call_vcpu_set(g->id, 0, kind, r, state_size(kind));
}

static void probe_xsave(const struct guest *g)
{
    static union record r;
    for (uint32_t size = 64 + 512; size <= PAGE && !xsave_size; size += 8)
        if (!call_vcpu_get(g->id, 0, HV_STATE_XSAVE, &r, size))
            xsave_size = size;
    CHECK(xsave_size != 0);
}

static void random_bytes(void *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)to)[i] = (uint8_t)lab_random(256);
}

static uint64_t random_canonical(void)
{
    return (uint64_t)((int64_t)(lab_random(1ULL << 53) << 16) >> 16);
}

/* Random values that are all right, on top of what is there. */
static void randomize(enum hv_state_kind kind, union record *r)
{
    switch (kind) {
    case HV_STATE_REGS:
        random_bytes(&r->regs, offsetof(struct hv_regs, rip));
        r->regs.rip = random_canonical();
        r->regs.rflags = (lab_random(1U << 22) & 0x217fd7) | 2;
        break;
    case HV_STATE_SREGS:
        random_bytes(r->sregs.dr, sizeof(r->sregs.dr));
        r->sregs.cr2 = lab_random(UINT64_MAX);
        r->sregs.fs.base = random_canonical();
        r->sregs.gs.base = random_canonical();
        r->sregs.gdt = (struct hv_table){random_canonical(), (uint32_t)lab_random(0x10000), 0};
        r->sregs.idt = (struct hv_table){random_canonical(), (uint32_t)lab_random(0x10000), 0};
        break;
    case HV_STATE_MSRS:
        r->msrs.star = lab_random(UINT64_MAX);
        r->msrs.lstar = random_canonical();
        r->msrs.cstar = random_canonical();
        r->msrs.fmask = lab_random(1ULL << 32);
        r->msrs.kernel_gs_base = random_canonical();
        r->msrs.tsc_aux = lab_random(1ULL << 32);
        r->msrs.sysenter_cs = lab_random(1ULL << 32);
        r->msrs.sysenter_esp = random_canonical();
        r->msrs.sysenter_eip = random_canonical();
        r->msrs.pat = 0x0706050401000604ULL;
        r->msrs.tsc_adjust = lab_random(UINT64_MAX);
        r->msrs.misc_enable = lab_random(2);
        break;
    case HV_STATE_XSAVE:
        r->xsave.area[512] |= 3; /* x87 and SSE state is in it */
        random_bytes(r->xsave.area + 32, 128);
        random_bytes(r->xsave.area + 160, 256);
        for (unsigned i = 0; i < 8; i++) /* ten bytes each, the rest is reserved */
            memset(r->xsave.area + 32 + 16 * i + 10, 0, 6);
        break;
    case HV_STATE_EVENTS:
        r->events.nmi_pending = (uint32_t)lab_random(3);
        r->events.external_pending = lab_random(2) ? 0x100U | (uint32_t)lab_random(256) : 0;
        r->events.activity = (uint32_t)lab_random(2);
        r->events.interruptibility = (uint32_t)(lab_random(2) << 3 | lab_random(3));
        break;
    case HV_STATE_LAPIC: /* these domains have none */
        break;
    }
}

static void round_trips(const struct guest *g)
{
    static union record old, set, got;
    for (enum hv_state_kind kind = HV_STATE_REGS; kind <= HV_STATE_EVENTS; kind++) {
        state_get(g, kind, &old);
        CHECK_EQ(state_set(g, kind, &old), 0);
        state_get(g, kind, &got);
        CHECK_CASE(memcmp(&old, &got, state_size(kind)), 0, "kind %d as it was", kind);
        for (unsigned i = 0; i < ROUNDS; i++) {
            set = old;
            randomize(kind, &set);
            CHECK_CASE(state_set(g, kind, &set), 0, "kind %d, round %u", kind, i);
            state_get(g, kind, &got);
            CHECK_CASE(memcmp(&set, &got, state_size(kind)), 0, "kind %d, round %u", kind, i);
        }
        CHECK_EQ(state_set(g, kind, &old), 0);
    }
}

/* Other vCPUs' sets do not reach it, and its own survives others that run. */
static void time_is_set(const struct guest *g)
{
    struct hv_msrs m;
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
    m.tsc = 1ULL << 50;
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_MSRS, &m, sizeof(m)), 0);
    CHECK(m.tsc >= 1ULL << 50 && m.tsc < (1ULL << 50) + 1000 * lab_ms());
}

static void refused_while_running(struct guest *g)
{
    static union record r[5];
    for (enum hv_state_kind kind = HV_STATE_REGS; kind <= HV_STATE_EVENTS; kind++)
        state_get(g, kind, &r[kind]);
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    for (enum hv_state_kind kind = HV_STATE_REGS; kind <= HV_STATE_EVENTS; kind++)
        CHECK_EQ(state_set(g, kind, &r[kind]), -(uint64_t)HV_EBUSY);
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_EXCEPTION, 3, 0), -(uint64_t)HV_EBUSY);
    for (unsigned i = 0; i < 100; i++)
        for (enum hv_state_kind kind = HV_STATE_REGS; kind <= HV_STATE_EVENTS; kind++)
            state_get(g, kind, &r[kind]); /* reading is allowed and does not disturb it */
    guest_box(g, 0)->stop = 1;
    guest_done(g, 0);
    CHECK_EQ(guest_box(g, 0)->vector, 0);
}

/* What is set for a vCPU that sleeps in HLT, while its domain is paused, is what it does then. */
static void sleeping(struct guest *g)
{
    struct mailbox *box = guest_box(g, 0);
    union record r;
    guest_go(g, 0, AGENT_HLT, 1, 0, 0, 0);
    guest_until(g, 0, HV_VCPU_BLOCKED);
    for (unsigned how = 0; how < 4; how++) {
        uint64_t nmis = box->nmis, interrupts = box->interrupts, counter = box->counter;
        CHECK_EQ(hv_domain_pause(g->id), 0);
        state_get(g, HV_STATE_EVENTS, &r);
        CHECK_EQ(r.events.activity, 1);
        if (how == 0)
            r.events.nmi_pending = 1;
        else if (how == 1)
            r.events.external_pending = 0x100 | 0x55;
        else if (how == 2)
            r.events.activity = 0;
        if (how < 3)
            CHECK_EQ(state_set(g, HV_STATE_EVENTS, &r), 0);
        else
            CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_EXTERNAL, 0x56, 0), 0);
        CHECK_EQ(hv_domain_resume(g->id), 0);
        for (unsigned i = 0; i < 200 && box->counter == counter; i++)
            lab_sleep(1);
        CHECK_CASE((int64_t)box->counter, (int64_t)counter + 1, "woken by %u", how);
        CHECK_CASE((int64_t)box->nmis, (int64_t)nmis + (how == 0), "NMIs, %u", how);
        CHECK_CASE((int64_t)box->interrupts, (int64_t)interrupts + (how & 1), "interrupts, %u", how);
        guest_until(g, 0, HV_VCPU_BLOCKED);
    }
    /* Registers: it goes on elsewhere, awake. */
    CHECK_EQ(hv_domain_pause(g->id), 0);
    guest_reset_vcpu(g, 0);
    CHECK_EQ(hv_domain_resume(g->id), 0);
    guest_done(g, 0);
    /* An exception ends the HLT; the agent's handler ends the command. */
    guest_go(g, 0, AGENT_HLT, 1, 0, 0, 0);
    guest_until(g, 0, HV_VCPU_BLOCKED);
    CHECK_EQ(hv_domain_pause(g->id), 0);
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_EXCEPTION, 13, 0x1234), 0);
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_EXCEPTION, 6, 0), -(uint64_t)HV_EBUSY);
    CHECK_EQ(hv_domain_resume(g->id), 0);
    guest_done(g, 0);
    CHECK_EQ(box->vector, 0x10d);
    CHECK_EQ(box->error, 0x1234);
    /* Put to sleep from outside. */
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK_EQ(hv_domain_pause(g->id), 0);
    state_get(g, HV_STATE_EVENTS, &r);
    r.events.activity = 1;
    CHECK_EQ(state_set(g, HV_STATE_EVENTS, &r), 0);
    CHECK_EQ(hv_domain_resume(g->id), 0);
    guest_until(g, 0, HV_VCPU_BLOCKED);
    CHECK_EQ(hv_vcpu_inject(g->id, 0, HV_INJECT_NMI, 0, 0), 0);
    box->stop = 1;
    guest_done(g, 0);
}

/* What is not refused and cannot be entered costs the domain its life, and nobody else. */
static void not_enterable(void)
{
    struct guest *g = guest_slot(1);
    union record r;
    guest_start(g, "fails", 1);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_SREGS, &r, sizeof(r.sregs)), 0);
    r.sregs.cs.access = 0; /* present is missing, and much else */
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_SREGS, &r, sizeof(r.sregs)), 0);
    CHECK_EQ(guest_complete(g, 0), 0);
    guest_dead(g);
    CHECK_EQ(guest_domain(g).reason, HV_DEAD_ENTRY_FAILED);
    CHECK_EQ(guest_destroy(g), 0);
}

void test_state(void)
{
    struct guest *g = guest_slot(0);
    struct audit before;
    guest_start(g, "warm", 1);
    CHECK_EQ(guest_destroy(g), 0);
    before = lab_audit();
    CHECK_EQ(guest_build(g, "state", 1), 0);
    probe_xsave(g);
    round_trips(g); /* never started */
    state_refused(g);
    guest_reset_vcpu(g, 0);
    CHECK_EQ(hv_vcpu_start(g->id, 0), 0);
    guest_done(g, 0);
    round_trips(g); /* in service */
    state_refused(g);
    refused_while_running(g);
    sleeping(g);
    time_is_set(g);
    CHECK_EQ(guest_do(g, 0, AGENT_RMW, AGENT_SCRATCH, RMW_OR, 5, 0), 5);
    not_enterable();
    guest_go(g, 0, AGENT_TRIPLE, 0, 0, 0, 0);
    guest_dead(g);
    round_trips(g); /* dead */
    CHECK_EQ(guest_destroy(g), 0);
    lab_audit_check(&before, "state");
}
