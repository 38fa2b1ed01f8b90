/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariants of a VMCS before entry. Each row is a way in which other hypervisors have handed hardware to a
 * guest: a control that a mode change left on or off (CVE-2016-4440, CVE-2017-12154, CVE-2023-5090, XSA-256).
 * The processor's own entry checks do not see these, because each is a legal configuration.
 */
#include "arch/vmx/vmcs_check.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/paging.h"
#include "arch/vmx/vmcs.h"

#define CR4_MUST_EXIT (CR4_VMXE | CR4_SMXE | CR4_LA57 | CR4_PAE)
#define X2APIC_FIRST  0x800U
#define X2APIC_LAST   0x8ffU

struct controls {
    uint64_t pin, proc, proc2, exit, entry;
};

/* Is any x2APIC MSR open in the bitmap? Reads are the first KiB, writes of low MSRs the third. */
static bool x2apic_open(const uint8_t *bitmap)
{
    for (unsigned msr = X2APIC_FIRST; msr <= X2APIC_LAST; msr++)
        if (!(bitmap[msr / 8] & 1U << msr % 8) || !(bitmap[2048 + msr / 8] & 1U << msr % 8))
            return true;
    return false;
}

static const char *check_controls(const struct controls *c, const void *msr_bitmap)
{
    const struct {
        bool broken;
        const char *what;
    } row[] = {
        {!(c->pin & PIN_EXT_INT_EXITING) || !(c->exit & EXIT_ACK_INTERRUPT),
         "external interrupts do not exit"},
        {!(c->pin & PIN_NMI_EXITING) || !(c->pin & PIN_VIRTUAL_NMIS), "NMIs do not exit"},
        {!(c->proc & PROC_IO_BITMAPS) && !(c->proc & PROC_UNCOND_IO), "ports are open"},
        {!(c->proc & PROC_MSR_BITMAPS), "no MSR bitmap: host MSRs are read and written by exits only"},
        {!(c->proc & PROC_SECONDARY) || !(c->proc2 & PROC2_EPT), "EPT is off"},
        {!(c->proc2 & PROC2_VPID) || !vmcs_read(VMCS_VPID), "VPID 0 is the hypervisor's"},
        {!(c->proc & PROC_TPR_SHADOW) && (~c->proc & (PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING)),
         "CR8 is the machine's: no TPR shadow, no CR8 exiting"},
        {(c->proc2 & PROC2_VIRT_INT_DELIVERY) && !(c->proc & PROC_TPR_SHADOW),
         "virtual-interrupt delivery without TPR shadow"},
        {(c->pin & PIN_POSTED_INTERRUPTS) && !(c->proc2 & PROC2_VIRT_INT_DELIVERY),
         "posting without virtual-interrupt delivery"},
        {!(c->proc2 & PROC2_VIRT_X2APIC) && x2apic_open(msr_bitmap), "x2APIC MSRs of the machine are open"},
        {!(c->exit & EXIT_HOST_64), "exit to a 32-bit host"},
        {!(c->exit & EXIT_LOAD_EFER) || !(c->exit & EXIT_SAVE_EFER) || !(c->entry & ENTRY_LOAD_EFER),
         "EFER is not switched"},
        {!(c->exit & EXIT_LOAD_PAT) || !(c->exit & EXIT_SAVE_PAT) || !(c->entry & ENTRY_LOAD_PAT),
         "PAT is not switched"},
        {!!(c->entry & ENTRY_IA32E_GUEST) != !!(vmcs_read(VMCS_GUEST_EFER) & EFER_LMA),
         "IA-32e control and EFER.LMA differ"},
        {~vmcs_read(VMCS_CR4_MASK) & CR4_MUST_EXIT, "the guest owns a CR4 bit that must exit"},
        {vmcs_read(VMCS_LINK_POINTER) != ~0UL, "the link pointer is set"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(row); i++)
        if (row[i].broken)
            return row[i].what;
    return NULL;
}

const char *vmcs_invariants(const struct vmx_context *c, uint64_t eptp, const void *msr_bitmap,
                            uint64_t msr_bitmap_pa)
{
    const struct controls controls = {vmcs_read(VMCS_PIN_CONTROLS), vmcs_read(VMCS_PROC_CONTROLS),
                                      vmcs_read(VMCS_PROC2_CONTROLS), vmcs_read(VMCS_EXIT_CONTROLS),
                                      vmcs_read(VMCS_ENTRY_CONTROLS)};
    if (vmcs_read(VMCS_HOST_RSP) != (uint64_t)(uintptr_t)(&c->gprs + 1))
        return "the VMCS is another vCPU's";
    if (vmcs_read(VMCS_EPTP) != eptp)
        return "the EPT is another domain's";
    if (vmcs_read(VMCS_MSR_BITMAP) != msr_bitmap_pa)
        return "the MSR bitmap is another domain's";
    if (vmcs_read(VMCS_HOST_GS_BASE) != (uint64_t)(uintptr_t)percpu_self() ||
        vmcs_read(VMCS_HOST_CR3) != paging_cr3())
        return "the host state is another CPU's";
    return check_controls(&controls, msr_bitmap);
}
