/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands_show: the commands that only show something.
 */
#include <stdio.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/shell/commands.h"
#include "mgmt/shell/modules.h"
#include "mgmt/shell/screen.h"

enum { DMESG_ROUNDS = 256 };

static unsigned long long ms(uint64_t ticks)
{
    return ticks / commands_khz();
}

void commands_list(int count, char *words[])
{
    (void)count;
    (void)words;
    screen_printf("  id  %-24s %-10s %10s %5s  last result", "name", "state", "memory", "vcpus");
    for (uint32_t i = 0; i < guest_count(); i++) {
        const struct guest *guest = guest_get(i);
        char result[120], id[12] = "-";
        guest_result_text(guest, result, sizeof(result));
        if (guest->domain)
            snprintf(id, sizeof(id), "%u", guest->id);
        screen_printf("%4s  %-24s %-10s %6llu KiB %5u  %s", id, guest->config->name,
                      guest_state_text(guest), (unsigned long long)guest->config->memory >> 10,
                      guest->config->vcpus, result);
    }
    screen_printf("%llu MiB free for domains",
                  (unsigned long long)commands_frames()->free_pages >> 8);
}

void commands_info(int count, char *words[])
{
    struct hv_domain_info info;
    struct guest *guest = commands_guest(words[1]);
    (void)count;
    if (!guest)
        return;
    const struct config_domain *config = guest->config;
    screen_printf("%s: %s, kernel %s, arguments \"%s\"", config->name, guest_state_text(guest),
                  config->kernel, config->cmdline);
    if (!guest->domain)
        return;
    int64_t result = call_domain_info(guest->id, &info);
    if (result < 0) {
        screen_printf("the hypervisor does not tell: %s", hv_error_text(result));
        return;
    }
    screen_printf(
        "  domain %u: %u of %u vCPUs, %llu KiB donated, %llu KiB shared, costs the "
        "hypervisor %llu KiB",
        info.domain, info.vcpus, info.max_vcpus, (unsigned long long)info.memory_pages * 4,
        (unsigned long long)info.shared_pages * 4, (unsigned long long)info.pool_pages * 4);
    screen_printf("  console: %llu bytes; port 0x80: %llu writes, last byte %#x",
                  (unsigned long long)guest->console.bytes,
                  (unsigned long long)guest->post_port.writes,
                  guest->post_port.last[(guest->post_port.writes - 1) % POST_PORT_KEPT]);
}

static void print_vcpus(const struct guest *guest)
{
    static const char *const states[] = {"stopped", "runnable", "running", "blocked", "service"};
    struct hv_vcpu_info info;
    for (uint32_t vcpu = 0; vcpu < guest->config->vcpus; vcpu++) {
        if (call_vcpu_info(guest->id, vcpu, &info) < 0)
            continue;
        screen_printf("%-16s %4u %-8s %3u %4u %10llu %10llu %10llu %10llu %12llu",
                      guest->config->name, vcpu, info.state < 5 ? states[info.state] : "?",
                      info.cpu, info.priority, ms(info.ticks_running), ms(info.ticks_runnable),
                      ms(info.ticks_blocked), ms(info.ticks_offline),
                      (unsigned long long)info.exits);
    }
}

void commands_vcpus(int count, char *words[])
{
    struct guest *one = count > 1 ? commands_guest(words[1]) : NULL;
    if (count > 1 && !one)
        return;
    screen_printf("%-16s %4s %-8s %3s %4s %10s %10s %10s %10s %12s", "domain", "vcpu", "state",
                  "cpu", "prio", "running", "runnable", "blocked", "offline", "exits");
    for (uint32_t i = 0; i < guest_count(); i++)
        if (guest_get(i)->domain && (!one || one == guest_get(i)))
            print_vcpus(guest_get(i));
}

static void print_cpus(void)
{
    struct hv_system_info system;
    struct hv_cpu_info info;
    if (call_system_info(&system) >= 0)
        screen_printf("hypervisor's memory: %llu of %llu KiB free; %u domains",
                      (unsigned long long)system.pool_free >> 10,
                      (unsigned long long)system.pool_total >> 10, system.domains);
    screen_printf("%3s %7s %12s %12s %14s %10s %8s", "cpu", "apic id", "idle ms", "guest ms",
                  "exits", "switches", "runnable");
    for (uint32_t cpu = 0; call_cpu_info(cpu, &info) >= 0; cpu++)
        screen_printf("%3u %7u %12llu %12llu %14llu %10llu %8u", cpu, info.apic_id,
                      ms(info.ticks_idle), ms(info.ticks_guest), (unsigned long long)info.exits,
                      (unsigned long long)info.switches, info.runnable);
}

static void print_exits(const struct guest *guest)
{
    struct hv_vcpu_info info;
    const uint32_t reasons = sizeof(info.exits_by_reason) / sizeof(info.exits_by_reason[0]);
    for (uint32_t vcpu = 0; vcpu < guest->config->vcpus; vcpu++) {
        if (call_vcpu_info(guest->id, vcpu, &info) < 0)
            continue;
        screen_printf("vCPU %u: %llu exits", vcpu, (unsigned long long)info.exits);
        for (uint32_t reason = 0; reason < reasons; reason++)
            if (info.exits_by_reason[reason] != 0)
                screen_printf("  reason %2u: %llu", reason,
                              (unsigned long long)info.exits_by_reason[reason]);
    }
}

void commands_stats(int count, char *words[])
{
    struct guest *guest = count > 1 ? commands_guest(words[1]) : NULL;
    if (count == 1)
        print_cpus();
    else if (guest)
        print_exits(guest);
}

void commands_modules(int count, char *words[])
{
    (void)count;
    (void)words;
    for (uint32_t i = 0; i < modules_count(); i++) {
        const struct module *module = modules_get(i);
        screen_printf("%2u %-24s %10llu bytes  %s", i, module->name,
                      (unsigned long long)module->size, module->arguments);
    }
}

void commands_dmesg(int count, char *words[])
{
    uint64_t position = 0, lost = 0;
    char text[1024];
    char line[256];
    size_t length = 0;
    int64_t got = 0;
    (void)count;
    (void)words;
    /* What is printed here is logged again where the console is part of the log: stop some time. */
    for (int round = 0; round < DMESG_ROUNDS; round++) {
        got = call_log_read(&position, &lost, text, sizeof(text));
        if (got <= 0)
            break;
        if (lost != 0)
            screen_printf("(%llu bytes were overwritten)", (unsigned long long)lost);
        for (int64_t i = 0; i < got; i++) {
            if (text[i] != '\n' && length < sizeof(line))
                line[length++] = text[i];
            if (text[i] != '\n' && length < sizeof(line))
                continue;
            screen_line(line, length);
            length = 0;
        }
    }
    if (length > 0)
        screen_line(line, length);
    if (got < 0)
        screen_printf("the log cannot be read: %s", hv_error_text(got));
}
