/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving memory between domains.
 *
 * A frame never becomes usable for its new owner while a stale translation of the old one can exist:
 *
 *   donate    lock: check everything, unmap from the owner, frame owner = new domain; unlock
 *             invalidate the owner's translations on every CPU that has run it
 *             lock: map into the new domain; unlock        (cannot map: give it back to the old owner, whose tables are still there)
 *   unmap     lock: check, unmap from the domain; unlock
 *             invalidate the domain's translations; clear the frames
 *             lock: frame owner = domain 0, map where that had it; unlock
 *
 * frame_lock guards the frame table and all EPTs; it is a leaf lock, and an invalidation waits for other
 * CPUs, so it is never held across one. What happens in between is safe because every such operation holds
 * the management lock. In domain 0 a frame's guest-physical address is its physical address, so "where it had
 * it" needs no memory; that is why only domain 0 donates. Other managers share.
 */
#include "hv/core/domain_mem.h"

#include "arch/cpu/smp.h"
#include "arch/vmx/vmx.h"
#include "guest_abi/apic.h"
#include "hv/core/frame.h"
#include "hv/core/gmem.h"
#include "hv/core/page.h"
#include "hv/core/panic.h"
#include "hv/core/pcpu.h"
#include "hv/core/readiness.h"

#define CHUNK_MAX     (GIB / PAGE_SIZE) /* pages mapped per step: the largest leaf */
#define SCRUB_MAX     512UL             /* pages cleared per step */
#define RELEASE_STEPS 8                 /* of SCRUB_MAX pages, per call of domain_mem_release */
#define LEAF_COST     8UL               /* pages that could be cleared while one small leaf is taken away */
#define SHARES_MAX    0xffffU

static uint64_t table_alloc(void *ctx)
{
    void *page = domain_page_alloc(ctx);
    return page ? page_pa(page) : 0;
}

static void table_free(void *ctx, uint64_t pa)
{
    domain_page_free(ctx, page_from_pa(pa));
}

static void *table_at(void *ctx, uint64_t pa)
{
    (void)ctx;
    return page_from_pa(pa);
}

const struct ept_env *domain_mem_ept_env(struct domain *d)
{
    d->ept_env = (struct ept_env){
        .page_alloc = table_alloc,
        .page_free = table_free,
        .page_at = table_at,
        .ctx = d,
        .large_1g = vmx_caps_has(readiness_caps(), VMX_WORD_EPT_VPID, EPT_CAP_1G),
    };
    return &d->ept_env;
}

static void invept_here(void *arg)
{
    vmx_invept(*(const uint64_t *)arg);
}

static void invalidate(struct domain *d)
{
    uint64_t eptp = ept_pointer(&d->ept);
    uint64_t cpus = atomic_load_acquire(&d->ran_on);
    for (uint32_t i = 0; i < pcpu_count; i++)
        if (cpus & BIT(i))
            smp_call(&pcpu_table[i]->arch, invept_here, &eptp);
}

