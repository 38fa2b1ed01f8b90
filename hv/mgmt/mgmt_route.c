/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on the GSI table of a domain. All but ROUTE_MSI hold the management lock, and with it the list. */
#include "hv/core/gmem.h"
#include "hv/irqchip/irqchip.h"
#include "hv/mgmt/mgmt.h"
#include "hv/route/route.h"

#define SCAN_MAX 4096U /* GSIs that one call looks at */

static uint64_t list_space[(sizeof(struct hv_routes) + HV_ROUTES_MAX * sizeof(struct hv_route)) / 8];
_Static_assert(sizeof(list_space) <= PAGE_SIZE, "a list fits a page");
static struct hv_routes *const list = (struct hv_routes *)(void *)list_space;
static uint32_t gsis[HV_ROUTES_MAX];
static uint64_t words[HV_ROUTES_MAX];

static uint64_t list_size(uint64_t count)
{
    return sizeof(*list) + count * sizeof(list->route[0]);
}

/* The list with its size twice: as argument and in itself. */
static int read_list(struct vcpu *v, gpa_t gpa, uint64_t size, uint64_t used)
{
    if (gpa & 7)
        return -HV_EINVAL;
    if (size > PAGE_SIZE || (gpa & ~PAGE_MASK) + size > PAGE_SIZE)
        return -HV_EFAULT;
    if (size < sizeof(*list) || size > sizeof(list_space))
        return -HV_EINVAL;
    if (gmem_read(v->domain, gpa, list, used ? used : size))
        return -HV_EFAULT;
    return list->size != size || list_size(list->count) != size || list->reserved ? -HV_EINVAL : 0;
}

static uint64_t word_of(const struct domain *d, uint32_t gsi)
{
    return d->routing ? route_get(d->routing, gsi) : 0;
}

int64_t mgmt_route_set(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    uint64_t word;
    int error = mgmt_target(v, args->a0, &d);
    if (!error)
        error = read_list(v, args->a1, args->a2, 0);
    if (error)
        return error;
    const struct route_limits limits = route_limits(d);
    error = route_encode(list->route, list->count, list->gsi, &limits, &word);
    if (error)
        return error;
    return route_init(d) ? route_set(d, list->gsi, word) : -HV_ENOMEM;
}

/* A domain with local APICs has its table from the beginning. */
int64_t mgmt_route_msi(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    uint64_t word;
    int error = mgmt_target_here(v, args->a0, &d);
    if (error)
        return error;
    if (!d->apics)
        return -HV_ENODEV;
    if (args->a1 >= d->routing->limits.gsis || !route_encode_msi(args->a2, args->a3, &word))
        return -HV_EINVAL;
    return route_set(d, args->a1 & (HV_GSI_MAX - 1), word);
}

/* The list as words, one per GSI, rising. */
static int encode_list(const struct route_limits *l, uint32_t *n)
{
    *n = 0;
    for (uint32_t i = 0, end; i < list->count; i = end) {
        for (end = i + 1; end < list->count && list->route[end].gsi == list->route[i].gsi;)
            end++;
        gsis[*n] = list->route[i].gsi;
        int error = route_encode(&list->route[i], end - i, gsis[*n], l, &words[*n]);
        if (error || (*n && gsis[*n] <= gsis[*n - 1]))
            return error ? error : -HV_EINVAL;
        ++*n;
    }
    return 0;
}

int64_t mgmt_route_replace(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    uint64_t flags = args->a3;
    uint32_t n = 0;
    int error = mgmt_target(v, args->a0, &d);
    if (!error)
        error = read_list(v, args->a1, args->a2, 0);
    if (error)
        return error;
    bool abort = flags == HV_REPLACE_ABORT, prepared = d->routing && d->routing->next;
    if ((!abort && (flags & ~(uint64_t)(HV_REPLACE_BEGIN | HV_REPLACE_COMMIT))) || list->gsi ||
        (abort && list->count) || (!(flags & HV_REPLACE_BEGIN) && !prepared))
        return -HV_EINVAL;
    if (abort) {
        route_abort(d);
        return 0;
    }
    const struct route_limits limits = route_limits(d);
    error = encode_list(&limits, &n);
    if (!error && !route_init(d))
        error = -HV_ENOMEM;
    if (!error)
        error = (flags & HV_REPLACE_BEGIN ? route_start : route_add)(d, gsis, words, n);
    if (error)
        return error;
    return flags & HV_REPLACE_COMMIT ? route_commit(d) : 0;
}

