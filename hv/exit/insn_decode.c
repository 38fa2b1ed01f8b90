/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table-driven decoder, see insn_decode.h for the contract.
 *
 * Order: prefixes, opcode row (three maps), ModRM with SIB and displacement, group row, immediate,
 * sizes, legality of LOCK. Fetching past the end sets a sticky mark and yields zero; the mark
 * outranks every other verdict, so no step needs its own check for missing bytes.
 *
 * Intel SDM volume 2: 2.1 "Instruction Format for Protected Mode, Real-Address Mode, and
 * Virtual-8086 Mode", 2.2.1 "REX Prefixes", appendix A "Opcode Map". Pure; no lock.
 */
#include "insn_decode.h"

enum {
    RM = 1 << 0,     /* register operand first */
    BYTE = 1 << 1,   /* memory operand of one byte; otherwise the operand size */
    WORD = 1 << 2,   /* memory operand of two bytes */
    WIDE = 1 << 3,   /* register has the operand size whatever the memory operand has */
    NOREG = 1 << 4,  /* ModRM.reg is not an operand */
    IMM8 = 1 << 5,   /* sign-extended byte */
    IMMZ = 1 << 6,   /* as large as the operand, at most four bytes, sign-extended */
    GROUP = 1 << 7,  /* the row's op is a group number, ModRM.reg chooses */
    MOFFS = 1 << 8,  /* no ModRM: rAX and an offset of address size */
    STR = 1 << 9,    /* no ModRM: string instruction */
    DQ = 1 << 10,    /* 4 bytes, 8 with REX.W, whatever the mode; 66h is not allowed */
    NOREP = 1 << 11, /* with F2h or F3h likewise */
    ONLY64 = 1 << 12,
    NOT64 = 1 << 13,
    DWORD = 1 << 14, /* memory operand of four bytes */
};

struct row {
    uint8_t op;
    uint16_t form;
};

enum { GROUP_1, GROUP_3, GROUP_4, GROUP_8, GROUP_11, GROUP_COUNT };

static const uint8_t groups[GROUP_COUNT][8] = {
    [GROUP_1] = {INSN_ADD, INSN_OR, INSN_ADC, INSN_SBB, INSN_AND, INSN_SUB, INSN_XOR, INSN_CMP},
    [GROUP_3] = {INSN_TEST, INSN_TEST, INSN_NOT, INSN_NEG},
    [GROUP_4] = {INSN_INC, INSN_DEC},
    [GROUP_8] = {[4] = INSN_BT, INSN_BTS, INSN_BTR, INSN_BTC},
    [GROUP_11] = {INSN_MOV},
};

/* Each pair is the byte form and the operand-size form of one opcode. */
#define PAIR(at, op, form) [at] = {op, (form) | BYTE}, [(at) + 1] = {op, form}
#define ALU(at, op)        PAIR(at, op, 0), PAIR((at) + 2, op, RM)

static const struct row map_1[256] = {
    ALU(0x00, INSN_ADD),
    ALU(0x08, INSN_OR),
    ALU(0x10, INSN_ADC),
    ALU(0x18, INSN_SBB),
    ALU(0x20, INSN_AND),
    ALU(0x28, INSN_SUB),
    ALU(0x30, INSN_XOR),
    ALU(0x38, INSN_CMP),
    [0x63] = {INSN_MOVSX, RM | WIDE | DWORD | ONLY64}, /* MOVSXD */
    PAIR(0x6c, INSN_INS, STR),
    PAIR(0x6e, INSN_OUTS, STR),
    [0x80] = {GROUP_1, GROUP | NOREG | IMM8 | BYTE},
    [0x81] = {GROUP_1, GROUP | NOREG | IMMZ},
    [0x82] = {GROUP_1, GROUP | NOREG | IMM8 | BYTE | NOT64},
    [0x83] = {GROUP_1, GROUP | NOREG | IMM8},
    PAIR(0x84, INSN_TEST, 0),
    PAIR(0x86, INSN_XCHG, 0),
    PAIR(0x88, INSN_MOV, 0),
    PAIR(0x8a, INSN_MOV, RM),
    PAIR(0xa0, INSN_MOV, MOFFS | RM),
    PAIR(0xa2, INSN_MOV, MOFFS),
    PAIR(0xa4, INSN_MOVS, STR),
    PAIR(0xa6, INSN_CMPS, STR),
    PAIR(0xaa, INSN_STOS, STR),
    PAIR(0xac, INSN_LODS, STR),
    PAIR(0xae, INSN_SCAS, STR),
    PAIR(0xc6, GROUP_11, GROUP | NOREG | IMMZ),
    PAIR(0xf6, GROUP_3, GROUP | NOREG | IMMZ),
    PAIR(0xfe, GROUP_4, GROUP | NOREG),
};

