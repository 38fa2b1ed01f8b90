/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start of application processors (SDM volume 3, "MP Initialization Protocol Algorithm for MP
 * Systems") and cross-CPU calls.
 *
 * A call is a record on the caller's stack, pushed onto the target's list by compare-and-swap; the
 * target takes the whole list with one exchange. Who pushes onto an empty list sends the IPI; who
 * finds it non-empty knows that an IPI is on its way. A caller that waits also serves its own list,
 * so two CPUs that call each other cannot deadlock.
 */
#include "arch/cpu/smp.h"

#include <string.h>

#include "arch/cpu/atomic.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/paging.h"
#include "arch/cpu/vectors.h"
#include "arch/cpu/image.h"

struct smp_call {
    void (*fn)(void *arg);
    void *arg;
    struct smp_call *next;
    bool done;
};

/* What the CPU that is being started reads, once paging is on. */
struct smp_ap_args {
    uint64_t stack;
    uint64_t entry;
    uint64_t arg;
    volatile uint64_t alive; /* written by that CPU */
};
_Static_assert(offsetof(struct smp_ap_args, stack) == AP_ARGS_STACK, "assembly offset");
_Static_assert(offsetof(struct smp_ap_args, entry) == AP_ARGS_ENTRY, "assembly offset");
_Static_assert(offsetof(struct smp_ap_args, arg) == AP_ARGS_ARG, "assembly offset");
_Static_assert(offsetof(struct smp_ap_args, alive) == AP_ARGS_ALIVE, "assembly offset");

extern const uint8_t ap_start_begin[], ap_start_end[];
extern struct smp_ap_args smp_ap_args; /* named by ap_start.S */

struct smp_ap_args smp_ap_args;
static uint64_t page_pa;
static uint64_t tsc_per_us;

static void wait_us(uint64_t us)
{
    uint64_t start = rdtsc();
    while (rdtsc() - start < us * tsc_per_us)
        cpu_pause();
}

static bool wait_alive(uint64_t us)
{
    uint64_t start = rdtsc();
    while (!smp_ap_args.alive)
        if (rdtsc() - start > us * tsc_per_us)
            return false;
    return true;
}

bool smp_begin(uint64_t low_pa, uint64_t ticks_per_us)
{
    page_pa = low_pa;
    tsc_per_us = ticks_per_us;
    if (!paging_map(low_pa, low_pa, PAGE_SIZE, PAGING_W))
        return false;
    uint8_t *page = (uint8_t *)(uintptr_t)low_pa;
    memcpy(page, ap_start_begin, (size_t)(ap_start_end - ap_start_begin));
    *(uint64_t *)(void *)(page + AP_CR3_OFF) = paging_cr3();
    paging_unmap(low_pa, PAGE_SIZE);
    return paging_map(low_pa, low_pa, PAGE_SIZE, PAGING_X);
}

void smp_end(void)
{
    paging_unmap(page_pa, PAGE_SIZE);
}

enum smp_start smp_start_cpu(struct percpu *cpu, void (*entry)(struct percpu *self))
{
    smp_ap_args = (struct smp_ap_args){
        .stack = cpu->stack_top, .entry = (uint64_t)(uintptr_t)entry, .arg = (uint64_t)(uintptr_t)cpu};
    uint8_t vector = (uint8_t)(page_pa >> PAGE_SHIFT);
    lapic_send(cpu->apic_id, LAPIC_INIT, 0);
    wait_us(10000);
    lapic_send(cpu->apic_id, LAPIC_STARTUP, vector);
    if (!wait_alive(1000)) {
        lapic_send(cpu->apic_id, LAPIC_STARTUP, vector);
        if (!wait_alive(100000)) {
            lapic_send(cpu->apic_id, LAPIC_INIT, 0);
            return SMP_NO_ANSWER;
        }
    }
    while (!atomic_load_acquire(&cpu->online))
        cpu_pause();
    return SMP_STARTED;
}

void smp_run_calls(void)
{
    struct percpu *self = percpu_self();
    struct smp_call *c = atomic_exchange_full(&self->calls, NULL);
    while (c) {
        struct smp_call *next = c->next; /* the record is gone once done is set */
        c->fn(c->arg);
        atomic_store_release(&c->done, true);
        c = next;
    }
}

void smp_call(struct percpu *cpu, void (*fn)(void *arg), void *arg)
{
    if (cpu == percpu_self()) {
        fn(arg);
        return;
    }
    struct smp_call call = {.fn = fn, .arg = arg};
    struct smp_call *head = atomic_load_relaxed(&cpu->calls);
    do
        call.next = head;
    while (!atomic_compare_exchange_full(&cpu->calls, &head, &call));
    if (!head)
        lapic_send(cpu->apic_id, LAPIC_FIXED, VECTOR_CALL);
    while (!atomic_load_acquire(&call.done)) {
        smp_run_calls();
        cpu_pause();
    }
}
