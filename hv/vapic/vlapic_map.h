/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which APICs of a domain a message is for: see vlapic_map.c. Lookups are for anybody, at any time; an APIC's
 * owner changes that APIC's entry and no other. What a lookup returns stays valid as long as the domain's
 * vCPUs do.
 *
 *     struct vlapic_walk w;
 *     struct vlapic *t;
 *     vlapic_map_find(map, sender, &message, &w);
 *     while ((t = vlapic_map_next(&w)) != NULL)
 *         deliver(t, &message);
 */
#ifndef HV_VAPIC_VLAPIC_MAP_H
#define HV_VAPIC_VLAPIC_MAP_H

#include "hv/vapic/vlapic.h"

#define VLAPIC_MAP_NARROW 4 /* words of a set of xAPIC IDs */

enum { VLAPIC_MAP_FLAT, VLAPIC_MAP_CLUSTER = 8, VLAPIC_MAP_LOGICAL = VLAPIC_MAP_CLUSTER + 64 };

struct vlapic_map {
    struct vlapic **by_id; /* `ids` of them; NULL: no such APIC */
    uint32_t ids;
    uint32_t end;  /* highest ID that is there, plus 1; only grows */
    uint32_t turn; /* ID that won the last tie for lowest priority */
    /*
     * xAPIC logical: who has this bit in its LDR. Flat by bit; cluster by number * 4 + bit. Each a set of
     * APIC IDs below 256.
     */
    uint64_t logical[VLAPIC_MAP_LOGICAL][VLAPIC_MAP_NARROW];
};

struct vlapic_walk {
    const struct vlapic_map *map;
    const struct vlapic *without; /* the sender, for "others" */
    bool range;                   /* position to end are IDs; otherwise places in word[] */
    uint32_t position, end;
    uint32_t cluster;
    uint64_t word[1 + VLAPIC_MAP_NARROW]; /* sets of IDs to come; the first: members of the cluster */
};

/* `by_id` is an array of `ids` NULLs for IDs 0 to ids - 1. */
void vlapic_map_init(struct vlapic_map *map, struct vlapic **by_id, uint32_t ids);
/* One at a time; APICs stay until the domain ends. False: the ID is out of range or taken. */
bool vlapic_map_add(struct vlapic_map *map, struct vlapic *a);
/* After VLAPIC_FACT_LOGICAL, INIT, or a state record. */
void vlapic_map_update(struct vlapic_map *map, struct vlapic *a);

/*
 * Starts a walk. A message with mode lowest priority finds at most one: of those that accept it, the one with
 * the lowest PPR, equals taking turns. `sender` may be NULL when the message has no shorthand.
 */
void vlapic_map_find(struct vlapic_map *map, const struct vlapic *sender, const struct vlapic_message *m,
                     struct vlapic_walk *w);
struct vlapic *vlapic_map_next(struct vlapic_walk *w);

#endif
