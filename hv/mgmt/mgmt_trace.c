/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls about tracing. */
#include "arch/cpu/bits.h"
#include "hv/core/gmem.h"
#include "hv/core/pcpu.h"
#include "hv/core/trace.h"
#include "hv/mgmt/mgmt.h"

static int64_t start(struct vcpu *v, uint64_t pages, uint64_t cpus, uint64_t kinds)
{
    if (!pages || pages > HV_TRACE_PAGES_MAX || (pages & (pages - 1)) || !(cpus & MASK(pcpu_count - 1, 0)) ||
        !kinds || (kinds & ~MASK(HV_TRACE_KINDS - 1, HV_TRACE_EXIT)))
        return -HV_EINVAL;
    return trace_start(v->domain, (uint32_t)pages, cpus, (uint32_t)kinds);
}

int64_t mgmt_trace_control(struct vcpu *v, const struct mgmt_args *args)
{
    if (v->domain->id)
        return -HV_EPERM;
    switch (args->a0) {
    case HV_TRACE_START:
        return start(v, args->a1, args->a2, args->a3);
    case HV_TRACE_STOP:
    case HV_TRACE_FREE:
        trace_stop();
        if (args->a0 == HV_TRACE_FREE)
            trace_free();
        return 0;
    default:
        return -HV_EINVAL;
    }
}

int64_t mgmt_trace_read(struct vcpu *v, const struct mgmt_args *args)
{
    struct hv_trace_record record[HV_TRACE_READ_MAX];
    struct hv_trace_read r;
    int error = mgmt_copy_in(v, args->a0, &r, sizeof(r));
    if (error)
        return error;
    if (r.reserved || (r.buffer & 7))
        return -HV_EINVAL;
    if (r.records > HV_TRACE_READ_MAX)
        return -HV_E2BIG;
    if ((r.buffer & ~PAGE_MASK) + r.records * sizeof(*record) > PAGE_SIZE)
        return -HV_EFAULT;
    const struct trace_ring *ring = trace_ring_of(r.cpu);
    if (!ring)
        return -HV_ENOENT;
    uint32_t n = trace_ring_read(ring, &r.position, record, r.records, &r.lost, &r.written);
    if (gmem_write(v->domain, r.buffer, record, n * sizeof(*record)))
        return -HV_EFAULT;
    error = mgmt_copy_out(v, args->a0, &r, sizeof(r));
    return error ? error : (int64_t)n;
}
