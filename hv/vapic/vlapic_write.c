/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a write to a register means. Handlers rely on the value only, never on what the page held: with
 * APIC-register virtualization hardware has stored already, and what must be known from before is kept beside
 * the page (`enabled`, `timer.lvt`, `id`).
 *
 * SDM volume 3, "Local APIC Status and Capability" and the sections of each register.
 */
#include "hv/vapic/vlapic_write.h"

void vlapic_write_error(const struct vlapic_access *x, uint32_t esr_bits)
{
    x->f->error = vlapic_error(x->a, esr_bits);
    if (x->f->error != 0)
        x->f->what |= VLAPIC_FACT_ERROR;
}

static void write_lvt(const struct vlapic_access *x, uint32_t value)
{
    if (!x->a->enabled)
        value |= APIC_LVT_MASKED;
    vlapic_reg_set(x->a, x->offset, value);
    if (x->offset == APIC_LVT_TIMER)
        vlapic_timer_lvt(x->a, value, x->now);
}

static void write_svr(const struct vlapic_access *x, uint32_t value)
{
    struct vlapic *a = x->a;
    uint32_t enabled = (value & APIC_SVR_ENABLE) != 0;
    vlapic_reg_set(a, APIC_SVR, value);
    if (enabled == a->enabled)
        return;
    __atomic_store_n(&a->enabled, enabled, __ATOMIC_RELAXED);
    x->f->what |= VLAPIC_FACT_ENABLE | VLAPIC_FACT_TIMER | VLAPIC_FACT_WIRE;
    if (enabled)
        return;
    if (a->features.cmci)
        vlapic_reg_set(a, APIC_LVT_CMCI, vlapic_reg_get(a, APIC_LVT_CMCI) | APIC_LVT_MASKED);
    for (uint32_t lvt = APIC_LVT_TIMER; lvt <= APIC_LVT_ERROR; lvt += 16)
        vlapic_reg_set(a, lvt, vlapic_reg_get(a, lvt) | APIC_LVT_MASKED);
    vlapic_timer_lvt(a, vlapic_reg_get(a, APIC_LVT_TIMER), x->now);
}

/* A self IPI with an illegal vector is sent here and received here. */
static void write_send(const struct vlapic_access *x, uint64_t icr)
{
    bool x2apic = vlapic_mode(x->a) == VLAPIC_X2APIC;
    struct vlapic_message *m = &x->f->ipi;
    enum vlapic_icr what = vlapic_icr_decode(icr, x2apic, m);
    vlapic_count(x->a, what == VLAPIC_ICR_SEND ? VLAPIC_STAT_IPI : VLAPIC_STAT_IPI_INVALID);
    if (what == VLAPIC_ICR_ILLEGAL_VECTOR)
        vlapic_write_error(x, APIC_ESR_SEND_ILLEGAL_VECTOR |
                                  (m->shorthand == APIC_TO_SELF ? APIC_ESR_RECEIVE_ILLEGAL_VECTOR : 0));
    if (what != VLAPIC_ICR_SEND)
        return;
    x->f->what |= VLAPIC_FACT_SEND;
    if (m->shorthand == APIC_TO_SELF)
        vlapic_count(x->a, VLAPIC_STAT_IPI_SELF);
    else if (m->shorthand != APIC_TO_DEST || m->dest == (x2apic ? X2APIC_BROADCAST : APIC_BROADCAST))
        vlapic_count(x->a, VLAPIC_STAT_IPI_BROADCAST);
}

void vlapic_write(const struct vlapic_access *x, uint32_t value)
{
    struct vlapic *a = x->a;
    uint32_t high;
    switch (x->offset) {
    case APIC_ID: /* fixed: a store by hardware is undone */
        vlapic_base_names(a);
        return;
    case APIC_TPR:
        vlapic_reg_set(a, APIC_TPR, value);
        vlapic_ppr(a);
        return;
    case APIC_EOI:
        vlapic_reg_set(a, APIC_EOI, 0);
        x->f->eoi = vlapic_end(a);
        return;
    case APIC_DFR:
        vlapic_reg_set(a, APIC_DFR, value | APIC_DFR_ONES);
        return;
    case APIC_ESR:
        vlapic_reg_set(a, APIC_ESR, __atomic_exchange_n(&a->esr_pending, 0, __ATOMIC_SEQ_CST));
        return;
    case APIC_SVR:
        write_svr(x, value);
        return;
    case APIC_TMICT:
        vlapic_timer_initial(a, value, x->now);
        return;
    case APIC_TDCR:
        vlapic_timer_divide(a, value, x->now);
        vlapic_reg_set(a, APIC_TDCR, value);
        return;
    case APIC_ICR:
        vlapic_reg_set(a, APIC_ICR, value);
        high = vlapic_reg_get(a, vlapic_mode(a) == VLAPIC_X2APIC ? APIC_ICR + 4 : APIC_ICR2);
        write_send(x, (uint64_t)high << 32 | value);
        return;
    case APIC_SELF_IPI:
        vlapic_reg_set(a, APIC_SELF_IPI, 0);
        write_send(x, (uint64_t)APIC_TO_SELF << APIC_ICR_SHORTHAND_SHIFT | value);
        return;
    case APIC_LDR:
    case APIC_ICR2:
        vlapic_reg_set(a, x->offset, value);
        return;
    default:
        write_lvt(x, value);
    }
}
