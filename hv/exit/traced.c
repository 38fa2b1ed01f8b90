/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way round on a CPU that is traced (hv/core/trace.h), and the records that are written on it; guest_abi/hv_trace.h
 * says what is in each. What an exit causes is read from the exit itself, before it is handled, so that no other file has
 * to know of tracing. All on the CPU that runs v, with its VMCS current.
 */

#include "arch/cpu/vectors.h"
#include "arch/vmx/guest_state.h"
#include "arch/vmx/inject.h"
#include "hv/core/trace.h"
#include "hv/exit/serve.h"
#include "hv/route/doorbell.h"
#include "hv/vapic/vapic.h"

#define MESSAGE_MEANS                                                                                        \
    0xcfffU /* of ICR and message data: vector, delivery and destination mode, level, trigger */

static uint64_t interrupt(void)
{
    uint8_t vector = (uint8_t)vm_exit_interrupt();
    return vector | (uint64_t)(vector == VECTOR_TIMER         ? HV_TRACE_HOST_TIMER
                               : vector <= VECTOR_DEVICE_LAST ? HV_TRACE_HOST_DEVICE
                                                              : HV_TRACE_HOST_OTHER)
                        << 32;
}

static uint64_t detail(const union gprs *g, uint32_t reason)
{
    switch (reason) {
    case EXIT_EXTERNAL_INTERRUPT:
        return interrupt();
    case EXIT_CPUID:
        return (uint32_t)g->rax | g->rcx << 32;
    case EXIT_VMCALL:
        return g->rax;
    case EXIT_RDMSR:
        return (uint32_t)g->rcx;
    case EXIT_WRMSR:
        return (uint32_t)g->rcx | g->rax << 32;
    case EXIT_EPT_VIOLATION:
        return vm_exit_memory().gpa;
    default:
        return vm_exit_qualification();
    }
}

static void send(const struct vcpu *v, enum hv_trace_source source, uint64_t message, uint64_t domain,
                 uint32_t gsi, uint64_t b)
{
    trace_write(v, HV_TRACE_SEND, message & MESSAGE_MEANS,
                source | (domain & 0xffff) << 16 | (uint64_t)gsi << 32, b);
}

/* What it is bound to; of a GSI whose route is a message, the vector too. Under HAZARD_ALL. */
static void send_notifier(const struct vcpu *v, enum hv_trace_source source, struct notifier *n, uint64_t b)
{
    struct hv_notifier_info info;
    notifier_info(n, &info);
    if (info.bind.kind != HV_NOTIFIER_GSI) {
        send(v, source, 0, n->owner, HV_TRACE_NO_GSI, b);
        return;
    }
    const struct domain *d = domain_get(info.bind.domain);
    const struct routing *r = d ? atomic_load_acquire(&d->routing) : NULL;
    uint64_t word = r && info.bind.gsi < r->limits.gsis ? route_get(r, info.bind.gsi) : 0;
    send(v, source, route_kind(word) == ROUTE_MSI ? word >> 45 : 0, info.bind.domain, info.bind.gsi, b);
}

/* A write there, of a width or (0) an unknown one: only doorbells without a value are found. */
static void send_doorbell(const struct vcpu *v, uint32_t space, uint64_t address, uint32_t width)
{
    const struct doorbells *all = atomic_load_acquire(&v->domain->doorbells);
    const struct doorbell *b = NULL;
    hazard_enter(HAZARD_ALL);
    for (uint32_t w = width ? width : 1; all && w <= (width ? width : 8) && !b; w *= 2)
        b = doorbell_find(all, space, address, w, 0);
    if (b && !(b->kind & BIT(16)) && atomic_load_acquire(&b->notifier->generation) == b->generation)
        send_notifier(v, HV_TRACE_DOORBELL, b->notifier, address);
    hazard_leave();
}

static void send_call(const struct vcpu *v, const union gprs *g)
{
    if (g->rax >> 32 != HV_CALL_MAGIC)
        return;
    if ((uint32_t)g->rax == HV_CALL_IRQ_LINE)
        send(v, HV_TRACE_LINE, 0, g->rdi, (uint32_t)g->rsi, g->rdx);
    else if ((uint32_t)g->rax == HV_CALL_SIGNAL_MSI)
        send(v, HV_TRACE_MESSAGE, g->rdx, g->rdi, HV_TRACE_NO_GSI, g->rsi);
    else if ((uint32_t)g->rax == HV_CALL_VCPU_INJECT)
        send(v, HV_TRACE_INJECT, g->r10, g->rdi, HV_TRACE_NO_GSI, g->rsi);
    else if ((uint32_t)g->rax == HV_CALL_NOTIFIER_SIGNAL) {
        hazard_enter(HAZARD_ALL);
        struct notifier *n = notifier_find(g->rdi);
        if (n)
            send_notifier(v, HV_TRACE_NOTIFIER, n, g->rdi);
        hazard_leave();
    }
}

