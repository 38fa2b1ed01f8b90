/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracing, on or off for each CPU: `trace` of its block is its ring, or NULL. While it is there, VM exits on that
 * CPU enter by vmx_exit_traced (HOST_RIP, arch/vmx/vmcs_init.h) and all go the full way, where hv/exit/traced.c
 * writes the records. Off, it costs no instruction.
 */
#ifndef HV_CORE_TRACE_H
#define HV_CORE_TRACE_H

#include "hv/core/trace_ring.h"
#include "hv/core/vcpu.h"

/* A record about v in the ring of the executing CPU, if it has one. */
void trace_write(const struct vcpu *v, enum hv_trace_kind kind, uint16_t code, uint64_t a, uint64_t b);

/*
 * The management lock is held; start and stop wait for the other CPUs. Start: 0, -HV_EBUSY: there are rings,
 * -HV_ENOMEM: nothing has changed. `pages` is a power of two up to HV_TRACE_PAGES_MAX, `cpus` has one that exists.
 */
int trace_start(struct domain *payer, uint32_t pages, uint64_t cpus, uint32_t kinds);
void trace_stop(void);
void trace_free(void); /* what trace_start has made, after trace_stop */

/* NULL: none. Under the management lock. */
const struct trace_ring *trace_ring_of(uint64_t cpu);

#endif
