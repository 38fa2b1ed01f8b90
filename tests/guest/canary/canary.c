/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * canary: the neighbour of a hostile guest. It fills 1 MiB with a pattern and all registers that a guest
 * keeps (general, debug, SSE, SYSCALL MSRs, CR8) with values of its own, and looks at them for ever. Every
 * few rounds it says so; it ends only when something is wrong.
 */
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

enum { WORDS = 131072, ROUNDS_PER_LINE = 8 };
#define PATTERN   0x9e3779b97f4a7c15UL
#define MSR_LSTAR 0xc0000082U
#define MSR_KGS   0xc0000102U
#define LSTAR     0x0000123456789abcUL
#define KGS       0xffffdeadbeef0000UL
#define DR        0x00007eadbeef1000UL

const char guest_name[] = "canary";
static uint64_t words[WORDS];
extern uint64_t canary_saved[16];
uint64_t canary_saved[16];

/* All registers but RAX, RSP through a delay loop: what comes out must be what went in. */
__asm__("\n\
canary_registers:\n\
	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n\
	mov $0x1111111111111111, %rbx; mov $0x2222222222222222, %rdx; mov $0x3333333333333333, %rsi\n\
	mov $0x4444444444444444, %rbp; mov $0x5555555555555555, %r8; mov $0x6666666666666666, %r9\n\
	mov $0x7777777777777777, %r10; mov $0x8888888888888888, %r11; mov $0x9999999999999999, %r12\n\
	mov $0xaaaaaaaaaaaaaaaa, %r13; mov $0xbbbbbbbbbbbbbbbb, %r14; mov $0xcccccccccccccccc, %r15\n\
	movq %rdi, %xmm15; movq %r14, %xmm0\n\
	mov %rdi, %rcx\n\
1:	dec %rcx; jnz 1b\n\
	mov %rbx, canary_saved; mov %rdx, canary_saved+8; mov %rsi, canary_saved+16; mov %rbp, canary_saved+24\n\
	mov %r8, canary_saved+32; mov %r9, canary_saved+40; mov %r10, canary_saved+48; mov %r11, canary_saved+56\n\
	mov %r12, canary_saved+64; mov %r13, canary_saved+72; mov %r14, canary_saved+80; mov %r15, canary_saved+88\n\
	movq %xmm0, canary_saved+96; movq %xmm15, canary_saved+104\n\
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\
	ret\n");
void canary_registers(uint64_t loops);

static void fail(const char *what, uint64_t is, uint64_t should)
{
    print("canary: damaged: %s is %#lx instead of %#lx\n", what, is, should);
    guest_exit(RUN_FAILED);
}

static void check(const char *what, uint64_t is, uint64_t should)
{
    if (is != should)
        fail(what, is, should);
}

static void round(void)
{
    uint64_t value, loops = 20000;
    for (uint64_t i = 0; i < WORDS; i++)
        if (words[i] != i * PATTERN)
            fail("memory", words[i], i * PATTERN);
    canary_registers(loops);
    for (uint64_t i = 0; i < 12; i++)
        check("a register", canary_saved[i], 0x1111111111111111UL * (i + 1));
    check("xmm0", canary_saved[12], 0xbbbbbbbbbbbbbbbbUL);
    check("xmm15", canary_saved[13], loops);
    check("DR0", read_dr0(), DR);
    check("DR3", read_dr3(), DR + 3);
    check("CR8", read_cr8(), 5);
    (void)msr_read(MSR_LSTAR, &value);
    check("LSTAR", value, LSTAR);
    (void)msr_read(MSR_KGS, &value);
    check("KERNEL_GS_BASE", value, KGS);
}

void guest_main(const char *cmdline)
{
    (void)cmdline;
    for (uint64_t i = 0; i < WORDS; i++)
        words[i] = i * PATTERN;
    write_dr0(DR);
    write_dr3(DR + 3);
    write_cr8(5);
    (void)msr_write(MSR_LSTAR, LSTAR);
    (void)msr_write(MSR_KGS, KGS);
    for (uint64_t rounds = 1;; rounds++) {
        round();
        if (rounds % ROUNDS_PER_LINE == 0)
            print("canary: %lu rounds, all well\n", rounds);
    }
}
