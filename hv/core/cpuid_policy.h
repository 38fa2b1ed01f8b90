/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUID tells a domain: all answers are worked out once, from the processor's, into one page per domain.
 * Pure: the processor is asked through a callback.
 *
 * Leaves that a domain does not have answer zeros, whatever Intel processors answer for them (the data of the
 * highest basic leaf): a guest that looks for another hypervisor's leaves, or forgets to look at the highest
 * leaf, must not find stray bits. SDM volume 2, "CPUID - CPU Identification".
 */
#ifndef HV_CORE_CPUID_POLICY_H
#define HV_CORE_CPUID_POLICY_H

#include "arch/cpu/bits.h"
#include "guest_abi/hv_abi.h"

enum cpuid_reg { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX, CPUID_REGS };

/* What of an answer depends on the vCPU and its state; cpuid_policy_patch fills it in. */
enum cpuid_dynamic {
    CPUID_DYN_APIC_ID = 1 << 0,   /* EBX[31:24]; EDX[9] */
    CPUID_DYN_OSXSAVE = 1 << 1,   /* ECX[27] of leaf 1 */
    CPUID_DYN_OSPKE = 1 << 2,     /* ECX[4] of leaf 7 */
    CPUID_DYN_XCR0_SIZE = 1 << 3, /* EBX: XSAVE area for XCR0, standard format */
    CPUID_DYN_XSS_SIZE = 1 << 4,  /* EBX: XSAVE area for XCR0 and XSS, compacted */
    CPUID_DYN_X2APIC_ID = 1 << 5, /* EDX: x2APIC ID; ECX[7:0]: the subleaf that was asked for */
};

struct cpuid_entry {
    uint32_t reg[CPUID_REGS];
    uint32_t dynamic; /* enum cpuid_dynamic; 0: the answer is complete */
    uint32_t unused[3];
};
_Static_assert(sizeof(struct cpuid_entry) == 32, "an index is a shift");

/* Of one leaf: subleaf s answers with entry first + min(s, last). Where subleaves mean nothing, last is 0. */
struct cpuid_slot {
    uint8_t first, last;
};

#define CPUID_EXTENDED_BASE     0x80000000U
#define CPUID_BASIC_LEAVES      0x20U
#define CPUID_EXTENDED_LEAVES   9U
#define CPUID_HYPERVISOR_LEAVES 2U
#define CPUID_ENTRIES           64U

struct cpuid_policy {
    struct cpuid_slot basic[CPUID_BASIC_LEAVES];
    struct cpuid_slot extended[CPUID_EXTENDED_LEAVES];     /* from 0x80000000 */
    struct cpuid_slot hypervisor[CPUID_HYPERVISOR_LEAVES]; /* from HV_CPUID_BASE */
    uint16_t entries;                                      /* in use */
    uint64_t xcr0;                                         /* bits that the domain may set in XCR0 */
    struct cpuid_entry entry[CPUID_ENTRIES];               /* the first one is all zero */
};
_Static_assert(sizeof(struct cpuid_policy) <= PAGE_SIZE, "one page per domain");

struct cpuid_params {
    void (*host)(void *ctx, uint32_t leaf, uint32_t subleaf, uint32_t reg[CPUID_REGS]);
    void *ctx;
    uint64_t tsc_khz;                /* of the domain's TSC; not 0 */
    uint32_t vcpus;                  /* at least 1: one package, one thread per core */
    bool rdtscp, invpcid, xsaves;    /* VM-execution controls that let guests use these */
    bool apic, x2apic, tsc_deadline; /* what the domain's local APIC has; all false: none */
};

void cpuid_policy_build(struct cpuid_policy *p, const struct cpuid_params *params);

/*
 * The answer to CPUID; never NULL. Basic leaves first, with nothing before them: they are what guests ask for
 * at run time.
 */
static inline const struct cpuid_entry *cpuid_policy_find(const struct cpuid_policy *p, uint32_t leaf,
                                                          uint32_t subleaf)
{
    const struct cpuid_slot *slot;
    if (__builtin_expect(leaf < CPUID_BASIC_LEAVES, 1))
        slot = &p->basic[leaf];
    else if (leaf - CPUID_EXTENDED_BASE < CPUID_EXTENDED_LEAVES)
        slot = &p->extended[leaf - CPUID_EXTENDED_BASE];
    else if (leaf - HV_CPUID_BASE < CPUID_HYPERVISOR_LEAVES)
        slot = &p->hypervisor[leaf - HV_CPUID_BASE];
    else
        return &p->entry[0];
    uint32_t last = slot->last;
    return &p->entry[slot->first + (subleaf < last ? subleaf : last)];
}

/* The state of a vCPU that answers depend on. */
struct cpuid_vcpu {
    uint32_t index;
    uint64_t cr4, xcr0, xss;
    bool apic_off; /* IA32_APIC_BASE.EN is 0: the processor has none */
};

/* The answer with its dynamic parts filled in. */
void cpuid_policy_patch(const struct cpuid_policy *p, const struct cpuid_entry *e, uint32_t subleaf,
                        const struct cpuid_vcpu *v, uint32_t reg[CPUID_REGS]);

#endif
