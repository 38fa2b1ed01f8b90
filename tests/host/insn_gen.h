/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeded generator of instruction bytes for the decoder tests. Three quarters of its output have
 * the shape of an instruction (prefixes, an opcode that is mostly one of the supported ones, ModRM,
 * random rest), one quarter is noise. The same seed gives the same sequence everywhere.
 */
#ifndef TESTS_HOST_INSN_GEN_H
#define TESTS_HOST_INSN_GEN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INSN_GEN_MAX 20u

/* splitmix64 */
static inline uint64_t gen_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static inline unsigned gen_below(uint64_t *state, unsigned limit)
{
    return (unsigned)(gen_next(state) >> 33) % limit;
}

/* Opcodes of the supported forms; 0x100 and up are in the 0F map, 0x200 and up in 0F 38. */
static const uint16_t gen_opcodes[] = {
    0x00,  0x01,  0x02,  0x03,  0x08,  0x09,  0x0a,  0x0b,  0x10,  0x11,  0x12,  0x13,  0x18,  0x19,  0x1a,
    0x1b,  0x20,  0x21,  0x22,  0x23,  0x28,  0x29,  0x2a,  0x2b,  0x30,  0x31,  0x32,  0x33,  0x38,  0x39,
    0x3a,  0x3b,  0x63,  0x6c,  0x6d,  0x6e,  0x6f,  0x80,  0x81,  0x82,  0x83,  0x84,  0x85,  0x86,  0x87,
    0x88,  0x89,  0x8a,  0x8b,  0x8c,  0x8e,  0xa0,  0xa1,  0xa2,  0xa3,  0xa4,  0xa5,  0xa6,  0xa7,  0xaa,
    0xab,  0xac,  0xad,  0xae,  0xaf,  0xc6,  0xc7,  0xf6,  0xf7,  0xfe,  0xff,  0x1a3, 0x1ab, 0x1b3, 0x1bb,
    0x1ba, 0x1b0, 0x1b1, 0x1b6, 0x1b7, 0x1be, 0x1bf, 0x1c0, 0x1c1, 0x1c3, 0x1c7, 0x2f0, 0x2f1,
};

static inline size_t gen_opcode(uint64_t *state, uint8_t *at)
{
    unsigned opcode = gen_opcodes[gen_below(state, sizeof gen_opcodes / sizeof *gen_opcodes)];
    size_t n = 0;

    if (gen_below(state, 10) == 0)
        opcode = gen_below(state, 0x300);
    if (opcode >= 0x100)
        at[n++] = 0x0f;
    if (opcode >= 0x200)
        at[n++] = 0x38;
    at[n++] = (uint8_t)opcode;
    return n;
}

/* Fills all of bytes[]; what follows the instruction is noise. */
static inline void gen_insn(uint64_t *state, uint8_t bytes[INSN_GEN_MAX])
{
    static const uint8_t prefixes[] = {0x66, 0x66, 0x66, 0x67, 0x67, 0x67, 0xf2, 0xf3, 0xf0, 0xf0,
                                       0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x40, 0x44, 0x48, 0x4f};
    static const uint8_t counts[] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 11};
    size_t n = 0;

    for (size_t i = 0; i < INSN_GEN_MAX; i++)
        bytes[i] = (uint8_t)gen_next(state);
    if (gen_below(state, 4) == 0)
        return;
    for (unsigned left = counts[gen_below(state, sizeof counts)]; left > 0; left--)
        bytes[n++] = prefixes[gen_below(state, sizeof prefixes)];
    if (gen_below(state, 2) == 0)
        bytes[n++] = (uint8_t)(0x40 | gen_below(state, 16));
    n += gen_opcode(state, bytes + n);
    /* Memory operands are what matters; absolute and SIB forms are rare in noise. */
    switch (gen_below(state, 8)) {
    case 0:
        bytes[n] = (bytes[n] & 0x38) | 0x05;
        break;
    case 1:
        bytes[n] = (bytes[n] & 0x38) | 0x04;
        bytes[n + 1] = (bytes[n + 1] & 0xf8) | 0x05;
        break;
    case 2:
        break;
    default:
        bytes[n] &= bytes[n] >= 0xc0 ? 0xbf : 0xff;
        break;
    }
}

#endif
