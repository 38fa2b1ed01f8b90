/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for hv/core/insn_decode.c and insn_exec.c: any bytes in any mode. The first byte
 * chooses the mode, the next eight seed registers and memory, the rest is the instruction.
 *
 * Checked: no sanitizer finding, at most 15 bytes, the same answer twice, a refusal leaves the
 * output alone, fewer bytes are INSN_TRUNCATED and nothing else, values fit their operand, string
 * steps end.
 */
#include "hv/core/insn_exec.h"
#include "tests/host/insn_gen.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            abort();                                                                                         \
    } while (0)

static bool fits(uint64_t value, unsigned bytes)
{
    return bytes == 8 || value >> (8 * bytes) == 0;
}

static void check_shape(const struct insn *insn, enum insn_mode mode)
{
    REQUIRE(insn->len >= 1 && insn->len <= INSN_MAX_LEN && insn->mode == mode);
    REQUIRE(insn->op > INSN_NONE && insn->op < INSN_OP_COUNT && insn->seg < INSN_SEG_COUNT);
    REQUIRE(insn->opsize == 1 || insn->opsize == 2 || insn->opsize == 4 || insn->opsize == 8);
    REQUIRE(insn->regsize >= insn->opsize && insn->regsize <= 8);
    REQUIRE(insn->base <= INSN_REG_NONE && insn->index != INSN_REG_RIP);
    REQUIRE(insn->index <= INSN_REG_NONE && insn->reg != INSN_REG_RIP && insn->reg <= INSN_REG_NONE);
    REQUIRE(!insn->reg_first || insn->reg < 16);
    REQUIRE(!insn->reg_high || (insn->reg < 4 && insn->regsize == 1));
    REQUIRE(insn->is_read || insn->is_write);
    REQUIRE(mode == INSN_MODE_64 || (insn->opsize <= 4 && insn->addr_size <= 4));
}

static void check_execution(const struct insn *insn, uint64_t seed)
{
    uint64_t gpr[16];
    uint64_t seg_base[INSN_SEG_COUNT];
    uint64_t rflags = gen_next(&seed);
    const uint64_t mem = gen_next(&seed);

    for (unsigned i = 0; i < 16; i++)
        gpr[i] = gen_next(&seed);
    for (unsigned i = 0; i < INSN_SEG_COUNT; i++)
        seg_base[i] = gen_next(&seed);
    if (insn_is_string(insn)) {
        const struct insn_step step = insn_exec_step(insn, gpr, seg_base);
        const bool more = insn_exec_step_end(insn, mem, ~mem, gpr, &rflags);
        REQUIRE(insn->rep != INSN_REP_NONE || (!more && !step.done));
        gpr[1] = 0;
        REQUIRE(insn_exec_step(insn, gpr, seg_base).done == (insn->rep != INSN_REP_NONE));
        return;
    }
    const uint64_t address = insn_exec_address(insn, gpr, seg_base, gen_next(&seed));
    REQUIRE(insn->mode == INSN_MODE_64 || fits(address, 4));
    if (insn->is_read)
        REQUIRE(fits(insn_exec_read(insn, mem, gpr, &rflags), insn->opsize));
    else
        REQUIRE(fits(insn_exec_store(insn, gpr), insn->opsize));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum insn_mode modes[3] = {INSN_MODE_16, INSN_MODE_32, INSN_MODE_64};
    struct insn insn;
    struct insn again;
    uint64_t seed;

    if (size < 9)
        return 0;
    const enum insn_mode mode = modes[data[0] % 3];
    memcpy(&seed, data + 1, sizeof seed);
    const uint8_t *const bytes = data + 9;
    const size_t count = size - 9;
    memset(&insn, 0x5a, sizeof insn);
    memset(&again, 0x5a, sizeof again);
    const enum insn_status status = insn_decode(bytes, count, mode, &insn);
    REQUIRE(insn_decode(bytes, count, mode, &again) == status);
    REQUIRE(memcmp(&insn, &again, sizeof insn) == 0);
    if (status != INSN_OK) {
        memset(&again, 0x5a, sizeof again);
        REQUIRE(memcmp(&insn, &again, sizeof insn) == 0);
        REQUIRE(status != INSN_TRUNCATED || count < INSN_MAX_LEN);
        return 0;
    }
    check_shape(&insn, mode);
    for (size_t n = 0; n < insn.len; n++)
        REQUIRE(insn_decode(bytes, n, mode, &again) == INSN_TRUNCATED);
    check_execution(&insn, seed);
    return 0;
}
