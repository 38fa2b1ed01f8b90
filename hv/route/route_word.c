/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes as words: see route_word.h. */
#include "hv/route/route_word.h"

#include "guest_abi/hv_vcpu.h"

#define CHIPS (HV_CHIP_IOAPIC + HV_IOAPICS_MAX)

static bool unused_zero(const uint32_t *raw, unsigned from)
{
    uint32_t any = 0;
    for (unsigned i = from; i < 4; i++)
        any |= raw[i];
    return !any;
}

/* Adds one pin to the word of others. */
static int encode_pin(const struct hv_route *r, const struct route_limits *l, uint64_t *word)
{
    uint32_t chip = r->irqchip.chip, pin = r->irqchip.pin;
    if (!unused_zero(r->raw, 2) || chip >= CHIPS)
        return -HV_EINVAL;
    if (!l->ioapics)
        return -HV_ENODEV;
    uint32_t ioapic = chip - HV_CHIP_IOAPIC;
    if (chip >= HV_CHIP_IOAPIC && ioapic >= l->ioapics)
        return -HV_ENODEV;
    if (pin >= (chip < HV_CHIP_IOAPIC ? 8 : l->pins[ioapic]) || route_pin(*word, chip) >= 0)
        return -HV_EINVAL;
    *word |= chip < HV_CHIP_IOAPIC ? (uint64_t)(8 | pin) << (3 + 4 * chip)
                                   : (uint64_t)(0x100 | pin) << (11 + 9 * ioapic);
    return 0;
}

static int encode_one(const struct hv_route *r, const struct route_limits *l, uint64_t *word)
{
    switch (r->kind) {
    case HV_ROUTE_IRQCHIP:
        *word = ROUTE_IRQCHIP;
        return encode_pin(r, l, word);
    case HV_ROUTE_MSI:
        if (!unused_zero(r->raw, 3))
            return -HV_EINVAL;
        if (!l->apics)
            return -HV_ENODEV;
        return route_encode_msi(r->msi.address | (uint64_t)r->msi.address_high << 32, r->msi.data, word)
                   ? 0
                   : -HV_EINVAL;
    case HV_ROUTE_GSI:
        if (!unused_zero(r->raw, 1) || r->gsi_to.gsi >= l->gsis || r->gsi_to.gsi == r->gsi)
            return -HV_EINVAL;
        *word = ROUTE_GSI | (uint64_t)r->gsi_to.gsi << 3;
        return 0;
    case HV_ROUTE_NOTIFY:
        if (!unused_zero(r->raw, 2) || r->notify.vcpu >= l->manager_vcpus ||
            r->notify.number < HV_NOTIFY_OWN || r->notify.number >= HV_NOTIFY_COUNT)
            return -HV_EINVAL;
        *word = ROUTE_NOTIFY | (uint64_t)r->notify.vcpu << 3 | (uint64_t)r->notify.number << 9;
        return 0;
    case HV_ROUTE_OUTPUT:
        if (!l->output_vcpus)
            return -HV_ENODEV;
        if (!unused_zero(r->raw, 3) || r->output.vcpu >= l->output_vcpus || !r->output.number ||
            r->output.number > 63 || r->output.edge > 1)
            return -HV_EINVAL;
        *word = ROUTE_OUTPUT | (uint64_t)r->output.vcpu << 3 | (uint64_t)r->output.number << 9 |
                (r->output.edge ? ROUTE_EDGE : 0);
        return 0;
    case HV_ROUTE_HV_SINT:
    case HV_ROUTE_XEN_EVTCHN:
        return -HV_ENODEV;
    default:
        return -HV_EINVAL;
    }
}

int route_encode(const struct hv_route *r, uint32_t count, uint32_t gsi, const struct route_limits *l,
                 uint64_t *word)
{
    uint64_t w = 0;
    if (gsi >= l->gsis || count > HV_ROUTES_PER_GSI)
        return -HV_EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        if (r[i].gsi != gsi || r[i].flags || r[i].reserved ||
            (i && (r[i].kind != HV_ROUTE_IRQCHIP || route_kind(w) != ROUTE_IRQCHIP)))
            return -HV_EINVAL;
        int error = i ? encode_pin(&r[i], l, &w) : encode_one(&r[i], l, &w);
        if (error)
            return error;
    }
    *word = w;
    return 0;
}

static void decode_msi(uint64_t word, struct hv_route *r)
{
    r->kind = HV_ROUTE_MSI;
    r->msi.address = MSI_BASE | ((uint32_t)(word >> 1) & MSI_MEANS);
    r->msi.address_high = (uint32_t)(word >> 21 & 0xffffff) << 8;
    r->msi.data = (uint32_t)(word >> 45 & MSI_DATA);
}

uint32_t route_decode(uint64_t word, uint32_t gsi, struct hv_route out[HV_ROUTES_PER_GSI])
{
    uint32_t n = 0;
    out[0] = (struct hv_route){.gsi = gsi};
    switch (route_kind(word)) {
    case ROUTE_NONE:
        return 0;
    case ROUTE_IRQCHIP:
        for (uint32_t chip = 0; chip < CHIPS; chip++) {
            int pin = route_pin(word, chip);
            if (pin >= 0)
                out[n++] = (struct hv_route){
                    .gsi = gsi, .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = chip, .pin = (uint32_t)pin}};
        }
        return n;
    case ROUTE_MSI:
        decode_msi(word, out);
        return 1;
    case ROUTE_GSI:
        out->kind = HV_ROUTE_GSI;
        out->gsi_to.gsi = route_gsi(word);
        return 1;
    case ROUTE_NOTIFY:
        out->kind = HV_ROUTE_NOTIFY;
        out->notify.vcpu = route_vcpu(word);
        out->notify.number = route_number(word);
        return 1;
    case ROUTE_OUTPUT:
        out->kind = HV_ROUTE_OUTPUT;
        out->output.vcpu = route_vcpu(word);
        out->output.number = route_number(word);
        out->output.edge = (word & ROUTE_EDGE) != 0;
        return 1;
    }
    return 0;
}
