/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan: see plan.h.
 */
#include "mgmt/builder/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_ram(struct plan *plan, gpa_t start, gpa_t end)
{
    if (start < end)
        plan->ram[plan->rams++] = (struct plan_range){start, end};
}

void plan_init(struct plan *plan, uint64_t memory)
{
    memset(plan, 0, sizeof(*plan));
    uint64_t above = memory > PLAN_GAP ? memory - PLAN_GAP : 0;
    add_ram(plan, 0, memory < PLAN_LOW_END ? memory : PLAN_LOW_END);
    add_ram(plan, PLAN_HIGH, memory - above);
    add_ram(plan, PLAN_ABOVE_4G, PLAN_ABOVE_4G + above);
}

void plan_free(struct plan *plan)
{
    while (plan->makes > 0)
        free(plan->made[--plan->makes]);
}

bool plan_fail(struct plan *plan, const char *format, ...)
{
    va_list args;
    if (plan->failed)
        return false;
    plan->failed = true;
    va_start(args, format);
    vsnprintf(plan->error, sizeof(plan->error), format, args);
    va_end(args);
    return false;
}

static bool within(const struct plan_range *range, gpa_t start, uint64_t bytes)
{
    return start >= range->start && start <= range->end && bytes <= range->end - start;
}

bool plan_is_ram(const struct plan *plan, gpa_t start, uint64_t bytes)
{
    for (uint32_t i = 0; i < plan->rams; i++)
        if (within(&plan->ram[i], start, bytes))
            return true;
    return false;
}

uint32_t plan_memory_map(const struct plan *plan, struct plan_map map[PLAN_MAP_MAX])
{
    uint32_t count = 0, i = 0;
    bool firmware = plan->firmware.start < plan->firmware.end;
    while (i < plan->rams || firmware) {
        if (firmware && (i == plan->rams || plan->firmware.start < plan->ram[i].start)) {
            map[count++] = (struct plan_map){plan->firmware, PLAN_MAP_RESERVED};
            firmware = false;
        } else {
            map[count++] = (struct plan_map){plan->ram[i++], PLAN_MAP_RAM};
        }
    }
    return count;
}

/* The first piece that shares a byte with the range; NULL: none. */
static const struct plan_piece *piece_at(const struct plan *plan, gpa_t start, uint64_t bytes)
{
    for (uint32_t i = 0; i < plan->pieces; i++) {
        const struct plan_piece *piece = &plan->piece[i];
        if (start < piece->to + piece->room && piece->to < start + bytes)
            return piece;
    }
    return NULL;
}

bool plan_add(struct plan *plan, gpa_t to, const uint8_t *from, uint64_t bytes, uint64_t room,
              const char *what)
{
    if (plan->failed)
        return false;
    if (room == 0)
        return true;
    if (bytes > room)
        return plan_fail(plan, "%s: %#llx bytes of the file do not fit into %#llx bytes of memory", what,
                         (unsigned long long)bytes, (unsigned long long)room);
    if (!plan_is_ram(plan, to, room) && !within(&plan->firmware, to, room))
        return plan_fail(plan,
                         "%s: %#llx bytes at %#llx are not within the domain's memory (raise "
                         "memory=, or link the image elsewhere)",
                         what, (unsigned long long)room, (unsigned long long)to);
    const struct plan_piece *other = piece_at(plan, to, room);
    if (other)
        return plan_fail(plan, "%s at %#llx overlaps %s at %#llx", what, (unsigned long long)to, other->what,
                         (unsigned long long)other->to);
    if (plan->pieces == PLAN_PIECES_MAX)
        return plan_fail(plan, "%s: more than %d parts", what, PLAN_PIECES_MAX);
    plan->piece[plan->pieces++] = (struct plan_piece){to, from, bytes, room, what};
    return true;
}

/* Within one range of RAM. Each round either ends or steps behind a piece, so it is finite. */
static gpa_t find_in(const struct plan *plan, gpa_t start, gpa_t end, uint64_t bytes, uint64_t align)
{
    for (;;) {
        start = (start + align - 1) & ~(align - 1);
        if (start > end || end - start < bytes)
            return PLAN_NOWHERE;
        const struct plan_piece *piece = piece_at(plan, start, bytes);
        if (!piece)
            return start;
        start = piece->to + piece->room;
    }
}

gpa_t plan_find(const struct plan *plan, uint64_t bytes, uint64_t align, gpa_t lowest, gpa_t highest)
{
    for (uint32_t i = 0; i < plan->rams; i++) {
        gpa_t start = plan->ram[i].start > lowest ? plan->ram[i].start : lowest;
        gpa_t end = plan->ram[i].end < highest ? plan->ram[i].end : highest;
        gpa_t found = start < end ? find_in(plan, start, end, bytes, align) : PLAN_NOWHERE;
        if (found != PLAN_NOWHERE)
            return found;
    }
    return PLAN_NOWHERE;
}

void *plan_make(struct plan *plan, uint64_t bytes)
{
    if (plan->failed)
        return NULL;
    void *made = plan->makes < PLAN_PIECES_MAX ? calloc(1, bytes) : NULL;
    if (!made) {
        plan_fail(plan, "the manager's own memory is used up");
        return NULL;
    }
    plan->made[plan->makes++] = made;
    return made;
}
