/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof for patches/08-smp-longjmp-place.patch. Runs with two CPUs.
 *
 * The second one executes UD2 for ever, in real mode. The first one has an interrupt pending when it executes STI: it
 * must be taken behind the instruction that follows (SDM volume 2, STI), whatever the other one does.
 */
#include "proof.h"

#define VECTOR_OWN      0x41
#define ROUNDS          2000
#define ICR_LOW         0x300
#define ICR_SELF        0x40000
#define ICR_OTHERS_INIT 0xc4500
#define ICR_OTHERS_SIPI 0xc4600
#define AP_PAGE         0x8000
#define AP_COUNT        0x7000 /* what the second CPU counts its exceptions in */
#define AP_TRIES        100
#define AP_WAIT         100000

const char proof_name[] = "shadow";

extern const char ap_start[], ap_handler[], ap_end[], shadow_end[];
void shadow(void);

/* At AP_PAGE; DS and SS have base 0 after INIT. The handler returns to the instruction that has faulted. */
__asm__(".code16\n"
        ".globl ap_start, ap_handler, ap_end\n"
        "ap_start: mov $0x7000, %sp\n"
        "movl $0x08000000 + ap_handler - ap_start, 6 * 4\n"
        "ud2\n"
        "ap_handler: incl 0x7000\n"
        "iretw\n"
        "ap_end:\n"
        ".code64\n"
        ".globl shadow, shadow_end\n"
        "shadow: sti\n"
        "nop\n"
        "shadow_end: nop\n"
        "cli\n"
        "ret\n");

static volatile uint64_t taken_at, taken;

static void own_interrupt(struct trap_frame *frame)
{
    taken_at = frame->rip;
    taken++;
    apic_write(0x0b0, 0);
}

static uint32_t ap_count(void)
{
    return *(volatile uint32_t *)AP_COUNT;
}

static void start_other(void)
{
    volatile uint8_t *page = (volatile uint8_t *)AP_PAGE;

    for (long i = 0; i < ap_end - ap_start; i++)
        page[i] = (uint8_t)ap_start[i];
    *(volatile uint32_t *)AP_COUNT = 0;
    apic_write(ICR_LOW, ICR_OTHERS_INIT);
    for (int try = 0; try < AP_TRIES && ap_count() == 0; try++) {
        for (int i = 0; i < AP_WAIT; i++)
            __asm__ volatile("pause");
        apic_write(ICR_LOW, ICR_OTHERS_SIPI | AP_PAGE >> 12);
    }
}

void proof_main(void)
{
    uint32_t before;

    proof_handler[VECTOR_OWN] = own_interrupt;
    apic_start();
    start_other();
    before = ap_count();
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        apic_write(ICR_LOW, ICR_SELF | VECTOR_OWN);
        shadow();
        if (taken != round)
            proof_fail("the interrupt did not come in round", round);
        if (taken_at != (uintptr_t)shadow_end)
            proof_fail("an interrupt in the shadow of STI; bytes behind STI",
                       taken_at - (uintptr_t)shadow - 1);
    }
    if (ap_count() - before < ROUNDS)
        proof_fail("the other CPU had too few exceptions:", ap_count() - before);
    proof_pass();
}
