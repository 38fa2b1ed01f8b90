/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls about the machine: version, capabilities, information, log, console, shutdown. */
#include <string.h>

#include "arch/cpu/insn.h"
#include "drivers/ioapic.h"
#include "hv/core/gmem.h"
#include "hv/core/machine.h"
#include "hv/core/page.h"
#include "hv/core/pcpu.h"
#include "hv/core/readiness.h"
#include "hv/core/sched.h"
#include "hv/core/symtab.h"
#include "hv/core/system.h"
#include "guest_abi/apic.h"
#include "hv/mgmt/mgmt.h"
#include "hv/route/doorbell.h"

#define CONSOLE_CHUNK 256UL /* bytes per call: bounds the time in root mode */

int64_t mgmt_version(struct vcpu *v, const struct mgmt_args *args)
{
    (void)v;
    (void)args;
    return HV_ABI_VERSION;
}

int64_t mgmt_capability(struct vcpu *v, const struct mgmt_args *args)
{
    (void)v;
    switch (args->a0) {
    case HV_CAP_MAX_DOMAINS:
        return CONFIG_MAX_DOMAINS;
    case HV_CAP_MAX_VCPUS:
        return CONFIG_MAX_VCPUS;
    case HV_CAP_CPUS:
        return pcpu_count;
    case HV_CAP_TSC_KHZ:
        return (int64_t)pcpu_tsc_khz;
    case HV_CAP_TSC_SCALING:
        return vmx_caps_has(readiness_caps(), VMX_WORD_PROC2, PROC2_TSC_SCALING);
    case HV_CAP_LAPIC:
        return HV_LAPIC_VERSION;
    case HV_CAP_ROUTES:
        return HV_GSI_MAX;
    case HV_CAP_IRQCHIP:
        return BIT(HV_DOMAIN_IRQCHIP_NONE) | BIT(HV_DOMAIN_IRQCHIP_SPLIT) | BIT(HV_DOMAIN_IRQCHIP_FULL);
    case HV_CAP_ROUTE_KINDS:
        return BIT(HV_ROUTE_NONE) | BIT(HV_ROUTE_IRQCHIP) | BIT(HV_ROUTE_MSI) | BIT(HV_ROUTE_GSI) |
               BIT(HV_ROUTE_NOTIFY) | BIT(HV_ROUTE_OUTPUT);
    case HV_CAP_NOTIFIERS:
        return NOTIFIERS_MAX;
    case HV_CAP_RESAMPLE:
        return ROUTE_RESAMPLERS;
    case HV_CAP_DOORBELLS:
        return DOORBELLS_MAX;
    case HV_CAP_SIGNAL_MSI:
    case HV_CAP_EOI_VECTORS:
    case HV_CAP_TRACE:
        return 1;
    case HV_CAP_DEVICE_IRQ:
        return 2;
    case HV_CAP_PIRQS:
        return ioapic_gsi_end();
    default:
        return 0;
    }
}

int64_t mgmt_system_info(struct vcpu *v, const struct mgmt_args *args)
{
    struct hv_system_info info = {
        .size = sizeof(info),
        .cpus = pcpu_count,
        .tsc_khz = pcpu_tsc_khz,
        .memory_total = system_info.memory_total,
        .pool_total = page_total() * PAGE_SIZE,
        .pool_free = page_free_count() * PAGE_SIZE,
        .modules = system_info.boot->module_count,
        .domains = domain_count(),
        .tsc_now = rdtsc(),
    };
    strncpy(info.build_id, symtab_build_id(), sizeof(info.build_id) - 1);
    memcpy(info.cpu_brand, system_info.cpu_brand, sizeof(info.cpu_brand));
    int error = mgmt_check_out(v, args->a0, sizeof(info));
    return error ? error : mgmt_copy_out(v, args->a0, &info, sizeof(info));
}

