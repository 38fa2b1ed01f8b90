/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on domains. All hold the management lock. */
#include <string.h>

#include "hv/core/claims.h"
#include "hv/core/gmem.h"
#include "hv/core/sched.h"
#include "hv/mgmt/mgmt.h"
#include "hv/route/pirq.h"
#include "hv/vapic/vapic.h"

#define LIST_MAX  1024U
#define PAUSE_MAX 0xffffffffU

/* Printable ASCII, ended by a NUL, with nothing behind it. */
static bool name_valid(const char *name)
{
    size_t len = strnlen(name, HV_NAME_SIZE);
    if (len == HV_NAME_SIZE)
        return false;
    for (size_t i = 0; i < HV_NAME_SIZE; i++)
        if (i < len ? name[i] < ' ' || name[i] > '~' : name[i])
            return false;
    return true;
}

static bool flags_valid(uint32_t flags)
{
    uint32_t chips = flags & HV_DOMAIN_IRQCHIP, more = flags & ~HV_DOMAIN_IRQCHIP;
    return chips == HV_DOMAIN_IRQCHIP_NONE
               ? !(more & ~(HV_DOMAIN_TSC_DEADLINE | HV_DOMAIN_OUTPUTS | HV_DOMAIN_PIT))
           : chips == HV_DOMAIN_IRQCHIP_SPLIT ? !(more & ~HV_DOMAIN_PIT)
                                              : chips == HV_DOMAIN_IRQCHIP_FULL && !more;
}

int64_t mgmt_domain_create(struct vcpu *v, const struct mgmt_args *args)
{
    struct hv_domain_create c;
    struct domain *d = NULL;
    int error = mgmt_copy_in(v, args->a0, &c, sizeof(c));
    if (error)
        return error;
    if (!flags_valid(c.flags) || c.reserved[0] || c.reserved[1] || c.reserved[2] || !c.max_vcpus ||
        c.max_vcpus > CONFIG_MAX_VCPUS || (c.may & ~HV_MAY_ALL) || !name_valid(c.name))
        return -HV_EINVAL;
    if (c.may & ~v->domain->may)
        return -HV_EPERM;
    error = domain_create(&c, v->domain->id, &d);
    if (error)
        return error;
    if (d->apics)
        vapic_domain_init(d);
    if ((d->apics || d->pit) && mgmt_irq_create(d)) {
        while (!domain_destroy(d)) /* it is empty */
            ;
        return -HV_ENOMEM;
    }
    return d->id;
}

int64_t mgmt_domain_destroy(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = domain_get_dying(args->a0);
    if (!d) {
        int error = mgmt_target(v, args->a0, &d);
        if (error)
            return error;
        if (domain_manages(d))
            return -HV_EBUSY;
    } else if (v->domain->id && d->manager != v->domain->id) {
        return -HV_EPERM;
    }
    pirq_forget(d);
    notifier_forget(d);
    return domain_destroy(d) ? 0 : MGMT_AGAIN;
}

static void for_vcpus(struct domain *d, void (*f)(struct vcpu *v))
{
    for (uint32_t i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i])
            f(d->vcpu[i]);
}

static void pause_one(struct vcpu *v)
{
    sched_hold(v, HOLD_PAUSED);
}

static void resume_one(struct vcpu *v)
{
    sched_release(v, HOLD_PAUSED);
}

int64_t mgmt_domain_pause(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    int error = mgmt_target(v, args->a0, &d);
    if (error)
        return error;
    if (d->pause_count == PAUSE_MAX)
        return -HV_EBUSY;
    d->pause_count++;
    for_vcpus(d, pause_one);
    for_vcpus(d, sched_wait_stopped);
    return 0;
}

int64_t mgmt_domain_resume(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    int error = mgmt_target(v, args->a0, &d);
    if (error)
        return error;
    if (!d->pause_count)
        return -HV_EINVAL;
    if (--d->pause_count == 0)
        for_vcpus(d, resume_one);
    return 0;
}

static uint32_t state_of(const struct domain *d)
{
    if (domain_is_dead(d))
        return HV_DOMAIN_DEAD;
    if (d->pause_count)
        return HV_DOMAIN_PAUSED;
    return d->started ? HV_DOMAIN_ACTIVE : HV_DOMAIN_BUILDING;
}

int64_t mgmt_domain_info(struct vcpu *v, const struct mgmt_args *args)
{
    int error = mgmt_check_out(v, args->a1, sizeof(struct hv_domain_info));
    if (error)
        return error;
    const struct domain *d = args->a0 == HV_DOMAIN_SELF ? v->domain : domain_get(args->a0);
    if (!d)
        return -HV_ESRCH;
    struct hv_domain_info info = {
        .size = sizeof(info),
        .domain = d->id,
        .state = state_of(d),
        .reason = d->dead_reason,
        .detail = d->dead_detail,
        .vcpus = d->vcpu_count,
        .max_vcpus = d->max_vcpus,
        .may = d->may,
        .memory_pages = d->memory_pages,
        .shared_pages = d->shared_pages,
        .pool_pages = d->pool_pages,
    };
    memcpy(info.name, d->name, sizeof(info.name));
    return mgmt_copy_out(v, args->a1, &info, sizeof(info));
}

int64_t mgmt_domain_list(struct vcpu *v, const struct mgmt_args *args)
{
    uint32_t ids[CONFIG_MAX_DOMAINS], n = 0;
    if (args->a2 > LIST_MAX)
        return -HV_E2BIG;
    if ((args->a1 & ~PAGE_MASK) + args->a2 * sizeof(ids[0]) > PAGE_SIZE)
        return -HV_EFAULT;
    uint32_t first = args->a0 < CONFIG_MAX_DOMAINS ? (uint32_t)args->a0 : CONFIG_MAX_DOMAINS;
    for (uint32_t id = domain_next(first); id < CONFIG_MAX_DOMAINS && n < args->a2; id = domain_next(id + 1))
        ids[n++] = id;
    if (gmem_write(v->domain, args->a1, ids, n * sizeof(ids[0])))
        return -HV_EFAULT;
    return n;
}

static int claim_args(struct vcpu *v, const struct mgmt_args *args, struct domain **d, struct hv_claim *c)
{
    int error = mgmt_target(v, args->a0, d);
    if (error)
        return error;
    error = mgmt_copy_in(v, args->a1, c, sizeof(*c));
    if (error)
        return error;
    return c->reserved[0] ? -HV_EINVAL : 0;
}

int64_t mgmt_domain_claim(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_claim c;
    int error = claim_args(v, args, &d, &c);
    return error ? error : claims_add(d->claims, &c);
}

int64_t mgmt_domain_unclaim(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_claim c;
    int error = claim_args(v, args, &d, &c);
    return error ? error : claims_remove(d->claims, &c);
}
