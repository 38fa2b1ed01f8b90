/* SPDX-License-Identifier: BSD-2-Clause */
/* mgmt_fake_trace: the calls of tracing, on the hypervisor's own rings (hv/core/trace_ring.h); the test writes them. */
#pragma once

#include <stdbool.h>

#include "hv/core/trace_ring.h"

enum { FAKE_TRACE_CPUS = 4 };

struct fake_trace {
    int64_t start_fails; /* 0, or what START answers */
    bool there, running;
    uint32_t pages, kinds;
    uint64_t cpus;
    struct trace_ring ring[FAKE_TRACE_CPUS];
    uint64_t page[FAKE_TRACE_CPUS][HV_TRACE_PAGES_MAX][512];
};

extern struct fake_trace fake_trace;

void fake_trace_reset(void);
void fake_trace_write(uint32_t cpu, const struct hv_trace_record *r);
