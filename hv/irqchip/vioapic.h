/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual I/O APIC: a pure model. The caller holds the domain's irqchip lock, hands in the time as TSC ticks
 * and acts on what comes back; nothing here knows a domain, a clock or a GSI.
 *
 * Sending. Wherever a pin may have something to send, ask vioapic_ready; if it has, hand the message to
 * deliver_message and its result to vioapic_sent:
 *
 *     status = vioapic_line(a, pin, source, true, now);
 *     if (status == VIOAPIC_SEND && vioapic_ready(a, pin, now, &m))
 *         status = vioapic_sent(a, pin, deliver_message(d, NULL, &m));
 *
 * After vioapic_state_set, at vioapic_deadline and when a local APIC begins to accept or is named otherwise:
 * for all pins, by vioapic_next. What nobody took stays there, with the delivery status set.
 *
 * Ending. vioapic_eoi gives the pins that a vector ends, with nothing changed; the caller notifies resamplers
 * (which lower their source); then vioapic_end for each pin, and if it says so ready and sent. The lock may be
 * dropped in between.
 *
 * 82093AA data sheet; "I/O APIC" in the chipset data sheets for the EOI register; rows I-01 to I-13.
 */
#ifndef HV_IRQCHIP_VIOAPIC_H
#define HV_IRQCHIP_VIOAPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_abi/irqchip.h"
#include "hv/vapic/vlapic.h"

#define VIOAPIC_PINS_DEFAULT 24U
#define VIOAPIC_SOURCES      64U    /* of one pin: wired-OR */
#define VIOAPIC_STREAK_MAX   10000U /* immediate deliveries after EOI, in a row, until the pin is put off */
#define VIOAPIC_PUT_OFF_MS   10U

/* Status of a line: below 0, 0, above 0 as KVM_IRQ_LINE_STATUS says it. */
enum vioapic_status {
    VIOAPIC_MASKED = -1, /* or nobody takes it */
    VIOAPIC_COALESCED = 0,
    VIOAPIC_DONE = 1,      /* lowered */
    VIOAPIC_SEND = 1 << 30 /* not a result yet: see above */
};

enum vioapic_stat {
    VIOAPIC_STAT_SENT,
    VIOAPIC_STAT_COALESCED,
    VIOAPIC_STAT_IGNORED, /* edge on a masked pin */
    VIOAPIC_STAT_REFUSED, /* nobody took it */
    VIOAPIC_STAT_ENDED,
    VIOAPIC_STAT_STORMS, /* put off */
    VIOAPIC_STATS
};

struct vioapic_pin {
    uint64_t rte; /* without the delivery status */
    uint64_t sources;
    uint64_t put_off; /* until this TSC; 0: not */
    uint32_t streak;
    uint32_t storms; /* for the manager: how often it was put off */
    bool waiting;    /* an edge that nobody has taken yet */
};

struct vioapic {
    struct vioapic_pin *pins; /* the caller's memory: pin_count of them */
    /* Constant. */
    uint32_t pin_count;
    uint8_t version;
    bool extended;  /* RTE bits 55:49 are bits 14:8 of the destination */
    uint64_t delay; /* TSC ticks of VIOAPIC_PUT_OFF_MS */

    uint32_t select, id;
    uint64_t stats[VIOAPIC_STATS];
};

/* A set of pins. */
struct vioapic_pins {
    uint64_t bits[4];
};

enum vioapic_fact {
    VIOAPIC_FACT_RTE = 1 << 0,   /* .pin: ask vioapic_ready */
    VIOAPIC_FACT_MASK = 1 << 1,  /* .pin: masked or unmasked; vioapic_masked */
    VIOAPIC_FACT_ENDED = 1 << 2, /* .pin: switched to edge while in service; notify resamplers before ready */
    VIOAPIC_FACT_EOI = 1 << 3,   /* .vector, EOI register: vioapic_eoi of this one I/O APIC */
};

/* The caller hands in zeroes. */
struct vioapic_facts {
    uint32_t what;
    uint32_t pin;
    uint8_t vector;
};

/* As after RESET, all pins masked and low. 1 to 240 pins; `version` is 0x11 or 0x20. False: refused. */
bool vioapic_init(struct vioapic *a, struct vioapic_pin *pins, uint32_t pin_count, uint8_t version,
                  bool extended, uint64_t tsc_khz);

/* The page, any offset and width (1 to 8 bytes). Outside the registers: zeroes, and no effect. */
uint64_t vioapic_read(const struct vioapic *a, uint32_t offset, unsigned size);
void vioapic_write(struct vioapic *a, uint32_t offset, unsigned size, uint64_t value,
                   struct vioapic_facts *f);

/*
 * A source (0 to 63) drives a pin. A result, or VIOAPIC_SEND. An edge on a masked pin is lost, a level is
 * kept. A pin or source that does not exist is VIOAPIC_MASKED.
 */
int vioapic_line(struct vioapic *a, uint32_t pin, unsigned source, bool asserted, uint64_t now);
bool vioapic_asserted(const struct vioapic *a, uint32_t pin);
bool vioapic_masked(const struct vioapic *a, uint32_t pin);

/* What an interrupt of the pin would be, as it is programmed now. */
void vioapic_message(const struct vioapic *a, uint32_t pin, struct vlapic_message *m);
/* The pin has a message to send now: *m. */
bool vioapic_ready(const struct vioapic *a, uint32_t pin, uint64_t now, struct vlapic_message *m);
/* The first pin at or above `from` that has one; pin_count: none. */
uint32_t vioapic_next(const struct vioapic *a, uint32_t from, uint64_t now, struct vlapic_message *m);
/* `result` of deliver_message, which it returns as the status. */
int vioapic_sent(struct vioapic *a, uint32_t pin, int result);

/* Pins that an EOI of this vector ends; true when there is one. Nothing changes. */
bool vioapic_eoi(const struct vioapic *a, uint8_t vector, struct vioapic_pins *pins);
/*
 * The second half. True: ask vioapic_ready. False: nothing to send, or put off by the storm guard (ask
 * vioapic_deadline). Does nothing when the pin's vector is another one by now.
 */
bool vioapic_end(struct vioapic *a, uint32_t pin, uint8_t vector, uint64_t now);
/* True: at *deadline a pin that was put off may go on: vioapic_next. */
bool vioapic_deadline(const struct vioapic *a, uint64_t *deadline);

/* Fills HV_IOAPIC_SIZE(pin_count) bytes. */
void vioapic_state_get(const struct vioapic *a, uint64_t now, struct hv_ioapic *out);
/* False: refused, nothing has changed. `size`: bytes that are there. */
bool vioapic_state_set(struct vioapic *a, uint64_t now, const struct hv_ioapic *in, size_t size);

#endif
