/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the other CPUs, and asking one of them to run a function.
 */
#ifndef ARCH_CPU_SMP_H
#define ARCH_CPU_SMP_H

#include "arch/cpu/percpu.h"

enum smp_start { SMP_STARTED, SMP_NO_ANSWER };

/*
 * Puts the start-up code into the page at low_pa (usable RAM below 1 MiB) and maps it, read-only
 * and executable, one to one. smp_end unmaps it. False: no page tables.
 */
bool smp_begin(uint64_t low_pa, uint64_t ticks_per_us);
void smp_end(void);

/*
 * INIT-SIPI-SIPI to cpu->apic_id, one CPU at a time; it goes to entry(cpu) on cpu->stack_top, which
 * sets cpu->online. SMP_NO_ANSWER: it did not reach its first instruction within 100 ms; it is sent
 * INIT again so that it cannot wake up later into memory that is no longer the start-up page.
 */
enum smp_start smp_start_cpu(struct percpu *cpu, void (*entry)(struct percpu *self));

/* Calls fn(arg) on that CPU with interrupts off and waits for its end. On this CPU it is a plain
 * call. */
void smp_call(struct percpu *cpu, void (*fn)(void *arg), void *arg);

/* Runs the calls that others have queued for this CPU. From VECTOR_CALL, and from every loop that
 * waits for another CPU. */
void smp_run_calls(void);

#endif
