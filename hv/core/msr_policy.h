/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which MSRs a guest has: one table of ranges, each with what a read and what a write does. What no row names
 * does not exist: RDMSR and WRMSR are #GP. Pure.
 *
 * Direct MSRs are the guest's own in hardware: part of the VMCS guest state, or switched with the vCPU. All
 * other accesses exit.
 */
#ifndef HV_CORE_MSR_POLICY_H
#define HV_CORE_MSR_POLICY_H

#include "arch/cpu/bits.h"

enum msr_access {
    MSR_ACCESS_FAULT,   /* #GP(0) */
    MSR_ACCESS_DIRECT,  /* no exit */
    MSR_ACCESS_VALUE,   /* read: the row's value. Write: nothing for that value, #GP(0) for others */
    MSR_ACCESS_IGNORE,  /* write only: nothing happens */
    MSR_ACCESS_EMULATE, /* by the row's kind */
};

/* Who emulates. */
enum msr_kind {
    MSR_KIND_NONE,
    MSR_KIND_TSC, /* reads are direct: the processor adds the TSC offset */
    MSR_KIND_APIC_BASE,
    MSR_KIND_TSC_ADJUST,
    MSR_KIND_MISC_ENABLE,
    MSR_KIND_PAT, /* writes only: memory types must be valid */
    MSR_KIND_TSC_DEADLINE,
    MSR_KIND_X2APIC, /* the range; register number is msr - MSR_IA32_X2APIC_BASE */
    MSR_KIND_XSS,
    MSR_KIND_EFER, /* writes only, and the next */
    MSR_KIND_SWITCHED,
};

struct msr_rule {
    uint32_t first, last; /* inclusive */
    uint8_t read, write;  /* enum msr_access */
    uint8_t kind;         /* enum msr_kind */
    uint64_t value;
};

/* The row of an MSR; one with MSR_ACCESS_FAULT for both when there is none. Never NULL. */
const struct msr_rule *msr_policy_find(uint32_t msr);

/* Fills a page for the VMCS: SDM volume 3, "MSR-Bitmap Address". */
void msr_policy_fill_bitmap(uint8_t bitmap[PAGE_SIZE]);

#endif
