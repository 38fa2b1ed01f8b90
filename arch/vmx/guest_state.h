/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's register state on the current VMCS: single registers for the exit handlers, whole records for the
 * management interface.
 */
#ifndef ARCH_VMX_GUEST_STATE_H
#define ARCH_VMX_GUEST_STATE_H

#include "arch/vmx/vmcs.h"
#include "arch/vmx/vmx_caps.h"
#include "guest_abi/hv_vcpu.h"

static inline uint64_t guest_rip(void)
{
    return vmcs_read(VMCS_GUEST_RIP);
}

static inline uint64_t guest_rflags(void)
{
    return vmcs_read(VMCS_GUEST_RFLAGS);
}

static inline void guest_set_rflags(uint64_t rflags)
{
    vmcs_write(VMCS_GUEST_RFLAGS, rflags);
}

static inline uint64_t guest_rsp(void)
{
    return vmcs_read(VMCS_GUEST_RSP);
}

static inline void guest_set_rsp(uint64_t rsp)
{
    vmcs_write(VMCS_GUEST_RSP, rsp);
}

/* SS.DPL is the CPL, whatever mode the guest is in (SDM volume 3, "Guest Register State"). */
static inline unsigned guest_cpl(void)
{
    return (unsigned)(vmcs_read(VMCS_GUEST_SS_ACCESS) >> 5 & 3);
}

/* Default code size in bits: 16, 32 or 64. */
unsigned guest_code_bits(void);

static inline bool guest_code_is_64(void)
{
    return vmcs_read(VMCS_GUEST_CS_ACCESS) & BIT(13);
}

/* By CS alone: true says so for sure. A conforming segment has a DPL that need not be the CPL. */
static inline bool guest_code_is_64_cpl0(void)
{
    const uint64_t l = BIT(13), dpl = MASK(6, 5), conforming = BIT(2);
    return (vmcs_read(VMCS_GUEST_CS_ACCESS) & (l | dpl | conforming)) == l;
}

/* 0 ES, CS, SS, DS, FS, 5 GS. */
static inline uint64_t guest_segment_base(unsigned segment)
{
    return vmcs_read((enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * segment));
}

/*
 * Would an access at this offset pass the checks of the segment (0 ES to 5 GS)? Not for 64-bit mode, which
 * has no such checks.
 */
bool guest_segment_allows(unsigned segment, uint32_t offset, unsigned width, bool write);

static inline bool guest_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static inline uint64_t guest_cr3(void)
{
    return vmcs_read(VMCS_GUEST_CR3);
}

static inline uint64_t guest_efer(void)
{
    return vmcs_read(VMCS_GUEST_EFER);
}

void guest_pdptes(uint64_t out[4]);
/* Real mode, at the page of a start-up IPI: CS = vector << 8, IP = 0. */
void guest_start_at(uint8_t vector);

uint64_t guest_pat(void);
void guest_set_pat(uint64_t pat);
void guest_set_tsc_offset(uint64_t offset);
uint64_t guest_sysenter(unsigned which); /* 0 CS, 1 ESP, 2 EIP */
void guest_set_sysenter(unsigned which, uint64_t value);

/* Everything but RAX..R15, which the context holds, and RSP. */
void guest_get_sregs(struct hv_sregs *s);

/*
 * Checks what VM entry would check of these fields and what our own bookkeeping needs (CR0 and CR4 as a guest
 * may have them, EFER.LMA as CR0 and LME say). False: nothing changed. DR0-3, DR6, CR2 and XCR0 are the
 * caller's.
 */
bool guest_set_sregs(const struct hv_sregs *s, const struct vmx_caps *caps, uint64_t cr4_allowed,
                     uint64_t efer_allowed);

void guest_get_events(struct hv_events *e);
bool guest_set_events(const struct hv_events *e);

/*
 * A #DB that the processor raised goes on to the guest: DR7.GD is cleared. SDM volume 3, "Debug Exceptions".
 */
void guest_debug_exception_taken(void);

/* HLT as activity state is not used: a halted vCPU simply does not run. */
void guest_set_rip(uint64_t rip);

#endif
