/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VMX machine of one guest for the proofs: VMXON, one VMCS, an identity EPT, and a run loop of
 * one step.
 *
 * The guest shares page tables, descriptor tables and segments with the host, so its code is an
 * ordinary function. Addresses are below 4 GiB and physical = virtual. Only the 2 MiB around
 * GUEST_STACK_PAGE have 4 KiB EPT entries. Order: vmx_start once, vmx_guest once, vmx_run for every
 * exit. Any VMX failure fails the proof at once. Specifications: SDM volume 3 chapters 25 (VMCS),
 * 27 (VM entries), 29.3 (EPT), appendix A (capability MSRs).
 */
#include "proof.h"

#define MSR_FEATURE_CONTROL 0x3a
#define MSR_VMX_BASIC       0x480
#define MSR_CR0_FIXED0      0x486
#define MSR_CR4_FIXED0      0x488
#define MSR_PROCBASED2      0x48b
#define MSR_TRUE_PINBASED   0x48d
#define MSR_TRUE_PROCBASED  0x48e
#define MSR_TRUE_EXIT       0x48f
#define MSR_TRUE_ENTRY      0x490
#define MSR_EFER            0xc0000080u
#define PRIMARY_MSR_BITMAPS (1u << 28)
#define PRIMARY_SECONDARY   (1u << 31)
#define SECONDARY_EPT       (1u << 1)
#define EXIT_HOST_64        (1u << 9)
#define EXIT_EFER           (1u << 20 | 1u << 21)
#define ENTRY_GUEST_64      (1u << 9)
#define ENTRY_EFER          (1u << 15)
#define EPT_RWX             7u
#define EPT_LARGE_WB        (EPT_RWX | 1u << 7 | 6u << 3)
#define CODE_RIGHTS         0xa09bu
#define DATA_RIGHTS         0xc093u
#define TSS_RIGHTS          0x008bu
#define UNUSABLE_RIGHTS     0x10000u

typedef uint64_t page_table[512] __attribute__((aligned(4096)));

extern uint64_t gdt[5];
extern char tss[4096];
struct guest_regs vmx_regs;
static page_table vmxon_region, vmcs_region, msr_bitmap, virtual_apic;
static page_table ept_pml4, ept_pdpt, ept_pt;
static uint64_t ept_pd[4][512] __attribute__((aligned(4096)));
static int launched;

uint64_t vmx_read(uint64_t field)
{
    uint64_t value;

    __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
    return value;
}

void vmx_write(uint64_t field, uint64_t value)
{
    uint8_t failed;

    __asm__ volatile("vmwrite %2, %1\nsetna %0" : "=qm"(failed) : "r"(field), "r"(value) : "cc");
    if (failed)
        proof_fail("VMWRITE of field", field);
}

uint64_t *vmx_ept_entry(uint64_t address)
{
    if (address >> 21 != (uint64_t)GUEST_STACK_PAGE >> 21)
        proof_fail("no 4 KiB entry for address", address);
    return &ept_pt[address >> 12 & 511];
}

uint32_t *vmx_virtual_apic(uint32_t reg)
{
    return (uint32_t *)(void *)virtual_apic + reg / 4;
}

void vmx_ept_flush(void)
{
    uint64_t descriptor[2] = {0, 0};

    __asm__ volatile("invept %0, %1" : : "m"(descriptor), "r"(2ul) : "cc", "memory");
}

static void ept_start(void)
{
    uint64_t base = (uint64_t)GUEST_STACK_PAGE >> 21 << 21;

    for (uint64_t i = 0; i < 2048; i++)
        ept_pd[i / 512][i % 512] = i << 21 | EPT_LARGE_WB;
    for (uint64_t i = 0; i < 512; i++)
        ept_pt[i] = base | i << 12 | EPT_RWX | 6u << 3;
    ept_pd[0][base >> 21] = (uintptr_t)ept_pt | EPT_RWX;
    for (int i = 0; i < 4; i++)
        ept_pdpt[i] = (uintptr_t)ept_pd[i] | EPT_RWX;
    ept_pml4[0] = (uintptr_t)ept_pdpt | EPT_RWX;
}

void vmx_start(void)
{
    uint64_t cr0, cr4, address;
    uint8_t failed;
    uint64_t control = read_msr(MSR_FEATURE_CONTROL);

    if (!(control & 1))
        write_msr(MSR_FEATURE_CONTROL, control | 5);
    __asm__ volatile("mov %%cr0, %0\nmov %%cr4, %1" : "=r"(cr0), "=r"(cr4));
    cr0 |= read_msr(MSR_CR0_FIXED0);
    cr4 |= read_msr(MSR_CR4_FIXED0);
    __asm__ volatile("mov %0, %%cr0\nmov %1, %%cr4" : : "r"(cr0), "r"(cr4));
    vmxon_region[0] = vmcs_region[0] = read_msr(MSR_VMX_BASIC) & 0x7fffffff;
    address = (uintptr_t)vmxon_region;
    __asm__ volatile("vmxon %1\nsetna %0" : "=qm"(failed) : "m"(address) : "cc", "memory");
    if (failed)
        proof_fail("VMXON", control);
    address = (uintptr_t)vmcs_region;
    __asm__ volatile("vmclear %1\nvmptrld %1\nsetna %0" : "=qm"(failed) : "m"(address) : "cc", "memory");
    if (failed)
        proof_fail("VMPTRLD", address);
    ept_start();
}

/* Writes a control field with the bits that the processor demands; the wanted bits must be allowed.
 */
