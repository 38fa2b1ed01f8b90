/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mgmt_fake_call: see mgmt_fake.h.
 */
#include "tests/host/mgmt_fake.h"

#include <stddef.h>
#include <string.h>

#include "mgmt/lib/call.h"

struct fake fake;
uint8_t fake_memory[FAKE_PAGES][4096] __attribute__((aligned(4096)));

void fake_reset(void)
{
    struct hv_notify *notify = fake.notify;
    memset(&fake, 0, sizeof(fake));
    fake.notify = notify;
}

void *fake_view(gpa_t gpa, uint64_t bytes)
{
    return gpa <= sizeof(fake_memory) && bytes <= sizeof(fake_memory) - gpa ? (uint8_t *)fake_memory + gpa
                                                                            : NULL;
}

void fake_notify(uint32_t number)
{
    fake.notify->pending[number / 64] |= 1ULL << number % 64;
    fake.notify->selector |= 1ULL << number / 64;
}

bool fake_fails(void)
{
    fake.calls++;
    if (fake.fail_at == 0 || --fake.fail_at != 0)
        return false;
    fake.failed = true;
    return true;
}

static bool is_domain(uint32_t domain)
{
    return domain > 0 && domain < FAKE_DOMAINS && fake.domain[domain];
}

int64_t call_notify_page(gpa_t page, uint8_t vector)
{
    fake.notify = fake_view(page, sizeof(struct hv_notify));
    return page % 4096 == 0 && vector == 0 ? 0 : -HV_EINVAL;
}

int64_t call_notify_wait(uint64_t tsc_deadline)
{
    fake.slept_until = tsc_deadline;
    fake.sleeps++;
    if (fake.on_sleep)
        fake.on_sleep();
    return fake.notify->selector ? 0 : -HV_ETIME;
}

int64_t call_domain_create(const struct hv_domain_create *in)
{
    if (fake_fails())
        return fake.fail_with;
    if (in->max_vcpus == 0 || strnlen(in->name, sizeof(in->name)) == sizeof(in->name))
        return -HV_EINVAL;
    for (uint32_t domain = 1; domain < FAKE_DOMAINS; domain++)
        if (!fake.domain[domain]) {
            fake.domain[domain] = true;
            memcpy(fake.name[domain], in->name, sizeof(in->name));
            return domain;
        }
    return -HV_ENOSPC;
}

int64_t call_domain_destroy(uint32_t domain)
{
    if (!is_domain(domain))
        return -HV_ESRCH;
    if (fake.destroy_again > 0) {
        fake.destroy_again--;
        return -HV_EAGAIN;
    }
    fake.domain[domain] = false;
    fake.vcpus[domain] = fake.claims[domain] = fake.state[domain] = fake.started[domain] = 0;
    for (uint32_t i = 0; i < FAKE_PAGES; i++) {
        if (fake.page_owner[i] == domain) {
            fake.page_owner[i] = 0;
            memset(fake_memory[i], 0, 4096);
        }
        if (fake.page_shared[i] == domain)
            fake.page_shared[i] = 0;
        if (fake.pinned[i] && fake.page_target[i] == domain)
            fake.pinned[i] = false;
    }
    return 0;
}

int64_t call_domain_info(uint32_t domain, struct hv_domain_info *out)
{
    if (!is_domain(domain))
        return -HV_ESRCH;
    *out = (struct hv_domain_info){
        .domain = domain, .state = fake.state[domain], .max_vcpus = 64, .vcpus = fake.vcpus[domain]};
    memcpy(out->name, fake.name[domain], sizeof(out->name));
    for (uint32_t i = 0; i < FAKE_PAGES; i++) {
        out->memory_pages += fake.page_owner[i] == domain;
        out->shared_pages += fake.page_shared[i] == domain;
    }
    return 0;
}

int64_t call_domain_claim(uint32_t domain, enum hv_claim_space space, uint64_t base, uint64_t length)
{
    (void)space;
    (void)base;
    if (fake_fails())
        return fake.fail_with;
    if (!is_domain(domain) || length == 0)
        return -HV_EINVAL;
    fake.claims[domain]++;
    return 0;
}

