/* SPDX-License-Identifier: BSD-2-Clause */
/* What chaos_calls.c knows of each call: its errors, its structure, which argument is an address of the caller. */
#include "guest_abi/apic.h"
#include "guest_abi/hv_pirq.h"
#include "guest_abi/hv_trace.h"
#include "tests/manager/chaos.h"

#define E(name) (1ULL << HV_##name)
#define TARGET  (E(ESRCH) | E(EPERM))
#define STRUCT  (E(EINVAL) | E(EFAULT))
#define HANDLE  (E(ENOENT) | E(EPERM))

/* Errors of each call, as guest_abi/README.md has them. A call that is not here is -HV_ENOSYS. */
static const uint64_t errors[HV_CALL_COUNT] = {
    [HV_CALL_SYSTEM_INFO] = STRUCT,
    [HV_CALL_MODULE_INFO] = STRUCT | E(ENOENT),
    [HV_CALL_LOG_READ] = STRUCT | E(E2BIG),
    [HV_CALL_CONSOLE_WRITE] = E(EFAULT),
    [HV_CALL_CONSOLE_READ] = E(EFAULT),
    [HV_CALL_CPU_INFO] = STRUCT | E(ENOENT),
    [HV_CALL_DOMAIN_CREATE] = STRUCT | E(EPERM) | E(ENOSPC) | E(ENOMEM),
    [HV_CALL_DOMAIN_DESTROY] = TARGET | E(EBUSY),
    [HV_CALL_DOMAIN_PAUSE] = TARGET | E(EBUSY),
    [HV_CALL_DOMAIN_RESUME] = TARGET | E(EINVAL),
    [HV_CALL_DOMAIN_INFO] = STRUCT | E(ESRCH),
    [HV_CALL_DOMAIN_LIST] = E(E2BIG) | E(EFAULT),
    [HV_CALL_DOMAIN_CLAIM] = TARGET | STRUCT | E(EEXIST) | E(ENOSPC),
    [HV_CALL_DOMAIN_UNCLAIM] = TARGET | STRUCT | E(ENOENT),
    [HV_CALL_VCPU_CREATE] = TARGET | STRUCT | E(EEXIST) | E(EBUSY) | E(ENOMEM),
    [HV_CALL_VCPU_START] = TARGET | E(EEXIST),
    [HV_CALL_VCPU_STOP] = TARGET,
    [HV_CALL_VCPU_GET] = TARGET | STRUCT | E(ENODEV),
    [HV_CALL_VCPU_SET] = TARGET | STRUCT | E(ENODEV) | E(EBUSY) | E(ENOMEM),
    [HV_CALL_VCPU_AFFINITY] = TARGET | E(EINVAL),
    [HV_CALL_VCPU_PRIORITY] = TARGET | E(EINVAL),
    [HV_CALL_VCPU_INJECT] = TARGET | E(EINVAL) | E(EBUSY) | E(ENXIO),
    [HV_CALL_VCPU_KICK] = TARGET | E(EBUSY),
    [HV_CALL_VCPU_INFO] = TARGET | STRUCT,
    [HV_CALL_VCPU_COMPLETE] = TARGET | E(ENOENT),
    [HV_CALL_VCPU_APIC] = TARGET | STRUCT,
    [HV_CALL_MEM_DONATE] = TARGET | STRUCT | E(EBUSY) | E(EEXIST) | E(ENOMEM),
    [HV_CALL_MEM_SHARE] = TARGET | STRUCT | E(EBUSY) | E(EEXIST) | E(ENOMEM),
    [HV_CALL_MEM_UNMAP] = TARGET | E(EINVAL) | E(EBUSY) | E(ENOMEM),
    [HV_CALL_MEM_QUERY] = TARGET | STRUCT | E(ENOENT),
    [HV_CALL_NOTIFY_PAGE] = STRUCT | E(EBUSY) | E(ENOMEM),
    [HV_CALL_NOTIFY_WAIT] = E(EINVAL) | E(ETIME),
    [HV_CALL_IRQ_LINE] = TARGET | E(EINVAL) | E(ENODEV) | E(ENXIO),
    [HV_CALL_SIGNAL_MSI] = TARGET | E(EINVAL) | E(ENODEV) | E(ENXIO),
    [HV_CALL_NOTIFIER_SIGNAL] = HANDLE | E(ENXIO),
    [HV_CALL_NOTIFIER_READ] = HANDLE,
    [HV_CALL_ROUTE_MSI] = TARGET | E(EINVAL) | E(ENODEV) | E(ENOMEM),
    [HV_CALL_IRQCHIP_CONFIG] = TARGET | STRUCT | E(ENODEV) | E(EBUSY) | E(ENOMEM),
    [HV_CALL_IRQCHIP_GET] = TARGET | STRUCT | E(ENODEV),
    [HV_CALL_IRQCHIP_SET] = TARGET | STRUCT | E(ENODEV),
    [HV_CALL_EOI_VECTORS] = TARGET | E(EINVAL) | E(ENODEV),
    [HV_CALL_ROUTE_SET] = TARGET | STRUCT | E(ENODEV) | E(ENOMEM),
    [HV_CALL_ROUTE_REPLACE] = TARGET | STRUCT | E(ENODEV) | E(ENOMEM),
    [HV_CALL_ROUTE_GET] = TARGET | STRUCT,
    [HV_CALL_ROUTE_LOOKUP] = TARGET | STRUCT | E(ENOENT),
    [HV_CALL_ROUTE_STATS] = TARGET | STRUCT,
    [HV_CALL_ROUTE_LATENCY] = TARGET | STRUCT,
    [HV_CALL_NOTIFIER_CREATE] = TARGET | STRUCT | E(ENOSPC) | E(ENOMEM),
    [HV_CALL_NOTIFIER_CLOSE] = HANDLE,
    [HV_CALL_NOTIFIER_BIND] = TARGET | HANDLE | STRUCT | E(EBUSY) | E(ENOSPC) | E(ENOMEM),
    [HV_CALL_NOTIFIER_GRANT] = TARGET | HANDLE | E(EINVAL),
    [HV_CALL_NOTIFIER_INFO] = HANDLE | STRUCT,
    [HV_CALL_NOTIFIER_LIST] = STRUCT | E(E2BIG),
    [HV_CALL_DOORBELL_ADD] = TARGET | HANDLE | STRUCT | E(EBUSY) | E(EEXIST) | E(ENOSPC) | E(ENOMEM),
    [HV_CALL_DOORBELL_REMOVE] = TARGET | STRUCT | E(ENOENT),
    [HV_CALL_PIRQ_BIND] = HANDLE | STRUCT | E(ENODEV) | E(EEXIST) | E(EBUSY) | E(ENOSPC),
    [HV_CALL_PIRQ_UNBIND] = HANDLE,
    [HV_CALL_PIRQ_ACK] = HANDLE,
    [HV_CALL_PIRQ_GIVE] = HANDLE | TARGET,
    [HV_CALL_PIRQ_INFO] = HANDLE | STRUCT,
    [HV_CALL_TRACE_CONTROL] = E(EPERM) | E(EINVAL) | E(EBUSY) | E(ENOMEM),
    [HV_CALL_TRACE_READ] = STRUCT | E(E2BIG) | E(ENOENT),
};

