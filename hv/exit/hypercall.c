/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMCALL: the edge of the management interface. Checks that need no arguments are made here, in one place for
 * all calls; see guest_abi/hv_abi.h.
 */
#include "arch/cpu/atomic.h"
#include "arch/vmx/guest_state.h"
#include "hv/core/sched.h"
#include "hv/exit/exit.h"
#include "hv/mgmt/mgmt.h"

#define FAST_CALLS 64 /* numbers below may go the short way: bits of fast_calls */

static inline int64_t run(const struct mgmt_call *row, struct vcpu *v)
{
    return row->handler(v, (const struct mgmt_args *)(const void *)&v->vmx.gprs);
}

static int64_t call(struct vcpu *v, uint64_t number)
{
    if (number >= HV_CALL_COUNT)
        return -HV_ENOSYS;
    const struct mgmt_call *row = mgmt_call_get(number);
    if (!row->handler)
        return -HV_ENOSYS;
    if ((row->may & v->domain->may) != row->may)
        return -HV_EPERM;
    if (!row->locked) {
        if (number < FAST_CALLS)
            atomic_fetch_or_full(&v->domain->fast_calls, BIT(number));
        return run(row, v);
    }
    if (!mgmt_lock(v))
        return MGMT_AGAIN;
    int64_t result = run(row, v);
    mgmt_unlock();
    return result;
}

/*
 * A call that was made the full way, needs no lock and passed all checks passes them again: its number,
 * rights and handler never change. 64-bit code at CPL 0 shows in CS alone, unless the segment is conforming.
 */
struct vmx_fast hv_fast_vmcall(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    uint64_t number = c->gprs.rax - ((uint64_t)HV_CALL_MAGIC << 32);
    if (number >= FAST_CALLS || !(v->domain->fast_calls >> number & 1) || !guest_code_is_64_cpl0())
        return (struct vmx_fast){0};
    percpu_count_exit();
    v->exits[EXIT_VMCALL]++;
    vm_exit_advance();
    return (struct vmx_fast){(uint64_t)run(mgmt_call_get(number), v), 1};
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