int64_t mgmt_module_info(struct vcpu *v, const struct mgmt_args *args)
{
    struct hv_module_info info = {.size = sizeof(info)};
    int error = mgmt_check_out(v, args->a1, sizeof(info));
    if (error)
        return error;
    if (args->a0 >= system_info.boot->module_count)
        return -HV_ENOENT;
    const struct boot_module *m = &system_info.boot->module[args->a0 & (BOOT_MODULE_MAX - 1)];
    info.start = m->start;
    info.length = m->end - m->start;
    memcpy(info.name, m->string, sizeof(info.name));
    return mgmt_copy_out(v, args->a1, &info, sizeof(info));
}

int64_t mgmt_log_read(struct vcpu *v, const struct mgmt_args *args)
{
    struct hv_log_read r;
    char chunk[CONSOLE_CHUNK];
    int error = mgmt_copy_in(v, args->a0, &r, sizeof(r));
    if (error)
        return error;
    if (r.length > PAGE_SIZE)
        return -HV_E2BIG;
    if ((r.buffer & ~PAGE_MASK) + r.length > PAGE_SIZE)
        return -HV_EFAULT;
    uint64_t position = r.position, lost = 0;
    size_t n = log_read(&position, chunk, r.length < sizeof(chunk) ? r.length : sizeof(chunk), &lost);
    if (gmem_write(v->domain, r.buffer, chunk, n))
        return -HV_EFAULT;
    r.position = position;
    r.lost = lost;
    error = mgmt_copy_out(v, args->a0, &r, sizeof(r));
    return error ? error : (int64_t)n;
}

int64_t mgmt_console_write(struct vcpu *v, const struct mgmt_args *args)
{
    char chunk[CONSOLE_CHUNK];
    uint64_t n = args->a1 < sizeof(chunk) ? args->a1 : sizeof(chunk);
    if (gmem_read(v->domain, args->a0, chunk, n))
        return -HV_EFAULT;
    log_console_write(chunk, n);
    return (int64_t)n;
}

int64_t mgmt_console_read(struct vcpu *v, const struct mgmt_args *args)
{
    char chunk[CONSOLE_CHUNK];
    uint64_t room = args->a1 < sizeof(chunk) ? args->a1 : sizeof(chunk);
    /* Writable, before bytes are taken from the port: they could not be put back. */
    if (room && (gmem_read(v->domain, args->a0, chunk, room) || gmem_write(v->domain, args->a0, chunk, room)))
        return -HV_EFAULT;
    size_t n = log_console_read(system_info.console_getc, chunk, room);
    return gmem_write(v->domain, args->a0, chunk, n) ? -HV_EFAULT : (int64_t)n;
}

int64_t mgmt_shutdown(struct vcpu *v, const struct mgmt_args *args)
{
    switch (args->a0) {
    case HV_SHUTDOWN_POWEROFF:
        machine_stop(MACHINE_CODE_OK);
    case HV_SHUTDOWN_REBOOT:
        machine_reboot();
    case HV_SHUTDOWN_FAILED:
        machine_stop(MACHINE_CODE_FAILED);
    case HV_SHUTDOWN_RESTART:
        if (v->domain->id)
            return -HV_EPERM;
        sched_request(v, REQUEST_RESTART);
        return 0;
    default:
        return -HV_EINVAL;
    }
}

int64_t mgmt_cpu_info(struct vcpu *v, const struct mgmt_args *args)
{
    int error = mgmt_check_out(v, args->a1, sizeof(struct hv_cpu_info));
    if (error)
        return error;
    if (args->a0 >= pcpu_count)
        return -HV_ENOENT;
    const struct pcpu *p = pcpu_table[args->a0 & (CONFIG_MAX_CPUS - 1)];
    struct hv_cpu_info info = {
        .size = sizeof(info),
        .apic_id = p->arch.apic_id,
        .ticks_idle = p->ticks_idle,
        .ticks_guest = rdtsc() - p->start_tsc - p->ticks_idle,
        .exits = p->arch.exits,
        .switches = p->switches,
        .runnable = sched_queue_length(p),
    };
    return mgmt_copy_out(v, args->a1, &info, sizeof(info));
}
