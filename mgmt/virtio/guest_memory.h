/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_memory: memory of another domain as a device sees it. Pure: where it lies is the user's business.
 *
 * A domain's memory need not be one piece here although its addresses are in one row there, so every access
 * asks for a view and goes on where that ends. Nobody keeps a pointer. Addresses come from the guest: any
 * value is allowed, and what is not memory is told by NULL or false, with nothing changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guest_memory {
    /*
     * At least one byte, at most *bytes (not 0), which is lowered to what lies in one piece. NULL: not
     * memory.
     */
    void *(*view)(void *ctx, uint64_t gpa, uint64_t *bytes);
    void *ctx;
};

/* Is all of [gpa, gpa + bytes) memory? An empty range is; one that wraps is not. */
bool guest_memory_has(const struct guest_memory *memory, uint64_t gpa, uint64_t bytes);

/* Copies; false, and nothing is copied: not all of it is memory. */
bool guest_memory_read(const struct guest_memory *memory, uint64_t gpa, void *to, uint64_t bytes);
bool guest_memory_write(const struct guest_memory *memory, uint64_t gpa, const void *from, uint64_t bytes);

/* A naturally aligned 16-bit word that the guest changes or reads meanwhile; NULL: not memory or odd. */
uint16_t *guest_memory_word(const struct guest_memory *memory, uint64_t gpa);
