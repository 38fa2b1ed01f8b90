/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors and the local vector table: what happens inside an APIC becomes a message to itself.
 *
 * The error interrupt fires with the first error after a write to ESR, which rearms it; errors that follow
 * are only noted. So an error vector that is illegal itself adds its bit to ESR and ends there: no recursion.
 *
 * The pins are edges: the caller fires a LINT when it rises. Trigger mode and polarity can be stored; remote
 * IRR reads 0, as no level is ever accepted from a pin. An ExtINT is a level that the PIC keeps:
 * vlapic_accepts_extint. The performance counter's LVT masks itself when it fires.
 *
 * SDM volume 3, "Error Handling", "Local Vector Table", "Valid Interrupt Vectors".
 */
#include "hv/vapic/vlapic.h"

static enum apic_delivery lvt_mode(uint32_t lvt)
{
    return (enum apic_delivery)(lvt >> APIC_LVT_MODE_SHIFT & 7);
}

uint8_t vlapic_error(struct vlapic *a, uint32_t esr_bits)
{
    uint32_t lvt = vlapic_reg_get(a, APIC_LVT_ERROR);
    bool armed = __atomic_fetch_or(&a->esr_pending, esr_bits, __ATOMIC_SEQ_CST) == 0;
    vlapic_count(a, VLAPIC_STAT_ERRORS);
    if (!armed || (lvt & APIC_LVT_MASKED) || !vlapic_accepting(a))
        return 0;
    if ((lvt & APIC_LVT_VECTOR) < APIC_FIRST_LEGAL) {
        __atomic_fetch_or(&a->esr_pending, APIC_ESR_RECEIVE_ILLEGAL_VECTOR, __ATOMIC_SEQ_CST);
        return 0;
    }
    vlapic_count(a, VLAPIC_STAT_LVT);
    return (uint8_t)(lvt & APIC_LVT_VECTOR);
}

/* Delivery modes that an LVT can have, a bit each: INIT and ExtINT belong to the pins. */
#define SENSOR_MODES (1U << APIC_DM_FIXED | 1U << APIC_DM_SMI | 1U << APIC_DM_NMI)
#define PIN_MODES    (SENSOR_MODES | 1U << APIC_DM_INIT | 1U << APIC_DM_EXTINT)

bool vlapic_lvt_fire(struct vlapic *a, enum apic_reg lvt, struct vlapic_message *m)
{
    uint32_t value = vlapic_reg_get(a, lvt);
    enum apic_delivery mode = lvt_mode(value);
    bool lint = lvt == APIC_LVT_LINT0 || lvt == APIC_LVT_LINT1;
    if (lint && vlapic_mode(a) == VLAPIC_OFF) { /* the pins are INTR and NMI then */
        *m = (struct vlapic_message){.dest = a->id, .wide = true, .mode = APIC_DM_NMI};
        return lvt == APIC_LVT_LINT1;
    }
    if (vlapic_mode(a) == VLAPIC_OFF || (value & APIC_LVT_MASKED) ||
        !((lint ? PIN_MODES : SENSOR_MODES) >> mode & 1))
        return false;
    if (lvt == APIC_LVT_PMC)
        vlapic_reg_set(a, lvt, value | APIC_LVT_MASKED);
    *m = (struct vlapic_message){
        .dest = a->id, .wide = true, .mode = (uint8_t)mode, .vector = (uint8_t)(value & APIC_LVT_VECTOR)};
    if (lvt != APIC_LVT_TIMER)
        vlapic_count(a, VLAPIC_STAT_LVT);
    return true;
}

bool vlapic_accepts_extint(const struct vlapic *a)
{
    uint32_t lvt = vlapic_reg_get(a, APIC_LVT_LINT0);
    return vlapic_mode(a) == VLAPIC_OFF || (!(lvt & APIC_LVT_MASKED) && lvt_mode(lvt) == APIC_DM_EXTINT);
}
