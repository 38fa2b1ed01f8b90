/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single steps over instructions that the hypervisor completes: a #DB with DR6.BS after each one (each
 * iteration of REP), at the next RIP. SDM volume 3, "Single-Step Exception Condition", "Debug Exceptions";
 * the shadow of MOV SS holds the trap back, "Masking Exceptions and Interrupts When Switching Stacks". Debug
 * registers over the same instructions.
 */
#include "guest_abi/hv_abi.h"
#include "tests/guest/except/except.h"
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

enum { STEPS_MAX = 64, DR6_BS = 1 << 14 };

static struct {
    uint64_t rip[STEPS_MAX], dr6[STEPS_MAX];
    unsigned count;
    bool stop;
} steps;

/* Counts; the code under test clears TF by POPF at its end. */
static bool on_step(struct trap_frame *f)
{
    if (f->vector != V_DB)
        return false;
    if (steps.count < STEPS_MAX) {
        steps.rip[steps.count] = f->rip;
        steps.dr6[steps.count] = read_dr6();
    }
    steps.count++;
    write_dr6(0xffff0ff0);
    if (steps.count >= STEPS_MAX)
        f->rflags &= ~(uint64_t)RFLAGS_TF;
    return true;
}

/*
 * One instruction between two NOPs, all with TF: three traps (POPF itself gives none), then the one of the
 * PUSHF behind. RAX..RDI as the caller set them in `in`.
 */
#define STEP_CODE(id, text)                                                                                  \
    __asm__("step_" #id ": pushf\n orq $0x100, (%rsp)\n mov step_regs, %rax; mov step_regs+8, %rcx; "        \
            "mov step_regs+16, %rdx\n"                                                                       \
            "mov step_regs+24, %rsi; mov step_regs+32, %rdi\n popf\n nop\n step_at_" #id ": " text           \
            "\n step_end_" #id ": nop\n"                                                                     \
            "pushf\n andq $~0x100, (%rsp)\n popf\n int $0x40\n");                                            \
    extern const uint8_t step_##id[], step_at_##id[], step_end_##id[]

extern uint64_t step_regs[5];
uint64_t step_regs[5];
static uint8_t buffer[64] __attribute__((aligned(64)));

STEP_CODE(nop, "nop");
STEP_CODE(cpuid, "cpuid");
STEP_CODE(in, "in %dx, %al");
STEP_CODE(out, "out %al, %dx");
STEP_CODE(insb, "insb");
STEP_CODE(rep_insb, "rep insb");
STEP_CODE(mmio, "mov (%rsi), %eax");
STEP_CODE(mmio_write, "mov %eax, (%rsi)");
STEP_CODE(rep_movsb, "rep movsb");
STEP_CODE(vmcall, "vmcall");
STEP_CODE(rdmsr, "rdmsr");
STEP_CODE(wrmsr, "wrmsr");
STEP_CODE(wbinvd, "wbinvd");
STEP_CODE(cr0, "mov %cr0, %rax\n xor $0x20, %rax\n .globl step_cr0_at\n step_cr0_at: mov %rax, "
               "%cr0\n xor $0x20, %rax\n mov %rax, %cr0");
STEP_CODE(cr8, "mov %cr8, %rax");
STEP_CODE(hlt, "hlt");
STEP_CODE(device, "out %al, $0x80");

static void run(const char *name, const uint8_t *code, const uint8_t *at, const uint8_t *end, unsigned middle)
{
    steps.count = 0;
    trap_hook_fn = on_step;
    trap_run(code, SEL_CODE64);
    trap_hook_fn = 0;
    /* NOP, the instruction's own, NOP, PUSHF, AND, POPF. */
    report(trap.vector == TRAP_END, "steps over %s end by vector %lu", name, trap.vector);
    report(steps.count == middle + 5, "%u traps over %s instead of %u", steps.count, name, middle + 5);
    report(steps.rip[0] == (uint64_t)(uintptr_t)at, "first trap before %s at %#lx", name, steps.rip[0]);
    report(steps.rip[middle] == (uint64_t)(uintptr_t)end, "trap after %s at %#lx instead of %#lx", name,
           steps.rip[middle], (uint64_t)(uintptr_t)end);
    for (unsigned i = 0; i < steps.count && i < STEPS_MAX; i++)
        report(steps.dr6[i] == (0xffff0ff0 | DR6_BS), "DR6 %#lx at trap %u over %s", steps.dr6[i], i, name);
}

