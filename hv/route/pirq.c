/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical interrupts: see pirq.h. */
#include "hv/route/pirq.h"

#include "arch/cpu/vectors.h"
#include "drivers/ioapic.h"
#include "hv/core/notify.h"

/* The machine's 8259s, though masked, may be spurious on the first 16 of a device's vectors: hv/main.c. */
#define PIRQ_FIRST (VECTOR_DEVICE_FIRST + 16U)
#define PIRQ_COUNT (VECTOR_DEVICE_LAST + 1U - PIRQ_FIRST)

/* A vector's. What has no remark is constant while it is bound. */
struct pirq {
    struct notifier *notifier; /* atomic; NULL: free */
    uint32_t gsi, pin, cpu;
    uint32_t limit;
    struct ioapic_signal signal;
    uint32_t storm_vcpu, storm_number;
    /* Of the CPU that takes it. */
    uint64_t window, count; /* since the TSC value `window` */
    struct timer pause;
    uint64_t fired, storms; /* atomic, and the next */
    bool again;             /* an edge has merged with one that its target has not ended */
};

static struct pirq pirqs[PIRQ_COUNT];
static uint32_t last; /* vector given out: the others go first, so that a late interrupt meets nobody */

static struct {
    uint8_t owner, vector; /* vector: 0, not bound; atomic */
} pins[IOAPIC_PINS_MAX];
_Static_assert(CONFIG_MAX_DOMAINS <= 256, "an owner fits");

/* ---- taking them */

static struct pirq *of_timer(struct timer *t)
{
    return (struct pirq *)(void *)((uint8_t *)t - offsetof(struct pirq, pause));
}

/* Whoever ends the one before either sees `again`, or has let the line fall and it rises here. */
static void take(struct pirq *p, struct notifier *n)
{
    atomic_store_relaxed(&p->again, !p->signal.level); /* firing begins with a locked instruction */
    if (notifier_fire_held(n))
        atomic_store_relaxed(&p->again, false);
}

/* It may have been unbound, and another bound, since it was due: then there is nothing to unblock. */
static void pause_over(struct timer *t)
{
    struct pirq *p = of_timer(t);
    hazard_enter(HAZARD_ALL);
    struct notifier *n = atomic_load_acquire(&p->notifier);
    if (n && ioapic_unblock(p->pin, IOAPIC_STORM) && !p->signal.level)
        take(p, n);
    hazard_leave();
}

static void guard(struct pirq *p, const struct notifier *n)
{
    uint64_t now = rdtsc();
    atomic_add_relaxed(&p->fired, 1);
    if (now - p->window >= HV_PIRQ_WINDOW_MS * pcpu_tsc_khz) {
        p->window = now;
        p->count = 0;
    }
    if (++p->count <= p->limit)
        return;
    p->count = 0;
    ioapic_block(p->pin, IOAPIC_STORM);
    timer_move(&p->pause, now + HV_PIRQ_PAUSE_MS * pcpu_tsc_khz);
    uint64_t before = atomic_fetch_add_full(&p->storms, 1);
    if (!(before & (before + 1))) /* 1, 2, 4, 8...: a line takes milliseconds at a slow console */
        log_warning("domain %u: interrupt storm %lu at the machine's GSI %u: more than %u in %u ms", n->owner,
                    before + 1, p->gsi, p->limit, HV_PIRQ_WINDOW_MS);
    if (p->storm_number)
        (void)notify_send(domain_get(n->owner), p->storm_vcpu, p->storm_number);
}

bool pirq_interrupt(uint8_t vector)
{
    if (vector < PIRQ_FIRST || vector > VECTOR_DEVICE_LAST)
        return false;
    struct pirq *p = &pirqs[vector - PIRQ_FIRST];
    hazard_enter(HAZARD_ALL);
    struct notifier *n = atomic_load_acquire(&p->notifier);
    if (n) {
        if (p->signal.level)
            ioapic_block(p->pin, IOAPIC_LINE);
        guard(p, n);
        take(p, n);
    }
    hazard_leave();
    return n;
}

/* An edge is in no register of the machine any more: one that came while the line was up raises it again. */
void pirq_ended(struct pirq *p)
{
    struct notifier *n = p->signal.level ? NULL : atomic_load_acquire(&p->notifier);
    if (!n)
        (void)ioapic_unblock(p->pin, IOAPIC_LINE);
    else if (atomic_exchange_full(&p->again, false))
        (void)notifier_fire(n, atomic_load_acquire(&n->bind));
}

/* ---- binding */

static struct pirq *bound(uint32_t gsi)
{
    int pin = ioapic_pin(gsi);
    uint32_t vector = pin < 0 ? 0 : atomic_load_acquire(&pins[pin].vector);
    return vector ? &pirqs[vector - PIRQ_FIRST] : NULL;
}

int pirq_check(const struct domain *d, uint64_t gsi)
{
    int pin = gsi > UINT32_MAX ? -1 : ioapic_pin((uint32_t)gsi);
    if (pin < 0)
        return -HV_ENOENT;
    return atomic_load_relaxed(&pins[pin].owner) == d->id ? 0 : -HV_EPERM;
}

static struct pirq *take_vector(void)
{
    for (uint32_t i = 0; i < PIRQ_COUNT; i++) {
        last = (last + 1) % PIRQ_COUNT;
        if (!pirqs[last].notifier)
            return &pirqs[last];
    }
    return NULL;
}