static void write_control(uint64_t field, uint32_t capability, uint32_t wanted)
{
    uint64_t allowed = read_msr(capability);

    if (wanted & ~(uint32_t)(allowed >> 32))
        proof_fail("processor lacks control bits", wanted & ~(uint32_t)(allowed >> 32));
    vmx_write(field, wanted | (uint32_t)allowed);
}

static void write_controls(const struct guest_setup *setup)
{
    write_control(0x4000, MSR_TRUE_PINBASED, setup->pin);
    write_control(0x4002, MSR_TRUE_PROCBASED, setup->primary | PRIMARY_MSR_BITMAPS | PRIMARY_SECONDARY);
    write_control(0x401e, MSR_PROCBASED2, setup->secondary | SECONDARY_EPT);
    write_control(0x400c, MSR_TRUE_EXIT, EXIT_HOST_64 | EXIT_EFER);
    write_control(0x4012, MSR_TRUE_ENTRY, ENTRY_GUEST_64 | ENTRY_EFER);
    vmx_write(0x4004, 0);                     /* exception bitmap */
    vmx_write(0x2004, (uintptr_t)msr_bitmap); /* no MSR access exits */
    vmx_write(0x2012, (uintptr_t)virtual_apic);
    vmx_write(0x201a, (uintptr_t)ept_pml4 | 3u << 3 | 6u); /* EPT pointer: 4 levels, write-back */
    vmx_write(0x2800, ~0ull);                              /* VMCS link pointer */
    vmx_write(0x401c, 0);                                  /* TPR threshold */
    for (uint64_t field = 0x201c; field <= 0x2022; field += 2)
        if (setup->secondary & SECONDARY_VIRTUAL_INTERRUPT_DELIVERY)
            vmx_write(field, 0); /* EOI-exit bitmaps */
}

static void write_host_state(uint64_t cr0, uint64_t cr3, uint64_t cr4, uint64_t idt_base)
{
    static const uint16_t selectors[] = {0x10, 0x08, 0x10, 0x10, 0x10, 0x10, 0x18};

    for (uint64_t i = 0; i < 7; i++)
        vmx_write(0x0c00 + 2 * i, selectors[i]);
    vmx_write(0x2c02, read_msr(MSR_EFER));
    vmx_write(0x6c00, cr0);
    vmx_write(0x6c02, cr3);
    vmx_write(0x6c04, cr4);
    vmx_write(0x6c06, 0);
    vmx_write(0x6c08, 0);
    vmx_write(0x6c0a, (uintptr_t)tss);
    vmx_write(0x6c0c, (uintptr_t)gdt);
    vmx_write(0x6c0e, idt_base);
}

/* Segments in the order of the VMCS: ES CS SS DS FS GS LDTR TR. */
static void write_guest_segments(void)
{
    static const uint16_t selectors[] = {0x10, 0x08, 0x10, 0x10, 0x10, 0x10, 0, 0x18};
    static const uint32_t rights[] = {DATA_RIGHTS, CODE_RIGHTS, DATA_RIGHTS,     DATA_RIGHTS,
                                      DATA_RIGHTS, DATA_RIGHTS, UNUSABLE_RIGHTS, TSS_RIGHTS};

    for (uint64_t i = 0; i < 8; i++) {
        vmx_write(0x0800 + 2 * i, selectors[i]);
        vmx_write(0x4800 + 2 * i, i < 6 ? 0xffffffffu : 0x67);
        vmx_write(0x4814 + 2 * i, rights[i]);
        vmx_write(0x6806 + 2 * i, i == 7 ? (uintptr_t)tss : 0);
    }
}

void vmx_guest(const struct guest_setup *setup)
{
    uint64_t cr0, cr3, cr4;
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr;

    __asm__ volatile("mov %%cr0, %0\nmov %%cr3, %1\nmov %%cr4, %2" : "=r"(cr0), "=r"(cr3), "=r"(cr4));
    __asm__ volatile("sidt %0" : "=m"(idtr));
    write_controls(setup);
    write_host_state(cr0, cr3, cr4, idtr.base);
    write_guest_segments();
    vmx_write(0x2806, read_msr(MSR_EFER));
    vmx_write(0x6800, cr0);
    vmx_write(0x6802, cr3);
    vmx_write(0x6804, cr4);
    vmx_write(0x6816, (uintptr_t)gdt);
    vmx_write(0x6818, idtr.base);
    vmx_write(0x4810, 5 * 8 - 1);
    vmx_write(0x4812, idtr.limit);
    vmx_write(0x681a, 0x400);
    vmx_write(0x681c, setup->rsp - 8); /* as after a call */
    vmx_write(0x681e, (uintptr_t)setup->entry);
    vmx_write(0x6820, setup->rflags | 2);
    vmx_write(0x4824, 0); /* interruptibility */
    vmx_write(0x4826, 0); /* activity */
    vmx_write(VMCS_ENTRY_INTERRUPTION_INFO, 0);
    if (setup->secondary & SECONDARY_VIRTUAL_INTERRUPT_DELIVERY)
        vmx_write(VMCS_GUEST_INTERRUPT_STATUS, 0);
}

/* Runs the guest until the next exit; returns the basic exit reason. */
uint32_t vmx_run(void)
{
    uint32_t reason;

    if (vmx_enter(&vmx_regs, launched))
        proof_fail("VM entry: instruction error", vmx_read(0x4400));
    launched = 1;
    reason = (uint32_t)vmx_read(0x4402);
    if (reason >> 31)
        proof_fail("VM entry: reason", reason);
    return reason & 0xffff;
}

void guest_vmcall(uint64_t code)
{
    __asm__ volatile("vmcall" : : "a"(code) : "memory");
}
