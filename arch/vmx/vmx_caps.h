/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What VMX on this CPU can do, and whether that is enough for us: one table {control, wanted, why}.
 */
#ifndef ARCH_VMX_VMX_CAPS_H
#define ARCH_VMX_VMX_CAPS_H

#include "arch/vmx/vmx_ctls.h"

enum vmx_word {
    VMX_WORD_PIN,
    VMX_WORD_PROC,
    VMX_WORD_PROC2,
    VMX_WORD_PROC3,
    VMX_WORD_EXIT,
    VMX_WORD_ENTRY,
    VMX_WORD_EPT_VPID, /* a capability word: no bit of it must be 1 */
    VMX_WORD_COUNT,
};

struct vmx_caps {
    uint64_t basic;
    uint64_t must[VMX_WORD_COUNT]; /* controls that must be 1 */
    uint64_t may[VMX_WORD_COUNT];  /* controls that may be 1 */
    uint64_t misc;
    uint64_t cr0_must, cr0_may; /* CR0 bits in VMX operation: fixed to 1, allowed to be 1 */
    uint64_t cr4_must, cr4_may;
};

enum vmx_presence {
    VMX_PRESENT,
    VMX_ABSENT,     /* CPUID.1:ECX[5] is 0 */
    VMX_LOCKED_OFF, /* firmware locked IA32_FEATURE_CONTROL without VMX */
};

/* Is VMX there and allowed on the executing CPU? Locks the feature control on when firmware left it
 * open. */
enum vmx_presence vmx_caps_presence(void);

/* Reads the capability MSRs of the executing CPU. Only when VMX is present. */
void vmx_caps_read(struct vmx_caps *caps);

/* Narrows `common` to what both processors can do. False: their VMCS formats differ, so a vCPU
 * could not move between them. */
bool vmx_caps_merge(struct vmx_caps *common, const struct vmx_caps *other);

/* A control word: what is wanted and possible, plus what must be. */
static inline uint64_t vmx_caps_control(const struct vmx_caps *caps, enum vmx_word word, uint64_t wanted)
{
    return (wanted | caps->must[word]) & caps->may[word];
}

static inline bool vmx_caps_has(const struct vmx_caps *caps, enum vmx_word word, uint64_t bits)
{
    return (caps->may[word] & bits) == bits;
}

/* One row of the table, as it turned out. */
struct vmx_feature {
    enum vmx_word word;
    uint64_t bit;
    bool required;
    const char *name; /* the SDM's name of the control */
    const char *why;  /* what it is for, or what replaces it */
};

/* The table. Returns the number of rows. */
unsigned vmx_caps_table(const struct vmx_feature **rows);

/*
 * What is wrong with the capabilities beyond missing controls: NULL, or one line (VMCS memory type,
 * region size, 32-bit VMCS addresses).
 */
const char *vmx_caps_fault(const struct vmx_caps *caps);

#endif