static const uint8_t interrupt_calls[] = {
    HV_CALL_IRQ_LINE,        HV_CALL_IRQ_LINE,        HV_CALL_IRQ_LINE,        HV_CALL_SIGNAL_MSI,
    HV_CALL_SIGNAL_MSI,      HV_CALL_NOTIFIER_SIGNAL, HV_CALL_NOTIFIER_SIGNAL, HV_CALL_NOTIFIER_READ,
    HV_CALL_NOTIFIER_CREATE, HV_CALL_NOTIFIER_CREATE, HV_CALL_NOTIFIER_CLOSE,  HV_CALL_NOTIFIER_BIND,
    HV_CALL_NOTIFIER_GRANT,  HV_CALL_NOTIFIER_INFO,   HV_CALL_NOTIFIER_LIST,   HV_CALL_ROUTE_MSI,
    HV_CALL_ROUTE_SET,       HV_CALL_ROUTE_SET,       HV_CALL_ROUTE_SET,       HV_CALL_ROUTE_REPLACE,
    HV_CALL_ROUTE_REPLACE,   HV_CALL_ROUTE_GET,       HV_CALL_ROUTE_LOOKUP,    HV_CALL_ROUTE_STATS,
    HV_CALL_ROUTE_LATENCY,   HV_CALL_DOORBELL_ADD,    HV_CALL_DOORBELL_ADD,    HV_CALL_DOORBELL_REMOVE,
    HV_CALL_IRQCHIP_GET,     HV_CALL_IRQCHIP_SET,     HV_CALL_IRQCHIP_CONFIG,  HV_CALL_EOI_VECTORS,
    HV_CALL_VCPU_INJECT,     HV_CALL_VCPU_INJECT,     HV_CALL_VCPU_KICK,       HV_CALL_VCPU_SET,
    HV_CALL_VCPU_GET,        HV_CALL_VCPU_APIC,       HV_CALL_VCPU_STOP,       HV_CALL_VCPU_START,
    HV_CALL_PIRQ_BIND,       HV_CALL_PIRQ_BIND,       HV_CALL_PIRQ_UNBIND,     HV_CALL_PIRQ_ACK,
    HV_CALL_PIRQ_GIVE,       HV_CALL_PIRQ_INFO,       HV_CALL_DOMAIN_PAUSE,    HV_CALL_DOMAIN_RESUME};

