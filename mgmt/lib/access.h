/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access: which device answers a port or memory access of a domain. Pure.
 *
 * A device takes part with one or more ranges. An access that is wider than the device likes, or
 * that leaves its range, is cut in halves until it fits, as a bus bridge does with accesses to
 * narrow devices, lowest address first; what nobody answers reads as ones.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest_abi/hv_mgmt.h"

enum { ACCESS_MAX = 32 };

/* offset: from the start of the range. width: bytes, 1, 2, 4 or 8. */
typedef uint64_t access_read_fn(void *ctx, uint64_t offset, uint8_t width);
typedef void access_write_fn(void *ctx, uint64_t offset, uint8_t width, uint64_t data);

struct access_range {
    enum hv_claim_space space;
    uint64_t base;
    uint64_t length;
    uint8_t widest;         /* bytes: 1, 2, 4 or 8 */
    access_read_fn *read;   /* NULL: reads as ones */
    access_write_fn *write; /* NULL: swallows */
    void *ctx;
};

struct access_table {
    struct access_range range[ACCESS_MAX];
    uint32_t count;
};

/* False, and nothing is changed: the table is full, the range is empty or wraps, its ports go past
 * 0xffff, or it overlaps one that is there. */
bool access_add(struct access_table *table, const struct access_range *range);

uint64_t access_read(const struct access_table *table, enum hv_claim_space space, uint64_t address,
                     uint8_t width);
void access_write(const struct access_table *table, enum hv_claim_space space, uint64_t address,
                  uint8_t width, uint64_t data);
