/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The posted-interrupt descriptor, SDM volume 3, "Posted-Interrupt Processing". Anybody posts; one taker, the
 * CPU that runs the vCPU, or hardware in its place, moves what was posted into IRR. Used on all processors,
 * with hardware that knows it or without.
 *
 *   poster                                  taker
 *     1 PIR[v] = 1  was 1: merged, done       a ON = 0: what is posted behind it is announced again
 *     2 ON = 1      was 1: announced, done    b exchange the PIR words with 0, OR them into IRR
 *     3 tell the vCPU (deliver.c)
 *
 * A vector whose poster finds ON set at 2 was in PIR before: the taker, who clears ON at a, sees it at b. ON
 * set with PIR empty is legal and means nothing. All steps are locked instructions, so there is no barrier to
 * forget here; the one that matters is in deliver.c, between 2 and the look at where the vCPU is.
 * tests/models/posted.pml.
 */
#ifndef HV_VAPIC_PI_H
#define HV_VAPIC_PI_H

#include "arch/cpu/atomic.h"
#include "arch/cpu/bits.h"

struct pi_desc {
    uint64_t pir[4];
    uint64_t control; /* 0 ON, 1 SN, 23:16 NV, 63:32 NDST */
    uint64_t reserved[3];
};
_Static_assert(sizeof(struct pi_desc) == 64, "the processor's");
_Static_assert(offsetof(struct pi_desc, control) == 32, "the processor's");

#define PI_ON         BIT(0)
#define PI_SN         BIT(1)
#define PI_NV_SHIFT   16
#define PI_NDST_SHIFT 32

enum pi_post { PI_MERGED, PI_ANNOUNCED, PI_TELL };

static inline enum pi_post pi_post(struct pi_desc *p, uint8_t vector)
{
    bool pending, on;
    /* One instruction each, where compilers make a loop of compare-and-swap. Full barriers like all locked ones. */
    __asm__ volatile("lock btsq %2, %1" : "=@ccc"(pending), "+m"(p->pir) : "r"((uint64_t)vector) : "memory");
    if (__builtin_expect(pending, 0))
        return PI_MERGED;
    __asm__ volatile("lock btsq $0, %1" : "=@ccc"(on), "+m"(p->control)::"memory");
    return __builtin_expect(on, 0) ? PI_ANNOUNCED : PI_TELL;
}

static inline bool pi_on(const struct pi_desc *p)
{
    return atomic_load_relaxed(&p->control) & PI_ON;
}

/* Step a, and step b for each of the words. */
static inline void pi_clear_on(struct pi_desc *p)
{
    atomic_fetch_and_full(&p->control, ~PI_ON);
}

static inline uint64_t pi_take(struct pi_desc *p, unsigned word)
{
    return atomic_load_relaxed(&p->pir[word]) ? atomic_exchange_full(&p->pir[word], 0) : 0;
}

#endif
