/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event injection. The VM-entry interruption-information field is the one place where a pending event lives:
 * an event that could not be delivered goes back there at once, so that nothing else has to remember it.
 */
#include "arch/vmx/inject.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/vectors.h"
#include "arch/vmx/vmcs.h"
#include "arch/vmx/vmx_ctls.h"

#define INFO_VALID         BIT(31)
#define INFO_ERROR_CODE    BIT(11)
#define INFO(type, vector) ((uint32_t)(INFO_VALID | (uint32_t)(type) << 8 | (vector)))

#define BLOCK_STI    BIT(0)
#define BLOCK_MOV_SS BIT(1)
#define BLOCK_NMI    BIT(3)

/* SDM volume 3, "Exception and Interrupt Vectors": these push an error code; #CP where the CPU has CET. */
#define ERROR_VECTORS                                                                                        \
    (BIT(VECTOR_DF) | BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) | BIT(VECTOR_GP) | BIT(VECTOR_PF) |   \
     BIT(VECTOR_AC) | BIT(VECTOR_CP))

enum fault_class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

static enum fault_class class_of(uint8_t vector)
{
    switch (vector) {
    case VECTOR_DE:
    case VECTOR_TS:
    case VECTOR_NP:
    case VECTOR_SS:
    case VECTOR_GP:
    case VECTOR_CP:
        return CONTRIBUTORY;
    case VECTOR_PF:
        return PAGE_FAULT;
    case VECTOR_DF:
        return DOUBLE_FAULT;
    default:
        return BENIGN;
    }
}

bool inject_is_set(void)
{
    return vmcs_read(VMCS_ENTRY_INTERRUPTION_INFO) & INFO_VALID;
}

void inject_external(uint8_t vector)
{
    vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, INFO(INJECT_EXTERNAL, vector));
}

void inject_nmi(void)
{
    vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, INFO(INJECT_NMI, VECTOR_NMI));
}

void inject_int1(uint64_t length)
{
    vmcs_write(VMCS_ENTRY_INSTRUCTION_LENGTH, length);
    vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, INFO(INJECT_PRIV_EXCEPTION, VECTOR_DB));
}

static bool cpu_has_cet(void)
{
    struct cpuid_regs leaf7 = cpuid(0, 0).eax >= 7 ? cpuid(7, 0) : (struct cpuid_regs){0};
    return (leaf7.ecx & BIT(7)) || (leaf7.edx & BIT(20)); /* shadow stacks, indirect-branch tracking */
}

bool inject_has_error_code(uint8_t vector)
{
    if (vector == VECTOR_CP)
        return cpu_has_cet();
    return vector < VECTOR_EXCEPTIONS_END && (ERROR_VECTORS & BIT(vector));
}

bool inject_exception(uint8_t vector, uint32_t error)
{
    uint32_t first = vmcs_read32(VMCS_ENTRY_INTERRUPTION_INFO);
    bool first_is_exception = (first & INFO_VALID) && field_get(first, 10, 8) == INJECT_HW_EXCEPTION;
    if (first_is_exception) {
        enum fault_class a = class_of((uint8_t)first), b = class_of(vector);
        if (a == DOUBLE_FAULT && b != BENIGN)
            return false;
        if ((a == CONTRIBUTORY && b == CONTRIBUTORY) || (a == PAGE_FAULT && b >= CONTRIBUTORY)) {
            vector = VECTOR_DF;
            error = 0;
        }
    }
    uint32_t info = INFO(INJECT_HW_EXCEPTION, vector);
    /* In real mode no exception pushes an error code. */
    if (inject_has_error_code(vector) && (vmcs_read(VMCS_GUEST_CR0) & CR0_PE)) {
        info |= (uint32_t)INFO_ERROR_CODE;
        vmcs_write(VMCS_ENTRY_EXCEPTION_ERROR, error);
    }
    vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, info);
    /* A fault is delivered with RF set in the pushed RFLAGS; #DB sets its own. */
    if (vector != VECTOR_DB)
        vmcs_write(VMCS_GUEST_RFLAGS, vmcs_read(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
    return true;
}

void inject_restore_interrupted(void)
{
    uint32_t info = vmcs_read32(VMCS_IDT_VECTORING_INFO);
    if (!(info & INFO_VALID))
        return;
    uint64_t type = field_get(info, 10, 8);
    if (info & INFO_ERROR_CODE)
        vmcs_write(VMCS_ENTRY_EXCEPTION_ERROR, vmcs_read(VMCS_IDT_VECTORING_ERROR));
    if (type >= INJECT_SW_INTERRUPT)
        vmcs_write(VMCS_ENTRY_INSTRUCTION_LENGTH, vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH));
    /*
     * The NMI is to be delivered again, which needs NMIs unblocked (SDM volume 3, "Checks on Guest
     * Non-Register State").
     */
    if (type == INJECT_NMI)
        inject_mark_nmi_blocked(false);
    vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, info & (INFO_VALID | MASK(11, 0)));
}

bool inject_can_external(void)
{
    return (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF) &&
           !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCK_STI | BLOCK_MOV_SS));
}

bool inject_can_nmi(void)
{
    return !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCK_STI | BLOCK_MOV_SS | BLOCK_NMI));
}

bool inject_nmi_blocked(void)
{
    return vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCK_NMI;
}

static void set_proc_control(uint64_t bit, bool on)
{
    uint64_t controls = vmcs_read(VMCS_PROC_CONTROLS);
    vmcs_write(VMCS_PROC_CONTROLS, on ? controls | bit : controls & ~bit);
}

void inject_window_external(bool on)
{
    set_proc_control(PROC_INTERRUPT_WINDOW, on);
}

void inject_window_nmi(bool on)
{
    set_proc_control(PROC_NMI_WINDOW, on);
}

uint32_t inject_get(uint32_t *error)
{
    *error = vmcs_read32(VMCS_ENTRY_EXCEPTION_ERROR);
    return vmcs_read32(VMCS_ENTRY_INTERRUPTION_INFO);
}

void inject_set(uint32_t info, uint32_t error)
{
    vmcs_write(VMCS_ENTRY_EXCEPTION_ERROR, error);
    vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, info);
}

void inject_mark_nmi_blocked(bool blocked)
{
    uint64_t i = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
    vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocked ? i | BLOCK_NMI : i & ~BLOCK_NMI);
}
