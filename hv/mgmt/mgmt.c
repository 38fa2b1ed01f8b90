/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of management calls, and copying their structures. guest_abi/README.md documents each row.
 */
#include "hv/mgmt/mgmt.h"

#include "arch/cpu/atomic.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/smp.h"
#include "hv/core/gmem.h"

#define LOCKED true

const struct mgmt_call mgmt_table[HV_CALL_COUNT] = {
    [HV_CALL_VERSION] = {mgmt_version, 0, false},
    [HV_CALL_CAPABILITY] = {mgmt_capability, 0, false},

    [HV_CALL_SYSTEM_INFO] = {mgmt_system_info, HV_MAY_SYSTEM, false},
    [HV_CALL_MODULE_INFO] = {mgmt_module_info, HV_MAY_SYSTEM, false},
    [HV_CALL_LOG_READ] = {mgmt_log_read, HV_MAY_SYSTEM, false},
    [HV_CALL_CONSOLE_WRITE] = {mgmt_console_write, HV_MAY_SYSTEM, false},
    [HV_CALL_CONSOLE_READ] = {mgmt_console_read, HV_MAY_SYSTEM, false},
    [HV_CALL_SHUTDOWN] = {mgmt_shutdown, HV_MAY_SYSTEM, LOCKED},
    [HV_CALL_CPU_INFO] = {mgmt_cpu_info, HV_MAY_SYSTEM, false},

    [HV_CALL_DOMAIN_CREATE] = {mgmt_domain_create, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_DOMAIN_DESTROY] = {mgmt_domain_destroy, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_DOMAIN_PAUSE] = {mgmt_domain_pause, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_DOMAIN_RESUME] = {mgmt_domain_resume, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_DOMAIN_INFO] = {mgmt_domain_info, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_DOMAIN_LIST] = {mgmt_domain_list, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_DOMAIN_CLAIM] = {mgmt_domain_claim, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_DOMAIN_UNCLAIM] = {mgmt_domain_unclaim, HV_MAY_DOMAINS, LOCKED},

    [HV_CALL_VCPU_CREATE] = {mgmt_vcpu_create, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_START] = {mgmt_vcpu_start, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_STOP] = {mgmt_vcpu_stop, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_GET] = {mgmt_vcpu_get, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_SET] = {mgmt_vcpu_set, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_AFFINITY] = {mgmt_vcpu_affinity, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_PRIORITY] = {mgmt_vcpu_priority, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_INJECT] = {mgmt_vcpu_inject, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_KICK] = {mgmt_vcpu_kick, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_INFO] = {mgmt_vcpu_info, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_VCPU_COMPLETE] = {mgmt_vcpu_complete, HV_MAY_DOMAINS, false},
    [HV_CALL_VCPU_APIC] = {mgmt_vcpu_apic, HV_MAY_DOMAINS, LOCKED},

    [HV_CALL_MEM_DONATE] = {mgmt_mem_donate, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_MEM_SHARE] = {mgmt_mem_share, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_MEM_UNMAP] = {mgmt_mem_unmap, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_MEM_QUERY] = {mgmt_mem_query, HV_MAY_DOMAINS, LOCKED},

    [HV_CALL_NOTIFY_PAGE] = {mgmt_notify_page, 0, LOCKED},
    [HV_CALL_NOTIFY_WAIT] = {mgmt_notify_wait, 0, false},

    [HV_CALL_IRQ_LINE] = {mgmt_irq_line, HV_MAY_DOMAINS, false},
    [HV_CALL_SIGNAL_MSI] = {mgmt_signal_msi, HV_MAY_DOMAINS, false},
    [HV_CALL_NOTIFIER_SIGNAL] = {mgmt_notifier_signal, 0, false},
    [HV_CALL_NOTIFIER_READ] = {mgmt_notifier_read, 0, false},
    [HV_CALL_ROUTE_MSI] = {mgmt_route_msi, HV_MAY_DOMAINS, false},
    [HV_CALL_IRQCHIP_CONFIG] = {mgmt_irqchip_config, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_IRQCHIP_GET] = {mgmt_irqchip_get, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_IRQCHIP_SET] = {mgmt_irqchip_set, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_EOI_VECTORS] = {mgmt_eoi_vectors, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_ROUTE_SET] = {mgmt_route_set, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_ROUTE_REPLACE] = {mgmt_route_replace, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_ROUTE_GET] = {mgmt_route_get, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_ROUTE_LOOKUP] = {mgmt_route_lookup, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_ROUTE_STATS] = {mgmt_route_stats, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_ROUTE_LATENCY] = {mgmt_route_latency, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_NOTIFIER_CREATE] = {mgmt_notifier_create, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_NOTIFIER_CLOSE] = {mgmt_notifier_close, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_NOTIFIER_BIND] = {mgmt_notifier_bind, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_NOTIFIER_GRANT] = {mgmt_notifier_grant, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_NOTIFIER_INFO] = {mgmt_notifier_info, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_NOTIFIER_LIST] = {mgmt_notifier_list, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_DOORBELL_ADD] = {mgmt_doorbell_add, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_DOORBELL_REMOVE] = {mgmt_doorbell_remove, HV_MAY_DOMAINS, LOCKED},

    [HV_CALL_PIRQ_BIND] = {mgmt_pirq_bind, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_PIRQ_UNBIND] = {mgmt_pirq_unbind, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_PIRQ_ACK] = {mgmt_pirq_ack, HV_MAY_DOMAINS, false},
    [HV_CALL_PIRQ_GIVE] = {mgmt_pirq_give, HV_MAY_DOMAINS, LOCKED},
    [HV_CALL_PIRQ_INFO] = {mgmt_pirq_info, HV_MAY_DOMAINS, LOCKED},

    [HV_CALL_TRACE_CONTROL] = {mgmt_trace_control, HV_MAY_SYSTEM, LOCKED},
    [HV_CALL_TRACE_READ] = {mgmt_trace_read, HV_MAY_SYSTEM, LOCKED},
};
_Static_assert((HV_CALL_COUNT & (HV_CALL_COUNT - 1)) == 0, "numbers are masked");

