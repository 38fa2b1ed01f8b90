/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: a guest against power management registers and timer. */
#include "tests/fuzz/fuzz_pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t base[BASES_MAX] = {0x5f8};
    fuzz_pc(base, data, size);
    return 0;
}
