/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of the vCPU that runs here: see apic.c. */
#ifndef HV_EXIT_APIC_H
#define HV_EXIT_APIC_H

#include "hv/core/vcpu.h"

/* Is the guest-physical address in its register page? Then accesses go to these two. */
bool apic_decodes(const struct vcpu *v, uint64_t gpa);
uint64_t apic_mmio_read(struct vcpu *v, uint32_t offset, unsigned width);
void apic_mmio_write(struct vcpu *v, uint32_t offset, unsigned width, uint64_t value);

/* IA32_APIC_BASE, IA32_TSC_DEADLINE, x2APIC MSRs. False: #GP, nothing has changed. */
bool apic_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
bool apic_msr_write(struct vcpu *v, uint32_t msr, uint64_t value);

/* CR8, also of vCPUs without a local APIC. False: #GP. */
uint64_t apic_cr8(const struct vcpu *v);
bool apic_set_cr8(struct vcpu *v, uint64_t value);

/* The guest has moved its TSC. */
void apic_moved_tsc(struct vcpu *v, uint64_t by);

/*
 * Serves REQUEST_EVENT and REQUEST_APIC of a vCPU with a local APIC: everything that is to be injected at the
 * next entry, in this order: NMI, interrupt.
 */
void apic_prepare(struct vcpu *v, uint32_t requests);

/* In HLT with nothing to take, or in wait-for-SIPI. */
bool apic_idle(struct vcpu *v);

/* The interrupt window is open. */
void apic_window(struct vcpu *v);

#endif