int64_t mgmt_route_get(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    int error = mgmt_target(v, args->a0, &d);
    if (!error)
        error = read_list(v, args->a1, args->a2, sizeof(*list));
    if (error)
        return error;
    if (list->count < HV_ROUTES_PER_GSI)
        return -HV_EINVAL;
    uint32_t gsi = list->gsi, end = route_limits(d).gsis, n = 0;
    uint32_t last = gsi < end && end - gsi > SCAN_MAX ? gsi + SCAN_MAX : end;
    for (; gsi < last && n + HV_ROUTES_PER_GSI <= list->count; gsi++) {
        struct hv_route r[HV_ROUTES_PER_GSI];
        uint32_t more = route_decode(word_of(d, gsi), gsi, r);
        for (uint32_t i = 0; i < more; i++)
            list->route[n++] = r[i];
    }
    list->count = n;
    list->gsi = gsi;
    return gmem_write(v->domain, args->a1, list, list_size(n)) ? -HV_EFAULT : (int64_t)n;
}

static bool sends(const struct domain *d, uint64_t word, const struct hv_route_lookup *l)
{
    const uint32_t *dest = l->flags & HV_LOOKUP_DESTINATION ? &l->destination : NULL;
    const struct vlapic_message m = route_message(word);
    if (route_kind(word) == ROUTE_MSI)
        return m.vector == l->vector && (!dest || m.dest == *dest);
    for (uint32_t chip = 0; route_kind(word) == ROUTE_IRQCHIP && chip < HV_CHIP_IOAPIC + HV_IOAPICS_MAX;
         chip++) {
        int pin = route_pin(word, chip);
        if (pin >= 0 && irqchip_sends(d, chip, (uint32_t)pin, (uint8_t)l->vector, dest))
            return true;
    }
    return false;
}

int64_t mgmt_route_lookup(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_route_lookup l;
    int error = mgmt_target(v, args->a0, &d);
    if (!error)
        error = mgmt_copy_in(v, args->a1, &l, sizeof(l));
    if (error)
        return error;
    if ((l.flags & ~HV_LOOKUP_DESTINATION) || l.reserved || l.vector > 255 ||
        (!(l.flags & HV_LOOKUP_DESTINATION) && l.destination))
        return -HV_EINVAL;
    uint32_t end = route_limits(d).gsis, n = 0;
    while (l.gsi < end && n++ < SCAN_MAX && !sends(d, word_of(d, l.gsi), &l))
        l.gsi++;
    if (l.gsi >= end)
        return -HV_ENOENT;
    error = mgmt_copy_out(v, args->a1, &l, sizeof(l));
    return error ? error : n > SCAN_MAX;
}

/* What the pins of a GSI have counted, added up. */
static void pin_stats(struct domain *d, uint32_t gsi, uint64_t *storms, struct hv_route_latency *l)
{
    uint64_t word = word_of(d, gsi);
    *storms = 0;
    for (uint32_t chip = 0; route_kind(word) == ROUTE_IRQCHIP && chip < HV_CHIP_IOAPIC + HV_IOAPICS_MAX;
         chip++)
        if (route_pin(word, chip) >= 0)
            irqchip_pin_stats(d, chip, (uint32_t)route_pin(word, chip), storms, l->count);
}

int64_t mgmt_route_stats(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_route_stats s;
    int error = mgmt_target(v, args->a0, &d);
    if (!error)
        error = mgmt_copy_in(v, args->a1, &s, sizeof(s));
    if (error)
        return error;
    if (s.gsi >= route_limits(d).gsis)
        return -HV_EINVAL;
    s = (struct hv_route_stats){.size = sizeof(s), .gsi = s.gsi};
    const struct route_counts *c = d->routing ? route_counts(d->routing, s.gsi) : NULL;
    if (c) {
        s.fired = atomic_load_relaxed(&c->fired);
        s.coalesced = atomic_load_relaxed(&c->coalesced);
        s.masked = atomic_load_relaxed(&c->masked);
        s.acknowledged = atomic_load_relaxed(&c->acknowledged);
        s.delivered = s.fired > s.coalesced + s.masked ? s.fired - s.coalesced - s.masked : 0;
    }
    struct hv_route_latency unused = {0};
    pin_stats(d, s.gsi, &s.storms, &unused);
    return mgmt_copy_out(v, args->a1, &s, sizeof(s));
}

int64_t mgmt_route_latency(struct vcpu *v, const struct mgmt_args *args)
{
    struct domain *d = NULL;
    struct hv_route_latency l;
    uint64_t storms;
    int error = mgmt_target(v, args->a0, &d);
    if (!error)
        error = mgmt_copy_in(v, args->a1, &l, sizeof(l));
    if (error)
        return error;
    if (l.gsi >= route_limits(d).gsis)
        return -HV_EINVAL;
    l = (struct hv_route_latency){.size = sizeof(l), .gsi = l.gsi};
    pin_stats(d, l.gsi, &storms, &l);
    return mgmt_copy_out(v, args->a1, &l, sizeof(l));
}
