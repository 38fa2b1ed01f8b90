/* SPDX-License-Identifier: BSD-2-Clause */
/* What the manager's rows share: manager.c has the domains of the bench and serves them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest_abi/hv_vcpu.h"
#include "mgmt/lib/domain.h"
#include "tests/bench/labels.h"

#define BENCH_OPERATIONS 500U
#define RFLAGS_FIXED     2U
#define MSI_ADDRESS      0xfee00000U /* to processor 0 */

static inline void label(uint64_t number)
{
    __asm__ volatile("prefetcht0 (%0)" ::"r"((uint64_t)PREFETCH_BASE + PREFETCH_STRIDE * number));
}

/* A negative result ends the bench. */
void must(const char *what, int64_t result);

/* With vCPUs, memory and the image in it, not started; `flags`: HV_DOMAIN_*. */
struct domain *make_domain(const unsigned char *image, const unsigned char *end, uint32_t vcpus,
                           uint32_t flags);

/* The same with guest.S, ready for its job: all vCPUs on one CPU. */
struct domain *make(uint32_t job, uint32_t vcpus, uint32_t cpu);

/* Flat 32-bit segments, and these registers. */
void set_state(uint32_t id, uint32_t vcpu, const struct hv_regs *regs);

/* Serves a started domain until its vCPU 0 has finished its job. */
void serve(struct domain *d, uint32_t own_label);

/* Is this notification pending? Not any more. */
bool taken(uint32_t number);

/* Destroys it and says that the job was done. */
void finish(struct domain *d, uint32_t job);

/* manager_route.c: the route of a GSI is an MSI to processor 0; a notifier that fires a GSI, and that is told
 * of its EOI by HV_NOTIFY_OWN. */
void set_route(uint32_t domain, uint32_t gsi, uint32_t data);
uint64_t new_notifier(uint32_t domain, uint32_t gsi, bool resample);

/* The rows of routes and doorbells. */
void route_rows(uint32_t cpus);

/* manager_apic.c: the rows of interrupts that a machine of so many CPUs is for. */
void apic_rows(uint32_t cpus);
