/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical local APIC of the executing CPU: EOI, IPIs, timer. x2APIC mode when the CPU has it,
 * xAPIC otherwise.
 */
#ifndef ARCH_CPU_LAPIC_H
#define ARCH_CPU_LAPIC_H

#include "arch/cpu/bits.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"

/* ICR delivery modes, SDM volume 3, "Interrupt Command Register (ICR)". */
#define LAPIC_ICR_ASSERT  0x4000U
#define LAPIC_ICR_LOGICAL 0x800U
enum lapic_delivery { LAPIC_FIXED = 0, LAPIC_NMI = 4, LAPIC_INIT = 5, LAPIC_STARTUP = 6 };

/* Chooses the mode for the whole machine. Called once, on the boot CPU, with paging up. False: no
 * local APIC or no page for it. */
bool lapic_init_machine(void);

/* Enables the executing CPU's local APIC with every LVT masked and the task priority at 0. */
void lapic_init_cpu(void);

extern bool lapic_mode_x2apic; /* constant after lapic_init_machine */
static inline bool lapic_x2apic(void)
{
    return lapic_mode_x2apic;
}
uint32_t lapic_id(void);
static inline void lapic_x2apic_eoi(void)
{
    __asm__ volatile("xor %%eax, %%eax; xor %%edx, %%edx; wrmsr" ::"c"(MSR_IA32_X2APIC_BASE + 0xb)
                     : "eax", "edx", "memory", "cc");
}
void lapic_page_eoi(void);
static inline void lapic_eoi(void)
{
    if (__builtin_expect(lapic_x2apic(), 1))
        lapic_x2apic_eoi();
    else
        lapic_page_eoi();
}

/*
 * x2APIC mode. WRMSR to an x2APIC register is not serializing: without the fences the IPI could overtake stores that
 * the receiver is to see (SDM volume 3, "MSR Access in x2APIC Mode").
 */
static inline void lapic_icr(uint32_t dest, uint32_t low)
{
    __asm__ volatile("mfence; lfence" ::: "memory");
    wrmsr(MSR_IA32_X2APIC_BASE + 0x30, (uint64_t)dest << 32 | low);
}

/* Fixed, to the CPUs of a logical x2APIC ID: 31:16 cluster, 15:0 a bit for each. */
static inline void lapic_send_logical(uint32_t dest, uint8_t vector)
{
    lapic_icr(dest, LAPIC_ICR_ASSERT | LAPIC_ICR_LOGICAL | vector);
}

/* One interrupt command to one CPU. Waits for an earlier command of this CPU to be accepted
 * (xAPIC). */
void lapic_send(uint32_t apic_id, enum lapic_delivery mode, uint8_t vector);

/*
 * Raises VECTOR_TIMER once, when the TSC reaches `deadline`; 0 disarms. In TSC-deadline mode where
 * the CPU has it, otherwise by the count-down timer (calibrated here against the TSC at start),
 * which may fire early: the handler compares the TSC.
 */
extern bool lapic_mode_deadline; /* constant after lapic_init_machine */
void lapic_timer_arm(uint64_t deadline);

/* Measures the count-down timer against the TSC when there is no TSC-deadline mode. tsc_khz from
 * drivers/tsc.c. */
void lapic_timer_calibrate(uint64_t tsc_khz);

/* Error status since the last call (ESR, latched by a write). */
uint32_t lapic_errors(void);

#endif
