/* SPDX-License-Identifier: BSD-2-Clause */
/* State of the controllers as records, what their pins count, and what they would send: see irqchip.h. */
#include "arch/cpu/insn.h"
#include "hv/irqchip/irqchip_parts.h"

/* ---- reverse look-up */

bool irqchip_sends(const struct domain *d, uint32_t chip, uint32_t pin, uint8_t vector,
                   const uint32_t *destination)
{
    const struct irqchip *c = d->chips;
    if (!c || chip >= HV_CHIP_IOAPIC + c->ioapics)
        return false;
    if (chip < HV_CHIP_IOAPIC)
        return !destination && c->pic.chip[chip].base + pin == vector;
    uint64_t rte = atomic_load_relaxed(&c->ioapic[chip - HV_CHIP_IOAPIC].model.pins[pin].rte);
    uint32_t dest = (uint32_t)(rte >> IOAPIC_RTE_DEST_SHIFT) |
                    (uint32_t)(rte >> IOAPIC_RTE_EXT_SHIFT & IOAPIC_RTE_EXT) << 8;
    return (rte & IOAPIC_RTE_VECTOR) == vector && (!destination || *destination == dest);
}

void irqchip_pin_stats(struct domain *d, uint32_t chip, uint32_t pin, uint64_t *storms,
                       uint32_t latency[HV_LATENCY_BUCKETS])
{
    struct irqchip *c = d->chips;
    if (!c || !c->ioapics)
        return;
    const struct ioapic *io = chip < HV_CHIP_IOAPIC ? NULL : &c->ioapic[chip - HV_CHIP_IOAPIC];
    spin_lock(&c->lock);
    *storms += io ? io->model.pins[pin].storms : 0;
    latency_add(&c->latency, io ? io->first + pin : chip * 8 + pin, latency);
    spin_unlock(&c->lock);
}

/* ---- state */

int irqchip_state_size(const struct domain *d, uint32_t kind, uint32_t *size)
{
    const struct irqchip *c = d->chips;
    if (!c || (!c->ioapics && !(c->has_pit && kind == HV_IRQCHIP_STATE_PIT)) ||
        (kind >= HV_IRQCHIP_STATE_IOAPIC && kind - HV_IRQCHIP_STATE_IOAPIC >= c->ioapics))
        return -HV_ENODEV;
    *size = kind == HV_IRQCHIP_STATE_PIC ? (uint32_t)sizeof(struct hv_pic)
            : kind == HV_IRQCHIP_STATE_PIT
                ? (uint32_t)sizeof(struct hv_pit)
                : HV_IOAPIC_SIZE(c->ioapic[kind - HV_IRQCHIP_STATE_IOAPIC].model.pin_count);
    return 0;
}

int irqchip_state_get(struct domain *d, uint32_t kind, void *record)
{
    struct irqchip *c = d->chips;
    spin_lock(&c->lock);
    if (kind == HV_IRQCHIP_STATE_PIC) {
        vpic_state_get(&c->pic, record);
    } else if (kind == HV_IRQCHIP_STATE_PIT) {
        struct hv_pit *pit = record;
        vpit_state_get(&c->pit, rdtsc(), pit);
        pit->flags = (uint16_t)((pit->flags & ~HV_PIT_REINJECT) | (c->reinject ? HV_PIT_REINJECT : 0));
    } else {
        vioapic_state_get(&c->ioapic[kind - HV_IRQCHIP_STATE_IOAPIC].model, rdtsc(), record);
    }
    spin_unlock(&c->lock);
    return 0;
}

int irqchip_state_set(struct domain *d, uint32_t kind, const void *record, uint32_t size)
{
    struct irqchip *c = d->chips;
    bool done;
    spin_lock(&c->lock);
    if (kind == HV_IRQCHIP_STATE_PIC) {
        done = vpic_state_set(&c->pic, record, size);
        irqchip_pit_set_reinject(c);
        irqchip_pic_tell(c);
    } else if (kind == HV_IRQCHIP_STATE_PIT) {
        done = vpit_state_set(&c->pit, rdtsc(), record, size);
        if (done)
            c->reinject = c->pit.flags & HV_PIT_REINJECT;
        irqchip_pit_set_reinject(c);
    } else {
        struct vioapic *a = &c->ioapic[kind - HV_IRQCHIP_STATE_IOAPIC].model;
        done = vioapic_state_set(a, rdtsc(), record, size);
        irqchip_send_all(c, a);
        irqchip_storm_rearm(c);
    }
    spin_unlock(&c->lock);
    if (done && kind == HV_IRQCHIP_STATE_PIT)
        irqchip_pit_run(c);
    return done ? 0 : -HV_EINVAL;
}
