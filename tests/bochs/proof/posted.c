/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof for patches/06-posted-interrupt-rvi.patch.
 *
 * A notification waits at VM entry and finds an empty descriptor, ON set: nothing may be delivered, and RVI stays 0
 * (SDM volume 3 section 30.6). Then the same with a vector posted, which must arrive.
 */
#include "proof.h"

#define VECTOR_NOTIFY  0x60
#define VECTOR_POSTED  0x50
#define PIN_POSTED     (1u << 7)
#define ICR_SELF       (1u << 18)
#define ICR_LOW        0x300
#define VMCALL_LENGTH  3
#define VMCS_GUEST_RIP 0x681e

const char proof_name[] = "posted";

static uint64_t descriptor[512] __attribute__((aligned(4096)));
static volatile int arrived;

static void posted(struct trap_frame *frame)
{
    (void)frame;
    arrived++;
    write_msr(0x80b, 0);
}

static void nobody_sent(struct trap_frame *frame)
{
    (void)frame;
    guest_vmcall(0xff);
}

static void guest(void)
{
    for (;;) {
        __asm__ volatile("sti; nop; nop; nop; nop; cli");
        guest_vmcall(1);
    }
}

static void run(uint64_t expected)
{
    uint32_t reason;
    descriptor[4] = 1 | (uint64_t)VECTOR_NOTIFY << 16; /* ON */
    apic_write(ICR_LOW, ICR_SELF | VECTOR_NOTIFY);
    reason = vmx_run();
    if (reason != EXIT_VMCALL || vmx_regs.rax != 1)
        proof_fail("an interrupt that nobody has sent; reason << 8 | RAX",
                   (uint64_t)reason << 8 | vmx_regs.rax);
    if ((uint64_t)arrived != expected)
        proof_fail("arrived", (uint64_t)arrived);
    if (vmx_read(VMCS_GUEST_INTERRUPT_STATUS) != 0)
        proof_fail("interrupt status", vmx_read(VMCS_GUEST_INTERRUPT_STATUS));
    if (descriptor[4] & 1)
        proof_fail("the notification was not processed", descriptor[4]);
}

void proof_main(void)
{
    struct guest_setup setup = {.entry = guest,
                                .rsp = GUEST_STACK_PAGE + 4096,
                                .pin = PIN_EXTERNAL_INTERRUPT | PIN_POSTED,
                                .primary = PRIMARY_TPR_SHADOW,
                                .secondary = SECONDARY_VIRTUALIZE_X2APIC | SECONDARY_REGISTER_VIRTUALIZATION |
                                             SECONDARY_VIRTUAL_INTERRUPT_DELIVERY};

    proof_handler[VECTOR_POSTED] = posted;
    proof_handler[0xff] = nobody_sent;
    apic_start();
    vmx_start();
    vmx_guest(&setup);
    vmx_write(0x400c, vmx_read(0x400c) | 1u << 15); /* acknowledge interrupt on exit */
    vmx_write(0x0002, VECTOR_NOTIFY);
    vmx_write(0x2016, (uintptr_t)descriptor);
    run(0);
    vmx_write(VMCS_GUEST_RIP, vmx_read(VMCS_GUEST_RIP) + VMCALL_LENGTH);
    descriptor[1] = 1ull << (VECTOR_POSTED - 64);
    run(1);
    proof_pass();
}
