/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The GSI table: see route.h. A change: exchange the word, then wait until nobody fires the old one
 * (hazard.h). A replacement: all words of a new table are there before its directory takes the place of the
 * old; what can fail, fails before.
 */
#include "hv/route/route.h"

#include "hv/core/irq_level.h"
#include "hv/core/notify.h"
#include "hv/irqchip/irqchip.h"
#include "hv/route/doorbell.h"
#include "hv/route/message.h"

static uint64_t *slot(const struct route_table *t, uint32_t gsi)
{
    uint64_t *page = atomic_load_acquire(&t->page[gsi / ROUTE_PER_PAGE % ROUTE_PAGES]);
    return page ? &page[gsi % ROUTE_PER_PAGE] : NULL;
}

uint64_t route_get(const struct routing *r, uint32_t gsi)
{
    const uint64_t *word = slot(atomic_load_acquire(&r->table), gsi);
    return word ? atomic_load_acquire(word) : 0;
}

struct route_counts *route_counts(const struct routing *r, uint32_t gsi)
{
    struct route_counts_dir *dir = atomic_load_acquire(&r->counts[gsi >> 16 & 1]);
    struct route_counts *page = dir ? atomic_load_acquire(&dir->page[gsi / ROUTE_COUNTS_PAGE % 512]) : NULL;
    return page ? &page[gsi % ROUTE_COUNTS_PAGE] : NULL;
}

/* ---- firing */

/* All pins of a GSI: KVM's sum, the controllers that take it. */
static int fire_pins(struct domain *d, uint64_t word, enum irqchip_source source, bool level)
{
    int sum = -HV_ENXIO;
    for (uint32_t chip = 0; chip < HV_CHIP_IOAPIC + HV_IOAPICS_MAX; chip++) {
        int pin = route_pin(word, chip);
        int taken = pin >= 0 ? irqchip_set(d, chip, (uint32_t)pin, source, level) : -1;
        if (taken >= 0)
            sum = taken + (sum < 0 ? 0 : sum);
    }
    return sum;
}

static __attribute__((noinline)) int fire_other(struct domain *d, uint64_t word, enum irqchip_source source,
                                                bool level)
{
    switch (route_kind(word)) {
    case ROUTE_IRQCHIP:
        return fire_pins(d, word, source, level);
    case ROUTE_MSI: {
        int taken = level ? message_send(d, word) : -1;
        return taken < 0 ? -HV_ENXIO : taken;
    }
    case ROUTE_NOTIFY:
        return level ? notify_send(domain_get(d->manager), route_vcpu(word), route_number(word)) : -HV_ENXIO;
    case ROUTE_OUTPUT: {
        struct vcpu *v = atomic_load_acquire(&d->vcpu[route_vcpu(word)]);
        return v ? irq_level_drive(v, route_number(word), word & ROUTE_EDGE, source, level) : -HV_ENXIO;
    }
    case ROUTE_NONE:
    case ROUTE_GSI: /* a chain that is too long */
        break;
    }
    return -HV_ENXIO;
}

static inline int fire_once(struct domain *d, uint64_t word, enum irqchip_source source, bool level)
{
    int taken =
        level && route_is_plain(word) ? message_edge(d, word >> 13 & 0xff, (uint8_t)(word >> 45)) : -1;
    return taken < 0 ? fire_other(d, word, source, level) : taken;
}

static void count(const struct routing *r, uint32_t gsi, int result)
{
    struct route_counts *c = route_counts(r, gsi);
    if (!c)
        return;
    atomic_add_relaxed(&c->fired, 1);
    if (result <= 0)
        atomic_add_relaxed(result ? &c->masked : &c->coalesced, 1);
}

/* On to where a chain of GSIs ends; each link counts. */
static int fire_chain(struct domain *d, const struct routing *r, uint32_t gsi, enum irqchip_source source,
                      bool level, uint64_t word)
{
    uint32_t link[ROUTE_CHAIN_MAX] = {gsi}, n = 1;
    while (route_kind(word) == ROUTE_GSI && n < ROUTE_CHAIN_MAX) {
        link[n++] = route_gsi(word);
        word = route_get(r, route_gsi(word));
    }
    int result = fire_once(d, word, source, level);
    for (uint32_t i = 0; level && i < n; i++)
        count(r, link[i], result);
    return result;
}

int route_fire_held(struct domain *d, uint32_t gsi, enum irqchip_source source, bool level)
{
    const struct routing *r = atomic_load_acquire(&d->routing);
    return r && gsi < r->limits.gsis ? fire_chain(d, r, gsi, source, level, route_get(r, gsi)) : -HV_EINVAL;
}

int route_fire(struct domain *d, uint64_t gsi, enum irqchip_source source, bool level)
{
    const struct routing *r = atomic_load_acquire(&d->routing);
    int result;
    if (!r || gsi >= r->limits.gsis)
        return -HV_EINVAL;
    uint32_t g = gsi & (HV_GSI_MAX - 1);
    hazard_enter(hazard_gsi(d->id, g));
    uint64_t word = route_get(r, g);
    if (__builtin_expect(route_kind(word) == ROUTE_GSI, 0)) {
        hazard_widen();
        result = fire_chain(d, r, g, source, level, word);
    } else {
        result = fire_once(d, word, source, level);
        if (level)
            count(r, g, result);
    }
    hazard_leave();
    return result;
}

