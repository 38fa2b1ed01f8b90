/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controllers of a domain, wired: the models of this folder with a lock, a clock, ports and
 * pages. Whatever moves a line comes from routes (hv/route), which stand above and are called back. In split
 * mode there is nothing here but the call back.
 *
 * The lock is taken before a run queue's and a timer queue's, never while calling back: the order of an
 * acknowledgement is resamplers first (they lower their line), then the pin goes on.
 */
#ifndef HV_IRQCHIP_IRQCHIP_H
#define HV_IRQCHIP_IRQCHIP_H

#include "guest_abi/hv_route.h"
#include "hv/core/domain.h"

/* Who holds a line: bits of the pins' sources. */
enum irqchip_source {
    IRQCHIP_SOURCE_MANAGER,
    IRQCHIP_SOURCE_RESAMPLE,
    IRQCHIP_SOURCE_PIT,
    IRQCHIP_SOURCE_TICK
};

struct irqchip_upcalls {
    /* The guest has ended an interrupt of a pin (HV_CHIP_*); in split mode of a level-triggered vector. */
    void (*acked)(struct domain *d, uint32_t chip, uint32_t pin);
    void (*acked_vector)(struct domain *d, uint8_t vector);
    int (*pit)(struct domain *d, bool level); /* the output of channel 0; its status */
    /* A level that the guest ends and that stays was put off, for this time. */
    void (*stormed)(struct domain *d, uint32_t chip, uint32_t pin, uint32_t times);
};

/*
 * The controllers of a domain with local APICs and without vCPUs, for d->chips; `c` has been checked.
 * Management lock. NULL: no memory.
 */
struct irqchip *irqchip_create(struct domain *d, const struct hv_irqchip_config *c,
                               const struct irqchip_upcalls *up);
/* Nobody finds it any more, but for its timers. Waits for other CPUs. NULL is fine. */
void irqchip_free(struct irqchip *c);

/*
 * A source (enum irqchip_source) drives a pin: above 0 delivered, 0 coalesced, below masked. TICK is a pulse, and none while
 * the last one is not ended by all who have it. Any context, no lock of this folder held.
 */
int irqchip_set(struct domain *d, uint32_t chip, uint32_t pin, unsigned source, bool level);

/* The manager says that the guest has ended IRQ 0 at a controller that it emulates. */
void irqchip_pit_ended(struct domain *d);

/* A guest's access. False: not to these devices. */
bool irqchip_pio(struct domain *d, uint16_t port, uint32_t width, bool write, uint64_t *data);
bool irqchip_mmio(struct domain *d, uint64_t gpa, uint32_t width, bool write, uint64_t *data);

/* A local APIC has ended a level-triggered interrupt, and broadcasts it. */
void irqchip_eoi(struct domain *d, uint8_t vector);

/*
 * INTR of the PIC, and INTA: the vector. A local APIC begins to accept interrupts: what nobody took is tried
 * again.
 */
bool irqchip_extint(const struct domain *d);
uint8_t irqchip_ack(struct domain *d);
void irqchip_retry(struct domain *d);

/* Is this what a pin's interrupts are, as it is programmed now? NULL: any destination. A PIC's have none. */
bool irqchip_sends(const struct domain *d, uint32_t chip, uint32_t pin, uint8_t vector,
                   const uint32_t *destination);

/* Adds up what a pin has: times that it was put off; durations until the guest's EOI (hv_route_latency). */
void irqchip_pin_stats(struct domain *d, uint32_t chip, uint32_t pin, uint64_t *storms,
                       uint32_t latency[HV_LATENCY_BUCKETS]);

/*
 * State records (guest_abi/irqchip.h). 0; -HV_ENODEV: no such device; -HV_EINVAL: the size is another, or
 * (set) a record that is none: nothing has changed.
 */
int irqchip_state_size(const struct domain *d, uint32_t kind, uint32_t *size);
int irqchip_state_get(struct domain *d, uint32_t kind, void *record);
int irqchip_state_set(struct domain *d, uint32_t kind, const void *record, uint32_t size);

#endif
