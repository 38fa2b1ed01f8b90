/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traps of a test guest. Every vector has a handler. A test says what it will do (trap_expect with the
 * address at which to go on), does it, and looks at `trap` for what happened. A trap that nobody expects ends
 * the guest as failed.
 *
 * TRY(insn, operands...) runs instructions that may fault and must leave RSP alone; afterwards trap.vector is
 * TRAP_NONE or the vector.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TRAP_NONE = 0x1ff };

enum {
    V_DE = 0,
    V_DB = 1,
    V_NMI = 2,
    V_BP = 3,
    V_OF = 4,
    V_BR = 5,
    V_UD = 6,
    V_NM = 7,
    V_DF = 8,
    V_TS = 10,
    V_NP = 11,
    V_SS = 12,
    V_GP = 13,
    V_PF = 14,
    V_MF = 16,
    V_AC = 17,
    V_XM = 19,
};

enum {
    SEL_CODE64 = 0x08,
    SEL_DATA = 0x10,
    SEL_CODE32 = 0x18,
    SEL_USER_CODE64 = 0x20 | 3,
    SEL_USER_DATA = 0x28 | 3,
    SEL_USER_CODE32 = 0x30 | 3,
    SEL_CODE16 = 0x38,
    SEL_DATA16 = 0x40,
    SEL_TSS = 0x48,
    SEL_FREE = 0x58,
};

struct trap_frame {
    uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* The last trap. */
struct trap {
    uint64_t vector; /* TRAP_NONE: there was none */
    uint64_t error, rip, rflags, cr2, cs, dr6;
    uint64_t count; /* since trap_expect or TRY */
    struct trap_frame regs;
};
extern volatile struct trap trap;

/* Where to go on after the next trap; 0: nothing is expected. Used by TRY. */
extern volatile uint64_t trap_resume;

/* When set, sees every trap first; true: handled, go on with the frame. */
typedef bool trap_hook(struct trap_frame *frame);
extern trap_hook *volatile trap_hook_fn;

struct idt_gate {
    uint16_t low, selector;
    uint8_t ist, type;
    uint16_t middle;
    uint32_t high, reserved;
};
extern struct idt_gate idt[256];
extern uint64_t gdt[], gdt_free[];
extern uint8_t stack_top[], trap_stubs[];

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, iomap;
} __attribute__((packed));
extern struct tss tss;

void trap_init(void);
void trap_clear(void);
void trap_set_gate(unsigned vector, uint64_t handler, uint8_t ist, unsigned dpl);

/* Runs code at CPL 0 in a code segment until a trap; code that works ends in INT TRAP_END. See `trap`. */
enum { TRAP_END = 0x40 };
void trap_run(const void *code, unsigned cs);
void trap_call(const void *code, uint64_t cs);

/* Runs code at CPL 3 with its own stack until a trap; see `trap`. */
void trap_user(const void *code, unsigned cs, uint64_t rflags);
void trap_user_enter(uint64_t code, uint64_t stack, uint64_t cs, uint64_t ss, uint64_t rflags, uint64_t rax);
void trap_user_leave(void);

/* The resumption address is written by the macro itself, so that insn runs with the compiler's registers. */
#define TRY(insn, ...)                                                                                       \
    do {                                                                                                     \
        trap_clear();                                                                                        \
        __asm__ volatile("movq $777f, trap_resume\n\t" insn "\n777:\tmovq $0, trap_resume" __VA_ARGS__);     \
    } while (0)
