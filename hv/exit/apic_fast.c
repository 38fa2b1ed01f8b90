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
#include "hv/core/sched.h"
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

/* IDs below 64, a bit each, that a logical destination may name; 0: a broadcast, or nobody. */
static uint64_t logical_ids(const struct vapic_domain *apics, bool x2apic, uint32_t dest)
{
    const struct vlapic_map *map = &apics->map;
    uint64_t ids = 0;
    if (x2apic)
        return dest >> 16 < CONFIG_MAX_VCPUS / 16 ? (uint64_t)(dest & 0xffff) << (dest >> 16) * 16 : 0;
    if (dest == APIC_BROADCAST)
        return 0;
    for (uint32_t bits = dest; bits; bits &= bits - 1)
        ids |= map->logical[VLAPIC_MAP_FLAT + __builtin_ctz(bits)][0];
    for (uint32_t bits = dest & 15; bits; bits &= bits - 1)
        ids |= map->logical[VLAPIC_MAP_CLUSTER + (dest >> 4) * 4 + (uint32_t)__builtin_ctz(bits)][0];
    return ids;
}
_Static_assert(CONFIG_MAX_VCPUS <= 64, "a set is one word");

/* To several: all others, or a logical destination among the APICs that are in the sender's mode. */
static __attribute__((noinline)) bool send_to_set(const struct vcpu *v, struct vapic *a, uint32_t low,
                                                  uint32_t dest)
{
    const struct vapic_domain *apics = v->domain->apics;
    enum vlapic_mode mode = vlapic_mode(&a->lapic);
    uint32_t kind = low & ~(APIC_ICR_ASSERT | 0xffU);
    uint8_t vector = (uint8_t)low;
    uint64_t ids = kind == OTHERS             ? MASK(apics->map.end - 1, 0) & ~BIT(a->lapic.id)
                   : kind == APIC_ICR_LOGICAL ? logical_ids(apics, mode == VLAPIC_X2APIC, dest)
                                              : 0;
    if (vector < APIC_FIRST_LEGAL || !ids)
        return false;
    for (; ids; ids &= ids - 1) {
        struct vapic *one = deliver_find(apics, (uint32_t)__builtin_ctzll(ids));
        if (!one || (kind != OTHERS && vlapic_mode(&one->lapic) != mode))
            continue;
        if (deliver_edge_can(one, vector))
            (void)deliver_posted(one, vector);
        else
            (void)deliver_to(one->vcpu, &(struct vlapic_message){.vector = vector});
    }
    if (kind == OTHERS)
        a->lapic.stats[VLAPIC_STAT_IPI_BROADCAST]++;
    a->lapic.stats[VLAPIC_STAT_IPI]++;
    return true;
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

static __attribute__((noinline)) uint64_t wrmsr_to_set(struct vcpu *v, struct vapic *a, uint32_t low,
                                                       uint32_t dest)
{
    if (!send_to_set(v, a, low, dest))
        return 0;
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
        return wrmsr_to_set(v, a, low, high);
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
    uint32_t dest = vlapic_mode(&a->lapic) == VLAPIC_X2APIC
                        ? vlapic_reg_get(&a->lapic, APIC_ICR + 4) /* what IPI virtualization could not send */
                        : vlapic_reg_get(&a->lapic, APIC_ICR2) >> 24;
    low &= ~APIC_ICR_BUSY;
    if (!send(v, a, low, dest) && !send_to_set(v, a, low, dest))
        return 0;
    vlapic_reg_set(&a->lapic, APIC_ICR, low);
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
    if (a->lapic.timer.armed && !a->lapic.timer.masked && deliver_own_timer(v)) {
        a->lapic.timer.armed = false;
        a->lapic.stats[VLAPIC_STAT_TIMER]++;
    } else {
        sched_request(v, REQUEST_APIC);
    }
    percpu_count_exit();
    v->exits[EXIT_EXTERNAL_INTERRUPT]++;
    return 1;
}
