/* SPDX-License-Identifier: BSD-2-Clause */
/* What chaos.c (guests, checks) and chaos_calls.c (the stream of calls) share. */
#pragma once

#include "guest_abi/hv_route.h"
#include "tests/manager/lab.h"

#define CHAOS_GUESTS  5U
#define CHAOS_VCPUS   2U
#define CHAOS_PORT    0x500U /* doorbells: CHAOS_BELLS ports from here on, and as many words at AGENT_MMIO */
#define CHAOS_BELLS   16U
#define CHAOS_KEPT    16U
#define CHAOS_NUMBERS 64U           /* of notifications, from HV_NOTIFY_OWN on */
#define CHAOS_AREA    8U            /* pages for structures and records */
#define CHAOS_SPARE   16U           /* pages that are never looked at here: to be given away */
#define CHAOS_FAR     0x40000000ULL /* above the memory of every test machine */

struct chaos_world {
    struct guest *guest[CHAOS_GUESTS];
    bool touched[CHAOS_GUESTS]; /* something was done to its state that explains that it does not answer */
    bool placed[CHAOS_GUESTS];  /* registers or events were set: an entry may fail */
    uint64_t stray;             /* the domain that a random call made last */
    gpa_t area, spare;
    uint64_t handle[CHAOS_KEPT]; /* notifiers */
    struct hv_doorbell bell[CHAOS_KEPT];
    uint64_t bell_domain[CHAOS_KEPT];
    uint64_t calls, accepted;
    bool verbose;
};
extern struct chaos_world chaos;

void chaos_seed(uint64_t seed);
/* One random call; checks its result, and notes what it has done. */
void chaos_call(void);

/* ---- chaos_table.c */
enum hv_call chaos_interrupt_call(uint64_t which); /* any number is one of them, the usual ones more often */
uint64_t chaos_roll(uint64_t *state, uint64_t below); /* xorshift; the state is never 0 */
uint64_t chaos_limit(uint64_t which);                 /* numbers next to which something changes */
bool chaos_documented(uint32_t call, int64_t result);
uint32_t
chaos_size(enum hv_call call); /* of the structure; 0: none, or one that chaos_calls.c fills in itself */
unsigned chaos_pointer(enum hv_call call); /* the argument that is an address of the caller; 6: none */
