/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames: the manager's memory that it can give to domains, in whole 4 KiB pages. Pure: addresses
 * only, nothing is touched.
 *
 * Free memory is a sorted list of ranges that never touch each other. Whoever takes a block keeps
 * its address and size and gives the block back. Room in the list for what will
 * come back is set aside when a block is taken, so giving back cannot fail.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest_abi/hv_abi.h"

#define FRAMES_PAGE 4096ULL
#define FRAMES_NONE UINT64_MAX

struct frames_range {
    gpa_t start;
    gpa_t end; /* exclusive */
};

struct frames {
    struct frames_range *range;
    uint32_t count;
    uint32_t capacity;
    uint32_t taken; /* blocks that are out, each of which may come back as a range of its own */
    uint64_t free_pages;
};

/* Gives a range for the first time. False: no memory for the list, not page-aligned, or part of it
 * is free already. */
bool frames_add(struct frames *frames, gpa_t start, gpa_t end);

/*
 * A block of `pages` pages whose address is `offset` modulo `align` (a power of two, in bytes), the
 * lowest one in the smallest range that fits, so that large ranges stay whole. FRAMES_NONE: there is
 * none.
 */
gpa_t frames_take(struct frames *frames, uint64_t pages, uint64_t align, uint64_t offset);

/* A block was taken by a former instance of this program and will be given back to this one. False:
 * no memory for the list. */
bool frames_expect(struct frames *frames);

/* Gives back a whole block. False, and nothing is changed: part of it is free already, a mistake of
 * the caller. */
bool frames_give(struct frames *frames, gpa_t start, uint64_t pages);

void frames_free_list(struct frames *frames);
