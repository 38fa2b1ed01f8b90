/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mgmt_fake_irq: the calls of mgmt/lib/irq.h on the pretended hypervisor of mgmt_fake.h: notifiers, routes that are
 * messages, doorbells, lines. It keeps the rules that a user must not break and counts what is held.
 */
#pragma once

#include "guest_abi/hv_route.h"
#include "tests/host/mgmt_fake.h"

enum { FAKE_NOTIFIERS = 256, FAKE_DOORBELLS = 256, FAKE_GSIS = 256 };

struct fake_notifier {
    bool open;
    struct hv_notifier bind;
    uint32_t signals;
};

struct fake_doorbell {
    bool placed, match;
    uint32_t domain, width;
    uint64_t address, data, notifier;
};

struct fake_irq {
    struct fake_notifier notifier[FAKE_NOTIFIERS]; /* handle: index + 1 */
    struct fake_doorbell doorbell[FAKE_DOORBELLS];
    uint64_t message[FAKE_GSIS]; /* address of the route, all domains; 0: none */
    uint32_t data[FAKE_GSIS];
    bool line[FAKE_GSIS];
    uint32_t routes, lines; /* calls */
};

extern struct fake_irq fake_irq;

void fake_irq_reset(void);
uint32_t fake_irq_open(void);      /* notifiers */
uint32_t fake_irq_doorbells(void); /* placed */

/* A guest's write: true when it met a doorbell, whose notification is set. */
bool fake_irq_write(uint32_t domain, uint64_t address, uint32_t width, uint64_t data);