static const struct row map_0f[256] = {
    [0xa3] = {INSN_BT, 0},
    [0xab] = {INSN_BTS, 0},
    [0xb3] = {INSN_BTR, 0},
    [0xbb] = {INSN_BTC, 0},
    [0xba] = {GROUP_8, GROUP | NOREG | IMM8},
    PAIR(0xb0, INSN_CMPXCHG, 0),
    [0xb6] = {INSN_MOVZX, RM | WIDE | BYTE},
    [0xb7] = {INSN_MOVZX, RM | WIDE | WORD},
    [0xbe] = {INSN_MOVSX, RM | WIDE | BYTE},
    [0xbf] = {INSN_MOVSX, RM | WIDE | WORD},
    PAIR(0xc0, INSN_XADD, 0),
    [0xc3] = {INSN_MOV, DQ | NOREP}, /* MOVNTI */
};

static const struct row map_0f38[2] = {{INSN_MOVBE, RM | NOREP}, {INSN_MOVBE, NOREP}}; /* F0, F1 */

struct cursor {
    const uint8_t *bytes;
    size_t count;
    size_t at;
    bool over;
};

struct prefixes {
    uint8_t rex; /* zero if absent or not directly before the opcode */
    uint8_t rep; /* F2h or F3h, the last one */
    uint8_t seg; /* INSN_SEG_COUNT if none */
    bool size_66;
    bool size_67;
    bool lock;
};

static uint8_t fetch(struct cursor *c)
{
    if (c->at >= c->count) {
        c->over = true;
        return 0;
    }
    return c->bytes[c->at++];
}

static uint64_t fetch_signed(struct cursor *c, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)fetch(c) << (8 * i);
    }
    const uint64_t sign = 1ull << (8 * bytes - 1);
    return (value ^ sign) - sign;
}

/* Takes one prefix; a REX counts only if nothing but the opcode follows (SDM 2, 2.2.1). */
static bool take_prefix(struct prefixes *p, uint8_t byte, enum insn_mode mode)
{
    const bool is_rex = mode == INSN_MODE_64 && (byte & 0xf0) == 0x40;

    if ((byte & 0xe7) == 0x26 || (byte & 0xfe) == 0x64) {
        const uint8_t seg = byte < 0x64 ? (byte >> 3) & 3 : byte & 7;
        /* 64-bit mode ignores the four old ones, and they do not cancel an FS or GS before them. */
        if (mode != INSN_MODE_64 || seg >= INSN_FS) {
            p->seg = seg;
        }
    } else if (byte == 0x66) {
        p->size_66 = true;
    } else if (byte == 0x67) {
        p->size_67 = true;
    } else if (byte == 0xf0) {
        p->lock = true;
    } else if (byte == 0xf2 || byte == 0xf3) {
        p->rep = byte;
    } else if (!is_rex) {
        return false;
    }
    p->rex = is_rex ? byte : 0;
    return true;
}

static struct row find_row(struct cursor *c, uint8_t opcode)
{
    if (opcode != 0x0f) {
        return map_1[opcode];
    }
    opcode = fetch(c);
    if (opcode != 0x38) {
        return map_0f[opcode];
    }
    opcode = fetch(c);
    return (opcode & 0xfe) == 0xf0 ? map_0f38[opcode & 1] : (struct row){INSN_NONE, 0};
}

