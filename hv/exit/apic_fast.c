/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way (vmentry.S) for what guests do with their local APICs all the time: fixed IPIs and a TSC deadline by
 * WRMSR, and the interrupt of the machine's timer that ends such a deadline. Each does the usual case only and declines
 * everything else, with nothing changed, to the handlers in apic.c and msr.c. Interrupts of the machine all end here.
 */
#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/vectors.h"
#include "hv/core/pcpu.h"
#include "hv/core/sched.h"
#include "hv/core/timer_own.h"
#include "hv/exit/exit.h"
#include "hv/vapic/deliver.h"
#include "hv/vapic/deliver_edge.h"
#include "hv/vapic/vapic_newer.h"

#define MSR_X2APIC_ICR (X2APIC_MSR_FIRST + APIC_ICR / 16)
#define OTHERS         ((uint32_t)APIC_TO_OTHERS << APIC_ICR_SHORTHAND_SHIFT)

static inline int32_t counted(struct vcpu *v, enum exit_reason reason)
{
    percpu_count_exit();
    v->exits[reason]++;
    return (int32_t)atomic_load_relaxed(&v->requests);
}

/* The instruction is done. */
static inline int32_t done(struct vcpu *v)
{
    vm_exit_advance();
    return counted(v, EXIT_WRMSR);
}

static inline void sent(struct vapic *a, uint32_t low, uint32_t dest)
{
    a->lapic.stats[VLAPIC_STAT_IPI]++;
    vlapic_reg_set(&a->lapic, APIC_ICR, low);
    vlapic_reg_set(&a->lapic, APIC_ICR + 4, dest);
}

/* IDs, a bit each, that a logical destination may name; 0: a broadcast, or nobody. */
static uint64_t logical_ids(const struct vapic_domain *apics, enum vlapic_mode mode, uint32_t dest)
{
    const struct vlapic_map *map = &apics->map;
    uint64_t ids = 0;
    if (mode == VLAPIC_X2APIC)
        return dest >> 16 < CONFIG_MAX_VCPUS / 16 ? (uint64_t)(dest & 0xffff) << (dest >> 16) * 16 : 0;
    if (dest == APIC_BROADCAST)
        return 0;
    for (uint32_t bits = dest; bits; bits &= bits - 1)
        ids |= map->logical[VLAPIC_MAP_FLAT + __builtin_ctz(bits)][0];
    for (uint32_t bits = dest & 15; bits; bits &= bits - 1)
        ids |= map->logical[VLAPIC_MAP_CLUSTER + (dest >> 4) * 4 + (uint32_t)__builtin_ctz(bits)][0];
    return ids;
}

/* The CPUs of an x2APIC cluster by one command; `told` are those to whom none has been sent yet. */
static inline uint32_t tell_too(uint32_t told, uint32_t cpu)
{
    if (__builtin_expect((cpu ^ told) >> 16, 0)) {
        if (told)
            lapic_send_logical(told, VECTOR_PI_NOTIFY);
        told = 0;
    }
    return told | cpu;
}

/* What cannot be posted without more ado. */
static __attribute__((noinline)) void send_slowly(const struct vapic_domain *apics, uint64_t id,
                                                  uint8_t vector)
{
    struct vcpu *v = vapic_from(apics->by_id[id])->vcpu;
    (void)deliver_to(v, &(struct vlapic_message){.vector = vector});
}

/*
 * To several: all others, or a logical destination among the APICs that are in the sender's mode. Posts to all, and
 * then notifies.
 */
