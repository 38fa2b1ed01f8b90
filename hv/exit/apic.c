/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's accesses to its local APIC, what follows from them, and what of its interrupts is injected at
 * the next entry. The model (hv/vapic) says facts; here they are acted upon. All on the CPU that runs the
 * vCPU, with its VMCS current.
 */
#include "hv/exit/apic.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/vmx/guest_state.h"
#include "arch/vmx/inject.h"
#include "hv/core/event.h"
#include "hv/core/irq_level.h"
#include "hv/core/sched.h"
#include "hv/core/service.h"
#include "hv/exit/emulate.h"
#include "hv/exit/exit.h"
#include "hv/irqchip/irqchip.h"
#include "hv/vapic/deliver.h"
#include "hv/vapic/vapic_newer.h"

#define CLASS(vector) ((uint8_t)((vector) >> 4))

/* A register whose value or meaning depends on what the timer has done until now. */
static bool of_timer(uint32_t offset)
{
    return offset == APIC_LVT_TIMER || (offset >= APIC_TMICT && offset <= APIC_TDCR);
}

static void ended(struct vcpu *v, const struct vlapic_eoi *e)
{
    if (!e->broadcast)
        return;
    irqchip_eoi(v->domain, e->vector);
    const struct vapic_domain *apics = v->domain->apics;
    if (!(atomic_load_relaxed(&apics->eoi_vectors[e->vector / 64]) & BIT(e->vector % 64)))
        return;
    vapic_of(v)->ended[e->vector / 64] |= BIT(e->vector % 64);
    sched_request(v, REQUEST_APIC); /* the instruction may have a service of its own */
}

/* What the manager hears of, one service each, before the guest goes on. */
static void tell(struct vcpu *v)
{
    struct vapic *a = v->apic;
    unsigned i = 0;
    while (i < 3 && !a->ended[i])
        i++;
    bool smi = atomic_load_relaxed(&a->lapic.events) & HV_LAPIC_SMI;
    if (!a->ended[i] && !smi)
        return;
    if (v->service_kind != HV_EXIT_NONE) {
        sched_request(v, REQUEST_APIC);
    } else if (a->ended[i]) {
        v->service->eoi.vector = (uint8_t)(i * 64 + (unsigned)__builtin_ctzll(a->ended[i]));
        a->ended[i] &= a->ended[i] - 1;
        service_report(v, HV_EXIT_EOI);
        sched_request(v, REQUEST_APIC);
    } else if (vlapic_event_take(&a->lapic, HV_LAPIC_SMI)) {
        service_report(v, HV_EXIT_SMI);
    }
}

static void act(struct vcpu *v, const struct vlapic_facts *f)
{
    struct vapic *a = v->apic;
    struct vapic_domain *apics = v->domain->apics;
    if (f->what & VLAPIC_FACT_ERROR)
        (void)deliver_to(v, &(struct vlapic_message){.vector = f->error});
    if (f->what & VLAPIC_FACT_SEND)
        (void)deliver_message(v->domain, &a->lapic, &f->ipi);
    if (f->what & VLAPIC_FACT_LOGICAL)
        vlapic_map_update(&apics->map, &a->lapic);
    if (f->what & (VLAPIC_FACT_MODE | VLAPIC_FACT_ENABLE)) {
        if (vlapic_mode(&a->lapic) != VLAPIC_XAPIC)
            vapic_leave_xapic(v);
        vapic_follow_mode(v);
    }
    if (f->what & (VLAPIC_FACT_MODE | VLAPIC_FACT_ENABLE | VLAPIC_FACT_LOGICAL))
        irqchip_retry(v->domain);
    if (f->what & VLAPIC_FACT_EOI)
        vapic_sync(v);
    if (f->what & VLAPIC_FACT_TIMER)
        vapic_timer_update(v);
    if ((f->what & VLAPIC_FACT_EOI) && f->eoi.vector)
        ended(v, &f->eoi);
    if (f->what & (VLAPIC_FACT_EOI | VLAPIC_FACT_PRIORITY | VLAPIC_FACT_ENABLE | VLAPIC_FACT_WIRE))
        sched_request(v, REQUEST_EVENT);
}

/* ---- accesses ---- */

bool apic_decodes(const struct vcpu *v, uint64_t gpa)
{
    return v->apic && vlapic_decodes(&vapic_of(v)->lapic, gpa);
}

