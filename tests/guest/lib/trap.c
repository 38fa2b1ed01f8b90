/* SPDX-License-Identifier: BSD-2-Clause */
/* Traps: see trap.h. #DF has a stack of its own (IST 1), everything else stays on the stack in use. */
#include "tests/guest/lib/trap.h"

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"

#define GATE_INTERRUPT 0x8e
#define TSS_PRESENT    0x89ULL

volatile struct trap trap;
volatile uint64_t trap_resume;
trap_hook *volatile trap_hook_fn;
struct idt_gate idt[256] __attribute__((aligned(4096)));
struct tss tss __attribute__((aligned(4096)));

static uint8_t trap_stack[2][8192] __attribute__((aligned(16)));
static uint8_t user_stack[8192] __attribute__((aligned(16)));

void trap_handler(struct trap_frame *frame);

void trap_set_gate(unsigned vector, uint64_t handler, uint8_t ist, unsigned dpl)
{
    idt[vector] = (struct idt_gate){.low = (uint16_t)handler,
                                    .selector = SEL_CODE64,
                                    .ist = ist,
                                    .type = (uint8_t)(GATE_INTERRUPT | dpl << 5),
                                    .middle = (uint16_t)(handler >> 16),
                                    .high = (uint32_t)(handler >> 32)};
}

void trap_init(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};
    uint64_t base = (uint64_t)(uintptr_t)&tss;
    for (unsigned i = 0; i < 256; i++)
        trap_set_gate(i, (uint64_t)(uintptr_t)trap_stubs + 16UL * i, i == V_DF,
                      i >= 32 || i == V_BP || i == V_OF ? 3 : 0);
    tss.rsp[0] = (uint64_t)(uintptr_t)trap_stack[1];
    tss.ist[0] = (uint64_t)(uintptr_t)(trap_stack[1] + sizeof(trap_stack[1]));
    tss.iomap = sizeof(tss);
    gdt[SEL_TSS / 8] =
        (sizeof(tss) - 1) | (base & 0xffffff) << 16 | TSS_PRESENT << 40 | (base >> 24 & 0xff) << 56;
    gdt[SEL_TSS / 8 + 1] = base >> 32;
    __asm__ volatile("lidt %0\n\tltr %w1" ::"m"(idtr), "r"(SEL_TSS));
}

void trap_clear(void)
{
    trap.vector = TRAP_NONE;
    trap.count = 0;
    trap.error = trap.rip = 0;
}

void trap_handler(struct trap_frame *frame)
{
    if (trap_hook_fn && trap_hook_fn(frame))
        return;
    trap.vector = frame->vector;
    trap.error = frame->error;
    trap.rip = frame->rip;
    trap.rflags = frame->rflags;
    trap.cs = frame->cs;
    trap.cr2 = read_cr2();
    trap.regs = *frame;
    trap.count++;
    if (frame->cs & 3)
        trap_user_leave(); /* does not return */
    if (!trap_resume) {
        print("trap %lu, error %#lx, rip %#lx, cr2 %#lx, rsp %#lx\n", frame->vector, frame->error, frame->rip,
              trap.cr2, frame->rsp);
        report(false, "no trap is expected here");
        report_end();
    }
    frame->rip = trap_resume;
    frame->cs = SEL_CODE64;
    frame->ss = SEL_DATA;
    frame->rflags &= ~(uint64_t)(RFLAGS_TF | RFLAGS_DF | RFLAGS_AC | RFLAGS_RF);
    trap_resume = 0;
}

void trap_run(const void *code, unsigned cs)
{
    trap_clear();
    trap_call(code, cs);
}

void trap_user(const void *code, unsigned cs, uint64_t rflags)
{
    trap_clear();
    trap_user_enter((uint64_t)(uintptr_t)code, (uint64_t)(uintptr_t)(user_stack + sizeof(user_stack)), cs,
                    SEL_USER_DATA, rflags | RFLAGS_ONE, 0);
}
