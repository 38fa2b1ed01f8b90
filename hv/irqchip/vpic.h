/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two 8259A of a PC, cascaded on IRQ 2, with the edge/level control register: a pure model. The caller
 * holds the domain's irqchip lock. After every call that is not const it compares vpic_output with what it
 * knew, and tells the bootstrap processor (deliver_extint); first it serves the facts, since a resampler may
 * lower a line.
 *
 * Edges are latched, also on masked pins, and stay when the line falls. The request of a level pin is its
 * line. ICW3 is kept and has no effect: the wiring of a PC is fixed. A chip gives no interrupt before its
 * initialization is complete.
 *
 * 8259A data sheet; ELCR: chipset data sheets; rows P-01 to P-04.
 */
#ifndef HV_IRQCHIP_VPIC_H
#define HV_IRQCHIP_VPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_abi/irqchip.h"

#define VPIC_PINS    16U
#define VPIC_SOURCES 64U /* of one pin: wired-OR */

enum vpic_stat { VPIC_STAT_ACKNOWLEDGED, VPIC_STAT_SPURIOUS, VPIC_STAT_COALESCED, VPIC_STATS };

struct vpic {
    struct hv_pic_chip chip[2]; /* the fields are explained with the record */
    uint64_t sources[VPIC_PINS];
    uint8_t lines[2]; /* pins of a chip that some source holds asserted */
    uint64_t stats[VPIC_STATS];
};

/* Sets of pins 0 to 15; 2 is the cascade. The caller hands in zeroes; calls add to them. */
struct vpic_facts {
    uint16_t ended; /* EOI, automatic EOI, or dropped by ICW1: for resamplers and the PIT */
    uint16_t mask;  /* masked or unmasked; vpic_masked */
};

void vpic_init(struct vpic *p); /* as after power-up */

/*
 * A source (0 to 63) drives a pin. 1: new request or lowered, 0: coalesced with a request that waits, -1:
 * masked or not initialized (an edge is latched nevertheless), or no such pin. Pin 2 belongs to the slave.
 */
int vpic_line(struct vpic *p, uint32_t pin, unsigned source, bool asserted);
/* Or the chip is not initialized; slave pins: also when IRQ 2 is. */
bool vpic_masked(const struct vpic *p, uint32_t pin);

/* A request waits, or is in service. */
bool vpic_busy(const struct vpic *p, uint32_t pin);

/* INT of the master. */
bool vpic_output(const struct vpic *p);
/* INTA: the vector. Without a request that of the spurious interrupt, IRQ 7 or 15. */
uint8_t vpic_ack(struct vpic *p, struct vpic_facts *f);

/* Ports 20h, 21h, A0h, A1h, 4D0h, 4D1h, a byte each; the caller splits wider accesses. Others: FFh, no effect. */
uint8_t vpic_read(struct vpic *p, uint16_t port, struct vpic_facts *f);
void vpic_write(struct vpic *p, uint16_t port, uint8_t value, struct vpic_facts *f);

void vpic_state_get(const struct vpic *p, struct hv_pic *out);
/* False: refused, nothing has changed. `size`: bytes that are there. */
bool vpic_state_set(struct vpic *p, const struct hv_pic *in, size_t size);

#endif
