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
#include "hv/core/insn_decode.h"

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
    SCAN = 1 << 15,  /* string instruction that ends by ZF */
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

/* What is done to a memory operand that comes first; AT_RDI: a string's only operand is ES:rDI. */
enum { R = 1, W = 2, RW = 3, AT_RDI = 4 };

/* clang-format off */
static const uint8_t accesses[INSN_OP_COUNT] = {
    [INSN_ADD] = RW,  [INSN_OR] = RW,  [INSN_ADC] = RW, [INSN_SBB] = RW,
    [INSN_AND] = RW,  [INSN_SUB] = RW, [INSN_XOR] = RW, [INSN_CMP] = R, [INSN_TEST] = R,
    [INSN_MOV] = W,   [INSN_MOVBE] = W, [INSN_XCHG] = RW, [INSN_XADD] = RW, [INSN_CMPXCHG] = RW,
    [INSN_BT] = R,    [INSN_BTS] = RW, [INSN_BTR] = RW, [INSN_BTC] = RW,
    [INSN_INC] = RW,  [INSN_DEC] = RW, [INSN_NOT] = RW, [INSN_NEG] = RW,
    [INSN_MOVS] = RW, [INSN_CMPS] = R, [INSN_LODS] = R, [INSN_OUTS] = R,
    [INSN_STOS] = W | AT_RDI, [INSN_SCAS] = R | AT_RDI, [INSN_INS] = W | AT_RDI,
};

/* Each pair is the byte form and the operand-size form of one opcode. */
#define PAIR(at, op, form) [at] = {op, (form) | BYTE}, [(at) + 1] = {op, form}
#define ALU(at, op)        PAIR(at, op, 0), PAIR((at) + 2, op, RM)

static const struct row map_1[256] = {
    ALU(0x00, INSN_ADD), ALU(0x08, INSN_OR),  ALU(0x10, INSN_ADC), ALU(0x18, INSN_SBB),
    ALU(0x20, INSN_AND), ALU(0x28, INSN_SUB), ALU(0x30, INSN_XOR), ALU(0x38, INSN_CMP),
    PAIR(0x84, INSN_TEST, 0),          PAIR(0x86, INSN_XCHG, 0),
    PAIR(0x88, INSN_MOV, 0),           PAIR(0x8a, INSN_MOV, RM),
    PAIR(0xa0, INSN_MOV, MOFFS | RM),  PAIR(0xa2, INSN_MOV, MOFFS),
    PAIR(0x6c, INSN_INS, STR),         PAIR(0x6e, INSN_OUTS, STR),
    PAIR(0xa4, INSN_MOVS, STR),        PAIR(0xa6, INSN_CMPS, STR | SCAN),
    PAIR(0xaa, INSN_STOS, STR),        PAIR(0xac, INSN_LODS, STR),
    PAIR(0xae, INSN_SCAS, STR | SCAN),        PAIR(0xfe, GROUP_4, GROUP | NOREG),
    PAIR(0xc6, GROUP_11, GROUP | NOREG | IMMZ),
    PAIR(0xf6, GROUP_3, GROUP | NOREG | IMMZ),
    PAIR(0x80, GROUP_1, GROUP | NOREG | IMMZ),
    [0x82] = {GROUP_1, GROUP | NOREG | IMM8 | BYTE | NOT64},
    [0x83] = {GROUP_1, GROUP | NOREG | IMM8},
    [0x63] = {INSN_MOVSX, RM | WIDE | DWORD | ONLY64}, /* MOVSXD */
};

static const struct row map_0f[256] = {
    [0xa3] = {INSN_BT, 0},  [0xab] = {INSN_BTS, 0},
    [0xb3] = {INSN_BTR, 0}, [0xbb] = {INSN_BTC, 0},
    [0xba] = {GROUP_8, GROUP | NOREG | IMM8},
    PAIR(0xb0, INSN_CMPXCHG, 0), PAIR(0xc0, INSN_XADD, 0),
    [0xb6] = {INSN_MOVZX, RM | WIDE | BYTE}, [0xb7] = {INSN_MOVZX, RM | WIDE | WORD},
    [0xbe] = {INSN_MOVSX, RM | WIDE | BYTE}, [0xbf] = {INSN_MOVSX, RM | WIDE | WORD},
    [0xc3] = {INSN_MOV, DQ | NOREP}, /* MOVNTI */
};
/* clang-format on */

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
    if (c->at < c->count)
        return c->bytes[c->at++];
    c->over = true;
    return 0;
}

static uint64_t fetch_signed(struct cursor *c, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)fetch(c) << (8 * i);
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
        if (mode != INSN_MODE_64 || seg >= INSN_FS)
            p->seg = seg;
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
    if (opcode != 0x0f)
        return map_1[opcode];
    opcode = fetch(c);
    if (opcode != 0x38)
        return map_0f[opcode];
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
    if (mod != 0 || no_base)
        in->disp = fetch_signed(c, mod == 1 ? 1 : 2);
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
static void set_sizes(const struct prefixes *p, uint16_t form, struct insn *in)
{
    const bool io = in->op == INSN_INS || in->op == INSN_OUTS; /* ports have 32 bits at most */
    const bool small = (in->mode == INSN_MODE_16) != p->size_66 && !(form & DQ);
    const uint8_t size = p->rex & 8 && !io ? 8 : small && !(p->rex & 8) ? 2 : 4;

    in->opsize = form & BYTE ? 1 : form & WORD ? 2 : form & DWORD ? 4 : size;
    in->regsize = form & WIDE ? size : in->opsize;
}

