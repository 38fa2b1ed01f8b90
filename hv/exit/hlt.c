/* SPDX-License-Identifier: BSD-2-Clause */
/* HLT: the vCPU sleeps until an event can be delivered. SDM volume 2, HLT. */
#include "hv/core/sched.h"
#include "hv/exit/exit.h"

void exit_hlt(struct vcpu *v)
{
    vm_exit_advance();
    if (vm_exit_trap_pending())
        return; /* the single-step trap ends the HLT at once */
    v->halted = true;
    /* The run loop looks for events and blocks if there is none: setting our own request sends it there. */
    sched_request(v, REQUEST_EVENT);
}
