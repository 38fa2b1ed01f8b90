/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a write to ICR means. IPIs are edges always: a level trigger is overridden as processors do it, its
 * de-assertion sends nothing.
 *
 * Ignored, and counted by the caller: remote read and ExtINT; INIT level de-assert (arbitration IDs are no
 * more); shorthands "self" and "all" with anything but Fixed. "Others" with lowest priority goes to one of
 * the others. The vector matters to Fixed, lowest priority and SIPI.
 *
 * SDM volume 3, "Interrupt Command Register (ICR)", table of valid combinations for Pentium 4 and later; "ICR
 * Operation in x2APIC Mode".
 */
#include "hv/vapic/vlapic.h"

static uint32_t field(uint64_t icr, unsigned shift, uint32_t mask)
{
    return (uint32_t)(icr >> shift) & mask;
}

/* Sets of delivery modes, a bit each. */
#define FIXED_MODES (1U << APIC_DM_FIXED | 1U << APIC_DM_LOWEST)
#define NO_MODES    (1U << APIC_DM_REMOTE_READ | 1U << APIC_DM_EXTINT)
#define EDGE_MODES  (FIXED_MODES | 1U << APIC_DM_INIT) /* not sent by a de-assertion */

enum vlapic_icr vlapic_icr_decode(uint64_t icr, bool x2apic, struct vlapic_message *m)
{
    uint32_t mode = field(icr, APIC_ICR_MODE_SHIFT, 7), bit = 1U << mode;
    bool deassert = (icr & APIC_ICR_LEVEL) && !(icr & APIC_ICR_ASSERT);
    *m = (struct vlapic_message){
        .vector = (uint8_t)icr,
        .mode = (uint8_t)mode,
        .shorthand = (uint8_t)field(icr, APIC_ICR_SHORTHAND_SHIFT, 3),
        .logical = (icr & APIC_ICR_LOGICAL) != 0,
        .wide = x2apic,
        .dest = x2apic ? (uint32_t)(icr >> APIC_ICR_X2APIC_DEST) : (uint32_t)(icr >> APIC_ICR_XAPIC_DEST),
    };
    if ((bit & NO_MODES) || (deassert && (bit & EDGE_MODES)) ||
        ((m->shorthand == APIC_TO_SELF || m->shorthand == APIC_TO_ALL) && mode != APIC_DM_FIXED))
        return VLAPIC_ICR_IGNORED;
    if ((bit & FIXED_MODES) && m->vector < APIC_FIRST_LEGAL)
        return VLAPIC_ICR_ILLEGAL_VECTOR;
    return VLAPIC_ICR_SEND;
}
