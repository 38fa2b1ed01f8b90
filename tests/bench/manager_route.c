/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of routes and doorbells: one route of a domain that has 10, 1000 or 100000 is replaced by another; a guest
 * rings a doorbell that only counts, or one that wakes the manager.
 */
#include <stdio.h>
#include <string.h>

#include "guest_abi/hv_call.h"
#include "guest_abi/hv_route.h"
#include "guest_abi/hv_vcpu.h"
#include "mgmt/start/start.h"
#include "tests/bench/manager.h"

#define REPLACEMENTS 200U
#define PAGE         4096U

static union {
    struct hv_routes routes;
    struct hv_irqchip_config config;
    struct hv_notifier notifier;
    struct hv_doorbell doorbell;
    char page[PAGE];
} page __attribute__((aligned(PAGE)));

static gpa_t at_page(void)
{
    return start_gpa(&page);
}

static struct hv_route msi(uint32_t gsi, uint32_t data)
{
    return (struct hv_route){.gsi = gsi, .kind = HV_ROUTE_MSI, .msi = {.address = MSI_ADDRESS, .data = data}};
}

/* A list of so many, which the caller fills in; returns its size. */
static uint32_t list(uint32_t count)
{
    uint32_t size = (uint32_t)(sizeof(page.routes) + count * sizeof(struct hv_route));
    memset(&page, 0, sizeof(page));
    page.routes = (struct hv_routes){.size = size, .count = count};
    return size;
}

void set_route(uint32_t domain, uint32_t gsi, uint32_t data)
{
    uint32_t size = list(1);
    page.routes.gsi = gsi;
    page.routes.route[0] = msi(gsi, data);
    must("route_set", hv_call3(HV_CALL_ROUTE_SET, domain, at_page(), size));
}

static uint64_t create_notifier(struct hv_notifier n)
{
    memset(&page, 0, sizeof(page));
    page.notifier = n;
    page.notifier.size = sizeof(n);
    int64_t handle = hv_call1(HV_CALL_NOTIFIER_CREATE, at_page());
    must("notifier_create", handle);
    return (uint64_t)handle;
}

uint64_t new_notifier(uint32_t domain, uint32_t gsi, bool resample)
{
    return create_notifier((struct hv_notifier){.kind = HV_NOTIFIER_GSI,
                                                .flags = resample ? HV_NOTIFIER_RESAMPLE : 0,
                                                .domain = domain,
                                                .gsi = gsi,
                                                .number = resample ? HV_NOTIFY_OWN : 0});
}

static struct domain *with_routes(uint32_t count)
{
    int64_t result;
    struct domain *d = domain_create("routes", 1, HV_DOMAIN_IRQCHIP_SPLIT, 0, NULL, &result);
    must("domain_create", result);
    memset(&page, 0, sizeof(page));
    page.config = (struct hv_irqchip_config){.size = sizeof(page.config), .gsis = HV_GSI_MAX};
    must("irqchip_config", hv_call2(HV_CALL_IRQCHIP_CONFIG, d->id, at_page()));
    for (uint32_t gsi = 0, n; gsi < count; gsi += n) {
        n = count - gsi < HV_ROUTES_MAX ? count - gsi : HV_ROUTES_MAX;
        uint32_t size = list(n);
        for (uint32_t i = 0; i < n; i++)
            page.routes.route[i] = msi(gsi + i, IPI_VECTOR);
        uint64_t flags = (gsi ? 0 : HV_REPLACE_BEGIN) | (gsi + n == count ? HV_REPLACE_COMMIT : 0);
        must("route_replace", hv_call4(HV_CALL_ROUTE_REPLACE, d->id, at_page(), size, flags));
    }
    return d;
}

static void expect_route(uint32_t domain, uint32_t gsi, uint32_t data)
{
    uint32_t size = list(HV_ROUTES_PER_GSI);
    page.routes.gsi = gsi;
    must("route_get", hv_call3(HV_CALL_ROUTE_GET, domain, at_page(), size));
    if (page.routes.route[0].gsi != gsi || page.routes.route[0].msi.data != data)
        must("the route that was set", -HV_EINVAL);
}

static void replace_row(uint32_t row, uint32_t count)
{
    struct domain *d = with_routes(count);
    for (uint32_t i = 0; i < REPLACEMENTS; i++) {
        uint32_t gsi = i * (count / 10) % count, data = IPI_VECTOR + 1 + i / 10 % 2;
        label(row);
        int64_t result = hv_call4(HV_CALL_ROUTE_MSI, d->id, gsi, MSI_ADDRESS, data);
        label(LABEL_NONE);
        must("route_set", result);
        expect_route(d->id, gsi, data);
    }
    finish(d, row);
}

/* The guest with a doorbell at the place that its job rings. */
static struct domain *with_doorbell(uint32_t job, uint32_t cpu, uint64_t notifier)
{
    bool mmio = job == LABEL_DOORBELL_MMIO;
    struct domain *d = make(job, 1, cpu);
    memset(&page, 0, sizeof(page));
    page.doorbell = (struct hv_doorbell){.size = sizeof(page.doorbell),
                                         .space = mmio ? HV_CLAIM_MMIO : HV_CLAIM_PIO,
                                         .address = mmio ? GUEST_BELL : PORT_BELL,
                                         .notifier = notifier};
    must("doorbell_add", hv_call2(HV_CALL_DOORBELL_ADD, d->id, at_page()));
    must("start", domain_start(d));
    return d;
}

static void rang(struct domain *d, uint32_t row, uint64_t notifier)
{
    if (hv_call1(HV_CALL_NOTIFIER_READ, notifier) != BENCH_OPERATIONS)
        must("not every ring was counted", -HV_EINVAL);
    must("close", hv_call1(HV_CALL_NOTIFIER_CLOSE, notifier));
    finish(d, row);
}

static void doorbell_row(uint32_t row)
{
    uint64_t notifier = create_notifier((struct hv_notifier){.kind = HV_NOTIFIER_COUNT});
    struct domain *d = with_doorbell(row, 0, notifier);
    serve(d, LABEL_NONE);
    rang(d, row, notifier);
}

static void manager_row(uint32_t row)
{
    uint64_t notifier =
        create_notifier((struct hv_notifier){.kind = HV_NOTIFIER_NOTIFY, .number = HV_NOTIFY_OWN});
    struct domain *d = with_doorbell(row, 1, notifier);
    for (uint32_t i = 0; i < BENCH_OPERATIONS; i++) {
        label(row);
        int64_t result = hv_notify_wait(0);
        label(LABEL_NONE);
        must("notify_wait", result);
        if (!taken(HV_NOTIFY_OWN))
            must("woken by another notification", -HV_EINVAL);
    }
    serve(d, LABEL_NONE);
    rang(d, row, notifier);
}

void route_rows(uint32_t cpus)
{
    replace_row(LABEL_ROUTE_REPLACE_10, 10);
    replace_row(LABEL_ROUTE_REPLACE_1000, 1000);
    replace_row(LABEL_ROUTE_REPLACE_100000, 100000);
    doorbell_row(LABEL_DOORBELL_PIO);
    doorbell_row(LABEL_DOORBELL_MMIO);
    if (cpus > 1)
        manager_row(LABEL_DOORBELL_MANAGER);
}