static __attribute__((noinline)) bool send_to_set(struct vapic *a, uint32_t low, uint32_t dest)
{
    const struct vapic_domain *apics = a->apics;
    uint32_t kind = low & ~(APIC_ICR_ASSERT | 0xffU), told = 0;
    enum vlapic_mode mode = vlapic_mode(&a->lapic);
    uint64_t ids = 0, vector = (uint8_t)low;
    enum vlapic_receipt receipt;
    if (kind == OTHERS)
        ids = (apics->accepting[VLAPIC_XAPIC] | apics->accepting[VLAPIC_X2APIC]) & ~BIT(a->lapic.id);
    else if (kind == APIC_ICR_LOGICAL)
        ids = logical_ids(apics, mode, dest) & apics->accepting[mode];
    if (vector < APIC_FIRST_LEGAL || !ids)
        return false;
    if (ids & BIT(a->lapic.id))
        send_slowly(apics, a->lapic.id, (uint8_t)vector);
    for (ids &= ~BIT(a->lapic.id); ids; ids &= ids - 1) {
        uint64_t id = bit_lowest(ids);
        struct vapic *one = atomic_load_relaxed(&apics->takes[id]);
        if (__builtin_expect(!one || !deliver_edge_plain(one, (uint8_t)vector), 0)) {
            send_slowly(apics, id, (uint8_t)vector);
        } else if (deliver_post(one, (uint8_t)vector, &receipt)) {
            uint32_t cpu = atomic_load_relaxed(&one->vcpu->notify_at);
            if (__builtin_expect(!cpu, 0))
                DELIVER_TELL(one);
            else
                told = tell_too(told, cpu);
        }
    }
    if (told)
        lapic_send_logical(told, VECTOR_PI_NOTIFY);
    if (kind == OTHERS)
        a->lapic.stats[VLAPIC_STAT_IPI_BROADCAST]++;
    return true;
}

/* To one, by its ID. */
static inline bool send(const struct vapic *a, uint32_t low, uint32_t dest)
{
    if (low & ~(APIC_ICR_ASSERT | 0xffU))
        return false;
    struct vapic *one = deliver_edge_find(a->apics, dest, (uint8_t)low);
    if (!one)
        return false;
    (void)deliver_posted(one, (uint8_t)low);
    return true;
}

static __attribute__((noinline)) int32_t wrmsr_to_set(struct vcpu *v, struct vapic *a)
{
    uint32_t low = (uint32_t)v->vmx.gprs.rax, dest = (uint32_t)v->vmx.gprs.rdx;
    if (!send_to_set(a, low, dest))
        return VMX_FAST_NOT;
    sent(a, low, dest);
    return done(v);
}

/* A deadline ahead, while no other one is due. */
static inline int32_t arm(struct vcpu *v, struct vapic *a)
{
    uint64_t deadline = v->vmx.gprs.rdx << 32 | (uint32_t)v->vmx.gprs.rax;
    uint64_t tsc = rdtsc(), at = deadline - v->tsc_offset;
    if (a->lapic.timer.lvt != APIC_TIMER_DEADLINE || deadline <= tsc + v->tsc_offset || at < tsc ||
        !timer_own_set(&v->apic_timer, at, tsc))
        return VMX_FAST_NOT;
    a->lapic.timer.deadline = deadline;
    a->lapic.timer.armed = true;
    return done(v);
}

int32_t hv_fast_wrmsr(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    struct vapic *a = v->apic_fast;
    if (!a)
        return VMX_FAST_NOT;
    if ((uint32_t)c->gprs.rcx == MSR_IA32_TSC_DEADLINE)
        return arm(v, a);
    if ((uint32_t)c->gprs.rcx != MSR_X2APIC_ICR || vlapic_mode(&a->lapic) != VLAPIC_X2APIC)
        return VMX_FAST_NOT;
    uint32_t low = (uint32_t)c->gprs.rax, dest = (uint32_t)c->gprs.rdx;
    if (!send(a, low, dest))
        return wrmsr_to_set(v, a);
    sent(a, low, dest);
    return done(v);
}

