/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands_show: the commands that only show something.
 */
#include <stdio.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/shell/commands.h"
#include "mgmt/shell/exit_name.h"
#include "mgmt/shell/modules.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/table.h"

enum { DMESG_ROUNDS = 256, RESULT_SIZE = 120 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t ms(uint64_t ticks)
{
    return ticks / commands_khz();
}

bool commands_json(int *count, char *words[])
{
    for (int i = 1; i < *count; i++) {
        if (strcmp(words[i], "--json") != 0)
            continue;
        (*count)--;
        memmove(&words[i], &words[i + 1], (size_t)(*count - i) * sizeof(words[0]));
        return true;
    }
    return false;
}

/* The guest that words[1] names; *all: none is named. False: it does not exist, which was said. */
static bool chosen(int count, char *words[], struct guest **one)
{
    *one = count > 1 ? commands_guest(words[1]) : NULL;
    return count == 1 || *one;
}

void commands_list(int count, char *words[])
{
    static const struct table_column columns[] = {{"id", 4},          {"name", -24}, {"state", -8},
                                                  {"memory_kib", 11}, {"vcpus", 5},  {"last_result", -1}};
    struct table table;
    bool json = commands_json(&count, words);
    table_begin(&table, columns, COUNT(columns), json, screen_line);
    for (uint32_t i = 0; i < guest_count(); i++) {
        const struct guest *guest = guest_get(i);
        char result[RESULT_SIZE];
        if (guest->foreign && !guest->domain)
            continue;
        guest_result_text(guest, result, sizeof(result));
        const struct table_cell cells[] = {
            guest->domain ? TABLE_NUMBER(guest->id) : TABLE_NONE,
            TABLE_TEXT(guest->config->name),
            TABLE_TEXT(guest_state_text(guest)),
            TABLE_NUMBER(guest->config->memory >> 10),
            TABLE_NUMBER(guest->config->vcpus),
            TABLE_TEXT(result),
        };
        table_row(&table, cells);
    }
    table_end(&table);
    if (!json)
        screen_printf("%llu MiB free for domains", (unsigned long long)commands_frames()->free_pages >> 8);
}

void commands_info(int count, char *words[])
{
    static const struct table_column columns[] = {{"what", -22}, {"value", -1}};
    struct hv_domain_info info = {.size = 0};
    struct table table;
    char result[RESULT_SIZE];
    bool json = commands_json(&count, words);
    struct guest *guest = count > 1 ? commands_guest(words[1]) : NULL;
    if (count == 1)
        screen_printf("usage: info domain");
    if (!guest)
        return;
    if (guest->domain)
        (void)call_domain_info(guest->id, &info);
    guest_result_text(guest, result, sizeof(result));
    const struct {
        const char *what;
        struct table_cell value;
    } rows[] = {
        {"name", TABLE_TEXT(guest->config->name)},
        {"state", TABLE_TEXT(guest_state_text(guest))},
        {"last result", TABLE_TEXT(result)},
        {"kernel", TABLE_TEXT(guest->config->kernel)},
        {"command line", TABLE_TEXT(guest->config->cmdline)},
        {"vCPUs", TABLE_NUMBER(info.vcpus)},
        {"KiB donated", TABLE_NUMBER(info.memory_pages * 4)},
        {"KiB shared", TABLE_NUMBER(info.shared_pages * 4)},
        {"KiB of the hypervisor", TABLE_NUMBER(info.pool_pages * 4)},
        {"console bytes", TABLE_NUMBER(guest->console.bytes)},
        {"writes to port 0x80", TABLE_NUMBER(guest->post_port.writes)},
        {"last of them", TABLE_NUMBER(post_port_last(&guest->post_port))},
    };
    table_begin(&table, columns, COUNT(columns), json, screen_line);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct table_cell cells[] = {TABLE_TEXT(rows[i].what), rows[i].value};
        table_row(&table, cells);
    }
    table_end(&table);
}

static void add_vcpus(struct table *table, const struct guest *guest)
{
    static const char *const states[] = {"stopped", "runnable", "running", "blocked", "service"};
    struct hv_vcpu_info info;
    for (uint32_t vcpu = 0; vcpu < guest->config->vcpus; vcpu++) {
        if (call_vcpu_info(guest->id, vcpu, &info) < 0)
            continue;
        const struct table_cell cells[] = {
            TABLE_TEXT(guest->config->name),
            TABLE_NUMBER(vcpu),
            TABLE_TEXT(info.state < COUNT(states) ? states[info.state] : "?"),
            TABLE_NUMBER(info.cpu),
            TABLE_NUMBER(info.priority),
            TABLE_NUMBER(ms(info.ticks_running)),
            TABLE_NUMBER(ms(info.ticks_runnable)),
            TABLE_NUMBER(ms(info.ticks_blocked)),
            TABLE_NUMBER(ms(info.ticks_offline)),
            TABLE_NUMBER(info.exits),
        };
        table_row(table, cells);
    }
}

