/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saving and restoring extended state (x87, SSE, AVX, ...) for vCPUs. The hypervisor itself never uses it:
 * link_check allows these instructions in fpu_* functions only.
 */
#ifndef ARCH_CPU_FPU_H
#define ARCH_CPU_FPU_H

#include "arch/cpu/bits.h"

#define XCR0_X87    BIT(0)
#define XCR0_SSE    BIT(1)
#define XCR0_AVX    BIT(2)
#define XCR0_AVX512 MASK(7, 5)
#define XCR0_PKRU   BIT(9)

/* On each CPU: switches XSAVE on. False: the area does not fit one page, or CPU 0 had other components. */
bool fpu_init_cpu(void);

/*
 * Components that guests may use; 0: the processor has no XSAVE, only the 512 bytes of FXSAVE are switched.
 */
uint64_t fpu_xcr0_max(void);

/* Bytes of the XSAVE area, standard format, with all those components. */
uint32_t fpu_area_size(void);

/* The state after reset, in an area of one zeroed page. */
void fpu_reset(void *area);

/*
 * All components, whatever the guest's XCR0 says: what it has switched off must neither get lost nor be seen
 * by the next vCPU. XCR0 is left at the maximum.
 */
void fpu_save(void *area);

/* The other way; then XCR0 becomes the guest's. */
void fpu_restore(const void *area, uint64_t xcr0);

/* Both at once: `from` is saved, `to` and its XCR0 loaded. Returns the XCR0 that was there. */
uint64_t fpu_exchange(void *from, const void *to, uint64_t xcr0);

/*
 * Would XRSTOR take this area? Only components that exist, standard format, reserved bytes of the header and
 * MXCSR bits zero.
 */
bool fpu_area_valid(const void *area);

/*
 * Would XSETBV of this value to XCR0 fault? SDM volume 1, "Enabling the XSAVE Feature Set and XSAVE-Enabled
 * Features".
 */
bool fpu_xcr0_valid(uint64_t xcr0);

#endif