/* ICR in xAPIC mode. Trap-like: the value is in the page, and the instruction is behind us. */
int32_t hv_fast_apic_write(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    struct vapic *a = v->apic;
    if ((vm_exit_qualification() & 0xff0) != APIC_ICR)
        return VMX_FAST_NOT;
    uint32_t low = vlapic_reg_get(&a->lapic, APIC_ICR) & ~APIC_ICR_BUSY;
    uint32_t dest = vlapic_mode(&a->lapic) == VLAPIC_X2APIC
                        ? vlapic_reg_get(&a->lapic, APIC_ICR + 4) /* what IPI virtualization could not send */
                        : vlapic_reg_get(&a->lapic, APIC_ICR2) >> 24;
    if (!send(a, low, dest) && !send_to_set(a, low, dest))
        return VMX_FAST_NOT;
    a->lapic.stats[VLAPIC_STAT_IPI]++;
    vlapic_reg_set(&a->lapic, APIC_ICR, low);
    return counted(v, EXIT_APIC_WRITE);
}

/* The timer may have posted its own, or the notification of another one says so that the processor does not take in. */
static __attribute__((noinline)) int32_t other_interrupt(struct vcpu *v)
{
    struct vapic *a = v->apic;
    exit_external_interrupt(v);
    if (vcpu_posted(v) && a->delivers)
        apicv_raise_rvi(vapic_take(v));
    return counted(v, EXIT_EXTERNAL_INTERRUPT) | vcpu_posted(v);
}

/* It is injected at the entry. */
static __attribute__((noinline)) int32_t deadline_to_inject(struct vcpu *v, struct vapic *a, uint8_t vector)
{
    if (vlapic_accepting(&a->lapic)) {
        (void)vlapic_request(&a->lapic, vector);
        atomic_fetch_or_full(&v->requests, REQUEST_EVENT);
    }
    return counted(v, EXIT_EXTERNAL_INTERRUPT);
}

/*
 * The deadline of the vCPU that runs here, and nothing else, has come: straight into IRR. It is set only while armed and
 * not masked.
 */
int32_t hv_fast_interrupt(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    struct vapic *a = v->apic_fast;
    if (vm_exit_interrupt() != (VM_EXIT_INTERRUPT | VECTOR_TIMER) || !a ||
        (a->lapic.timer.lvt & APIC_TIMER_PERIODIC))
        return other_interrupt(v);
    uint8_t vector = (uint8_t)vlapic_reg_get(&a->lapic, APIC_LVT_TIMER);
    if (!deliver_edge_plain(a, vector) || !timer_own_take(&v->apic_timer))
        return other_interrupt(v);
    lapic_x2apic_eoi();
    a->lapic.timer.armed = false;
    a->lapic.stats[VLAPIC_STAT_TIMER]++;
    if (__builtin_expect(!a->delivers, 0))
        return deadline_to_inject(v, a, vector);
    (void)vlapic_request(&a->lapic, vector);
    apicv_raise_rvi(vector);
    return counted(v, EXIT_EXTERNAL_INTERRUPT);
}

/*
 * HLT with interrupts on, of a vCPU whose interrupts the processor delivers, and which has its CPU for itself: waits here
 * for what is posted, until its highest vector can be delivered. What is requested is served the full way, HLT or not.
 */
int32_t hv_fast_hlt(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    struct vapic *a = v->apic;
    if (!a || !a->delivers || a->window || vapic_newer || v->nmi_pending || !vm_exit_only_if())
        return VMX_FAST_NOT;
    vm_exit_advance();
    uint32_t priority = vlapic_reg_get(&a->lapic, APIC_PPR) & 0xf0;
    while ((apicv_status() & 0xf0U) <= priority) {
        if (!pi_on(&a->pi) && (v->requests || !sched_doze(v) || !pi_on(&a->pi))) {
            v->halted = true;
            atomic_fetch_or_full(&v->requests, REQUEST_EVENT);
            break;
        }
        apicv_raise_rvi(vapic_take(v));
    }
    return counted(v, EXIT_HLT);
}
