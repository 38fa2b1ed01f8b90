/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long interrupts of the controllers' pins take, from when one is sent to a local APIC (or requested at the PIC) until
 * the guest ends it, by powers of two. Only what has an end that is seen: levels of I/O APICs, and the PIC; so messages and
 * edges of I/O APICs, the hot ones, pay nothing. All of it under the irqchip lock; the TSC is one that the caller has read.
 */
#ifndef HV_IRQCHIP_LATENCY_H
#define HV_IRQCHIP_LATENCY_H

#include "guest_abi/hv_route.h"
#include "hv/core/domain.h"

#define LATENCY_PER_PAGE 42U
#define LATENCY_PAGES    8U

struct latency_pin {
    uint64_t since; /* TSC; 0: nothing is on its way */
    uint32_t count[HV_LATENCY_BUCKETS];
};
_Static_assert(sizeof(struct latency_pin) * LATENCY_PER_PAGE <= PAGE_SIZE, "so many in a page");

struct latency {
    struct latency_pin *page[LATENCY_PAGES];
};

/* False: no memory; what there is goes with latency_free. */
bool latency_create(struct latency *l, struct domain *d, uint32_t pins);
void latency_free(struct latency *l, struct domain *d);

void latency_begin(struct latency *l, uint32_t pin, uint64_t now);
void latency_end(struct latency *l, uint32_t pin, uint64_t now);
/* Adds a pin's. */
void latency_add(const struct latency *l, uint32_t pin, uint32_t count[HV_LATENCY_BUCKETS]);

#endif
