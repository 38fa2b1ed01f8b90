/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The management interface: the table of calls, and what all handlers share. A handler checks everything
 * before it changes anything, and returns the call's result, a negative HV_E*, or MGMT_AGAIN: the VMCALL is
 * executed again when the vCPU next runs, with the same registers, so that it must not have changed more than
 * what a repeated call takes into account.
 */
#ifndef HV_MGMT_MGMT_H
#define HV_MGMT_MGMT_H

#include "hv/core/domain.h"
#include "hv/core/vcpu.h"

#define MGMT_AGAIN INT64_MIN

/* The caller's registers: arguments in the order of the ABI are RDI, RSI, RDX, R10, R8, R9. */
struct mgmt_args {
    uint64_t rax, rcx, a2, rbx, rsp, rbp, a1, a0, a4, a5, a3;
};
_Static_assert(offsetof(struct mgmt_args, a0) == 8 * RDI && offsetof(struct mgmt_args, a1) == 8 * RSI &&
                   offsetof(struct mgmt_args, a2) == 8 * RDX && offsetof(struct mgmt_args, a3) == 8 * R10 &&
                   offsetof(struct mgmt_args, a4) == 8 * R8 && offsetof(struct mgmt_args, a5) == 8 * R9,
               "hardware numbering");

typedef int64_t mgmt_handler(struct vcpu *v, const struct mgmt_args *args);

struct __attribute__((aligned(32))) mgmt_call {
    mgmt_handler *handler; /* NULL: -HV_ENOSYS */
    uint64_t may;          /* HV_MAY_* that the caller needs, all of them */
    bool locked;           /* holds the management lock */
};
_Static_assert(sizeof(struct mgmt_call) == 32, "an index is a shift");

extern const struct mgmt_call mgmt_table[HV_CALL_COUNT];

/*
 * number < HV_CALL_COUNT, a power of two: masked, so that a wild one cannot be used as an index in
 * speculation.
 */
static inline const struct mgmt_call *mgmt_call_get(uint64_t number)
{
    return &mgmt_table[number & (HV_CALL_COUNT - 1)];
}

/*
 * The management lock: one call at a time on domains, vCPUs and memory. The owner may wait for other CPUs, so
 * who waits for the lock serves cross-CPU calls; and gives up (false) when its vCPU has requests, because the
 * owner may be waiting for just that vCPU.
 */
bool mgmt_lock(struct vcpu *v);
void mgmt_unlock(void);

/*
 * Reads a structure whose first word is its size: 8-byte aligned, in one page, copied once. 0, -HV_EFAULT,
 * -HV_EINVAL (alignment, size).
 */
int mgmt_copy_in(struct vcpu *v, gpa_t gpa, void *out, uint32_t size);
int mgmt_copy_out(struct vcpu *v, gpa_t gpa, const void *in, uint32_t size);

/* For out structures: only the size word is read. */
int mgmt_check_out(struct vcpu *v, gpa_t gpa, uint32_t size);

/*
 * The domain that a managing call works on: not the caller's own, and one that the caller made (domain 0
 * manages all). 0, -HV_ESRCH, -HV_EPERM.
 */
static inline int mgmt_target_here(const struct vcpu *v, uint64_t id, struct domain **out)
{
    struct domain *d = domain_get(id);
    if (!d)
        return -HV_ESRCH;
    if (d == v->domain || (v->domain->id && d->manager != v->domain->id))
        return -HV_EPERM;
    *out = d;
    return 0;
}
int mgmt_target(struct vcpu *v, uint64_t id,
                struct domain **out); /* the same out of line: for all but the hottest */

/* The same for a vCPU; the index is masked, then compared. */
int mgmt_target_vcpu(struct vcpu *v, uint64_t id, uint64_t index, struct vcpu **out);

/*
 * mgmt_irq.c: a new domain with local APICs gets its controllers and its table, as they are without a
 * configuration. 0, -HV_ENOMEM.
 */
int mgmt_irq_create(struct domain *d);

/* The handlers, by file. */
mgmt_handler mgmt_version, mgmt_capability, mgmt_system_info, mgmt_module_info, mgmt_log_read,
    mgmt_console_write, mgmt_console_read, mgmt_shutdown, mgmt_cpu_info; /* mgmt_system.c */
mgmt_handler mgmt_domain_create, mgmt_domain_destroy, mgmt_domain_pause, mgmt_domain_resume, mgmt_domain_info,
    mgmt_domain_list, mgmt_domain_claim, mgmt_domain_unclaim; /* mgmt_domain.c */
mgmt_handler mgmt_vcpu_create, mgmt_vcpu_start, mgmt_vcpu_stop, mgmt_vcpu_affinity, mgmt_vcpu_priority,
    mgmt_vcpu_inject, mgmt_vcpu_kick, mgmt_vcpu_info, mgmt_vcpu_complete, mgmt_vcpu_apic; /* mgmt_vcpu.c */
mgmt_handler mgmt_vcpu_get, mgmt_vcpu_set;                                                /* mgmt_state.c */
mgmt_handler mgmt_mem_donate, mgmt_mem_share, mgmt_mem_unmap, mgmt_mem_query;             /* mgmt_mem.c */
mgmt_handler mgmt_notify_page, mgmt_notify_wait;                                          /* mgmt_notify.c */
mgmt_handler mgmt_eoi_vectors, mgmt_irqchip_config, mgmt_irqchip_get, mgmt_irqchip_set, mgmt_irq_line,
    mgmt_signal_msi, mgmt_notifier_signal, mgmt_notifier_read, mgmt_notifier_create, mgmt_notifier_close,
    mgmt_notifier_bind, mgmt_notifier_grant, mgmt_notifier_info, mgmt_notifier_list, mgmt_doorbell_add,
    mgmt_doorbell_remove; /* mgmt_irq.c */
mgmt_handler mgmt_pirq_bind, mgmt_pirq_unbind, mgmt_pirq_ack, mgmt_pirq_give,
    mgmt_pirq_info;                               /* mgmt_pirq.c */
mgmt_handler mgmt_trace_control, mgmt_trace_read; /* mgmt_trace.c */
mgmt_handler mgmt_route_msi, mgmt_route_set, mgmt_route_replace, mgmt_route_get, mgmt_route_lookup,
    mgmt_route_stats, mgmt_route_latency; /* mgmt_route.c */

#endif
