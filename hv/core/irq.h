/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts and exceptions that reach the hypervisor: see irq.c. The entry points are declared in
 * arch/cpu/upcall.h. */
#ifndef HV_CORE_IRQ_H
#define HV_CORE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

/* NMIs that nobody asked for, on any CPU since boot. */
uint32_t irq_stray_nmis(void);

/* Who takes the vectors of devices; false: nobody has this one. At start, once. */
void irq_set_device(bool (*take)(uint8_t vector));

/* Who takes VECTOR_PI_WAKEUP. At start, once. */
void irq_set_wakeup(void (*wake)(void));

#endif
