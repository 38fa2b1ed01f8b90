/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls on interrupts: controllers, lines, messages, notifiers, doorbells. IRQ_LINE, SIGNAL_MSI,
 * NOTIFIER_SIGNAL and NOTIFIER_READ take no lock: what they look up holds until this CPU serves cross-CPU
 * calls (domain.h), and what they fire is under a hazard (hv/route/hazard.h). The others hold the management
 * lock.
 */
#include "guest_abi/irqchip.h"
#include "hv/core/gmem.h"
#include "hv/irqchip/irqchip.h"
#include "hv/irqchip/vioapic.h"
#include "hv/mgmt/mgmt.h"
#include "hv/route/doorbell.h"
#include "hv/route/message.h"

#define LIST_MAX 512U

/* ---- controllers */

static int pit_output(struct domain *d, bool level)
{
    return route_fire(d, 0, IRQCHIP_SOURCE_PIT, level);
}

static const struct irqchip_upcalls upcalls = {notifier_acked, notifier_acked_vector, pit_output,
                                               route_stormed};

/* All or nothing; d has no vCPU. */
static int configure(struct domain *d, const struct hv_irqchip_config *config)
{
    struct routing *r = route_init(d);
    struct irqchip *new = r ? irqchip_create(d, config, &upcalls) : NULL, *old = d->chips;
    if (!new)
        return -HV_ENOMEM;
    struct route_limits l = r->limits;
    l.gsis = config->gsis;
    l.ioapics = config->ioapics;
    for (uint32_t i = 0; i < HV_IOAPICS_MAX; i++)
        l.pins[i] = config->ioapic[i].pins;
    int error = route_default(d, &l);
    if (!error)
        atomic_store_release(&d->chips, new);
    irqchip_free(error ? new : old);
    return error;
}

int mgmt_irq_create(struct domain *d)
{
    struct hv_irqchip_config c = {.gsis = ROUTE_GSIS_DEFAULT};
    if (d->irqchip == HV_DOMAIN_IRQCHIP_FULL) {
        c.ioapics = 1;
        c.ioapic[0] = (struct hv_ioapic_place){.base = IOAPIC_DEFAULT, .pins = VIOAPIC_PINS_DEFAULT};
    }
    return configure(d, &c);
}

static bool config_valid(const struct domain *d, const struct hv_irqchip_config *c)
{
    bool full = d->irqchip == HV_DOMAIN_IRQCHIP_FULL;
    if (c->flags || !c->gsis || c->gsis > HV_GSI_MAX || c->ioapics > (full ? HV_IOAPICS_MAX : 0) ||
        (full && !c->ioapics))
        return false;
    for (uint32_t i = 0; i < HV_IOAPICS_MAX; i++) {
        const struct hv_ioapic_place *p = &c->ioapic[i];
        if (i >= c->ioapics ? p->base || p->pins || p->reserved
                            : !p->pins || p->pins > HV_IOAPIC_PINS_CONFIG_MAX || p->reserved ||
                                  (p->base & ~PAGE_MASK) || p->base >= EPT_GPA_END)
            return false;
        for (uint32_t j = 0; j < i && i < c->ioapics; j++)
            if (c->ioapic[j].base == p->base)
                return false;
    }
    return true;
}

int64_t mgmt_irqchip_config(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_irqchip_config c;
    int error = mgmt_target(v, args->a0, &d);
    if (!error)
        error = mgmt_copy_in(v, args->a1, &c, sizeof(c));
    if (error)
        return error;
    if (!d->irqchip)
        return -HV_ENODEV;
    if (!config_valid(d, &c))
        return -HV_EINVAL;
    return d->vcpu_count ? -HV_EBUSY : configure(d, &c);
}

/* The largest is an I/O APIC's with all its pins. */
static union {
    struct hv_pic pic;
    struct hv_pit pit;
    uint8_t ioapic[HV_IOAPIC_SIZE(HV_IOAPIC_PINS_CONFIG_MAX)];
} record; /* under the management lock */

