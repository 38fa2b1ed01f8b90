/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notifiers: see notifier.h. What one is bound to is one word, so that a signal sees all of it or nothing:
 *
 *   bits 1:0 kind, 2 resample, 10:3 domain, 27:11 GSI, 33:28 vCPU, 45:34 number
 */
#include "hv/route/notifier.h"

#include "hv/core/notify.h"
#include "hv/route/pirq.h"

#define PLACE_BITS    NOTIFIER_PLACE_BITS
#define BIND_RESAMPLE BIT(2)

_Static_assert(NOTIFIERS_MAX <= 1U << PLACE_BITS, "places fit");
_Static_assert(CONFIG_MAX_DOMAINS <= 256 && CONFIG_MAX_VCPUS <= 64 && HV_NOTIFY_COUNT <= 4096,
               "fields of the word");

static uint64_t bind_word(const struct hv_notifier *b)
{
    return b->kind | (uint64_t)b->flags << 2 | (uint64_t)b->domain << 3 | (uint64_t)b->gsi << 11 |
           (uint64_t)b->vcpu << 28 | (uint64_t)b->number << 34;
}

static uint32_t bind_kind(uint64_t bind)
{
    return bind & 3;
}

static struct domain *bind_domain(uint64_t bind)
{
    return domain_get(bind >> 3 & 255);
}

static uint32_t bind_gsi(uint64_t bind)
{
    return bind >> 11 & (HV_GSI_MAX - 1);
}

static int tell_owner(const struct notifier *n, uint64_t bind)
{
    return notify_send(domain_get(n->owner), bind >> 28 & 63, bind >> 34 & 4095);
}

/* ---- handles */

static uint64_t handle_of(const struct notifier *n, uint32_t generation)
{
    return (uint64_t)generation << (8 + PLACE_BITS) | (uint64_t)n->owner << PLACE_BITS | n->place;
}

uint64_t notifier_handle(const struct notifier *n)
{
    return handle_of(n, n->generation);
}

static struct notifier *at(const struct domain *owner, uint64_t place)
{
    const struct routing *r = owner ? atomic_load_acquire(&owner->routing) : NULL;
    const struct notifiers *all = r ? atomic_load_acquire(&r->notifiers) : NULL;
    if (!all || place >= NOTIFIERS_MAX)
        return NULL;
    struct notifier *page = atomic_load_acquire(&all->page[place / NOTIFIER_PER_PAGE % NOTIFIER_PAGES]);
    return page ? &page[place % NOTIFIER_PER_PAGE] : NULL;
}

int64_t notifier_place(uint64_t handle)
{
    return (int64_t)(handle & ((1U << PLACE_BITS) - 1));
}

static uint32_t generation_of(uint64_t handle)
{
    return (uint32_t)(handle >> (8 + PLACE_BITS));
}

struct notifier *notifier_find(uint64_t handle)
{
    struct notifier *n = at(domain_get(handle >> PLACE_BITS & 255), handle & ((1U << PLACE_BITS) - 1));
    uint32_t generation = n ? atomic_load_acquire(&n->generation) : 0;
    return generation & 1 && handle_of(n, generation) == handle ? n : NULL;
}

struct notifier *notifier_next(const struct domain *owner, int64_t place)
{
    for (uint64_t i = (uint64_t)(place + 1); i < NOTIFIERS_MAX; i++) {
        struct notifier *n = at(owner, i);
        if (n && (n->generation & 1))
            return n;
        if (!n)
            i |= NOTIFIER_PER_PAGE - 1;
    }
    return NULL;
}

/* ---- signals */

static int fire_gsi(uint64_t bind)
{
    struct domain *d = bind_domain(bind);
    if (!d)
        return -HV_ENXIO;
    if (bind & BIND_RESAMPLE)
        return route_fire_held(d, bind_gsi(bind), IRQCHIP_SOURCE_RESAMPLE, true);
    return route_signal_held(d, bind_gsi(bind));
}

int notifier_fire(struct notifier *n, uint64_t bind)
{
    return bind_kind(bind) == HV_NOTIFIER_NOTIFY ? tell_owner(n, bind) : fire_gsi(bind);
}

