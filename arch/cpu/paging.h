/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own address space. Nothing of a guest or of the management domain is in it,
 * apart from windows.
 *
 *   ffff8000_00000000  PAGING_POOL     the page pool, RW, linear
 *   ffff8100_00000000  PAGING_FRAMES   the frame table, RW
 *   ffff8200_00000000  PAGING_MMIO     device registers, RW, uncached; never unmapped
 *   ffff8300_00000000  PAGING_WINDOW   per-CPU windows onto guest pages, RW, while used
 *   ffff8400_00000000  PAGING_STACKS   stacks, each with an unmapped page below it
 *   ffff8500_00000000  PAGING_BOOT     read-only views of firmware tables during start; gone
 * afterwards ffffffff_80200000  the image       text RX, rodata R, data RW
 *
 * Every mapping is NX but text; none is writable and executable. All of it is global and the same
 * on every CPU.
 */
#ifndef ARCH_CPU_PAGING_H
#define ARCH_CPU_PAGING_H

#include "arch/cpu/bits.h"

#define PAGING_POOL   0xffff800000000000UL
#define PAGING_FRAMES 0xffff810000000000UL
#define PAGING_MMIO   0xffff820000000000UL
#define PAGING_WINDOW 0xffff830000000000UL
#define PAGING_STACKS 0xffff840000000000UL
#define PAGING_BOOT   0xffff850000000000UL

#define PAGING_REGION_SIZE 0x10000000000UL

/* Stack slots: one unmapped guard page, then PAGING_STACK_SIZE bytes. */
#define PAGING_STACK_SIZE 16384UL

enum paging_flags {
    PAGING_R = 0,
    PAGING_W = 1 << 0,
    PAGING_X = 1 << 1, /* never with PAGING_W */
    PAGING_UC = 1 << 2,
};

/*
 * Builds the tables on the boot tables' identity map, loads them and leaves the identity map
 * behind. alloc_page returns the physical address of a zeroed page below 4 GiB inside the pool, or
 * 0. Returns false when pages run out.
 */
bool paging_init(uint64_t pool_pa, uint64_t pool_size, uint64_t (*alloc_page)(void));

/* Loads the tables and the protection bits (WP, SMEP, SMAP, UMIP, PGE as present) on the executing
 * CPU. */
void paging_load(void);

/*
 * Maps [pa, pa+size) at va; all three page-aligned. False when a page-table page cannot be had;
 * what was mapped until then stays mapped. Mapping over a present page is a caller's bug and
 * refused (false).
 */
bool paging_map(uint64_t va, uint64_t pa, uint64_t size, unsigned flags);

/* Unmaps pages on this CPU; the caller sees to other CPUs, when they can have used them. */
void paging_unmap(uint64_t va, uint64_t size);

/* A permanent uncached view of device registers; NUL when page tables run out. Any pa and length.
 */
volatile void *paging_map_mmio(uint64_t pa, uint64_t len);

/* A read-only view of firmware memory, valid until paging_boot_views_end(). NUL when it cannot be
 * had. */
const void *paging_boot_view(uint64_t pa, uint64_t len);
void paging_boot_views_end(void);

/* A new stack with a guard page under it; returns its top, or 0. */
uint64_t paging_stack_new(uint64_t size);

/* Which flags a page has: for the W^X test and for dumps. False when nothing is mapped at va. */
bool paging_lookup(uint64_t va, uint64_t *pa, unsigned *flags);

/*
 * The address of the leaf entry for a 4 KiB page, its tables made when needed, so that a window can
 * be pointed by a single store; NUL when page tables run out.
 */
uint64_t *paging_leaf(uint64_t va);

#define PAGING_LEAF_RW 0x8000000000000163UL /* present, writable, accessed, dirty, global, NX */

uint64_t paging_cr3(void);

#endif
