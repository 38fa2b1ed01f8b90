/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wiring of a domain's interrupt controllers: see irqchip.h.
 *
 * The PIT's output leads to GSI 0, whatever its route is. Ticks that are missed come later where the PIC
 * shows the guest's EOI; edges at an I/O APIC end unseen, so that a tick there merges with the one that
 * waits.
 */
#include "hv/irqchip/irqchip_parts.h"

#include "arch/cpu/insn.h"
#include "hv/core/pcpu.h"
#include "hv/core/sched.h"
#include "hv/vapic/deliver.h"

/* ---- with the lock held */

static void set_timer(struct irqchip *c, struct timer *t, bool wanted, uint64_t deadline)
{
    if (wanted && t->cpu && t->deadline == deadline)
        return;
    timer_cancel(t);
    if (wanted && !c->stopped)
        timer_set(t, deadline);
}

static void pit_rearm(struct irqchip *c)
{
    uint64_t deadline = 0;
    bool wanted = vpit_deadline(&c->pit, &deadline);
    set_timer(c, &c->pit_timer, wanted, deadline);
}

void irqchip_storm_rearm(struct irqchip *c)
{
    uint64_t first = UINT64_MAX, deadline;
    for (uint32_t i = 0; i < c->ioapics; i++)
        if (vioapic_deadline(&c->ioapic[i].model, &deadline) && deadline < first)
            first = deadline;
    set_timer(c, &c->storm_timer, first != UINT64_MAX, first);
}

/* Before the lock is let go without pic_tell: a level that has fallen is known, so that the next rise is one. */
static void pic_note(struct irqchip *c)
{
    if (!vpic_output(&c->pic))
        c->pic_output = false;
}

/*
 * INTR leads to LINT0 of all local APICs: ExtINT is taken when the vCPU can, other modes at the edge; NMIs
 * see the PIT only.
 */
void irqchip_pic_tell(struct irqchip *c)
{
    struct vlapic_message m;
    bool output = vpic_output(&c->pic), rises = output && !c->pic_output;
    c->pic_output = output;
    for (uint32_t i = 0; rises && i < c->domain->max_vcpus; i++) {
        struct vcpu *v = atomic_load_acquire(&c->domain->vcpu[i]);
        if (!v)
            continue;
        if (vlapic_accepts_extint(&vapic_of(v)->lapic))
            sched_request(v, REQUEST_EVENT);
        else if (vlapic_lvt_fire(&vapic_of(v)->lapic, APIC_LVT_LINT0, &m) && m.mode != APIC_DM_NMI)
            (void)deliver_to(v, &m);
    }
}

/* The NMI watchdog of old: each tick of the PIT is an NMI where LINT0 is one. */
static void pit_watchdog(const struct irqchip *c)
{
    struct vlapic_message m;
    for (uint32_t i = 0; c->ioapics && i < c->domain->max_vcpus; i++) {
        struct vcpu *v = atomic_load_acquire(&c->domain->vcpu[i]);
        if (v && vlapic_lvt_fire(&vapic_of(v)->lapic, APIC_LVT_LINT0, &m) && m.mode == APIC_DM_NMI)
            (void)deliver_to(v, &m);
    }
}

/* Missed ticks can only wait for an EOI that the PIC shows. */
void irqchip_pit_set_reinject(struct irqchip *c)
{
    bool on = c->reinject && (!c->ioapics || (!vpic_masked(&c->pic, 0) && !c->pit_by_ioapic));
    if (on != ((c->pit.flags & HV_PIT_REINJECT) != 0))
        vpit_reinject(&c->pit, on);
}

static uint32_t pin_of(const struct vioapic *a, uint32_t pin)
{
    return ((const struct ioapic *)(const void *)a)->first + pin;
}

static int send(struct irqchip *c, struct vioapic *a, uint32_t pin)
{
    struct vlapic_message m;
    uint64_t now = rdtsc();
    if (!vioapic_ready(a, pin, now, &m))
        return VIOAPIC_COALESCED;
    int status = vioapic_sent(a, pin, deliver_message(c->domain, NULL, &m));
    if (m.level && status > 0)
        latency_begin(&c->latency, pin_of(a, pin), now);
    return status;
}

void irqchip_send_all(struct irqchip *c, struct vioapic *a)
{
    struct vlapic_message m;
    for (uint32_t pin = 0; (pin = vioapic_next(a, pin, rdtsc(), &m)) < a->pin_count; pin++)
        (void)send(c, a, pin);
}

