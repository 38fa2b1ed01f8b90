/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMX capability reporting, SDM volume 3, appendix A "VMX Capability Reporting Facility".
 *
 * Each control word has a pair {must be 1, may be 1}; the TRUE_ variants say more truthfully what
 * must be 1 and are used when VMX_BASIC offers them. The table below is the whole list of what
 * Signalbox asks of a processor.
 */
#include "arch/vmx/vmx_caps.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"

#define VMX_BASIC_TRUE_CTLS  BIT(55)
#define VMX_BASIC_32BIT_ADDR BIT(48)
#define VMX_BASIC_MEMTYPE(b) field_get(b, 53, 50)
#define VMX_BASIC_SIZE(b)    field_get(b, 44, 32)
#define MEMTYPE_WB           6

#define REQUIRED true
#define OPTIONAL false

static const struct vmx_feature table[] = {
    {VMX_WORD_PIN, PIN_EXT_INT_EXITING, REQUIRED, "external-interrupt exiting",
     "device interrupts belong to the hypervisor"},
    {VMX_WORD_PIN, PIN_NMI_EXITING, REQUIRED, "NMI exiting", "NMIs belong to the hypervisor"},
    {VMX_WORD_PIN, PIN_VIRTUAL_NMIS, REQUIRED, "virtual NMIs", "NMIs of guests"},
    {VMX_WORD_PROC, PROC_INTERRUPT_WINDOW, REQUIRED, "interrupt-window exiting",
     "interrupts for a guest that has them masked"},
    {VMX_WORD_PROC, PROC_NMI_WINDOW, REQUIRED, "NMI-window exiting", "NMIs of guests"},
    {VMX_WORD_PROC, PROC_TSC_OFFSETTING, REQUIRED, "use TSC offsetting", "a guest's own time"},
    {VMX_WORD_PROC, PROC_HLT_EXITING, REQUIRED, "HLT exiting", "idle guests give up the CPU"},
    {VMX_WORD_PROC, PROC_MWAIT_EXITING, REQUIRED, "MWAIT exiting", "not offered to guests"},
    {VMX_WORD_PROC, PROC_MONITOR_EXITING, REQUIRED, "MONITOR exiting", "not offered to guests"},
    {VMX_WORD_PROC, PROC_RDPMC_EXITING, REQUIRED, "RDPMC exiting", "not offered to guests"},
    {VMX_WORD_PROC, PROC_MOV_DR_EXITING, REQUIRED, "MOV-DR exiting", "debug registers of guests"},
    {VMX_WORD_PROC, PROC_TPR_SHADOW, REQUIRED, "use TPR shadow", "task priority without exits"},
    {VMX_WORD_PROC, PROC_IO_BITMAPS, REQUIRED, "use I/O bitmaps", "default-deny of ports"},
    {VMX_WORD_PROC, PROC_MSR_BITMAPS, REQUIRED, "use MSR bitmaps", "default-deny of MSRs"},
    {VMX_WORD_PROC, PROC_SECONDARY, REQUIRED, "secondary controls", "EPT and what follows"},
    {VMX_WORD_PROC2, PROC2_EPT, REQUIRED, "enable EPT", "memory of guests"},
    {VMX_WORD_PROC2, PROC2_VPID, REQUIRED, "enable VPID", "TLB entries survive VM exits"},
    {VMX_WORD_PROC2, PROC2_UNRESTRICTED_GUEST, REQUIRED, "unrestricted guest",
     "real mode and paging-off guests"},
    {VMX_WORD_EXIT, EXIT_HOST_64, REQUIRED, "host address-space size", "the hypervisor is 64-bit"},
    {VMX_WORD_EXIT, EXIT_ACK_INTERRUPT, REQUIRED, "acknowledge interrupt on exit",
     "one exit per device interrupt"},
    {VMX_WORD_EXIT, EXIT_SAVE_EFER, REQUIRED, "save IA32_EFER", "long mode of guests"},
    {VMX_WORD_EXIT, EXIT_LOAD_EFER, REQUIRED, "load IA32_EFER on exit", "long mode of guests"},
    {VMX_WORD_EXIT, EXIT_SAVE_PAT, REQUIRED, "save IA32_PAT", "memory types of guests"},
    {VMX_WORD_EXIT, EXIT_LOAD_PAT, REQUIRED, "load IA32_PAT on exit", "memory types of guests"},
    {VMX_WORD_ENTRY, ENTRY_IA32E_GUEST, REQUIRED, "IA-32e mode guest", "64-bit guests"},
    {VMX_WORD_ENTRY, ENTRY_LOAD_EFER, REQUIRED, "load IA32_EFER on entry", "long mode of guests"},
    {VMX_WORD_ENTRY, ENTRY_LOAD_PAT, REQUIRED, "load IA32_PAT on entry", "memory types of guests"},
    {VMX_WORD_EPT_VPID, EPT_CAP_WALK_4, REQUIRED, "EPT page-walk length 4", "memory of guests"},
    {VMX_WORD_EPT_VPID, EPT_CAP_WB, REQUIRED, "EPT write-back", "memory of guests"},
    {VMX_WORD_EPT_VPID, EPT_CAP_2M, REQUIRED, "EPT 2-MByte pages", "memory of guests"},
    {VMX_WORD_EPT_VPID, EPT_CAP_INVEPT | EPT_CAP_INVEPT_CONTEXT, REQUIRED, "INVEPT, one context",
     "unmapping memory"},
    {VMX_WORD_EPT_VPID, EPT_CAP_INVVPID | EPT_CAP_INVVPID_CONTEXT, REQUIRED, "INVVPID, one context",
     "reuse of a VPID"},

    {VMX_WORD_PIN, PIN_PREEMPTION_TIMER, OPTIONAL, "VMX-preemption timer",
     "else deadlines use the local APIC timer"},
    {VMX_WORD_PIN, PIN_POSTED_INTERRUPTS, OPTIONAL, "process posted interrupts",
     "else a running target takes an exit"},
    {VMX_WORD_PROC, PROC_TERTIARY, OPTIONAL, "tertiary controls", "needed by IPI virtualization"},
    {VMX_WORD_PROC, PROC_MONITOR_TRAP, OPTIONAL, "monitor trap flag", "single-stepping by a manager"},
    {VMX_WORD_PROC2, PROC2_VIRT_APIC_ACCESS, OPTIONAL, "virtualize APIC accesses",
     "else xAPIC accesses are decoded"},
    {VMX_WORD_PROC2, PROC2_APIC_REGISTER_VIRT, OPTIONAL, "APIC-register virtualization",
     "else APIC reads exit"},
    {VMX_WORD_PROC2, PROC2_VIRT_INT_DELIVERY, OPTIONAL, "virtual-interrupt delivery",
     "else interrupts are injected at entry"},
    {VMX_WORD_PROC2, PROC2_VIRT_X2APIC, OPTIONAL, "virtualize x2APIC mode", "else x2APIC MSRs exit"},
    {VMX_WORD_PROC3, PROC3_IPI_VIRT, OPTIONAL, "IPI virtualization", "else ICR writes exit"},
    {VMX_WORD_PROC3, PROC3_APIC_TIMER_VIRT, OPTIONAL, "APIC-timer virtualization",
     "else deadline writes exit"},
    {VMX_WORD_PROC2, PROC2_RDTSCP, OPTIONAL, "enable RDTSCP", "else guests have none"},
    {VMX_WORD_PROC2, PROC2_INVPCID, OPTIONAL, "enable INVPCID", "else guests have none"},
    {VMX_WORD_PROC2, PROC2_XSAVES, OPTIONAL, "enable XSAVES/XRSTORS", "else guests have none"},
    {VMX_WORD_PROC2, PROC2_PAUSE_LOOP_EXITING, OPTIONAL, "PAUSE-loop exiting",
     "else spinning vCPUs keep their slice"},
    {VMX_WORD_PROC2, PROC2_TSC_SCALING, OPTIONAL, "use TSC scaling",
     "else guests see the machine's TSC rate"},
    {VMX_WORD_EXIT, EXIT_SAVE_PREEMPTION_TIMER, OPTIONAL, "save VMX-preemption timer",
     "not used: deadlines are absolute"},
    {VMX_WORD_EPT_VPID, EPT_CAP_1G, OPTIONAL, "EPT 1-GByte pages", "else 2 MByte"},
    {VMX_WORD_EPT_VPID, EPT_CAP_AD, OPTIONAL, "EPT accessed and dirty flags", "dirty tracking"},
};

