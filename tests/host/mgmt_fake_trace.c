/* SPDX-License-Identifier: BSD-2-Clause */
/* mgmt_fake_trace: see mgmt_fake_trace.h. */
#include "tests/host/mgmt_fake_trace.h"

#include <string.h>

#include "mgmt/lib/call.h"
#include "tests/host/mgmt_fake.h"

struct fake_trace fake_trace;

void fake_trace_reset(void)
{
    memset(&fake_trace, 0, sizeof(fake_trace));
}

void fake_trace_write(uint32_t cpu, const struct hv_trace_record *r)
{
    trace_ring_write(&fake_trace.ring[cpu], r);
}

static bool traced(uint32_t cpu)
{
    return fake_trace.there && cpu < fake.cpus && (fake_trace.cpus >> cpu & 1);
}

int64_t call_trace_control(enum hv_trace_op op, uint32_t pages, uint64_t cpus, uint32_t kinds)
{
    fake_trace.running = op == HV_TRACE_START;
    if (op != HV_TRACE_START) {
        fake_trace.there &= op == HV_TRACE_STOP;
        return 0;
    }
    if (fake_trace.start_fails || fake_trace.there || !(cpus & ((1U << fake.cpus) - 1)))
        return fake_trace.start_fails ? fake_trace.start_fails : fake_trace.there ? -HV_EBUSY : -HV_EINVAL;
    fake_trace.there = true;
    fake_trace.pages = pages;
    fake_trace.cpus = cpus;
    fake_trace.kinds = kinds;
    for (uint32_t cpu = 0; cpu < FAKE_TRACE_CPUS; cpu++) {
        fake_trace.ring[cpu] = (struct trace_ring){.size = pages * HV_TRACE_PAGE_RECORDS, .pages = pages};
        for (uint32_t i = 0; i < pages; i++)
            fake_trace.ring[cpu].page[i] = fake_trace.page[cpu][i];
    }
    return 0;
}

int64_t call_trace_read(uint32_t cpu, uint64_t *position, uint64_t *lost, uint64_t *written,
                        struct hv_trace_record *out, uint32_t room)
{
    struct hv_trace_record copy[HV_TRACE_READ_MAX];
    if (room > HV_TRACE_READ_MAX)
        return -HV_E2BIG;
    if (!traced(cpu))
        return -HV_ENOENT;
    uint32_t n = trace_ring_read(&fake_trace.ring[cpu], position, copy, room, lost, written);
    if (n)
        memcpy(out, copy, n * sizeof(*out));
    return n;
}