int route_signal_held(struct domain *d, uint32_t gsi)
{
    const struct routing *r = d->routing;
    uint64_t word = route_get(r, gsi);
    if (__builtin_expect(route_kind(word) != ROUTE_MSI, 0)) {
        int result = fire_chain(d, r, gsi, IRQCHIP_SOURCE_MANAGER, true, word);
        (void)fire_chain(d, r, gsi, IRQCHIP_SOURCE_MANAGER, false, word);
        return result;
    }
    int result = fire_once(d, word, IRQCHIP_SOURCE_MANAGER, true);
    count(r, gsi, result);
    return result;
}

/* ---- changing */

static uint32_t pin_index(uint32_t chip, uint32_t pin)
{
    return chip < HV_CHIP_IOAPIC ? chip * 8 + pin
                                 : 16 + (chip - HV_CHIP_IOAPIC) * HV_IOAPIC_PINS_CONFIG_MAX + pin;
}

uint32_t route_gsi_of(const struct routing *r, uint32_t chip, uint32_t pin)
{
    const struct route_table *t = atomic_load_acquire(&r->table);
    uint32_t n = atomic_load_relaxed(&t->gsi_of[pin_index(chip, pin) % ROUTE_PINS]);
    return n ? n - 1 : HV_GSI_MAX;
}

/* Nobody else's line is up behind an EOI: resample notifiers let it fall first, the PIT's are pulses. */
void route_stormed(struct domain *d, uint32_t chip, uint32_t pin, uint32_t times)
{
    if (!(times & (times - 1))) /* 1, 2, 4, 8...: a line takes milliseconds at a slow console */
        log_warning("domain %u: interrupt storm %u at GSI %u, which its manager holds", d->id, times,
                    route_gsi_of(d->routing, chip, pin));
}

/* Enters or, `now` 0, leaves the pins of a word in the reverse table. */
static inline void map_pins(struct route_table *t, uint64_t word, uint32_t was, uint32_t now)
{
    if (__builtin_expect(route_kind(word) != ROUTE_IRQCHIP, 1))
        return;
    for (uint32_t chip = 0; chip < HV_CHIP_IOAPIC + HV_IOAPICS_MAX; chip++) {
        int pin = route_pin(word, chip);
        uint32_t *at = &t->gsi_of[pin < 0 ? 0 : pin_index(chip, (uint32_t)pin)];
        if (pin >= 0 && (now || *at == was))
            atomic_store_relaxed(at, now);
    }
}

/* Both pages of a GSI. */
static bool make_room(struct domain *d, struct route_table *t, uint32_t gsi)
{
    struct routing *r = d->routing;
    struct route_counts_dir **dir = &r->counts[gsi >> 16 & 1];
    if (!*dir)
        atomic_store_release(dir, (struct route_counts_dir *)domain_page_alloc(d));
    if (!*dir)
        return false;
    struct route_counts **counts = &(*dir)->page[gsi / ROUTE_COUNTS_PAGE % 512];
    uint64_t **page = &t->page[gsi / ROUTE_PER_PAGE];
    if (!*counts)
        atomic_store_release(counts, (struct route_counts *)domain_page_alloc(d));
    if (!*page)
        atomic_store_release(page, (uint64_t *)domain_page_alloc(d));
    return *counts && *page;
}

/* The rest of a change; the lock is held, and is not any more. */
static __attribute__((noinline)) int64_t set_rarely(struct domain *d, uint32_t gsi, uint64_t word)
{
    struct route_table *t = d->routing->table;
    bool room = !word || make_room(d, t, gsi);
    uint64_t *at = room ? slot(t, gsi) : NULL, old = at ? atomic_exchange_full(at, word) : 0;
    map_pins(t, old, gsi + 1, 0);
    if (room)
        map_pins(t, word, 0, gsi + 1);
    spin_unlock(&d->routing->change);
    if (old && old != word)
        hazard_wait(hazard_gsi(d->id, gsi));
    return room ? 0 : -HV_ENOMEM;
}

/* Where there is a route there are counters, and a message has no pins: nothing more to do. */
int64_t route_set(struct domain *d, uint32_t gsi, uint64_t word)
{
    struct routing *r = d->routing;
    spin_lock(&r->change);
    uint64_t *at = slot(r->table, gsi), old = at ? atomic_load_relaxed(at) : 0;
    if (__builtin_expect(route_kind(old) != ROUTE_MSI || route_kind(word) != ROUTE_MSI, 0))
        return set_rarely(d, gsi, word);
    (void)atomic_exchange_full(at, word);
    spin_unlock(&r->change);
    if (old != word)
        hazard_wait(hazard_gsi(d->id, gsi));
    return 0;
}

