/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof for patches/03-apic-base-enable.patch.
 *
 * IA32_APIC_BASE.EN is cleared and set again; afterwards the local APIC must deliver a timer
 * interrupt. The direct way from disabled to x2APIC mode must fault (SDM volume 3
 * section 11.12.5.1).
 */
#include "proof.h"

#define APIC_BASE_ENABLE 0x800u
#define APIC_BASE_X2APIC 0x400u
#define VECTOR_GP        13
#define WRMSR_LENGTH     2

const char proof_name[] = "apicbase";
static volatile uint32_t faults;

static void general_protection(struct trap_frame *frame)
{
    faults++;
    frame->rip += WRMSR_LENGTH;
}

void proof_main(void)
{
    uint64_t base = read_msr(MSR_APIC_BASE);

    proof_handler[VECTOR_GP] = general_protection;
    write_msr(MSR_APIC_BASE, base & ~(uint64_t)APIC_BASE_ENABLE);
    if (read_msr(MSR_APIC_BASE) & APIC_BASE_ENABLE)
        proof_fail("not disabled; MSR", read_msr(MSR_APIC_BASE));
    write_msr(MSR_APIC_BASE, base);
    if (read_msr(MSR_APIC_BASE) != base)
        proof_fail("not enabled again; MSR", read_msr(MSR_APIC_BASE));
    write_msr(MSR_APIC_BASE, base & ~(uint64_t)APIC_BASE_ENABLE);
    write_msr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
    if (faults != 1)
        proof_fail("faults for disabled to x2APIC", faults);
    write_msr(MSR_APIC_BASE, base);
    apic_start();
    __asm__ volatile("sti");
    apic_timer(10000);
    for (volatile uint32_t i = 0; i < 100000 && !apic_timer_count; i++)
        ;
    if (apic_timer_count != 1 || faults != 1)
        proof_fail("timer interrupts after enabling", apic_timer_count);
    proof_pass();
}
