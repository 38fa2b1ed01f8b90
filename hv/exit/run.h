/* SPDX-License-Identifier: BSD-2-Clause */
/* Running vCPUs: see run.c. */
#ifndef HV_EXIT_RUN_H
#define HV_EXIT_RUN_H

/* The executing CPU runs vCPUs from now on. */
__attribute__((noreturn)) void run_enter(void);

#endif
