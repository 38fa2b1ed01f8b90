/* SPDX-License-Identifier: BSD-2-Clause */
/* commands_pirq: the lines of the machine's devices, as the hypervisor has them now; those that nobody has bound are left out. */
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/irq.h"
#include "mgmt/shell/commands.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *state_text(uint32_t flags)
{
    if (flags & HV_PIRQ_STORMED)
        return "storm";
    return flags & HV_PIRQ_WAITS ? "waits" : "open";
}

void commands_lines(int count, char *words[])
{
    static const struct table_column columns[] = {{"gsi", 4},    {"owner", 5},  {"signal", -10},
                                                  {"state", -6}, {"cpu", 3},    {"vector", 6},
                                                  {"fired", 12}, {"storms", 8}, {"limit", 8}};
    struct table table;
    int64_t end = call_capability(HV_CAP_PIRQS);
    table_begin(&table, columns, COUNT(columns), commands_json(&count, words), screen_line);
    for (int64_t gsi = 0; gsi < end; gsi++) {
        struct hv_pirq_info i;
        if (irq_pirq_info((uint64_t)gsi, &i) < 0 || !(i.flags & HV_PIRQ_BOUND))
            continue;
        bool low = i.flags & HV_PIRQ_LOW;
        const struct table_cell cells[] = {
            TABLE_NUMBER((uint64_t)gsi),
            TABLE_NUMBER(i.owner),
            TABLE_TEXT(i.flags & HV_PIRQ_LEVEL ? low ? "level low" : "level high"
                       : low                   ? "edge low"
                                               : "edge high"),
            TABLE_TEXT(state_text(i.flags)),
            TABLE_NUMBER(i.cpu),
            TABLE_NUMBER(i.vector),
            TABLE_NUMBER(i.fired),
            TABLE_NUMBER(i.storms),
            TABLE_NUMBER(i.limit),
        };
        table_row(&table, cells);
    }
    table_end(&table);
}
