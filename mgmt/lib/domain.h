/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain: a domain that this manager builds and serves.
 *
 * Order of a life: domain_create; domain_add_memory for each range of its memory, which takes frames
 * and clears them; whatever is to be in that memory is written through domain_view; domain_add_range
 * for each device; domain_donate, from which on the memory is out of the manager's sight (but for a domain
 * whose devices work in its memory: domain->shared);
 * domain_add_vcpu and the vCPU's state by call_vcpu_set; domain_start. Accesses of the domain then
 * reach the devices from the event loop. domain_destroy, at any point, returns everything.
 *
 * Results are zero or positive, or a negative HV_E*; after an error the domain is as before the
 * call or, for domain_donate and domain_start, is only good for domain_destroy.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest_abi/hv_mgmt.h"
#include "guest_abi/hv_vcpu.h"
#include "mgmt/lib/access.h"
#include "mgmt/lib/frames.h"

enum { DOMAIN_VCPUS_MAX = 64, DOMAIN_IDS_MAX = 256 };

/* Guest-physical memory of the domain, in one piece at both sides. */
struct domain_chunk {
    gpa_t target;
    gpa_t own; /* in the manager */
    uint64_t pages;
};

struct domain;

/* What the library tells its user; each may be NULL. */
struct domain_hooks {
    /* The domain is dead (a triple fault, a state that does not enter...). */
    void (*dead)(struct domain *domain, const struct hv_domain_info *info);
    /* An access was answered; its vCPU goes on afterwards. Where domain_kept() is brought up to date. */
    void (*answered)(struct domain *domain);
    /* An exit that the table of devices does not answer: HV_EXIT_DECODE, HV_EXIT_KICK. The vCPU
     * goes on afterwards unless domain->held was set. */
    void (*other)(struct domain *domain, uint32_t vcpu, struct hv_service *service);
    void *ctx;
};

struct domain {
    uint32_t id;
    char name[HV_NAME_SIZE];
    bool donated;
    bool shared;  /* its memory stays in sight of this program; set before domain_donate */
    bool adopted; /* claims are there already */
    bool held;    /* set by a device: do not let the vCPU go on; domain_release does later */
    uint64_t held_vcpus;
    struct domain_chunk *chunk;
    uint32_t chunks;
    uint32_t chunk_capacity;
    uint32_t vcpus;
    struct hv_service *service[DOMAIN_VCPUS_MAX];
    gpa_t service_gpa[DOMAIN_VCPUS_MAX];
    struct access_table access;
    struct domain_hooks hooks;
};

/* Once, before all others: where frames come from, and how the manager sees its own memory (NULL:
 * not at all). */
void domain_init(struct frames *frames, void *(*view)(gpa_t gpa, uint64_t bytes));

/* Pages that new domains can have. */
uint64_t domain_free_pages(void);

/* A page of that memory for this program's own use, not cleared. NULL: there is none. */
void *domain_page_take(void);
void domain_page_give(void *page);

/* NULL and *error: no memory, or what the hypervisor says. `flags`: HV_DOMAIN_*; `may`: HV_MAY_*. */
struct domain *domain_create(const char *name, uint32_t max_vcpus, uint32_t flags, uint64_t may,
                             const struct domain_hooks *hooks, int64_t *error);

/*
 * A domain that a former instance of this program made: finds its vCPUs, service pages and memory.
 * Then domain_add_range for its devices, as the former instance had them, and domain_serve_waiting.
 * NULL and *error: no memory, or what the hypervisor says. `*lost`: pages that were donated to it and
 * not found; they will not be used again.
 */
struct domain *domain_adopt(uint32_t id, const struct domain_hooks *hooks, uint64_t *lost, int64_t *error);

/* The same for a domain that another manager serves: it is good for domain_destroy only. */
struct domain *domain_adopt_foreign(uint32_t id, int64_t *error);

/* Answers the accesses that have waited since before the adoption, and tells of its death. */
void domain_serve_waiting(struct domain *domain);

int64_t domain_add_memory(struct domain *domain, gpa_t target, uint64_t pages);

/* Memory of the domain before it is donated, or while it is shared: at least one byte, at most *bytes,
 * which is lowered to what lies in one piece. NULL: not its memory. */
void *domain_view(struct domain *domain, gpa_t gpa, uint64_t *bytes);

/* Copies in, across pieces. False: not all of it is memory; nothing is copied then. */
bool domain_write(struct domain *domain, gpa_t gpa, const void *from, uint64_t bytes);

/* Puts a device's range into the table and claims it. */
int64_t domain_add_range(struct domain *domain, const struct access_range *range);

int64_t domain_donate(struct domain *domain);
int64_t domain_add_vcpu(struct domain *domain); /* -> number of the vCPU */
int64_t domain_start(struct domain *domain);    /* all vCPUs */
int64_t domain_release(struct domain *domain);  /* vCPUs that were held go on */

/* Ends it, if it is not dead, and frees the object. A negative result means that the hypervisor
 * still has it: the object is kept. */
int64_t domain_destroy(struct domain *domain);

/* DOMAIN_KEPT_SIZE bytes for the user of the library, zero at first, that a later instance of this
 * program finds as they were; they are in the service page of vCPU 0. NULL: it has none yet. */
enum { DOMAIN_KEPT_SIZE = sizeof(((struct hv_service *)0)->manager) };
void *domain_kept(const struct domain *domain);

/* The object of a domain that this manager made; NULL: none. */
struct domain *domain_of(uint32_t id);
