/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access: see access.h. Data above the width of an access is zero in both directions.
 */
#include "mgmt/lib/access.h"

#include <stddef.h>

#define PORT_END 0x10000ULL

static uint64_t ones(uint8_t width)
{
    return width >= 8 ? UINT64_MAX : (1ULL << 8 * width) - 1;
}

bool access_add(struct access_table *table, const struct access_range *range)
{
    uint64_t limit = range->space == HV_CLAIM_PIO ? PORT_END : UINT64_MAX;
    if (table->count == ACCESS_MAX || range->length == 0 || range->base >= limit ||
        range->length > limit - range->base)
        return false;
    for (uint32_t i = 0; i < table->count; i++) {
        const struct access_range *other = &table->range[i];
        if (other->space == range->space && range->base < other->base + other->length &&
            other->base < range->base + range->length)
            return false;
    }
    table->range[table->count++] = *range;
    return true;
}

/* The range that has the first byte. */
static const struct access_range *find(const struct access_table *table, enum hv_claim_space space,
                                       uint64_t address)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct access_range *range = &table->range[i];
        if (range->space == space && address - range->base < range->length)
            return range;
    }
    return NULL;
}

static bool fits(const struct access_range *range, uint64_t address, uint8_t width)
{
    return range && width <= range->widest && range->length - (address - range->base) >= width;
}

uint64_t access_read(const struct access_table *table, enum hv_claim_space space, uint64_t address,
                     uint8_t width)
{
    const struct access_range *range = find(table, space, address);
    if (fits(range, address, width))
        return range->read ? range->read(range->ctx, address - range->base, width) & ones(width)
                           : ones(width);
    if (width <= 1)
        return ones(1);
    uint8_t half = width / 2;
    uint64_t low = access_read(table, space, address, half);
    return low | access_read(table, space, address + half, half) << 8 * half;
}

void access_write(const struct access_table *table, enum hv_claim_space space, uint64_t address,
                  uint8_t width, uint64_t data)
{
    const struct access_range *range = find(table, space, address);
    data &= ones(width);
    if (fits(range, address, width)) {
        if (range->write)
            range->write(range->ctx, address - range->base, width, data);
        return;
    }
    if (width <= 1)
        return;
    uint8_t half = width / 2;
    access_write(table, space, address, half, data & ones(half));
    access_write(table, space, address + half, half, data >> 8 * half);
}
