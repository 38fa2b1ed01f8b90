/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that move memory; hv/core/domain_mem.c does it. All hold the management lock. */
#include "hv/core/domain_mem.h"
#include "hv/core/frame.h"
#include "hv/mgmt/mgmt.h"

static int mem_args(struct vcpu *v, const struct mgmt_args *args, struct domain **d, struct hv_mem *m)
{
    int error = mgmt_target(v, args->a0, d);
    if (error)
        return error;
    error = mgmt_copy_in(v, args->a1, m, sizeof(*m));
    if (error)
        return error;
    if ((m->flags & ~(HV_MEM_WRITE | HV_MEM_EXEC)) || ((m->own | m->target) & ~PAGE_MASK) || !m->pages)
        return -HV_EINVAL;
    uint64_t room = EPT_GPA_END / PAGE_SIZE;
    if (m->own >= EPT_GPA_END || m->target >= EPT_GPA_END || m->pages > room - m->own / PAGE_SIZE ||
        m->pages > room - m->target / PAGE_SIZE)
        return -HV_EINVAL;
    return 0;
}

int64_t mgmt_mem_donate(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_mem m;
    /* What is donated must find back to where it was: domain_mem.c knows that for domain 0 alone. */
    if (v->domain->id)
        return -HV_EPERM;
    int error = mem_args(v, args, &d, &m);
    return error ? error : domain_mem_donate(v->domain, d, &m);
}

int64_t mgmt_mem_share(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_mem m;
    int error = mem_args(v, args, &d, &m);
    return error ? error : domain_mem_share(v->domain, d, &m);
}

int64_t mgmt_mem_unmap(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    int error = mgmt_target(v, args->a0, &d);
    if (error)
        return error;
    uint64_t room = EPT_GPA_END / PAGE_SIZE;
    if ((args->a1 & ~PAGE_MASK) || args->a1 >= EPT_GPA_END || !args->a2 ||
        args->a2 > room - args->a1 / PAGE_SIZE)
        return -HV_EINVAL;
    return domain_mem_unmap(d, args->a1, args->a2);
}

int64_t mgmt_mem_query(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_mem_query q;
    int error = mgmt_target(v, args->a0, &d);
    if (!error)
        error = mgmt_copy_in(v, args->a1, &q, sizeof(q));
    if (error)
        return error;
    if (q.gpa >= EPT_GPA_END)
        return -HV_EINVAL;
    struct ept_leaf leaf = ept_lookup(&d->ept, q.gpa);
    uint64_t pa = leaf.pa + (q.gpa - leaf.gpa);
    const struct frame *f = frame_at(pa);
    if (!leaf.access || (f && f->owner == FRAME_HV))
        return -HV_ENOENT;
    q.flags = (leaf.access & EPT_W ? HV_MEM_WRITE : 0) | (leaf.access & EPT_X ? HV_MEM_EXEC : 0);
    q.own = pa;
    q.length = leaf.size - (q.gpa - leaf.gpa);
    q.owner = f ? f->owner : FRAME_NONE;
    q.pins = f ? f->pins : 0;
    return mgmt_copy_out(v, args->a1, &q, sizeof(q));
}