void domain_mem_shootdown(struct domain *d)
{
    invalidate(d);
    /*
     * Every CPU has passed: tables that were unlinked before can go. The management lock keeps new ones from
     * coming in between.
     */
    spin_lock(&frame_lock);
    ept_reap(&d->ept);
    spin_unlock(&frame_lock);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The run of pages at m->own that lies in one leaf of the owner, and its physical address; 0: none. */
static uint64_t own_run(struct domain *owner, const struct hv_mem *m, uint64_t *pa)
{
    struct ept_leaf leaf = ept_lookup(&owner->ept, m->own);
    if ((leaf.access & (EPT_R | EPT_W)) != (EPT_R | EPT_W) || leaf.type != EPT_WB)
        return 0;
    uint64_t offset = m->own - leaf.gpa;
    *pa = leaf.pa + offset;
    return least(least(m->pages, CHUNK_MAX), (leaf.size - offset) / PAGE_SIZE);
}

static uint64_t ept_access(const struct hv_mem *m)
{
    return EPT_R | (m->flags & HV_MEM_WRITE ? EPT_W : 0) | (m->flags & HV_MEM_EXEC ? EPT_X : 0);
}

/* A page of the hypervisor, for APIC accesses: to everybody but the processor it is a hole. */
static bool is_apic_page(const struct ept_leaf *leaf)
{
    const struct frame *f = frame_at(leaf->pa);
    return f && f->owner == FRAME_HV;
}

/* Where a domain has its local APICs no memory may appear, whether the page is mapped or not. */
static bool hits_apic(const struct domain *d, gpa_t gpa, uint64_t pages)
{
    return d->apics && gpa <= APIC_PAGE_DEFAULT && APIC_PAGE_DEFAULT - gpa < pages * PAGE_SIZE;
}

bool domain_mem_map_apic(struct domain *d, uint64_t pa)
{
    spin_lock(&frame_lock);
    enum ept_status s = ept_map(&d->ept, APIC_PAGE_DEFAULT, pa, PAGE_SIZE, EPT_R | EPT_W, EPT_WB);
    spin_unlock(&frame_lock);
    return s == EPT_OK;
}

void domain_mem_unmap_apic(struct domain *d)
{
    spin_lock(&frame_lock);
    enum ept_status s = ept_unmap(&d->ept, APIC_PAGE_DEFAULT, PAGE_SIZE);
    spin_unlock(&frame_lock);
    hv_assert(s == EPT_OK);
    invalidate(d);
}

/* Is [gpa, gpa + pages) free in d? */
static bool target_free(struct domain *d, gpa_t gpa, uint64_t pages)
{
    uint64_t end = gpa + pages * PAGE_SIZE;
    if (hits_apic(d, gpa, pages))
        return false;
    while (gpa < end) {
        struct ept_leaf leaf = ept_lookup(&d->ept, gpa);
        if (leaf.access)
            return false;
        gpa = leaf.gpa + leaf.size;
    }
    return true;
}

bool domain_mem_refault(struct domain *d, uint64_t gpa, uint64_t access)
{
    bool mapped = false;
    spin_lock(&frame_lock);
    struct ept_leaf leaf = ept_lookup(&d->ept, gpa);
    const struct frame *f = leaf.access ? NULL : frame_at(gpa);
    if (leaf.access)
        mapped = (leaf.access & access) == access;
    else if (d->id == 0 && f && f->owner == 0)
        mapped = ept_map(&d->ept, gpa & PAGE_MASK, gpa & PAGE_MASK, PAGE_SIZE,
                         f->flags & FRAME_MODULE ? EPT_R | EPT_X : EPT_R | EPT_W | EPT_X, EPT_WB) == EPT_OK;
    spin_unlock(&frame_lock);
    return mapped;
}

static int ept_error(enum ept_status s)
{
    return s == EPT_NO_MEMORY ? -HV_ENOMEM : -HV_EEXIST;
}

/* First half of a donation, under frame_lock: pages taken from the owner, or an error. */
static int64_t take_from_owner(struct domain *owner, struct domain *d, const struct hv_mem *m, uint64_t *pa)
{
    uint64_t pages = own_run(owner, m, pa);
    struct frame *f = pages ? frame_at(*pa) : NULL;
    if (!f || f->owner != owner->id || (f->flags & FRAME_MODULE))
        return -HV_EFAULT;
    pages = frame_free_run(*pa, pages, owner->id);
    if (!pages)
        return -HV_EBUSY;
    if (!target_free(d, m->target, pages))
        return -HV_EEXIST;
    enum ept_status s = ept_unmap(&owner->ept, m->own, pages * PAGE_SIZE);
    if (s != EPT_OK)
        return ept_error(s);
    frame_set_owner(*pa, pages * PAGE_SIZE, d->id, 0);
    owner->memory_pages -= pages;
    d->memory_pages += pages;
    return (int64_t)pages;
}

/*
 * Under frame_lock: back to where it was. The tables that led there are kept by ept_unmap, so as a rule no
 * page is needed. Memory that left as one large leaf and comes back in pieces does need tables; when there
 * are none, domain 0 gets it page by page when it touches it (domain_mem_refault).
 */
static void give_back(struct domain *owner, struct domain *d, gpa_t own, uint64_t pa, uint64_t pages)
{
    frame_set_owner(pa, pages * PAGE_SIZE, owner->id, 0);
    owner->memory_pages += pages;
    d->memory_pages -= pages;
    enum ept_status s = ept_map(&owner->ept, own, pa, pages * PAGE_SIZE, EPT_R | EPT_W | EPT_X, EPT_WB);
    if (s != EPT_OK && owner->id)
        log_error("domain %u: %lu pages at %#lx cannot be mapped again: no page tables", owner->id, pages,
                  own);
}

int64_t domain_mem_donate(struct domain *owner, struct domain *d, const struct hv_mem *m)
{
    uint64_t pa = 0;
    spin_lock(&frame_lock);
    int64_t pages = take_from_owner(owner, d, m, &pa);
    spin_unlock(&frame_lock);
    if (pages < 0)
        return pages;
    domain_mem_shootdown(owner);
    spin_lock(&frame_lock);
    enum ept_status s = ept_map(&d->ept, m->target, pa, (uint64_t)pages * PAGE_SIZE, ept_access(m), EPT_WB);
    if (s != EPT_OK)
        give_back(owner, d, m->own, pa, (uint64_t)pages);
    spin_unlock(&frame_lock);
    return s == EPT_OK ? pages : ept_error(s);
}

int64_t domain_mem_share(struct domain *owner, struct domain *d, const struct hv_mem *m)
{
    uint64_t pa = 0;
    int64_t result = -HV_EFAULT;
    spin_lock(&frame_lock);
    uint64_t pages = own_run(owner, m, &pa);
    struct frame *f = pages ? frame_at(pa) : NULL;
    if (f && f->owner == owner->id && !(f->flags & FRAME_MODULE)) {
        uint64_t run = 0;
        while (run < pages && f[run].owner == owner->id && f[run].shares < SHARES_MAX)
            run++;
        enum ept_status s = hits_apic(d, m->target, run) ? EPT_EXISTS
                            : run ? ept_map(&d->ept, m->target, pa, run * PAGE_SIZE, ept_access(m), EPT_WB)
                                  : EPT_OK;
        if (!run) {
            result = -HV_EBUSY;
        } else if (s != EPT_OK) {
            result = ept_error(s);
        } else {
            for (uint64_t i = 0; i < run; i++)
                f[i].shares++;
            d->shared_pages += run;
            result = (int64_t)run;
        }
    }
    spin_unlock(&frame_lock);
    return result;
}

/*
 * Frames from f on, at most `pages`, that are d's and that nobody holds, or that are others'; *own tells
 * which kind the run is.
 */
static uint64_t run_of_kind(const struct frame *f, const struct domain *d, uint64_t pages, bool *own)
{
    uint64_t run = 0;
    *own = f->owner == d->id;
    while (run < pages && (f[run].owner == d->id) == *own && (!*own || (!f[run].shares && !f[run].pins)))
        run++;
    return run;
}

/* One step of taking back: the run at gpa in one leaf. Pages done, 0 when the first one is held. */
static int64_t unmap_run(struct domain *d, const struct ept_leaf *leaf, gpa_t gpa, uint64_t pages)
{
    uint64_t offset = gpa - leaf->gpa, pa = leaf->pa + offset;
    bool own;
    spin_lock(&frame_lock);
    struct frame *f = frame_at(pa);
    hv_assert(f);
    uint64_t run = run_of_kind(f, d, least(least(pages, SCRUB_MAX), (leaf->size - offset) / PAGE_SIZE), &own);
    enum ept_status s = run ? ept_unmap(&d->ept, gpa, run * PAGE_SIZE) : EPT_OK;
    spin_unlock(&frame_lock);
    if (!run)
        return -HV_EBUSY;
    if (s != EPT_OK)
        return ept_error(s);
    domain_mem_shootdown(d);
    if (own)
        gmem_scrub(pa, run);
    spin_lock(&frame_lock);
    if (own) {
        give_back(domain_get(0), d, pa, pa, run);
    } else {
        for (uint64_t i = 0; i < run; i++)
            f[i].shares--;
        d->shared_pages -= run;
    }
    spin_unlock(&frame_lock);
    return (int64_t)run;
}

int64_t domain_mem_unmap(struct domain *d, gpa_t gpa, uint64_t pages)
{
    uint64_t done = 0, mapped = 0;
    while (done < pages && mapped < RELEASE_STEPS * SCRUB_MAX) {
        struct ept_leaf leaf = ept_lookup(&d->ept, gpa + done * PAGE_SIZE);
        if (!leaf.access || is_apic_page(&leaf)) {
            done = least(pages, done + (leaf.gpa + leaf.size - (gpa + done * PAGE_SIZE)) / PAGE_SIZE);
            continue;
        }
        int64_t run = unmap_run(d, &leaf, gpa + done * PAGE_SIZE, pages - done);
        if (run < 0)
            return done ? (int64_t)done : run;
        done += (uint64_t)run;
        mapped += (uint64_t)run;
    }
    return (int64_t)done;
}

/*
 * A leaf of a dying domain, cleared already, goes as a whole: that never needs a page for tables. Leaves are
 * of one kind, since one call has made them.
 */
static void release_leaf(struct domain *d, const struct ept_leaf *leaf, bool own)
{
    uint64_t pages = leaf->size / PAGE_SIZE;
    spin_lock(&frame_lock);
    struct frame *f = frame_at(leaf->pa);
    enum ept_status s = ept_unmap(&d->ept, leaf->gpa, leaf->size);
    hv_assert(s == EPT_OK);
    if (own) {
        /* Nobody else can hold its frames: its vCPUs are gone, and nothing is shared on. */
        hv_assert(frame_free_run(leaf->pa, pages, d->id) == pages);
        give_back(domain_get(0), d, leaf->pa, leaf->pa, pages);
    } else {
        for (uint64_t i = 0; i < pages; i++)
            f[i].shares--;
        d->shared_pages -= pages;
    }
    spin_unlock(&frame_lock);
}

bool domain_mem_release(struct domain *d)
{
    const uint64_t all = EPT_GPA_END / PAGE_SIZE;
    /* Nothing of it runs again, so once is enough. */
    if (!d->release_at)
        domain_mem_shootdown(d);
    for (uint64_t mapped = 0; d->release_at < all && mapped < RELEASE_STEPS * SCRUB_MAX;) {
        struct ept_leaf leaf = ept_lookup(&d->ept, d->release_at * PAGE_SIZE);
        uint64_t left = (leaf.gpa + leaf.size) / PAGE_SIZE - d->release_at;
        if (!leaf.access || is_apic_page(&leaf)) {
            d->release_at += least(left, all - d->release_at);
            continue;
        }
        uint64_t pages = least(left, SCRUB_MAX);
        uint64_t pa = leaf.pa + d->release_at * PAGE_SIZE - leaf.gpa;
        bool own = frame_at(pa)->owner == d->id;
        if (own)
            gmem_scrub(pa, pages);
        if (pages == left)
            release_leaf(d, &leaf, own);
        d->release_at += pages;
        mapped += pages < LEAF_COST ? LEAF_COST : pages;
    }
    return d->release_at >= all;
}
