/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands: see commands.h. Those that change something are here.
 */
#include "mgmt/shell/commands.h"

#include <stdio.h>
#include <string.h>

#include "mgmt/lib/call.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/shell/guest_saved.h"
#include "mgmt/shell/screen.h"
#include "mgmt/shell/top.h"
#include "mgmt/shell/trace_dump.h"

static const struct frames *frames;
static uint64_t khz;
static struct guest *wanted; /* console */
static const struct commands_mode *wanted_mode;

struct command {
    const char *name;
    void (*run)(int count, char *words[]);
    int least, most; /* words behind the name */
    const char *usage;
    const char *about;
};

void commands_init(const struct frames *of, uint64_t tsc_khz)
{
    frames = of;
    khz = tsc_khz;
}

const struct frames *commands_frames(void)
{
    return frames;
}

uint64_t commands_khz(void)
{
    return khz;
}

struct guest *commands_attached(void)
{
    struct guest *guest = wanted;
    wanted = NULL;
    return guest;
}

const struct commands_mode *commands_mode(void)
{
    const struct commands_mode *mode = wanted_mode;
    wanted_mode = NULL;
    return mode;
}

struct guest *commands_guest(const char *word)
{
    struct guest *guest = guest_find(word);
    if (!guest)
        screen_printf("there is no domain %s; \"list\" shows them", word);
    return guest;
}

static void act(const char *word, bool (*what)(struct guest *guest, char *error), const char *done)
{
    char error[GUEST_ERROR_SIZE];
    struct guest *guest = commands_guest(word);
    if (!guest)
        return;
    if (what(guest, error))
        screen_printf("domain %u (%s): %s", guest->id, guest->config->name, done);
    else
        screen_printf("domain (%s): %s", guest->config->name, error);
}

static bool create_and_start(struct guest *guest, char *error)
{
    return (guest->domain || guest_create(guest, error)) && guest_start(guest, error);
}

static void run_create(int count, char *words[])
{
    (void)count;
    act(words[1], guest_create, "created");
}

static void run_start(int count, char *words[])
{
    (void)count;
    act(words[1], create_and_start, "started");
}

static void run_pause(int count, char *words[])
{
    (void)count;
    act(words[1], guest_pause, "paused");
}

static void run_resume(int count, char *words[])
{
    (void)count;
    act(words[1], guest_resume, "resumed");
}

static void run_destroy(int count, char *words[])
{
    (void)count;
    act(words[1], guest_destroy, "destroyed");
}

/* The guest that a word names, if its serial port is ours; else a message. */
static struct guest *served(const char *word)
{
    struct guest *guest = commands_guest(word);
    if (!guest || !guest->foreign)
        return guest;
    screen_printf("domain %u (%s): another manager serves its serial port", guest->id, guest->config->name);
    return NULL;
}

static void run_console(int count, char *words[])
{
    (void)count;
    wanted = served(words[1]);
}

static void run_break(int count, char *words[])
{
    struct guest *guest = served(words[1]);
    (void)count;
    if (!guest)
        return;
    if (!guest->domain) {
        screen_printf("domain (%s): it is %s", guest->config->name, guest_state_text(guest));
        return;
    }
    guest_type(guest, GUEST_BREAK);
    screen_printf("domain %u (%s): BREAK sent", guest->id, guest->config->name);
}

static void run_vcpu_pin(int count, char *words[])
{
    uint32_t vcpu;
    uint64_t cpus;
    struct guest *guest = commands_vcpu(&words[1], &vcpu);
    (void)count;
    if (!guest)
        return;
    if (!config_cpus(words[3], &cpus)) {
        screen_printf("%s: write CPUs from 0 to 63 like 0,2-3, or all", words[3]);
        return;
    }
    int64_t result = call_vcpu_affinity(guest->id, vcpu, cpus);
    screen_printf("domain %u (%s): vCPU %u, CPUs %s: %s", guest->id, guest->config->name, vcpu, words[3],
                  result == 0            ? "done"
                  : result == -HV_EINVAL ? "this machine has none of them"
                                         : hv_error_text(result));
}

static void run_button(int count, char *words[])
{
    struct guest *guest = served(words[1]);
    (void)count;
    if (!guest)
        return;
    if (!guest->domain) {
        screen_printf("domain (%s): it is %s", guest->config->name, guest_state_text(guest));
        return;
    }
    acpi_pm_press_power_button(&guest->pc.acpi_pm);
    guest_save(guest);
    screen_printf("domain %u (%s): power button pressed", guest->id, guest->config->name);
}

static void run_top(int count, char *words[])
{
    static const struct commands_mode top = {top_start, top_stop, NULL};
    (void)count;
    (void)words;
    wanted_mode = &top;
}

static void run_trace(int count, char *words[])
{
    static const struct commands_mode dump = {trace_dump_start, trace_dump_stop, trace_dump_over};
    if (commands_trace(count, words))
        wanted_mode = &dump;
}

static void shut_down(enum hv_shutdown how)
{
    fflush(stdout);
    int64_t result = call_shutdown(how);
    screen_printf("the hypervisor refuses: %s", hv_error_text(result));
}

static void run_reboot(int count, char *words[])
{
    (void)count;
    (void)words;
    shut_down(HV_SHUTDOWN_REBOOT);
}

static void run_restart(int count, char *words[])
{
    (void)count;
    (void)words;
    shut_down(HV_SHUTDOWN_RESTART);
}

static void run_poweroff(int count, char *words[])
{
    (void)count;
    (void)words;
    shut_down(HV_SHUTDOWN_POWEROFF);
}

