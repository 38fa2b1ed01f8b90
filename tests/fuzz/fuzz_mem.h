/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_mem: lays a fuzz input out as physical memory (tests/host/fake_mem.h: every map is a heap block of
 * exact size).
 *
 * The input is a list of chunks: u32 address, u16 length, then that many bytes (fewer at the end of the
 * input). Seeds are written in this form by tests/fuzz/seeds.py. So an input chooses not only contents but
 * also what can be read at all.
 */
#pragma once

#include "tests/host/fake_mem.h"

enum { FUZZ_CHUNK_HEAD = 6 };

static inline void fuzz_mem_load(struct fake_mem *mem, const uint8_t *data, size_t size)
{
    memset(mem, 0, sizeof(*mem));
    while (size >= FUZZ_CHUNK_HEAD && mem->count < FAKE_MEM_RANGES) {
        uint32_t pa;
        uint16_t len;
        memcpy(&pa, data, sizeof(pa));
        memcpy(&len, data + 4, sizeof(len));
        data += FUZZ_CHUNK_HEAD;
        size -= FUZZ_CHUNK_HEAD;
        size_t part = len < size ? len : size;
        if (part != 0)
            fake_mem_add(mem, pa, data, part);
        data += part;
        size -= part;
    }
}
