/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service page has one owner at a time. The hypervisor fills it and passes it on by the notification (a
 * locked OR, so all stores before it are visible to who reads the bit); the manager passes it back by a
 * hypercall. What the manager writes is read once, when the access is finished, and is data, never an address
 * or a length.
 */
#include "hv/core/service.h"

#include <string.h>

#include "hv/core/domain.h"
#include "hv/core/irq_level.h"
#include "hv/core/notify.h"
#include "hv/core/sched.h"

static void submit(struct vcpu *v, enum hv_exit_kind kind)
{
    struct hv_service *s = v->service;
    if (v->domain->tsc_deadline || v->domain->outputs)
        irq_level_publish(v);
    s->version = HV_ABI_VERSION;
    s->serial++;
    atomic_store_relaxed(&v->service_kind, (uint32_t)kind);
    atomic_store_release(&s->kind, (uint32_t)kind);
    sched_hold_self(v, HOLD_SERVICE, REQUEST_ANSWER);
    notify_manager(v->domain, HV_NOTIFY_VCPU(v->domain->id, v->index));
}

void service_pio(struct vcpu *v, uint16_t port, uint8_t width, bool write, uint64_t data)
{
    v->service->pio.port = port;
    v->service->pio.width = width;
    v->service->pio.write = write;
    v->service->pio.reserved = 0;
    v->service->pio.data = data;
    submit(v, HV_EXIT_PIO);
}

void service_mmio(struct vcpu *v, gpa_t gpa, uint8_t width, bool write, uint64_t data)
{
    v->service->mmio.gpa = gpa;
    v->service->mmio.width = width;
    v->service->mmio.write = write;
    v->service->mmio.data = data;
    submit(v, HV_EXIT_MMIO);
}

void service_decode(struct vcpu *v, gpa_t gpa, bool write, const uint8_t *bytes, uint8_t count)
{
    v->service->decode.gpa = gpa;
    v->service->decode.write = write;
    v->service->decode.insn_len = count;
    memset(v->service->decode.insn, 0, sizeof(v->service->decode.insn));
    memcpy(v->service->decode.insn, bytes, count);
    v->service->decode.action = 0;
    submit(v, HV_EXIT_DECODE);
}

void service_report(struct vcpu *v, enum hv_exit_kind kind)
{
    submit(v, kind);
}

/*
 * A manager that looks at the page unasked may answer as soon as it sees `kind`, before the vCPU is held: then
 * it is not held any more. Both sides have the lock of its run queue behind what they say.
 */
int service_complete(struct vcpu *v)
{
    uint32_t kind = atomic_load_relaxed(&v->service_kind);
    if (kind == HV_EXIT_NONE || (kind & SERVICE_ANSWERED))
        return -HV_ENOENT;
    atomic_store_relaxed(&v->service_kind, kind | (uint32_t)SERVICE_ANSWERED);
    atomic_fetch_or_full(&v->requests, REQUEST_ANSWER);
    sched_release(v, HOLD_SERVICE);
    return 0;
}
