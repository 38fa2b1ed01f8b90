/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The destination map of a domain. Its cost does not depend on the number of vCPUs, broadcasts excepted:
 *
 *     physical        by_id[dest]
 *     x2APIC logical  the logical ID is the ID, so 16 bits of a cluster are 16 entries of by_id; no table
 *     xAPIC logical   up to 12 sets of IDs (8 bits flat, 4 bits of a cluster), made by LDR and DFR; several APICs may share a bit, one may have
 *                     several
 *
 * No lock and no copy: a set is words of bits, each bit belongs to one APIC, and only that APIC's owner
 * changes it, atomically. A lookup beside a change sees the old, the new, or for an LDR with several bits a
 * mixture: an IPI that races with a write to LDR has no order with it.
 *
 * An APIC that is off is not there. Eight-bit destinations: physical 0xFF is everybody; in logical mode those
 * in xAPIC mode compare LDR, with 0xFF for all of them, and those in x2APIC mode are members 0 to 7 of
 * cluster 0, whose logical IDs fit. 32-bit destinations: 0xFFFFFFFF is everybody in both modes; an APIC in
 * xAPIC mode compares what fits into eight bits. An ID of 255 or more has no address of eight bits: as long
 * as such an APIC is in xAPIC mode, 32-bit physical destinations (INIT, SIPI) and shorthands find it.
 *
 * SDM volume 3, "Determining IPI Destination", "Logical Destination Mode in x2APIC Mode", "Lowest Priority
 * Delivery Mode".
 */
#include "hv/vapic/vlapic_map.h"

#define KEY_FLAT    0x100U
#define KEY_CLUSTER 0x200U

void vlapic_map_init(struct vlapic_map *map, struct vlapic **by_id, uint32_t ids)
{
    *map = (struct vlapic_map){.by_id = by_id, .ids = ids};
}

/* A wild ID is no index in speculation either: the mask does not come from the branch. */
static struct vlapic *lookup(const struct vlapic_map *map, uint64_t id)
{
    uint64_t mask = 0 - (uint64_t)(id < map->ids);
    __asm__("" : "+r"(mask));
    return id < map->ids ? __atomic_load_n(&map->by_id[id & mask], __ATOMIC_ACQUIRE) : NULL;
}

/* Under which xAPIC logical address the APIC listens: bits 7:0 LDR, and the model. */
static uint32_t logical_key(const struct vlapic *a)
{
    uint32_t ldr = vlapic_reg_get(a, APIC_LDR) >> 24, dfr = vlapic_reg_get(a, APIC_DFR);
    if (vlapic_mode(a) != VLAPIC_XAPIC || a->id >= APIC_BROADCAST)
        return 0;
    if (dfr == APIC_DFR_FLAT)
        return KEY_FLAT | ldr;
    return dfr == APIC_DFR_CLUSTER ? KEY_CLUSTER | ldr : 0; /* neither model: hears nothing */
}

static bool key_has(uint32_t key, uint32_t set)
{
    if (set < VLAPIC_MAP_CLUSTER)
        return (key & KEY_FLAT) && (key >> set & 1);
    set -= VLAPIC_MAP_CLUSTER;
    return (key & KEY_CLUSTER) && (key >> 4 & 15) == set / 4 && (key >> set % 4 & 1);
}

static void key_apply(struct vlapic_map *map, const struct vlapic *a, uint32_t old, uint32_t new)
{
    uint64_t bit = (uint64_t)1 << (a->id & 63);
    for (uint32_t set = 0; set < VLAPIC_MAP_LOGICAL; set++) {
        uint64_t *word = &map->logical[set][a->id >> 6 & (VLAPIC_MAP_NARROW - 1)];
        bool was = key_has(old, set), is = key_has(new, set);
        if (is && !was)
            __atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
        else if (was && !is)
            __atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
    }
}

void vlapic_map_update(struct vlapic_map *map, struct vlapic *a)
{
    uint32_t key = logical_key(a);
    key_apply(map, a, a->map_key, key);
    a->map_key = key;
}

bool vlapic_map_add(struct vlapic_map *map, struct vlapic *a)
{
    if (a->id >= map->ids || map->by_id[a->id] != NULL)
        return false;
    a->map_key = 0;
    vlapic_map_update(map, a);
    __atomic_store_n(&map->by_id[a->id], a, __ATOMIC_RELEASE);
    if (map->end <= a->id)
        __atomic_store_n(&map->end, a->id + 1, __ATOMIC_RELEASE);
    return true;
}

