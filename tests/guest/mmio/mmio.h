/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the mmio guest. */
#pragma once

#include <stdint.h>

extern uint8_t mmio_page[2 * 4096]; /* ordinary memory, page-aligned */
void mmio_fill(void);               /* with all ones */

void mmio_edges(void); /* accesses that cross from one page to another */
void mmio_odd(void);   /* code, page tables and instructions that nobody decodes */
