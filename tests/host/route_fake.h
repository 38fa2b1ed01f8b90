/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hv/route stands on, for host tests: domains from the heap with pages that are counted and can be made
 * to fail, a per-CPU block per thread behind GS (free for programs on x86-64), and sinks that note what
 * comes.
 */
#pragma once

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hv/core/irq_level.h"
#include "hv/core/notify.h"
#include "hv/core/page.h"
#include "hv/core/pcpu.h"
#include "hv/irqchip/irqchip.h"
#include "hv/route/doorbell.h"
#include "hv/route/notifier.h"
#include "hv/route/route.h"
#include "hv/vapic/deliver.h"

enum { FAKE_CPUS = 4, FAKE_DOMAINS = 4 };

/* The interface of the fakes: what came, newest last. */
struct fake_event {
    enum { FAKE_LINE, FAKE_MESSAGE, FAKE_NOTIFY, FAKE_OUTPUT } what;
    uint32_t a, b, c; /* chip, pin, source << 1 | level; destination, vector, mode; domain, vCPU, number;
                         number, edge, source << 1 | level */
};
extern struct fake_event fake_events[256];
extern unsigned fake_count;
extern int fake_result;               /* what the sinks return */
extern long fake_pages, fake_fail_at; /* pages out; 0: none fails, n: the n-th from now on */
extern long fake_pages_at_grace;      /* when every CPU was last waited for */
extern void (*fake_hook)(void);       /* called by the sinks, if set */

struct domain *fake_domain(uint16_t id, uint16_t manager);
void fake_start(void);         /* nothing there; domain 0 is */
void fake_end(void);           /* everything freed */
void fake_cpu(uint32_t index); /* the calling thread is this CPU */
bool fake_last(int what, uint32_t a, uint32_t b, uint32_t c);