static void pic_latencies(struct irqchip *c, const struct vpic_facts *f)
{
    for (uint32_t left = f->ended; left; left &= left - 1)
        latency_end(&c->latency, (uint32_t)__builtin_ctz(left), rdtsc());
}

/* ---- the PIT; without the lock */

static void pit_pulse(struct irqchip *c)
{
    atomic_store_relaxed(&c->pit_by_ioapic, false);
    int status = c->up->pit(c->domain, true);
    (void)c->up->pit(c->domain, false);
    pit_watchdog(c);
    spin_lock(&c->lock);
    vpit_sent(&c->pit, status);
    irqchip_pit_set_reinject(c);
    pit_rearm(c);
    spin_unlock(&c->lock);
}

void irqchip_pit_run(struct irqchip *c)
{
    spin_lock(&c->lock);
    bool due = vpit_run(&c->pit, rdtsc());
    if (!due)
        pit_rearm(c);
    spin_unlock(&c->lock);
    if (due)
        pit_pulse(c);
}

static void pit_due(struct timer *t)
{
    irqchip_pit_run((struct irqchip *)(void *)((uint8_t *)t - offsetof(struct irqchip, pit_timer)));
}

static void storm_due(struct timer *t)
{
    struct irqchip *c = (struct irqchip *)(void *)((uint8_t *)t - offsetof(struct irqchip, storm_timer));
    spin_lock(&c->lock);
    for (uint32_t i = 0; i < c->ioapics; i++)
        irqchip_send_all(c, &c->ioapic[i].model);
    irqchip_storm_rearm(c);
    spin_unlock(&c->lock);
}

/* ---- ends of interrupts; without the lock */

void irqchip_pit_ended(struct domain *d)
{
    struct irqchip *c = atomic_load_acquire(&d->chips);
    if (!c)
        return;
    spin_lock(&c->lock);
    bool due = vpit_ack(&c->pit, rdtsc());
    if (!due)
        pit_rearm(c);
    spin_unlock(&c->lock);
    if (due)
        pit_pulse(c);
}

static void pic_ended(struct irqchip *c, uint16_t pins)
{
    for (uint32_t left = pins; left; left &= left - 1) {
        uint32_t pin = (uint32_t)__builtin_ctz(left);
        c->up->acked(c->domain, pin / 8, pin % 8);
    }
    if (pins & 1)
        irqchip_pit_ended(c->domain);
}

/* What a call to the PIC has brought: first the ends, since a resampler may lower a line. */
static void pic_settle(struct irqchip *c, const struct vpic_facts *f)
{
    if (f->ended)
        pic_ended(c, f->ended);
    spin_lock(&c->lock);
    if (f->mask & 1)
        irqchip_pit_set_reinject(c);
    irqchip_pic_tell(c);
    spin_unlock(&c->lock);
}

static void ioapic_ended(struct irqchip *c, uint32_t i, uint8_t vector)
{
    struct vioapic *a = &c->ioapic[i].model;
    struct vioapic_pins pins = {0};
    uint64_t now = rdtsc();
    spin_lock(&c->lock);
    bool any = vioapic_eoi(a, vector, &pins);
    spin_unlock(&c->lock);
    if (!any)
        return;
    for (uint32_t pin = 0; pin < a->pin_count; pin++) {
        if (!(pins.bits[pin / 64] >> pin % 64 & 1))
            continue;
        c->up->acked(c->domain, HV_CHIP_IOAPIC + i, pin);
        spin_lock(&c->lock);
        uint32_t storms = a->pins[pin].storms;
        latency_end(&c->latency, pin_of(a, pin), now);
        if (vioapic_end(a, pin, vector, rdtsc()))
            (void)send(c, a, pin);
        storms = a->pins[pin].storms != storms ? storms + 1 : 0;
        irqchip_storm_rearm(c);
        spin_unlock(&c->lock);
        if (storms)
            c->up->stormed(c->domain, HV_CHIP_IOAPIC + i, pin, storms);
    }
}

void irqchip_eoi(struct domain *d, uint8_t vector)
{
    struct irqchip *c = d->chips;
    if (!c)
        return;
    if (!c->ioapics)
        c->up->acked_vector(d, vector);
    for (uint32_t i = 0; i < c->ioapics; i++)
        ioapic_ended(c, i, vector);
}

/* ---- lines */

