/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way round: VM exit, handler, one test of the pending-work word, VM entry. vmentry.S calls hv_vmexit
 * with the context that exited and enters the one that is returned; after a fast handler it tests the word
 * itself. Everything slow hangs on the request word.
 */
#include "hv/exit/run.h"

#include "arch/vmx/vmx.h"
#include "hv/core/pcpu.h"
#include "hv/exit/serve.h"

static struct vcpu *serve(struct vcpu *v)
{
    v = serve_with(v, false);
    return CONFIG_DEBUG ? checked(v) : v;
}

struct vmx_context *hv_vmexit(struct vmx_context *c, uint32_t reason)
{
    struct vcpu *v = (struct vcpu *)c;
    percpu_count_exit();
    exit_dispatch(v, reason);
    if (__builtin_expect(atomic_load_relaxed(&v->requests) || (CONFIG_DEBUG && vcpu_posted(v)), 0))
        return &serve(v)->vmx;
    return CONFIG_DEBUG ? &checked(v)->vmx : &v->vmx;
}

struct vmx_context *hv_serve(struct vmx_context *c)
{
    return &serve((struct vcpu *)c)->vmx;
}

struct vmx_context *hv_vmentry_failed(void)
{
    struct vcpu *v = pcpu_self()->loaded;
    exit_stop_domain(v, HV_DEAD_ENTRY_FAILED, vmx_instruction_error());
    return &serve(v)->vmx;
}

void run_enter(void)
{
    struct vcpu *v = sched_next(NULL);
    vcpu_load(v);
    vmx_enter(&serve(v)->vmx);
}
