/* SPDX-License-Identifier: BSD-2-Clause */
/* APIC virtualization: the controls of each level and mode, see apicv.h. */
#include "arch/vmx/apicv.h"

#include "arch/vmx/vmcs.h"

#define PROC_ALL (PROC_TERTIARY | PROC_TPR_SHADOW | PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING)
#define PROC2_ALL                                                                                            \
    (PROC2_VIRT_APIC_ACCESS | PROC2_VIRT_X2APIC | PROC2_APIC_REGISTER_VIRT | PROC2_VIRT_INT_DELIVERY)

#define MSR_TPR      0x808U
#define MSR_EOI      0x80bU
#define MSR_SELF_IPI 0x83fU
#define MSR_ICR      0x830U
#define MSR_DEADLINE 0x6e0U
#define MSR_FIRST    0x800U
#define MSR_LAST     0x8ffU

enum apicv_level apicv_best(const struct vmx_caps *caps)
{
    enum apicv_level level = APICV_TPR; /* required: vmx_caps.c */
    if (vmx_caps_has(caps, VMX_WORD_PROC2, PROC2_APIC_REGISTER_VIRT))
        level = APICV_REGS;
    if (level == APICV_REGS && vmx_caps_has(caps, VMX_WORD_PROC2, PROC2_VIRT_INT_DELIVERY))
        level = APICV_VID;
    if (level == APICV_VID && vmx_caps_has(caps, VMX_WORD_PIN, PIN_POSTED_INTERRUPTS))
        level = APICV_PI;
    return level;
}

const char *apicv_name(enum apicv_level level)
{
    static const char *const name[APICV_LEVELS] = {"none", "tpr", "regs", "vid", "pi"};
    return name[level];
}

static uint64_t secondary(const struct apicv *a, enum apicv_mode mode, const struct vmx_caps *caps)
{
    uint64_t c = 0;
    if (mode == APICV_OFF || a->level < APICV_TPR)
        return 0;
    if (mode == APICV_XAPIC && a->access_pa)
        c |= PROC2_VIRT_APIC_ACCESS;
    if (mode == APICV_X2APIC)
        c |= PROC2_VIRT_X2APIC;
    if (a->level >= APICV_REGS)
        c |= PROC2_APIC_REGISTER_VIRT;
    if (a->level >= APICV_VID)
        c |= PROC2_VIRT_INT_DELIVERY;
    return c & caps->may[VMX_WORD_PROC2];
}

void apicv_set_mode(const struct apicv *a, enum apicv_mode mode, const struct vmx_caps *caps,
                    uint64_t msr_bitmap_pa)
{
    uint64_t proc = vmcs_read(VMCS_PROC_CONTROLS) & ~PROC_ALL;
    uint64_t proc2 = vmcs_read(VMCS_PROC2_CONTROLS) & ~(uint64_t)PROC2_ALL;
    uint64_t pin = vmcs_read(VMCS_PIN_CONTROLS) & ~PIN_POSTED_INTERRUPTS;
    bool delivers = a->level >= APICV_VID && mode != APICV_OFF;
    proc |= a->level >= APICV_TPR ? PROC_TPR_SHADOW : PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING;
    vmcs_write(VMCS_PROC_CONTROLS, proc);
    vmcs_write(VMCS_PROC2_CONTROLS, proc2 | secondary(a, mode, caps));
    vmcs_write(VMCS_PIN_CONTROLS, delivers && a->level >= APICV_PI ? pin | PIN_POSTED_INTERRUPTS : pin);
    vmcs_write(VMCS_MSR_BITMAP, msr_bitmap_pa);
    if (a->level >= APICV_TPR) {
        vmcs_write(VMCS_VIRTUAL_APIC_PAGE, a->page_pa);
        vmcs_write(VMCS_TPR_THRESHOLD, 0);
    }
    if (mode == APICV_XAPIC && a->access_pa)
        vmcs_write(VMCS_APIC_ACCESS_PAGE, a->access_pa);
    if (a->level >= APICV_PI) {
        vmcs_write(VMCS_POSTED_INTERRUPT_DESC, a->pi_pa);
        vmcs_write(VMCS_POSTED_INTERRUPT_VECTOR, a->notify);
    }
}

static void pass(uint8_t *bitmap, uint32_t msr, bool write)
{
    bitmap[(write ? 2048 : 0) + msr / 8] &= (uint8_t) ~(1U << msr % 8);
}

