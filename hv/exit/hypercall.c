/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMCALL: the edge of the management interface. Checks that need no arguments are made here, in one place for all calls; see guest_abi/hv_abi.h.
 */
#include "arch/vmx/guest_state.h"
#include "hv/core/sched.h"
#include "hv/exit/exit.h"
#include "hv/mgmt/mgmt.h"

static int64_t call(struct vcpu *v, uint64_t number)
{
    const union gprs *g = &v->vmx.gprs;
    if (number >= HV_CALL_COUNT)
        return -HV_ENOSYS;
    const struct mgmt_call *row = mgmt_call_get(number);
    if (!row->handler)
        return -HV_ENOSYS;
    if ((row->may & v->domain->may) != row->may)
        return -HV_EPERM;
    const struct mgmt_args args = {{g->rdi, g->rsi, g->rdx, g->r10, g->r8, g->r9}};
    if (!row->locked)
        return row->handler(v, &args);
    if (!mgmt_lock(v))
        return MGMT_AGAIN;
    int64_t result = row->handler(v, &args);
    mgmt_unlock();
    return result;
}

void exit_vmcall(struct vcpu *v)
{
    uint64_t rax = v->vmx.gprs.rax;
    if (__builtin_expect((rax >> 32) != HV_CALL_MAGIC || !guest_code_is_64(), 0)) {
        exit_inject_ud(v);
        return;
    }
    int64_t result = guest_cpl() ? -HV_EPERM : call(v, (uint32_t)rax);
    if (__builtin_expect(result == MGMT_AGAIN, 0)) {
        sched_request(v, REQUEST_RESCHED); /* others may run in between */
        return;
    }
    v->vmx.gprs.rax = (uint64_t)result;
    vm_exit_advance();
}