/* A write to a register of the local APIC, by its offset in the page; of EOI the value is of no matter. */
static void apic_write(const struct vcpu *v, const struct vlapic *a, uint32_t offset, uint64_t value)
{
    if (offset == APIC_ICR)
        send(v, HV_TRACE_IPI, value, v->domain->id, HV_TRACE_NO_GSI, value >> 32);
    else if (offset == APIC_SELF_IPI)
        send(v, HV_TRACE_IPI, value & 0xff, v->domain->id, HV_TRACE_NO_GSI, a->id);
    else if (offset == APIC_EOI)
        trace_write(v, HV_TRACE_EOI, vlapic_highest(a, APIC_ISR), 0, 0);
    else if (offset == APIC_TMICT)
        trace_write(v, HV_TRACE_ARM, 1, (uint32_t)value, 0);
}

static void of_apic(const struct vcpu *v, uint32_t reason)
{
    const struct vlapic *a = &vapic_of(v)->lapic;
    uint64_t value = (uint32_t)v->vmx.gprs.rax | v->vmx.gprs.rdx << 32, q = vm_exit_qualification();
    uint32_t msr = (uint32_t)v->vmx.gprs.rcx, offset = (uint32_t)q & 0xff0;
    if (reason == EXIT_EOI)
        trace_write(v, HV_TRACE_EOI, (uint8_t)q, 0, 0);
    else if (reason == EXIT_APIC_ACCESS && (q & 0xffff) == (1U << 12 | APIC_EOI)) /* a write */
        apic_write(v, a, APIC_EOI, 0);
    else if (reason == EXIT_APIC_WRITE)
        apic_write(v, a, offset,
                   vlapic_reg_get(a, offset) | (uint64_t)(vlapic_reg_get(a, APIC_ICR2) >> 24) << 32);
    else if (reason == EXIT_WRMSR && msr == MSR_IA32_TSC_DEADLINE)
        trace_write(v, HV_TRACE_ARM, 0, value, 0);
    else if (reason == EXIT_WRMSR && vlapic_mode(a) == VLAPIC_X2APIC && msr >= X2APIC_MSR_FIRST)
        apic_write(v, a, (msr - X2APIC_MSR_FIRST) * 16, value);
}

static uint64_t timers(const struct vcpu *v)
{
    return v->apic ? vapic_of(v)->lapic.stats[VLAPIC_STAT_TIMER] : 0;
}

static void write_exit(struct vcpu *v, uint32_t reason)
{
    const union gprs *g = &v->vmx.gprs;
    v->traced_timers = timers(v);
    trace_write(v, HV_TRACE_EXIT, (uint16_t)(reason | reason >> 16), detail(g, reason), guest_rip());
    if (reason == EXIT_IO && !(vm_exit_io_word() & (VM_EXIT_IO_IN | VM_EXIT_IO_STRING)))
        send_doorbell(v, HV_CLAIM_PIO, (uint16_t)(vm_exit_io_word() >> 16),
                      (uint32_t)(vm_exit_io_word() & 7) + 1);
    else if (reason == EXIT_EPT_VIOLATION)
        send_doorbell(v, HV_CLAIM_MMIO, vm_exit_memory().gpa, 0);
    else if (reason == EXIT_VMCALL)
        send_call(v, g);
    else if (v->apic)
        of_apic(v, reason);
}

void traced_leave(struct vcpu *v)
{
    v->traced_runnable = v->ticks[ACCOUNT_RUNNABLE];
    trace_write(v, HV_TRACE_LEAVE,
                v->blocked ? HV_TRACE_BLOCKED
                : v->holds ? HV_TRACE_HELD
                           : HV_TRACE_PREEMPTED,
                0, 0);
}

void traced_run(struct vcpu *v)
{
    v->traced_timers = timers(v);
    trace_write(v, HV_TRACE_RUN, 0, v->ticks[ACCOUNT_RUNNABLE] - v->traced_runnable, 0);
}

static void write_entry(struct vcpu *v)
{
    const struct vapic *a = v->apic;
    uint32_t error, info = inject_get(&error), status = a && a->delivers ? apicv_status() : 0;
    info = info & BIT(31) ? info : 0;
    if (timers(v) != v->traced_timers)
        send(v, HV_TRACE_TIMER, vlapic_reg_get(&a->lapic, APIC_LVT_TIMER) & 0xff, v->domain->id,
             HV_TRACE_NO_GSI, a->lapic.timer.deadline);
    trace_write(v, HV_TRACE_ENTRY, (info ? info : status) & 0xff, info | (uint64_t)status << 32,
                a ? a->lapic.stats[VLAPIC_STAT_ACCEPTED] : 0);
}

struct vmx_context *hv_vmexit_traced(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    uint64_t rax = c->gprs.rax, argument = c->gprs.rdi;
    uint32_t reason = vm_exit_reason();
    percpu_count_exit();
    write_exit(v, reason);
    exit_dispatch(v, reason);
    /* With the same RAX a call will be made again: it is told then. */
    if (reason == EXIT_VMCALL && rax >> 32 == HV_CALL_MAGIC && c->gprs.rax != rax)
        trace_write(v, HV_TRACE_CALL, (uint16_t)rax, argument, c->gprs.rax);
    if (atomic_load_relaxed(&v->requests) || vcpu_posted(v))
        v = serve_with(v, true);
    write_entry(v);
    return CONFIG_DEBUG ? &checked(v)->vmx : &v->vmx;
}