/* The count first, as in notifier_signal_held. */
static int fire(struct notifier *n)
{
    uint64_t before = atomic_fetch_add_full(&n->signals, 1), bind = atomic_load_acquire(&n->bind);
    return bind ? notifier_fire(n, bind) : before == atomic_load_relaxed(&n->read_at);
}

int notifier_fire_held(struct notifier *n)
{
    return fire(n);
}

static int may_signal(const struct notifier *n, const struct domain *caller)
{
    if (!n)
        return -HV_ENOENT;
    if (n->owner != caller->id && !(atomic_load_acquire(&n->may[caller->id / 64]) >> caller->id % 64 & 1))
        return -HV_EPERM;
    return 0;
}

int64_t notifier_signal(const struct domain *caller, uint64_t handle)
{
    struct notifier *n = notifier_find(handle);
    int64_t result = may_signal(n, caller);
    if (result)
        return result;
    hazard_enter(HAZARD_ALL);
    result = atomic_load_acquire(&n->generation) == generation_of(handle) ? fire(n) : -HV_ENOENT;
    hazard_leave();
    return result;
}

static uint64_t take_unread(struct notifier *n)
{
    uint64_t signals = atomic_load_acquire(&n->signals);
    return signals - atomic_exchange_full(&n->read_at, signals);
}

int64_t notifier_read(const struct domain *caller, uint64_t handle)
{
    struct notifier *n = notifier_find(handle);
    int error = may_signal(n, caller);
    return error ? error : (int64_t)take_unread(n);
}

/* ---- listeners of a GSI */

static struct route_resampler *resampler(struct routing *r, uint32_t gsi)
{
    for (uint32_t i = 0; i < r->resamplers; i++)
        if (r->resampler[i].first && r->resampler[i].gsi == gsi)
            return &r->resampler[i];
    return NULL;
}

static bool listen(struct notifier *n, struct routing *r, uint32_t gsi)
{
    struct route_resampler *s = resampler(r, gsi);
    for (uint32_t i = 0; !s && i < ROUTE_RESAMPLERS; i++)
        if (!r->resampler[i].first)
            s = &r->resampler[i];
    if (!s)
        return false;
    n->next = s->first;
    atomic_store_relaxed(&s->gsi, gsi);
    atomic_store_release(&s->first, n);
    if (s >= r->resampler + r->resamplers)
        atomic_store_release(&r->resamplers, (uint32_t)(s - r->resampler) + 1);
    return true;
}

/* The last one takes the line down. */
static void unlisten(const struct notifier *n, struct domain *d, uint32_t gsi)
{
    struct route_resampler *s = resampler(d->routing, gsi);
    struct notifier **link = &s->first;
    while (*link != n)
        link = &(*link)->next;
    atomic_store_release(link, n->next);
    hazard_wait(HAZARD_ALL);
    if (!s->first)
        (void)route_fire(d, gsi, IRQCHIP_SOURCE_RESAMPLE, false);
}

static void tell_listeners(struct domain *d, const struct route_resampler *s)
{
    (void)route_fire_held(d, atomic_load_relaxed(&s->gsi), IRQCHIP_SOURCE_RESAMPLE, false);
    for (struct notifier *n = atomic_load_acquire(&s->first); n; n = atomic_load_acquire(&n->next)) {
        uint64_t bind = atomic_load_acquire(&n->bind);
        struct pirq *p = atomic_load_acquire(&n->pirq);
        if (!bind)
            continue;
        atomic_add_relaxed(&n->resampled, 1);
        if (p)
            pirq_ended(p);
        else
            (void)tell_owner(n, bind);
    }
}

void notifier_lower(const struct notifier *n)
{
    uint64_t bind = n->bind;
    struct domain *d =
        bind_kind(bind) == HV_NOTIFIER_GSI && (bind & BIND_RESAMPLE) ? bind_domain(bind) : NULL;
    const struct route_resampler *s = d ? resampler(d->routing, bind_gsi(bind)) : NULL;
    if (!s)
        return;
    hazard_enter(HAZARD_ALL);
    tell_listeners(d, s);
    hazard_leave();
}

