/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The GSI table of a domain: 512 words (route_word.h) to a page, pages in one directory page, so that a
 * look-up is three loads and no lock, and a change is one exchange (hazard.h). Counters lie in pages of their
 * own beside it and outlive a replaced table. All pages are on the domain's account.
 *
 * Firing: any context in root mode. Changing: the caller holds the management lock, but for route_set, which
 * has one of its own.
 */
#ifndef HV_ROUTE_ROUTE_H
#define HV_ROUTE_ROUTE_H

#include "hv/core/domain.h"
#include "hv/irqchip/irqchip.h"
#include "hv/route/hazard.h"
#include "hv/route/route_word.h"

#define ROUTE_PER_PAGE     512U
#define ROUTE_PAGES        (HV_GSI_MAX / ROUTE_PER_PAGE)
#define ROUTE_COUNTS_PAGE  128U
#define ROUTE_PINS         (16U + HV_IOAPICS_MAX * HV_IOAPIC_PINS_CONFIG_MAX)
#define ROUTE_RESAMPLERS   64U
#define ROUTE_CHAIN_MAX    4U /* GSIs that one firing goes through */
#define ROUTE_GSIS_DEFAULT 4096U

struct route_table {
    uint64_t *page[ROUTE_PAGES];
    uint32_t gsi_of[ROUTE_PINS]; /* reverse: GSI + 1 of a pin, the last one set; for acknowledgements */
    uint32_t end;                /* while it is prepared: GSIs come rising, the next is at least this */
};
_Static_assert(sizeof(struct route_table) <= PAGE_SIZE, "one page");

struct route_counts {
    uint64_t fired, coalesced, masked, acknowledged;
};

struct route_counts_dir {
    struct route_counts *page[512];
};

struct notifier;
struct notifiers;

/* A GSI with resample notifiers: notifier.c. */
struct route_resampler {
    uint32_t gsi;
    struct notifier *first; /* NULL: a free place */
};

/* One page; what it points to is made when it is needed. */
struct routing {
    struct spinlock change;    /* of one route; the others' changes hold the management lock too */
    struct route_table *table; /* exchanged by route_commit */
    struct route_table *next;  /* being prepared */
    struct route_counts_dir *counts[2];
    struct route_limits limits;
    struct notifiers *notifiers; /* that the domain owns */
    uint32_t resamplers;         /* places in use or once used */
    struct route_resampler resampler[ROUTE_RESAMPLERS];
};
_Static_assert(sizeof(struct routing) <= PAGE_SIZE, "one page");

/* Makes d->routing unless it is there: an empty table with the default number of GSIs. NULL: no memory. */
struct routing *route_init(struct domain *d);
struct route_limits route_limits(const struct domain *d); /* also before that */
/*
 * Everything that hv/route and hv/irqchip have of d: its vCPUs are gone, and every CPU has answered a call
 * since.
 */
void route_release(struct domain *d);

/*
 * What the domain has, and a new table: GSI n to pin n of the I/O APICs, one behind the other; the first 16
 * to the PIC too, but for 2; GSI 0, the PIT, to pin 2. 0, -HV_ENOMEM: nothing has changed.
 */
int route_default(struct domain *d, const struct route_limits *l);

/*
 * A source raises or lowers its line, or sends its message. Above 0: vCPUs that newly have it (1 for what is
 * no interrupt); 0: it was pending already; -HV_ENXIO: nobody takes it (masked, no route, or the end of a
 * line that ends in a message); -HV_EINVAL: no such GSI.
 */
int route_fire(struct domain *d, uint64_t gsi, enum irqchip_source source, bool level);
/* The same with hazard_enter(HAZARD_ALL) made by the caller. */
int route_fire_held(struct domain *d, uint32_t gsi, enum irqchip_source source, bool level);

/* A pulse of the manager's line, or the message. The domain has a table, and the GSI is in it. */
int route_signal_held(struct domain *d, uint32_t gsi);

/* 0 when there is none. */
uint64_t route_get(const struct routing *r, uint32_t gsi);
/* Returns when the old route can fire no more. 0, -HV_ENOMEM: no page for it. */
int64_t route_set(struct domain *d, uint32_t gsi, uint64_t word);

/*
 * A new table: prepare from nothing, then switch at once. -HV_EINVAL: not begun, or GSIs not rising;
 * -HV_ENOMEM.
 */
int route_begin(struct domain *d);
int route_start(struct domain *d, const uint32_t *gsi, const uint64_t *word,
                uint32_t n); /* both, or as it was */
int route_add(struct domain *d, const uint32_t *gsi, const uint64_t *word, uint32_t count);
int route_commit(struct domain *d);
void route_abort(struct domain *d);

void route_stormed(struct domain *d, uint32_t chip, uint32_t pin,
                   uint32_t times); /* struct irqchip_upcalls */

/* The counters of a GSI, or NULL. */
struct route_counts *route_counts(const struct routing *r, uint32_t gsi);
/* The GSI that leads to a pin, or HV_GSI_MAX. */
uint32_t route_gsi_of(const struct routing *r, uint32_t chip, uint32_t pin);

#endif