/* A pulse, unless one of those whom it is for has still to end the last one. */
static int tick(struct irqchip *c, uint32_t chip, uint32_t pin)
{
    struct vlapic_message m;
    uint32_t at = chip * 8 + pin;
    if (chip < HV_CHIP_IOAPIC) {
        int status =
            vpic_busy(&c->pic, at) ? VIOAPIC_COALESCED : vpic_line(&c->pic, at, IRQCHIP_SOURCE_TICK, true);
        (void)vpic_line(&c->pic, at, IRQCHIP_SOURCE_TICK, false);
        irqchip_pic_tell(c);
        return status;
    }
    struct vioapic *a = &c->ioapic[chip - HV_CHIP_IOAPIC].model;
    vioapic_message(a, pin, &m);
    if (!vioapic_masked(a, pin) && deliver_holds(c->domain, &m))
        return VIOAPIC_COALESCED;
    int status = vioapic_line(a, pin, IRQCHIP_SOURCE_TICK, true, rdtsc());
    if (status == VIOAPIC_SEND)
        status = send(c, a, pin);
    (void)vioapic_line(a, pin, IRQCHIP_SOURCE_TICK, false, 0);
    return status;
}

int irqchip_set(struct domain *d, uint32_t chip, uint32_t pin, unsigned source, bool level)
{
    struct irqchip *c = atomic_load_acquire(&d->chips);
    int status;
    if (!c || (chip >= HV_CHIP_IOAPIC && chip - HV_CHIP_IOAPIC >= c->ioapics) || !c->ioapics)
        return VIOAPIC_MASKED;
    spin_lock(&c->lock);
    if (__builtin_expect(source == IRQCHIP_SOURCE_TICK, 0)) {
        status = tick(c, chip, pin);
    } else if (chip < HV_CHIP_IOAPIC) {
        status = vpic_line(&c->pic, chip * 8 + pin, source, level);
        if (level && status > 0)
            latency_begin(&c->latency, chip * 8 + pin, rdtsc());
        irqchip_pic_tell(c);
    } else {
        struct vioapic *a = &c->ioapic[chip - HV_CHIP_IOAPIC].model;
        status = vioapic_line(a, pin, source, level, rdtsc());
        if (source == IRQCHIP_SOURCE_PIT && !vioapic_masked(a, pin))
            c->pit_by_ioapic = true;
        if (status == VIOAPIC_SEND)
            status = send(c, a, pin);
    }
    spin_unlock(&c->lock);
    return status;
}

bool irqchip_extint(const struct domain *d)
{
    const struct irqchip *c = d->chips;
    return c && c->ioapics && atomic_load_relaxed(&c->pic_output);
}

uint8_t irqchip_ack(struct domain *d)
{
    struct irqchip *c = d->chips;
    struct vpic_facts f = {0};
    spin_lock(&c->lock);
    uint8_t vector = vpic_ack(&c->pic, &f);
    pic_note(c);
    pic_latencies(c, &f);
    spin_unlock(&c->lock);
    pic_settle(c, &f);
    return vector;
}

void irqchip_retry(struct domain *d)
{
    struct irqchip *c = d->chips;
    for (uint32_t i = 0; c && i < c->ioapics; i++) {
        spin_lock(&c->lock);
        irqchip_send_all(c, &c->ioapic[i].model);
        spin_unlock(&c->lock);
    }
}

/* ---- accesses of the guest */

static bool is_pit(uint32_t port)
{
    return (port >= PIT_CHANNEL0 && port <= PIT_CONTROL) || port == PIT_PORT61;
}

static bool is_pic(uint32_t port)
{
    return (port & ~0x81U) == PIC_MASTER_COMMAND || (port & ~1U) == PIC_ELCR_MASTER;
}

static uint8_t pio_byte(struct irqchip *c, uint16_t port, bool write, uint8_t value)
{
    struct vpic_facts f = {0};
    if (is_pit(port)) {
        spin_lock(&c->lock);
        if (write)
            vpit_write(&c->pit, port, value, rdtsc());
        else
            value = vpit_read(&c->pit, port, rdtsc());
        spin_unlock(&c->lock);
        if (write)
            irqchip_pit_run(c);
        return value;
    }
    if (!is_pic(port) || !c->ioapics)
        return 0xff;
    spin_lock(&c->lock);
    if (write)
        vpic_write(&c->pic, port, value, &f);
    else
        value = vpic_read(&c->pic, port, &f);
    pic_note(c);
    pic_latencies(c, &f);
    spin_unlock(&c->lock);
    pic_settle(c, &f);
    return value;
}

