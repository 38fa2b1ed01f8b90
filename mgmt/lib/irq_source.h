/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * irq_source: an interrupt of a domain that is a message, for devices: a GSI of its own with a notifier. The
 * message becomes the GSI's route when it is set, so that firing is one call that carries nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct irq_source {
    uint64_t notifier; /* 0: not made */
    uint32_t domain, gsi;
    bool routed;
    uint64_t address;
    uint32_t data;
    uint64_t fired;
};

int64_t irq_source_make(struct irq_source *source, uint32_t domain, uint32_t gsi);
/* A negative HV_E*: it is no message that could be sent, or no memory; firing does nothing then. */
int64_t irq_source_set(struct irq_source *source, uint64_t address, uint32_t data);
void irq_source_fire(struct irq_source *source);
/* In every state that make can leave, also when the domain is gone. */
void irq_source_drop(struct irq_source *source);
