/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing up the CPUs of the machine; see cpus.c. */
#ifndef HV_CORE_CPUS_H
#define HV_CORE_CPUS_H

#include "drivers/acpi.h"
#include "hv/core/pcpu.h"

/* The executing CPU becomes CPU 0: its own block and stack, local APIC, VMX state. Its block, or
 * NULL when memory is short. */
struct pcpu *cpus_init_boot_cpu(void);

/*
 * Starts the others that the MADT lists, up to max_cpus in all, through the page at low_pa (usable
 * RAM below 1 MiB). Those that do not answer and those beyond the limit are named in the log and
 * left alone.
 */
void cpus_start_others(const struct acpi_madt *madt, uint32_t max_cpus, uint64_t low_pa, uint64_t tsc_khz);

/*
 * Sends the other CPUs to `run`, which does not return; the caller goes there itself. False: a CPU lacks
 * something, a line says what.
 */
bool cpus_release(void (*run)(void));

#endif