#define RUN(id, middle) run(#id, step_##id, step_at_##id, step_end_##id, middle)
static void in(uint64_t rax, uint64_t rcx, uint64_t rdx, uint64_t rsi, const void *rdi)
{
    step_regs[0] = rax;
    step_regs[1] = rcx;
    step_regs[2] = rdx;
    step_regs[3] = rsi;
    step_regs[4] = (uint64_t)(uintptr_t)rdi;
}

void except_steps(void)
{
    in(0, 0, 0x1234, 0, 0);
    RUN(nop, 1);
    RUN(in, 1);
    RUN(out, 1);
    RUN(device, 1);
    RUN(wbinvd, 1);
    RUN(cr8, 1);
    RUN(cr0, 5);
    RUN(hlt, 1);
    in(1, 0, 0, 0, 0);
    RUN(cpuid, 1);
    in((uint64_t)HV_CALL_MAGIC << 32 | HV_CALL_VERSION, 0, 0, 0, 0);
    RUN(vmcall, 1);
    in(0, 0x1a0, 0, 0, 0);
    RUN(rdmsr, 1);
    in(0, 0x3b, 0, 0, 0);
    RUN(wrmsr, 1);
    in(0, 4, 0x1234, HOLE, buffer);
    RUN(insb, 1);
    RUN(rep_insb, 4);
    RUN(mmio, 1);
    RUN(mmio_write, 1);
    RUN(rep_movsb, 4);
}

/*
 * MOV SS with TF: the trap after it is held back, and comes after the next instruction. STI holds nothing
 * back.
 */
__asm__("shadow_ss: mov $0x10, %ecx; xor %eax, %eax\n pushf\n orq $0x100, (%rsp)\n popf\n mov "
        "%ecx, %ss\n shadow_ss_cpuid: cpuid\n shadow_ss_end: nop\n"
        "pushf\n andq $~0x100, (%rsp)\n popf\n int $0x40\n"
        "shadow_sti: xor %eax, %eax\n pushf\n orq $0x100, (%rsp)\n popf\n sti\n shadow_sti_cpuid: "
        "cpuid\n shadow_sti_end: cli\n"
        "pushf\n andq $~0x100, (%rsp)\n popf\n int $0x40\n"
        "shadow_ss_ud: mov $0x10, %ecx\n pushf\n orq $0x100, (%rsp)\n popf\n mov %ecx, %ss\n "
        "shadow_ss_ud_at: vmxoff\n int $0x40\n"
        "shadow_ss_gp: mov $0x10, %ebx; mov $0x1234, %ecx\n pushf\n orq $0x100, (%rsp)\n popf\n "
        "mov %ebx, %ss\n rdmsr\n int $0x40\n"
        "shadow_ss_int1: mov $0x10, %ecx\n pushf\n orq $0x100, (%rsp)\n popf\n mov %ecx, %ss\n "
        ".byte 0xf1\n shadow_ss_int1_end: nop\n"
        "pushf\n andq $~0x100, (%rsp)\n popf\n int $0x40\n"
        "shadow_sti_int1: pushf\n orq $0x100, (%rsp)\n popf\n sti\n .byte 0xf1\n cli\n"
        "pushf\n andq $~0x100, (%rsp)\n popf\n int $0x40\n"
        "shadow_ss_io: mov $0x10, %ecx; mov $0x1234, %edx\n mov %ecx, %ss\n in %dx, %al\n mov "
        "%ecx, %ss\n cpuid\n int $0x40\n");
extern const uint8_t shadow_ss[], shadow_ss_cpuid[], shadow_ss_end[], shadow_sti[], shadow_sti_cpuid[],
    shadow_sti_end[], shadow_ss_ud[], shadow_ss_ud_at[], shadow_ss_gp[], shadow_ss_io[], shadow_ss_int1[],
    shadow_ss_int1_end[], shadow_sti_int1[];

static void shadow_run(const uint8_t *code)
{
    steps.count = 0;
    trap_hook_fn = on_step;
    trap_run(code, SEL_CODE64);
    trap_hook_fn = 0;
}

