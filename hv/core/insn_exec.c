/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Meaning of decoded instructions, see insn_exec.h for the contract.
 *
 * All arithmetic goes through add(): subtraction adds the complement with inverted
 * carries, so every flag is computed in one place. Operands are kept masked to the operand size.
 *
 * Intel SDM volume 1, 3.4.1.1 "General-Purpose Registers in 64-Bit Mode" (what a partial write does
 * to the rest of a register), 3.4.3 "EFLAGS Register"; volume 2. Pure; no lock.
 */
#include "hv/core/insn_exec.h"

enum { RAX, RCX, RSI = 6, RDI = 7 };
enum { CF = 1 << 0, PF = 1 << 2, AF = 1 << 4, ZF = 1 << 6, SF = 1 << 7 };
enum { DF = 1 << 10, OF = 1 << 11 };

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
    if (bytes >= 4)
        *reg = truncate(value, bytes);
    else
        *reg ^= truncate(*reg ^ value, bytes);
}

static uint64_t read_operand(const struct insn *insn, const uint64_t gpr[16])
{
    const uint64_t value = insn->has_imm ? insn->imm : insn->reg == INSN_REG_NONE ? 0 : gpr[insn->reg];

    return truncate(insn->reg_high ? value >> 8 : value, insn->regsize);
}

static void write_operand(const struct insn *insn, uint64_t value, uint64_t gpr[16])
{
    uint64_t *const reg = &gpr[insn->reg];

    if (insn->reg_high)
        *reg = (*reg & ~0xff00ull) | value << 8;
    else
        write_reg(reg, value, insn->regsize);
}

static void set_flag(uint64_t *rflags, uint64_t flag, bool on)
{
    *rflags = on ? *rflags | flag : *rflags & ~flag;
}

/*
 * a + b + carry; with `borrow` a - b - carry, and CF and AF are then borrows. Adding zero gives the
 * flags of a logical operation. Bits of a and b above the operand do not matter.
 */
static uint64_t add(uint64_t a, uint64_t b, bool carry, bool borrow, unsigned bytes, uint64_t *rflags)
{
    b = borrow ? ~b : b;
    const uint64_t sum = a + b + (carry != borrow);
    const uint64_t carries = (a & b) | ((a | b) & ~sum);
    const uint64_t result = truncate(sum, bytes);

    set_flag(rflags, CF, top_bit(carries, bytes) != borrow);
    set_flag(rflags, PF, !__builtin_parityll(result & 0xff));
    set_flag(rflags, AF, ((carries >> 3) & 1) != borrow);
    set_flag(rflags, ZF, result == 0);
    set_flag(rflags, SF, top_bit(result, bytes));
    set_flag(rflags, OF, top_bit((a ^ sum) & (b ^ sum), bytes));
    return result;
}

static uint64_t test_bit(enum insn_op op, uint64_t a, uint64_t b, unsigned bytes, uint64_t *rflags)
{
    const uint64_t bit = 1ull << (b & (8 * bytes - 1));

    set_flag(rflags, CF, a & bit);
    return op == INSN_BTS ? a | bit : op == INSN_BTR ? a & ~bit : op == INSN_BTC ? a ^ bit : a;
}

/* New value of the first operand a; the caller drops it for CMP, TEST and BT. */
static uint64_t compute(const struct insn *insn, uint64_t a, uint64_t b, uint64_t *rflags)
{
    const unsigned size = insn->opsize;
    const bool carry = *rflags & CF;
    uint64_t result;

    switch ((unsigned)insn->op) {
    case INSN_ADD:
    case INSN_XADD:
        return add(a, b, false, false, size, rflags);
    case INSN_ADC:
        return add(a, b, carry, false, size, rflags);
    case INSN_SBB:
        return add(a, b, carry, true, size, rflags);
    case INSN_SUB:
    case INSN_CMP:
        return add(a, b, false, true, size, rflags);
    case INSN_NEG:
        return add(0, a, false, true, size, rflags);
    case INSN_INC:
    case INSN_DEC:
        result = add(a, 1, false, insn->op == INSN_DEC, size, rflags);
        set_flag(rflags, CF, carry); /* the only additions that keep it */
        return result;
    case INSN_AND:
    case INSN_TEST:
        return add(a & b, 0, false, false, size, rflags);
    case INSN_OR:
        return add(a | b, 0, false, false, size, rflags);
    case INSN_XOR:
        return add(a ^ b, 0, false, false, size, rflags);
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
        return __builtin_bswap64(b) >> (64 - 8 * size);
    default: /* MOV, MOVZX, XCHG, CMPXCHG */
        return b;
    }
}

