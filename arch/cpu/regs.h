/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register frames that assembly and C share: the one struct gprs, and the frame of an interrupt or
 * exception. Registers stand in the hardware's numbering, so a ModRM or exit-qualification number
 * indexes the array.
 */
#ifndef ARCH_CPU_REGS_H
#define ARCH_CPU_REGS_H

#define GPRS_SIZE       128
#define TRAP_VECTOR_OFF 128
#define TRAP_CS_OFF     152
#define TRAP_FRAME_SIZE 184

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, GPR_COUNT };

union gprs {
    struct {
        uint64_t rax, rcx, rdx, rbx;
        uint64_t rsp; /* a guest's RSP is in its VMCS: this word is only valid where the owner says so */
        uint64_t rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
    };
    uint64_t by_index[GPR_COUNT];
};
_Static_assert(sizeof(union gprs) == GPRS_SIZE, "assembly offset");
_Static_assert(offsetof(union gprs, r15) == 8 * R15, "hardware numbering");

struct trap_frame {
    union gprs gprs;
    uint64_t vector;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(offsetof(struct trap_frame, vector) == TRAP_VECTOR_OFF, "assembly offset");
_Static_assert(offsetof(struct trap_frame, cs) == TRAP_CS_OFF, "assembly offset");
_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_SIZE, "assembly offset");
#endif

#endif
