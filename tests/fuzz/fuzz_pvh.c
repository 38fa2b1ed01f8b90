/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: the pvh information at 0x9000 of a memory that the input lays out. */
#include "tests/fuzz/fuzz_boot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_boot(boot_info_from_pvh, data, size);
}
