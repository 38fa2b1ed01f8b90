/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU's own block, reached through GS. GS.base is set once per CPU; a VM exit reloads it from the
 * VMCS, so no instruction is spent on it. struct percpu is the part that arch/ knows; hv/core
 * embeds it as the first member of its own.
 */
#ifndef ARCH_CPU_PERCPU_H
#define ARCH_CPU_PERCPU_H

#include "arch/cpu/bits.h"

struct desc_tables;
struct trace_ring;

struct percpu {
    /* Constant once the CPU is up. */
    struct percpu *self; /* GS:0 */
    uint32_t index;      /* dense, 0 = the CPU that booted */
    uint32_t apic_id;
    uint64_t stack_top;

    /* Private: only this CPU writes it. */
    void *context;            /* of the guest that it has entered last: vmentry.S */
    uint64_t exits;           /* VM exits */
    struct trace_ring *trace; /* hv/core/trace.h; not NULL: VM exits enter by vmx_exit_traced */

    /* Constant. */
    struct desc_tables *desc;
    uint32_t x2apic_logical; /* 0: not in x2APIC mode */

    /* Written by others: cross-CPU calls, smp.c. */
    struct smp_call *calls; /* lock-free stack of waiting requests */
    bool online;            /* release-stored by this CPU when it can take calls */
};

static inline struct percpu *percpu_self(void)
{
    struct percpu *p;
    __asm__("mov %%gs:0, %0" : "=r"(p));
    return p;
}

/* One instruction: this is on the path of every VM exit. */
static inline void percpu_count_exit(void)
{
    __asm__ volatile("incq %%gs:%c0" ::"i"(offsetof(struct percpu, exits)) : "memory", "cc");
}

#endif
