/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the insns guest. */
#pragma once

#include <stdint.h>

extern uint64_t insns_operand[512]; /* one page */

void insns_vmcall(void);
void insns_system(void); /* XSETBV, INVPCID, RDTSCP, SYSCALL */
