/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares hv/core/insn_decode.c with Zydis over generated instructions in all three modes.
 *
 * Where Zydis finds a supported instruction with a memory operand, we must decode it and every
 * field must agree; in all other cases we must refuse. Besides: fewer bytes than the length give
 * INSN_TRUNCATED, more bytes change nothing, and a refusal leaves the output alone.
 *
 * Exceptions, where Zydis accepts and we refuse on purpose:
 *   1. MOVSXD with 16-bit operand size: the manuals disagree on the size of the access.
 *   2. MOV to and from segment registers (8C, 8E).
 * One place where Zydis 4.0.0 is wrong and is corrected here: with a 32-bit address, REX.B,
 * ModRM.mod 0 and SIB.base 5 it counts the displacement into the length but reports R13D as base
 * and no displacement (SDM 2, table 2-3, note 1: no base whatever REX.B is; insn_exec_test asks the
 * processor).
 *
 * Usage: insn_zydis [count [seed]]
 */
#include "hv/core/insn_decode.h"
#include "tests/host/insn_gen.h"

#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>

struct counters {
    unsigned long decoded[3];
    unsigned long refused;
    unsigned long exceptions;
    unsigned long per_op[INSN_OP_COUNT];
};

struct zydis {
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static enum insn_op op_of_mnemonic(const ZydisDecodedInstruction *z)
{
    const bool string =
        z->meta.category == ZYDIS_CATEGORY_STRINGOP || z->meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
    static const struct {
        ZydisMnemonic mnemonic;
        enum insn_op op;
    } rows[] = {
        {ZYDIS_MNEMONIC_ADD, INSN_ADD},      {ZYDIS_MNEMONIC_OR, INSN_OR},
        {ZYDIS_MNEMONIC_ADC, INSN_ADC},      {ZYDIS_MNEMONIC_SBB, INSN_SBB},
        {ZYDIS_MNEMONIC_AND, INSN_AND},      {ZYDIS_MNEMONIC_SUB, INSN_SUB},
        {ZYDIS_MNEMONIC_XOR, INSN_XOR},      {ZYDIS_MNEMONIC_CMP, INSN_CMP},
        {ZYDIS_MNEMONIC_TEST, INSN_TEST},    {ZYDIS_MNEMONIC_MOV, INSN_MOV},
        {ZYDIS_MNEMONIC_MOVNTI, INSN_MOV},   {ZYDIS_MNEMONIC_MOVBE, INSN_MOVBE},
        {ZYDIS_MNEMONIC_MOVZX, INSN_MOVZX},  {ZYDIS_MNEMONIC_MOVSX, INSN_MOVSX},
        {ZYDIS_MNEMONIC_MOVSXD, INSN_MOVSX}, {ZYDIS_MNEMONIC_XCHG, INSN_XCHG},
        {ZYDIS_MNEMONIC_XADD, INSN_XADD},    {ZYDIS_MNEMONIC_CMPXCHG, INSN_CMPXCHG},
        {ZYDIS_MNEMONIC_BT, INSN_BT},        {ZYDIS_MNEMONIC_BTS, INSN_BTS},
        {ZYDIS_MNEMONIC_BTR, INSN_BTR},      {ZYDIS_MNEMONIC_BTC, INSN_BTC},
        {ZYDIS_MNEMONIC_INC, INSN_INC},      {ZYDIS_MNEMONIC_DEC, INSN_DEC},
        {ZYDIS_MNEMONIC_NOT, INSN_NOT},      {ZYDIS_MNEMONIC_NEG, INSN_NEG},
        {ZYDIS_MNEMONIC_MOVSB, INSN_MOVS},   {ZYDIS_MNEMONIC_MOVSW, INSN_MOVS},
        {ZYDIS_MNEMONIC_MOVSD, INSN_MOVS},   {ZYDIS_MNEMONIC_MOVSQ, INSN_MOVS},
        {ZYDIS_MNEMONIC_CMPSB, INSN_CMPS},   {ZYDIS_MNEMONIC_CMPSW, INSN_CMPS},
        {ZYDIS_MNEMONIC_CMPSD, INSN_CMPS},   {ZYDIS_MNEMONIC_CMPSQ, INSN_CMPS},
        {ZYDIS_MNEMONIC_STOSB, INSN_STOS},   {ZYDIS_MNEMONIC_STOSW, INSN_STOS},
        {ZYDIS_MNEMONIC_STOSD, INSN_STOS},   {ZYDIS_MNEMONIC_STOSQ, INSN_STOS},
        {ZYDIS_MNEMONIC_LODSB, INSN_LODS},   {ZYDIS_MNEMONIC_LODSW, INSN_LODS},
        {ZYDIS_MNEMONIC_LODSD, INSN_LODS},   {ZYDIS_MNEMONIC_LODSQ, INSN_LODS},
        {ZYDIS_MNEMONIC_SCASB, INSN_SCAS},   {ZYDIS_MNEMONIC_SCASW, INSN_SCAS},
        {ZYDIS_MNEMONIC_SCASD, INSN_SCAS},   {ZYDIS_MNEMONIC_SCASQ, INSN_SCAS},
        {ZYDIS_MNEMONIC_INSB, INSN_INS},     {ZYDIS_MNEMONIC_INSW, INSN_INS},
        {ZYDIS_MNEMONIC_INSD, INSN_INS},     {ZYDIS_MNEMONIC_OUTSB, INSN_OUTS},
        {ZYDIS_MNEMONIC_OUTSW, INSN_OUTS},   {ZYDIS_MNEMONIC_OUTSD, INSN_OUTS},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* MOVSD and CMPSD are SSE instructions too. */
        if (rows[i].mnemonic == z->mnemonic && (rows[i].op >= INSN_MOVS) == string)
            return rows[i].op;
    }
    return INSN_NONE;
}

/* Hardware number of a register; RIP and none in our numbering. */
static unsigned reg_number(ZydisRegister reg)
{
    if (reg == ZYDIS_REGISTER_NONE)
        return INSN_REG_NONE;
    if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
        return INSN_REG_RIP;
    if (reg >= ZYDIS_REGISTER_SPL && reg <= ZYDIS_REGISTER_DIL)
        return (unsigned)(reg - ZYDIS_REGISTER_SPL) + 4; /* Zydis ids count AH..BH before SPL */
    if (reg >= ZYDIS_REGISTER_R8B && reg <= ZYDIS_REGISTER_R15B)
        return (unsigned)(reg - ZYDIS_REGISTER_R8B) + 8;
    if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
        return (unsigned)(reg - ZYDIS_REGISTER_AH);
    return (unsigned)ZydisRegisterGetId(reg);
}

static const ZydisDecodedOperand *find_memory(const struct zydis *z)
{
    const ZydisDecodedOperand *found = NULL;

    for (unsigned i = 0; i < z->insn.operand_count; i++) {
        const ZydisDecodedOperand *o = &z->operands[i];
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.type == ZYDIS_MEMOP_TYPE_MEM &&
            (found == NULL || reg_number(o->mem.base) == 6)) {
            found = o; /* of two, the one at rSI */
        }
    }
    return found;
}

