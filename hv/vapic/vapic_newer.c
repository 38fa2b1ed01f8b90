/* SPDX-License-Identifier: BSD-2-Clause */
/* IPI virtualization and APIC-timer virtualization: see vapic_newer.h. */
#include "hv/vapic/vapic_newer.h"

#include <string.h>

#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/vectors.h"
#include "hv/core/irq.h"
#include "hv/core/page.h"
#include "hv/core/pcpu.h"
#include "hv/core/sched.h"
#include "hv/vapic/deliver.h"
#include "hv/vapic/deliver_edge.h"

#define PID_VALID BIT(0)

uint32_t vapic_newer;

/* VECTOR_PI_WAKEUP: who sleeps on this CPU and has been posted something. */
static void wake_posted(void)
{
    for (uint32_t id = domain_next(0); id < CONFIG_MAX_DOMAINS; id = domain_next(id + 1)) {
        struct domain *d = domain_get(id);
        for (uint32_t i = 0; d && i < d->max_vcpus; i++) {
            struct vcpu *v = atomic_load_acquire(&d->vcpu[i]);
            if (v && atomic_load_relaxed(&v->cpu) == percpu_self()->index && vcpu_posted(v) &&
                atomic_load_relaxed(&v->blocked))
                sched_wake(v);
        }
    }
}

void vapic_newer_choose(enum apicv_level level, const struct vmx_caps *caps)
{
    if (level < APICV_PI || !vmx_caps_has(caps, VMX_WORD_PROC, PROC_TERTIARY))
        return;
    if (vmx_caps_has(caps, VMX_WORD_PROC3, PROC3_IPI_VIRT))
        vapic_newer |= VAPIC_NEWER_IPI;
    if (vmx_caps_has(caps, VMX_WORD_PROC3, PROC3_APIC_TIMER_VIRT))
        vapic_newer |= VAPIC_NEWER_TIMER;
    irq_set_wakeup(wake_posted);
    if (vapic_newer)
        log_warning("IPI or APIC-timer virtualization is used, and was never tested; vapic=vid turns it off");
}

void vapic_newer_domain(struct domain *d)
{
    if (vapic_newer & VAPIC_NEWER_IPI)
        d->pid_table = domain_page_alloc(d);
    if (d->pid_table)
        apicv_open_icr(d->msr_bitmap_x2apic);
}

void vapic_newer_vcpu(struct vcpu *v)
{
    if (vapic_newer & VAPIC_NEWER_TIMER)
        v->timer_bitmap = domain_page_alloc(v->domain);
}

void vapic_newer_follow(struct vcpu *v)
{
    struct vapic *a = v->apic;
    uint64_t *table = v->domain->pid_table;
    vapic_newer_sync(v);
    a->hw_timer = false;
    if (!vapic_newer)
        return;
    if (table)
        atomic_store_release(&table[a->lapic.id % (PAGE_SIZE / 8)],
                             vlapic_accepting(&a->lapic) ? a->hw.pi_pa | PID_VALID : 0);
    apicv_set_ipis(a->delivers && table ? page_pa(table) : 0, CONFIG_MAX_VCPUS - 1);
    vapic_newer_place(v, VAPIC_HERE);
}

/* ---- where the vCPU is */

static void set_control(struct pi_desc *p, uint64_t clear, uint64_t set)
{
    uint64_t old = atomic_load_relaxed(&p->control);
    while (!atomic_compare_exchange_full(&p->control, &old, (old & ~clear) | set))
        ;
}

static void tell_place(struct vapic *a, enum vapic_place place)
{
    const uint64_t nv = 0xffUL << PI_NV_SHIFT, ndst = 0xffffffffUL << PI_NDST_SHIFT;
    uint64_t cpu = percpu_self()->apic_id;
    if (place == VAPIC_AWAY) {
        set_control(&a->pi, 0, PI_SN);
        return;
    }
    cpu = lapic_x2apic() ? cpu : cpu << 8; /* the two formats of NDST */
    uint64_t vector = place == VAPIC_HERE ? VECTOR_PI_NOTIFY : VECTOR_PI_WAKEUP;
    set_control(&a->pi, nv | ndst | PI_SN, vector << PI_NV_SHIFT | cpu << PI_NDST_SHIFT);
    if (a->pi.pir[0] | a->pi.pir[1] | a->pi.pir[2] | a->pi.pir[3])
        set_control(&a->pi, 0, PI_ON); /* posted while SN was set */
}

void vapic_newer_place(struct vcpu *v, enum vapic_place place)
{
    struct vapic *a = v->apic;
    if (vapic_newer & VAPIC_NEWER_IPI)
        tell_place(a, place);
    if (!a->hw_timer)
        return;
    vapic_newer_sync(v);
    timer_cancel(&v->apic_timer);
    if (place != VAPIC_HERE && a->lapic.timer.armed)
        timer_set(&v->apic_timer, a->lapic.timer.deadline - v->tsc_offset);
}

/* ---- the timer */

void vapic_newer_sync(struct vcpu *v)
{
    struct vapic *a = v->apic;
    if (!a->hw_timer)
        return;
    a->lapic.timer.deadline = apicv_deadline(&a->lapic.timer.armed);
}

bool vapic_newer_arm(struct vcpu *v)
{
    struct vapic *a = v->apic;
    const struct vlapic_timer *t = &a->lapic.timer;
    uint8_t vector = (uint8_t)vlapic_reg_get(&a->lapic, APIC_LVT_TIMER);
    bool on =
        v->timer_bitmap && a->delivers && t->lvt == APIC_TIMER_DEADLINE && deliver_edge_plain(a, vector);
    if (!on && !a->hw_timer)
        return false;
    a->hw_timer = on;
    if (!on) {
        apicv_set_timer(false, 0, 0, 0);
        apicv_set_bitmap(page_pa(v->msr_bitmap));
        return false;
    }
    memcpy(v->timer_bitmap, v->msr_bitmap, PAGE_SIZE);
    apicv_open_deadline(v->timer_bitmap);
    apicv_set_timer(true, vector, t->armed ? t->deadline : 0, t->armed ? t->deadline - v->tsc_offset : 0);
    apicv_set_bitmap(page_pa(v->timer_bitmap));
    return true;
}
