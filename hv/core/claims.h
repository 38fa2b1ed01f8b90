/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a manager has claimed of a domain's ports and memory: accesses there become services. Pure but for its
 * lock.
 */
#ifndef HV_CORE_CLAIMS_H
#define HV_CORE_CLAIMS_H

#include "guest_abi/hv_mgmt.h"
#include "arch/cpu/spinlock.h"

#define CLAIMS_MAX 128

struct claim {
    uint64_t start, end; /* end exclusive */
    uint32_t space;      /* enum hv_claim_space */
    uint32_t reserved;
};

/* One zeroed page. */
struct claims {
    struct spinlock lock; /* a leaf lock: vCPUs look up while the manager changes */
    uint32_t count;
    struct claim claim[CLAIMS_MAX];
};
_Static_assert(sizeof(struct claims) <= 4096, "one page");

/*
 * 0; -HV_EINVAL: empty, beyond the space, or (MMIO) not whole pages; -HV_EEXIST: overlaps a claim;
 * -HV_ENOSPC: CLAIMS_MAX.
 */
int claims_add(struct claims *c, const struct hv_claim *claim) __attribute__((warn_unused_result));

/* 0; -HV_ENOENT: no claim with exactly this range. */
int claims_remove(struct claims *c, const struct hv_claim *claim) __attribute__((warn_unused_result));

/*
 * Is any of the `width` bytes from address on claimed? An access that only reaches into a claim goes to the
 * manager whole.
 */
bool claims_has(struct claims *c, enum hv_claim_space space, uint64_t address, uint64_t width);

#endif
