/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes as words: see route_word.h. */
#include "hv/route/route_word.h"

#include "guest_abi/hv_vcpu.h"

#define MSI_BASE          0xfee00000U
#define MSI_BASE_MASK     0xfff00000U
#define MSI_RESERVED      0x13U /* bit 4: remappable format; 1:0 */
#define MSI_RH            8U
#define MSI_DM            4U
#define MSI_DATA_RESERVED 0xffff3800U
#define MSI_NO_MODES      (1U << APIC_DM_REMOTE_READ | 1U << APIC_DM_STARTUP)
#define CHIPS             (HV_CHIP_IOAPIC + HV_IOAPICS_MAX)

static bool unused_zero(const uint32_t *raw, unsigned from)
{
    uint32_t any = 0;
    for (unsigned i = from; i < 4; i++)
        any |= raw[i];
    return !any;
}

static bool msi_valid(uint32_t address, uint32_t high, uint32_t data)
{
    uint32_t mode = data >> 8 & 7, middle = address >> 5 & 0x7f;
    return (address & (MSI_BASE_MASK | MSI_RESERVED)) == MSI_BASE && !(high & 0xff) && !(high && middle) &&
           !(data & MSI_DATA_RESERVED) && !(1U << mode & MSI_NO_MODES);
}

static uint32_t msi_dest(uint32_t address, uint32_t high)
{
    return (address >> 12 & 0xff) | (address >> 5 & 0x7f) << 8 | high;
}

bool route_message_from(uint32_t address, uint32_t high, uint32_t data, struct vlapic_message *m)
{
    uint8_t mode = data >> 8 & 7;
    if (!msi_valid(address, high, data))
        return false;
    *m = (struct vlapic_message){.dest = msi_dest(address, high),
                                 .vector = (uint8_t)data,
                                 .mode = mode == APIC_DM_FIXED && (address & MSI_RH) ? APIC_DM_LOWEST : mode,
                                 .level = data >> 15,
                                 .logical = address & MSI_DM,
                                 .wide = high || (address & 0xfe0)};
    return true;
}

int route_encode_msi(uint32_t address, uint32_t high, uint32_t data, uint64_t *word)
{
    enum route_form form = high ? ROUTE_FORM_32 : address & 0xfe0 ? ROUTE_FORM_15 : ROUTE_FORM_8;
    if (!msi_valid(address, high, data))
        return -HV_EINVAL;
    *word = ROUTE_MSI | (uint64_t)msi_dest(address, high) << 3 | (uint64_t)(data & 0xff) << 35 |
            (uint64_t)(data >> 8 & 7) << 43 | (uint64_t)(data >> 15) << 46 |
            (uint64_t)(data >> 14 & 1) << 47 | (uint64_t)(address >> 3 & 1) << 48 |
            (uint64_t)(address >> 2 & 1) << 49 | (uint64_t)form << 50;
    return 0;
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
        return route_encode_msi(r->msi.address, r->msi.address_high, r->msi.data, word);
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
    uint32_t dest = (uint32_t)(word >> 3);
    r->kind = HV_ROUTE_MSI;
    r->msi.address = MSI_BASE | (dest & 0xff) << 12 | (uint32_t)(word >> 48 & 1) * MSI_RH |
                     (uint32_t)(word >> 49 & 1) * MSI_DM;
    if ((word >> 50 & 3) == ROUTE_FORM_32)
        r->msi.address_high = dest & ~0xffU;
    else
        r->msi.address |= (dest >> 8) << 5;
    r->msi.data = (uint32_t)(word >> 35 & 0xff) | (uint32_t)(word >> 43 & 7) << 8 |
                  (uint32_t)(word >> 47 & 1) << 14 | (uint32_t)(word >> 46 & 1) << 15;
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
    }
    return 0;
}
