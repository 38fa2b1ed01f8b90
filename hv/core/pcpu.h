/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's block per physical CPU. struct percpu (arch/cpu) is its first member, so that GS
 * leads to both.
 */
#ifndef HV_CORE_PCPU_H
#define HV_CORE_PCPU_H

#include "arch/cpu/desc.h"
#include "arch/cpu/percpu.h"
#include "arch/vmx/vmx_caps.h"
#include "hv/core/timer.h"

struct runq;
struct vcpu;

struct pcpu {
    struct percpu arch;
    struct desc_tables desc;

    /* Private: only this CPU. */
    enum vmx_presence vmx_presence;
    struct vmx_caps caps;
    void *vmxon_region;
    bool vmx_active;
    bool has_tsc_aux;
    bool equipped;       /* extended state, run queue and window are there */
    struct vcpu *loaded; /* whose VMCS is current and whose switched state is in the hardware: vcpu_state.c */
    uint64_t start_tsc;  /* when it began to run vCPUs */
    uint64_t ticks_idle;
    uint64_t switches;

    /* Written by this CPU, read by others: what it is firing (hv/route/hazard.h). */
    uint64_t hazard;

    /* Each with a lock of its own. */
    struct runq *runq; /* sched.c */
    struct timer_queue timers;

    /* Under the management lock. */
    uint32_t assigned; /* vCPUs that belong here */
};

/* All CPUs that came up, by index; entries below pcpu_count are never NULL and never change. */
extern struct pcpu *pcpu_table[];
extern uint32_t pcpu_count;

/* TSC ticks per millisecond, constant after start. */
extern uint64_t pcpu_tsc_khz;

static inline struct pcpu *pcpu_self(void)
{
    return (struct pcpu *)percpu_self();
}

/* Makes the block of the next CPU: stacks, exception stacks, tables. NULL: the pool is empty. Adds
 * it to no table yet. */
struct pcpu *pcpu_new(uint32_t index, uint32_t apic_id);

/* Publishes a CPU that runs. */
void pcpu_add(struct pcpu *p);

#endif
