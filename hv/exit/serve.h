/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slow part of the way round: what hangs on the request word of a vCPU. In a header because there are two copies of it,
 * run.c's and, for CPUs that are traced, traced.c's: so tracing that is off costs nothing.
 */
#ifndef HV_EXIT_SERVE_H
#define HV_EXIT_SERVE_H

#include "arch/cpu/insn.h"
#include "arch/vmx/inject.h"
#include "arch/vmx/vmcs_check.h"
#include "hv/core/domain0.h"
#include "hv/core/event.h"
#include "hv/core/irq_level.h"
#include "hv/core/notify.h"
#include "hv/core/page.h"
#include "hv/core/panic.h"
#include "hv/core/sched.h"
#include "hv/core/service.h"
#include "hv/exit/apic.h"
#include "hv/exit/exit.h"
#include "hv/vapic/vapic_newer.h"

/* traced.c: v stops running here, v runs here now. */
void traced_leave(struct vcpu *v);
void traced_run(struct vcpu *v);

static inline void answer(struct vcpu *v)
{
    uint32_t kind = v->service_kind & ~(uint32_t)SERVICE_ANSWERED;
    atomic_store_relaxed(&v->service_kind, (uint32_t)HV_EXIT_NONE);
    if (kind == HV_EXIT_PIO)
        exit_io_answer(v);
    else if (kind == HV_EXIT_MMIO)
        exit_mmio_answer(v);
    else if (kind == HV_EXIT_DECODE && v->service->decode.action == 1)
        exit_inject_ud(v);
}

/*
 * A vCPU in HLT or a wait goes on only when there is a reason; true: another one is to run. Otherwise its requests and
 * what was posted are to be looked at (again). `doze`: its CPU may wait for them.
 */
static inline bool sleeps(struct vcpu *v, bool doze)
{
    if (v->waiting && notify_finish_wait(v))
        v->halted = false;
    if (v->halted && (inject_is_set() || (v->apic && !apic_idle(v))))
        v->halted = false;
    if (!v->halted && !v->waiting && !(v->apic && apic_idle(v)))
        return false;
    vapic_place(v, VAPIC_ASLEEP);
    if (!(doze && sched_doze(v)) && sched_block(v))
        return true;
    vapic_place(v, VAPIC_HERE);
    return false;
}

/*
 * While a service is open the page is the manager's and the access is not finished, so that it can still
 * raise a fault: a kick and events wait for the answer. Returns the requests that are to be served now.
 */
static inline uint32_t postpone(struct vcpu *v, uint32_t requests)
{
    uint32_t later = requests & (REQUEST_KICK | REQUEST_EVENT | REQUEST_APIC);
    if (later)
        atomic_fetch_or_full(&v->requests, later);
    return requests & ~later;
}

/* A debug build looks before each entry. */
static inline struct vcpu *checked(struct vcpu *v)
{
    const struct domain *d = v->domain;
    const char *broken =
        vmcs_invariants(&v->vmx, ept_pointer(&d->ept), v->msr_bitmap, page_pa(v->msr_bitmap));
    if (broken)
        panic("domain %u, vCPU %u: %s", d->id, v->index, broken);
    return v;
}

_Static_assert(offsetof(struct vcpu, requests) == VMX_CONTEXT_PENDING, "vmentry.S tests it");

#define ROUNDS 8

/* All requests but to reschedule, and notifications, which `sleeps` looks for. */
static __attribute__((noinline)) void act(struct vcpu *v, uint32_t requests)
{
    if (__builtin_expect(requests & REQUEST_RESTART, 0))
        domain0_restart(v);
    if (requests & REQUEST_ANSWER)
        answer(v);
    if (v->service_kind != HV_EXIT_NONE)
        requests = postpone(v, requests);
    if (requests & REQUEST_KICK)
        service_report(v, HV_EXIT_KICK);
    else if ((requests & REQUEST_APIC) && !v->apic && irq_level_due(v))
        service_report(v, HV_EXIT_IRQ_LEVEL);
    if (v->apic && (requests & (REQUEST_EVENT | REQUEST_APIC)))
        apic_prepare(v, requests);
    else if (requests & REQUEST_EVENT)
        (void)event_prepare(v);
}

/* Serves the requests of v, or of whoever runs instead, until one can be entered. */
static inline struct vcpu *serve_with(struct vcpu *v, bool traced)
{
    for (uint32_t rounds = 1;; rounds++) {
        uint32_t requests = atomic_exchange_full(&v->requests, 0);
        if (vcpu_posted(v))
            requests |= REQUEST_EVENT;
        uint32_t some = requests & ~(uint32_t)(REQUEST_RESCHED | REQUEST_NOTIFY);
        if (some == REQUEST_EVENT && v->apic && v->service_kind == HV_EXIT_NONE)
            apic_prepare(v, requests);
        else if (some)
            act(v, requests);
        /*
         * What came meanwhile, requested or posted, is served before anything else: it may be why the vCPU did
         * not fall asleep. Where many send, this may go on and on, so the machine's interrupts are taken here too, as
         * the guest's instructions would let them: the end of a slice, calls of other CPUs.
         */
        bool resched = requests & REQUEST_RESCHED;
        bool stop = atomic_load_relaxed(&v->holds) || sleeps(v, !resched && !traced) || resched;
        if (!stop && !atomic_load_relaxed(&v->requests) && !vcpu_posted(v))
            return v;
        if (stop) {
            if (!v->blocked)
                vapic_place(v, VAPIC_AWAY);
            if (traced)
                traced_leave(v);
            v = sched_next(v);
            vcpu_load(v);
            vapic_place(v, VAPIC_HERE);
            if (traced)
                traced_run(v);
        } else if (rounds % ROUNDS == 0) {
            sti_nop_cli();
            if (!v->halted && !v->waiting && !atomic_load_relaxed(&v->requests) && vcpu_posted(v) &&
                vapic_enter_posted(v))
                return v;
        }
    }
}

#endif
