/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain: memory, vCPUs, rights. Domain 0 is the management domain, made at start; the others by hypercall.
 *
 * Look-up takes no lock. A pointer from domain_get() holds until the executing CPU next serves cross-CPU
 * calls, because domain_destroy() takes the domain out of the table and then makes every CPU answer one call
 * before it frees anything. Interrupts are off in root mode, so a hypercall that does not wait for another
 * CPU never serves one in the middle. Calls that do wait hold the management lock (hv/mgmt), as destroy does.
 */
#ifndef HV_CORE_DOMAIN_H
#define HV_CORE_DOMAIN_H

#include "arch/vmx/ept.h"
#include "guest_abi/hv_mgmt.h"
#include "hv/core/config.h"
#include "hv/core/log.h"

struct vcpu;
struct claims;
struct cpuid_policy;
struct routing;
struct irqchip;
struct doorbells;

struct domain {
    /* Constant after creation. */
    uint16_t id;
    uint16_t manager; /* the domain that made it and gets its notifications */
    uint32_t max_vcpus;
    uint64_t may;
    uint32_t pool_limit; /* pages; 0: none */
    /* Of its vCPUs at their creation: time starts at 0 with the domain; domain 0 has the machine's. */
    uint64_t tsc_offset;
    char name[HV_NAME_SIZE];
    void *msr_bitmap;
    void *io_bitmap[2]; /* A: ports below 0x8000, B: the others */
    struct cpuid_policy *cpuid;
    uint64_t cr4_allowed;    /* follows from it, and the next too */
    uint8_t phys_bits;       /* MAXPHYADDR */
    uint8_t irqchip;         /* HV_DOMAIN_IRQCHIP_* */
    bool tsc_deadline;       /* HV_DOMAIN_TSC_DEADLINE */
    bool outputs;            /* HV_DOMAIN_OUTPUTS */
    bool pit;                /* HV_DOMAIN_PIT */
    void *apics;             /* struct vapic_domain, a page; NULL: no local APICs; and the next too */
    void *pid_table;         /* descriptors by APIC ID, for IPI virtualization; NULL: none */
    void *apic_access_page;  /* mapped at APIC_PAGE_DEFAULT; NULL: none */
    void *msr_bitmap_x2apic; /* for vCPUs in x2APIC mode */
    struct claims *claims;   /* contents under the management lock, read by its vCPUs: claims.c */

    /* Set once, under the management lock, when the domain first needs them: hv/route, hv/irqchip. */
    struct routing *routing;
    struct doorbells *doorbells;
    struct irqchip *chips;
    void (*release)(struct domain *d); /* frees them; the vCPUs are gone */

    /* Under frame_lock. */
    struct ept ept;
    struct ept_env ept_env;
    uint64_t memory_pages, shared_pages;

    /* Under the management lock, but read anywhere. */
    struct vcpu *vcpu[CONFIG_MAX_VCPUS];
    uint32_t vcpu_count;
    uint32_t pause_count;
    bool started;
    bool dying;          /* being destroyed: no further call finds it */
    uint64_t release_at; /* page number where the release of its memory goes on */

    /* Atomic. */
    uint64_t fast_calls;  /* hypercalls that hv_fast_vmcall may make for it: bit per number */
    uint64_t ran_on;      /* CPUs that may hold its EPT translations: bit per CPU, set by vcpu_load */
    uint32_t pool_pages;  /* pages of the pool that it costs */
    uint32_t dead_reason; /* enum hv_dead_reason; set once, by compare-and-swap */
    uint64_t dead_detail;
    struct log_limit log_limit; /* for what it makes us say */
};

extern struct domain *domain_table[CONFIG_MAX_DOMAINS]; /* by id; written under the management lock */

/* NULL: no such domain. Mask, then compare: a wild id cannot be used as an index in speculation. */
static inline struct domain *domain_get(uint64_t id)
{
    struct domain *d = __atomic_load_n(&domain_table[id & (CONFIG_MAX_DOMAINS - 1)], __ATOMIC_ACQUIRE);
    return d && d->id == id && !d->dying ? d : NULL;
}

/* The lowest id from `first` on that exists, or CONFIG_MAX_DOMAINS. */
uint32_t domain_next(uint32_t first);

/* Makes an empty domain. 0, or -HV_ENOMEM, -HV_ENOSPC. */
int domain_create(const struct hv_domain_create *c, uint16_t manager, struct domain **out);

/*
 * Takes it away: vCPUs are stopped, memory is cleared and given back to its manager, a bounded amount per
 * call. False: call again (domain_get_dying finds it). Caller holds the management lock.
 */
bool domain_destroy(struct domain *d);

/*
 * Returns when every CPU has left whatever it was doing with a pointer from domain_get(). Serves cross-CPU
 * calls.
 */
void domain_wait_grace(void);

/* A domain whose destruction has begun and is not complete. Under the management lock. */
struct domain *domain_get_dying(uint64_t id);

/* Is there a domain that d has made, being destroyed or not? Under the management lock. */
bool domain_manages(const struct domain *d);

/* Fills its CPUID answers, MSR and I/O bitmaps; policy.c. False: no memory. */
bool domain_policy_init(struct domain *d);

/* Stops the domain for good after something it did. Any context; the first reason stays. */
void domain_kill(struct domain *d, enum hv_dead_reason reason, uint64_t detail);

static inline bool domain_is_dead(const struct domain *d)
{
    return __atomic_load_n(&d->dead_reason, __ATOMIC_ACQUIRE) != HV_DEAD_NONE;
}

/* Pages of the pool on a domain's account. NULL: the pool or the domain's limit is used up. */
void *domain_page_alloc(struct domain *d);
void domain_page_free(struct domain *d, void *page);

uint32_t domain_count(void);

#endif
