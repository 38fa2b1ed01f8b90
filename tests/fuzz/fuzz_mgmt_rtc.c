/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: a guest against clock and CMOS memory. */
#include "tests/fuzz/fuzz_pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t base[BASES_MAX] = {0x68};
    fuzz_pc(base, data, size);
    return 0;
}
