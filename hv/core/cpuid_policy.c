/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Working out a domain's CPUID answers: a table of the leaves that exist, each with the function that fills
 * it. Most start from what passes from the processor (cpuid_mask.c) and go on from there.
 */
#include "hv/core/cpuid_policy.h"

#include <string.h>

#include "arch/cpu/msr.h"
#include "guest_abi/hv_abi.h"
#include "hv/core/cpuid_mask.h"

#define BASIC_MAX_MIN 0x16U /* so that every domain is told its TSC frequency */
#define PHYS_BITS_MAX 46U   /* EPT_GPA_END is 47 bits; a domain sees one bit less */
#define LINEAR_BITS   48U

#define CACHES_MAX        7U
#define XSAVE_LEGACY_SIZE 576U /* legacy region and header */
#define XSAVE_FIRST       2U   /* the first component with a subleaf */
#define XSAVE_LAST        9U
#define XSAVE_ALIGN       0x2U /* ECX of a component: on 64 bytes in the compacted format */
#define XCR0_X87_SSE      0x003UL
#define XCR0_AVX          0x004UL
#define XCR0_AVX512       0x0e0UL
#define XCR0_PKRU         0x200UL
#define XSAVE_XSAVEC      BIT32(1)
#define XSAVE_XSAVES      BIT32(3)
#define TOPOLOGY_SMT      1U
#define TOPOLOGY_CORE     2U
#define BUS_MHZ           100U
#define LEAF1_ECX_XSAVE   BIT32(26)
#define BIT32(n)          (1U << (n))
#define BITS(hi, lo)      ((uint32_t)MASK(hi, lo))

/* ---- building ---- */

struct build {
    struct cpuid_policy *p;
    const struct cpuid_params *in;
    uint32_t host_basic, host_extended; /* highest leaves */
};

/* The processor's answer; zeros for a leaf that it does not have. */
static void host(const struct build *b, uint32_t leaf, uint32_t subleaf, uint32_t reg[CPUID_REGS])
{
    memset(reg, 0, CPUID_REGS * sizeof(*reg));
    if (leaf <= b->host_basic || (leaf >= CPUID_EXTENDED_BASE && leaf <= b->host_extended))
        b->in->host(b->in->ctx, leaf, subleaf, reg);
}

static struct cpuid_slot *slot_of(struct cpuid_policy *p, uint32_t leaf)
{
    if (leaf >= CPUID_EXTENDED_BASE)
        return &p->extended[leaf - CPUID_EXTENDED_BASE];
    return leaf >= HV_CPUID_BASE ? &p->hypervisor[leaf - HV_CPUID_BASE] : &p->basic[leaf];
}

/*
 * The answer for a leaf's next subleaf, all zero. The subleaves of a leaf are appended one after the other;
 * cpuid_policy_test shows that there is always room.
 */
static struct cpuid_entry *append(struct build *b, uint32_t leaf)
{
    struct cpuid_slot *slot = slot_of(b->p, leaf);
    uint8_t index = (uint8_t)b->p->entries++;
    if (!slot->first)
        slot->first = index;
    slot->last = (uint8_t)(index - slot->first);
    return &b->p->entry[index];
}

static struct cpuid_entry *append_masked(struct build *b, uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_entry *e = append(b, leaf);
    const uint32_t *mask = cpuid_mask(leaf, subleaf);
    host(b, leaf, subleaf, e->reg);
    for (unsigned r = 0; r < CPUID_REGS; r++)
        e->reg[r] &= mask[r];
    return e;
}

static void set_if(uint32_t *reg, uint32_t bits, bool on)
{
    *reg = on ? *reg | bits : *reg & ~bits;
}

static void fill_masked(struct build *b, uint32_t leaf)
{
    append_masked(b, leaf, 0);
}

static void fill_0(struct build *b, uint32_t leaf)
{
    struct cpuid_entry *e = append(b, leaf);
    host(b, leaf, 0, e->reg);
    uint32_t max = b->host_basic < CPUID_BASIC_LEAVES ? b->host_basic : CPUID_BASIC_LEAVES - 1;
    e->reg[CPUID_EAX] = max > BASIC_MAX_MIN ? max : BASIC_MAX_MIN;
}

