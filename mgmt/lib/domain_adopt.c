/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_adopt: domains of a former instance of this program.
 *
 * The hypervisor tells which vCPUs there are and where their service pages lie. Its memory is found by
 * asking for every address, leaf by leaf, until as many donated pages have been seen as the domain
 * has; holes are walked page by page, with a limit. A vCPU may have been left in service: with its
 * request still on the page, or answered and not completed.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/domain.h"
#include "mgmt/lib/domain_parts.h"

/* Pages without memory that are looked at: the hole below 4 GiB, four times. */
#define HOLES_MAX (1ULL << 20)

static void find_vcpus(struct domain *domain, uint32_t max_vcpus)
{
    for (uint32_t vcpu = 0; vcpu < max_vcpus && vcpu < DOMAIN_VCPUS_MAX; vcpu++) {
        struct hv_vcpu_info info;
        if (call_vcpu_info(domain->id, vcpu, &info) < 0)
            continue;
        domain->vcpus = vcpu + 1;
        if (!frames_expect(domain_frames))
            continue;
        domain->service_gpa[vcpu] = info.service;
        domain->service[vcpu] = domain_own_view(info.service, FRAMES_PAGE);
    }
}

/* A piece that goes on where the last one ended becomes part of it. False: no memory. */
static bool add_piece(struct domain *domain, gpa_t target, gpa_t own, uint64_t pages)
{
    if (domain->chunks > 0) {
        struct domain_chunk *last = &domain->chunk[domain->chunks - 1];
        uint64_t bytes = last->pages * FRAMES_PAGE;
        if (last->target + bytes == target && last->own + bytes == own) {
            last->pages += pages;
            return true;
        }
    }
    return frames_expect(domain_frames) && domain_add_chunk(domain, target, own, pages);
}

/* Pages that were not found. */
static uint64_t find_memory(struct domain *domain, uint64_t pages)
{
    uint64_t holes = 0;
    for (gpa_t gpa = 0; pages > 0 && holes < HOLES_MAX;) {
        struct hv_mem_query query = {.gpa = gpa};
        int64_t result = call_mem_query(domain->id, &query);
        if (result == -HV_ENOENT) {
            holes++;
            gpa += FRAMES_PAGE;
            continue;
        }
        if (result < 0 || query.length == 0)
            break;
        uint64_t found = query.length / FRAMES_PAGE;
        if (found > pages)
            found = pages;
        if (query.owner == domain->id || query.owner == 0) { /* given away, or shared by this program */
            if (!add_piece(domain, gpa, query.own, found))
                break;
            pages -= found;
        }
        gpa += query.length;
    }
    return pages;
}

static struct domain *find(uint32_t id, struct hv_domain_info *info, int64_t *error)
{
    struct domain *domain = id < DOMAIN_IDS_MAX ? calloc(1, sizeof(*domain)) : NULL;
    *error = domain ? call_domain_info(id, info) : -HV_ENOMEM;
    if (*error < 0) {
        free(domain);
        return NULL;
    }
    domain->id = id;
    memcpy(domain->name, info->name, sizeof(domain->name));
    domain->donated = domain->adopted = true;
    return domain;
}

struct domain *domain_adopt(uint32_t id, const struct domain_hooks *hooks, uint64_t *lost, int64_t *error)
{
    struct hv_domain_info info;
    struct domain *domain = find(id, &info, error);
    if (!domain)
        return NULL;
    if (hooks)
        domain->hooks = *hooks;
    find_vcpus(domain, info.max_vcpus);
    domain->shared = info.shared_pages > 0;
    *lost = find_memory(domain, info.memory_pages + info.shared_pages);
    domain_enter(domain);
    return domain;
}

/* Addresses of its service pages are those of its manager, and nothing to this one. */
struct domain *domain_adopt_foreign(uint32_t id, int64_t *error)
{
    struct hv_domain_info info;
    struct domain *domain = find(id, &info, error);
    if (!domain)
        return NULL;
    (void)find_memory(domain, info.memory_pages);
    domain_enter(domain);
    return domain;
}

void domain_serve_waiting(struct domain *domain)
{
    struct hv_vcpu_info info;
    for (uint32_t vcpu = 0; vcpu < domain->vcpus; vcpu++) {
        /* Answered, but not completed. */
        if (domain->service[vcpu] && domain->service[vcpu]->kind == HV_EXIT_NONE &&
            call_vcpu_info(domain->id, vcpu, &info) >= 0 && info.state == HV_VCPU_SERVICE)
            (void)call_vcpu_complete(domain->id, vcpu);
        domain_serve(domain, HV_NOTIFY_VCPU(domain->id, vcpu));
    }
    domain_notice(domain, HV_NOTIFY_DOMAIN(domain->id));
}
