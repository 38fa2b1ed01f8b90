/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines of vCPUs without a local APIC; see irq_level.h. `deadline` and `edges` belong to the CPU that runs
 * the vCPU, or to the holder of the management lock while it does not run; the timer's interrupt, wherever it
 * comes, only asks for a look (REQUEST_APIC), which also ends a HLT for as long as the service takes.
 *
 * SDM volume 3, "TSC-Deadline Mode": the timer fires once when the TSC has reached the deadline and is disarmed
 * then; 0 disarms it.
 */
#include "hv/core/irq_level.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/vmx/guest_state.h"
#include "arch/vmx/inject.h"
#include "hv/core/domain.h"
#include "hv/core/sched.h"

static void came(struct timer *t)
{
    sched_request((struct vcpu *)(void *)((uint8_t *)t - offsetof(struct vcpu, apic_timer)), REQUEST_APIC);
}

void irq_level_init(struct vcpu *v)
{
    v->apic_timer.fire = came;
}

static void expire(struct vcpu *v, uint64_t tsc)
{
    if (!v->deadline || tsc + v->tsc_offset < v->deadline)
        return;
    v->deadline = 0;
    v->edges++;
}

bool irq_level_due(struct vcpu *v)
{
    uint64_t tsc = rdtsc();
    timer_cancel(&v->apic_timer);
    expire(v, tsc);
    if (v->deadline) {
        uint64_t at = tsc + (v->deadline - (tsc + v->tsc_offset));
        timer_set(&v->apic_timer, at < tsc ? UINT64_MAX : at);
    }
    return v->edges || v->output_told != atomic_load_acquire(&v->output_changes);
}

static uint64_t levels(const struct vcpu *v)
{
    return atomic_load_acquire(&v->outputs[0]) | atomic_load_acquire(&v->outputs[1]) |
           atomic_load_acquire(&v->outputs[2]);
}

/* The bit first, then the count of changes, then the request: who sees the count sees the bit. */
int irq_level_drive(struct vcpu *v, uint32_t number, bool edge, unsigned source, bool level)
{
    uint64_t bit = BIT(number), was;
    if (edge ? !level : source >= sizeof(v->outputs) / sizeof(v->outputs[0]))
        return -HV_ENXIO;
    if (edge) {
        atomic_fetch_add_full(&v->output_edge_count, 1);
        was = atomic_fetch_or_full(&v->output_edges, bit);
    } else if (level) {
        was = levels(v);
        atomic_fetch_or_full(&v->outputs[source], bit);
    } else {
        was = ~atomic_fetch_and_full(&v->outputs[source], ~bit) | levels(v);
    }
    if (was & bit)
        return 0;
    atomic_fetch_add_full(&v->output_changes, 1);
    sched_request(v, REQUEST_APIC);
    return 1;
}

void irq_level_moved(struct vcpu *v)
{
    if (irq_level_due(v))
        sched_request(v, REQUEST_APIC);
}

bool irq_level_read(const struct vcpu *v, uint64_t *deadline)
{
    *deadline = rdtsc() + v->tsc_offset < v->deadline ? v->deadline : 0;
    return v->domain->tsc_deadline;
}

bool irq_level_write(struct vcpu *v, uint64_t deadline)
{
    if (!v->domain->tsc_deadline)
        return false;
    expire(v, rdtsc());
    v->deadline = deadline;
    irq_level_moved(v);
    return true;
}

void irq_level_publish(struct vcpu *v)
{
    struct hv_service *s = v->service;
    bool can = inject_can_external() && !inject_is_set(), waits = v->external_pending;
    expire(v, rdtsc());
    v->edges_told += v->edges;
    v->output_told = atomic_load_acquire(&v->output_changes);
    uint64_t edges = v->output_edges ? atomic_exchange_full(&v->output_edges, 0) : 0;
    if (edges)
        v->output_edges_told += atomic_exchange_full(&v->output_edge_count, 0);
    s->device_irq_level = (v->edges ? HV_IRQ_TIMER : 0) | edges | levels(v);
    s->device_irq_edges = v->edges_told;
    s->routed_edges = v->output_edges_told;
    s->flags = (guest_rflags() & RFLAGS_IF ? HV_SERVICE_IF : 0) | (can && !waits ? HV_SERVICE_READY : 0) |
               (waits ? HV_SERVICE_WAITING : 0) | (v->halted ? HV_SERVICE_HALTED : 0);
    s->cr8 = v->cr8;
    v->edges = 0;
}

uint64_t irq_level_get(const struct vcpu *v)
{
    return v->edges ? 1 : v->deadline;
}

void irq_level_set(struct vcpu *v, uint64_t deadline)
{
    v->edges = 0;
    v->deadline = deadline;
    irq_level_moved(v);
}
