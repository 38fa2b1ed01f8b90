/* SPDX-License-Identifier: BSD-2-Clause */
/* Placing the hypervisor in physical memory at start; see memory.c. */
#ifndef HV_CORE_MEMORY_H
#define HV_CORE_MEMORY_H

#include "boot/boot_info.h"
#include "hv/core/ram.h"

/* Physical range of the image, end exclusive. */
void memory_image_range(uint64_t *start, uint64_t *end);

/*
 * Chooses the page pool (pool_size bytes; 0: the default), switches to our own page tables. False:
 * a line in the log says what is wrong. `boot` must stay.
 */
bool memory_init(const struct boot_info *boot, uint64_t pool_size);

/* A page below 1 MiB for the start of other CPUs; 0: there is none. */
uint64_t memory_ap_page(void);

/* What is usable and what of it we own. */
const struct ram *memory_ram(void);

#endif
