/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way (vmentry.S) for what guests do with their local APICs all the time: a unicast fixed IPI and a TSC
 * deadline by WRMSR, and the interrupt of the machine's timer that ends such a deadline. Each does the usual case
 * only and declines everything else, with nothing changed, to the handlers in apic.c, msr.c and intr.c.
 */
#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/vectors.h"
#include "hv/core/pcpu.h"
#include "hv/exit/exit.h"
#include "hv/vapic/deliver.h"

#define MSR_X2APIC_ICR (X2APIC_MSR_FIRST + APIC_ICR / 16)
#define FAR            BIT(62) /* TSC ticks: longer deadlines need care with overflow */

/* Physical destination, no shorthand, edge. */
static bool send(const struct vcpu *v, struct vapic *a, uint32_t low, uint32_t dest)
{
    const struct vapic_domain *apics = v->domain->apics;
    if ((low & ~(APIC_ICR_ASSERT | 0xffU)) || vlapic_mode(&a->lapic) != VLAPIC_X2APIC || dest >= CONFIG_MAX_VCPUS)
        return false;
    struct vlapic *target = apics->by_id[dest];
    if (!target || !deliver_edge(target, (uint8_t)low))
        return false;
    vlapic_reg_set(&a->lapic, APIC_ICR, low);
    vlapic_reg_set(&a->lapic, APIC_ICR + 4, dest);
    a->lapic.stats[VLAPIC_STAT_IPI]++;
    return true;
}

/* A deadline ahead, while no other one is due. */
static bool arm(struct vcpu *v, struct vapic *a, uint64_t deadline)
{
    struct vlapic_timer *t = &a->lapic.timer;
    uint64_t tsc = rdtsc(), now = tsc + v->tsc_offset, left = deadline - now;
    if (t->mode != APIC_TIMER_DEADLINE || t->masked || left - 1 >= FAR || (t->armed && t->deadline <= now))
        return false;
    t->deadline = deadline;
    t->armed = true;
    timer_move(&v->apic_timer, tsc + left);
    return true;
}

uint64_t hv_fast_wrmsr(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    struct vapic *a = v->apic;
    uint32_t msr = (uint32_t)c->gprs.rcx, low = (uint32_t)c->gprs.rax, high = (uint32_t)c->gprs.rdx;
    if (!a || !(msr == MSR_X2APIC_ICR              ? send(v, a, low, high)
                : msr == MSR_IA32_TSC_DEADLINE ? arm(v, a, (uint64_t)high << 32 | low)
                                               : false))
        return 0;
    percpu_count_exit();
    v->exits[EXIT_WRMSR]++;
    vm_exit_advance();
    return 1;
}

/* The deadline of the vCPU that runs here, and nothing else, has come. */
uint64_t hv_fast_interrupt(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    struct vapic *a = v->apic;
    if (vm_exit_interrupt_vector() != VECTOR_TIMER || !a || a->lapic.timer.mode == APIC_TIMER_PERIODIC ||
        !timer_take(&v->apic_timer))
        return 0;
    lapic_eoi();
    deliver_own_timer(v);
    percpu_count_exit();
    v->exits[EXIT_EXTERNAL_INTERRUPT]++;
    return 1;
}
