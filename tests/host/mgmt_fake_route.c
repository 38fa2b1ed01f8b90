/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mgmt_fake_route: see mgmt_fake_route.h.
 */
#include "tests/host/mgmt_fake_route.h"

#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/irq.h"

struct fake_route fake_route;

static struct hv_route pin_of(uint32_t gsi, uint32_t chip, uint32_t pin)
{
    return (struct hv_route){.gsi = gsi, .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = chip, .pin = pin}};
}

void fake_route_reset(void)
{
    memset(&fake_route, 0, sizeof(fake_route));
    fake_route.chips = true;
    fake_route.pins = FAKE_PINS;
    for (uint32_t gsi = 0; gsi < FAKE_PINS; gsi++) {
        struct hv_route *r = fake_route.route[gsi];
        if (gsi < 16)
            r[fake_route.count[gsi]++] = pin_of(gsi, gsi / 8, gsi % 8);
        r[fake_route.count[gsi]++] = pin_of(gsi, HV_CHIP_IOAPIC, gsi);
    }
}

int64_t irq_route_get(uint32_t domain, uint32_t *gsi, struct hv_route *out, uint32_t room)
{
    uint32_t n = 0;
    if (!fake.domain[domain] || room < HV_ROUTES_PER_GSI)
        return fake.domain[domain] ? -HV_EINVAL : -HV_ESRCH;
    for (; *gsi < FAKE_ROUTE_GSIS && n + HV_ROUTES_PER_GSI <= room; ++*gsi) {
        memcpy(&out[n], fake_route.route[*gsi], fake_route.count[*gsi] * sizeof(*out));
        n += fake_route.count[*gsi];
    }
    return n;
}

int64_t irq_route_set(uint32_t domain, uint32_t gsi, const struct hv_route *route, uint32_t count)
{
    if (!fake.domain[domain])
        return -HV_ESRCH;
    if (gsi >= FAKE_ROUTE_GSIS || count > HV_ROUTES_PER_GSI)
        return -HV_EINVAL;
    for (uint32_t i = 0; i < count; i++)
        if (route[i].gsi != gsi || (route[i].kind == HV_ROUTE_MSI && route[i].msi.address >> 20 != 0xfee))
            return -HV_EINVAL;
    fake_route.count[gsi] = count;
    if (count)
        memcpy(fake_route.route[gsi], route, count * sizeof(*route));
    return 0;
}

int64_t irq_route_stats(uint32_t domain, uint32_t gsi, struct hv_route_stats *out)
{
    if (!fake.domain[domain] || gsi >= FAKE_ROUTE_GSIS)
        return -HV_EINVAL;
    *out = fake_route.stats[gsi];
    out->size = sizeof(*out);
    out->gsi = gsi;
    return 0;
}

int64_t irq_route_latency(uint32_t domain, uint32_t gsi, struct hv_route_latency *out)
{
    if (!fake.domain[domain] || gsi >= FAKE_PINS)
        return -HV_EINVAL;
    *out = fake_route.latency[gsi];
    out->gsi = gsi;
    return 0;
}

int64_t irq_chip_get(uint32_t domain, enum hv_irqchip_state kind, void *record, size_t size)
{
    struct hv_pic *pic = record;
    struct hv_ioapic *io = record;
    if (!fake.domain[domain] || !fake_route.chips || kind > HV_IRQCHIP_STATE_IOAPIC)
        return -HV_ENODEV;
    bool is_pic = kind == HV_IRQCHIP_STATE_PIC;
    if (size != (is_pic ? sizeof(*pic) : HV_IOAPIC_SIZE(fake_route.pins)))
        return -HV_EINVAL;
    memset(record, 0, size);
    if (!is_pic)
        io->pins = fake_route.pins;
    for (uint32_t pin = 0; pin < (is_pic ? 16 : fake_route.pins); pin++) {
        if (is_pic)
            pic->sources[pin] = fake_route.pic_up >> pin & 1;
        else
            io->pin[pin].sources = (uint64_t)(fake_route.ioapic_up >> pin & 1) << 1;
    }
    return 0;
}

int64_t irq_message(uint32_t domain, uint64_t address, uint32_t data)
{
    if (!fake.domain[domain])
        return -HV_ESRCH;
    fake_route.address = address;
    fake_route.data = data;
    fake_route.messages++;
    return fake_route.result;
}

int64_t call_vcpu_inject(uint32_t domain, uint32_t vcpu, enum hv_inject kind, uint32_t vector,
                         uint32_t error_code)
{
    if (!fake.domain[domain] || vcpu >= fake.vcpus[domain])
        return -HV_ESRCH;
    if (error_code || (kind == HV_INJECT_EXTERNAL ? vector < 16 || vector > 255 : vector != 0))
        return -HV_EINVAL;
    if (kind == HV_INJECT_EXTERNAL && fake_route.apics)
        return -HV_ENXIO;
    fake_route.kind = (uint32_t)kind;
    fake_route.vcpu = vcpu;
    fake_route.vector = vector;
    fake_route.injections++;
    return 0;
}
