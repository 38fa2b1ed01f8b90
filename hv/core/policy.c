/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guests of a domain see of the processor: CPUID answers (cpuid_policy.c), MSRs (msr_policy.c), I/O
 * ports, and, following from the CPUID answers, the bits of CR4 and EFER that can be set.
 */
#include "hv/core/policy.h"

#include <string.h>

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "hv/core/cpuid_policy.h"
#include "hv/core/msr_policy.h"
#include "hv/core/page.h"
#include "hv/core/pcpu.h"
#include "hv/core/readiness.h"

/* CR4 bits that every 64-bit processor with VMX has; the others are in the table. */
#define CR4_ALWAYS                                                                                           \
    (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_OSFXSR |   \
     CR4_OSXMMEXCPT)

/* The management domain reads the clock and PCI configuration space: ports 0x70-0x71, 0xcf8-0xcff. */
static const struct {
    uint16_t first, last;
} manager_ports[] = {{0x70, 0x71}, {0xcf8, 0xcff}};

/* A page of ones: bitmap A and B of all domains but domain 0. Made once, under the management lock. */
static void *deny_all;

static void host_cpuid(void *ctx, uint32_t leaf, uint32_t subleaf, uint32_t reg[CPUID_REGS])
{
    struct cpuid_regs r = cpuid(leaf, subleaf);
    (void)ctx;
    reg[CPUID_EAX] = r.eax;
    reg[CPUID_EBX] = r.ebx;
    reg[CPUID_ECX] = r.ecx;
    reg[CPUID_EDX] = r.edx;
}

static uint64_t cr4_allowed(const struct cpuid_policy *p)
{
    static const struct {
        uint32_t leaf;
        enum cpuid_reg reg;
        uint64_t feature, cr4;
    } table[] = {
        {1, CPUID_ECX, BIT(17), CR4_PCIDE},   {1, CPUID_ECX, BIT(26), CR4_OSXSAVE},
        {7, CPUID_EBX, BIT(0), CR4_FSGSBASE}, {7, CPUID_EBX, BIT(7), CR4_SMEP},
        {7, CPUID_EBX, BIT(20), CR4_SMAP},    {7, CPUID_ECX, BIT(2), CR4_UMIP},
        {7, CPUID_ECX, BIT(3), CR4_PKE},
    };
    uint64_t allowed = CR4_ALWAYS;
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
        if (cpuid_policy_find(p, table[i].leaf, 0)->reg[table[i].reg] & table[i].feature)
            allowed |= table[i].cr4;
    return allowed;
}

static bool init_ports(struct domain *d)
{
    if (!deny_all) {
        deny_all = page_alloc();
        if (!deny_all)
            return false;
        memset(deny_all, 0xff, PAGE_SIZE);
    }
    d->io_bitmap[0] = d->io_bitmap[1] = deny_all;
    if (d->id)
        return true;
    uint8_t *own = domain_page_alloc(d);
    if (!own)
        return false;
    memset(own, 0xff, PAGE_SIZE);
    for (unsigned i = 0; i < ARRAY_SIZE(manager_ports); i++)
        for (unsigned port = manager_ports[i].first; port <= manager_ports[i].last; port++)
            own[port / 8] &= (uint8_t) ~(1U << port % 8);
    d->io_bitmap[0] = own;
    return true;
}

bool domain_policy_init(struct domain *d)
{
    const struct vmx_caps *caps = readiness_caps();
    const struct cpuid_params params = {
        .host = host_cpuid,
        .tsc_khz = pcpu_tsc_khz,
        .vcpus = d->max_vcpus,
        .rdtscp = vmx_caps_has(caps, VMX_WORD_PROC2, PROC2_RDTSCP),
        .invpcid = vmx_caps_has(caps, VMX_WORD_PROC2, PROC2_INVPCID),
        .xsaves = vmx_caps_has(caps, VMX_WORD_PROC2, PROC2_XSAVES),
        .apic = d->irqchip,
        .x2apic = d->irqchip,
        .tsc_deadline = d->irqchip || d->tsc_deadline,
    };
    cpuid_policy_build(d->cpuid, &params);
    msr_policy_fill_bitmap(d->msr_bitmap);
    d->cr4_allowed = cr4_allowed(d->cpuid);
    d->phys_bits = (uint8_t)cpuid_policy_find(d->cpuid, 0x80000008, 0)->reg[CPUID_EAX];
    return init_ports(d);
}

void policy_cr(const struct domain *d, struct guest_cr_env *env)
{
    env->caps = readiness_caps();
    env->cr4_allowed = d->cr4_allowed;
    env->efer_allowed = EFER_SCE | EFER_LME | EFER_NXE;
}

bool policy_pat_valid(uint64_t pat)
{
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t type = pat >> i & 0xff;
        if (type == 2 || type == 3 || type > 7)
            return false;
    }
    return true;
}