/* SDM 2, table 2-1 "16-Bit Addressing Forms with the ModR/M Byte". */
static void decode_mem_16(struct cursor *c, uint8_t modrm, struct insn *in)
{
    static const uint8_t bases[8] = {3, 3, 5, 5, 6, 7, 5, 3};
    static const uint8_t indexes[4] = {6, 7, 6, 7};
    const unsigned mod = modrm >> 6;
    const unsigned rm = modrm & 7;
    const bool no_base = mod == 0 && rm == 6;

    in->base = no_base ? INSN_REG_NONE : bases[rm];
    in->index = rm < 4 ? indexes[rm] : INSN_REG_NONE;
    if (mod != 0 || no_base) {
        in->disp = fetch_signed(c, mod == 1 ? 1 : 2);
    }
}

/* SDM 2, tables 2-2 and 2-3, and 2.2.1.6 "RIP-Relative Addressing". */
static void decode_mem_32(struct cursor *c, uint8_t modrm, uint8_t rex, struct insn *in)
{
    const unsigned mod = modrm >> 6;
    unsigned rm = modrm & 7;
    bool sib = rm == 4;

    if (sib) {
        const uint8_t byte = fetch(c);
        const unsigned index = ((byte >> 3) & 7u) | ((rex & 2u) << 2);
        in->index = index == 4 ? INSN_REG_NONE : (uint8_t)index;
        in->scale = (uint8_t)(index == 4 ? 1u : 1u << (byte >> 6));
        rm = byte & 7;
    }
    in->base = (uint8_t)(rm | ((rex & 1u) << 3));
    if (mod == 0 && rm == 5) {
        in->base = !sib && in->mode == INSN_MODE_64 ? INSN_REG_RIP : INSN_REG_NONE;
        in->disp = fetch_signed(c, 4);
    } else if (mod != 0) {
        in->disp = fetch_signed(c, mod == 1 ? 1 : 4);
    }
}

/* SDM 1, 3.6 "Operand-Size and Address-Size Attributes". */
static uint8_t find_addr_size(const struct prefixes *p, enum insn_mode mode)
{
    const unsigned native = (unsigned)mode / 8;

    return (uint8_t)(!p->size_67 ? native : native == 4 ? 2 : 4);
}

static void set_sizes(const struct prefixes *p, uint16_t form, struct insn *in)
{
    const bool io = in->op == INSN_INS || in->op == INSN_OUTS;
    unsigned size = (in->mode == INSN_MODE_16) != p->size_66 && !(form & DQ) ? 2 : 4;

    if (p->rex & 8) {
        size = io ? 4 : 8; /* ports are at most 32 bits wide */
    }
    in->opsize = (uint8_t)(form & BYTE ? 1 : form & WORD ? 2 : form & DWORD ? 4 : size);
    in->regsize = form & WIDE ? (uint8_t)size : in->opsize;
}

static void set_reg(uint8_t modrm, uint16_t form, uint8_t rex, struct insn *in)
{
    const unsigned reg = (modrm >> 3) & 7u;

    in->reg_first = form & RM;
    if (form & (NOREG | STR)) {
        in->reg = INSN_REG_NONE;
    } else if (in->regsize == 1 && rex == 0 && reg >= 4) {
        in->reg = (uint8_t)(reg - 4);
        in->reg_high = true;
    } else {
        in->reg = (uint8_t)(reg | ((rex & 4u) << 1));
    }
}

static void set_imm(struct cursor *c, uint16_t form, struct insn *in)
{
    if (in->op == INSN_NOT || in->op == INSN_NEG) {
        return; /* share their group with TEST */
    }
    in->has_imm = form & (IMM8 | IMMZ);
    if (in->has_imm) {
        in->imm = fetch_signed(c, form & IMM8 ? 1 : in->opsize > 4 ? 4 : in->opsize);
    }
}

/* The destination of MOVS is ES:rDI besides, see insn_exec.h. */
static void set_string(const struct prefixes *p, struct insn *in)
{
    const bool scan = in->op == INSN_CMPS || in->op == INSN_SCAS;
    const bool to_rdi = in->op == INSN_STOS || in->op == INSN_SCAS || in->op == INSN_INS;

    in->base = to_rdi ? 7 : 6;
    if (to_rdi) {
        in->seg = INSN_ES; /* cannot be overridden */
    }
    if (p->rep != 0) {
        in->rep = scan && p->rep == 0xf2 ? INSN_REPNE : INSN_REPE;
    }
    in->is_read = !to_rdi || scan;
    in->is_write = in->op == INSN_MOVS || in->op == INSN_STOS || in->op == INSN_INS;
}

