/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Meaning of decoded instructions, see insn_exec.h for the contract.
 *
 * All arithmetic goes through add_with_carry(): subtraction adds the complement with inverted
 * carries, so every flag is computed in one place. Operands are kept masked to the operand size.
 *
 * Intel SDM volume 1, 3.4.1.1 "General-Purpose Registers in 64-Bit Mode" (what a partial write does
 * to the rest of a register), 3.4.3 "EFLAGS Register"; volume 2. Pure; no lock.
 */
#include "insn_exec.h"

enum { RAX, RCX, RSI = 6, RDI = 7 };

#define RFLAGS_LOGIC (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

static uint64_t truncate(uint64_t value, unsigned bytes)
{
    return bytes < 8 ? value & ((1ull << (8 * bytes)) - 1) : value;
}

static bool top_bit(uint64_t value, unsigned bytes)
{
    return (value >> (8 * bytes - 1)) & 1;
}

static uint64_t sign_extend(uint64_t value, unsigned bytes)
{
    const uint64_t sign = 1ull << (8 * bytes - 1);

    return (truncate(value, bytes) ^ sign) - sign;
}

/* Writes of 32 bits clear the upper half, narrower ones keep what they do not name. */
static void write_reg(uint64_t *reg, uint64_t value, unsigned bytes)
{
    if (bytes >= 4) {
        *reg = truncate(value, bytes);
    } else {
        *reg ^= truncate(*reg ^ value, bytes);
    }
}

static uint64_t read_operand(const struct insn *insn, const uint64_t gpr[16])
{
    const uint64_t value = insn->has_imm                ? insn->imm
                           : insn->reg == INSN_REG_NONE ? 0
                                                        : gpr[insn->reg];

    return truncate(insn->reg_high ? value >> 8 : value, insn->regsize);
}

static void write_operand(const struct insn *insn, uint64_t value, uint64_t gpr[16])
{
    uint64_t *const reg = &gpr[insn->reg];

    if (insn->reg_high) {
        *reg = (*reg & ~0xff00ull) | (value & 0xff) << 8;
    } else {
        write_reg(reg, value, insn->regsize);
    }
}

static uint64_t swap_bytes(uint64_t value, unsigned bytes)
{
    uint64_t swapped = 0;

    for (unsigned i = 0; i < bytes; i++) {
        swapped = swapped << 8 | ((value >> (8 * i)) & 0xff);
    }
    return swapped;
}

static void set_flag(uint64_t *rflags, uint64_t flag, bool on)
{
    *rflags = on ? *rflags | flag : *rflags & ~flag;
}

static uint64_t set_result_flags(uint64_t result, unsigned bytes, uint64_t *rflags)
{
    uint64_t parity = result ^ result >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;

    set_flag(rflags, RFLAGS_PF, !(parity & 1));
    set_flag(rflags, RFLAGS_ZF, result == 0);
    set_flag(rflags, RFLAGS_SF, top_bit(result, bytes));
    return result;
}

/* a + b + carry; with `borrow` a - b - carry. CF and AF are then borrows, not carries. */
static uint64_t add_with_carry(uint64_t a, uint64_t b, bool carry, bool borrow, unsigned bytes,
                               uint64_t *rflags)
{
    b = borrow ? ~b : b;
    const uint64_t sum = a + b + (carry != borrow);
    const uint64_t carries = (a & b) | ((a | b) & ~sum);

    set_flag(rflags, RFLAGS_CF, top_bit(carries, bytes) != borrow);
    set_flag(rflags, RFLAGS_AF, ((carries >> 3) & 1) != borrow);
    set_flag(rflags, RFLAGS_OF, top_bit((a ^ sum) & (b ^ sum), bytes));
    return set_result_flags(truncate(sum, bytes), bytes, rflags);
}

static uint64_t logic(uint64_t result, unsigned bytes, uint64_t *rflags)
{
    *rflags &= ~RFLAGS_LOGIC;
    return set_result_flags(result, bytes, rflags);
}

/* INC and DEC are the only additions that keep CF. */
static uint64_t step_by_one(uint64_t a, bool down, unsigned bytes, uint64_t *rflags)
{
    const uint64_t carry = *rflags & RFLAGS_CF;
    const uint64_t result = add_with_carry(a, 1, false, down, bytes, rflags);

    *rflags = (*rflags & ~RFLAGS_CF) | carry;
    return result;
}

static uint64_t test_bit(enum insn_op op, uint64_t a, uint64_t b, unsigned bytes, uint64_t *rflags)
{
    const uint64_t bit = 1ull << (b & (8 * bytes - 1));

    set_flag(rflags, RFLAGS_CF, a & bit);
    return op == INSN_BTS ? a | bit : op == INSN_BTR ? a & ~bit : op == INSN_BTC ? a ^ bit : a;
}

/* New value of the first operand a; the caller drops it for CMP, TEST and BT. */
static uint64_t compute(const struct insn *insn, uint64_t a, uint64_t b, uint64_t *rflags)
{
    const unsigned size = insn->opsize;
    const bool carry = *rflags & RFLAGS_CF;

    switch ((unsigned)insn->op) {
    case INSN_ADD:
    case INSN_XADD:
        return add_with_carry(a, b, false, false, size, rflags);
    case INSN_ADC:
        return add_with_carry(a, b, carry, false, size, rflags);
    case INSN_SBB:
        return add_with_carry(a, b, carry, true, size, rflags);
    case INSN_SUB:
    case INSN_CMP:
        return add_with_carry(a, b, false, true, size, rflags);
    case INSN_NEG:
        return add_with_carry(0, a, false, true, size, rflags);
    case INSN_INC:
    case INSN_DEC:
        return step_by_one(a, insn->op == INSN_DEC, size, rflags);
    case INSN_AND:
    case INSN_TEST:
        return logic(a & b, size, rflags);
    case INSN_OR:
        return logic(a | b, size, rflags);
    case INSN_XOR:
        return logic(a ^ b, size, rflags);
    case INSN_NOT:
        return truncate(~a, size);
    case INSN_BT:
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC:
        return test_bit(insn->op, a, b, size, rflags);
    case INSN_MOVSX:
        return sign_extend(b, size);
    case INSN_MOVBE:
        return swap_bytes(b, size);
    default: /* MOV, MOVZX, XCHG, CMPXCHG */
        return b;
    }
}

