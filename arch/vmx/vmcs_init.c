/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new VMCS, as three tables of {field, value}: controls, host state, guest reset state. SDM volume 3,
 * chapters "Virtual Machine Control Structures" and "Processor Management and Initialization", table "IA-32
 * and Intel 64 Processor States Following Power-up, Reset, or INIT".
 */
#include "arch/vmx/vmcs_init.h"

#include "arch/cpu/desc.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/paging.h"
#include "arch/cpu/percpu.h"
#include "arch/cpu/vectors.h"
#include "arch/vmx/vmcs.h"

struct field_value {
    enum vmcs_field field;
    uint64_t value;
};

extern const uint8_t vmx_exit[], vmx_exit_traced[];

#define PAT_RESET       0x0007040600070406UL
#define ACCESS_UNUSABLE 0x10000
#define ACCESS_DATA16   0x93
#define ACCESS_CODE16   0x9b
#define ACCESS_LDT      0x82
#define ACCESS_TSS_BUSY 0x8b

#define PIN_WANTED (PIN_EXT_INT_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS)
#define PROC_WANTED                                                                                          \
    (PROC_TSC_OFFSETTING | PROC_HLT_EXITING | PROC_MWAIT_EXITING | PROC_RDPMC_EXITING |                      \
     PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING | PROC_IO_BITMAPS | PROC_MSR_BITMAPS |                   \
     PROC_MONITOR_EXITING | PROC_SECONDARY)
#define PROC2_WANTED                                                                                         \
    (PROC2_EPT | PROC2_VPID | PROC2_UNRESTRICTED_GUEST | PROC2_WBINVD_EXITING | PROC2_RDTSCP |               \
     PROC2_INVPCID | PROC2_ENCLS_EXITING | PROC2_XSAVES)
#define EXIT_WANTED                                                                                          \
    (EXIT_HOST_64 | EXIT_ACK_INTERRUPT | EXIT_SAVE_EFER | EXIT_LOAD_EFER | EXIT_SAVE_PAT | EXIT_LOAD_PAT |   \
     EXIT_SAVE_DEBUG_CONTROLS)
#define ENTRY_WANTED (ENTRY_LOAD_EFER | ENTRY_LOAD_PAT | ENTRY_LOAD_DEBUG_CONTROLS)

/*
 * #DB and #AC can recur while they are delivered, without end and without an exit: intercepted (XSA-156). #MC
 * is the machine's.
 */
#define EXCEPTIONS (BIT(VECTOR_DB) | BIT(VECTOR_AC) | BIT(VECTOR_MC))

/*
 * CR0 bits that the guest does not own: writes that change them exit. TS and MP, EM, WP, AM are the guest's
 * own business.
 */
#define CR0_OWNED (CR0_PE | CR0_NE | CR0_NW | CR0_CD | CR0_PG | CR0_ET)
/* CR4 bits that the guest may change without an exit; all others exit. */
#define CR4_GUEST_OWNED (CR4_PVI | CR4_TSD | CR4_DE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_PGE)

static void write_all(const struct field_value *table, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        vmcs_write(table[i].field, table[i].value);
}

static void write_controls(const struct vmcs_setup *s)
{
    const struct vmx_caps *caps = s->caps;
    const struct field_value table[] = {
        {VMCS_PIN_CONTROLS, vmx_caps_control(caps, VMX_WORD_PIN, PIN_WANTED)},
        {VMCS_PROC_CONTROLS, vmx_caps_control(caps, VMX_WORD_PROC, PROC_WANTED)},
        {VMCS_PROC2_CONTROLS, vmx_caps_control(caps, VMX_WORD_PROC2, PROC2_WANTED)},
        {VMCS_EXIT_CONTROLS, vmx_caps_control(caps, VMX_WORD_EXIT, EXIT_WANTED)},
        {VMCS_ENTRY_CONTROLS, vmx_caps_control(caps, VMX_WORD_ENTRY, ENTRY_WANTED)},
        {VMCS_EXCEPTION_BITMAP, EXCEPTIONS},
        {VMCS_PF_ERROR_MASK, 0},
        {VMCS_PF_ERROR_MATCH, 0},
        {VMCS_CR3_TARGET_COUNT, 0},
        {VMCS_EXIT_MSR_STORE_COUNT, 0},
        {VMCS_EXIT_MSR_LOAD_COUNT, 0},
        {VMCS_ENTRY_MSR_LOAD_COUNT, 0},
        {VMCS_ENTRY_INTERRUPTION_INFO, 0},
        {VMCS_IO_BITMAP_A, s->io_bitmap_a_pa},
        {VMCS_IO_BITMAP_B, s->io_bitmap_b_pa},
        {VMCS_MSR_BITMAP, s->msr_bitmap_pa},
        {VMCS_EPTP, s->eptp},
        {VMCS_VPID, s->vpid},
        {VMCS_TSC_OFFSET, s->tsc_offset},
        {VMCS_LINK_POINTER, ~0UL},
        {VMCS_CR0_MASK, CR0_OWNED},
        {VMCS_CR4_MASK, ~(uint64_t)CR4_GUEST_OWNED},
    };
    write_all(table, ARRAY_SIZE(table));
    if (vmx_caps_has(caps, VMX_WORD_PROC2, PROC2_XSAVES))
        vmcs_write(VMCS_XSS_EXITING_BITMAP, ~0UL);
    if (vmx_caps_has(caps, VMX_WORD_PROC2, PROC2_ENCLS_EXITING))
        vmcs_write(VMCS_ENCLS_EXITING_BITMAP, ~0UL); /* guests have no SGX */
}