uint64_t apic_mmio_read(struct vcpu *v, uint32_t offset, unsigned width)
{
    struct vlapic_facts f = {0};
    if (of_timer(offset & ~15U))
        vapic_timer_check(v);
    uint64_t value = vlapic_mmio_read(&vapic_of(v)->lapic, offset, width, vapic_now(v), &f);
    act(v, &f);
    return value;
}

void apic_mmio_write(struct vcpu *v, uint32_t offset, unsigned width, uint64_t value)
{
    struct vlapic_facts f = {0};
    if (of_timer(offset & ~15U))
        vapic_timer_check(v);
    vlapic_mmio_write(&vapic_of(v)->lapic, offset, width, value, vapic_now(v), &f);
    act(v, &f);
}

bool apic_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    if (!v->apic)
        return msr == MSR_IA32_TSC_DEADLINE && irq_level_read(v, value);
    struct vlapic *a = &vapic_of(v)->lapic;
    if (msr == MSR_IA32_APIC_BASE) {
        *value = vlapic_base(a);
        return true;
    }
    vapic_timer_check(v);
    if (msr == MSR_IA32_TSC_DEADLINE) {
        *value = vlapic_timer_deadline(a, vapic_now(v));
        return true;
    }
    return vlapic_msr_read(a, msr, vapic_now(v), value);
}

bool apic_msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    struct vlapic_facts f = {0};
    if (!v->apic)
        return msr == MSR_IA32_TSC_DEADLINE && irq_level_write(v, value);
    struct vlapic *a = &vapic_of(v)->lapic;
    bool ok = true;
    if (msr == MSR_IA32_APIC_BASE) {
        ok = vlapic_base_set(a, value, &f);
    } else if (msr == MSR_IA32_TSC_DEADLINE) {
        vapic_timer_check(v);
        vlapic_timer_deadline_set(a, value);
        f.what = VLAPIC_FACT_TIMER;
    } else {
        if (of_timer((msr - X2APIC_MSR_FIRST) * 16))
            vapic_timer_check(v);
        ok = vlapic_msr_write(a, msr, value, vapic_now(v), &f);
    }
    if (ok)
        act(v, &f);
    return ok;
}

uint64_t apic_cr8(const struct vcpu *v)
{
    return v->apic ? vlapic_cr8(&vapic_of(v)->lapic) : v->cr8;
}

bool apic_set_cr8(struct vcpu *v, uint64_t value)
{
    struct vlapic_facts f = {0};
    if (value > 15)
        return false;
    if (!v->apic) {
        v->cr8 = (uint8_t)value;
        return true;
    }
    (void)vlapic_cr8_set(&vapic_of(v)->lapic, value, &f);
    act(v, &f);
    return true;
}

void apic_moved_tsc(struct vcpu *v, uint64_t by)
{
    if (!v->apic) {
        irq_level_moved(v);
        return;
    }
    vapic_moved_tsc(v, by);
}

/* ---- exits ---- */

/* Trap-like: the value is in the page. SDM volume 3, "APIC-Write VM Exits". */
void exit_apic_write(struct vcpu *v)
{
    struct vlapic_facts f = {0};
    uint32_t offset = (uint32_t)vm_exit_qualification() & 0xff0;
    if (of_timer(offset))
        vapic_timer_check(v);
    vlapic_written(&vapic_of(v)->lapic, offset, vapic_now(v), &f);
    act(v, &f);
}

/* Trap-like: the processor has ended it. SDM volume 3, "EOI Virtualization". */
void exit_eoi(struct vcpu *v)
{
    uint8_t vector = (uint8_t)vm_exit_qualification();
    struct vlapic_eoi e = vlapic_ended(&vapic_of(v)->lapic, vector);
    vapic_eoi_seen(v, vector);
    ended(v, &e);
}

/*
 * An access to the page that the processor does not virtualize, fault-like. SDM volume 3, table "Exit
 * Qualification for APIC-Access VM Exits from Linear Accesses and Guest-Physical Accesses".
 */
