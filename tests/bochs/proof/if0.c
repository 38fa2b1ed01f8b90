/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof for patches/01-external-interrupt-guest-if0.patch.
 *
 * A timer is armed, then a guest is entered with RFLAGS.IF = 0 and "external-interrupt exiting"
 * set. It spins far longer than the timer runs and then calls. SDM volume 3 section 26.2 demands
 * the exit for the interrupt first.
 */
#include "proof.h"

const char proof_name[] = "if0";

static void guest(void)
{
    for (volatile uint32_t i = 0; i < 100000; i++)
        ;
    guest_vmcall(1);
}

void proof_main(void)
{
    struct guest_setup setup = {
        .entry = guest, .rsp = GUEST_STACK_PAGE + 4096, .pin = PIN_EXTERNAL_INTERRUPT};
    uint32_t reason;

    apic_start();
    vmx_start();
    vmx_guest(&setup);
    apic_timer(50000);
    reason = vmx_run();
    if (reason != EXIT_EXTERNAL_INTERRUPT)
        proof_fail("the interrupt did not exit; reason", reason);
    __asm__ volatile("sti\nnop\ncli");
    if (apic_timer_count != 1)
        proof_fail("interrupts taken after the exit", apic_timer_count);
    reason = vmx_run();
    if (reason != EXIT_VMCALL || vmx_regs.rax != 1)
        proof_fail("the guest did not continue; reason", reason);
    proof_pass();
}
