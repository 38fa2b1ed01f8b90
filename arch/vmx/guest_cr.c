/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CR0, CR4 and EFER of a guest. The real registers carry what VMX operation wants besides what the guest
 * wrote; what it reads back comes from the read shadows for the bits that we own. Long mode follows from
 * EFER.LME and CR0.PG: EFER.LMA and the entry control "IA-32e mode guest" change together here.
 */
#include "arch/vmx/guest_cr.h"

#include "arch/cpu/msr.h"
#include "arch/vmx/vmcs.h"

#define CR0_DEFINED                                                                                          \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CS_ACCESS_L        BIT(13)
#define TR_BUSY_TSS16      3
#define TR_BUSY_TSS64      11
#define PDPTE_RESERVED     (MASK(63, 52) | MASK(8, 5) | MASK(2, 1))
#define CR4_RELOADS_PDPTES (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)
#define CR4_FLUSHES        (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP | CR4_SMAP | CR4_PCIDE | CR4_PKE)

static uint64_t shadowed(enum vmcs_field real, enum vmcs_field mask, enum vmcs_field shadow)
{
    uint64_t m = vmcs_read(mask);
    return (vmcs_read(real) & ~m) | (vmcs_read(shadow) & m);
}

uint64_t guest_cr_cr0(void)
{
    return shadowed(VMCS_GUEST_CR0, VMCS_CR0_MASK, VMCS_CR0_SHADOW);
}

uint64_t guest_cr_cr4(void)
{
    return shadowed(VMCS_GUEST_CR4, VMCS_CR4_MASK, VMCS_CR4_SHADOW);
}

/*
 * PAE paging keeps its four top entries in registers, which the VMCS holds. False: a reserved bit is set in a
 * present one.
 */
static bool load_pdptes(const struct guest_cr_env *env)
{
    uint64_t pdpte[4];
    if (!env->read_pdptes(env->ctx, vmcs_read(VMCS_GUEST_CR3) & MASK(31, 5), pdpte))
        return false;
    for (unsigned i = 0; i < 4; i++)
        if ((pdpte[i] & 1) && (pdpte[i] & PDPTE_RESERVED))
            return false;
    for (unsigned i = 0; i < 4; i++)
        vmcs_write((enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i), pdpte[i]);
    return true;
}

static void set_long_mode(bool on)
{
    uint64_t efer = vmcs_read(VMCS_GUEST_EFER) & ~EFER_LMA;
    uint64_t entry = vmcs_read(VMCS_ENTRY_CONTROLS) & ~ENTRY_IA32E_GUEST;
    vmcs_write(VMCS_GUEST_EFER, on ? efer | EFER_LMA : efer);
    vmcs_write(VMCS_ENTRY_CONTROLS, on ? entry | ENTRY_IA32E_GUEST : entry);
}

/* Would enabling or disabling paging fault? */
static bool paging_switch_faults(uint64_t value, uint64_t cr4, uint64_t efer)
{
    bool code64 = vmcs_read(VMCS_GUEST_CS_ACCESS) & CS_ACCESS_L;
    if (!(value & CR0_PG))
        return (cr4 & CR4_PCIDE) || ((efer & EFER_LMA) && code64);
    if (!(efer & EFER_LME))
        return false;
    uint64_t tr_type = vmcs_read(VMCS_GUEST_TR_ACCESS) & 15;
    return !(cr4 & CR4_PAE) || code64 || tr_type <= TR_BUSY_TSS16;
}

enum guest_cr_result guest_cr_write_cr0(const struct guest_cr_env *env, uint64_t value)
{
    uint64_t old = guest_cr_cr0(), cr4 = guest_cr_cr4(), efer = vmcs_read(VMCS_GUEST_EFER);
    bool switched = (old ^ value) & CR0_PG;
    if ((value >> 32) || ((value & CR0_PG) && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD)) ||
        (switched && paging_switch_faults(value, cr4, efer)))
        return GUEST_CR_FAULT;
    bool pae = (value & CR0_PG) && (cr4 & CR4_PAE) && !(efer & EFER_LME);
    if (pae && ((old ^ value) & (CR0_PG | CR0_CD | CR0_NW)) && !load_pdptes(env))
        return GUEST_CR_FAULT;
    value = (value & CR0_DEFINED) | CR0_ET;
    uint64_t must = env->caps->cr0_must & ~(uint64_t)(CR0_PE | CR0_PG);
    vmcs_write(VMCS_GUEST_CR0, (value & ~(uint64_t)(CR0_CD | CR0_NW)) | must);
    vmcs_write(VMCS_CR0_SHADOW, value);
    if (switched && (efer & EFER_LME)) {
        set_long_mode(value & CR0_PG);
        /*
         * VM entry wants a 64-bit TSS in IA-32e mode; the processor itself accepts any busy TSS until it is
         * used.
         */
        uint64_t tr = vmcs_read(VMCS_GUEST_TR_ACCESS);
        if (value & CR0_PG)
            vmcs_write(VMCS_GUEST_TR_ACCESS, (tr & ~15UL) | TR_BUSY_TSS64);
    }
    return switched || pae ? GUEST_CR_DONE_FLUSH : GUEST_CR_DONE;
}

enum guest_cr_result guest_cr_write_cr4(const struct guest_cr_env *env, uint64_t value)
{
    uint64_t old = guest_cr_cr4(), cr0 = guest_cr_cr0(), efer = vmcs_read(VMCS_GUEST_EFER);
    bool lma = efer & EFER_LMA;
    if (value & ~env->cr4_allowed)
        return GUEST_CR_FAULT;
    if (lma && !(value & CR4_PAE))
        return GUEST_CR_FAULT;
    if ((value & ~old & CR4_PCIDE) && (!lma || (vmcs_read(VMCS_GUEST_CR3) & 0xfff)))
        return GUEST_CR_FAULT;
    bool pae = (cr0 & CR0_PG) && (value & CR4_PAE) && !lma;
    if (pae && ((old ^ value) & CR4_RELOADS_PDPTES) && !load_pdptes(env))
        return GUEST_CR_FAULT;
    vmcs_write(VMCS_GUEST_CR4, value | env->caps->cr4_must);
    vmcs_write(VMCS_CR4_SHADOW, value);
    return (old ^ value) & CR4_FLUSHES ? GUEST_CR_DONE_FLUSH : GUEST_CR_DONE;
}

enum guest_cr_result guest_cr_write_efer(const struct guest_cr_env *env, uint64_t value)
{
    uint64_t old = vmcs_read(VMCS_GUEST_EFER);
    if ((value & ~EFER_LMA) & ~env->efer_allowed)
        return GUEST_CR_FAULT;
    if (((old ^ value) & EFER_LME) && (guest_cr_cr0() & CR0_PG))
        return GUEST_CR_FAULT;
    vmcs_write(VMCS_GUEST_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
    return (old ^ value) & EFER_NXE ? GUEST_CR_DONE_FLUSH : GUEST_CR_DONE;
}