static void fill_1(struct build *b, uint32_t leaf)
{
    struct cpuid_entry *e = append_masked(b, leaf, 0);
    uint32_t logical = b->in->vcpus < 255 ? b->in->vcpus : 255;
    e->reg[CPUID_EBX] |= logical << 16;
    set_if(&e->reg[CPUID_ECX], BIT32(21) /* x2APIC */, b->in->x2apic);
    set_if(&e->reg[CPUID_ECX], BIT32(24) /* TSC_DEADLINE */, b->in->tsc_deadline);
    set_if(&e->reg[CPUID_ECX], BIT32(31) /* hypervisor */, true);
    set_if(&e->reg[CPUID_EDX], BIT32(9) /* APIC */, b->in->apic);
    set_if(&e->reg[CPUID_EDX], BIT32(28) /* HTT: EBX[23:16] is valid */, b->in->vcpus > 1);
    e->dynamic = CPUID_DYN_APIC_ID | CPUID_DYN_OSXSAVE;
}

/* Bits of an APIC ID that tell the vCPUs of a domain apart. */
static uint32_t topology_shift(const struct build *b)
{
    uint32_t shift = 0;
    while (1UL << shift < b->in->vcpus)
        shift++;
    return shift;
}

/* Caches: the first two levels are each core's own, the others all cores'. */
static void fill_4(struct build *b, uint32_t leaf)
{
    uint32_t ids = BIT32(topology_shift(b));
    for (uint32_t i = 0; i < CACHES_MAX; i++) {
        struct cpuid_entry *e = append(b, leaf);
        host(b, leaf, i, e->reg);
        if (!(e->reg[CPUID_EAX] & BITS(4, 0))) {
            *e = (struct cpuid_entry){.dynamic = 0};
            return;
        }
        uint32_t sharing = (e->reg[CPUID_EAX] >> 5 & 7) > 2 ? ids : 1;
        e->reg[CPUID_EAX] &= BITS(13, 0);
        e->reg[CPUID_EAX] |= ((sharing < 4096 ? sharing : 4096) - 1) << 14;
        e->reg[CPUID_EAX] |= ((ids < 64 ? ids : 64) - 1) << 26;
    }
    append(b, leaf);
}

static void fill_7(struct build *b, uint32_t leaf)
{
    uint32_t reg[CPUID_REGS];
    host(b, leaf, 0, reg);
    uint32_t max = reg[CPUID_EAX] < 2 ? reg[CPUID_EAX] : 2;
    for (uint32_t i = 0; i <= max; i++) {
        struct cpuid_entry *e = append_masked(b, leaf, i);
        if (i)
            continue;
        e->reg[CPUID_EAX] = max;
        e->dynamic = CPUID_DYN_OSPKE;
        set_if(&e->reg[CPUID_EBX], BIT32(1) /* TSC_ADJUST, emulated */, true);
        if (!b->in->invpcid)
            e->reg[CPUID_EBX] &= ~BIT32(10);
        if (!b->in->rdtscp)
            e->reg[CPUID_ECX] &= ~BIT32(22); /* RDPID is under the same control */
    }
    append(b, leaf);
}

/* One thread per core, all cores in one package. EDX, and ECX[7:0] behind the last level, are dynamic. */
static void fill_b(struct build *b, uint32_t leaf)
{
    for (uint32_t level = 0; level < 3; level++) {
        struct cpuid_entry *e = append(b, leaf);
        e->dynamic = CPUID_DYN_X2APIC_ID;
        if (level == 0) {
            e->reg[CPUID_EBX] = 1;
            e->reg[CPUID_ECX] = TOPOLOGY_SMT << 8;
        } else if (level == 1) {
            e->reg[CPUID_EAX] = topology_shift(b);
            e->reg[CPUID_EBX] = b->in->vcpus;
            e->reg[CPUID_ECX] = TOPOLOGY_CORE << 8;
        }
    }
    /* Leaf 0x1f says the same with more levels, of which we have none. */
    if (b->p->entry[b->p->basic[0].first].reg[CPUID_EAX] >= 0x1f)
        b->p->basic[0x1f] = b->p->basic[leaf];
}

