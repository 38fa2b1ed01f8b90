/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof for patches/04-virtual-interrupt-idt-vectoring.patch.
 *
 * The guest takes an invalid-opcode exception of its own and then moves its stack to a page that
 * the EPT withholds. A virtual interrupt is pending when it sets IF: its delivery ends in an EPT
 * violation, which must name that interrupt in the IDT-vectoring information (SDM volume 3
 * section 28.2.4). Injected again, it must arrive.
 */
#include "proof.h"

#define VECTOR_VIRTUAL 0x50
#define VECTOR_UD      6
#define UD2_LENGTH     2
#define WITHHELD_PAGE  (GUEST_STACK_PAGE + 0x10000)
#define INFO_VALID     (1ull << 31)

const char proof_name[] = "vectoring";

static void invalid_opcode(struct trap_frame *frame)
{
    frame->rip += UD2_LENGTH;
}

static void virtual_interrupt(struct trap_frame *frame)
{
    (void)frame;
    guest_vmcall(2);
}

static void guest(void)
{
    __asm__ volatile("ud2");
    write_msr(MSR_X2APIC_SELF_IPI, VECTOR_VIRTUAL);
    __asm__ volatile("mov %0, %%rsp\nsti\nnop\nnop\nmov $1, %%eax\nvmcall"
                     :
                     : "r"((uint64_t)WITHHELD_PAGE + 4096));
}

void proof_main(void)
{
    struct guest_setup setup = {.entry = guest,
                                .rsp = GUEST_STACK_PAGE + 4096,
                                .pin = PIN_EXTERNAL_INTERRUPT,
                                .primary = PRIMARY_TPR_SHADOW,
                                .secondary = SECONDARY_VIRTUALIZE_X2APIC | SECONDARY_REGISTER_VIRTUALIZATION |
                                             SECONDARY_VIRTUAL_INTERRUPT_DELIVERY};
    uint64_t present, info;
    uint32_t reason;

    proof_handler[VECTOR_UD] = invalid_opcode;
    proof_handler[VECTOR_VIRTUAL] = virtual_interrupt;
    vmx_start();
    vmx_guest(&setup);
    present = *vmx_ept_entry(WITHHELD_PAGE);
    *vmx_ept_entry(WITHHELD_PAGE) = 0;
    reason = vmx_run();
    if (reason != EXIT_EPT_VIOLATION)
        proof_fail("no EPT violation; reason", reason);
    info = vmx_read(VMCS_IDT_VECTORING_INFO);
    if (info != (INFO_VALID | VECTOR_VIRTUAL))
        proof_fail("IDT-vectoring information", info);
    if (vmx_read(VMCS_GUEST_INTERRUPT_STATUS) != (uint64_t)VECTOR_VIRTUAL << 8)
        proof_fail("not in service; status", vmx_read(VMCS_GUEST_INTERRUPT_STATUS));
    *vmx_ept_entry(WITHHELD_PAGE) = present;
    vmx_ept_flush();
    vmx_write(VMCS_ENTRY_INTERRUPTION_INFO, info);
    reason = vmx_run();
    if (reason != EXIT_VMCALL || vmx_regs.rax != 2)
        proof_fail("injected interrupt did not arrive; reason", reason);
    proof_pass();
}
