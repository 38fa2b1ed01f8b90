/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completing an instruction whose memory or port access the processor could not do: see emulate.c.
 */
#ifndef HV_EXIT_EMULATE_H
#define HV_EXIT_EMULATE_H

#include "hv/core/vcpu.h"

/*
 * From the exit of a memory access at gpa (no memory there, or not writable), or of a string port access (gpa
 * unused).
 */
void emulate_memory(struct vcpu *v, uint64_t gpa, bool write);
void emulate_string_io(struct vcpu *v, uint16_t port);

/* The manager has answered one access of the instruction: go on with it. */
void emulate_answer(struct vcpu *v, uint64_t data);

#endif
