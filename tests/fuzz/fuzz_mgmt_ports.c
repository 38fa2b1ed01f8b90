/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: a guest against keyboard controller, reset registers, PCI, POST and debug ports. */
#include "tests/fuzz/fuzz_pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t base[BASES_MAX] = {0xcf0, 0x58, 0x78, 0xe0};
    fuzz_pc(base, data, size);
    return 0;
}
