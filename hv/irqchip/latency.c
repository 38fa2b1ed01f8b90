/* SPDX-License-Identifier: BSD-2-Clause */
/* Histograms of the pins: see latency.h. */
#include "hv/irqchip/latency.h"

static struct latency_pin *at(const struct latency *l, uint32_t pin)
{
    return &l->page[pin / LATENCY_PER_PAGE % LATENCY_PAGES][pin % LATENCY_PER_PAGE];
}

bool latency_create(struct latency *l, struct domain *d, uint32_t pins)
{
    for (uint32_t i = 0; i * LATENCY_PER_PAGE < pins; i++) {
        l->page[i] = domain_page_alloc(d);
        if (!l->page[i])
            return false;
    }
    return true;
}

void latency_free(struct latency *l, struct domain *d)
{
    for (uint32_t i = 0; i < LATENCY_PAGES; i++)
        domain_page_free(d, l->page[i]);
}

void latency_begin(struct latency *l, uint32_t pin, uint64_t now)
{
    at(l, pin)->since = now;
}

/* TSCs of two CPUs may differ by little: then it was fast. */
void latency_end(struct latency *l, uint32_t pin, uint64_t now)
{
    struct latency_pin *p = at(l, pin);
    uint64_t units = now > p->since ? (now - p->since) >> HV_LATENCY_SHIFT : 0;
    uint32_t bucket = units ? 64 - (uint32_t)__builtin_clzll(units) : 0;
    if (p->since)
        p->count[bucket < HV_LATENCY_BUCKETS ? bucket : HV_LATENCY_BUCKETS - 1]++;
    p->since = 0;
}

void latency_add(const struct latency *l, uint32_t pin, uint32_t count[HV_LATENCY_BUCKETS])
{
    for (uint32_t i = 0; i < HV_LATENCY_BUCKETS; i++)
        count[i] += at(l, pin)->count[i];
}
