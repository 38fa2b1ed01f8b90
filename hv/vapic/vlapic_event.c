/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INIT, SIPI, NMI and SMI as they wait for the vCPU: one atomic word, so that a SIPI right behind an INIT is
 * not lost while the vCPU has not looked yet.
 *
 * Rules. One of each is latched; a further one merges. INIT erases a SIPI that waits. A SIPI is for a vCPU in
 * wait-for-SIPI, or about to be: others drop it, as does a second one. The bootstrap processor starts at its
 * reset vector after INIT and never waits. INIT erases NMI and SMI that came before it. All of them pass an
 * APIC that software has disabled. One that is off is no destination (vlapic_map.c), but its NMI pin still
 * works.
 *
 * SDM volume 3, "Local APIC State After It Has Been Software Disabled", "MP Initialization Protocol Algorithm
 * for MP Systems".
 */
#include "hv/vapic/vlapic.h"

#define SIPI_VECTOR 0xffU

static uint32_t events(const struct vlapic *a)
{
    return __atomic_load_n(&a->events, __ATOMIC_ACQUIRE);
}

static bool replace(struct vlapic *a, uint32_t *old, uint32_t new)
{
    return __atomic_compare_exchange_n(&a->events, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

static enum vlapic_receipt latch(struct vlapic *a, uint32_t bit, uint32_t erase)
{
    uint32_t old = events(a);
    while (!replace(a, &old, (old & ~erase) | bit))
        ;
    return old & bit ? VLAPIC_MERGED : VLAPIC_NEW;
}

static enum vlapic_receipt post_sipi(struct vlapic *a, uint8_t vector)
{
    uint32_t old = events(a);
    do {
        if (old & HV_LAPIC_SIPI)
            return VLAPIC_MERGED;
        if (a->bsp || !(old & (HV_LAPIC_INIT | HV_LAPIC_WAIT)))
            return vlapic_refuse(a, VLAPIC_DROPPED_STATE);
    } while (!replace(a, &old, (old & ~SIPI_VECTOR) | HV_LAPIC_SIPI | vector));
    return VLAPIC_NEW;
}

enum vlapic_receipt vlapic_event_post(struct vlapic *a, enum apic_delivery mode, uint8_t vector)
{
    if (mode == APIC_DM_STARTUP)
        return post_sipi(a, vector);
    if (mode == APIC_DM_INIT)
        return latch(a, HV_LAPIC_INIT, HV_LAPIC_SIPI | HV_LAPIC_NMI | HV_LAPIC_SMI | SIPI_VECTOR);
    return latch(a, mode == APIC_DM_NMI ? HV_LAPIC_NMI : HV_LAPIC_SMI, 0);
}

enum vlapic_start vlapic_event_start(struct vlapic *a, uint8_t *vector)
{
    uint32_t old = events(a), new;
    do {
        if (old & HV_LAPIC_INIT)
            new = a->bsp ? old & ~(uint32_t)HV_LAPIC_INIT : (old & ~(uint32_t)HV_LAPIC_INIT) | HV_LAPIC_WAIT;
        else if ((old & HV_LAPIC_WAIT) && (old & HV_LAPIC_SIPI))
            new = old & ~(HV_LAPIC_WAIT | HV_LAPIC_SIPI | SIPI_VECTOR);
        else
            return VLAPIC_START_NONE;
    } while (!replace(a, &old, new));
    if (old & HV_LAPIC_INIT) {
        vlapic_reset(a);
        return VLAPIC_START_INIT;
    }
    *vector = (uint8_t)(old & SIPI_VECTOR);
    return VLAPIC_START_SIPI;
}

bool vlapic_event_waiting(const struct vlapic *a)
{
    return (events(a) & HV_LAPIC_WAIT) != 0;
}

bool vlapic_event_take(struct vlapic *a, enum hv_lapic_event which)
{
    return (__atomic_fetch_and(&a->events, ~(uint32_t)which, __ATOMIC_SEQ_CST) & (uint32_t)which) != 0;
}
