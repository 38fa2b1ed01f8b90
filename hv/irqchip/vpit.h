/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 with port 61h: a pure model. The caller holds the domain's irqchip lock and hands in the time as
 * TSC ticks. The model knows positions in PIT ticks since it was made, computed from the TSC by one division,
 * so nothing drifts; a channel is where it was loaded and with what, so a year without a call costs as much as
 * a microsecond.
 *
 * IRQ 0. After every write, at vpit_deadline, and after vpit_state_set: vpit_run; if it says so, pulse IRQ 0
 * (raise, lower) and report by vpit_sent what came of it. Ask vpit_deadline again after that. When the guest
 * ends IRQ 0 (vpic_facts.ended bit 0; vioapic_eoi of the watched pin): vpit_ack, which may ask for the next
 * pulse in the same way; if it does not, ask vpit_deadline too. (Should that be forgotten, the next edge of
 * a periodic mode serves what waits.)
 *
 * Reinjection on: a tick that finds the last one unacknowledged waits for its acknowledgement, but not longer
 * than a second, since a reset may have swallowed that; up to VPIT_MISSED_MAX ticks wait. When IRQ 0 is
 * unmasked, the caller starts anew with vpit_reinject. Off: a tick merges with what is pending. A period below
 * 200 us (on a slow machine: VPIT_MIN_TICKS) is served every 200 us, and what is left out is not counted; while such a tick is not
 * acknowledged, nothing is asked for but its giving up.
 *
 * 8254 data sheet; rows T-01 to T-05.
 */
#ifndef HV_IRQCHIP_VPIT_H
#define HV_IRQCHIP_VPIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_abi/irqchip.h"

#define VPIT_MISSED_MAX 0xffffU /* a minute at 1 kHz */
#define VPIT_MIN_PERIOD 239U    /* PIT ticks: 200 us, rounded up */
#define VPIT_MIN_TICKS  10000U  /* and of the TSC: a tick costs less, so that a CPU goes on */

struct vpit {
    struct hv_pit_channel channel[3]; /* the fields are explained with the record */
    uint64_t tsc_hz;
    uint32_t shortest;            /* period, PIT ticks: shorter ones are served this often */
    uint64_t tsc_base, tick_base; /* position tick_base was reached at TSC tsc_base */
    uint64_t position;            /* everything up to here has happened */
    uint64_t served;
    uint64_t ticks, dropped; /* statistics: pulses asked for; ticks given up */
    uint32_t edges;
    uint16_t flags; /* enum hv_pit_flag */
    uint8_t port61; /* bits 3:0 */
};

/* As after power-up, reinjection on. 1 to 2^32 kHz; 0 counts as 1. */
void vpit_init(struct vpit *p, uint64_t tsc_khz, uint64_t now);

/* Ports 40h to 43h and 61h, a byte each; the caller splits wider accesses. Others: FFh, no effect. */
uint8_t vpit_read(struct vpit *p, uint16_t port, uint64_t now);
void vpit_write(struct vpit *p, uint16_t port, uint8_t value, uint64_t now);

/* OUT of a channel (0 to 2). */
bool vpit_out(struct vpit *p, unsigned channel, uint64_t now);

/* True: call vpit_run at *tsc, which may have passed. Also each edge while a tick is unacknowledged. */
bool vpit_deadline(const struct vpit *p, uint64_t *tsc);
/* True: pulse IRQ 0 now. */
bool vpit_run(struct vpit *p, uint64_t now);
/* What came of the pulse, the best of all controllers: below 0 masked, 0 coalesced, above 0 delivered. */
void vpit_sent(struct vpit *p, int status);
/* The guest has ended IRQ 0. True: pulse IRQ 0 again. */
bool vpit_ack(struct vpit *p, uint64_t now);

/* Both forget what was missed and what was not acknowledged. */
void vpit_reinject(struct vpit *p, bool on);
void vpit_mute(struct vpit *p, bool on); /* no ticks while on; the counters run */

void vpit_state_get(struct vpit *p, uint64_t now, struct hv_pit *out);
/* False: refused, nothing has changed. `size`: bytes that are there. */
bool vpit_state_set(struct vpit *p, uint64_t now, const struct hv_pit *in, size_t size);

#endif
