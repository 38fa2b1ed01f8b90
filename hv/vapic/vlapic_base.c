/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IA32_APIC_BASE: which mode the APIC is in.
 *
 *     off -> xAPIC, xAPIC -> x2APIC, xAPIC -> off, x2APIC -> off, and each to itself; everything else is #GP,
 *     so are reserved bits, and an address other than the default: the page does not move. Bit 8 (BSP) is read-only: writes to it are ignored.
 *
 * Switching off keeps the registers, and with them requests and what is in service, for the time when it is
 * on again (the SDM allows both); but the timer stops, and the logical ID of x2APIC mode does not survive
 * into xAPIC mode. ISR, IRR and LVTs are kept from xAPIC to x2APIC mode, where LDR follows from the ID and
 * the upper half of ICR is 0.
 *
 * SDM volume 3, "Enabling or Disabling the Local APIC", "x2APIC State Transitions".
 */
#include "hv/vapic/vlapic.h"

#define FLAGS (IA32_APIC_BASE_BSP | IA32_APIC_BASE_EXTD | IA32_APIC_BASE_EN)

uint64_t vlapic_base(const struct vlapic *a)
{
    static const uint32_t flags[] = {[VLAPIC_OFF] = 0,
                                     [VLAPIC_XAPIC] = IA32_APIC_BASE_EN,
                                     [VLAPIC_X2APIC] = IA32_APIC_BASE_EN | IA32_APIC_BASE_EXTD};
    return (uint64_t)APIC_PAGE_DEFAULT | flags[vlapic_mode(a)] | (a->bsp ? IA32_APIC_BASE_BSP : 0);
}

enum vlapic_mode vlapic_base_mode(uint64_t base)
{
    if (!(base & IA32_APIC_BASE_EN))
        return VLAPIC_OFF;
    return base & IA32_APIC_BASE_EXTD ? VLAPIC_X2APIC : VLAPIC_XAPIC;
}

bool vlapic_base_valid(const struct vlapic *a, uint64_t value)
{
    bool en = (value & IA32_APIC_BASE_EN) != 0, extd = (value & IA32_APIC_BASE_EXTD) != 0;
    return (value & ~(uint64_t)FLAGS) == APIC_PAGE_DEFAULT && !(extd && !(en && a->features.x2apic));
}

void vlapic_base_names(struct vlapic *a)
{
    if (vlapic_mode(a) == VLAPIC_X2APIC) {
        vlapic_reg_set(a, APIC_ID, a->id);
        vlapic_reg_set(a, APIC_LDR, a->id >> 4 << 16 | 1U << (a->id & 15));
    } else {
        vlapic_reg_set(a, APIC_ID, a->id << 24);
    }
}

bool vlapic_base_set(struct vlapic *a, uint64_t value, struct vlapic_facts *f)
{
    enum vlapic_mode old = vlapic_mode(a), new = vlapic_base_mode(value);
    if (!vlapic_base_valid(a, value) || (old == VLAPIC_OFF && new == VLAPIC_X2APIC) ||
        (old == VLAPIC_X2APIC && new == VLAPIC_XAPIC))
        return false;
    if (old == new)
        return true;
    if (old == VLAPIC_X2APIC) {
        vlapic_reg_set(a, APIC_LDR, 0);
        vlapic_reg_set(a, APIC_DFR, APIC_DFR_FLAT);
        vlapic_reg_set(a, APIC_ICR + 4, 0);
    }
    if (new == VLAPIC_X2APIC)
        vlapic_reg_set(a, APIC_ICR2, 0);
    if (new == VLAPIC_OFF)
        vlapic_timer_stop(a);
    __atomic_store_n(&a->mode, (uint32_t) new, __ATOMIC_RELEASE);
    vlapic_base_names(a);
    f->what |=
        VLAPIC_FACT_MODE | VLAPIC_FACT_LOGICAL | VLAPIC_FACT_PRIORITY | VLAPIC_FACT_TIMER | VLAPIC_FACT_WIRE;
    return true;
}

bool vlapic_decodes(const struct vlapic *a, uint64_t gpa)
{
    return vlapic_mode(a) == VLAPIC_XAPIC && gpa >> 12 == APIC_PAGE_DEFAULT >> 12;
}
