/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on physical interrupts: guest_abi/hv_pirq.h. ACK takes no lock, see hv/route/pirq.h. */
#include "drivers/ioapic.h"
#include "hv/core/system.h"
#include "hv/mgmt/mgmt.h"
#include "hv/route/pirq.h"

#define ISA_IRQS 16U
#define KINDS    (HV_PIRQ_ISA | HV_PIRQ_CONSOLE)
#define TRIGGER  (HV_PIRQ_EDGE | HV_PIRQ_LEVEL)
#define POLARITY (HV_PIRQ_HIGH | HV_PIRQ_LOW)

static bool sound(const struct vcpu *v, const struct hv_pirq *b)
{
    const uint32_t both[] = {KINDS, TRIGGER, POLARITY};
    for (unsigned i = 0; i < ARRAY_SIZE(both); i++)
        if ((b->flags & both[i]) == both[i])
            return false;
    if (b->flags & ~(KINDS | TRIGGER | POLARITY))
        return false;
    return b->storm_number ? b->storm_vcpu < v->domain->max_vcpus && b->storm_number >= HV_NOTIFY_OWN &&
                                 b->storm_number < HV_NOTIFY_COUNT
                           : !b->storm_vcpu;
}

/* The GSI that a number and its kind stand for. */
static int resolve(uint64_t number, uint32_t flags, uint64_t *gsi)
{
    *gsi = number;
    if (flags & HV_PIRQ_CONSOLE && system_info.console_irq < 0)
        return -HV_ENODEV;
    if (number >= (flags & HV_PIRQ_CONSOLE ? 1 : ISA_IRQS) && flags & KINDS)
        return -HV_EINVAL;
    if (flags & KINDS)
        *gsi = ioapic_isa(flags & HV_PIRQ_CONSOLE ? (uint32_t)system_info.console_irq : (uint32_t)number);
    return 0;
}

int64_t mgmt_pirq_bind(struct vcpu *v, const struct mgmt_args *args)
{
    struct hv_pirq b;
    uint64_t gsi;
    int error = mgmt_copy_in(v, args->a1, &b, sizeof(b));
    if (error)
        return error;
    if (!sound(v, &b))
        return -HV_EINVAL;
    error = resolve(args->a0, b.flags, &gsi);
    if (!error)
        error = pirq_check(v->domain, gsi);
    if (error)
        return error;
    struct notifier *n = notifier_find(b.notifier);
    if (!n)
        return -HV_ENOENT;
    if (n->owner != v->domain->id)
        return -HV_EPERM;
    error = pirq_bind((uint32_t)gsi, &b, n);
    return error ? error : (int64_t)gsi;
}

int64_t mgmt_pirq_unbind(struct vcpu *v, const struct mgmt_args *args)
{
    int error = pirq_check(v->domain, args->a0);
    return error ? error : pirq_unbind((uint32_t)args->a0);
}

int64_t mgmt_pirq_ack(struct vcpu *v, const struct mgmt_args *args)
{
    int error = pirq_check(v->domain, args->a0);
    return error ? error : pirq_ack((uint32_t)args->a0);
}

/* Domain 0 may take a line from whoever has it, and everybody may give his back to domain 0. */
int64_t mgmt_pirq_give(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = domain_get(0);
    int error = pirq_check(v->domain, args->a0);
    if (error == -HV_EPERM && !v->domain->id)
        error = 0;
    if (!error && args->a1)
        error = mgmt_target(v, args->a1, &d);
    if (!error)
        pirq_give((uint32_t)args->a0, d->id);
    return error;
}

int64_t mgmt_pirq_info(struct vcpu *v, const struct mgmt_args *args)
{
    struct hv_pirq_info info;
    int error = pirq_check(v->domain, args->a0);
    if (error == -HV_EPERM && !v->domain->id)
        error = 0;
    if (!error)
        error = mgmt_check_out(v, args->a1, sizeof(info));
    if (error)
        return error;
    pirq_info((uint32_t)args->a0, &info);
    return mgmt_copy_out(v, args->a1, &info, sizeof(info));
}
