/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: the table, creation, death and destruction. See domain.h for how look-ups and destruction get
 * along.
 */
#include "hv/core/domain.h"

#include <string.h>

#include "arch/cpu/insn.h"
#include "arch/cpu/smp.h"
#include "hv/core/claims.h"
#include "hv/core/domain0.h"
#include "hv/core/domain_mem.h"
#include "hv/core/gmem.h"
#include "hv/core/notify.h"
#include "hv/core/page.h"
#include "hv/core/pcpu.h"
#include "hv/core/sched.h"

_Static_assert(sizeof(struct domain) <= PAGE_SIZE, "one page");
_Static_assert((CONFIG_MAX_DOMAINS & (CONFIG_MAX_DOMAINS - 1)) == 0, "ids are masked");

struct domain *domain_table[CONFIG_MAX_DOMAINS];
static uint32_t count;

struct domain *domain_get_dying(uint64_t id)
{
    struct domain *d = domain_table[id & (CONFIG_MAX_DOMAINS - 1)];
    return d && d->id == id && d->dying ? d : NULL;
}

uint32_t domain_next(uint32_t first)
{
    while (first < CONFIG_MAX_DOMAINS && !domain_get(first))
        first++;
    return first;
}

uint32_t domain_count(void)
{
    return count;
}

void *domain_page_alloc(struct domain *d)
{
    if (d->pool_limit && atomic_load_relaxed(&d->pool_pages) >= d->pool_limit)
        return NULL;
    void *page = page_alloc();
    if (page)
        atomic_add_relaxed(&d->pool_pages, 1);
    return page;
}

void domain_page_free(struct domain *d, void *page)
{
    if (!page)
        return;
    atomic_add_relaxed(&d->pool_pages, -1U);
    page_free(page);
}

/*
 * All pages that a domain has besides its EPT; NULLs are fine, so a creation that failed half-way ends here
 * too.
 */
static void free_domain(struct domain *d)
{
    if (d->ept.root_pa)
        ept_destroy(&d->ept);
    page_free(d->claims);
    page_free(d->apics);
    page_free(d->apic_access_page);
    page_free(d->pid_table);
    page_free(d->msr_bitmap_x2apic);
    page_free(d->cpuid);
    page_free(d->msr_bitmap);
    page_free(d);
}

static struct domain *new_domain(const struct hv_domain_create *c, uint16_t id, uint16_t manager)
{
    struct domain *d = page_alloc();
    if (!d)
        return NULL;
    d->id = id;
    d->manager = manager;
    d->max_vcpus = c->max_vcpus;
    d->may = c->may;
    d->pool_limit = c->pool_pages;
    d->tsc_offset = id ? -rdtsc() : 0;
    memcpy(d->name, c->name, sizeof(d->name));
    d->pool_pages = 1;
    d->msr_bitmap = domain_page_alloc(d);
    d->cpuid = domain_page_alloc(d);
    d->claims = domain_page_alloc(d);
    d->irqchip = c->flags & HV_DOMAIN_IRQCHIP;
    d->tsc_deadline = c->flags & HV_DOMAIN_TSC_DEADLINE;
    d->outputs = c->flags & HV_DOMAIN_OUTPUTS;
    d->pit = c->flags & HV_DOMAIN_PIT;
    if (d->irqchip) {
        d->apics = domain_page_alloc(d);
        d->msr_bitmap_x2apic = domain_page_alloc(d);
    }
    if (!d->msr_bitmap || !d->cpuid || !d->claims || (d->irqchip && (!d->apics || !d->msr_bitmap_x2apic)) ||
        ept_init(&d->ept, domain_mem_ept_env(d)) != EPT_OK || !domain_policy_init(d)) {
        free_domain(d);
        return NULL;
    }
    return d;
}

int domain_create(const struct hv_domain_create *c, uint16_t manager, struct domain **out)
{
    uint16_t id = 0;
    while (id < CONFIG_MAX_DOMAINS && domain_table[id])
        id++;
    if (id == CONFIG_MAX_DOMAINS)
        return -HV_ENOSPC;
    struct domain *d = new_domain(c, id, manager);
    if (!d)
        return -HV_ENOMEM;
    /* Release: who finds the domain sees it complete. */
    atomic_store_release(&domain_table[id], d);
    count++;
    *out = d;
    return 0;
}

bool domain_manages(const struct domain *d)
{
    for (uint32_t id = 0; id < CONFIG_MAX_DOMAINS; id++)
        if (domain_table[id] && domain_table[id] != d && domain_table[id]->manager == d->id)
            return true;
    return false;
}

void domain_kill(struct domain *d, enum hv_dead_reason reason, uint64_t detail)
{
    uint32_t none = HV_DEAD_NONE;
    if (d->id == 0) {
        domain0_died();
        return;
    }
    if (!atomic_compare_exchange_full(&d->dead_reason, &none, (uint32_t)reason))
        return;
    d->dead_detail = detail;
    for (uint32_t i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = atomic_load_acquire(&d->vcpu[i]);
        if (v)
            sched_hold(v, HOLD_DEAD);
    }
    notify_manager(d, HV_NOTIFY_DOMAIN(d->id));
}

static void nothing(void *unused)
{
    (void)unused;
}

void domain_wait_grace(void)
{
    for (uint32_t i = 0; i < pcpu_count; i++)
        smp_call(&pcpu_table[i]->arch, nothing, NULL);
}

/* Takes it out of everybody's sight, and its vCPUs off the CPUs, for good. */
static void disappear(struct domain *d)
{
    __atomic_store_n(&d->dying, true, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];
        if (!v)
            continue;
        sched_hold(v, HOLD_DEAD);
        sched_wait_stopped(v);
        timer_cancel(&v->apic_timer);
        timer_cancel(&v->wait_timer); /* it may be firing elsewhere: the grace below waits for that too */
    }
    domain_wait_grace();
    if (d->release)
        d->release(d);
    for (uint32_t i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];
        if (!v)
            continue;
        if (v->service)
            gmem_unpin(v->service);
        if (v->notify)
            gmem_unpin(v->notify);
        d->vcpu[i] = NULL;
        vcpu_free(v);
    }
}

bool domain_destroy(struct domain *d)
{
    if (!d->dying)
        disappear(d);
    if (!domain_mem_release(d))
        return false;
    count--;
    atomic_store_release(&domain_table[d->id], NULL);
    free_domain(d);
    return true;
}
