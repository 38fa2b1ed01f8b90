/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: see top.h. A picture is three tables: what each vCPU did, which exits were most frequent, and which routes
 * of interrupts. Shares and rates are those of the time since the last picture; the first picture shows shares of the
 * time since the vCPU was made, and no rates.
 */
#include "mgmt/shell/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/events.h"
#include "mgmt/lib/irq.h"
#include "mgmt/shell/exit_name.h"
#include "mgmt/shell/guest.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/table.h"

enum { REASONS = 72, ROUTES = 256, ASK = 64, SHOWN = 8 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of one vCPU, at the last picture. */
struct sample {
    uint32_t domain; /* 0: none yet */
    uint64_t running, runnable, blocked, offline, exits;
};

/* Of one GSI with a route. */
struct route {
    uint32_t gsi;
    uint64_t fired, delivered;
};

/* Of one domain. */
struct domain_sample {
    uint32_t domain; /* 0: none yet */
    uint64_t exits[REASONS];
    uint32_t routes;
    struct route route[ROUTES];
};

/* A line that may be shown: the largest `rate` come first. */
struct line {
    const struct guest *guest;
    uint32_t what; /* reason or GSI */
    uint64_t rate, delivered;
};

static struct sample (*samples)[DOMAIN_VCPUS_MAX]; /* by guest */
static struct domain_sample *domains;              /* by guest */
static struct events_timer timer;
static uint64_t khz, drawn_at;

static void print(const char *line, size_t length)
{
    static const char end[] = "\033[K\n"; /* nothing stays of the last picture */
    screen_raw_bytes(line, length);
    screen_raw_bytes(end, sizeof(end) - 1);
}

static uint64_t per_second(uint64_t count, uint64_t ticks)
{
    return ticks < khz ? 0 : count * 1000 / (ticks / khz);
}

/* Into the SHOWN largest, falling. */
static void offer(struct line lines[SHOWN], struct line new)
{
    for (uint32_t i = 0; i < SHOWN && new.rate; i++) {
        if (new.rate <= lines[i].rate)
            continue;
        struct line old = lines[i];
        lines[i] = new;
        new = old;
    }
}

static void add_vcpu(struct table *table, const struct guest *guest, uint32_t vcpu, struct sample *last,
                     uint64_t exits[REASONS])
{
    static const char *const states[] = {"stopped", "runnable", "running", "blocked", "service"};
    struct hv_vcpu_info info;
    if (call_vcpu_info(guest->id, vcpu, &info) < 0)
        return;
    struct sample now = {guest->id,          info.ticks_running, info.ticks_runnable,
                         info.ticks_blocked, info.ticks_offline, info.exits};
    for (uint32_t i = 0; i < REASONS; i++)
        exits[i] += info.exits_by_reason[i];
    if (last->domain != guest->id)
        *last = (struct sample){.domain = guest->id};
    uint64_t all = now.running - last->running + now.runnable - last->runnable + now.blocked - last->blocked +
                   now.offline - last->offline;
    if (all == 0)
        all = 1;
    const struct table_cell cells[] = {
        TABLE_TEXT(guest->config->name),
        TABLE_NUMBER(vcpu),
        TABLE_TEXT(info.state < COUNT(states) ? states[info.state] : "?"),
        TABLE_NUMBER(info.cpu),
        TABLE_NUMBER((now.running - last->running) * 100 / all),
        TABLE_NUMBER((now.runnable - last->runnable) * 100 / all),
        TABLE_NUMBER((now.blocked - last->blocked) * 100 / all),
        TABLE_NUMBER((now.offline - last->offline) * 100 / all),
        TABLE_NUMBER(now.exits - last->exits),
    };
    table_row(table, cells);
    *last = now;
}

static void add_guest(struct table *table, uint32_t index, uint64_t ticks, struct line lines[SHOWN])
{
    const struct guest *guest = guest_get(index);
    struct domain_sample *last = &domains[index];
    uint64_t exits[REASONS] = {0};
    bool known = last->domain == guest->id;
    for (uint32_t vcpu = 0; vcpu < guest->config->vcpus; vcpu++)
        add_vcpu(table, guest, vcpu, &samples[index][vcpu], exits);
    for (uint32_t i = 0; i < REASONS && known; i++)
        offer(lines, (struct line){guest, i, per_second(exits[i] - last->exits[i], ticks), 0});
    memcpy(last->exits, exits, sizeof(exits));
}

/* GSIs come rising, in the sample as from the call. */
static void add_routes(uint32_t index, uint64_t ticks, struct line lines[SHOWN])
{
    static struct hv_route routes[ASK];
    static struct route now[ROUTES];
    const struct guest *guest = guest_get(index);
    struct domain_sample *last = &domains[index];
    struct hv_route_stats s;
    uint32_t gsi = 0, n = 0, old = 0, had = last->domain == guest->id ? last->routes : 0;
    int64_t got;
    while (n < ROUTES && (got = irq_route_get(guest->id, &gsi, routes, ASK)) > 0)
        for (int64_t i = 0; i < got && n < ROUTES; i++) {
            if ((n && now[n - 1].gsi == routes[i].gsi) || irq_route_stats(guest->id, routes[i].gsi, &s) < 0)
                continue;
            now[n] = (struct route){routes[i].gsi, s.fired, s.delivered};
            while (old < had && last->route[old].gsi < now[n].gsi)
                old++;
            if (old < had && last->route[old].gsi == now[n].gsi)
                offer(lines,
                      (struct line){guest, now[n].gsi, per_second(s.fired - last->route[old].fired, ticks),
                                    per_second(s.delivered - last->route[old].delivered, ticks)});
            n++;
        }
    memcpy(last->route, now, n * sizeof(now[0]));
    last->routes = n;
}

static void show_exits(const struct line lines[SHOWN])
{
    static const struct table_column columns[] = {{"domain", -16}, {"exit", -14}, {"per_second", 11}};
    struct table table;
    table_begin(&table, columns, COUNT(columns), false, print);
    for (uint32_t i = 0; i < SHOWN && lines[i].rate; i++) {
        const struct table_cell cells[] = {TABLE_TEXT(lines[i].guest->config->name),
                                           TABLE_TEXT(exit_name(lines[i].what)), TABLE_NUMBER(lines[i].rate)};
        table_row(&table, cells);
    }
    table_end(&table);
}

static void show_routes(const struct line lines[SHOWN])
{
    static const struct table_column columns[] = {
        {"domain", -16}, {"gsi", -14}, {"per_second", 11}, {"delivered", 11}};
    struct table table;
    table_begin(&table, columns, COUNT(columns), false, print);
    for (uint32_t i = 0; i < SHOWN && lines[i].rate; i++) {
        const struct table_cell cells[] = {TABLE_TEXT(lines[i].guest->config->name),
                                           TABLE_NUMBER(lines[i].what), TABLE_NUMBER(lines[i].rate),
                                           TABLE_NUMBER(lines[i].delivered)};
        table_row(&table, cells);
    }
    table_end(&table);
}

static void draw(void *ctx)
{
    static const struct table_column columns[] = {{"domain", -16},  {"vcpu", 4},      {"state", -8},
                                                  {"cpu", 3},       {"running_%", 9}, {"runnable_%", 10},
                                                  {"blocked_%", 9}, {"offline_%", 9}, {"exits", 10}};
    static const char home[] = "\033[H", rest[] = "any key ends this\033[J\r";
    struct line exits[SHOWN] = {{0}}, routes[SHOWN] = {{0}};
    uint64_t now = events_now(), ticks = now - drawn_at;
    struct table table;
    (void)ctx;
    screen_raw_bytes(home, sizeof(home) - 1);
    table_begin(&table, columns, COUNT(columns), false, print);
    for (uint32_t i = 0; i < guest_count(); i++) {
        if (!guest_get(i)->domain)
            continue;
        add_guest(&table, i, ticks, exits);
        add_routes(i, ticks, routes);
        domains[i].domain = guest_get(i)->id;
    }
    table_end(&table);
    print("", 0);
    show_exits(exits);
    print("", 0);
    show_routes(routes);
    print("", 0);
    screen_raw_bytes(rest, sizeof(rest) - 1);
    drawn_at = now;
    events_timer_set(&timer, events_now() + khz * 1000, draw, NULL);
}

void top_start(uint64_t tsc_khz)
{
    static const char clear[] = "\033[2J";
    uint32_t guests = guest_count() ? guest_count() : 1;
    khz = tsc_khz;
    drawn_at = events_now();
    samples = calloc(guests, sizeof(*samples));
    domains = calloc(guests, sizeof(*domains));
    screen_raw(true);
    if (!samples || !domains) {
        screen_printf("top: the manager's own memory is used up");
        return;
    }
    screen_raw_bytes(clear, sizeof(clear) - 1);
    draw(NULL);
}

void top_stop(void)
{
    events_timer_cancel(&timer);
    free(samples);
    free(domains);
    screen_raw_bytes("\n", 1);
    screen_raw(false);
}