static void take_accesses(const struct zydis *z, struct insn *want)
{
    for (unsigned i = 0; i < z->insn.operand_count; i++) {
        const ZydisDecodedOperand *o = &z->operands[i];
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            want->is_read |= (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
            want->is_write |= (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
        }
    }
}

static void take_operands(const struct zydis *z, struct insn *want)
{
    bool after_memory = false;

    want->reg = INSN_REG_NONE;
    for (unsigned i = 0; i < z->insn.operand_count; i++) {
        const ZydisDecodedOperand *o = &z->operands[i];
        if (o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
            break;
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            after_memory = true;
        } else if (o->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            want->has_imm = true;
            want->imm = o->imm.value.u;
        } else if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            want->reg = (uint8_t)reg_number(o->reg.value);
            want->reg_high = o->reg.value >= ZYDIS_REGISTER_AH && o->reg.value <= ZYDIS_REGISTER_BH;
            want->regsize = (uint8_t)(o->size / 8);
            want->reg_first = !after_memory;
        }
    }
}

static enum insn_rep rep_of(const struct zydis *z, enum insn_op op)
{
    const uint64_t repne = ZYDIS_ATTRIB_HAS_REPNE;
    const uint64_t any = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | repne;

    if (op < INSN_MOVS || !(z->insn.attributes & any))
        return INSN_REP_NONE;
    return (op == INSN_CMPS || op == INSN_SCAS) && (z->insn.attributes & repne) ? INSN_REPNE : INSN_REPE;
}