static void write_host(const struct vmx_context *c)
{
    const struct field_value table[] = {
        {VMCS_HOST_CS_SELECTOR, DESC_CS},
        {VMCS_HOST_SS_SELECTOR, DESC_DS},
        {VMCS_HOST_DS_SELECTOR, DESC_DS},
        {VMCS_HOST_ES_SELECTOR, DESC_DS},
        {VMCS_HOST_FS_SELECTOR, 0},
        {VMCS_HOST_GS_SELECTOR, 0},
        {VMCS_HOST_TR_SELECTOR, DESC_TSS},
        {VMCS_HOST_CR0, read_cr0()},
        {VMCS_HOST_CR3, paging_cr3()},
        {VMCS_HOST_CR4, read_cr4()},
        {VMCS_HOST_EFER, rdmsr(MSR_IA32_EFER)},
        {VMCS_HOST_PAT, PAT_RESET},
        {VMCS_HOST_IDTR_BASE, desc_idt_base()},
        {VMCS_HOST_SYSENTER_CS, 0},
        {VMCS_HOST_SYSENTER_ESP, 0},
        {VMCS_HOST_SYSENTER_EIP, 0},
        {VMCS_HOST_FS_BASE, 0},
        {VMCS_HOST_RSP, (uint64_t)(uintptr_t)(&c->gprs + 1)},
    };
    write_all(table, ARRAY_SIZE(table));
}

void vmcs_set_cpu(void)
{
    struct percpu *p = percpu_self();
    vmcs_write(VMCS_HOST_GS_BASE, (uint64_t)(uintptr_t)p);
    vmcs_write(VMCS_HOST_TR_BASE, (uint64_t)(uintptr_t)&p->desc->tss);
    vmcs_write(VMCS_HOST_GDTR_BASE, (uint64_t)(uintptr_t)p->desc->gdt);
    vmcs_set_exit();
}

void vmcs_set_exit(void)
{
    vmcs_write(VMCS_HOST_RIP, (uint64_t)(uintptr_t)(percpu_self()->trace ? vmx_exit_traced : vmx_exit));
}

/*
 * The six ordinary segments follow each other by 2 in each group of encodings: ES CS SS DS FS GS, then LDTR,
 * TR.
 */
static void write_segments(void)
{
    for (unsigned s = 0; s < 6; s++) {
        bool code = s == 1;
        vmcs_write((enum vmcs_field)(VMCS_GUEST_ES_SELECTOR + 2 * s), code ? 0xf000 : 0);
        vmcs_write((enum vmcs_field)(VMCS_GUEST_ES_BASE + 2 * s), code ? 0xffff0000 : 0);
        vmcs_write((enum vmcs_field)(VMCS_GUEST_ES_LIMIT + 2 * s), 0xffff);
        vmcs_write((enum vmcs_field)(VMCS_GUEST_ES_ACCESS + 2 * s), code ? ACCESS_CODE16 : ACCESS_DATA16);
    }
}

static void write_guest_reset(const struct vmx_caps *caps)
{
    /*
     * What VMX operation fixes, but PE and PG, which unrestricted guests may clear. CD and NW stay in the
     * shadow: set for real they would run the guest without caches.
     */
    uint64_t cr0 = (CR0_ET | caps->cr0_must) & ~(uint64_t)(CR0_PE | CR0_PG);
    const struct field_value table[] = {
        {VMCS_GUEST_LDTR_SELECTOR, 0},
        {VMCS_GUEST_LDTR_BASE, 0},
        {VMCS_GUEST_LDTR_LIMIT, 0xffff},
        {VMCS_GUEST_LDTR_ACCESS, ACCESS_LDT},
        {VMCS_GUEST_TR_SELECTOR, 0},
        {VMCS_GUEST_TR_BASE, 0},
        {VMCS_GUEST_TR_LIMIT, 0xffff},
        {VMCS_GUEST_TR_ACCESS, ACCESS_TSS_BUSY},
        {VMCS_GUEST_GDTR_BASE, 0},
        {VMCS_GUEST_GDTR_LIMIT, 0xffff},
        {VMCS_GUEST_IDTR_BASE, 0},
        {VMCS_GUEST_IDTR_LIMIT, 0xffff},
        {VMCS_GUEST_CR0, cr0},
        {VMCS_CR0_SHADOW, CR0_CD | CR0_NW | CR0_ET},
        {VMCS_GUEST_CR3, 0},
        {VMCS_GUEST_CR4, caps->cr4_must},
        {VMCS_CR4_SHADOW, 0},
        {VMCS_GUEST_EFER, 0},
        {VMCS_GUEST_PAT, PAT_RESET},
        {VMCS_GUEST_DEBUGCTL, 0},
        {VMCS_GUEST_DR7, 0x400},
        {VMCS_GUEST_RSP, 0},
        {VMCS_GUEST_RIP, 0xfff0},
        {VMCS_GUEST_RFLAGS, RFLAGS_ONE},
        {VMCS_GUEST_PENDING_DEBUG, 0},
        {VMCS_GUEST_SYSENTER_CS, 0},
        {VMCS_GUEST_SYSENTER_ESP, 0},
        {VMCS_GUEST_SYSENTER_EIP, 0},
        {VMCS_GUEST_INTERRUPTIBILITY, 0},
        {VMCS_GUEST_ACTIVITY, 0},
    };
    write_segments();
    write_all(table, ARRAY_SIZE(table));
}

void vmcs_init(struct vmx_context *c, const struct vmcs_setup *setup)
{
    write_controls(setup);
    write_host(c);
    write_guest_reset(setup->caps);
}