void commands_vcpus(int count, char *words[])
{
    static const struct table_column columns[] = {
        {"domain", -16},    {"vcpu", 4},         {"state", -8},      {"cpu", 3},         {"priority", 8},
        {"running_ms", 10}, {"runnable_ms", 11}, {"blocked_ms", 10}, {"offline_ms", 10}, {"exits", 12}};
    struct table table;
    struct guest *one;
    bool json = commands_json(&count, words);
    if (!chosen(count, words, &one))
        return;
    table_begin(&table, columns, COUNT(columns), json, screen_line);
    for (uint32_t i = 0; i < guest_count(); i++)
        if (guest_get(i)->domain && (!one || one == guest_get(i)))
            add_vcpus(&table, guest_get(i));
    table_end(&table);
}

static void print_cpus(bool json)
{
    static const struct table_column columns[] = {{"cpu", 3},       {"apic_id", 7}, {"idle_ms", 12},
                                                  {"guest_ms", 12}, {"exits", 14},  {"switches", 10},
                                                  {"runnable", 8}};
    struct hv_system_info system;
    struct hv_cpu_info info;
    struct table table;
    if (!json && call_system_info(&system) >= 0)
        screen_printf("hypervisor's memory: %llu of %llu KiB free; %u domains",
                      (unsigned long long)system.pool_free >> 10, (unsigned long long)system.pool_total >> 10,
                      system.domains);
    table_begin(&table, columns, COUNT(columns), json, screen_line);
    for (uint32_t cpu = 0; call_cpu_info(cpu, &info) >= 0; cpu++) {
        const struct table_cell cells[] = {
            TABLE_NUMBER(cpu),
            TABLE_NUMBER(info.apic_id),
            TABLE_NUMBER(ms(info.ticks_idle)),
            TABLE_NUMBER(ms(info.ticks_guest)),
            TABLE_NUMBER(info.exits),
            TABLE_NUMBER(info.switches),
            TABLE_NUMBER(info.runnable),
        };
        table_row(&table, cells);
    }
    table_end(&table);
}

static void print_exits(const struct guest *guest, bool json)
{
    static const struct table_column columns[] = {{"vcpu", 4}, {"reason", 6}, {"name", -14}, {"exits", 14}};
    struct hv_vcpu_info info;
    struct table table;
    table_begin(&table, columns, COUNT(columns), json, screen_line);
    for (uint32_t vcpu = 0; vcpu < guest->config->vcpus; vcpu++) {
        if (!guest->domain || call_vcpu_info(guest->id, vcpu, &info) < 0)
            continue;
        for (uint32_t reason = 0; reason < COUNT(info.exits_by_reason); reason++) {
            const struct table_cell cells[] = {TABLE_NUMBER(vcpu), TABLE_NUMBER(reason),
                                               TABLE_TEXT(exit_name(reason)),
                                               TABLE_NUMBER(info.exits_by_reason[reason])};
            if (info.exits_by_reason[reason] != 0)
                table_row(&table, cells);
        }
    }
    table_end(&table);
}

void commands_stats(int count, char *words[])
{
    struct guest *guest;
    bool json = commands_json(&count, words);
    if (!chosen(count, words, &guest))
        return;
    if (guest)
        print_exits(guest, json);
    else
        print_cpus(json);
}

void commands_modules(int count, char *words[])
{
    static const struct table_column columns[] = {
        {"module", 6}, {"name", -24}, {"bytes", 12}, {"arguments", -1}};
    struct table table;
    table_begin(&table, columns, COUNT(columns), commands_json(&count, words), screen_line);
    for (uint32_t i = 0; i < modules_count(); i++) {
        const struct module *module = modules_get(i);
        const struct table_cell cells[] = {TABLE_NUMBER(i), TABLE_TEXT(module->name),
                                           TABLE_NUMBER(module->size), TABLE_TEXT(module->arguments)};
        table_row(&table, cells);
    }
    table_end(&table);
}

/* A line of the log; its room has place for a NUL. */
static void show_log_line(struct table *table, char *line, size_t length)
{
    line[length] = '\0';
    const struct table_cell cells[] = {TABLE_TEXT(line)};
    if (table->json)
        table_row(table, cells);
    else
        screen_line(line, length);
}

void commands_dmesg(int count, char *words[])
{
    static const struct table_column columns[] = {{"line", -1}};
    uint64_t position = 0, lost = 0, lost_before = 0;
    char text[1024], line[257];
    size_t length = 0;
    int64_t got = 0;
    struct table table = {.json = commands_json(&count, words)};
    if (table.json)
        table_begin(&table, columns, COUNT(columns), true, screen_line);
    /* What is printed here is logged again where the console is part of the log: stop some time. */
    for (int round = 0; round < DMESG_ROUNDS; round++) {
        got = call_log_read(&position, &lost, text, sizeof(text));
        if (got <= 0)
            break;
        lost_before += lost;
        for (int64_t i = 0; i < got; i++) {
            if (text[i] != '\n')
                line[length++] = text[i];
            if (text[i] != '\n' && length + 1 < sizeof(line))
                continue;
            show_log_line(&table, line, length);
            length = 0;
        }
    }
    if (length > 0)
        show_log_line(&table, line, length);
    if (table.json)
        table_end(&table);
    else if (lost_before != 0)
        screen_printf("(%llu bytes were overwritten before)", (unsigned long long)lost_before);
    if (got < 0)
        screen_printf("the log cannot be read: %s", hv_error_text(got));
}
