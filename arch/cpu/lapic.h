/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical local APIC of the executing CPU: EOI, IPIs, timer. x2APIC mode when the CPU has it,
 * xAPIC otherwise.
 */
#ifndef ARCH_CPU_LAPIC_H
#define ARCH_CPU_LAPIC_H

#include "arch/cpu/bits.h"

/* ICR delivery modes, SDM volume 3, "Interrupt Command Register (ICR)". */
enum lapic_delivery { LAPIC_FIXED = 0, LAPIC_NMI = 4, LAPIC_INIT = 5, LAPIC_STARTUP = 6 };

/* Chooses the mode for the whole machine. Called once, on the boot CPU, with paging up. False: no
 * local APIC or no page for it. */
bool lapic_init_machine(void);

/* Enables the executing CPU's local APIC with every LVT masked and the task priority at 0. */
void lapic_init_cpu(void);

bool lapic_x2apic(void);
uint32_t lapic_id(void);
void lapic_eoi(void);

/* One interrupt command to one CPU. Waits for an earlier command of this CPU to be accepted
 * (xAPIC). */
void lapic_send(uint32_t apic_id, enum lapic_delivery mode, uint8_t vector);

/*
 * Raises VECTOR_TIMER once, when the TSC reaches `deadline`; 0 disarms. In TSC-deadline mode where
 * the CPU has it, otherwise by the count-down timer (calibrated here against the TSC at start),
 * which may fire early: the handler compares the TSC.
 */
void lapic_timer_arm(uint64_t deadline);

/* Measures the count-down timer against the TSC when there is no TSC-deadline mode. tsc_khz from
 * drivers/tsc.c. */
void lapic_timer_calibrate(uint64_t tsc_khz);
bool lapic_timer_has_deadline(void);

/* Error status since the last call (ESR, latched by a write). */
uint32_t lapic_errors(void);

#endif
