/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq_bell: a doorbell with a callback: a notification number of this program, a notifier that sets it, and
 * at most one address of a domain whose writes ring it. The guest goes on at once; the callback runs from the
 * event loop, once for any number of rings before it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest_abi/hv_mgmt.h"
#include "mgmt/lib/events.h"

/* Writes of any width, or with `match` only those of `data` with 4 bytes. */
struct irq_bell_place {
    enum hv_claim_space space;
    uint64_t address;
    bool match;
    uint64_t data;
};

struct irq_bell {
    uint64_t notifier; /* 0: not made */
    uint32_t domain, number;
    bool placed;
    struct irq_bell_place at;
};

/*
 * Closes all notifiers that a former instance of this program had. Before the first bell, after
 * events_init().
 */
void irq_bell_init(void);

/* -HV_ENOSPC: no notification number is left. */
int64_t irq_bell_make(struct irq_bell *bell, uint32_t domain, events_fn *fn, void *ctx);
/* Moves it; NULL: nowhere. A negative HV_E*: it is nowhere now. */
int64_t irq_bell_put(struct irq_bell *bell, const struct irq_bell_place *at);
/* In every state that make can leave, also when the domain is gone. */
void irq_bell_drop(struct irq_bell *bell);
