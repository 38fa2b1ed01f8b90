/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time-stamp counter: is it invariant, and how fast does it run.
 */
#ifndef DRIVERS_TSC_H
#define DRIVERS_TSC_H

#include "arch/cpu/bits.h"

enum tsc_source { TSC_SOURCE_NONE, TSC_SOURCE_HPET, TSC_SOURCE_PM_TIMER, TSC_SOURCE_PIT };

/* What the machine has to measure against; a zero member is absent. */
struct tsc_references {
    volatile void *hpet; /* its register block, mapped */
    uint16_t pm_timer_port;
    bool pm_timer_32bit;
};

/* CPUID.80000007H:EDX[8]. Without it the counter may stop or change speed. */
bool tsc_invariant(void);

/*
 * Measures the TSC for about 5 ms against the first reference that moves: HPET, PM timer, PIT
 * channel 2. CPUID leaf 15H is not asked: emulators and some firmware state a frequency there that
 * is not the counter's. Returns kHz, 0 when nothing moved.
 */
uint64_t tsc_calibrate(const struct tsc_references *refs, enum tsc_source *used);

const char *tsc_source_text(enum tsc_source source);

#endif
