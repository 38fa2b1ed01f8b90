/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mgmt_fake_route: the calls on routes and interrupts by hand of mgmt/lib/irq.h and call.h, on the pretended
 * hypervisor of mgmt_fake.h: one table for all domains, counters and levels that a test sets, and what was
 * sent last.
 */
#pragma once

#include "guest_abi/apic.h"
#include "guest_abi/hv_route.h"
#include "guest_abi/irqchip.h"
#include "tests/host/mgmt_fake.h"

enum { FAKE_ROUTE_GSIS = 4096, FAKE_PINS = 24 };

struct fake_route {
    struct hv_route route[FAKE_ROUTE_GSIS][HV_ROUTES_PER_GSI];
    uint32_t count[FAKE_ROUTE_GSIS];
    struct hv_route_stats stats[FAKE_ROUTE_GSIS];
    struct hv_route_latency latency[FAKE_PINS];
    bool chips;      /* PIC and the first I/O APIC are there */
    uint32_t pins;   /* of that */
    uint16_t pic_up; /* bit per pin */
    uint32_t ioapic_up;
    int64_t result; /* of irq_message() */
    uint64_t address;
    uint32_t data, messages;
    bool apics; /* HV_INJECT_EXTERNAL is refused */
    uint32_t kind, vcpu, vector, injections;
};

extern struct fake_route fake_route;

void fake_route_reset(void); /* GSI n at pin n, the first 16 at the PIC too */
