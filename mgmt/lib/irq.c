/* SPDX-License-Identifier: BSD-2-Clause */
/* irq: see irq.h. Structures travel through call.c's page. */
#include "mgmt/lib/irq.h"

#include <stdbool.h>
#include <string.h>

#include "guest_abi/hv_call.h"
#include "mgmt/lib/call.h"

static gpa_t put(const void *in, uint32_t size)
{
    gpa_t gpa;
    void *page = call_room(&gpa);
    memcpy(page, in, size);
    memcpy(page, &size, sizeof(size));
    return gpa;
}

static int64_t take(int64_t result, void *out, size_t size)
{
    gpa_t gpa;
    if (result >= 0)
        memcpy(out, call_room(&gpa), size);
    return result;
}

int64_t irq_config(uint32_t domain, const struct hv_irqchip_config *config)
{
    return hv_call2(HV_CALL_IRQCHIP_CONFIG, domain, put(config, sizeof(*config)));
}

int64_t irq_chip_get(uint32_t domain, enum hv_irqchip_state kind, void *record, size_t size)
{
    gpa_t gpa;
    (void)call_room(&gpa);
    return take(hv_call4(HV_CALL_IRQCHIP_GET, domain, (uint64_t)kind, gpa, size), record, size);
}

int64_t irq_chip_set(uint32_t domain, enum hv_irqchip_state kind, const void *record, size_t size)
{
    gpa_t gpa;
    memcpy(call_room(&gpa), record, size);
    return hv_call4(HV_CALL_IRQCHIP_SET, domain, (uint64_t)kind, gpa, size);
}

int64_t irq_eoi_vectors(uint32_t domain, const uint64_t vectors[4])
{
    return hv_call5(HV_CALL_EOI_VECTORS, domain, vectors[0], vectors[1], vectors[2], vectors[3]);
}

int64_t irq_line(uint32_t domain, uint32_t gsi, unsigned level)
{
    return hv_call3(HV_CALL_IRQ_LINE, domain, gsi, level);
}

int64_t irq_message(uint32_t domain, uint64_t address, uint32_t data)
{
    return hv_call3(HV_CALL_SIGNAL_MSI, domain, address, data);
}

/* ---- routes */

static gpa_t put_list(uint32_t gsi, const struct hv_route *route, uint32_t count, uint64_t *size)
{
    gpa_t gpa;
    struct hv_routes *list = call_room(&gpa);
    *size = sizeof(*list) + count * sizeof(*route);
    *list = (struct hv_routes){.size = (uint32_t)*size, .count = count, .gsi = gsi};
    if (count)
        memcpy(list->route, route, count * sizeof(*route));
    return gpa;
}

int64_t irq_route_set(uint32_t domain, uint32_t gsi, const struct hv_route *route, uint32_t count)
{
    uint64_t size;
    if (count > HV_ROUTES_MAX)
        return -HV_EINVAL;
    gpa_t gpa = put_list(gsi, route, count, &size);
    return hv_call3(HV_CALL_ROUTE_SET, domain, gpa, size);
}

int64_t irq_route_message(uint32_t domain, uint32_t gsi, uint64_t address, uint32_t data)
{
    return hv_call4(HV_CALL_ROUTE_MSI, domain, gsi, address, data);
}

int64_t irq_route_pin(uint32_t domain, uint32_t gsi, uint32_t chip, uint32_t pin)
{
    const struct hv_route r = {.gsi = gsi, .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = chip, .pin = pin}};
    return irq_route_set(domain, gsi, &r, 1);
}

int64_t irq_route_notify(uint32_t domain, uint32_t gsi, uint32_t vcpu, uint32_t number)
{
    const struct hv_route r = {
        .gsi = gsi, .kind = HV_ROUTE_NOTIFY, .notify = {.vcpu = vcpu, .number = number}};
    return irq_route_set(domain, gsi, &r, 1);
}