static void set_access(struct insn *in)
{
    const bool move = in->op == INSN_MOV || in->op == INSN_MOVBE;
    const bool test = in->op == INSN_CMP || in->op == INSN_TEST || in->op == INSN_BT;

    in->is_read = in->reg_first || !move;
    in->is_write = !in->reg_first && !test;
}

static bool row_is_legal(struct row row, const struct prefixes *p, enum insn_mode mode)
{
    const bool is_64 = mode == INSN_MODE_64;

    return !((row.op == INSN_NONE && row.form == 0) || (row.form & DQ && p->size_66) ||
             (row.form & NOREP && p->rep != 0) || (row.form & ONLY64 && !is_64) ||
             (row.form & NOT64 && is_64));
}

static bool decode_mem(struct cursor *c, uint8_t modrm, uint8_t rex, uint16_t form, struct insn *in)
{
    if (form & MOFFS) {
        in->disp = fetch_signed(c, in->addr_size);
    } else if (!(form & STR)) {
        if (modrm >= 0xc0) {
            return false; /* register operands only */
        }
        if (in->addr_size == 2) {
            decode_mem_16(c, modrm, in);
        } else {
            decode_mem_32(c, modrm, rex, in);
        }
    }
    return true;
}

static enum insn_status decode(struct cursor *c, struct insn *in)
{
    struct prefixes p = {.seg = INSN_SEG_COUNT};
    uint8_t byte = fetch(c);
    while (take_prefix(&p, byte, in->mode)) {
        byte = fetch(c);
    }
    const struct row row = find_row(c, byte);
    const uint16_t form = row.form;
    if (!row_is_legal(row, &p, in->mode)) {
        return INSN_UNKNOWN;
    }
    const uint8_t modrm = form & (MOFFS | STR) ? 0 : fetch(c);
    in->op = (enum insn_op)(form & GROUP ? groups[row.op][(modrm >> 3) & 7] : row.op);
    in->addr_size = find_addr_size(&p, in->mode);
    if (in->op == INSN_NONE || !decode_mem(c, modrm, p.rex, form, in)) {
        return INSN_UNKNOWN;
    }
    const bool on_stack = in->base == 4 || in->base == 5;
    in->seg = p.seg != INSN_SEG_COUNT ? (enum insn_seg)p.seg : on_stack ? INSN_SS : INSN_DS;
    set_sizes(&p, form, in);
    set_reg(modrm, form, form & MOFFS ? 0 : p.rex, in);
    set_imm(c, form, in);
    if (form & STR) {
        set_string(&p, in);
    } else {
        set_access(in);
    }
    /* SDM 2, LOCK: only with a memory destination that is read and written. */
    in->lock = p.lock;
    if (p.lock && (form & STR || !in->is_read || !in->is_write)) {
        return INSN_UNKNOWN;
    }
    /* MOVSXD with 16-bit operands: manuals disagree whether two or four bytes are read. */
    return in->regsize < in->opsize ? INSN_UNKNOWN : INSN_OK;
}

enum insn_status insn_decode(const uint8_t *bytes, size_t count, enum insn_mode mode,
                             struct insn *out)
{
    const size_t limit = count < INSN_MAX_LEN ? count : INSN_MAX_LEN;
    struct cursor c = {.bytes = bytes, .count = limit};
    struct insn in = {.mode = mode, .base = INSN_REG_NONE, .index = INSN_REG_NONE, .scale = 1};

    const enum insn_status status = decode(&c, &in);
    if (c.over) {
        return limit < INSN_MAX_LEN ? INSN_TRUNCATED : INSN_UNKNOWN;
    }
    if (status == INSN_OK) {
        in.len = (uint8_t)c.at;
        *out = in;
    }
    return status;
}