/* Register or immediate beside the memory operand; needs the sizes. */
static void set_other(struct cursor *c, uint8_t modrm, uint8_t rex, uint16_t form, struct insn *in)
{
    const unsigned reg = (modrm >> 3) & 7u;
    const bool bare = in->op == INSN_NOT || in->op == INSN_NEG; /* in one group with TEST */

    in->reg_high = !(form & NOREG) && in->regsize == 1 && rex == 0 && reg >= 4;
    in->reg = (uint8_t)(in->reg_high ? reg - 4 : reg | ((rex & 4u) << 1));
    if (form & (NOREG | STR))
        in->reg = INSN_REG_NONE;
    in->has_imm = form & (IMM8 | IMMZ) && !bare;
    if (in->has_imm)
        in->imm = fetch_signed(c, form & IMM8 ? 1 : in->opsize > 4 ? 4 : in->opsize);
}

static bool row_is_legal(struct row row, const struct prefixes *p, enum insn_mode mode)
{
    const bool is_64 = mode == INSN_MODE_64;

    return !((row.op == INSN_NONE && row.form == 0) || (row.form & DQ && p->size_66) ||
             (row.form & NOREP && p->rep != 0) || (row.form & ONLY64 && !is_64) ||
             (row.form & NOT64 && is_64));
}

static void decode_mem(struct cursor *c, uint8_t modrm, uint8_t rex, uint16_t form, struct insn *in)
{
    if (form & STR)
        in->base = accesses[in->op] & AT_RDI ? 7 : 6;
    else if (form & MOFFS)
        in->disp = fetch_signed(c, in->addr_size);
    else if (in->addr_size == 2)
        decode_mem_16(c, modrm, in);
    else
        decode_mem_32(c, modrm, rex, in);
}

/* What prefixes and operand order make of the operation; false for a LOCK that is not allowed. */
static bool set_access(const struct prefixes *p, uint16_t form, struct insn *in)
{
    const unsigned access = form & RM ? R : accesses[in->op];
    const bool on_stack = in->base == 4 || in->base == 5;

    in->seg = p->seg != INSN_SEG_COUNT ? (enum insn_seg)p->seg : on_stack ? INSN_SS : INSN_DS;
    if (access & AT_RDI)
        in->seg = INSN_ES; /* cannot be overridden */
    if (form & STR && p->rep != 0)
        in->rep = form & SCAN && p->rep == 0xf2 ? INSN_REPNE : INSN_REPE;
    in->reg_first = form & RM;
    in->is_read = access & R;
    in->is_write = access & W;
    in->lock = p->lock;
    return !p->lock || (access == RW && !(form & STR)); /* SDM 2, LOCK */
}

static enum insn_status decode(struct cursor *c, struct insn *in)
{
    struct prefixes p = {.seg = INSN_SEG_COUNT};
    uint8_t byte = fetch(c);
    while (take_prefix(&p, byte, in->mode))
        byte = fetch(c);
    const struct row row = find_row(c, byte);
    if (!row_is_legal(row, &p, in->mode))
        return INSN_UNKNOWN;

    const bool has_modrm = !(row.form & (MOFFS | STR));
    const uint8_t modrm = has_modrm ? fetch(c) : 0;
    const uint8_t native = (uint8_t)(in->mode / 8);
    in->addr_size = !p.size_67 ? native : native == 4 ? 2 : 4;
    in->op = (enum insn_op)(row.form & GROUP ? groups[row.op][(modrm >> 3) & 7] : row.op);
    if (in->op == INSN_NONE || modrm >= 0xc0) /* the latter: register operands only */
        return INSN_UNKNOWN;
    decode_mem(c, modrm, p.rex, row.form, in);
    set_sizes(&p, row.form, in);
    set_other(c, modrm, has_modrm ? p.rex : 0, row.form, in);
    /* MOVSXD with 16-bit operands: manuals disagree whether two or four bytes are read. */
    const bool doubtful = in->regsize < in->opsize;
    return set_access(&p, row.form, in) && !doubtful ? INSN_OK : INSN_UNKNOWN;
}

enum insn_status insn_decode(const uint8_t *bytes, size_t count, enum insn_mode mode, struct insn *out)
{
    const size_t limit = count < INSN_MAX_LEN ? count : INSN_MAX_LEN;
    struct cursor c = {.bytes = bytes, .count = limit};
    struct insn in = {.mode = mode, .base = INSN_REG_NONE, .index = INSN_REG_NONE, .scale = 1};

    const enum insn_status status = decode(&c, &in);
    if (c.over)
        return limit < INSN_MAX_LEN ? INSN_TRUNCATED : INSN_UNKNOWN;
    if (status == INSN_OK) {
        in.len = (uint8_t)c.at;
        *out = in;
    }
    return status;
}