void notifier_acked(struct domain *d, uint32_t chip, uint32_t pin)
{
    const struct routing *r = atomic_load_acquire(&d->routing);
    uint32_t gsi = r ? route_gsi_of(r, chip, pin) : HV_GSI_MAX;
    struct route_counts *c = gsi < HV_GSI_MAX ? route_counts(r, gsi) : NULL;
    if (c)
        atomic_add_relaxed(&c->acknowledged, 1);
    uint32_t count = r ? atomic_load_acquire(&r->resamplers) : 0;
    if (!count)
        return;
    hazard_enter(HAZARD_ALL);
    for (const struct route_resampler *s = r->resampler; s < r->resampler + count; s++) {
        uint64_t word = atomic_load_acquire(&s->first) ? route_get(r, s->gsi) : 0;
        if (route_kind(word) == ROUTE_IRQCHIP && route_pin(word, chip) == (int)pin)
            tell_listeners(d, s);
    }
    hazard_leave();
}

int notifier_ended(struct domain *d, uint64_t gsi)
{
    const struct routing *r = d->routing;
    int told = 0;
    if (gsi >= r->limits.gsis || route_kind(route_get(r, (uint32_t)gsi)) == ROUTE_IRQCHIP)
        return -HV_EINVAL;
    struct route_counts *c = route_counts(r, (uint32_t)gsi);
    if (c)
        atomic_add_relaxed(&c->acknowledged, 1);
    hazard_enter(HAZARD_ALL);
    uint32_t count = atomic_load_acquire(&r->resamplers);
    for (const struct route_resampler *s = r->resampler; s < r->resampler + count; s++)
        if (atomic_load_acquire(&s->first) && atomic_load_relaxed(&s->gsi) == gsi) {
            tell_listeners(d, s);
            told = 1;
        }
    hazard_leave();
    return told;
}

void notifier_acked_vector(struct domain *d, uint8_t vector)
{
    const struct routing *r = atomic_load_acquire(&d->routing);
    uint32_t count = r ? atomic_load_acquire(&r->resamplers) : 0;
    if (!count)
        return;
    hazard_enter(HAZARD_ALL);
    for (const struct route_resampler *s = r->resampler; s < r->resampler + count; s++) {
        uint64_t word = atomic_load_acquire(&s->first) ? route_get(r, s->gsi) : 0;
        const struct vlapic_message m = route_message(word);
        if (route_kind(word) == ROUTE_MSI && m.level && m.vector == vector)
            tell_listeners(d, s);
    }
    hazard_leave();
}

/* ---- life */

static int check_gsi(const struct domain *owner, const struct hv_notifier *b)
{
    const struct domain *d = domain_get(b->domain);
    if (!d)
        return -HV_ESRCH;
    if (d == owner || (owner->id && d->manager != owner->id))
        return -HV_EPERM;
    return b->gsi < route_limits(d).gsis ? 0 : -HV_EINVAL;
}

int notifier_check(const struct domain *owner, const struct hv_notifier *b)
{
    bool gsi = b->kind == HV_NOTIFIER_GSI,
         tells = b->kind == HV_NOTIFIER_NOTIFY || (b->flags & HV_NOTIFIER_RESAMPLE);
    if (b->kind > HV_NOTIFIER_NOTIFY || b->reserved || (b->flags & ~(gsi ? HV_NOTIFIER_RESAMPLE : 0U)) ||
        (!gsi && (b->domain || b->gsi)))
        return -HV_EINVAL;
    if (tells ? b->vcpu >= owner->max_vcpus || b->number < HV_NOTIFY_OWN || b->number >= HV_NOTIFY_COUNT
              : b->vcpu || b->number)
        return -HV_EINVAL;
    return gsi ? check_gsi(owner, b) : 0;
}

static void unbind(struct notifier *n)
{
    uint64_t old = atomic_exchange_full(&n->bind, 0);
    hazard_wait(HAZARD_ALL);
    if (bind_kind(old) == HV_NOTIFIER_GSI && (old & BIND_RESAMPLE))
        unlisten(n, bind_domain(old), bind_gsi(old));
}

int notifier_bind(struct notifier *n, const struct hv_notifier *b)
{
    if (b->kind == HV_NOTIFIER_COUNT) {
        unbind(n);
        return 0;
    }
    if (n->bind)
        return -HV_EBUSY;
    uint64_t bind = bind_word(b);
    if (b->kind == HV_NOTIFIER_GSI && !route_init(bind_domain(bind)))
        return -HV_ENOMEM;
    if ((bind & BIND_RESAMPLE) && !listen(n, bind_domain(bind)->routing, b->gsi))
        return -HV_ENOSPC;
    (void)atomic_exchange_full(&n->bind, bind);
    if (take_unread(n)) {
        hazard_enter(HAZARD_ALL);
        (void)(b->kind == HV_NOTIFIER_GSI ? fire_gsi(bind) : tell_owner(n, bind));
        hazard_leave();
    }
    return 0;
}

