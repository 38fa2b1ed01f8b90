/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events: the loop around the notification page. Callbacks by notification number, timers by
 * absolute TSC, sleep when there is nothing to do.
 *
 * Order: events_init(), then callbacks and timers at any time, also from callbacks, then
 * events_run_once() for ever.
 */
#pragma once

#include <stdint.h>

#include "guest_abi/hv_vcpu.h"

typedef void events_fn(void *ctx, uint32_t number);
typedef void events_timer_fn(void *ctx);

/* Belongs to the caller and must live while it is set. */
struct events_timer {
    uint64_t deadline; /* TSC */
    events_timer_fn *fn;
    void *ctx;
    struct events_timer *next;
};

/* `page`: page-aligned, zeroed, at guest-physical `gpa`. The result of HV_CALL_NOTIFY_PAGE. */
int64_t events_init(struct hv_notify *page, uint64_t gpa);

/* One callback per number; a NULL one takes it away. */
void events_set(uint32_t number, events_fn *fn, void *ctx);

/* Sets a timer, or sets it anew. */
void events_timer_set(struct events_timer *timer, uint64_t deadline, events_timer_fn *fn, void *ctx);
void events_timer_cancel(struct events_timer *timer);

uint64_t events_now(void); /* TSC */

/* Handles what is pending and due; sleeps first when nothing is. */
void events_run_once(void);