/* Offset in the segment before truncation. BT and its kin reach beyond the operand (SDM 2, BT). */
static uint64_t offset_of(const struct insn *insn, const uint64_t gpr[16], uint64_t next_rip)
{
    uint64_t offset = insn->disp;

    if (insn->base == INSN_REG_RIP) {
        offset += next_rip;
    } else if (insn->base != INSN_REG_NONE) {
        offset += gpr[insn->base];
    }
    if (insn->index != INSN_REG_NONE) {
        offset += gpr[insn->index] * insn->scale;
    }
    if (insn->op >= INSN_BT && insn->op <= INSN_BTC && !insn->has_imm) {
        const uint64_t bit = sign_extend(gpr[insn->reg], insn->regsize);
        const uint64_t bits = 8u * insn->opsize;
        offset += (bit - (bit & (bits - 1))) / 8 | (bit >> 63 ? 7ull << 61 : 0);
    }
    return offset;
}

static uint64_t linear(const struct insn *insn, enum insn_seg seg, uint64_t offset,
                       const uint64_t seg_base[INSN_SEG_COUNT])
{
    offset = truncate(offset, insn->addr_size);
    if (insn->mode != INSN_MODE_64) {
        return truncate(seg_base[seg] + offset, 4);
    }
    return seg >= INSN_FS ? seg_base[seg] + offset : offset;
}

uint64_t insn_exec_address(const struct insn *insn, const uint64_t gpr[16],
                           const uint64_t seg_base[INSN_SEG_COUNT], uint64_t next_rip)
{
    return linear(insn, insn->seg, offset_of(insn, gpr, next_rip), seg_base);
}

uint64_t insn_exec_store(const struct insn *insn, const uint64_t gpr[16])
{
    uint64_t rflags = 0;

    return compute(insn, 0, read_operand(insn, gpr), &rflags);
}

uint64_t insn_exec_read(const struct insn *insn, uint64_t mem, uint64_t gpr[16], uint64_t *rflags)
{
    mem = truncate(mem, insn->opsize);
    const uint64_t operand = read_operand(insn, gpr);

    if (insn->op == INSN_CMPXCHG) {
        const uint64_t rax = truncate(gpr[RAX], insn->opsize);
        add_with_carry(rax, mem, false, true, insn->opsize, rflags);
        if (rax == mem) {
            return operand;
        }
        write_reg(&gpr[RAX], mem, insn->opsize);
        return mem; /* written back unchanged: the write cycle is architectural */
    }
    if (insn->reg_first) {
        const uint64_t result = compute(insn, operand, mem, rflags);
        if (insn->op != INSN_CMP) {
            write_operand(insn, result, gpr);
        }
        return 0;
    }
    const uint64_t result = compute(insn, mem, operand, rflags);
    if (insn->op == INSN_XCHG || insn->op == INSN_XADD) {
        write_operand(insn, mem, gpr);
    }
    return result;
}

struct insn_step insn_exec_step(const struct insn *insn, const uint64_t gpr[16],
                                const uint64_t seg_base[INSN_SEG_COUNT])
{
    const enum insn_op op = insn->op;
    struct insn_step step = {
        .done = insn->rep != INSN_REP_NONE && truncate(gpr[RCX], insn->addr_size) == 0,
        .src = linear(insn, insn->seg, gpr[RSI], seg_base),
        .dst = linear(insn, INSN_ES, gpr[RDI], seg_base),
        .value = truncate(gpr[RAX], insn->opsize),
    };

    if (!step.done) {
        step.read_src = insn->base == RSI;
        step.read_dst = op == INSN_CMPS || op == INSN_SCAS;
        step.write_dst = insn->is_write;
    }
    return step;
}

bool insn_exec_step_end(const struct insn *insn, uint64_t src_value, uint64_t dst_value,
                        uint64_t gpr[16], uint64_t *rflags)
{
    const enum insn_op op = insn->op;
    const unsigned size = insn->opsize;
    const uint64_t move = *rflags & RFLAGS_DF ? 0 - (uint64_t)size : size;
    const bool scan = op == INSN_CMPS || op == INSN_SCAS;

    if (scan) {
        const uint64_t a = op == INSN_SCAS ? gpr[RAX] : src_value;
        add_with_carry(truncate(a, size), truncate(dst_value, size), false, true, size, rflags);
    } else if (op == INSN_LODS) {
        write_reg(&gpr[RAX], src_value, size);
    }
    if (insn->base == RSI) {
        write_reg(&gpr[RSI], gpr[RSI] + move, insn->addr_size);
    }
    if (op != INSN_LODS && op != INSN_OUTS) {
        write_reg(&gpr[RDI], gpr[RDI] + move, insn->addr_size);
    }
    if (insn->rep == INSN_REP_NONE) {
        return false;
    }
    write_reg(&gpr[RCX], gpr[RCX] - 1, insn->addr_size);
    const bool equal = *rflags & RFLAGS_ZF;
    return truncate(gpr[RCX], insn->addr_size) != 0 && !(scan && equal != (insn->rep == INSN_REPE));
}
