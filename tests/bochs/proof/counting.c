/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof that the variant "bench" counts exactly: the exit path below is known to the instruction.
 *
 * The guest sets label COUNTING_LABEL, calls COUNTING_CALLS times, sets label 0, and prints the verdict
 * itself. The exit handler has 12 instructions, VMRESUME included; 3 of them access the VMCS and 2 lock the
 * bus. The host also writes mark COUNTING_MARK before it enters. run.py compares the report with these
 * figures. Specifications: SDM volume 3 section 28.5 (host state), instrument/instrument.cc (labels).
 */
#include "proof.h"

#define COUNTING_LABEL 7
#define COUNTING_MARK  9
#define COUNTING_CALLS 100
#define VMCS_HOST_RSP  0x6c14
#define VMCS_HOST_RIP  0x6c16
#define LABEL_ADDRESS  0x5b1a0000u
#define LABEL_STRIDE   64u

const char proof_name[] = "counting";
uint64_t counting_locked[2];
void counting_exit(void);

__asm__(".text\n.globl counting_exit\ncounting_exit:\n"
        "push %rax\n"
        "push %rcx\n"
        "mov $0x681e, %ecx\n" /* guest RIP */
        "vmread %rcx, %rax\n"
        "add $3, %rax\n"
        "vmwrite %rax, %rcx\n"
        "lock incq counting_locked\n"
        "xchg %rax, counting_locked + 8\n"
        "vmread %rcx, %rax\n"
        "pop %rcx\n"
        "pop %rax\n"
        "vmresume\n");

static void set_label(uint32_t label)
{
    __asm__ volatile("prefetcht0 (%0)" : : "r"((uint64_t)LABEL_ADDRESS + label * LABEL_STRIDE));
}

static void guest(void)
{
    set_label(COUNTING_LABEL);
    for (int i = 0; i < COUNTING_CALLS; i++)
        guest_vmcall(0);
    set_label(0);
    if (counting_locked[0] != COUNTING_CALLS)
        proof_fail("exits seen by the host", counting_locked[0]);
    proof_pass();
}

void proof_main(void)
{
    struct guest_setup setup = {
        .entry = guest, .rsp = GUEST_STACK_PAGE + 4096, .pin = PIN_EXTERNAL_INTERRUPT};
    uint64_t rsp;

    vmx_start();
    vmx_guest(&setup);
    __asm__ volatile("mov %%rsp, %0" : "=r"(rsp));
    vmx_write(VMCS_HOST_RSP, rsp - 4096);
    vmx_write(VMCS_HOST_RIP, (uintptr_t)counting_exit);
    set_label(COUNTING_MARK);
    __asm__ volatile("vmlaunch" : : : "cc", "memory");
    proof_fail("VM entry: instruction error", vmx_read(0x4400));
}