static void free_table(struct domain *d, struct route_table *t)
{
    for (uint32_t i = 0; t && i < ROUTE_PAGES; i++)
        domain_page_free(d, t->page[i]);
    domain_page_free(d, t);
}

void route_abort(struct domain *d)
{
    free_table(d, d->routing->next);
    d->routing->next = NULL;
}

int route_begin(struct domain *d)
{
    route_abort(d);
    d->routing->next = domain_page_alloc(d);
    return d->routing->next ? 0 : -HV_ENOMEM;
}

int route_add(struct domain *d, const uint32_t *gsi, const uint64_t *word, uint32_t n)
{
    struct route_table *t = d->routing->next;
    uint32_t end = t ? t->end : HV_GSI_MAX;
    for (uint32_t i = 0; i < n; end = gsi[i++] + 1)
        if (gsi[i] < end)
            return -HV_EINVAL;
    for (uint32_t i = 0; i < n; i++)
        if (!make_room(d, t, gsi[i]))
            return -HV_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        *slot(t, gsi[i]) = word[i];
        map_pins(t, word[i], 0, gsi[i] + 1);
    }
    if (t)
        t->end = end;
    return t ? 0 : -HV_EINVAL;
}

int route_start(struct domain *d, const uint32_t *gsi, const uint64_t *word, uint32_t n)
{
    struct route_table *before = d->routing->next;
    d->routing->next = NULL;
    int error = route_begin(d);
    if (!error)
        error = route_add(d, gsi, word, n);
    struct route_table *gone = error ? d->routing->next : before;
    if (error)
        d->routing->next = before;
    free_table(d, gone);
    return error;
}

int route_commit(struct domain *d)
{
    struct routing *r = d->routing;
    if (!r->next)
        return -HV_EINVAL;
    spin_lock(&r->change);
    struct route_table *old = atomic_exchange_full(&r->table, r->next);
    spin_unlock(&r->change);
    r->next = NULL;
    hazard_wait_domain(d->id);
    domain_wait_grace(); /* the reverse table is read without a hazard */
    free_table(d, old);
    return 0;
}

/* As a PC is wired: the PIT's IRQ 0 is pin 2 of the first I/O APIC, where the PIC has its cascade. */
static uint64_t default_word(const struct route_limits *l, uint32_t gsi, uint32_t ioapic, uint32_t pin)
{
    bool pit = gsi == 0 && l->pins[0] > 2;
    struct hv_route route[2] = {
        {.gsi = gsi,
         .kind = HV_ROUTE_IRQCHIP,
         .irqchip = {.chip = HV_CHIP_IOAPIC + ioapic, .pin = pit ? 2 : pin}},
        {.gsi = gsi, .kind = HV_ROUTE_IRQCHIP, .irqchip = {.chip = gsi / 8 & 1, .pin = gsi % 8}}};
    uint64_t word = 0;
    (void)route_encode(route, gsi < 16 && gsi != 2 ? 2 : 1, gsi, l, &word);
    return word;
}

int route_default(struct domain *d, const struct route_limits *l)
{
    int error = route_begin(d);
    uint32_t gsi = 0;
    for (uint32_t i = 0; i < l->ioapics; i++)
        for (uint32_t pin = 0; pin < l->pins[i] && gsi < l->gsis && !error; pin++, gsi++) {
            uint64_t word = default_word(l, gsi, i, pin);
            error = route_add(d, &gsi, &word, 1);
        }
    if (error) {
        route_abort(d);
        return error;
    }
    d->routing->limits = *l;
    return route_commit(d);
}

struct route_limits route_limits(const struct domain *d)
{
    const struct domain *manager = domain_get(d->manager);
    if (d->routing)
        return d->routing->limits;
    return (struct route_limits){.gsis = ROUTE_GSIS_DEFAULT,
                                 .manager_vcpus = manager ? manager->max_vcpus : 0,
                                 .output_vcpus = d->outputs ? d->max_vcpus : 0,
                                 .apics = d->irqchip != HV_DOMAIN_IRQCHIP_NONE};
}

static void free_routes(struct domain *d)
{
    struct routing *r = d->routing;
    free_table(d, r->next);
    free_table(d, r->table);
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t j = 0; r->counts[i] && j < 512; j++)
            domain_page_free(d, r->counts[i]->page[j]);
        domain_page_free(d, r->counts[i]);
    }
    d->routing = NULL;
    domain_page_free(d, r);
}

void route_release(struct domain *d)
{
    irqchip_free(d->chips);
    d->chips = NULL;
    if (!d->routing)
        return;
    doorbell_free(d);
    notifier_free(d);
    free_routes(d);
}

struct routing *route_init(struct domain *d)
{
    struct routing *r = d->routing;
    if (r)
        return r;
    r = domain_page_alloc(d);
    if (!r)
        return NULL;
    r->table = domain_page_alloc(d);
    if (!r->table) {
        domain_page_free(d, r);
        return NULL;
    }
    r->limits = route_limits(d);
    d->release = route_release;
    atomic_store_release(&d->routing, r);
    return r;
}