static int state_args(struct vcpu *v, const struct mgmt_args *args, struct domain **d)
{
    uint32_t size = 0;
    int error = mgmt_target(v, args->a0, d);
    if (error)
        return error;
    if (args->a1 >= HV_IRQCHIP_STATE_IOAPIC + HV_IOAPICS_MAX)
        return -HV_EINVAL;
    error = irqchip_state_size(*d, (uint32_t)args->a1, &size);
    if (error)
        return error;
    return (args->a2 & 7) || args->a3 != size           ? -HV_EINVAL
           : (args->a2 & ~PAGE_MASK) + size > PAGE_SIZE ? -HV_EFAULT
                                                        : 0;
}

int64_t mgmt_irqchip_get(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    int error = state_args(v, args, &d);
    if (error)
        return error;
    irqchip_state_get(d, (uint32_t)args->a1, &record);
    return gmem_write(v->domain, args->a2, &record, args->a3) ? -HV_EFAULT : 0;
}

int64_t mgmt_irqchip_set(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    int error = state_args(v, args, &d);
    if (error)
        return error;
    if (gmem_read(v->domain, args->a2, &record, args->a3))
        return -HV_EFAULT;
    return irqchip_state_set(d, (uint32_t)args->a1, &record, (uint32_t)args->a3);
}

/* Whose ends a manager that emulates the I/O APIC is told (hv/exit/apic.c). */
int64_t mgmt_eoi_vectors(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    int error = mgmt_target(v, args->a0, &d);
    if (error)
        return error;
    if (d->irqchip != HV_DOMAIN_IRQCHIP_SPLIT)
        return -HV_ENODEV;
    if (args->a1 & MASK(15, 0))
        return -HV_EINVAL;
    const uint64_t vectors[4] = {args->a1, args->a2, args->a3, args->a4};
    for (unsigned i = 0; i < 4; i++)
        atomic_store_relaxed(&((struct vapic_domain *)d->apics)->eoi_vectors[i], vectors[i]);
    return 0;
}

/* ---- lines and messages */

static __attribute__((noinline)) int line_rarely(struct domain *d, uint64_t gsi, uint64_t what)
{
    if (what > HV_LINE_END)
        return -HV_EINVAL;
    if (!d->routing)
        return -HV_ENODEV;
    if (what == HV_LINE_TICK)
        return route_fire(d, gsi, IRQCHIP_SOURCE_TICK, true);
    int told = notifier_ended(d, gsi);
    if (!told && !gsi)
        irqchip_pit_ended(d);
    return told;
}

int64_t mgmt_irq_line(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    int error = mgmt_target_here(v, args->a0, &d);
    if (error)
        return error;
    if (__builtin_expect(args->a2 > HV_LINE_UP, 0))
        return line_rarely(d, args->a1, args->a2);
    return d->routing ? route_fire(d, args->a1, IRQCHIP_SOURCE_MANAGER, args->a2) : -HV_ENODEV;
}

/* Any message that is one. */
static __attribute__((noinline)) int64_t signal_message(struct domain *d, uint64_t address, uint64_t data)
{
    uint64_t word;
    if (!route_encode_msi(address, data, &word))
        return -HV_EINVAL;
    int taken = message_send(d, word);
    return taken < 0 ? -HV_ENXIO : taken;
}

int64_t mgmt_signal_msi(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    int error = mgmt_target_here(v, args->a0, &d);
    if (error)
        return error;
    if (!d->apics)
        return -HV_ENODEV;
    bool plain = !((args->a1 ^ MSI_BASE) & ~(uint64_t)MASK(19, 12)) && args->a2 <= UINT8_MAX;
    int taken = plain ? message_edge(d, args->a1 >> 12 & 0xff, (uint8_t)args->a2) : -1;
    return taken < 0 ? signal_message(d, args->a1, args->a2) : taken;
}

/* ---- notifiers */

int64_t mgmt_notifier_signal(struct vcpu *v, const struct mgmt_args *args)
{
    return notifier_signal(v->domain, args->a0);
}

int64_t mgmt_notifier_read(struct vcpu *v, const struct mgmt_args *args)
{
    return notifier_read(v->domain, args->a0);
}

