/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Completing an instruction whose memory or port access the processor could not do: see emulate.c.
 */
#ifndef HV_EXIT_EMULATE_H
#define HV_EXIT_EMULATE_H

#include "hv/core/vcpu.h"

#define EMULATE_LINEAR_UNKNOWN BIT(62) /* not canonical */

/*
 * From the exit of a memory access at gpa (`hole`: nothing is there; else the APIC, or not writable), which the
 * processor had translated from `linear`; or of a string port access.
 */
void emulate_memory(struct vcpu *v, uint64_t gpa, uint64_t linear, bool write, bool hole);
void emulate_string_io(struct vcpu *v, uint16_t port);

/* Names an instruction by its place and length; 0 is none, whatever length a processor gives. */
static inline uint64_t emulate_store_key(uint64_t rip, uint64_t length)
{
    return (rip << 4) + 16 - length;
}

/* The manager has answered one access of the instruction: go on with it. */
void emulate_answer(struct vcpu *v, uint64_t data);

#endif
