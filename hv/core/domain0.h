/* SPDX-License-Identifier: BSD-2-Clause */
/* The management domain: see domain0.c. */
#ifndef HV_CORE_DOMAIN0_H
#define HV_CORE_DOMAIN0_H

#include "boot/boot_info.h"
#include "hv/core/vcpu.h"

/*
 * Makes domain 0 of all memory that is left, and its vCPU, ready to run at the first byte of boot module 0.
 * False: a line in the log says why. Once, after all CPUs are up.
 */
bool domain0_create(const struct boot_info *boot);

/* Lets its vCPU run. */
void domain0_start(void);

/*
 * It has died: it is started again, unless that has not helped several times, then the machine stops. On its
 * own CPU.
 */
void domain0_died(void);

/*
 * REQUEST_RESTART, on its own CPU: a new instance, in what memory it has left. Other domains, what they wait
 * for and their service pages stay as they are.
 */
void domain0_restart(struct vcpu *v);

#endif
