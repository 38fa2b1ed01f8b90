/* SPDX-License-Identifier: BSD-2-Clause */
/* commands_trace: turning tracing on and off, and its dump. */
#include <stdlib.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/shell/commands.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/table.h"
#include "mgmt/shell/trace_dump.h"

enum { PAGES = 8 };

static const char nothing[] = "nothing is traced; \"trace start\" begins";

static bool number(const char *word, uint64_t least, uint64_t most, uint64_t *value)
{
    char *end;
    *value = strtoull(word, &end, 10);
    return *word >= '0' && *word <= '9' && *end == '\0' && *value >= least && *value <= most;
}

static void start(const char *cpus_word, const char *pages_word)
{
    uint64_t cpus, pages = PAGES;
    if (!config_cpus(cpus_word, &cpus)) {
        screen_printf("%s: write CPUs from 0 to 63 like 0,2-3, or all", cpus_word);
        return;
    }
    if (pages_word && (!number(pages_word, 1, HV_TRACE_PAGES_MAX, &pages) || (pages & (pages - 1)))) {
        screen_printf("%s: write a power of two up to %u, of pages for each CPU", pages_word,
                      HV_TRACE_PAGES_MAX);
        return;
    }
    (void)call_trace_control(HV_TRACE_FREE, 0, 0, 0);
    int64_t result = call_trace_control(HV_TRACE_START, (uint32_t)pages, cpus,
                                        (1U << HV_TRACE_KINDS) - (1U << HV_TRACE_EXIT));
    if (result < 0)
        screen_printf("nothing is traced: %s",
                      result == -HV_EINVAL   ? "this machine has none of these CPUs"
                      : result == -HV_ENOMEM ? "the hypervisor has not enough memory left; take fewer pages"
                                             : hv_error_text(result));
    else
        screen_printf("CPUs %s are traced; each keeps its last %u records", cpus_word,
                      (unsigned)pages * HV_TRACE_PAGE_RECORDS - 1);
}

static void stop(enum hv_trace_op how)
{
    int64_t result = call_trace_control(how, 0, 0, 0);
    screen_printf("%s", result < 0             ? hv_error_text(result)
                        : how == HV_TRACE_STOP ? "stopped; \"trace dump\" prints what was recorded"
                                               : "off; what was recorded is gone");
}

static bool traced(uint32_t cpu, uint64_t *written)
{
    uint64_t position = 0, lost;
    return call_trace_read(cpu, &position, &lost, written, NULL, 0) >= 0;
}

static void show(bool json)
{
    static const struct table_column columns[] = {{"cpu", 3}, {"records", 14}};
    struct table table;
    table_begin(&table, columns, sizeof(columns) / sizeof(columns[0]), json, screen_line);
    for (uint32_t cpu = 0; cpu < call_capability(HV_CAP_CPUS); cpu++) {
        uint64_t written;
        if (!traced(cpu, &written))
            continue;
        const struct table_cell cells[] = {TABLE_NUMBER(cpu), TABLE_NUMBER(written)};
        table_row(&table, cells);
    }
    table_end(&table);
    if (!json && table.rows == 0)
        screen_printf("%s", nothing);
}

/* True: there is something to dump. */
static bool dump(uint64_t records)
{
    uint64_t written;
    trace_dump_want(records);
    for (uint32_t cpu = 0; cpu < call_capability(HV_CAP_CPUS); cpu++)
        if (traced(cpu, &written))
            return true;
    screen_printf("%s", nothing);
    return false;
}

bool commands_trace(int count, char *words[])
{
    uint64_t records = 0;
    bool json = commands_json(&count, words);
    const char *what = count > 1 ? words[1] : "";
    if (count == 1)
        show(json);
    else if (json)
        screen_printf("--json is for \"trace\" alone");
    else if (!strcmp(what, "start"))
        start(count > 2 ? words[2] : "all", count > 3 ? words[3] : NULL);
    else if (!strcmp(what, "stop") && count == 2)
        stop(HV_TRACE_STOP);
    else if (!strcmp(what, "off") && count == 2)
        stop(HV_TRACE_FREE);
    else if (!strcmp(what, "dump") && count < 4 &&
             (count == 2 || number(words[2], 1, UINT32_MAX, &records))) {
        return dump(records);
    } else
        screen_printf("usage: trace [start [cpus [pages]] | stop | dump [records] | off]");
    return false;
}