/* One that the caller owns. */
static int own_notifier(const struct vcpu *v, uint64_t handle, struct notifier **n)
{
    *n = notifier_find(handle);
    return !*n ? -HV_ENOENT : (*n)->owner != v->domain->id ? -HV_EPERM : 0;
}

int64_t mgmt_notifier_create(struct vcpu *v, const struct mgmt_args *args)
{
    struct hv_notifier b;
    int error = mgmt_copy_in(v, args->a0, &b, sizeof(b));
    if (!error)
        error = notifier_check(v->domain, &b);
    return error ? error : notifier_create(v->domain, &b);
}

int64_t mgmt_notifier_close(struct vcpu *v, const struct mgmt_args *args)
{
    struct notifier *n;
    int error = own_notifier(v, args->a0, &n);
    if (!error)
        notifier_close(n);
    return error;
}

int64_t mgmt_notifier_bind(struct vcpu *v, const struct mgmt_args *args)
{
    struct notifier *n;
    struct hv_notifier b;
    int error = own_notifier(v, args->a0, &n);
    if (!error)
        error = mgmt_copy_in(v, args->a1, &b, sizeof(b));
    if (!error)
        error = notifier_check(v->domain, &b);
    return error ? error : notifier_bind(n, &b);
}

int64_t mgmt_notifier_grant(struct vcpu *v, const struct mgmt_args *args)
{
    struct notifier *n;
    struct domain *d = NULL;
    int error = own_notifier(v, args->a0, &n);
    if (!error)
        error = mgmt_target(v, args->a1, &d);
    if (error)
        return error;
    if (args->a2 > 1)
        return -HV_EINVAL;
    if (args->a2)
        (void)atomic_fetch_or_full(&n->may[d->id / 64], BIT(d->id % 64));
    else
        (void)atomic_fetch_and_full(&n->may[d->id / 64], ~BIT(d->id % 64));
    return 0;
}

int64_t mgmt_notifier_info(struct vcpu *v, const struct mgmt_args *args)
{
    struct notifier *n;
    struct hv_notifier_info info = {.size = sizeof(info)};
    int error = own_notifier(v, args->a0, &n);
    if (!error)
        error = mgmt_check_out(v, args->a1, sizeof(info));
    if (error)
        return error;
    notifier_info(n, &info);
    return mgmt_copy_out(v, args->a1, &info, sizeof(info));
}

int64_t mgmt_notifier_list(struct vcpu *v, const struct mgmt_args *args)
{
    uint64_t *list = (uint64_t *)(void *)&record;
    uint32_t n = 0, room = sizeof(record) / sizeof(*list);
    if (args->a2 > LIST_MAX)
        return -HV_E2BIG;
    if (args->a1 & 7)
        return -HV_EINVAL;
    if ((args->a1 & ~PAGE_MASK) + args->a2 * sizeof(*list) > PAGE_SIZE)
        return -HV_EFAULT;
    int64_t place = args->a0 ? notifier_place(args->a0) : -1;
    struct notifier *at = notifier_next(v->domain, place);
    for (; at && n < room && n < args->a2; at = notifier_next(v->domain, at->place))
        list[n++] = notifier_handle(at);
    return gmem_write(v->domain, args->a1, list, n * sizeof(*list)) ? -HV_EFAULT : (int64_t)n;
}

/* ---- doorbells */

static int doorbell_args(struct vcpu *v, const struct mgmt_args *args, struct domain **d,
                         struct hv_doorbell *b)
{
    int error = mgmt_target(v, args->a0, d);
    return error ? error : mgmt_copy_in(v, args->a1, b, sizeof(*b));
}

int64_t mgmt_doorbell_add(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_doorbell b;
    struct notifier *n;
    int error = doorbell_args(v, args, &d, &b);
    if (!error)
        error = own_notifier(v, b.notifier, &n);
    if (error)
        return error;
    if (b.space == HV_CLAIM_MMIO && b.address < EPT_GPA_END && ept_lookup(&d->ept, b.address).access)
        return -HV_EBUSY;
    return doorbell_add(d, &b, n);
}

int64_t mgmt_doorbell_remove(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_doorbell b;
    int error = doorbell_args(v, args, &d, &b);
    return error ? error : doorbell_remove(d, &b);
}
