/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent of vCPU 0 in a domain with all its controllers in the hypervisor: what it programs, and what it takes. */
#pragma once

#include "guest_abi/apic.h"
#include "guest_abi/irqchip.h"
#include "mgmt/lib/irq.h"
#include "tests/manager/lab.h"

#define MSI_BASE  0xfee00000U
#define NUMBER(n) (HV_NOTIFY_OWN + (n))
#define TAKE_MS   2000U

void irq_lapic(struct guest *g, uint32_t reg, uint32_t value);
void irq_eoi(struct guest *g);
/* The low half of a redirection entry; the high one becomes 0. */
void irq_redirect(struct guest *g, uint32_t pin, uint32_t low);
void irq_ioapic(struct guest *g, uint32_t offset, uint32_t width, uint32_t value);
uint32_t irq_ioapic_read(struct guest *g, uint32_t offset, uint32_t width);
void irq_out(struct guest *g, uint16_t port, uint8_t value);
uint8_t irq_in(struct guest *g, uint16_t port);
/* As firmware does: vectors 0x20 to 0x2f, `mask` of the master's pins, the slave's all masked, LINT0 as ExtINT. */
void irq_open_pic(struct guest *g, uint8_t mask);

/* Lets it take what waits, for so long; how many it took. The last one is not ended. */
uint64_t irq_take_for(struct guest *g, uint64_t ms);
/* Takes so many and then nothing more, the last with this vector. */
void irq_take(struct guest *g, uint32_t count, uint32_t vector);
struct hv_ioapic_pin irq_pin(const struct guest *g, uint32_t pin);
struct hv_route_stats irq_stats(const struct guest *g, uint32_t gsi);