/* As many as fit, whole GSIs. */
static uint32_t part(const struct hv_route *route, uint32_t count)
{
    uint32_t n = count < HV_ROUTES_MAX ? count : HV_ROUTES_MAX;
    while (n && n < count && route[n].gsi == route[n - 1].gsi)
        n--;
    return n;
}

int64_t irq_route_replace(uint32_t domain, const struct hv_route *route, uint32_t count)
{
    uint64_t size, flags = HV_REPLACE_BEGIN;
    int64_t result;
    do {
        uint32_t n = part(route, count);
        if (count && !n)
            return -HV_EINVAL;
        if (n == count)
            flags |= HV_REPLACE_COMMIT;
        gpa_t gpa = put_list(0, route, n, &size);
        result = hv_call4(HV_CALL_ROUTE_REPLACE, domain, gpa, size, flags);
        if (result < 0 && !(flags & HV_REPLACE_BEGIN)) {
            gpa = put_list(0, NULL, 0, &size);
            (void)hv_call4(HV_CALL_ROUTE_REPLACE, domain, gpa, size, HV_REPLACE_ABORT);
        }
        route += n;
        count -= n;
        flags = 0;
    } while (count && result >= 0);
    return result;
}

int64_t irq_route_get(uint32_t domain, uint32_t *gsi, struct hv_route *out, uint32_t room)
{
    gpa_t gpa;
    struct hv_routes *list = call_room(&gpa);
    if (room > HV_ROUTES_MAX)
        room = HV_ROUTES_MAX;
    uint64_t size = sizeof(*list) + room * sizeof(*out);
    for (;;) {
        *list = (struct hv_routes){.size = (uint32_t)size, .count = room, .gsi = *gsi};
        int64_t result = hv_call3(HV_CALL_ROUTE_GET, domain, gpa, size);
        bool moved = result >= 0 && list->gsi > *gsi;
        if (result > 0)
            memcpy(out, list->route, (size_t)result * sizeof(*out));
        if (moved)
            *gsi = list->gsi;
        if (result || !moved)
            return result;
    }
}

int64_t irq_route_stats(uint32_t domain, uint32_t gsi, struct hv_route_stats *out)
{
    *out = (struct hv_route_stats){.gsi = gsi};
    return take(hv_call2(HV_CALL_ROUTE_STATS, domain, put(out, sizeof(*out))), out, sizeof(*out));
}

int64_t irq_route_latency(uint32_t domain, uint32_t gsi, struct hv_route_latency *out)
{
    *out = (struct hv_route_latency){.gsi = gsi};
    return take(hv_call2(HV_CALL_ROUTE_LATENCY, domain, put(out, sizeof(*out))), out, sizeof(*out));
}

int64_t irq_route_find(uint32_t domain, uint32_t *gsi, uint32_t vector, const uint32_t *destination)
{
    struct hv_route_lookup l = {.gsi = *gsi,
                                .vector = vector,
                                .flags = destination ? HV_LOOKUP_DESTINATION : 0,
                                .destination = destination ? *destination : 0};
    int64_t result;
    do
        result = take(hv_call2(HV_CALL_ROUTE_LOOKUP, domain, put(&l, sizeof(l))), &l, sizeof(l));
    while (result == 1);
    if (!result)
        *gsi = l.gsi;
    return result;
}

/* ---- notifiers */

int64_t irq_notifier_create(const struct hv_notifier *bind)
{
    return hv_call1(HV_CALL_NOTIFIER_CREATE, put(bind, sizeof(*bind)));
}

int64_t irq_notifier_gsi(uint32_t domain, uint32_t gsi)
{
    const struct hv_notifier b = {.kind = HV_NOTIFIER_GSI, .domain = domain, .gsi = gsi};
    return irq_notifier_create(&b);
}

int64_t irq_notifier_resample(uint32_t domain, uint32_t gsi, uint32_t vcpu, uint32_t number)
{
    const struct hv_notifier b = {.kind = HV_NOTIFIER_GSI,
                                  .flags = HV_NOTIFIER_RESAMPLE,
                                  .domain = domain,
                                  .gsi = gsi,
                                  .vcpu = vcpu,
                                  .number = number};
    return irq_notifier_create(&b);
}

