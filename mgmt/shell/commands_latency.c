/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands_latency: how long a domain's interrupts take. The hypervisor counts all the time; a histogram has only what ends in a
 * way that it sees (guest_abi/hv_route.h), so GSIs without an entry are left out.
 */
#include <stdio.h>

#include "mgmt/lib/irq.h"
#include "mgmt/shell/commands.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/table.h"

enum { ASK = 64 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct guest *there(const char *word)
{
    struct guest *guest = commands_guest(word);
    if (guest && !guest->domain)
        screen_printf("domain (%s): it is %s", guest->config->name, guest_state_text(guest));
    return guest && guest->domain ? guest : NULL;
}

/* Upper bound of a bucket in nanoseconds. */
static uint64_t bound_ns(uint32_t bucket)
{
    return commands_khz() ? (1ULL << (HV_LATENCY_SHIFT + bucket)) * 1000000 / commands_khz() : 0;
}

static void add_histogram(struct table *table, const struct hv_route_latency *latency)
{
    uint64_t all = 0, so_far = 0;
    for (uint32_t i = 0; i < HV_LATENCY_BUCKETS; i++)
        all += latency->count[i];
    for (uint32_t i = 0; i < HV_LATENCY_BUCKETS; i++) {
        so_far += latency->count[i];
        const struct table_cell cells[] = {
            TABLE_NUMBER(latency->gsi),
            i + 1 < HV_LATENCY_BUCKETS ? TABLE_NUMBER(bound_ns(i)) : TABLE_NONE,
            TABLE_NUMBER(latency->count[i]),
            TABLE_NUMBER(all ? so_far * 100 / all : 0),
        };
        if (latency->count[i])
            table_row(table, cells);
    }
}

/* "domain [--json]": one row for each bucket that has something. */
void commands_latency(int count, char *words[])
{
    static const struct table_column columns[] = {
        {"gsi", 6}, {"below_ns", 12}, {"count", 12}, {"percent", 7}};
    static struct hv_route routes[ASK];
    struct hv_route_latency latency;
    struct table table;
    uint32_t gsi = 0, last = UINT32_MAX;
    int64_t got;
    bool json = commands_json(&count, words);
    struct guest *guest = count == 2 ? there(words[1]) : NULL;
    if (count != 2)
        screen_printf("usage: latency domain [--json]");
    if (!guest)
        return;
    table_begin(&table, columns, COUNT(columns), json, screen_line);
    while ((got = irq_route_get(guest->id, &gsi, routes, ASK)) > 0)
        for (int64_t i = 0; i < got; i++) {
            bool pin = routes[i].kind == HV_ROUTE_IRQCHIP && routes[i].gsi != last;
            last = routes[i].gsi;
            if (pin && irq_route_latency(guest->id, last, &latency) >= 0)
                add_histogram(&table, &latency);
        }
    table_end(&table);
}
