/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames: see frames.h. Invariants: ranges are sorted, not empty, page-aligned, and between two of
 * them lies at least one page; capacity >= count + taken, so that a block that comes back always
 * finds room.
 */
#include "mgmt/lib/frames.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct frames *frames, uint32_t ranges)
{
    if (ranges <= frames->capacity)
        return true;
    uint32_t capacity = frames->capacity ? frames->capacity : 16;
    while (capacity < ranges)
        capacity *= 2;
    struct frames_range *range = realloc(frames->range, capacity * sizeof(*range));
    if (!range)
        return false;
    frames->range = range;
    frames->capacity = capacity;
    return true;
}

static void remove_at(struct frames *frames, uint32_t index)
{
    frames->count--;
    memmove(&frames->range[index], &frames->range[index + 1],
            (frames->count - index) * sizeof(frames->range[0]));
}

static void insert_at(struct frames *frames, uint32_t index, gpa_t start, gpa_t end)
{
    memmove(&frames->range[index + 1], &frames->range[index],
            (frames->count - index) * sizeof(frames->range[0]));
    frames->range[index] = (struct frames_range){start, end};
    frames->count++;
}

/* Puts a range in, joined with its neighbours. Room for one more is there. */
static bool put(struct frames *frames, gpa_t start, gpa_t end)
{
    uint32_t i = 0;
    while (i < frames->count && frames->range[i].end < start)
        i++;
    bool before = i < frames->count && frames->range[i].end == start;
    uint32_t next = i + before;
    if (next < frames->count && frames->range[next].start < end)
        return false;
    bool after = next < frames->count && frames->range[next].start == end;
    if (before && after) {
        frames->range[i].end = frames->range[next].end;
        remove_at(frames, next);
    } else if (before) {
        frames->range[i].end = end;
    } else if (after) {
        frames->range[next].start = start;
    } else {
        insert_at(frames, i, start, end);
    }
    frames->free_pages += (end - start) / FRAMES_PAGE;
    return true;
}

bool frames_add(struct frames *frames, gpa_t start, gpa_t end)
{
    if (start >= end || (start | end) % FRAMES_PAGE != 0)
        return false;
    return reserve(frames, frames->count + frames->taken + 1) && put(frames, start, end);
}

/* The first address from `start` on that is `offset` modulo `align`; wraps to below start when there
 * is none. */
static gpa_t align_up(gpa_t start, uint64_t align, uint64_t offset)
{
    return ((start - offset + align - 1) & ~(align - 1)) + offset;
}

gpa_t frames_take(struct frames *frames, uint64_t pages, uint64_t align, uint64_t offset)
{
    uint64_t bytes = pages * FRAMES_PAGE;
    uint32_t best = UINT32_MAX;
    if (pages == 0 || pages > UINT64_MAX / FRAMES_PAGE || align < FRAMES_PAGE || (align & (align - 1)) != 0 ||
        offset % FRAMES_PAGE != 0 || offset >= align)
        return FRAMES_NONE;
    /* A block out of the middle leaves two ranges, and will come back as a third. */
    if (!reserve(frames, frames->count + frames->taken + 2))
        return FRAMES_NONE;
    for (uint32_t i = 0; i < frames->count; i++) {
        const struct frames_range *range = &frames->range[i];
        gpa_t start = align_up(range->start, align, offset);
        if (start < range->start || start >= range->end || range->end - start < bytes)
            continue;
        if (best == UINT32_MAX ||
            range->end - range->start < frames->range[best].end - frames->range[best].start)
            best = i;
    }
    if (best == UINT32_MAX)
        return FRAMES_NONE;
    struct frames_range whole = frames->range[best];
    gpa_t start = align_up(whole.start, align, offset);
    remove_at(frames, best);
    if (start + bytes < whole.end)
        insert_at(frames, best, start + bytes, whole.end);
    if (whole.start < start)
        insert_at(frames, best, whole.start, start);
    frames->taken++;
    frames->free_pages -= pages;
    return start;
}

bool frames_expect(struct frames *frames)
{
    if (!reserve(frames, frames->count + frames->taken + 1))
        return false;
    frames->taken++;
    return true;
}

bool frames_give(struct frames *frames, gpa_t start, uint64_t pages)
{
    if (!put(frames, start, start + pages * FRAMES_PAGE))
        return false;
    frames->taken--;
    return true;
}

void frames_free_list(struct frames *frames)
{
    free(frames->range);
    *frames = (struct frames){0};
}