static bool lock_taken;

bool mgmt_lock(struct vcpu *v)
{
    while (atomic_exchange_full(&lock_taken, true)) {
        smp_run_calls();
        if (atomic_load_relaxed(&v->requests))
            return false;
        cpu_pause();
    }
    return true;
}

void mgmt_unlock(void)
{
    atomic_store_release(&lock_taken, false);
}

static bool in_one_page(gpa_t gpa, uint32_t size)
{
    return (gpa & ~PAGE_MASK) + size <= PAGE_SIZE;
}

static int check_place(gpa_t gpa, uint32_t size)
{
    if (gpa & 7)
        return -HV_EINVAL;
    return in_one_page(gpa, size) ? 0 : -HV_EFAULT;
}

int mgmt_copy_in(struct vcpu *v, gpa_t gpa, void *out, uint32_t size)
{
    int error = check_place(gpa, size);
    if (error)
        return error;
    if (gmem_read(v->domain, gpa, out, size))
        return -HV_EFAULT;
    return *(const uint32_t *)out == size ? 0 : -HV_EINVAL;
}

int mgmt_copy_out(struct vcpu *v, gpa_t gpa, const void *in, uint32_t size)
{
    int error = check_place(gpa, size);
    if (error)
        return error;
    return gmem_write(v->domain, gpa, in, size) ? -HV_EFAULT : 0;
}

int mgmt_check_out(struct vcpu *v, gpa_t gpa, uint32_t size)
{
    uint32_t given;
    int error = check_place(gpa, size);
    if (error)
        return error;
    if (gmem_read(v->domain, gpa, &given, sizeof(given)))
        return -HV_EFAULT;
    return given == size ? 0 : -HV_EINVAL;
}

int mgmt_target(struct vcpu *v, uint64_t id, struct domain **out)
{
    return mgmt_target_here(v, id, out);
}

int mgmt_target_vcpu(struct vcpu *v, uint64_t id, uint64_t index, struct vcpu **out)
{
    struct domain *d = NULL;
    int error = mgmt_target_here(v, id, &d);
    if (error)
        return error;
    if (index >= d->max_vcpus)
        return -HV_ESRCH;
    *out = atomic_load_acquire(&d->vcpu[index & (CONFIG_MAX_VCPUS - 1)]);
    return *out ? 0 : -HV_ESRCH;
}
