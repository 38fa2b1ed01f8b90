/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can these CPUs run guests? Says in the log what is missing, per CPU, and enters VMX operation
 * where nothing is.
 */
#ifndef HV_CORE_READINESS_H
#define HV_CORE_READINESS_H

#include "hv/core/pcpu.h"

/* On each CPU, by itself: reads the capabilities and enters VMX operation if they suffice. */
void readiness_check_self(struct pcpu *p);

/* On the boot CPU, when all are up: prints what was found. False when any CPU cannot run guests;
 * each reason is a line. */
bool readiness_report(void);

/* What every CPU of the machine can do; valid after readiness_report() returned true. */
const struct vmx_caps *readiness_caps(void);

#endif
