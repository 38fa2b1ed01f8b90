/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq: the calls on interrupts with C arguments, as call.h has the others: routes, lines, messages,
 * notifiers, doorbells, state of controllers. Results are those of the calls: zero or positive, or a negative
 * HV_E*.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest_abi/hv_mgmt.h"
#include "guest_abi/hv_pirq.h"
#include "guest_abi/hv_route.h"
#include "guest_abi/hv_vcpu.h"

/* Before the domain's first vCPU; a full irqchip has one I/O APIC at its usual place without it. */
int64_t irq_config(uint32_t domain, const struct hv_irqchip_config *config);
int64_t irq_chip_get(uint32_t domain, enum hv_irqchip_state kind, void *record, size_t size);
int64_t irq_chip_set(uint32_t domain, enum hv_irqchip_state kind, const void *record, size_t size);

/* Split: level-triggered vectors whose EOI is the service HV_EXIT_EOI; bit per vector. */
int64_t irq_eoi_vectors(uint32_t domain, const uint64_t vectors[4]);

/* Above 0: vCPUs that newly have it, 0: it was pending, -HV_ENXIO: nobody takes it. */
int64_t irq_line(uint32_t domain, uint32_t gsi, unsigned level);
int64_t irq_message(uint32_t domain, uint64_t address, uint32_t data);

/* `route` is the whole route of the GSI: `count` of them, 0: none. */
int64_t irq_route_set(uint32_t domain, uint32_t gsi, const struct hv_route *route, uint32_t count);
int64_t irq_route_message(uint32_t domain, uint32_t gsi, uint64_t address, uint32_t data);
int64_t irq_route_pin(uint32_t domain, uint32_t gsi, uint32_t chip, uint32_t pin);
int64_t irq_route_notify(uint32_t domain, uint32_t gsi, uint32_t vcpu, uint32_t number);

/* The whole table, any number of routes, rising by GSI. When it fails the old one is there unchanged. */
int64_t irq_route_replace(uint32_t domain, const struct hv_route *route, uint32_t count);

/*
 * Routes from *gsi on, which moves to where to go on; less than `room` of them, 5 or more. Over: 0 and *gsi
 * has not moved.
 */
int64_t irq_route_get(uint32_t domain, uint32_t *gsi, struct hv_route *out, uint32_t room);
int64_t irq_route_stats(uint32_t domain, uint32_t gsi, struct hv_route_stats *out);
int64_t irq_route_latency(uint32_t domain, uint32_t gsi, struct hv_route_latency *out);
/* The next GSI from *gsi on with that vector (and destination, unless NULL). 0, or -HV_ENOENT. */
int64_t irq_route_find(uint32_t domain, uint32_t *gsi, uint32_t vector, const uint32_t *destination);

int64_t irq_notifier_create(const struct hv_notifier *bind); /* -> handle */
int64_t irq_notifier_gsi(uint32_t domain, uint32_t gsi);
int64_t irq_notifier_resample(uint32_t domain, uint32_t gsi, uint32_t vcpu, uint32_t number);
int64_t irq_notifier_notify(uint32_t vcpu, uint32_t number);
int64_t irq_notifier_close(uint64_t notifier);
int64_t irq_notifier_bind(uint64_t notifier, const struct hv_notifier *bind);
int64_t irq_notifier_grant(uint64_t notifier, uint32_t domain, unsigned allowed);
int64_t irq_notifier_signal(uint64_t notifier);
int64_t irq_notifier_read(uint64_t notifier); /* -> signals since the last time */
int64_t irq_notifier_info(uint64_t notifier, struct hv_notifier_info *out);
int64_t irq_notifier_list(uint64_t after, uint64_t *out, uint32_t count);

/* Writes of `width` bytes (0: any) to the address; *data, unless NULL: only that value. */
int64_t irq_doorbell_add(uint32_t domain, enum hv_claim_space space, uint64_t address, uint32_t width,
                         const uint64_t *data, uint64_t notifier);
int64_t irq_doorbell_remove(uint32_t domain, enum hv_claim_space space, uint64_t address, uint32_t width,
                            const uint64_t *data, uint64_t notifier);

/* Lines of the machine. Bind: `number` is a GSI, or what b->flags say; the GSI is the result. */
int64_t irq_pirq_bind(uint64_t number, const struct hv_pirq *b);
int64_t irq_pirq_unbind(uint64_t gsi);
int64_t irq_pirq_ack(uint64_t gsi);
int64_t irq_pirq_give(uint64_t gsi, uint32_t domain);
int64_t irq_pirq_info(uint64_t gsi, struct hv_pirq_info *out);
