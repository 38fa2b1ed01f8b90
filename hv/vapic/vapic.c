/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The owner's side of a local APIC: creation, acceleration that follows the mode, taking in what was posted,
 * the timer. See vapic.h.
 *
 * The timer is a deadline in the timer queue of the CPU that armed it, which the machine's local APIC serves:
 * absolute, so that nothing is recomputed at VM entries, and it goes on while another vCPU runs. It only sets
 * a request; the owner looks what is due.
 */
#include "hv/vapic/vapic.h"

#include <string.h>

#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/vectors.h"
#include "hv/core/domain_mem.h"
#include "hv/core/event.h"
#include "hv/core/msr_policy.h"
#include "hv/core/page.h"
#include "hv/core/pcpu.h"
#include "hv/core/readiness.h"
#include "hv/core/sched.h"
#include "hv/vapic/deliver.h"
#include "hv/vapic/deliver_edge.h"
#include "hv/vapic/vapic_newer.h"

/* A shorter period of a periodic timer is served this often: an interrupt costs less, so its guest goes on. */
#define MIN_PERIOD_US    50
#define MIN_PERIOD_TICKS 10000

static enum apicv_level level;

void vapic_choose_level(uint32_t highest)
{
    level = apicv_best(readiness_caps());
    if (highest < level)
        level = (enum apicv_level)highest;
    vapic_newer_choose(level, readiness_caps());
    log_info("virtual local APICs: level %s", apicv_name(level));
}

static struct vapic_domain *apics_of(const struct vcpu *v)
{
    return v->domain->apics;
}

/* In the usual case: posted to the vCPU that is here, which looks behind each interrupt. */
static void deadline_came(struct timer *t)
{
    struct vcpu *v = (struct vcpu *)(void *)((uint8_t *)t - offsetof(struct vcpu, apic_timer));
    struct vapic *a = v->apic;
    uint8_t vector = (uint8_t)vlapic_reg_get(&a->lapic, APIC_LVT_TIMER);
    if (pcpu_self()->loaded != v || !v->running || (a->lapic.timer.lvt & APIC_TIMER_PERIODIC) ||
        !vlapic_accepting(&a->lapic) || !deliver_edge_plain(a, vector)) {
        sched_request(v, REQUEST_APIC);
        return;
    }
    enum vlapic_receipt receipt;
    a->lapic.timer.armed = false;
    a->lapic.stats[VLAPIC_STAT_TIMER]++;
    (void)deliver_post(a, vector, &receipt);
}

void vapic_domain_init(struct domain *d)
{
    struct vapic_domain *a = d->apics;
    vlapic_map_init(&a->map, a->by_id, CONFIG_MAX_VCPUS);
    msr_policy_fill_bitmap(d->msr_bitmap_x2apic);
    apicv_fill_bitmap(level, readiness_caps(), d->msr_bitmap_x2apic);
    vapic_newer_domain(d);
    if (level < APICV_TPR || !vmx_caps_has(readiness_caps(), VMX_WORD_PROC2, PROC2_VIRT_APIC_ACCESS))
        return;
    /* Without it accesses are EPT violations, and decoded: slower, not wrong. */
    void *page = domain_page_alloc(d);
    if (page && domain_mem_map_apic(d, page_pa(page)))
        d->apic_access_page = page;
    else
        domain_page_free(d, page);
}

/*
 * The processor virtualizes accesses to the page only for vCPUs in xAPIC mode; for others it would be memory
 * (XSA-412). So it goes for good when the first vCPU leaves that mode: the others' accesses are EPT
 * violations then, until they have left too. It stays allocated, since VMCSs name it.
 */
void vapic_leave_xapic(struct vcpu *v)
{
    struct vapic_domain *a = apics_of(v);
    if (v->domain->apic_access_page && !atomic_exchange_full(&a->access_gone, true))
        domain_mem_unmap_apic(v->domain);
}

