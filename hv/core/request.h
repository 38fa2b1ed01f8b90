/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The word of pending work of a vCPU: tested once before each VM entry, so every way to make a running vCPU
 * do something sets a bit here. Setters use a locked OR (a full barrier) and then look where the vCPU is
 * (sched_poke); the consumer takes the whole word with one exchange.
 */
#ifndef HV_CORE_REQUEST_H
#define HV_CORE_REQUEST_H

#include "arch/cpu/bits.h"

enum request {
    REQUEST_RESCHED = BIT(0), /* sched.c: let somebody else run, or stop; consumed by run.c */
    REQUEST_EVENT = BIT(1),   /* event.c: an NMI or interrupt waits to be injected */
    REQUEST_KICK = BIT(2),    /* HV_CALL_VCPU_KICK: report HV_EXIT_KICK to the manager */
    REQUEST_ANSWER = BIT(3),  /* service.c: the manager has answered; finish the access */
    REQUEST_NOTIFY = BIT(4),  /* notify.c: a notification or the deadline of HV_CALL_NOTIFY_WAIT */
    REQUEST_APIC = BIT(6),    /* vapic.c: the timer's deadline, or interrupts that need an EOI exit first */
    REQUEST_RESTART = BIT(5), /* domain0.c: the management domain starts again from its boot module */
};

#endif
