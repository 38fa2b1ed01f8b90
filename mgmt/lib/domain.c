/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain: life of a domain object; see domain.h. Serving its accesses is in domain_service.c, its
 * memory in domain_memory.c.
 */
#include "mgmt/lib/domain.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/domain_parts.h"
#include "mgmt/lib/events.h"

struct frames *domain_frames;
void *(*domain_own_view)(gpa_t gpa, uint64_t bytes);

static struct domain *by_id[DOMAIN_IDS_MAX];

void domain_init(struct frames *frames, void *(*view)(gpa_t gpa, uint64_t bytes))
{
    domain_frames = frames;
    domain_own_view = view;
}

void *domain_kept(const struct domain *domain)
{
    return domain->service[0] ? domain->service[0]->manager : NULL;
}

uint64_t domain_free_pages(void)
{
    return domain_frames->free_pages;
}

struct domain *domain_of(uint32_t id)
{
    return id < DOMAIN_IDS_MAX ? by_id[id] : NULL;
}

void domain_enter(struct domain *domain)
{
    by_id[domain->id] = domain;
    events_set(HV_NOTIFY_DOMAIN(domain->id), domain_notice, domain);
    for (uint32_t vcpu = 0; vcpu < domain->vcpus; vcpu++)
        events_set(HV_NOTIFY_VCPU(domain->id, vcpu), domain_serve, domain);
}

void domain_leave(struct domain *domain)
{
    by_id[domain->id] = NULL;
    events_set(HV_NOTIFY_DOMAIN(domain->id), NULL, NULL);
    for (uint32_t vcpu = 0; vcpu < domain->vcpus; vcpu++)
        events_set(HV_NOTIFY_VCPU(domain->id, vcpu), NULL, NULL);
}

struct domain *domain_create(const char *name, uint32_t max_vcpus, uint32_t flags, uint64_t may,
                             const struct domain_hooks *hooks, int64_t *error)
{
    struct hv_domain_create in = {.flags = flags, .max_vcpus = max_vcpus, .may = may};
    struct domain *domain = calloc(1, sizeof(*domain));
    *error = -HV_ENOMEM;
    if (!domain)
        return NULL;
    strncpy(in.name, name, sizeof(in.name) - 1);
    memcpy(domain->name, in.name, sizeof(domain->name));
    int64_t id = call_domain_create(&in);
    if (id >= DOMAIN_IDS_MAX) {
        (void)call_domain_destroy((uint32_t)id);
        id = -HV_ENOSPC;
    }
    if (id < 0) {
        free(domain);
        *error = id;
        return NULL;
    }
    domain->id = (uint32_t)id;
    if (hooks)
        domain->hooks = *hooks;
    domain_enter(domain);
    *error = 0;
    return domain;
}

int64_t domain_add_vcpu(struct domain *domain)
{
    uint32_t vcpu = domain->vcpus;
    if (vcpu == DOMAIN_VCPUS_MAX)
        return -HV_ENOSPC;
    gpa_t page = frames_take(domain_frames, 1, FRAMES_PAGE, 0);
    if (page == FRAMES_NONE)
        return -HV_ENOMEM;
    struct hv_service *service = domain_own_view(page, FRAMES_PAGE);
    memset(service, 0, FRAMES_PAGE);
    int64_t result = call_vcpu_create(domain->id, vcpu, page);
    if (result < 0) {
        (void)frames_give(domain_frames, page, 1);
        return result;
    }
    domain->service[vcpu] = service;
    domain->service_gpa[vcpu] = page;
    domain->vcpus++;
    events_set(HV_NOTIFY_VCPU(domain->id, vcpu), domain_serve, domain);
    return vcpu;
}

int64_t domain_start(struct domain *domain)
{
    for (uint32_t vcpu = 0; vcpu < domain->vcpus; vcpu++) {
        int64_t result = call_vcpu_start(domain->id, vcpu);
        if (result < 0)
            return result;
    }
    return 0;
}

int64_t domain_release(struct domain *domain)
{
    domain->held = false;
    for (; domain->held_vcpus != 0; domain->held_vcpus &= domain->held_vcpus - 1) {
        uint32_t vcpu = (uint32_t)__builtin_ctzll(domain->held_vcpus);
        int64_t result = call_vcpu_complete(domain->id, vcpu);
        if (result < 0)
            return result;
    }
    return 0;
}

int64_t domain_destroy(struct domain *domain)
{
    int64_t result;
    do {
        result = call_domain_destroy(domain->id);
    } while (result == -HV_EAGAIN);
    if (result < 0 && result != -HV_ESRCH)
        return result;
    domain_leave(domain);
    for (uint32_t vcpu = 0; vcpu < domain->vcpus; vcpu++)
        if (domain->service[vcpu])
            (void)frames_give(domain_frames, domain->service_gpa[vcpu], 1);
    domain_give_memory(domain);
    free(domain);
    return 0;
}