void vapic_init(struct vcpu *v)
{
    struct vapic *a = v->apic;
    const struct vlapic_features features = {
        .x2apic = true,
        .tsc_deadline = true,
        .tick = 1,
        .min_period = MIN_PERIOD_US * pcpu_tsc_khz / 1000 > MIN_PERIOD_TICKS
                          ? MIN_PERIOD_US * pcpu_tsc_khz / 1000
                          : MIN_PERIOD_TICKS,
        .directed_eoi = v->domain->irqchip == HV_DOMAIN_IRQCHIP_FULL,
    };
    vlapic_init(&a->lapic, v->apic_page, v->index, v->index, v->index == 0, &features);
    a->vcpu = v;
    a->apics = v->domain->apics;
    a->hw = (struct apicv){
        .level = level,
        .page_pa = page_pa(v->apic_page),
        .access_pa = v->domain->apic_access_page ? page_pa(v->domain->apic_access_page) : 0,
        .pi_pa = page_pa(a),
        .notify = VECTOR_PI_NOTIFY,
    };
    a->pi.control = (uint64_t)VECTOR_PI_NOTIFY << PI_NV_SHIFT;
    v->posted = &a->pi.control;
    v->apic_fast = lapic_x2apic() && lapic_mode_deadline ? a : NULL;
    v->apic_timer.fire = deadline_came;
    vapic_newer_vcpu(v);
    if (v->index)
        a->lapic.events = HV_LAPIC_WAIT;
    vcpu_access_begin(v);
    vapic_follow_mode(v);
    vcpu_access_end(v);
    vlapic_map_add(&apics_of(v)->map, &a->lapic);
}

/* Who does not accept, is left out by senders from now on. */
static void show(struct vapic *a, bool on)
{
    uint32_t id = a->lapic.id;
    atomic_store_relaxed(&a->apics->takes[id], on ? a : NULL);
    for (uint32_t mode = VLAPIC_OFF; mode <= VLAPIC_X2APIC; mode++)
        if (on && mode == vlapic_mode(&a->lapic))
            atomic_fetch_or_full(&a->apics->accepting[mode], BIT(id));
        else
            atomic_fetch_and_full(&a->apics->accepting[mode], ~BIT(id));
}

void vapic_follow_mode(struct vcpu *v)
{
    struct vapic *a = v->apic;
    enum apicv_mode mode = (enum apicv_mode)vlapic_mode(&a->lapic);
    struct apicv hw = a->hw;
    /*
     * The processor delivers a self IPI whatever SVR says: for an APIC that software has disabled it delivers
     * nothing.
     */
    bool on = vlapic_accepting(&a->lapic);
    show(a, on);
    if (!on && hw.level >= APICV_VID)
        hw.level = APICV_REGS;
    v->msr_bitmap = on && mode == APICV_X2APIC ? v->domain->msr_bitmap_x2apic : v->domain->msr_bitmap;
    apicv_set_mode(&hw, mode, readiness_caps(), page_pa(v->msr_bitmap));
    a->delivers = hw.level >= APICV_VID && mode != APICV_OFF;
    if (a->delivers)
        apicv_set_eoi_exits(a->eoi_exits);
    vapic_newer_follow(v);
    vapic_sync(v);
}

void vapic_describe(const struct vapic *a, struct hv_vcpu_apic *out)
{
    enum vlapic_mode mode = vlapic_mode(&a->lapic);
    bool on = vlapic_accepting(&a->lapic);
    out->id = a->lapic.id;
    out->mode = (uint32_t)HV_APIC_OFF + (uint32_t)mode;
    out->level = mode == VLAPIC_OFF                ? (uint32_t)HV_APIC_LEVEL_NONE
                 : !on && a->hw.level >= APICV_VID ? (uint32_t)HV_APIC_LEVEL_REGS
                                                   : (uint32_t)a->hw.level;
    out->inhibits = (a->hw.level < APICV_PI ? HV_APIC_INHIBIT_MACHINE : 0) |
                    (mode == VLAPIC_OFF ? HV_APIC_INHIBIT_OFF : 0) | (on ? 0 : HV_APIC_INHIBIT_SOFTWARE);
    for (unsigned i = 0; i < HV_APIC_COUNTS; i++)
        out->count[i] = atomic_load_relaxed(&a->lapic.stats[i]);
}
_Static_assert((int)HV_APIC_LEVEL_PI == (int)APICV_PI && (int)HV_APIC_LEVEL_REGS == (int)APICV_REGS,
               "one scale");

void vapic_sync(struct vcpu *v)
{
    struct vapic *a = v->apic;
    if (a->delivers)
        apicv_set_status(vlapic_highest(&a->lapic, APIC_IRR), vlapic_highest(&a->lapic, APIC_ISR));
}

void vapic_take_late(struct vcpu *v)
{
    struct vapic *a = v->apic;
    uint64_t late[4], any = 0;
    for (unsigned i = 0; i < 4; i++) {
        late[i] = atomic_load_relaxed(&a->late[i]) ? atomic_exchange_full(&a->late[i], 0) : 0;
        any |= late[i];
        if (late[i])
            atomic_fetch_or_full(&a->eoi_exits[i], late[i]);
    }
    if (!any)
        return;
    if (a->delivers)
        apicv_set_eoi_exits(a->eoi_exits);
    for (unsigned i = 0; i < 4; i++)
        (void)vlapic_fold(&a->lapic, i, late[i], 0);
    vapic_sync(v);
}