/* Offset in the segment before truncation. BT and its kin reach beyond the operand (SDM 2, BT). */
static uint64_t offset_of(const struct insn *insn, const uint64_t gpr[16], uint64_t next_rip)
{
    uint64_t offset = insn->disp;

    if (insn->base == INSN_REG_RIP)
        offset += next_rip;
    else if (insn->base != INSN_REG_NONE)
        offset += gpr[insn->base];
    if (insn->index != INSN_REG_NONE)
        offset += gpr[insn->index] * insn->scale;
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
    if (insn->mode != INSN_MODE_64)
        return truncate(seg_base[seg] + offset, 4);
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
        add(rax, mem, false, true, insn->opsize, rflags);
        if (rax == mem)
            return operand;
        write_reg(&gpr[RAX], mem, insn->opsize);
        return mem; /* written back unchanged: the write cycle is architectural */
    }
    if (insn->reg_first) {
        const uint64_t result = compute(insn, operand, mem, rflags);
        if (insn->op != INSN_CMP)
            write_operand(insn, result, gpr);
        return 0;
    }
    const uint64_t result = compute(insn, mem, operand, rflags);
    if (insn->op == INSN_XCHG || insn->op == INSN_XADD)
        write_operand(insn, mem, gpr);
    return result;
}

struct insn_step insn_exec_step(const struct insn *insn, const uint64_t gpr[16],
                                const uint64_t seg_base[INSN_SEG_COUNT])
{
    const bool done = insn->rep != INSN_REP_NONE && truncate(gpr[RCX], insn->addr_size) == 0;
    const bool scan = insn->op == INSN_CMPS || insn->op == INSN_SCAS;

    return (struct insn_step){
        .done = done,
        .read_src = !done && insn->base == RSI,
        .read_dst = !done && scan,
        .write_dst = !done && insn->is_write,
        .src = linear(insn, insn->seg, gpr[RSI], seg_base),
        .dst = linear(insn, INSN_ES, gpr[RDI], seg_base),
        .value = truncate(gpr[RAX], insn->opsize),
    };
}

bool insn_exec_step_end(const struct insn *insn, uint64_t src_value, uint64_t dst_value, uint64_t gpr[16],
                        uint64_t *rflags)
{
    const enum insn_op op = insn->op;
    const unsigned size = insn->opsize;
    const uint64_t move = *rflags & DF ? 0 - (uint64_t)size : size;
    const bool scan = op == INSN_CMPS || op == INSN_SCAS;

    if (scan)
        add(op == INSN_SCAS ? gpr[RAX] : src_value, dst_value, false, true, size, rflags);
    else if (op == INSN_LODS)
        write_reg(&gpr[RAX], src_value, size);
    if (insn->base == RSI)
        write_reg(&gpr[RSI], gpr[RSI] + move, insn->addr_size);
    if (op != INSN_LODS && op != INSN_OUTS)
        write_reg(&gpr[RDI], gpr[RDI] + move, insn->addr_size);
    if (insn->rep == INSN_REP_NONE)
        return false;
    write_reg(&gpr[RCX], gpr[RCX] - 1, insn->addr_size);
    const bool equal = *rflags & ZF;
    return truncate(gpr[RCX], insn->addr_size) != 0 && !(scan && equal != (insn->rep == INSN_REPE));
}