int64_t irq_notifier_notify(uint32_t vcpu, uint32_t number)
{
    const struct hv_notifier b = {.kind = HV_NOTIFIER_NOTIFY, .vcpu = vcpu, .number = number};
    return irq_notifier_create(&b);
}

int64_t irq_notifier_close(uint64_t notifier)
{
    return hv_call1(HV_CALL_NOTIFIER_CLOSE, notifier);
}

int64_t irq_notifier_bind(uint64_t notifier, const struct hv_notifier *bind)
{
    return hv_call2(HV_CALL_NOTIFIER_BIND, notifier, put(bind, sizeof(*bind)));
}

int64_t irq_notifier_grant(uint64_t notifier, uint32_t domain, unsigned allowed)
{
    return hv_call3(HV_CALL_NOTIFIER_GRANT, notifier, domain, allowed);
}

int64_t irq_notifier_signal(uint64_t notifier)
{
    return hv_call1(HV_CALL_NOTIFIER_SIGNAL, notifier);
}

int64_t irq_notifier_read(uint64_t notifier)
{
    return hv_call1(HV_CALL_NOTIFIER_READ, notifier);
}

int64_t irq_notifier_info(uint64_t notifier, struct hv_notifier_info *out)
{
    *out = (struct hv_notifier_info){0};
    return take(hv_call2(HV_CALL_NOTIFIER_INFO, notifier, put(out, sizeof(*out))), out, sizeof(*out));
}

int64_t irq_notifier_list(uint64_t after, uint64_t *out, uint32_t count)
{
    gpa_t gpa;
    (void)call_room(&gpa);
    int64_t n = hv_call3(HV_CALL_NOTIFIER_LIST, after, gpa, count);
    return take(n, out, n > 0 ? (size_t)n * sizeof(*out) : 0);
}

/* ---- doorbells */

static gpa_t put_doorbell(enum hv_claim_space space, uint64_t address, uint32_t width, const uint64_t *data,
                          uint64_t notifier)
{
    const struct hv_doorbell b = {.space = (uint32_t)space,
                                  .address = address,
                                  .width = width,
                                  .flags = data ? HV_DOORBELL_MATCH : 0,
                                  .data = data ? *data : 0,
                                  .notifier = notifier};
    return put(&b, sizeof(b));
}

int64_t irq_doorbell_add(uint32_t domain, enum hv_claim_space space, uint64_t address, uint32_t width,
                         const uint64_t *data, uint64_t notifier)
{
    return hv_call2(HV_CALL_DOORBELL_ADD, domain, put_doorbell(space, address, width, data, notifier));
}

int64_t irq_doorbell_remove(uint32_t domain, enum hv_claim_space space, uint64_t address, uint32_t width,
                            const uint64_t *data, uint64_t notifier)
{
    return hv_call2(HV_CALL_DOORBELL_REMOVE, domain, put_doorbell(space, address, width, data, notifier));
}

/* ---- lines of the machine */

int64_t irq_pirq_bind(uint64_t number, const struct hv_pirq *b)
{
    return hv_call2(HV_CALL_PIRQ_BIND, number, put(b, sizeof(*b)));
}

int64_t irq_pirq_unbind(uint64_t gsi)
{
    return hv_call1(HV_CALL_PIRQ_UNBIND, gsi);
}

int64_t irq_pirq_ack(uint64_t gsi)
{
    return hv_call1(HV_CALL_PIRQ_ACK, gsi);
}

int64_t irq_pirq_give(uint64_t gsi, uint32_t domain)
{
    return hv_call2(HV_CALL_PIRQ_GIVE, gsi, domain);
}

int64_t irq_pirq_info(uint64_t gsi, struct hv_pirq_info *out)
{
    *out = (struct hv_pirq_info){0};
    return take(hv_call2(HV_CALL_PIRQ_INFO, gsi, put(out, sizeof(*out))), out, sizeof(*out));
}
