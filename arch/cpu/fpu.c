/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extended state, SDM volume 1, chapter "Managing State Using the XSAVE Feature Set". Standard format (XSAVE,
 * XRSTOR), so that the area is what the ABI's XSAVE record holds.
 */
#include "arch/cpu/fpu.h"

#include <string.h>

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"

#define FCW_RESET        0x037f
#define MXCSR_RESET      0x1f80
#define MXCSR_OFF        24
#define MXCSR_DEFINED    0xffffU
#define XSAVE_HEADER_OFF 512

/* What the instructions read and write, at most. */
struct fpu_area {
    uint8_t bytes[PAGE_SIZE];
};

static uint64_t xcr0_max; /* set by the first CPU, then constant; 0: no XSAVE */
static uint32_t area_size;

bool fpu_init_cpu(void)
{
    bool xsave = cpuid(1, 0).ecx & BIT(26);
    /*
     * PKE: a guest's PKRU is read for accesses that are emulated; our own pages are no user pages, so it has
     * no effect on us.
     */
    bool pku = cpuid(0, 0).eax >= 7 && (cpuid(7, 0).ecx & BIT(3));
    write_cr4(read_cr4() | (pku ? CR4_PKE : 0) | CR4_OSFXSR | CR4_OSXMMEXCPT | (xsave ? CR4_OSXSAVE : 0));
    uint64_t max = 0;
    uint32_t size = 512;
    if (xsave) {
        struct cpuid_regs all = cpuid(0xd, 0);
        max =
            ((uint64_t)all.edx << 32 | all.eax) & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU);
        xsetbv(0, max);
        size = cpuid(0xd, 0).ebx; /* for what XCR0 holds now */
    }
    if (area_size && max != xcr0_max)
        return false;
    xcr0_max = max;
    area_size = size;
    return size <= PAGE_SIZE;
}

uint64_t fpu_xcr0_max(void)
{
    return xcr0_max;
}

uint32_t fpu_area_size(void)
{
    return area_size;
}

void fpu_reset(void *area)
{
    const uint16_t fcw = FCW_RESET;
    const uint32_t mxcsr = MXCSR_RESET;
    memcpy(area, &fcw, sizeof(fcw));
    memcpy((uint8_t *)area + MXCSR_OFF, &mxcsr, sizeof(mxcsr));
}

void fpu_save(void *area)
{
    if (!xcr0_max) {
        __asm__ volatile("fxsave64 %0" : "=m"(*(struct fpu_area *)area)::"memory");
        return;
    }
    if (xgetbv(0) != xcr0_max)
        xsetbv(0, xcr0_max);
    __asm__ volatile("xsave64 %0" : "+m"(*(struct fpu_area *)area) : "a"(-1), "d"(-1) : "memory");
}

void fpu_restore(const void *area, uint64_t xcr0)
{
    if (!xcr0_max) {
        __asm__ volatile("fxrstor64 %0" ::"m"(*(const struct fpu_area *)area) : "memory");
        return;
    }
    if (xgetbv(0) != xcr0_max)
        xsetbv(0, xcr0_max);
    __asm__ volatile("xrstor64 %0" ::"m"(*(const struct fpu_area *)area), "a"(-1), "d"(-1) : "memory");
    if (xcr0 != xcr0_max)
        xsetbv(0, xcr0);
}

uint64_t fpu_exchange(void *from, const void *to, uint64_t xcr0)
{
    uint64_t max = xcr0_max;
    if (!max) {
        fpu_save(from);
        fpu_restore(to, 0);
        return 0;
    }
    uint64_t old = xgetbv(0);
    if (old != max)
        xsetbv(0, max);
    __asm__ volatile("xsave64 %0\n\txrstor64 %1"
                     : "+m"(*(struct fpu_area *)from)
                     : "m"(*(const struct fpu_area *)to), "a"(-1), "d"(-1)
                     : "memory");
    if (xcr0 != max)
        xsetbv(0, xcr0);
    return old;
}

bool fpu_xcr0_valid(uint64_t xcr0)
{
    if (!(xcr0 & XCR0_X87) || (xcr0 & ~xcr0_max))
        return false;
    if ((xcr0 & XCR0_AVX) && !(xcr0 & XCR0_SSE))
        return false;
    uint64_t avx512 = xcr0 & XCR0_AVX512;
    return !avx512 || (avx512 == XCR0_AVX512 && (xcr0 & XCR0_AVX));
}

bool fpu_area_valid(const void *area)
{
    uint32_t mxcsr;
    uint64_t header[8];
    memcpy(&mxcsr, (const uint8_t *)area + MXCSR_OFF, sizeof(mxcsr));
    if (mxcsr & ~MXCSR_DEFINED)
        return false;
    if (!xcr0_max)
        return true;
    memcpy(header, (const uint8_t *)area + XSAVE_HEADER_OFF, sizeof(header));
    if (header[0] & ~xcr0_max)
        return false;
    for (unsigned i = 1; i < ARRAY_SIZE(header); i++)
        if (header[i])
            return false;
    return true;
}