void exit_apic_access(struct vcpu *v)
{
    uint64_t q = vm_exit_qualification();
    switch (field_get(q, 15, 12)) {
    case 0:
    case 1:
        emulate_memory(v, APIC_PAGE_DEFAULT | (q & ~PAGE_MASK), EMULATE_LINEAR_UNKNOWN,
                       field_get(q, 15, 12) == 1, false);
        return;
    case 2:
        exit_inject_ud(v);
        return;
    default: /* the guest's tables, IDT or stack are there */
        inject_restore_interrupted();
        exit_stop_domain(v, HV_DEAD_EXIT, EXIT_APIC_ACCESS);
    }
}

void exit_tpr_threshold(struct vcpu *v)
{
    sched_request(v, REQUEST_EVENT);
}

/* ---- before entry ---- */

static void signal_init(struct vcpu *v)
{
    struct vapic *a = v->apic;
    struct vapic_domain *apics = v->domain->apics;
    vcpu_init_here(v);
    vapic_drop(v); /* what was posted before */
    a->window = a->hw_timer = false;
    vlapic_map_update(&apics->map, &a->lapic);
    vapic_follow_mode(v);
    vapic_timer_update(v);
}

/*
 * INIT, then SIPI; what comes meanwhile has a request of its own. SDM volume 3, "Multiple-Processor (MP)
 * Initialization".
 */
static void start_events(struct vcpu *v)
{
    uint8_t vector = 0;
    enum vlapic_start s = vlapic_event_start(&vapic_of(v)->lapic, &vector);
    if (s == VLAPIC_START_INIT) {
        signal_init(v);
        s = vlapic_event_start(&vapic_of(v)->lapic, &vector);
    }
    if (s == VLAPIC_START_INIT)
        signal_init(v);
    else if (s == VLAPIC_START_SIPI)
        guest_start_at(vector);
}

/* The PIC's interrupts come beside the local APIC's, whoever delivers those. */
static bool extint_waits(const struct vcpu *v, const struct vapic *a)
{
    return irqchip_extint(v->domain) && vlapic_accepts_extint(&a->lapic);
}

/*
 * At most one interrupt per entry, the PIC's first; without delivery in hardware the local APIC's next, and a
 * window or a TPR threshold for what has to wait.
 */
static void inject_next(struct vcpu *v, struct vapic *a, bool hardware)
{
    uint8_t vector = hardware ? 0 : vlapic_next(&a->lapic), threshold = 0;
    bool extint = extint_waits(v, a);
    if ((vector || extint) && !inject_is_set() && inject_can_external()) {
        inject_external(extint ? irqchip_ack(v->domain) : vlapic_ack(&a->lapic));
        extint = extint_waits(v, a);
        vector = hardware ? 0 : vlapic_next(&a->lapic);
    }
    bool window = vector || extint || atomic_load_relaxed(&v->external_pending);
    if (a->window != window) {
        a->window = window;
        inject_window_external(window);
    }
    if (hardware)
        return;
    if (a->hw.level == APICV_NONE)
        return;
    if (!vector) {
        uint8_t irr = CLASS(vlapic_highest(&a->lapic, APIC_IRR));
        if (irr && irr <= vlapic_cr8(&a->lapic) && irr > CLASS(vlapic_highest(&a->lapic, APIC_ISR)))
            threshold = irr;
    }
    apicv_set_threshold(threshold);
}

void apic_prepare(struct vcpu *v, uint32_t requests)
{
    struct vapic *a = v->apic;
    if (requests & REQUEST_APIC) {
        start_events(v);
        if (v->service)
            tell(v);
        vapic_take_late(v);
        vapic_timer_check(v);
    }
    if (vlapic_event_waiting(&a->lapic)) {
        vapic_drop(v); /* posted by somebody who saw the APIC before its INIT */
        return;
    }
    uint8_t posted = vapic_take(v);
    (void)event_prepare(v);
    bool hardware = a->delivers;
    if (hardware && posted)
        apicv_raise_rvi(posted);
    if (!hardware || a->window || irqchip_extint(v->domain))
        inject_next(v, a, hardware);
}

bool apic_idle(struct vcpu *v)
{
    struct vapic *a = v->apic;
    if (vlapic_event_waiting(&a->lapic))
        return true;
    if (!v->halted)
        return false;
    /* With delivery in hardware nothing is set for the entry, but a HLT ends all the same. */
    return !(vlapic_next(&a->lapic) && inject_can_external());
}

void apic_window(struct vcpu *v)
{
    inject_window_external(false);
    vapic_of(v)->window = false;
    apic_prepare(v, 0);
}
