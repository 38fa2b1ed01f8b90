/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The management domain: reads the configuration, starts domains, serves them and talks to people.
 *
 * Order: the page for calls, the console, what the machine is, memory, boot modules, configuration,
 * domains that start by themselves; then events for ever. With `on_end = poweroff` the machine is
 * shut down when no domain is left; it counts as failed if one died or ended with another code than
 * its `success`.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mgmt/config/config.h"
#include "mgmt/lib/call.h"
#include "mgmt/lib/domain.h"
#include "mgmt/lib/events.h"
#include "mgmt/lib/frames.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/lib/irq_bell.h"
#include "mgmt/shell/guest.h"
#include "mgmt/shell/modules.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/shell.h"
#include "mgmt/start/start.h"

static struct frames frames;
static struct config config;
static char call_page[4096] __attribute__((aligned(4096)));
static union {
    struct hv_notify notify;
    char page[4096];
} notify_page __attribute__((aligned(4096)));

static void to_console(const char *text, size_t length)
{
    (void)fwrite(text, 1, length, stdout);
}

static void print_system(const struct hv_system_info *info)
{
    screen_printf("Signalbox management domain, interface version %d", (int)call_version());
    screen_printf("hypervisor %s on %s", info->build_id, info->cpu_brand);
    screen_printf("%u CPUs, %llu MHz, %llu MiB of memory, %llu MiB free for domains", info->cpus,
                  (unsigned long long)info->tsc_khz / 1000, (unsigned long long)info->memory_total >> 20,
                  (unsigned long long)frames.free_pages >> 8);
}

static void add_memory(void)
{
    for (uint32_t i = 0; i < start_info.memory_count; i++)
        if (!frames_add(&frames, start_info.memory[i].start, start_info.memory[i].end))
            screen_printf("memory %#llx-%#llx cannot be used", (unsigned long long)start_info.memory[i].start,
                          (unsigned long long)start_info.memory[i].end);
    if (start_info.memory_left_out)
        screen_printf("%u memory ranges are left out: more than %d", start_info.memory_left_out,
                      START_MEMORY_MAX);
    domain_init(&frames, start_view);
}

static void complain(void *ctx, uint32_t line, const char *sentence)
{
    screen_printf("%s:%u: %s", (const char *)ctx, line, sentence);
}

/* The module that the command line names by config=, or the first one called something.conf. */
static const struct module *find_config(void)
{
    char name[MODULES_NAME_SIZE];
    const char *option = strstr(start_info.cmdline, "config=");
    if (!option)
        return modules_find_ending(".conf");
    option += strlen("config=");
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(option, " \t"), option);
    const struct module *module = modules_find(name);
    if (!module)
        screen_printf("there is no boot module %s (config=%s)", name, name);
    return module;
}

static bool read_config(void)
{
    static char name[MODULES_NAME_SIZE];
    const struct module *module = find_config();
    if (!module) {
        screen_printf("no configuration: add a boot module whose name ends in .conf");
        return false;
    }
    memcpy(name, module->name, sizeof(name));
    if (config_parse(&config, (const char *)module->data, module->size, complain, name))
        return true;
    screen_printf("%s: %u mistakes; no domain is defined", name, config.complaints);
    config.domains = 0;
    return false;
}

/* Nothing runs any more and the configuration says what to do then. */
static void end_machine(bool configured)
{
    uint32_t all;
    uint32_t failures = guest_failures(&all);
    if (config.on_end == CONFIG_END_SHELL || !guest_all_ended() || shell_in_use())
        return;
    screen_printf("all domains have ended: %u of %u failed%s", failures, all,
                  configured ? "" : ", the configuration is wrong");
    fflush(stdout);
    if (failures != 0 || !configured)
        (void)call_shutdown(HV_SHUTDOWN_FAILED);
    (void)call_shutdown(config.on_end == CONFIG_END_REBOOT ? HV_SHUTDOWN_REBOOT : HV_SHUTDOWN_POWEROFF);
}

int main(void)
{
    struct hv_system_info info;
    screen_init(to_console);
    call_init(call_page, start_gpa(call_page));
    int64_t result = call_system_info(&info);
    if (result >= 0)
        result = events_init(&notify_page.notify, start_gpa(&notify_page));
    if (result < 0) {
        screen_printf("manager: the hypervisor refuses its services: %s", hv_error_text(result));
        return 1;
    }
    irq_bell_init();
    add_memory();
    print_system(&info);
    modules_init(start_view);
    bool configured = read_config();
    guest_init_all(&config, info.tsc_khz);
    shell_init(&frames, info.tsc_khz);
    if (!guest_adopt_all()) /* else this is a restart, and what ended has ended */
        guest_autostart();
    shell_greet(&config);
    for (;;) {
        end_machine(configured);
        fflush(stdout);
        events_run_once();
    }
}
