/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the except guest. */
#pragma once

void except_steps(void);       /* RFLAGS.TF over instructions that exit */
void except_shadows(void);     /* STI and MOV SS before them */
void except_breakpoints(void); /* debug registers */
