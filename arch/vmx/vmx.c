/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMXON, VMXOFF, INVEPT, INVVPID: SDM volume 3, "VMX Instruction Reference".
 * A failed invalidation is a broken invariant of ours (type and operand are constants that vmx_caps
 * has checked), so it traps.
 */
#include "arch/vmx/vmx.h"

#include "arch/vmx/vmcs.h"
#include "arch/vmx/vmx_context.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"

#define INVEPT_SINGLE_CONTEXT  1UL
#define INVVPID_SINGLE_CONTEXT 1UL

struct inv_descriptor {
    uint64_t what;
    uint64_t reserved_or_address;
};

bool vmx_on(const struct vmx_caps *caps, void *region, uint64_t region_pa)
{
    *(uint32_t *)region = (uint32_t)(caps->basic & MASK(30, 0));
    write_cr0((read_cr0() | caps->cr0_must) & caps->cr0_may);
    write_cr4((read_cr4() | CR4_VMXE | caps->cr4_must) & caps->cr4_may);
    bool fail;
    __asm__ volatile("vmxon %1" : "=@ccbe"(fail) : "m"(region_pa) : "memory");
    return !fail;
}

void vmx_off(void)
{
    if (!(read_cr4() & CR4_VMXE))
        return;
    __asm__ volatile("vmxoff" ::: "memory", "cc");
    write_cr4(read_cr4() & ~CR4_VMXE);
}

uint32_t vmx_instruction_error(void)
{
    return vmcs_read32(VMCS_INSTRUCTION_ERROR);
}

void vmx_invept(uint64_t eptp)
{
    struct inv_descriptor d = {eptp, 0};
    bool fail;
    __asm__ volatile("invept %1, %2" : "=@ccbe"(fail) : "m"(d), "r"(INVEPT_SINGLE_CONTEXT) : "memory");
    if (fail)
        __builtin_trap();
}

void vmx_invvpid(uint16_t vpid)
{
    struct inv_descriptor d = {vpid, 0};
    bool fail;
    __asm__ volatile("invvpid %1, %2" : "=@ccbe"(fail) : "m"(d), "r"(INVVPID_SINGLE_CONTEXT) : "memory");
    if (fail)
        __builtin_trap();
}

void vmx_context_load(struct vmx_context *c)
{
    bool fail;
    __asm__ volatile("vmptrld %1" : "=@ccbe"(fail) : "m"(c->vmcs_pa) : "memory");
    if (fail)
        __builtin_trap();
}

void vmx_context_clear(struct vmx_context *c)
{
    bool fail;
    __asm__ volatile("vmclear %1" : "=@ccbe"(fail) : "m"(c->vmcs_pa) : "memory");
    if (fail)
        __builtin_trap();
}
