/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What passes from the processor's CPUID to a domain's. What is not in a mask is hidden: a bit that Intel
 * defines later stays hidden until somebody has thought about it. SDM volume 2, "CPUID - CPU Identification".
 *
 * Hidden on purpose: VMX, SMX, MONITOR/MWAIT, performance monitoring and debug store, thermal and power
 * management (but ARAT), MTRRs, machine check, SGX, PT, MPX, LA57, CET, protection keys for supervisor pages,
 * AMX, WAITPKG, key locker, resource director, FRED, user interrupts, and all that needs IA32_SPEC_CTRL,
 * IA32_ARCH_CAPABILITIES or another MSR that guests do not have (hv/core/msr_policy.c).
 */
#include "hv/core/cpuid_mask.h"

#define ALL          0xffffffffU
#define BIT32(n)     (1U << (n))
#define BITS(hi, lo) ((uint32_t)MASK(hi, lo))

struct mask {
    uint32_t leaf, subleaf;
    uint32_t pass[4];
};

/* clang-format off */
static const struct mask masks[] = {
    {1, 0, {ALL, BITS(15, 0),
        BIT32(0) /* SSE3 */ | BIT32(1) /* PCLMULQDQ */ | BIT32(9) /* SSSE3 */ | BIT32(12) /* FMA */ |
        BIT32(13) /* CMPXCHG16B */ | BIT32(17) /* PCID */ | BIT32(19) /* SSE4.1 */ | BIT32(20) /* SSE4.2 */ |
        BIT32(22) /* MOVBE */ | BIT32(23) /* POPCNT */ | BIT32(25) /* AES */ | BIT32(26) /* XSAVE */ |
        BIT32(28) /* AVX */ | BIT32(29) /* F16C */ | BIT32(30) /* RDRAND */,
        BITS(6, 0) /* FPU VME DE PSE TSC MSR PAE */ | BIT32(8) /* CX8 */ | BIT32(11) /* SEP */ | BIT32(13) /* PGE */ |
        BITS(17, 15) /* CMOV PAT PSE-36 */ | BIT32(19) /* CLFSH */ | BITS(27, 23) /* MMX FXSR SSE SSE2 SS */}},
    {2, 0, {ALL, ALL, ALL, ALL}},
    {6, 0, {BIT32(2) /* ARAT */, 0, 0, 0}},
    {7, 0, {0,
        BIT32(0) /* FSGSBASE */ | BITS(9, 3) /* BMI1 HLE AVX2 FDP SMEP BMI2 ERMS */ | BIT32(10) /* INVPCID */ |
        BIT32(11) /* RTM */ | BIT32(13) /* FPU CS DS */ | BITS(21, 16) /* AVX512F DQ RDSEED ADX SMAP IFMA */ |
        BITS(24, 23) /* CLFLUSHOPT CLWB */ | BITS(31, 26) /* AVX512PF ER CD SHA AVX512BW VL */,
        BITS(3, 0) /* PREFETCHWT1 VBMI UMIP PKU */ | BIT32(6) /* VBMI2 */ |
        BITS(12, 8) /* GFNI VAES VPCLMULQDQ VNNI BITALG */ | BIT32(14) /* VPOPCNTDQ */ | BIT32(22) /* RDPID */ |
        BIT32(25) /* CLDEMOTE */ | BITS(28, 27) /* MOVDIRI MOVDIR64B */,
        BITS(4, 2) /* 4VNNIW 4FMAPS FSRM */ | BIT32(8) /* VP2INTERSECT */ | BITS(11, 10) /* MD_CLEAR RTM_ALWAYS_ABORT */ |
        BIT32(14) /* SERIALIZE */ | BIT32(16) /* TSXLDTRK */ | BIT32(23) /* AVX512_FP16 */}},
    {7, 1, {
        BITS(5, 0) /* SHA512 SM3 SM4 RAO-INT AVX-VNNI AVX512_BF16 */ | BIT32(7) /* CMPCCXADD */ |
        BITS(12, 10) /* FZRM FSRS FSRC */ | BIT32(23) /* AVX-IFMA */, 0, 0,
        BITS(5, 4) /* AVX-VNNI-INT8 AVX-NE-CONVERT */ | BIT32(10) /* AVX-VNNI-INT16 */ | BIT32(14) /* PREFETCHI */}},
    {7, 2, {0, 0, 0, BIT32(5) /* MCDT_NO */}},
    {0x80000001, 0, {0, 0,
        BIT32(0) /* LAHF */ | BIT32(5) /* LZCNT */ | BIT32(8) /* PREFETCHW */,
        BIT32(11) /* SYSCALL */ | BIT32(20) /* NX */ | BIT32(26) /* 1G pages */ | BIT32(27) /* RDTSCP */ | BIT32(29) /* LM */}},
    {0x80000002, 0, {ALL, ALL, ALL, ALL}}, /* the brand string, and the next two */
    {0x80000003, 0, {ALL, ALL, ALL, ALL}},
    {0x80000004, 0, {ALL, ALL, ALL, ALL}},
    {0x80000006, 0, {0, 0, ALL, 0}}, /* L2 */
    {0x80000007, 0, {0, 0, 0, BIT32(8) /* invariant TSC */}},
};
/* clang-format on */

const uint32_t *cpuid_mask(uint32_t leaf, uint32_t subleaf)
{
    static const uint32_t none[4];
    for (unsigned i = 0; i < ARRAY_SIZE(masks); i++)
        if (masks[i].leaf == leaf && masks[i].subleaf == subleaf)
            return masks[i].pass;
    return none;
}
