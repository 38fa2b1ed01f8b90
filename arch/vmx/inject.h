/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event injection, and giving back an event whose delivery was cut short by a VM exit. SDM volume 3, "Event
 * Injection" and "Information for VM Exits That Occur During Event Delivery". All on the current VMCS; one
 * event at most per entry.
 */
#ifndef ARCH_VMX_INJECT_H
#define ARCH_VMX_INJECT_H

#include "arch/cpu/bits.h"

enum inject_type {
    INJECT_EXTERNAL = 0,
    INJECT_NMI = 2,
    INJECT_HW_EXCEPTION = 3,
    INJECT_SW_INTERRUPT = 4,
    INJECT_PRIV_EXCEPTION = 5, /* INT1 */
    INJECT_SW_EXCEPTION = 6,   /* INT3, INTO */
};

/* Is an event set for the next entry? */
bool inject_is_set(void);

/*
 * Sets an external interrupt or NMI for the next entry. The caller has checked that none is set and that the
 * guest can take it.
 */
void inject_external(uint8_t vector);
void inject_nmi(void);

/*
 * A fault by the instruction at RIP: hardware exception `vector`, with its error code where the vector has
 * one. Combines with an event whose delivery caused it, as the processor does (SDM volume 3, "Double Fault
 * Exception"). False: the combination is a triple fault.
 */
bool inject_exception(uint8_t vector, uint32_t error) __attribute__((warn_unused_result));

/* INT1 again, `length` bytes long: the #DB of an instruction, with RIP behind it pushed. */
void inject_int1(uint64_t length);

/* Does the vector push an error code in protected mode? */
bool inject_has_error_code(uint8_t vector);

/*
 * At an exit that interrupted the delivery of an event: sets that event again. Nothing to do when there was
 * none.
 */
void inject_restore_interrupted(void);

/* Can the guest take one now? */
bool inject_can_external(void);
bool inject_can_nmi(void);
bool inject_nmi_blocked(void); /* by an NMI that is being handled */

/* Exit as soon as it can. */
void inject_window_external(bool on);
void inject_window_nmi(bool on);

/* The raw words, for state records: VM-entry interruption information and error code; interruptibility. */
uint32_t inject_get(uint32_t *error);
void inject_set(uint32_t info, uint32_t error);

/* Virtual-NMI blocking. */
void inject_mark_nmi_blocked(bool blocked);

#endif
