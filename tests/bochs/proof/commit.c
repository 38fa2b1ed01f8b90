/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof for patches/07-smp-commit-rip.patch. Runs with two CPUs, of which the second waits for its SIPI.
 *
 * A guest executes UD2 again and again, and its handler steps over it. A timer ends it at every place in
 * turn. What an exit saves must fit together (SDM volume 3 section 28.3.3): with the stack pointer of the
 * loop RIP is in the loop, with another one it is not.
 */
#include "proof.h"

#define VECTOR_UD      6
#define UD2_LENGTH     2
#define ROUNDS         2000
#define VMCS_GUEST_RSP 0x681c
#define VMCS_GUEST_RIP 0x681e

const char proof_name[] = "commit";

extern const char loop[], loop_end[];
extern uint64_t loop_rsp;
void guest_loop(void);

__asm__(".globl guest_loop, loop, loop_end, loop_rsp\n"
        "guest_loop: mov %rsp, loop_rsp(%rip)\n"
        "loop: ud2\n"
        "jmp loop\n"
        "loop_end:\n"
        ".pushsection .bss; .balign 8; loop_rsp: .quad 0; .popsection\n");

static void invalid_opcode(struct trap_frame *frame)
{
    frame->rip += UD2_LENGTH;
}

void proof_main(void)
{
    struct guest_setup setup = {.entry = guest_loop,
                                .rsp = GUEST_STACK_PAGE + 4096,
                                .rflags = RFLAGS_IF,
                                .pin = PIN_EXTERNAL_INTERRUPT};
    uint64_t rip, in_loop = 0, elsewhere = 0;

    proof_handler[VECTOR_UD] = invalid_opcode;
    apic_start();
    vmx_start();
    vmx_guest(&setup);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        apic_timer(200 + round % 100);
        if (vmx_run() != EXIT_EXTERNAL_INTERRUPT)
            proof_fail("no external interrupt in round", round);
        __asm__ volatile("sti\nnop\ncli");
        rip = vmx_read(VMCS_GUEST_RIP);
        if (rip >= (uintptr_t)loop && rip < (uintptr_t)loop_end) {
            in_loop++;
            if (vmx_read(VMCS_GUEST_RSP) != loop_rsp)
                proof_fail("RIP of the loop, stack of the handler; RIP", rip);
        } else {
            elsewhere++;
        }
    }
    if (in_loop == 0 || elsewhere == 0)
        proof_fail("the timer always came at the same place; in the loop", in_loop);
    proof_pass();
}