int64_t call_vcpu_create(uint32_t domain, uint32_t vcpu, gpa_t service_page)
{
    if (fake_fails())
        return fake.fail_with;
    if (!is_domain(domain) || vcpu != fake.vcpus[domain] || service_page % 4096 != 0 ||
        fake.page_owner[service_page / 4096] != 0)
        return -HV_EINVAL;
    fake.pinned[service_page / 4096] = true;
    fake.page_target[service_page / 4096] = domain;
    fake.service[domain][fake.vcpus[domain]++] = service_page;
    return 0;
}

int64_t call_vcpu_info(uint32_t domain, uint32_t vcpu, struct hv_vcpu_info *out)
{
    if (!is_domain(domain) || vcpu >= fake.vcpus[domain])
        return -HV_ESRCH;
    *out = (struct hv_vcpu_info){.state = HV_VCPU_SERVICE, .service = fake.service[domain][vcpu]};
    memcpy(out->exits_by_reason, fake.exits, sizeof(fake.exits));
    return 0;
}

int64_t call_vcpu_apic(uint32_t domain, uint32_t vcpu, struct hv_vcpu_apic *out)
{
    if (!is_domain(domain) || vcpu >= fake.vcpus[domain])
        return -HV_ESRCH;
    *out = (struct hv_vcpu_apic){.id = vcpu, .mode = HV_APIC_XAPIC};
    return 0;
}

/* Leaves of one page each. */
int64_t call_mem_query(uint32_t domain, struct hv_mem_query *inout)
{
    for (uint32_t i = 0; i < FAKE_PAGES; i++) {
        if ((fake.page_owner[i] != domain && fake.page_shared[i] != domain) ||
            fake.page_target[i] != inout->gpa)
            continue;
        inout->own = i * 4096ULL;
        inout->length = 4096;
        inout->owner = fake.page_owner[i];
        return 0;
    }
    return -HV_ENOENT;
}

int64_t call_vcpu_start(uint32_t domain, uint32_t vcpu)
{
    if (fake_fails())
        return fake.fail_with;
    if (!is_domain(domain) || vcpu >= fake.vcpus[domain])
        return -HV_ESRCH;
    fake.started[domain]++;
    fake.state[domain] = HV_DOMAIN_ACTIVE;
    return 0;
}

int64_t call_vcpu_complete(uint32_t domain, uint32_t vcpu)
{
    if (!is_domain(domain) || vcpu >= fake.vcpus[domain])
        return -HV_ESRCH;
    fake.completed++;
    return 0;
}

int64_t call_mem_donate(uint32_t domain, gpa_t own, gpa_t target, uint64_t pages, uint32_t flags)
{
    (void)flags;
    if (fake_fails())
        return fake.fail_with;
    if (!is_domain(domain) || (own | target) % 4096 != 0 || own / 4096 + pages > FAKE_PAGES)
        return -HV_EINVAL;
    for (uint64_t i = own / 4096; i < own / 4096 + pages; i++) {
        if (fake.page_owner[i] != 0 || fake.pinned[i])
            return -HV_EBUSY;
        fake.page_owner[i] = domain;
        fake.page_target[i] = target + (i * 4096 - own);
    }
    return (int64_t)pages;
}

int64_t call_mem_share(uint32_t domain, gpa_t own, gpa_t target, uint64_t pages, uint32_t flags)
{
    (void)flags;
    if (fake_fails())
        return fake.fail_with;
    if (!is_domain(domain) || (own | target) % 4096 != 0 || own / 4096 + pages > FAKE_PAGES)
        return -HV_EINVAL;
    for (uint64_t i = own / 4096; i < own / 4096 + pages; i++) {
        fake.page_shared[i] = domain;
        fake.page_target[i] = target + (i * 4096 - own);
    }
    return (int64_t)pages;
}
