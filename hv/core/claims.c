/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Claimed ranges: an unsorted array, since a domain has few and each look-up precedes a round trip to the
 * manager anyway.
 */
#include "hv/core/claims.h"

#include "arch/cpu/bits.h"
#include "arch/vmx/ept.h"

static bool valid(const struct hv_claim *c)
{
    uint64_t limit = c->space == HV_CLAIM_PIO ? 0x10000 : EPT_GPA_END;
    if (c->space > HV_CLAIM_MMIO || !c->length || c->base >= limit || c->length > limit - c->base)
        return false;
    return c->space == HV_CLAIM_PIO || !((c->base | c->length) & ~PAGE_MASK);
}

int claims_add(struct claims *c, const struct hv_claim *claim)
{
    if (!valid(claim))
        return -HV_EINVAL;
    uint64_t start = claim->base, end = claim->base + claim->length;
    int result = 0;
    spin_lock(&c->lock);
    for (uint32_t i = 0; i < c->count && !result; i++)
        if (c->claim[i].space == claim->space && c->claim[i].start < end && start < c->claim[i].end)
            result = -HV_EEXIST;
    if (!result && c->count == CLAIMS_MAX)
        result = -HV_ENOSPC;
    if (!result)
        c->claim[c->count++] = (struct claim){.start = start, .end = end, .space = claim->space};
    spin_unlock(&c->lock);
    return result;
}

int claims_remove(struct claims *c, const struct hv_claim *claim)
{
    int result = -HV_ENOENT;
    spin_lock(&c->lock);
    for (uint32_t i = 0; i < c->count; i++) {
        struct claim *at = &c->claim[i];
        if (at->space == claim->space && at->start == claim->base && at->end - at->start == claim->length) {
            *at = c->claim[--c->count];
            result = 0;
            break;
        }
    }
    spin_unlock(&c->lock);
    return result;
}

bool claims_has(struct claims *c, enum hv_claim_space space, uint64_t address, uint64_t width)
{
    if (!atomic_load_relaxed(&c->count))
        return false;
    bool found = false;
    spin_lock(&c->lock);
    for (uint32_t i = 0; i < c->count && !found; i++)
        found =
            c->claim[i].space == space && address < c->claim[i].end && c->claim[i].start < address + width;
    spin_unlock(&c->lock);
    return found;
}
