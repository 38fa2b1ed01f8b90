/* SPDX-License-Identifier: BSD-2-Clause */
/* commands_apics: the local APICs of domains: what the processor does of them, and what has gone through them. */
#include "mgmt/lib/call.h"
#include "mgmt/shell/commands.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Why it is not level pi: "-" when it is. */
static const char *reason(uint32_t inhibits)
{
    if (inhibits & HV_APIC_INHIBIT_ABSENT)
        return "absent";
    if (inhibits & HV_APIC_INHIBIT_OFF)
        return "off";
    if (inhibits & HV_APIC_INHIBIT_SOFTWARE)
        return "software";
    return inhibits & HV_APIC_INHIBIT_MACHINE ? "machine" : "-";
}

static void add_apics(struct table *table, const struct guest *guest)
{
    static const char *const modes[] = {"none", "off", "xapic", "x2apic"};
    static const char *const levels[] = {"none", "tpr", "regs", "vid", "pi"};
    struct hv_vcpu_apic apic;
    for (uint32_t vcpu = 0; vcpu < guest->config->vcpus; vcpu++) {
        if (call_vcpu_apic(guest->id, vcpu, &apic) < 0)
            continue;
        const struct table_cell cells[] = {
            TABLE_TEXT(guest->config->name),
            TABLE_NUMBER(vcpu),
            TABLE_NUMBER(apic.id),
            TABLE_TEXT(apic.mode < COUNT(modes) ? modes[apic.mode] : "?"),
            TABLE_TEXT(apic.level < COUNT(levels) ? levels[apic.level] : "?"),
            TABLE_TEXT(reason(apic.inhibits)),
            TABLE_NUMBER(apic.count[HV_APIC_ACCEPTED]),
            TABLE_NUMBER(apic.count[HV_APIC_MERGED]),
            TABLE_NUMBER(apic.count[HV_APIC_REFUSED]),
            TABLE_NUMBER(apic.count[HV_APIC_ERRORS]),
            TABLE_NUMBER(apic.count[HV_APIC_IPI]),
            TABLE_NUMBER(apic.count[HV_APIC_TIMER]),
            TABLE_NUMBER(apic.count[HV_APIC_LVT]),
            TABLE_NUMBER(apic.count[HV_APIC_EOI]),
            TABLE_NUMBER(apic.count[HV_APIC_SPURIOUS]),
        };
        table_row(table, cells);
    }
}

void commands_apics(int count, char *words[])
{
    static const struct table_column columns[] = {
        {"domain", -16}, {"vcpu", 4},     {"id", 3},     {"mode", -6},   {"level", -5},
        {"limit", -8},   {"accepted", 9}, {"merged", 8}, {"refused", 7}, {"errors", 6},
        {"ipis", 9},     {"timer", 8},    {"local", 8},  {"eois", 9},    {"spurious", 8}};
    struct table table;
    bool json = commands_json(&count, words);
    struct guest *one = count > 1 ? commands_guest(words[1]) : NULL;
    if (count > 1 && !one)
        return;
    table_begin(&table, columns, COUNT(columns), json, screen_line);
    for (uint32_t i = 0; i < guest_count(); i++)
        if (guest_get(i)->domain && (!one || one == guest_get(i)))
            add_apics(&table, guest_get(i));
    table_end(&table);
}