unsigned vmx_caps_table(const struct vmx_feature **rows)
{
    *rows = table;
    return ARRAY_SIZE(table);
}

enum vmx_presence vmx_caps_presence(void)
{
    if (!(cpuid(1, 0).ecx & BIT(5)))
        return VMX_ABSENT;
    uint64_t control = rdmsr(MSR_IA32_FEATURE_CONTROL);
    if (!(control & FEATURE_CONTROL_LOCK)) {
        control |= FEATURE_CONTROL_VMX_OUTSIDE | FEATURE_CONTROL_LOCK;
        wrmsr(MSR_IA32_FEATURE_CONTROL, control);
    }
    return control & FEATURE_CONTROL_VMX_OUTSIDE ? VMX_PRESENT : VMX_LOCKED_OFF;
}

static void read_pair(struct vmx_caps *caps, enum vmx_word word, uint32_t msr)
{
    uint64_t v = rdmsr(msr);
    caps->must[word] = v & 0xffffffff;
    caps->may[word] = v >> 32;
}

void vmx_caps_read(struct vmx_caps *caps)
{
    *caps = (struct vmx_caps){.basic = rdmsr(MSR_IA32_VMX_BASIC)};
    bool exact = caps->basic & VMX_BASIC_TRUE_CTLS;
    read_pair(caps, VMX_WORD_PIN, exact ? MSR_IA32_VMX_TRUE_PINBASED_CTLS : MSR_IA32_VMX_PINBASED_CTLS);
    read_pair(caps, VMX_WORD_PROC, exact ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS : MSR_IA32_VMX_PROCBASED_CTLS);
    read_pair(caps, VMX_WORD_EXIT, exact ? MSR_IA32_VMX_TRUE_EXIT_CTLS : MSR_IA32_VMX_EXIT_CTLS);
    read_pair(caps, VMX_WORD_ENTRY, exact ? MSR_IA32_VMX_TRUE_ENTRY_CTLS : MSR_IA32_VMX_ENTRY_CTLS);
    if (vmx_caps_has(caps, VMX_WORD_PROC, PROC_SECONDARY))
        read_pair(caps, VMX_WORD_PROC2, MSR_IA32_VMX_PROCBASED_CTLS2);
    if (vmx_caps_has(caps, VMX_WORD_PROC, PROC_TERTIARY))
        caps->may[VMX_WORD_PROC3] = rdmsr(MSR_IA32_VMX_PROCBASED_CTLS3);
    if (caps->may[VMX_WORD_PROC2] & (PROC2_EPT | PROC2_VPID))
        caps->may[VMX_WORD_EPT_VPID] = rdmsr(MSR_IA32_VMX_EPT_VPID_CAP);
    caps->misc = rdmsr(MSR_IA32_VMX_MISC);
    caps->cr0_must = rdmsr(MSR_IA32_VMX_CR0_FIXED0);
    caps->cr0_may = rdmsr(MSR_IA32_VMX_CR0_FIXED1);
    /* MCE too, whatever a guest writes: a machine check with MCE clear would shut the processor down. */
    caps->cr4_must = rdmsr(MSR_IA32_VMX_CR4_FIXED0) | CR4_MCE;
    caps->cr4_may = rdmsr(MSR_IA32_VMX_CR4_FIXED1);
}

const char *vmx_caps_fault(const struct vmx_caps *caps)
{
    if (VMX_BASIC_MEMTYPE(caps->basic) != MEMTYPE_WB)
        return "the VMCS memory type is not write-back";
    if (VMX_BASIC_SIZE(caps->basic) > PAGE_SIZE)
        return "the VMCS is larger than 4096 bytes";
    if (caps->basic & VMX_BASIC_32BIT_ADDR)
        return "VMCS addresses are limited to 32 bits";
    return NULL;
}

bool vmx_caps_merge(struct vmx_caps *common, const struct vmx_caps *other)
{
    for (unsigned w = 0; w < VMX_WORD_COUNT; w++) {
        common->must[w] |= other->must[w];
        common->may[w] &= other->may[w];
    }
    common->cr0_must |= other->cr0_must;
    common->cr0_may &= other->cr0_may;
    common->cr4_must |= other->cr4_must;
    common->cr4_may &= other->cr4_may;
    return field_get(common->basic, 30, 0) == field_get(other->basic, 30, 0);
}
