/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction decoder for accesses that the hypervisor must complete itself: memory-mapped I/O and
 * string port I/O. insn_decode() turns up to 15 bytes into one plain struct; insn_exec.h computes
 * addresses and results from it.
 *
 * Invariant: the answer is exact or an error. A form that we do not know is INSN_UNKNOWN, never a
 * guess. Only forms with a memory operand are decoded, since no other form can cause such an exit.
 * Not decoded on purpose: PUSH/POP/CALL/JMP through memory, segment register moves, shifts,
 * multiplication, CMPXCHG8B/16B, x87 and all vector moves.
 *
 * Intel SDM volume 2, chapter 2 "Instruction Format" and appendix A "Opcode Map". No state, no
 * lock.
 */
#ifndef HV_CORE_INSN_DECODE_H
#define HV_CORE_INSN_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_MAX_LEN 15u

/* From CS.L and CS.D; the numbers are the default code size in bits. */
enum insn_mode { INSN_MODE_16 = 16, INSN_MODE_32 = 32, INSN_MODE_64 = 64 };

enum insn_status {
    INSN_OK,
    INSN_UNKNOWN,   /* not one of ours, not legal, or longer than 15 bytes */
    INSN_TRUNCATED, /* more bytes are needed to tell */
};

/* The eight of the arithmetic group are in opcode order (SDM 2, table A-6, group 1). */
enum insn_op {
    INSN_NONE,
    INSN_ADD,
    INSN_OR,
    INSN_ADC,
    INSN_SBB,
    INSN_AND,
    INSN_SUB,
    INSN_XOR,
    INSN_CMP,
    INSN_TEST,
    INSN_MOV, /* also MOVNTI */
    INSN_MOVBE,
    INSN_MOVZX,
    INSN_MOVSX, /* also MOVSXD */
    INSN_XCHG,
    INSN_XADD,
    INSN_CMPXCHG,
    INSN_BT,
    INSN_BTS,
    INSN_BTR,
    INSN_BTC,
    INSN_INC,
    INSN_DEC,
    INSN_NOT,
    INSN_NEG,
    INSN_MOVS, /* first string instruction */
    INSN_CMPS,
    INSN_STOS,
    INSN_LODS,
    INSN_SCAS,
    INSN_INS,
    INSN_OUTS,
    INSN_OP_COUNT,
};

/* Segment registers in hardware numbering. */
enum insn_seg { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS, INSN_SEG_COUNT };

/* REPE is plain REP for MOVS, STOS, LODS, INS and OUTS; for these F2h gives INSN_REPE as well. */
enum insn_rep { INSN_REP_NONE, INSN_REPE, INSN_REPNE };

/* General registers are 0..15 in hardware numbering (rax, rcx, rdx, rbx, rsp, ...). */
#define INSN_REG_RIP  16u
#define INSN_REG_NONE 17u

struct insn {
    enum insn_op op;
    enum insn_mode mode;
    enum insn_rep rep;
    enum insn_seg seg; /* of the memory operand, default rule and override applied */
    uint8_t len;
    uint8_t opsize;    /* bytes of the memory operand: 1, 2, 4, 8 */
    uint8_t regsize;   /* bytes of the register operand; differs for MOVZX and MOVSX */
    uint8_t addr_size; /* 2, 4, 8 */
    uint8_t base;      /* string instructions: rsi if they have a source in memory, else rdi */
    uint8_t index;
    uint8_t scale;  /* 1, 2, 4, 8 */
    uint8_t reg;    /* INSN_REG_NONE if the other operand is an immediate or absent */
    bool reg_high;  /* reg 0..3 stands for AH, CH, DH, BH */
    bool reg_first; /* the register is the first (destination) operand, memory the second */
    bool has_imm;
    bool lock;     /* prefix present; XCHG is locked without it */
    bool is_read;  /* memory is read ... */
    bool is_write; /* ... and written; both for read-modify-write */
    uint64_t disp; /* sign-extended */
    uint64_t imm;  /* sign-extended */
};

/* On any error *out is unchanged. Bytes past the instruction (or past the 15th) are not looked at.
 */
enum insn_status insn_decode(const uint8_t *bytes, size_t count, enum insn_mode mode, struct insn *out)
    __attribute__((warn_unused_result));

static inline bool insn_is_string(const struct insn *insn)
{
    return insn->op >= INSN_MOVS;
}

#endif
