/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof for patches/02-masked-virtual-interrupt.patch.
 *
 * The guest clears RFLAGS.IF and sends itself a virtual interrupt, which then pends. A physical
 * interrupt arrives. It must exit; the virtual one must stay pending (SDM volume 3 section 30.2.2)
 * until the guest sets IF.
 */
#include "proof.h"

#define VECTOR_VIRTUAL 0x50

const char proof_name[] = "masked";
static volatile uint32_t masked_section;

static void virtual_interrupt(struct trap_frame *frame)
{
    (void)frame;
    guest_vmcall(masked_section ? 2 : 3);
}

static void guest(void)
{
    __asm__ volatile("cli");
    masked_section = 1;
    write_msr(MSR_X2APIC_SELF_IPI, VECTOR_VIRTUAL);
    for (volatile uint32_t i = 0; i < 100000; i++)
        ;
    masked_section = 0;
    __asm__ volatile("sti\nnop\nnop");
    guest_vmcall(1);
}

void proof_main(void)
{
    struct guest_setup setup = {.entry = guest,
                                .rsp = GUEST_STACK_PAGE + 4096,
                                .rflags = RFLAGS_IF,
                                .pin = PIN_EXTERNAL_INTERRUPT,
                                .primary = PRIMARY_TPR_SHADOW,
                                .secondary = SECONDARY_VIRTUALIZE_X2APIC | SECONDARY_REGISTER_VIRTUALIZATION |
                                             SECONDARY_VIRTUAL_INTERRUPT_DELIVERY};
    uint32_t reason;

    proof_handler[VECTOR_VIRTUAL] = virtual_interrupt;
    apic_start();
    vmx_start();
    vmx_guest(&setup);
    apic_timer(50000);
    reason = vmx_run();
    if (reason == EXIT_VMCALL && vmx_regs.rax == 2)
        proof_fail("virtual interrupt delivered with IF = 0; vector", VECTOR_VIRTUAL);
    if (reason != EXIT_EXTERNAL_INTERRUPT)
        proof_fail("the physical interrupt did not exit; reason", reason);
    if ((vmx_read(VMCS_GUEST_INTERRUPT_STATUS) & 0xff) != VECTOR_VIRTUAL)
        proof_fail("virtual interrupt not pending; status", vmx_read(VMCS_GUEST_INTERRUPT_STATUS));
    __asm__ volatile("sti\nnop\ncli");
    reason = vmx_run();
    if (reason != EXIT_VMCALL || vmx_regs.rax != 3)
        proof_fail("virtual interrupt not delivered with IF = 1; reason", reason);
    proof_pass();
}