bool irqchip_pio(struct domain *d, uint16_t port, uint32_t width, bool write, uint64_t *data)
{
    struct irqchip *c = d->chips;
    uint64_t result = 0;
    bool ours = false;
    for (uint32_t i = 0; c && i < width; i++)
        ours = ours || (c->ioapics && is_pic(port + i)) || (c->has_pit && is_pit(port + i));
    if (!ours)
        return false;
    for (uint32_t i = 0; i < width; i++)
        result |= (uint64_t)pio_byte(c, (uint16_t)(port + i), write, (uint8_t)(*data >> 8 * i)) << 8 * i;
    if (!write)
        *data = result;
    return true;
}

static void ioapic_write(struct irqchip *c, uint32_t i, uint32_t offset, uint32_t width, uint64_t data)
{
    struct vioapic *a = &c->ioapic[i].model;
    struct vioapic_facts f = {0};
    spin_lock(&c->lock);
    vioapic_write(a, offset, width, data, &f);
    if (f.what & VIOAPIC_FACT_ENDED) {
        spin_unlock(&c->lock);
        c->up->acked(c->domain, HV_CHIP_IOAPIC + i, f.pin);
        spin_lock(&c->lock);
    }
    if (f.what & VIOAPIC_FACT_RTE)
        (void)send(c, a, f.pin);
    spin_unlock(&c->lock);
    if (f.what & VIOAPIC_FACT_EOI)
        ioapic_ended(c, i, f.vector);
}

bool irqchip_mmio(struct domain *d, uint64_t gpa, uint32_t width, bool write, uint64_t *data)
{
    struct irqchip *c = d->chips;
    uint32_t i = 0, offset = (uint32_t)(gpa & ~PAGE_MASK);
    while (c && i < c->ioapics && c->ioapic[i].base != (gpa & PAGE_MASK))
        i++;
    if (!c || i == c->ioapics)
        return false;
    if (write) {
        ioapic_write(c, i, offset, width, *data);
        return true;
    }
    spin_lock(&c->lock);
    *data = vioapic_read(&c->ioapic[i].model, offset, width);
    spin_unlock(&c->lock);
    return true;
}

/* ---- life */

static bool ioapic_create(struct domain *d, struct ioapic *to, const struct hv_ioapic_place *place)
{
    struct vioapic_pin *pins = domain_page_alloc(d);
    to->base = place->base;
    to->model.pins = pins;
    return pins && vioapic_init(&to->model, pins, place->pins, IOAPIC_VERSION_EOI, true, pcpu_tsc_khz);
}

struct irqchip *irqchip_create(struct domain *d, const struct hv_irqchip_config *config,
                               const struct irqchip_upcalls *up)
{
    struct irqchip *c = domain_page_alloc(d);
    bool done = c;
    if (!c)
        return NULL;
    c->domain = d;
    c->up = up;
    c->pit_timer.fire = pit_due;
    c->storm_timer.fire = storm_due;
    vpic_init(&c->pic);
    vpit_init(&c->pit, pcpu_tsc_khz, rdtsc());
    c->ioapics = config->ioapics;
    c->reinject = c->ioapics; /* else the manager has to say when a tick has ended: he asks for it */
    c->has_pit = c->ioapics || d->pit;
    uint32_t pins = VPIC_PINS;
    for (uint32_t i = 0; i < config->ioapics && done; pins += config->ioapic[i++].pins) {
        done = ioapic_create(d, &c->ioapic[i], &config->ioapic[i]);
        c->ioapic[i].first = pins;
    }
    done = done && (!c->ioapics || latency_create(&c->latency, d, pins));
    if (!done)
        irqchip_free(c);
    return done ? c : NULL;
}

void irqchip_free(struct irqchip *c)
{
    if (!c)
        return;
    spin_lock(&c->lock);
    c->stopped = true;
    timer_cancel(&c->pit_timer);
    timer_cancel(&c->storm_timer);
    spin_unlock(&c->lock);
    domain_wait_grace(); /* one of them may be firing */
    for (uint32_t i = 0; i < c->ioapics; i++)
        domain_page_free(c->domain, c->ioapic[i].model.pins);
    latency_free(&c->latency, c->domain);
    domain_page_free(c->domain, c);
}