enum hv_call chaos_interrupt_call(uint64_t which)
{
    return (enum hv_call)interrupt_calls[which % sizeof(interrupt_calls)];
}

static const uint64_t limits[] = {
    0,          1,         2,          3,          7,         8,          15,       16,         31,
    32,         63,        64,         127,        128,       255,        256,      4095,       4096,
    0x7fff,     0xffff,    0x10000,    131071,     131072,    0x7fffffff, 1U << 31, 0xffffffff, 1ULL << 32,
    1ULL << 47, CHAOS_FAR, 1ULL << 52, 1ULL << 63, ~0ULL - 7, ~0ULL,      ~0xfffULL};

uint64_t chaos_roll(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % below;
}

uint64_t chaos_limit(uint64_t which)
{
    return limits[which % (sizeof(limits) / sizeof(limits[0]))];
}

uint32_t chaos_size(enum hv_call call)
{
    switch ((unsigned)call) {
    case HV_CALL_SYSTEM_INFO:
        return sizeof(struct hv_system_info);
    case HV_CALL_MODULE_INFO:
        return sizeof(struct hv_module_info);
    case HV_CALL_LOG_READ:
        return sizeof(struct hv_log_read);
    case HV_CALL_CPU_INFO:
        return sizeof(struct hv_cpu_info);
    case HV_CALL_DOMAIN_CREATE:
        return sizeof(struct hv_domain_create);
    case HV_CALL_DOMAIN_INFO:
        return sizeof(struct hv_domain_info);
    case HV_CALL_DOMAIN_CLAIM:
    case HV_CALL_DOMAIN_UNCLAIM:
        return sizeof(struct hv_claim);
    case HV_CALL_VCPU_INFO:
        return sizeof(struct hv_vcpu_info);
    case HV_CALL_VCPU_APIC:
        return sizeof(struct hv_vcpu_apic);
    case HV_CALL_MEM_QUERY:
        return sizeof(struct hv_mem_query);
    case HV_CALL_IRQCHIP_CONFIG:
        return sizeof(struct hv_irqchip_config);
    case HV_CALL_ROUTE_LOOKUP:
        return sizeof(struct hv_route_lookup);
    case HV_CALL_ROUTE_STATS:
        return sizeof(struct hv_route_stats);
    case HV_CALL_ROUTE_LATENCY:
        return sizeof(struct hv_route_latency);
    case HV_CALL_NOTIFIER_INFO:
        return sizeof(struct hv_notifier_info);
    case HV_CALL_PIRQ_INFO:
        return sizeof(struct hv_pirq_info);
    case HV_CALL_TRACE_READ:
        return sizeof(struct hv_trace_read);
    }
    return 0;
}

unsigned chaos_pointer(enum hv_call call)
{
    switch ((unsigned)call) {
    case HV_CALL_SYSTEM_INFO:
    case HV_CALL_LOG_READ:
    case HV_CALL_CONSOLE_WRITE:
    case HV_CALL_CONSOLE_READ:
    case HV_CALL_DOMAIN_CREATE:
    case HV_CALL_NOTIFY_PAGE:
    case HV_CALL_NOTIFIER_CREATE:
    case HV_CALL_TRACE_READ:
        return 0;
    case HV_CALL_VCPU_CREATE:
    case HV_CALL_VCPU_INFO:
    case HV_CALL_VCPU_APIC:
    case HV_CALL_IRQCHIP_GET:
    case HV_CALL_IRQCHIP_SET:
        return 2;
    case HV_CALL_VCPU_GET:
    case HV_CALL_VCPU_SET:
        return 3;
    case HV_CALL_IRQ_LINE:
    case HV_CALL_SIGNAL_MSI:
    case HV_CALL_ROUTE_MSI:
    case HV_CALL_EOI_VECTORS:
    case HV_CALL_NOTIFIER_GRANT:
    case HV_CALL_PIRQ_GIVE:
    case HV_CALL_MEM_UNMAP:
        return 6;
    }
    return errors[call] & E(EFAULT) ? 1 : 6;
}

bool chaos_documented(uint32_t call, int64_t result)
{
    if (result >= 0)
        return true;
    uint64_t allowed = call < HV_CALL_COUNT ? errors[call] : 0;
    if (!allowed && call != HV_CALL_VERSION && call != HV_CALL_CAPABILITY)
        allowed = E(ENOSYS);
    return result > -64 && (allowed >> -result & 1);
}
