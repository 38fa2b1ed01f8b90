/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of domains: donating, sharing and taking back, on the frame table and two EPTs. All under the
 * management lock, and in bounded steps: each call says how many pages it has done. See domain_mem.c for the
 * order of steps.
 */
#ifndef HV_CORE_DOMAIN_MEM_H
#define HV_CORE_DOMAIN_MEM_H

#include "hv/core/domain.h"

const struct ept_env *domain_mem_ept_env(struct domain *d);

/*
 * Moves pages from `owner`, which is domain 0, to `d`. Returns the number of pages done, at least 1, or:
 * -HV_EFAULT own is not memory that the owner may give (not mapped, read-only, not its own frame); -HV_EBUSY
 * a frame is shared or pinned; -HV_EEXIST something is mapped at the target; -HV_ENOMEM.
 */
int64_t domain_mem_donate(struct domain *owner, struct domain *d, const struct hv_mem *m);

/* The same, but the frames stay the owner's, mapped in both. -HV_EBUSY: shared too often (65535). */
int64_t domain_mem_share(struct domain *owner, struct domain *d, const struct hv_mem *m);

/*
 * Takes [gpa, gpa + pages) from d, holes skipped: donated frames are cleared and given back to domain 0,
 * shared ones are let go. -HV_EBUSY: the first page is pinned or shared on.
 */
int64_t domain_mem_unmap(struct domain *d, gpa_t gpa, uint64_t pages);

/* During destruction: takes back all, a bounded number of pages per call. True: done. */
bool domain_mem_release(struct domain *d);

/*
 * Why did an access fault? True: it need not have, and can be tried again: a stale translation was used, or
 * memory of domain 0 was not mapped yet.
 */
bool domain_mem_refault(struct domain *d, uint64_t gpa, uint64_t access);

/*
 * The page for APIC accesses, of the hypervisor's memory, at APIC_PAGE_DEFAULT. False: no memory, or
 * something is mapped there. Unmapping waits for other CPUs and needs no management lock.
 */
bool domain_mem_map_apic(struct domain *d, uint64_t pa);
void domain_mem_unmap_apic(struct domain *d);

/* Makes every CPU that has run d forget its translations. Serves cross-CPU calls; no lock held. */
void domain_mem_shootdown(struct domain *d);

#endif
