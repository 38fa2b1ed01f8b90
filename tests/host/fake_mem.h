/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_mem: physical memory for parsers that read through a map callback (boot_env, acpi_env).
 *
 * Memory is a list of ranges; what is in none of them cannot be read. Each map gives a fresh heap
 * copy of exactly `len` bytes and frees the one before, so AddressSanitizer finds a parser that
 * reads one byte too many, writes to firmware data past it, or keeps a pointer over the next map. A
 * map may span ranges that touch.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_MEM_RANGES = 64 };

struct fake_mem {
    struct {
        uint64_t pa;
        const uint8_t *data;
        uint64_t len;
    } range[FAKE_MEM_RANGES];
    unsigned count;
    void *window;
    uint64_t maps;
};

static inline void fake_mem_add(struct fake_mem *mem, uint64_t pa, const void *data, uint64_t len)
{
    if (mem->count == FAKE_MEM_RANGES)
        abort();
    mem->range[mem->count].pa = pa;
    mem->range[mem->count].data = (const uint8_t *)data;
    mem->range[mem->count].len = len;
    mem->count++;
}

static inline uint64_t fake_mem_copy(const struct fake_mem *mem, uint64_t pa, uint8_t *to, uint64_t len)
{
    for (unsigned i = 0; i < mem->count; i++) {
        uint64_t offset = pa - mem->range[i].pa;
        if (pa < mem->range[i].pa || offset >= mem->range[i].len)
            continue;
        uint64_t part = mem->range[i].len - offset;
        part = part < len ? part : len;
        if (to != NULL)
            memcpy(to, mem->range[i].data + offset, part);
        return part;
    }
    return 0;
}

static inline const void *fake_mem_map(void *ctx, uint64_t pa, uint64_t len)
{
    struct fake_mem *mem = (struct fake_mem *)ctx;
    mem->maps++;
    free(mem->window);
    mem->window = NULL;
    /* First the check, so that an absurd length allocates nothing. */
    for (uint64_t done = 0; done < len;) {
        uint64_t part = fake_mem_copy(mem, pa + done, NULL, len - done);
        if (part == 0 || pa + done + part < pa)
            return NULL;
        done += part;
    }
    uint8_t *window = (uint8_t *)malloc(len);
    mem->window = window;
    for (uint64_t done = 0; window != NULL && done < len;)
        done += fake_mem_copy(mem, pa + done, window + done, len - done);
    return window;
}

static inline void fake_mem_drop(struct fake_mem *mem)
{
    free(mem->window);
    memset(mem, 0, sizeof(*mem));
}