/* A free place; another page of them when there is none. */
static struct notifier *take_place(struct domain *owner)
{
    struct notifiers *all = owner->routing->notifiers;
    uint32_t p = 0;
    while (!all->free && p < NOTIFIER_PAGES && all->page[p])
        p++;
    if (!all->free && p < NOTIFIER_PAGES) {
        struct notifier *page = domain_page_alloc(owner);
        for (uint32_t i = NOTIFIER_PER_PAGE; page && i-- > 0;) {
            page[i].owner = owner->id;
            page[i].place = (uint16_t)(p * NOTIFIER_PER_PAGE + i);
            page[i].next = all->free;
            all->free = &page[i];
        }
        atomic_store_release(&all->page[p], page);
    }
    struct notifier *n = all->free;
    if (n)
        all->free = n->next;
    return n;
}

static void give_place(struct notifier *n, struct notifiers *all)
{
    n->next = all->free;
    all->free = n;
}

int64_t notifier_create(struct domain *owner, const struct hv_notifier *b)
{
    struct routing *r = route_init(owner);
    if (r && !r->notifiers)
        atomic_store_release(&r->notifiers, (struct notifiers *)domain_page_alloc(owner));
    struct notifier *n = r && r->notifiers ? take_place(owner) : NULL;
    if (!n)
        return r && r->notifiers && r->notifiers->page[NOTIFIER_PAGES - 1] ? -HV_ENOSPC : -HV_ENOMEM;
    n->signals = n->resampled = n->read_at = 0;
    for (unsigned i = 0; i < CONFIG_MAX_DOMAINS / 64; i++)
        n->may[i] = 0;
    int error = b->kind == HV_NOTIFIER_COUNT ? 0 : notifier_bind(n, b);
    if (error) {
        give_place(n, r->notifiers);
        return error;
    }
    atomic_store_release(&n->generation, n->generation + 1);
    return (int64_t)notifier_handle(n);
}

void notifier_close(struct notifier *n)
{
    pirq_unbind_notifier(n);
    atomic_store_release(&n->generation, n->generation + 1);
    unbind(n);
    give_place(n, domain_get(n->owner)->routing->notifiers);
}

void notifier_info(struct notifier *n, struct hv_notifier_info *info)
{
    uint64_t bind = n->bind;
    info->signals = atomic_load_acquire(&n->signals);
    info->unread = info->signals - n->read_at;
    info->resampled = n->resampled;
    for (unsigned i = 0; i < CONFIG_MAX_DOMAINS / 64; i++)
        info->may_signal[i] = n->may[i];
    info->bind = (struct hv_notifier){.size = sizeof(info->bind),
                                      .kind = bind_kind(bind),
                                      .flags = bind & BIND_RESAMPLE ? HV_NOTIFIER_RESAMPLE : 0,
                                      .domain = bind >> 3 & 255,
                                      .gsi = bind_gsi(bind),
                                      .vcpu = bind >> 28 & 63,
                                      .number = bind >> 34 & 4095};
}

void notifier_forget(const struct domain *d)
{
    for (uint32_t id = domain_next(0); id < CONFIG_MAX_DOMAINS; id = domain_next(id + 1)) {
        const struct domain *owner = domain_get(id);
        for (struct notifier *n = notifier_next(owner, -1); n; n = notifier_next(owner, n->place)) {
            (void)atomic_fetch_and_full(&n->may[d->id / 64], ~BIT(d->id % 64));
            if (bind_kind(n->bind) == HV_NOTIFIER_GSI && (n->bind >> 3 & 255) == d->id)
                unbind(n);
        }
    }
}

void notifier_free(struct domain *owner)
{
    struct notifiers *all = owner->routing->notifiers;
    for (uint32_t p = 0; all && p < NOTIFIER_PAGES; p++)
        domain_page_free(owner, all->page[p]);
    domain_page_free(owner, all);
}