static void run_help(int count, char *words[]);

static const struct command commands[] = {
    {"help", run_help, 0, 1, "[command]", "all commands, or one of them"},
    {"list", commands_list, 0, 1, "[--json]", "the configured domains and what they do"},
    {"create", run_create, 1, 1, "domain", "make a domain; it does not run yet"},
    {"start", run_start, 1, 1, "domain", "let it run; makes it first if need be"},
    {"pause", run_pause, 1, 1, "domain", "stop its vCPUs for a while"},
    {"resume", run_resume, 1, 1, "domain", "let a paused domain go on"},
    {"destroy", run_destroy, 1, 1, "domain", "end it and take its memory back"},
    {"info", commands_info, 1, 2, "domain [--json]", "one domain in detail"},
    {"vcpus", commands_vcpus, 0, 2, "[domain] [--json]", "vCPUs: state, CPU, times in ms"},
    {"apics", commands_apics, 0, 2, "[domain] [--json]",
     "local APICs: mode, what the processor does of them, interrupts"},
    {"vcpu-pin", run_vcpu_pin, 3, 3, "domain vcpu cpus", "the CPUs it may use from now on: 0,2-3, or all"},
    {"stats", commands_stats, 0, 2, "[domain] [--json]", "CPUs of the machine, or exits of a domain"},
    {"top", run_top, 0, 0, "", "what vCPUs, exits and interrupts do, every second; any key ends it"},
    {"trace", run_trace, 0, 3, "[start [cpus [pages]] | stop | dump [records] | off | --json]",
     "record what CPUs and vCPUs do"},
    {"irqs", commands_irqs, 1, 3, "domain [gsi] [--json]", "its interrupt sources: level, counters"},
    {"routes", commands_routes, 1, 3, "domain [gsi] [--json]", "where they lead, from a GSI on"},
    {"latency", commands_latency, 1, 2, "domain [--json]",
     "how long they take until the guest has ended them"},
    {"route", commands_route, 1, 7,
     "add|del|get domain gsi [pic pin | ioapic n pin | msi address data | gsi n]",
     "the route of one; a second pin is added to the first"},
    {"irq-line", commands_irq_line, 3, 3, "domain gsi 0|1", "drive an interrupt line"},
    {"msi", commands_msi, 3, 3, "domain address data", "send a message to its local APICs"},
    {"inject", commands_inject, 3, 3, "domain vcpu vector", "interrupt a vCPU"},
    {"nmi", commands_nmi, 2, 2, "domain vcpu", "send an NMI"},
    {"lines", commands_lines, 0, 1, "[--json]", "interrupts of the machine's devices: owner, counters"},
    {"devices", commands_devices, 1, 2, "domain [--json]", "its virtio devices, and what went through them"},
    {"switches", commands_switches, 0, 1, "[--json]", "the network switches"},
    {"modules", commands_modules, 0, 1, "[--json]", "the boot modules"},
    {"dmesg", commands_dmesg, 0, 1, "[--json]", "the hypervisor's log"},
    {"console", run_console, 1, 1, "domain", "attach to its serial port; Ctrl-] comes back"},
    {"break", run_break, 1, 1, "domain", "send a BREAK on its serial port"},
    {"button", run_button, 1, 1, "domain", "press its power button"},
    {"restart", run_restart, 0, 0, "", "start this program again; domains go on"},
    {"reboot", run_reboot, 0, 0, "", "restart the machine"},
    {"poweroff", run_poweroff, 0, 0, "", "turn the machine off"},
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    screen_printf("there is no command %s; \"help\" lists them", name);
    return NULL;
}

static void print_help(const struct command *command)
{
    screen_printf("  %-8s %-18s %s", command->name, command->usage, command->about);
}

/* Of commands that want more than a line. */
static const struct {
    const char *name, *text;
} more[] = {
    {"trace",
     "    trace start        every CPU keeps its last 1023 records: VM exits and entries, calls, interrupts\n"
     "                       that are sent and ended, timers, vCPUs that leave a CPU and take it\n"
     "    trace start 0,2 16 only these CPUs, in 16 pages of 4 KiB each (1 to 64, 8 if not said)\n"
     "    trace              how many records each CPU has written\n"
     "    trace stop         nothing more is recorded; what is there stays\n"
     "    trace dump         prints the records, also while CPUs write; any key ends it\n"
     "    trace dump 200     the last 200 of each CPU\n"
     "    trace off          gives the memory back\n"
     "  Log what the terminal shows and give the file to tools/trace.py: a listing, or JSON for\n"
     "  chrome://tracing and ui.perfetto.dev. While CPUs are traced every exit takes the long way."},
    {"top", "    use of each vCPU in percent of the time since the last picture, then what moved most:\n"
            "    exits per second by reason, interrupts per second by route (GSI)"},
    {"stats", "    without a domain the machine's CPUs, with one the exits of its vCPUs by reason"},
};

static void run_help(int count, char *words[])
{
    const struct command *command = count > 1 ? find(words[1]) : NULL;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (count == 1 || command == &commands[i])
            print_help(&commands[i]);
    for (size_t i = 0; command && i < sizeof(more) / sizeof(more[0]); i++)
        if (!strcmp(command->name, more[i].name))
            screen_printf("%s", more[i].text);
}

void commands_run(int count, char *words[])
{
    const struct command *command = find(words[0]);
    if (!command)
        return;
    if (count - 1 < command->least || count - 1 > command->most)
        screen_printf("usage: %s %s", command->name, command->usage);
    else
        command->run(count, words);
}