static bool sib_base_is_misread(const ZydisDecodedInstruction *z)
{
    return z->address_width == 32 && (z->attributes & ZYDIS_ATTRIB_HAS_SIB) && z->raw.modrm.mod == 0 &&
           z->raw.sib.base == 5;
}

static struct insn translate(const struct zydis *z, enum insn_op op, enum insn_mode mode)
{
    const ZydisDecodedOperand *m = find_memory(z);
    struct insn want = {.op = op, .mode = mode, .rep = rep_of(z, op), .len = z->insn.length};

    want.seg = (enum insn_seg)ZydisRegisterGetId(m->mem.segment);
    want.addr_size = z->insn.address_width / 8;
    want.base = (uint8_t)reg_number(m->mem.base);
    want.index = (uint8_t)reg_number(m->mem.index);
    want.scale = want.index == INSN_REG_NONE ? 1 : m->mem.scale;
    want.disp = (uint64_t)m->mem.disp.value;
    want.opsize = (uint8_t)(m->size / 8);
    want.regsize = want.opsize;
    want.lock = z->insn.attributes & ZYDIS_ATTRIB_HAS_LOCK;
    if (sib_base_is_misread(&z->insn)) {
        want.base = INSN_REG_NONE;
        want.disp = (uint64_t)z->insn.raw.disp.value;
    }
    take_operands(z, &want);
    take_accesses(z, &want);
    return want;
}

static uint64_t mask(uint64_t value, unsigned bytes)
{
    return bytes < 8 ? value & ((1ull << (8 * bytes)) - 1) : value;
}

static const char *difference(const struct insn *got, const struct insn *want)
{
#define FIELD(name)                                                                                          \
    if (got->name != want->name) {                                                                           \
        return #name;                                                                                        \
    }
    FIELD(op);
    FIELD(mode);
    FIELD(rep);
    FIELD(seg);
    FIELD(len);
    FIELD(opsize);
    FIELD(regsize);
    FIELD(addr_size);
    FIELD(base);
    FIELD(index);
    FIELD(scale);
    FIELD(reg);
    FIELD(reg_high);
    FIELD(reg_first);
    FIELD(has_imm);
    FIELD(lock);
    FIELD(is_read);
    FIELD(is_write);
#undef FIELD
    if (mask(got->disp ^ want->disp, want->addr_size) != 0)
        return "disp";
    /* Bit numbers are one byte whose sign does not matter. */
    const bool bits = got->op >= INSN_BT && got->op <= INSN_BTC;
    return mask(got->imm ^ want->imm, bits ? 1 : want->opsize) != 0 ? "imm" : NULL;
}

static bool is_exception(const ZydisDecodedInstruction *z)
{
    return (z->mnemonic == ZYDIS_MNEMONIC_MOVSXD && z->operand_width == 16) ||
           (z->mnemonic == ZYDIS_MNEMONIC_MOV && z->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
            (z->opcode == 0x8c || z->opcode == 0x8e));
}

/* Fewer bytes, exactly enough bytes. */
static const char *check_lengths(const uint8_t *bytes, size_t shorter, const struct insn *full)
{
    struct insn again;

    memset(&again, 0xa5, sizeof again);
    if (insn_decode(bytes, full->len, full->mode, &again) != INSN_OK)
        return "exact length refused";
    if (difference(&again, full) != NULL || again.disp != full->disp || again.imm != full->imm)
        return "exact length differs";
    if (insn_decode(bytes, shorter % full->len, full->mode, &again) != INSN_TRUNCATED)
        return "truncation not noticed";
    return NULL;
}

