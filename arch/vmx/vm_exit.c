/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of exit qualifications, SDM volume 3, "Basic VM-Exit Information", one function per table there.
 */
#include "arch/vmx/vm_exit.h"

#include "arch/cpu/vectors.h"

#define INFO_VALID       BIT(31)
#define INFO_ERROR_CODE  BIT(11)
#define INFO_NMI_UNBLOCK BIT(12)
#define INFO_TYPE(i)     ((uint8_t)field_get(i, 10, 8))

#define PENDING_BS   BIT(14)
#define ACCESS_L     BIT(13)
#define BLOCK_SHADOW 3UL /* by STI, by MOV SS */

/* Outside of 64-bit mode the instruction pointer has 32 bits. */
void vm_exit_wrap(void)
{
    bool code64 = (vmcs_read(VMCS_GUEST_EFER) & EFER_LMA) && (vmcs_read(VMCS_GUEST_CS_ACCESS) & ACCESS_L);
    if (!code64)
        vmcs_write(VMCS_GUEST_RIP, vmcs_read32(VMCS_GUEST_RIP));
}

/*
 * The processor has not seen the instruction end, so the trap of RFLAGS.TF is left to us: SDM volume 3,
 * "Guest Non-Register State", pending debug exceptions. DEBUGCTL.BTF cannot be set by a guest.
 */
void vm_exit_stepped(void)
{
    uint64_t rflags = vmcs_read(VMCS_GUEST_RFLAGS);
    if (rflags & RFLAGS_RF)
        vmcs_write(VMCS_GUEST_RFLAGS, rflags & ~RFLAGS_RF);
    if (rflags & RFLAGS_TF)
        vmcs_write(VMCS_GUEST_PENDING_DEBUG, vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_BS);
}

/*
 * VM entry wants pending BS when TF is set in the shadow of STI or MOV SS ("Checks on Guest Non-Register
 * State"); every exit but that of a #DB leaves it so (XSA-308). The #DB that is injected takes it along.
 */
void vm_exit_keep_shadow_step(void)
{
    if ((vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCK_SHADOW) && (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF))
        vmcs_write(VMCS_GUEST_PENDING_DEBUG, vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_BS);
}

bool vm_exit_trap_pending(void)
{
    return vmcs_read(VMCS_GUEST_PENDING_DEBUG) & PENDING_BS;
}

struct vm_exit_event vm_exit_interruption(void)
{
    uint64_t info = vmcs_read(VMCS_EXIT_INTERRUPTION_INFO);
    struct vm_exit_event e = {.valid = info & INFO_VALID,
                              .vector = (uint8_t)info,
                              .type = INFO_TYPE(info),
                              .has_error = info & INFO_ERROR_CODE,
                              .nmi_unblocked = info & INFO_NMI_UNBLOCK};
    if (e.has_error)
        e.error = vmcs_read32(VMCS_EXIT_INTERRUPTION_ERROR);
    return e;
}

struct vm_exit_cr vm_exit_cr(void)
{
    uint64_t q = vmcs_read(VMCS_EXIT_QUALIFICATION);
    return (struct vm_exit_cr){.cr = (uint8_t)(q & 15),
                               .kind = (enum vm_exit_cr_kind)field_get(q, 5, 4),
                               .gpr = (uint8_t)field_get(q, 11, 8),
                               .lmsw_source = (uint16_t)(q >> 16)};
}

uint64_t vm_exit_qualification(void)
{
    return vmcs_read(VMCS_EXIT_QUALIFICATION);
}