/* Which CPU; without a wish they take turns. */
static int choose_cpu(uint32_t wanted, uint32_t turn, uint32_t *cpu)
{
    if (wanted != HV_PIRQ_ANY_CPU && wanted >= pcpu_count)
        return -HV_EINVAL;
    for (uint32_t i = 0; i < pcpu_count; i++) {
        *cpu = wanted == HV_PIRQ_ANY_CPU ? (turn + i) % pcpu_count : wanted;
        if (pcpu_table[*cpu]->arch.apic_id < IOAPIC_APIC_IDS_END)
            return 0;
    }
    return -HV_ENODEV;
}

static struct ioapic_signal signal_of(uint32_t gsi, uint32_t flags)
{
    struct ioapic_signal s = ioapic_signal(gsi);
    if (flags & (HV_PIRQ_EDGE | HV_PIRQ_LEVEL))
        s.level = flags & HV_PIRQ_LEVEL;
    if (flags & (HV_PIRQ_HIGH | HV_PIRQ_LOW))
        s.low = flags & HV_PIRQ_LOW;
    return s;
}

int pirq_bind(uint32_t gsi, const struct hv_pirq *b, struct notifier *n)
{
    uint32_t pin = (uint32_t)ioapic_pin(gsi), cpu;
    if (pins[pin].vector)
        return -HV_EEXIST;
    if (n->pirq)
        return -HV_EBUSY;
    struct pirq *p = take_vector();
    if (!p)
        return -HV_ENOSPC;
    int error = choose_cpu(b->cpu, last, &cpu);
    if (error)
        return error;
    uint8_t vector = (uint8_t)(PIRQ_FIRST + (uint32_t)(p - pirqs));
    p->gsi = gsi;
    p->pin = pin;
    p->cpu = cpu;
    p->limit = b->limit ? b->limit : HV_PIRQ_LIMIT;
    p->signal = signal_of(gsi, b->flags);
    p->storm_vcpu = b->storm_vcpu;
    p->storm_number = b->storm_number;
    p->window = p->count = p->fired = p->storms = 0;
    p->again = false;
    p->pause.fire = pause_over;
    atomic_store_release(&n->pirq, p);
    atomic_store_release(&p->notifier, n);
    atomic_store_release(&pins[pin].vector, vector);
    ioapic_open(pin, vector, pcpu_table[cpu]->arch.apic_id, p->signal);
    return 0;
}

static void close_line(struct pirq *p)
{
    struct notifier *n = p->notifier;
    ioapic_close(p->pin);
    atomic_store_release(&pins[p->pin].vector, 0);
    (void)atomic_exchange_full(&p->notifier, NULL);
    hazard_wait(HAZARD_ALL);
    timer_cancel(&p->pause);
    notifier_lower(n);
    (void)atomic_exchange_full(&n->pirq, NULL);
    hazard_wait(HAZARD_ALL);
}

int pirq_unbind(uint32_t gsi)
{
    struct pirq *p = bound(gsi);
    if (!p)
        return -HV_ENOENT;
    close_line(p);
    return 0;
}

void pirq_unbind_notifier(struct notifier *n)
{
    if (n->pirq)
        close_line(n->pirq);
}

void pirq_give(uint32_t gsi, uint16_t domain)
{
    (void)pirq_unbind(gsi);
    atomic_store_relaxed(&pins[ioapic_pin(gsi)].owner, (uint8_t)domain);
}

int pirq_ack(uint32_t gsi)
{
    hazard_enter(HAZARD_ALL);
    const struct pirq *p = bound(gsi);
    int result = p ? ioapic_unblock(p->pin, IOAPIC_LINE) : -HV_ENOENT;
    hazard_leave();
    return result;
}

void pirq_info(uint32_t gsi, struct hv_pirq_info *out)
{
    const struct pirq *p = bound(gsi);
    uint32_t pin = (uint32_t)ioapic_pin(gsi), blocked = ioapic_blocked(pin);
    struct ioapic_signal s = p ? p->signal : ioapic_signal(gsi);
    *out = (struct hv_pirq_info){.size = sizeof(*out),
                                 .flags = (s.level ? HV_PIRQ_LEVEL : HV_PIRQ_EDGE) |
                                          (s.low ? HV_PIRQ_LOW : HV_PIRQ_HIGH),
                                 .owner = pins[pin].owner,
                                 .entry = ioapic_entry(pin)};
    if (!p)
        return;
    out->flags |= HV_PIRQ_BOUND | (blocked & IOAPIC_LINE ? HV_PIRQ_WAITS : 0) |
                  (blocked & IOAPIC_STORM ? HV_PIRQ_STORMED : 0);
    out->cpu = p->cpu;
    out->notifier = notifier_handle(p->notifier);
    out->fired = atomic_load_relaxed(&p->fired);
    out->storms = atomic_load_relaxed(&p->storms);
    out->vector = pins[pin].vector;
    out->limit = p->limit;
}

void pirq_forget(const struct domain *d)
{
    for (uint32_t pin = 0; pin < IOAPIC_PINS_MAX; pin++) {
        if (pins[pin].owner != d->id)
            continue;
        if (pins[pin].vector)
            close_line(&pirqs[pins[pin].vector - PIRQ_FIRST]);
        atomic_store_relaxed(&pins[pin].owner, 0);
    }
}
