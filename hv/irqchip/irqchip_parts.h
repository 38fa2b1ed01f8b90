/* SPDX-License-Identifier: BSD-2-Clause */
/* What irqchip.c and irqchip_state.c share: the controllers of a domain, and what follows when their state was changed. */
#ifndef HV_IRQCHIP_IRQCHIP_PARTS_H
#define HV_IRQCHIP_IRQCHIP_PARTS_H

#include "hv/core/timer.h"
#include "hv/irqchip/irqchip.h"
#include "hv/irqchip/latency.h"
#include "hv/irqchip/vioapic.h"
#include "hv/irqchip/vpic.h"
#include "hv/irqchip/vpit.h"

struct ioapic {
    struct vioapic model; /* first */
    uint64_t base;
    uint32_t first; /* of its pins, among all of the domain */
};

struct irqchip {
    /* Constant. */
    struct domain *domain;
    const struct irqchip_upcalls *up;
    uint32_t ioapics; /* 0: the manager has them, and the PIC */
    bool has_pit;

    struct spinlock lock; /* guards the rest */
    struct vpic pic;
    bool pic_output; /* as the vCPUs know it */
    struct vpit pit;
    bool reinject;      /* as the manager wants it */
    bool pit_by_ioapic; /* the last tick met an open pin of an I/O APIC */
    struct ioapic ioapic[HV_IOAPICS_MAX];
    struct latency latency; /* pins of the PIC, then of the I/O APICs */
    struct timer pit_timer, storm_timer;
    bool stopped; /* no timer is set any more */
};
_Static_assert(sizeof(struct irqchip) <= PAGE_SIZE, "one page");
_Static_assert(sizeof(struct vioapic_pin) * HV_IOAPIC_PINS_CONFIG_MAX <= PAGE_SIZE, "one page of pins");

/* With the lock held. */
void irqchip_storm_rearm(struct irqchip *c);
void irqchip_pic_tell(struct irqchip *c);
void irqchip_pit_set_reinject(struct irqchip *c);
void irqchip_send_all(struct irqchip *c, struct vioapic *a);
/* Without. */
void irqchip_pit_run(struct irqchip *c);

#endif