uint8_t vapic_take(struct vcpu *v)
{
    struct vapic *a = v->apic;
    if (!pi_on(&a->pi))
        return 0;
    pi_clear_on(&a->pi);
    uint8_t highest = vlapic_fold(&a->lapic, 0, pi_take(&a->pi, 0), 0);
    highest = vlapic_fold(&a->lapic, 1, pi_take(&a->pi, 1), highest);
    highest = vlapic_fold(&a->lapic, 2, pi_take(&a->pi, 2), highest);
    return vlapic_fold(&a->lapic, 3, pi_take(&a->pi, 3), highest);
}

bool vapic_enter_posted(const struct vcpu *v)
{
    const struct vapic *a = v->apic;
    bool takes = a->delivers && a->hw.level >= APICV_PI;
    if (takes)
        lapic_send(percpu_self()->apic_id, LAPIC_FIXED, VECTOR_PI_NOTIFY);
    return takes;
}

void vapic_drop(struct vcpu *v)
{
    struct vapic *a = v->apic;
    pi_clear_on(&a->pi);
    for (unsigned i = 0; i < 4; i++) {
        atomic_store_relaxed(&a->late[i], 0);
        (void)pi_take(&a->pi, i);
    }
}

/*
 * An edge has ended by an EOI exit: the vector needs none any more, unless its next interrupt is a level that
 * is just being posted.
 *
 *   here                          poster of a level
 *     clear the bit in eoi_exits    set TMR
 *     read TMR                      read the bit in eoi_exits
 *       set: set the bit again        clear: the late way
 *
 * Both sides' first steps are locked: one of them sees the other's.
 */
void vapic_eoi_seen(struct vcpu *v, uint8_t vector)
{
    struct vapic *a = v->apic;
    if (vlapic_test(&a->lapic, APIC_TMR, vector))
        return;
    atomic_fetch_and_full(&a->eoi_exits[vector / 64], ~BIT(vector % 64));
    if (vlapic_test(&a->lapic, APIC_TMR, vector))
        atomic_fetch_or_full(&a->eoi_exits[vector / 64], BIT(vector % 64));
    apicv_set_eoi_exits(a->eoi_exits);
}

uint64_t vapic_now(const struct vcpu *v)
{
    return rdtsc() + v->tsc_offset;
}

void vapic_timer_update(struct vcpu *v)
{
    struct vapic *a = v->apic;
    uint64_t deadline, tsc = rdtsc(), now = tsc + v->tsc_offset;
    timer_cancel(&v->apic_timer);
    while (vlapic_timer_expire(&a->lapic, now))
        if (!deliver_own_timer(v))
            deliver_lvt(v, APIC_LVT_TIMER);
    if (vapic_newer && vapic_newer_arm(v))
        return;
    if (!vlapic_timer_next(&a->lapic, &deadline))
        return;
    uint64_t left = deadline - now; /* it lies ahead: expire has moved or ended it */
    timer_set(&v->apic_timer, tsc + left < tsc ? UINT64_MAX : tsc + left);
}

void vapic_moved_tsc(struct vcpu *v, uint64_t by)
{
    struct vapic *a = v->apic;
    vapic_newer_sync(v);
    if (vlapic_timer_mode(&a->lapic.timer) != APIC_TIMER_DEADLINE)
        a->lapic.timer.deadline += by; /* counts do not depend on the TSC's value */
    vapic_timer_update(v);
}

void vapic_timer_check(struct vcpu *v)
{
    uint64_t deadline;
    struct vapic *a = v->apic;
    if (a->hw_timer)
        vapic_newer_sync(v);
    if (vlapic_timer_next(&a->lapic, &deadline) && vapic_now(v) >= deadline)
        vapic_timer_update(v);
}

bool vapic_set_state(struct vcpu *v, const struct hv_lapic *record)
{
    struct vapic *a = v->apic;
    vapic_timer_check(v);
    if (!vlapic_state_set(&a->lapic, vapic_now(v), record, sizeof(*record)))
        return false;
    a->hw_timer = false; /* the record says what holds instead */
    vapic_drop(v);
    if (vlapic_event_take(&a->lapic, HV_LAPIC_NMI))
        event_nmi(v);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t levels = vlapic_reg_get(&a->lapic, APIC_TMR + i * 16);
        atomic_fetch_or_full(&a->eoi_exits[i / 2], levels << (i % 2 * 32));
    }
    if (vlapic_mode(&a->lapic) != VLAPIC_XAPIC)
        vapic_leave_xapic(v);
    vlapic_map_update(&apics_of(v)->map, &a->lapic);
    vapic_follow_mode(v);
    vapic_timer_update(v);
    return true;
}
