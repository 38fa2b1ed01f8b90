/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Injection of NMIs and plain external interrupts. What waits is in two words of the vCPU that anybody may
 * write; the CPU that runs it moves them into the VMCS, one per entry, NMI first, and asks for a window when
 * the guest cannot take it yet.
 */
#include "hv/core/event.h"

#include "arch/cpu/atomic.h"
#include "arch/vmx/inject.h"
#include "hv/core/sched.h"

#define EXTERNAL_VALID 0x100U
#define NMI_MAX        2U /* one being handled, one latched: SDM volume 3, "Handling Multiple NMIs" */

void event_external(struct vcpu *v, uint8_t vector)
{
    atomic_store_release(&v->external_pending, EXTERNAL_VALID | vector);
    sched_request(v, REQUEST_EVENT);
}

void event_nmi(struct vcpu *v)
{
    uint32_t n = atomic_load_relaxed(&v->nmi_pending);
    while (n < NMI_MAX && !atomic_compare_exchange_full(&v->nmi_pending, &n, n + 1))
        ;
    sched_request(v, REQUEST_EVENT);
}

static bool prepare_nmi(struct vcpu *v)
{
    if (!atomic_load_relaxed(&v->nmi_pending))
        return false;
    if (inject_is_set() || !inject_can_nmi()) {
        uint32_t two = NMI_MAX;
        if (inject_nmi_blocked()) /* one is being handled: only one more is latched */
            (void)atomic_compare_exchange_full(&v->nmi_pending, &two, 1);
        inject_window_nmi(true);
        return inject_is_set();
    }
    atomic_fetch_add_full(&v->nmi_pending, -1U);
    inject_nmi();
    if (atomic_load_relaxed(&v->nmi_pending))
        inject_window_nmi(true);
    return true;
}

static bool prepare_external(struct vcpu *v)
{
    if (!atomic_load_relaxed(&v->external_pending))
        return false;
    if (inject_is_set() || !inject_can_external()) {
        inject_window_external(true);
        return inject_is_set();
    }
    uint32_t external = atomic_exchange_full(&v->external_pending, 0);
    if (!external)
        return false;
    inject_external((uint8_t)external);
    return true;
}

bool event_prepare(struct vcpu *v)
{
    bool nmi = prepare_nmi(v);
    return prepare_external(v) || nmi;
}

void event_window(struct vcpu *v, bool nmi)
{
    if (nmi)
        inject_window_nmi(false);
    else
        inject_window_external(false);
    (void)event_prepare(v);
}

int event_exception(struct vcpu *v, uint8_t vector, uint32_t error_code)
{
    if (atomic_load_relaxed(&v->running) || !v->holds)
        return -HV_EBUSY;
    if (error_code && !inject_has_error_code(vector))
        return -HV_EINVAL;
    vcpu_access_begin(v);
    bool busy = inject_is_set();
    bool done = !busy && inject_exception(vector, error_code);
    vcpu_access_end(v);
    if (done)
        sched_request(v, REQUEST_EVENT); /* it ends a HLT */
    return done ? 0 : -HV_EBUSY;
}