static uint32_t xsave_size(const struct cpuid_policy *p, uint64_t components, bool compacted)
{
    const struct cpuid_entry *sub = &p->entry[p->basic[0xd].first];
    uint32_t size = XSAVE_LEGACY_SIZE;
    for (unsigned i = XSAVE_FIRST; i <= XSAVE_LAST; i++) {
        if (!(components & BIT(i)))
            continue;
        uint32_t offset = sub[i].reg[CPUID_EBX];
        if (compacted)
            offset = sub[i].reg[CPUID_ECX] & XSAVE_ALIGN ? (size + 63) & ~63U : size;
        uint32_t end = offset + sub[i].reg[CPUID_EAX];
        size = end > size ? end : size;
    }
    return size;
}

static uint64_t allowed_xcr0(const uint32_t reg[CPUID_REGS])
{
    uint64_t has = (uint64_t)reg[CPUID_EDX] << 32 | reg[CPUID_EAX];
    uint64_t allowed = has & (XCR0_X87_SSE | XCR0_AVX | XCR0_PKRU);
    /* AVX-512 state is allowed whole and on top of AVX, or not at all. */
    if ((has & (XCR0_AVX | XCR0_AVX512)) == (XCR0_AVX | XCR0_AVX512))
        allowed |= XCR0_AVX512;
    return allowed;
}

static void fill_d(struct build *b, uint32_t leaf)
{
    uint32_t reg[CPUID_REGS];
    host(b, 1, 0, reg);
    if (!(reg[CPUID_ECX] & LEAF1_ECX_XSAVE))
        return;
    host(b, leaf, 0, reg);
    b->p->xcr0 = allowed_xcr0(reg);
    struct cpuid_entry *first = append(b, leaf), *second = append(b, leaf);
    for (uint32_t i = XSAVE_FIRST; i <= XSAVE_LAST; i++) {
        struct cpuid_entry *e = append(b, leaf);
        if (!(b->p->xcr0 & BIT(i)))
            continue;
        host(b, leaf, i, e->reg);
        e->reg[CPUID_ECX] &= XSAVE_ALIGN;
        e->reg[CPUID_EDX] = 0;
    }
    append(b, leaf);
    first->reg[CPUID_EAX] = (uint32_t)b->p->xcr0;
    first->reg[CPUID_ECX] = xsave_size(b->p, b->p->xcr0, false);
    first->dynamic = CPUID_DYN_XCR0_SIZE;
    host(b, leaf, 1, reg);
    second->reg[CPUID_EAX] = reg[CPUID_EAX] & BITS(3, 0); /* XSAVEOPT XSAVEC XGETBV(1) XSAVES */
    if (!b->in->xsaves)
        second->reg[CPUID_EAX] &= ~XSAVE_XSAVES;
    if (second->reg[CPUID_EAX] & (XSAVE_XSAVEC | XSAVE_XSAVES))
        second->dynamic = CPUID_DYN_XSS_SIZE;
}

/*
 * The "crystal" is the TSC itself, halved until it fits 32 bits: exact, and without a product that overflows
 * in a guest's 32-bit arithmetic.
 */
static void fill_15(struct build *b, uint32_t leaf)
{
    struct cpuid_entry *e = append(b, leaf);
    uint64_t hz = b->in->tsc_khz * 1000;
    uint32_t numerator = 1;
    for (; hz > UINT32_MAX; hz /= 2)
        numerator *= 2;
    e->reg[CPUID_EAX] = 1;
    e->reg[CPUID_EBX] = numerator;
    e->reg[CPUID_ECX] = (uint32_t)hz;
}

static void fill_16(struct build *b, uint32_t leaf)
{
    struct cpuid_entry *e = append(b, leaf);
    e->reg[CPUID_EAX] = e->reg[CPUID_EBX] = (uint32_t)((b->in->tsc_khz + 500) / 1000);
    e->reg[CPUID_ECX] = BUS_MHZ;
}