/*
 * MSRs whose reads the page answers: all that exist but the current count, which runs, and without delivery
 * PPR.
 */
static bool reads_page(enum apicv_level level, uint32_t reg)
{
    if (reg == 0x08 || level < APICV_REGS)
        return reg == 0x08;
    if (reg == 0x0a)
        return level >= APICV_VID;
    return reg == 0x02 || reg == 0x03 || reg == 0x0d || reg == 0x0f || (reg >= 0x10 && reg <= 0x28) ||
           reg == 0x30 || (reg >= 0x32 && reg <= 0x38) || reg == 0x3e;
}

void apicv_fill_bitmap(enum apicv_level level, const struct vmx_caps *caps, uint8_t bitmap[PAGE_SIZE])
{
    for (uint32_t msr = MSR_FIRST; msr <= MSR_LAST; msr++) {
        bitmap[msr / 8] |= (uint8_t)(1U << msr % 8);
        bitmap[2048 + msr / 8] |= (uint8_t)(1U << msr % 8);
    }
    if (level < APICV_TPR || !vmx_caps_has(caps, VMX_WORD_PROC2, PROC2_VIRT_X2APIC))
        return;
    for (uint32_t msr = MSR_FIRST; msr < MSR_FIRST + 0x40; msr++)
        if (reads_page(level, msr - MSR_FIRST))
            pass(bitmap, msr, false);
    pass(bitmap, MSR_TPR, true);
    if (level >= APICV_VID) {
        pass(bitmap, MSR_EOI, true);
        pass(bitmap, MSR_SELF_IPI, true);
    }
}

void apicv_set_status(uint8_t rvi, uint8_t svi)
{
    vmcs_write(VMCS_GUEST_INTERRUPT_STATUS, (uint64_t)svi << 8 | rvi);
}

void apicv_set_threshold(uint8_t priority_class)
{
    vmcs_write(VMCS_TPR_THRESHOLD, priority_class);
}

void apicv_set_eoi_exits(const uint64_t bitmap[4])
{
    for (unsigned i = 0; i < 4; i++)
        vmcs_write((enum vmcs_field)(VMCS_EOI_EXIT_BITMAP0 + 2 * i), bitmap[i]);
}

static void set_tertiary(uint64_t bit, bool on)
{
    uint64_t proc = vmcs_read(VMCS_PROC_CONTROLS);
    uint64_t proc3 = proc & PROC_TERTIARY ? vmcs_read(VMCS_TERTIARY_CONTROLS) : 0;
    proc3 = on ? proc3 | bit : proc3 & ~bit;
    if (proc3 || (proc & PROC_TERTIARY))
        vmcs_write(VMCS_TERTIARY_CONTROLS, proc3);
    vmcs_write(VMCS_PROC_CONTROLS, proc3 ? proc | PROC_TERTIARY : proc & ~PROC_TERTIARY);
}

void apicv_set_ipis(uint64_t table_pa, uint16_t last)
{
    if (table_pa) {
        vmcs_write(VMCS_PID_TABLE, table_pa);
        vmcs_write(VMCS_LAST_PID_INDEX, last);
    }
    set_tertiary(PROC3_IPI_VIRT, table_pa != 0);
}

void apicv_set_timer(bool on, uint8_t vector, uint64_t deadline, uint64_t machine_deadline)
{
    if (on) {
        vmcs_write(VMCS_VIRTUAL_TIMER_VECTOR, vector);
        vmcs_write(VMCS_GUEST_DEADLINE_SHADOW, deadline);
        vmcs_write(VMCS_GUEST_DEADLINE, machine_deadline);
    }
    set_tertiary(PROC3_APIC_TIMER_VIRT, on);
}

uint64_t apicv_deadline(bool *armed)
{
    *armed = vmcs_read(VMCS_GUEST_DEADLINE) != 0; /* 0 when it has fired */
    return vmcs_read(VMCS_GUEST_DEADLINE_SHADOW);
}

void apicv_set_bitmap(uint64_t msr_bitmap_pa)
{
    vmcs_write(VMCS_MSR_BITMAP, msr_bitmap_pa);
}

void apicv_open_icr(uint8_t bitmap[PAGE_SIZE])
{
    pass(bitmap, MSR_ICR, true);
}

void apicv_open_deadline(uint8_t bitmap[PAGE_SIZE])
{
    pass(bitmap, MSR_DEADLINE, false);
    pass(bitmap, MSR_DEADLINE, true);
}