void except_shadows(void)
{
    shadow_run(shadow_ss);
    report(trap.vector == TRAP_END && steps.count == 5, "MOV SS, CPUID with TF: %u traps, vector %lu",
           steps.count, trap.vector);
    report(steps.rip[0] == (uint64_t)(uintptr_t)shadow_ss_end, "first trap after MOV SS, CPUID at %ld",
           (int64_t)(steps.rip[0] - (uint64_t)(uintptr_t)shadow_ss_end));
    shadow_run(shadow_sti);
    report(trap.vector == TRAP_END && steps.count == 6, "STI, CPUID with TF: %u traps, vector %lu",
           steps.count, trap.vector);
    report(steps.rip[0] == (uint64_t)(uintptr_t)shadow_sti_cpuid &&
               steps.rip[1] == (uint64_t)(uintptr_t)shadow_sti_end,
           "traps after STI, CPUID at %#lx, %#lx", steps.rip[0], steps.rip[1]);
    shadow_run(shadow_ss_ud);
    report(trap.vector == V_UD && trap.rip == (uint64_t)(uintptr_t)shadow_ss_ud_at,
           "MOV SS, VMXOFF with TF: vector %lu, %u traps", trap.vector, steps.count);
    shadow_run(shadow_ss_gp);
    report(trap.vector == V_GP, "MOV SS, RDMSR of nothing with TF: vector %lu, %u traps", trap.vector,
           steps.count);
    shadow_run(shadow_ss_int1);
    report(trap.vector == TRAP_END && steps.count >= 5 &&
               steps.rip[0] == (uint64_t)(uintptr_t)shadow_ss_int1_end,
           "MOV SS, INT1 with TF: vector %lu, %u traps", trap.vector, steps.count);
    shadow_run(shadow_sti_int1);
    report(trap.vector == TRAP_END && steps.count >= 6, "STI, INT1 with TF: vector %lu, %u traps",
           trap.vector, steps.count);
    shadow_run(shadow_ss_io);
    report(trap.vector == TRAP_END && !steps.count, "MOV SS, IN, MOV SS, CPUID: vector %lu", trap.vector);
}

/*
 * An instruction breakpoint on an instruction that exits: #DB before it, with B0; RF in the frame lets it
 * pass, once. A data breakpoint on ordinary memory: after the access. DR7.GD: #DB on the MOV.
 */
__asm__("break_code: xor %eax, %eax\n break_at: cpuid\n nop\n jmp 1f\n 1: int $0x40\n"
        "break_data: movb $1, step_regs\n break_data_end: int $0x40\n"
        "break_gd: mov %dr0, %rax\n int $0x40\n"
        "break_twice: xor %eax, %eax\n mov $2, %ebp\n break_twice_at: cpuid\n mov %ebp, %eax\n dec "
        "%ebp\n jnz break_twice_at\n int $0x40\n");
extern const uint8_t break_code[], break_at[], break_data[], break_data_end[], break_gd[], break_twice[],
    break_twice_at[];

static bool on_break(struct trap_frame *f)
{
    if (f->vector == V_DB)
        f->rflags |= RFLAGS_RF;
    return on_step(f);
}

static void break_run(const uint8_t *code)
{
    steps.count = 0;
    trap_hook_fn = on_break;
    trap_run(code, SEL_CODE64);
    trap_hook_fn = 0;
}

void except_breakpoints(void)
{
    write_dr6(0xffff0ff0);
    write_dr0((uint64_t)(uintptr_t)break_at);
    write_dr7(0x402);
    break_run(break_code);
    report(steps.count == 1 && trap.vector == TRAP_END, "breakpoint on CPUID: %u traps, vector %lu",
           steps.count, trap.vector);
    report(steps.rip[0] == (uint64_t)(uintptr_t)break_at && steps.dr6[0] == 0xffff0ff1,
           "breakpoint on CPUID: RIP %#lx, DR6 %#lx", steps.rip[0], steps.dr6[0]);
    write_dr0((uint64_t)(uintptr_t)break_twice_at);
    break_run(break_twice);
    report(steps.count == 2, "breakpoint on a CPUID that runs twice: %u traps", steps.count);
    write_dr1((uint64_t)(uintptr_t)step_regs);
    write_dr7(0x408 | 1UL << 20);
    break_run(break_data);
    report(steps.count == 1 && steps.rip[0] == (uint64_t)(uintptr_t)break_data_end &&
               steps.dr6[0] == 0xffff0ff2,
           "data breakpoint: %u traps, RIP %#lx, DR6 %#lx", steps.count, steps.rip[0], steps.dr6[0]);
    write_dr7(0x2400);
    break_run(break_gd);
    report(steps.count == 1 && (steps.dr6[0] & 0x2000), "general detect: %u traps, DR6 %#lx", steps.count,
           steps.dr6[0]);
    report(!(read_dr7() & 0x2000), "DR7.GD is still set after the #DB");
    write_dr7(0x400);
}
