/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way (vmentry.S) for what guests do with their local APICs all the time: a unicast fixed IPI and a
 * TSC deadline by WRMSR, and the interrupt of the machine's timer that ends such a deadline. Each does the
 * usual case only and declines everything else, with nothing changed, to the handlers in apic.c, msr.c and
 * intr.c.
 */
#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/vectors.h"
#include "hv/core/pcpu.h"
#include "hv/exit/exit.h"
#include "hv/vapic/deliver.h"
#include "hv/vapic/deliver_edge.h"

#define MSR_X2APIC_ICR (X2APIC_MSR_FIRST + APIC_ICR / 16)
#define OTHERS         ((uint32_t)APIC_TO_OTHERS << APIC_ICR_SHORTHAND_SHIFT)
#define FAR            BIT(62) /* TSC ticks: longer deadlines need care with overflow */

/* The instruction is done. */
static inline uint64_t done(struct vcpu *v)
{
    percpu_count_exit();
    v->exits[EXIT_WRMSR]++;
    vm_exit_advance();
    return 1;
}

static inline void sent(struct vapic *a, uint32_t low, uint32_t dest)
{
    vlapic_reg_set(&a->lapic, APIC_ICR, low);
    vlapic_reg_set(&a->lapic, APIC_ICR + 4, dest);
}

static __attribute__((noinline)) void send_to_others(const struct vcpu *v, struct vapic *a, uint8_t vector)
{
    const struct vapic_domain *apics = v->domain->apics;
    for (uint32_t id = 0; id < apics->map.end; id++) {
        struct vapic *one = deliver_find(apics, id);
        if (!one || one == a)
            continue;
        if (deliver_edge_can(one, vector))
            (void)deliver_posted(one, vector);
        else
            (void)deliver_to(one->vcpu, &(struct vlapic_message){.vector = vector});
    }
    a->lapic.stats[VLAPIC_STAT_IPI_BROADCAST]++;
    a->lapic.stats[VLAPIC_STAT_IPI]++;
}

/* To one, by its ID. */
static inline bool send(const struct vcpu *v, struct vapic *a, uint32_t low, uint32_t dest)
{
    struct vapic *one = deliver_find(v->domain->apics, dest);
    if ((low & ~(APIC_ICR_ASSERT | 0xffU)) || !one || !deliver_edge_can(one, (uint8_t)low))
        return false;
    (void)deliver_posted(one, (uint8_t)low);
    a->lapic.stats[VLAPIC_STAT_IPI]++;
    return true;
}

static inline bool is_to_others(uint32_t low)
{
    return (low & ~(APIC_ICR_ASSERT | 0xffU)) == OTHERS && (uint8_t)low >= APIC_FIRST_LEGAL;
}

static __attribute__((noinline)) uint64_t wrmsr_to_others(struct vcpu *v, struct vapic *a, uint32_t low,
                                                          uint32_t dest)
{
    send_to_others(v, a, (uint8_t)low);
    sent(a, low, dest);
    return done(v);
}

/* A deadline ahead, while no other one is due. */
static __attribute__((noinline)) uint64_t arm(struct vcpu *v, struct vapic *a, uint64_t deadline)
{
    struct vlapic_timer *t = &a->lapic.timer;
    uint64_t tsc = rdtsc(), now = tsc + v->tsc_offset, left = deadline - now;
    if (t->mode != APIC_TIMER_DEADLINE || t->masked || left - 1 >= FAR || (t->armed && t->deadline <= now))
        return 0;
    t->deadline = deadline;
    t->armed = true;
    timer_move(&v->apic_timer, tsc + left);
    return done(v);
}

uint64_t hv_fast_wrmsr(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    struct vapic *a = v->apic;
    uint32_t msr = (uint32_t)c->gprs.rcx, low = (uint32_t)c->gprs.rax, high = (uint32_t)c->gprs.rdx;
    if (!a)
        return 0;
    if (msr != MSR_X2APIC_ICR)
        return msr == MSR_IA32_TSC_DEADLINE ? arm(v, a, (uint64_t)high << 32 | low) : 0;
    if (vlapic_mode(&a->lapic) != VLAPIC_X2APIC)
        return 0;
    if (!send(v, a, low, high))
        return is_to_others(low) ? wrmsr_to_others(v, a, low, high) : 0;
    sent(a, low, high);
    return done(v);
}

/* ICR in xAPIC mode. Trap-like: the value is in the page, and the instruction is behind us. */
uint64_t hv_fast_apic_write(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    struct vapic *a = v->apic;
    if ((vm_exit_qualification() & 0xff0) != APIC_ICR)
        return 0;
    uint32_t low = vlapic_reg_get(&a->lapic, APIC_ICR);
    if (!send(v, a, low & ~APIC_ICR_BUSY, vlapic_reg_get(&a->lapic, APIC_ICR2) >> 24)) {
        if (!is_to_others(low & ~APIC_ICR_BUSY))
            return 0;
        send_to_others(v, a, (uint8_t)low);
    }
    vlapic_reg_set(&a->lapic, APIC_ICR, low & ~APIC_ICR_BUSY);
    percpu_count_exit();
    v->exits[EXIT_APIC_WRITE]++;
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
