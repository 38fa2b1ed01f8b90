/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to CR0, CR4 and EFER by a guest: what the processor would check, what the VMCS needs then. On the
 * current VMCS; the caller flushes the guest's translations when told to. SDM volume 3, "Control Registers",
 * "Initializing IA-32e Mode", "PDPTE Registers"; volume 2, MOV - Move to/from Control Registers.
 */
#ifndef ARCH_VMX_GUEST_CR_H
#define ARCH_VMX_GUEST_CR_H

#include "arch/vmx/vmx_caps.h"

struct guest_cr_env {
    const struct vmx_caps *caps;
    uint64_t cr4_allowed; /* what the guest's CPUID offers */
    uint64_t efer_allowed;
    /* Reads the four PDPTEs at cr3 & ~31; false: not memory. */
    bool (*read_pdptes)(void *ctx, uint64_t cr3, uint64_t out[4]);
    void *ctx;
};

enum guest_cr_result {
    GUEST_CR_DONE,
    GUEST_CR_DONE_FLUSH, /* translations of the guest's own tables must go */
    GUEST_CR_FAULT,      /* #GP(0), nothing changed */
};

enum guest_cr_result guest_cr_write_cr0(const struct guest_cr_env *env, uint64_t value);
enum guest_cr_result guest_cr_write_cr4(const struct guest_cr_env *env, uint64_t value);
enum guest_cr_result guest_cr_write_efer(const struct guest_cr_env *env, uint64_t value);

/* As the guest reads them. */
uint64_t guest_cr_cr0(void);
uint64_t guest_cr_cr4(void);

#endif