/* Who hears the 8-bit logical address, of the APIC IDs in a word. */
static uint64_t members(const struct vlapic_map *map, uint32_t dest, uint32_t word)
{
    uint64_t who = 0;
    for (uint32_t bits = dest; bits != 0; bits &= bits - 1)
        who |= __atomic_load_n(&map->logical[__builtin_ctz(bits)][word], __ATOMIC_RELAXED);
    for (uint32_t bits = dest & 15; bits != 0; bits &= bits - 1) {
        uint32_t set = VLAPIC_MAP_CLUSTER + (dest >> 4) * 4 + (uint32_t)__builtin_ctz(bits);
        who |= __atomic_load_n(&map->logical[set][word], __ATOMIC_RELAXED);
    }
    return who;
}

/* --- a walk --- */
static void start_range(struct vlapic_walk *w, uint64_t first, uint64_t end)
{
    w->range = true;
    w->position = (uint32_t)first;
    w->end = end > w->map->ids ? w->map->ids : (uint32_t)end;
}

/* Word 0 holds members of an x2APIC cluster, words 1 and up xAPIC IDs. */
static void start_logical(struct vlapic_walk *w, uint32_t dest, bool wide)
{
    uint32_t words = (__atomic_load_n(&w->map->end, __ATOMIC_RELAXED) + 63) / 64;
    w->range = false;
    w->position = 0;
    w->end = 1 + (words < VLAPIC_MAP_NARROW ? words : VLAPIC_MAP_NARROW);
    w->cluster = dest >> 16;
    w->word[0] = dest & 0xffff;
    for (uint32_t i = 1; i < w->end; i++) {
        w->word[i] = 0;
        if (!wide && dest == APIC_BROADCAST) /* whatever their LDR; step() leaves those in x2APIC mode out */
            w->word[i] = UINT64_MAX;
        else if (dest <= APIC_BROADCAST)
            w->word[i] = members(w->map, dest, i - 1);
    }
}

static void start(struct vlapic_walk *w, const struct vlapic *sender, const struct vlapic_message *m)
{
    uint32_t everybody = m->wide ? X2APIC_BROADCAST : APIC_BROADCAST;
    w->without = m->shorthand == APIC_TO_OTHERS ? sender : NULL;
    if (m->shorthand == APIC_TO_SELF)
        start_range(w, sender->id, (uint64_t)sender->id + 1);
    else if (m->shorthand != APIC_TO_DEST || (m->dest == everybody && (m->wide || !m->logical)))
        start_range(w, 0, __atomic_load_n(&w->map->end, __ATOMIC_RELAXED));
    else if (m->logical)
        start_logical(w, m->dest, m->wide);
    else
        start_range(w, m->dest, (uint64_t)m->dest + 1);
}

/* The next that may be meant; false: no more. */
static bool step(struct vlapic_walk *w, struct vlapic **a)
{
    if (w->range) {
        *a = w->position < w->end ? lookup(w->map, w->position) : NULL;
        return w->position++ < w->end;
    }
    while (w->position < w->end && w->word[w->position] == 0)
        w->position++;
    if (w->position >= w->end)
        return false;
    uint64_t *word = &w->word[w->position];
    uint64_t base = w->position == 0 ? (uint64_t)w->cluster << 4 : (w->position - 1) * 64;
    *a = lookup(w->map, base + (uint32_t)__builtin_ctzll(*word));
    *word &= *word - 1;
    if (*a != NULL && vlapic_mode(*a) != (w->position == 0 ? VLAPIC_X2APIC : VLAPIC_XAPIC))
        *a = NULL;
    return true;
}

struct vlapic *vlapic_map_next(struct vlapic_walk *w)
{
    struct vlapic *a;
    while (step(w, &a))
        if (a != NULL && a != w->without && vlapic_mode(a) != VLAPIC_OFF)
            return a;
    return NULL;
}

/* Among equals the next ID after the last winner, or else the first: the smallest distance ahead of it. */
static void arbitrate(struct vlapic_map *map, struct vlapic_walk *w)
{
    uint32_t turn = __atomic_load_n(&map->turn, __ATOMIC_RELAXED);
    uint64_t best = UINT64_MAX; /* PPR, then the distance */
    const struct vlapic *a;
    while ((a = vlapic_map_next(w)) != NULL) {
        uint64_t rank = (uint64_t)vlapic_ppr_now(a) << 32 | (uint32_t)(a->id - turn - 1);
        if (vlapic_accepting(a) && rank < best)
            best = rank;
    }
    start_range(w, 0, 0);
    if (best == UINT64_MAX)
        return;
    turn += (uint32_t)best + 1;
    __atomic_store_n(&map->turn, turn, __ATOMIC_RELAXED);
    start_range(w, turn, (uint64_t)turn + 1);
    w->without = NULL;
}

void vlapic_map_find(struct vlapic_map *map, const struct vlapic *sender, const struct vlapic_message *m,
                     struct vlapic_walk *w)
{
    w->map = map;
    start(w, sender, m);
    if (m->mode == APIC_DM_LOWEST)
        arbitrate(map, w);
}
