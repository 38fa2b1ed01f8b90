/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole state as a record (struct hv_lapic), for saving and moving a domain. A record is checked whole
 * before anything of it is taken. It fits an APIC with the same ID and features; the mode is part of it,
 * whatever mode the APIC is in.
 *
 * Times are kept so that nothing is lost or doubled: what is left of a count moves with the guest's time, a
 * TSC deadline is the guest's own number.
 */
#include "hv/vapic/vlapic.h"

#include <string.h>

void vlapic_state_get(struct vlapic *a, uint64_t now, struct hv_lapic *out)
{
    const struct vlapic_timer *t = &a->timer;
    memset(out, 0, sizeof(*out));
    vlapic_ppr(a);
    for (uint32_t offset = 0; offset < APIC_REGS_SIZE; offset += 4)
        out->regs[offset / 4] = vlapic_reg_get(a, offset);
    out->regs[APIC_TMCCT / 4] = vlapic_timer_count(a, now);
    out->size = sizeof(*out);
    out->version = HV_LAPIC_VERSION;
    out->apic_base = vlapic_base(a);
    if (t->armed && vlapic_timer_mode(t) == APIC_TIMER_DEADLINE) {
        out->tsc_deadline = t->deadline;
    } else if (t->armed && t->deadline > now) {
        out->timer_left = t->deadline - now;
    } else if (t->armed) { /* due but not served: fires at once where it is restored */
        out->timer_left = 1;
        out->regs[APIC_TMCCT / 4] = 1;
    }
    out->esr_pending = __atomic_load_n(&a->esr_pending, __ATOMIC_RELAXED);
    out->events = __atomic_load_n(&a->events, __ATOMIC_RELAXED);
}

/*
 * A SIPI waits only behind INIT or in wait-for-SIPI, where the bootstrap processor never is; without one
 * there is no vector.
 */
static bool events_valid(const struct vlapic *a, uint32_t events)
{
    if ((events & ~(uint32_t)HV_LAPIC_EVENTS) || (a->bsp && (events & (HV_LAPIC_SIPI | HV_LAPIC_WAIT))))
        return false;
    return events & HV_LAPIC_SIPI ? (events & (HV_LAPIC_INIT | HV_LAPIC_WAIT)) != 0 : (events & 0xff) == 0;
}

static bool record_valid(const struct vlapic *a, const struct hv_lapic *in)
{
    uint32_t timer = in->regs[APIC_LVT_TIMER / 4] & APIC_TIMER_MODE;
    bool bsp = (in->apic_base & IA32_APIC_BASE_BSP) != 0, counts = !(timer & APIC_TIMER_DEADLINE);
    for (size_t i = 0; i < sizeof(in->reserved) / sizeof(in->reserved[0]); i++)
        if (in->reserved[i] != 0)
            return false;
    if (!vlapic_base_valid(a, in->apic_base) || bsp != a->bsp || (in->esr_pending & ~0xffU))
        return false;
    if ((in->tsc_deadline != 0 && timer != APIC_TIMER_DEADLINE) || (in->timer_left != 0 && !counts))
        return false;
    return events_valid(a, in->events) && vlapic_regs_valid(a, vlapic_base_mode(in->apic_base), in->regs);
}

static void set_timer(struct vlapic *a, uint64_t now, const struct hv_lapic *in)
{
    struct vlapic_timer *t = &a->timer;
    uint32_t lvt = in->regs[APIC_LVT_TIMER / 4];
    uint64_t left = in->timer_left;
    t->armed = false;
    t->lvt = lvt & (APIC_TIMER_MODE | APIC_LVT_MASKED);
    vlapic_timer_divide(a, in->regs[APIC_TDCR / 4], now);
    if (vlapic_timer_mode(t) == APIC_TIMER_DEADLINE) {
        vlapic_timer_deadline_set(a, in->tsc_deadline);
        return;
    }
    if (left == 0)
        left = ((uint64_t)in->regs[APIC_TMCCT / 4] * a->features.tick) << t->shift;
    t->armed = left != 0 && !(t->lvt & APIC_TIMER_DEADLINE);
    t->deadline = now + left < now ? UINT64_MAX : now + left;
}

bool vlapic_state_set(struct vlapic *a, uint64_t now, const struct hv_lapic *in, size_t size)
{
    if (size != sizeof(*in) || in->size != sizeof(*in) || in->version != HV_LAPIC_VERSION ||
        !record_valid(a, in))
        return false;
    __atomic_store_n(&a->mode, (uint32_t)vlapic_base_mode(in->apic_base), __ATOMIC_RELEASE);
    for (uint32_t offset = 0; offset < APIC_REGS_SIZE; offset += 4)
        vlapic_reg_set(a, offset, in->regs[offset / 4]);
    vlapic_reg_set(a, APIC_TMCCT, 0);
    vlapic_trigger_follow(a);
    vlapic_base_names(a);
    __atomic_store_n(&a->enabled, (in->regs[APIC_SVR / 4] & APIC_SVR_ENABLE) != 0, __ATOMIC_RELAXED);
    __atomic_store_n(&a->esr_pending, in->esr_pending, __ATOMIC_RELAXED);
    __atomic_store_n(&a->events, in->events, __ATOMIC_RELEASE);
    set_timer(a, now, in);
    vlapic_ppr(a);
    return true;
}
