/* SPDX-License-Identifier: BSD-2-Clause */
/* Which bits of the processor's CPUID answers a domain may see: one table, see cpuid_mask.c. Pure. */
#ifndef HV_CORE_CPUID_MASK_H
#define HV_CORE_CPUID_MASK_H

#include "arch/cpu/bits.h"

/* Masks for EAX, EBX, ECX, EDX; all 0 for a leaf or subleaf that is not taken from the processor. */
const uint32_t *cpuid_mask(uint32_t leaf, uint32_t subleaf);

#endif
