/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of MSRs, sorted by number. A new one is a row here, and a kind when it needs code.
 *
 * Constants: no microcode platform, feature control locked without VMX and SMX, no MTRRs (hidden in CPUID;
 * who looks all the same sees all memory as write-back), no machine-check banks, no branch tracing.
 */
#include "hv/core/msr_policy.h"

#include <string.h>

#include "arch/cpu/msr.h"

#define MTRR_DEF_TYPE_E_WB 0x806UL /* MTRRs enabled, default type write-back, no fixed ranges */

#define MICROCODE_REVISION (1UL << 32) /* no real one: not every processor model has the MSR to ask */

#define FAULT   MSR_ACCESS_FAULT
#define DIRECT  MSR_ACCESS_DIRECT
#define VALUE   MSR_ACCESS_VALUE
#define IGNORE  MSR_ACCESS_IGNORE
#define EMULATE MSR_ACCESS_EMULATE

#define ONE(msr) (msr), (msr)

/* clang-format off */
static const struct msr_rule rules[] = {
    {ONE(MSR_IA32_TSC),              DIRECT,  EMULATE, MSR_KIND_TSC, 0},
    {ONE(MSR_IA32_PLATFORM_ID),      VALUE,   FAULT,   MSR_KIND_NONE, 0},
    {ONE(MSR_IA32_APIC_BASE),        EMULATE, EMULATE, MSR_KIND_APIC_BASE, 0},
    {ONE(MSR_IA32_FEATURE_CONTROL),  VALUE,   FAULT,   MSR_KIND_NONE, FEATURE_CONTROL_LOCK},
    {ONE(MSR_IA32_TSC_ADJUST),       EMULATE, EMULATE, MSR_KIND_TSC_ADJUST, 0},
    {ONE(MSR_IA32_BIOS_SIGN_ID),     VALUE,   IGNORE,  MSR_KIND_NONE, MICROCODE_REVISION},
    {ONE(MSR_IA32_MTRRCAP),          VALUE,   FAULT,   MSR_KIND_NONE, 0},
    {MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP, DIRECT, DIRECT, MSR_KIND_NONE, 0},
    {ONE(MSR_IA32_MCG_CAP),          VALUE,   FAULT,   MSR_KIND_NONE, 0},
    {ONE(MSR_IA32_MCG_STATUS),       VALUE,   VALUE,   MSR_KIND_NONE, 0},
    {ONE(MSR_IA32_MISC_ENABLE),      EMULATE, EMULATE, MSR_KIND_MISC_ENABLE, 0},
    {ONE(MSR_IA32_DEBUGCTL),         VALUE,   VALUE,   MSR_KIND_NONE, 0},
    {ONE(MSR_IA32_PAT),              DIRECT,  EMULATE, MSR_KIND_PAT, 0},
    {ONE(MSR_IA32_MTRR_DEF_TYPE),    VALUE,   VALUE,   MSR_KIND_NONE, MTRR_DEF_TYPE_E_WB},
    {ONE(MSR_IA32_TSC_DEADLINE),     EMULATE, EMULATE, MSR_KIND_TSC_DEADLINE, 0},
    {MSR_IA32_X2APIC_BASE, MSR_IA32_X2APIC_BASE + 0xff, EMULATE, EMULATE, MSR_KIND_X2APIC, 0},
    {ONE(MSR_IA32_XSS),              EMULATE, EMULATE, MSR_KIND_XSS, 0},
    {ONE(MSR_IA32_EFER),             DIRECT,  EMULATE, MSR_KIND_EFER, 0},
    {MSR_IA32_STAR, MSR_IA32_FMASK,  DIRECT,  EMULATE, MSR_KIND_SWITCHED, 0},
    {MSR_IA32_FS_BASE, MSR_IA32_KERNEL_GS_BASE, DIRECT, DIRECT, MSR_KIND_NONE, 0},
    {ONE(MSR_IA32_TSC_AUX),          DIRECT,  EMULATE, MSR_KIND_SWITCHED, 0},
};
/* clang-format on */

const struct msr_rule *msr_policy_find(uint32_t msr)
{
    static const struct msr_rule none = {0, UINT32_MAX, FAULT, FAULT, MSR_KIND_NONE, 0};
    uint32_t low = 0, high = ARRAY_SIZE(rules);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (msr > rules[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ARRAY_SIZE(rules) && msr >= rules[low].first ? &rules[low] : &none;
}

/*
 * Four bitmaps of 1 KiB: reads of low and of high MSRs, then writes; a bit that is set exits. MSRs outside of
 * both ranges always exit.
 */
enum { BITMAP_READ = 0, BITMAP_WRITE = 2048, BITMAP_HIGH = 1024 };
#define HIGH_FIRST     0xc0000000U
#define MSRS_PER_RANGE 0x2000U

static void allow(uint8_t *bitmap, uint32_t msr)
{
    uint32_t bit = msr % MSRS_PER_RANGE;
    bitmap[(msr >= HIGH_FIRST ? BITMAP_HIGH : 0) + bit / 8] &= (uint8_t) ~(1U << bit % 8);
}

void msr_policy_fill_bitmap(uint8_t bitmap[PAGE_SIZE])
{
    memset(bitmap, 0xff, PAGE_SIZE);
    for (uint32_t i = 0; i < ARRAY_SIZE(rules); i++) {
        for (uint32_t msr = rules[i].first; msr <= rules[i].last; msr++) {
            if (rules[i].read == DIRECT)
                allow(bitmap + BITMAP_READ, msr);
            if (rules[i].write == DIRECT)
                allow(bitmap + BITMAP_WRITE, msr);
        }
    }
}