static const char *check_one(const ZydisDecoder *decoder, enum insn_mode mode, uint64_t noise,
                             const uint8_t *bytes, size_t count, struct counters *counters)
{
    struct zydis z;
    struct insn got;
    struct insn before;
    memset(&got, 0xa5, sizeof got);
    before = got;
    const enum insn_status status = insn_decode(bytes, count, mode, &got);
    const ZyanStatus zstatus = ZydisDecoderDecodeFull(decoder, bytes, count, &z.insn, z.operands);
    const bool accepted = ZYAN_SUCCESS(zstatus);
    const enum insn_op op = accepted ? op_of_mnemonic(&z.insn) : INSN_NONE;

    if (op != INSN_NONE && find_memory(&z) != NULL && !is_exception(&z.insn)) {
        if (status != INSN_OK)
            return "supported instruction refused";
        const struct insn want = translate(&z, op, mode);
        const char *field = difference(&got, &want);
        if (field != NULL)
            return field;
        counters->decoded[mode / 32]++;
        counters->per_op[op]++;
        return check_lengths(bytes, (size_t)(noise >> 8), &got);
    }
    if (memcmp(&got, &before, sizeof got) != 0)
        return status == INSN_OK ? "decoded what must be refused" : "output touched by a refusal";
    if (accepted && status != INSN_UNKNOWN)
        return "well-formed but unsupported, not INSN_UNKNOWN";
    if (status == INSN_TRUNCATED && count >= INSN_MAX_LEN)
        return "more than 15 bytes asked for";
    counters->exceptions += accepted && is_exception(&z.insn);
    counters->refused++;
    return NULL;
}

static void report(const char *what, enum insn_mode mode, const uint8_t *bytes, size_t count)
{
    printf("mode %d:", (int)mode);
    for (size_t i = 0; i < count; i++)
        printf(" %02x", bytes[i]);
    printf(": %s\n", what);
}

int main(int argc, char **argv)
{
    static const enum insn_mode modes[3] = {INSN_MODE_16, INSN_MODE_32, INSN_MODE_64};
    const unsigned long total = argc > 1 ? strtoul(argv[1], NULL, 0) : 3000000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    struct counters counters = {0};
    ZydisDecoder decoders[3];
    unsigned failures = 0;

    ZydisDecoderInit(&decoders[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
    ZydisDecoderInit(&decoders[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
    ZydisDecoderInit(&decoders[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    for (unsigned long i = 0; i < total && failures < 20; i++) {
        uint8_t bytes[INSN_GEN_MAX];
        gen_insn(&seed, bytes);
        const uint64_t noise = gen_next(&seed);
        const unsigned which = 2 - (unsigned)(noise & 3) % 3; /* half of them in 64-bit mode */
        const size_t count = (noise & 0x70) == 0 ? (noise >> 20) % 16 : INSN_GEN_MAX;
        /* On the heap, so that the sanitizer sees a read past the end. */
        uint8_t *exact = malloc(count + (count == 0));
        memcpy(exact, bytes, count);
        const char *what = check_one(&decoders[which], modes[which], noise, exact, count, &counters);
        if (what != NULL) {
            report(what, modes[which], exact, count);
            failures++;
        }
        free(exact);
    }
    for (int op = INSN_ADD; op < INSN_OP_COUNT; op++) {
        if (total >= 1000000 && counters.per_op[op] < 1000) {
            printf("operation %d came up only %lu times\n", op, counters.per_op[op]);
            failures++;
        }
    }
    printf("%s insn_zydis: %lu generated, decoded %lu/%lu/%lu in 16/32/64-bit mode, refused %lu "
           "(%lu listed exceptions), %u failures\n",
           failures == 0 ? "PASS" : "FAIL", total, counters.decoded[0], counters.decoded[1],
           counters.decoded[2], counters.refused, counters.exceptions, failures);
    printf("%d passed, %d failed\n", failures == 0, failures != 0);
    return failures != 0;
}
