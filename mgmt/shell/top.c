/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: see top.h. Shares are those of the time since the last picture; the first picture shows the
 * time since the vCPU was made.
 */
#include "mgmt/shell/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/events.h"
#include "mgmt/shell/guest.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/table.h"

/* Of one vCPU, at the last picture. */
struct sample {
    uint32_t domain; /* 0: none yet */
    uint64_t running, runnable, blocked, offline, exits;
};

static struct sample (*samples)[DOMAIN_VCPUS_MAX]; /* by guest */
static struct events_timer timer;
static uint64_t khz;

static void print(const char *line, size_t length)
{
    static const char end[] = "\033[K\n"; /* nothing stays of the last picture */
    screen_raw_bytes(line, length);
    screen_raw_bytes(end, sizeof(end) - 1);
}

static void add_row(struct table *table, const struct guest *guest, uint32_t vcpu, struct sample *last)
{
    static const char *const states[] = {"stopped", "runnable", "running", "blocked", "service"};
    struct hv_vcpu_info info;
    if (call_vcpu_info(guest->id, vcpu, &info) < 0)
        return;
    struct sample now = {guest->id,          info.ticks_running, info.ticks_runnable,
                         info.ticks_blocked, info.ticks_offline, info.exits};
    if (last->domain != guest->id)
        *last = (struct sample){.domain = guest->id};
    uint64_t all = now.running - last->running + now.runnable - last->runnable + now.blocked - last->blocked +
                   now.offline - last->offline;
    if (all == 0)
        all = 1;
    const struct table_cell cells[] = {
        TABLE_TEXT(guest->config->name),
        TABLE_NUMBER(vcpu),
        TABLE_TEXT(info.state < sizeof(states) / sizeof(states[0]) ? states[info.state] : "?"),
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

static void draw(void *ctx)
{
    static const struct table_column columns[] = {{"domain", -16},  {"vcpu", 4},      {"state", -8},
                                                  {"cpu", 3},       {"running_%", 9}, {"runnable_%", 10},
                                                  {"blocked_%", 9}, {"offline_%", 9}, {"exits", 10}};
    static const char home[] = "\033[H", rest[] = "any key ends this\033[J\r";
    struct table table;
    (void)ctx;
    screen_raw_bytes(home, sizeof(home) - 1);
    table_begin(&table, columns, sizeof(columns) / sizeof(columns[0]), false, print);
    for (uint32_t i = 0; i < guest_count(); i++)
        for (uint32_t vcpu = 0; guest_get(i)->domain && vcpu < guest_get(i)->config->vcpus; vcpu++)
            add_row(&table, guest_get(i), vcpu, &samples[i][vcpu]);
    table_end(&table);
    screen_raw_bytes(rest, sizeof(rest) - 1);
    events_timer_set(&timer, events_now() + khz * 1000, draw, NULL);
}

void top_start(uint64_t tsc_khz)
{
    static const char clear[] = "\033[2J";
    khz = tsc_khz;
    if (!samples)
        samples = calloc(guest_count() ? guest_count() : 1, sizeof(*samples));
    if (!samples) {
        screen_printf("top: the manager's own memory is used up");
        return;
    }
    screen_raw(true);
    screen_raw_bytes(clear, sizeof(clear) - 1);
    draw(NULL);
}

void top_stop(void)
{
    events_timer_cancel(&timer);
    screen_raw_bytes("\n", 1);
    screen_raw(false);
}
