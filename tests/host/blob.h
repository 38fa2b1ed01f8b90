/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob: little-endian byte strings built field by field, so that a test states a firmware layout by
 * itself and does not borrow the structs of the code under test. Positions are offsets from the
 * start of the blob.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOB_MAX = 1 << 17 };

struct blob {
    size_t len;
    uint8_t bytes[BLOB_MAX];
};

/* Overwrites `size` bytes, or appends them when `at` is the end. */
static inline void blob_put(struct blob *blob, size_t at, unsigned size, uint64_t value)
{
    if (at + size > BLOB_MAX || at > blob->len)
        abort();
    for (unsigned i = 0; i < size; i++)
        blob->bytes[at + i] = (uint8_t)(value >> (8 * i));
    if (at + size > blob->len)
        blob->len = at + size;
}

static inline void blob_u8(struct blob *blob, uint64_t value)
{
    blob_put(blob, blob->len, 1, value);
}

static inline void blob_u16(struct blob *blob, uint64_t value)
{
    blob_put(blob, blob->len, 2, value);
}

static inline void blob_u32(struct blob *blob, uint64_t value)
{
    blob_put(blob, blob->len, 4, value);
}

static inline void blob_u64(struct blob *blob, uint64_t value)
{
    blob_put(blob, blob->len, 8, value);
}

static inline void blob_bytes(struct blob *blob, const void *data, size_t len)
{
    if (len > BLOB_MAX - blob->len)
        abort();
    memcpy(blob->bytes + blob->len, data, len);
    blob->len += len;
}

static inline void blob_fill(struct blob *blob, size_t len, uint8_t value)
{
    while (len-- > 0)
        blob_u8(blob, value);
}

static inline void blob_align(struct blob *blob, size_t align)
{
    while (blob->len % align != 0)
        blob_u8(blob, 0);
}

/* Writes the byte at `at` so that the bytes [from, from + len) sum to 0. */
static inline void blob_checksum(struct blob *blob, size_t from, size_t len, size_t at)
{
    uint8_t sum = 0;
    blob->bytes[at] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + blob->bytes[from + i]);
    blob->bytes[at] = (uint8_t)(0x100 - sum);
}
