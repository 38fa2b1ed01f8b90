/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_service: the answering side of the service pages. A page is ours from the notification
 * until HV_CALL_VCPU_COMPLETE; `kind` is set back before that, because up to eight vCPUs share a
 * notification number and a page that was answered must not be answered again.
 *
 * A device may destroy its domain in answer to an access (a debug exit): it sets domain->held and
 * asks for the destruction later, from outside the callback.
 */
#include "mgmt/lib/call.h"
#include "mgmt/lib/domain.h"
#include "mgmt/lib/domain_parts.h"

enum { VCPUS_PER_NUMBER = 8 };

void domain_notice(void *ctx, uint32_t number)
{
    struct domain *domain = ctx;
    struct hv_domain_info info;
    (void)number;
    if (call_domain_info(domain->id, &info) < 0 || info.state != HV_DOMAIN_DEAD)
        return;
    if (domain->hooks.dead)
        domain->hooks.dead(domain, &info);
}

static void answer(struct domain *domain, uint32_t vcpu, struct hv_service *service, uint32_t kind)
{
    if (kind == HV_EXIT_PIO && service->pio.write)
        access_write(&domain->access, HV_CLAIM_PIO, service->pio.port, service->pio.width, service->pio.data);
    else if (kind == HV_EXIT_PIO)
        service->pio.data = access_read(&domain->access, HV_CLAIM_PIO, service->pio.port, service->pio.width);
    else if (kind == HV_EXIT_MMIO && service->mmio.write)
        access_write(&domain->access, HV_CLAIM_MMIO, service->mmio.gpa, service->mmio.width,
                     service->mmio.data);
    else if (kind == HV_EXIT_MMIO)
        service->mmio.data =
            access_read(&domain->access, HV_CLAIM_MMIO, service->mmio.gpa, service->mmio.width);
    else if (domain->hooks.other)
        domain->hooks.other(domain, vcpu, service);
    else if (kind == HV_EXIT_DECODE)
        service->decode.action = 1; /* an instruction that nobody knows: #UD */
}

void domain_serve(void *ctx, uint32_t number)
{
    struct domain *domain = ctx;
    uint32_t first = (number - HV_NOTIFY_VCPU(domain->id, 0)) % VCPUS_PER_NUMBER;
    for (uint32_t vcpu = first; vcpu < domain->vcpus; vcpu += VCPUS_PER_NUMBER) {
        struct hv_service *service = domain->service[vcpu];
        if (!service)
            continue;
        uint32_t kind = __atomic_load_n(&service->kind, __ATOMIC_ACQUIRE);
        if (kind == HV_EXIT_NONE)
            continue; /* the end of the domain is told by its own notification */
        answer(domain, vcpu, service, kind);
        if (domain->hooks.answered)
            domain->hooks.answered(domain);
        __atomic_store_n(&service->kind, HV_EXIT_NONE, __ATOMIC_RELEASE);
        if (domain->held)
            domain->held_vcpus |= 1ULL << vcpu;
        else
            (void)call_vcpu_complete(domain->id, vcpu);
    }
}