static void fill_hypervisor(struct build *b, uint32_t leaf)
{
    struct cpuid_entry *e = append(b, leaf);
    e->reg[CPUID_EAX] = HV_CPUID_BASE + CPUID_HYPERVISOR_LEAVES - 1;
    memcpy(&e->reg[CPUID_EBX], HV_CPUID_SIGNATURE, 12);
    append(b, leaf + 1)->reg[CPUID_EAX] = HV_ABI_VERSION;
}

static void fill_extended(struct build *b, uint32_t leaf)
{
    append(b, leaf)->reg[CPUID_EAX] = CPUID_EXTENDED_BASE + CPUID_EXTENDED_LEAVES - 1;
}

static void fill_80000001(struct build *b, uint32_t leaf)
{
    struct cpuid_entry *e = append_masked(b, leaf, 0);
    if (!b->in->rdtscp)
        e->reg[CPUID_EDX] &= ~BIT32(27);
}

static void fill_80000008(struct build *b, uint32_t leaf)
{
    uint32_t reg[CPUID_REGS];
    host(b, leaf, 0, reg);
    uint32_t phys = reg[CPUID_EAX] & 0xff, linear = reg[CPUID_EAX] >> 8 & 0xff;
    phys = phys < PHYS_BITS_MAX ? phys : PHYS_BITS_MAX;
    linear = linear < LINEAR_BITS ? linear : LINEAR_BITS;
    append(b, leaf)->reg[CPUID_EAX] = linear << 8 | phys;
}

/* All others are zero. */
static const struct {
    uint32_t leaf;
    void (*fill)(struct build *b, uint32_t leaf);
} leaves[] = {
    {0, fill_0},
    {1, fill_1},
    {2, fill_masked},
    {4, fill_4},
    {6, fill_masked},
    {7, fill_7},
    {0xb, fill_b},
    {0xd, fill_d},
    {0x15, fill_15},
    {0x16, fill_16},
    {HV_CPUID_BASE, fill_hypervisor},
    {0x80000000, fill_extended},
    {0x80000001, fill_80000001},
    {0x80000002, fill_masked},
    {0x80000003, fill_masked},
    {0x80000004, fill_masked},
    {0x80000006, fill_masked},
    {0x80000007, fill_masked},
    {0x80000008, fill_80000008},
};

void cpuid_policy_build(struct cpuid_policy *p, const struct cpuid_params *params)
{
    struct build b = {.p = p, .in = params};
    uint32_t reg[CPUID_REGS];
    memset(p, 0, sizeof(*p));
    p->entries = 1;
    params->host(params->ctx, 0, 0, reg);
    b.host_basic = reg[CPUID_EAX];
    params->host(params->ctx, CPUID_EXTENDED_BASE, 0, reg);
    b.host_extended = reg[CPUID_EAX];
    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++)
        leaves[i].fill(&b, leaves[i].leaf);
}

/* ---- answering ---- */

void cpuid_policy_patch(const struct cpuid_policy *p, const struct cpuid_entry *e, uint32_t subleaf,
                        const struct cpuid_vcpu *v, uint32_t reg[CPUID_REGS])
{
    memcpy(reg, e->reg, sizeof(e->reg));
    if (e->dynamic & CPUID_DYN_APIC_ID) {
        reg[CPUID_EBX] |= v->index << 24;
        if (v->apic_off)
            reg[CPUID_EDX] &= ~BIT32(9);
    }
    if (e->dynamic & CPUID_DYN_OSXSAVE)
        set_if(&reg[CPUID_ECX], BIT32(27), v->cr4 & CR4_OSXSAVE);
    if (e->dynamic & CPUID_DYN_OSPKE)
        set_if(&reg[CPUID_ECX], BIT32(4), v->cr4 & CR4_PKE);
    if (e->dynamic & CPUID_DYN_XCR0_SIZE)
        reg[CPUID_EBX] = xsave_size(p, v->xcr0, false);
    if (e->dynamic & CPUID_DYN_XSS_SIZE)
        reg[CPUID_EBX] = xsave_size(p, v->xcr0 | v->xss, true);
    if (e->dynamic & CPUID_DYN_X2APIC_ID) {
        reg[CPUID_ECX] |= subleaf & 0xff;
        reg[CPUID_EDX] = v->index;
    }
}
