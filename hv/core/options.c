/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of the hypervisor: the table of keys, and their defaults. Nothing on the command line is
 * fatal; complaints are kept until there is a console to print them on, which the command line itself
 * chooses.
 *
 *   com1=115200,8n1,0x3f8   the console's serial port; com1=none: no console (drivers/uart_config.h has the whole syntax)
 *   loglevel=info           what the console shows: error, warning, info, debug; the ring keeps all
 *   hvmem=32M               memory of the hypervisor
 *   maxcpus=8               CPUs to start
 *   vapic=pi                the most that processors do of virtual local APICs: none, tpr, regs, vid, pi (arch/vmx/apicv.h)
 *   exit=halt               what to do at the end: halt, shutdown-port, debug-exit, reboot (hv/core/machine.h)
 */
#include "hv/core/options.h"

#include "boot/cmdline.h"
#include "hv/core/config.h"
#include "hv/core/fmt.h"
#include "hv/core/machine.h"

#include "arch/cpu/bits.h"

#define COMPLAINTS_MAX 8

struct options options = {
    .log_level = LOG_INFO,
    .max_cpus = CONFIG_MAX_CPUS,
    .vapic = UINT32_MAX,
};

static char complaint[COMPLAINTS_MAX][160];
static uint32_t complaints;

static void complain(void *ctx, enum cmdline_problem problem, const char *key, const char *value,
                     const char *form)
{
    (void)ctx;
    if (complaints < COMPLAINTS_MAX)
        fmt_format(complaint[complaints], sizeof(complaint[0]), "%.40s%s%.40s: %s%s%s", key,
                   value && *value ? "=" : "", value ? value : "", cmdline_problem_text(problem),
                   *form ? "; expected " : "", form);
    complaints++;
}

void options_parse(const char *cmdline, bool image_first)
{
    static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
    static const char *const exits[] = {"halt", "shutdown-port", "debug-exit", "reboot", NULL};
    static const char *const vapics[] = {"none", "tpr", "regs", "vid", "pi", NULL};
    static char com1[64];
    static uint32_t level = LOG_INFO, exit_policy = MACHINE_EXIT_HALT;
    const struct cmdline_key keys[] = {
        {.name = "com1",
         .form = "com1=<baud>[,<frame>[,<port>|mmio,<address>]] or none",
         .type = CMDLINE_STRING,
         .to.text = com1,
         .size = sizeof(com1)},
        {.name = "loglevel",
         .form = "loglevel=error|warning|info|debug",
         .type = CMDLINE_ENUM,
         .to.choice = &level,
         .names = levels},
        {.name = "hvmem",
         .form = "hvmem=<3M to 2G>",
         .type = CMDLINE_U64,
         .to.number = &options.pool_size,
         .min = CONFIG_POOL_MIN,
         .max = 2 * GIB},
        {.name = "maxcpus",
         .form = "maxcpus=<1 to 64>",
         .type = CMDLINE_U64,
         .to.number = &options.max_cpus,
         .min = 1,
         .max = CONFIG_MAX_CPUS},
        {.name = "vapic",
         .form = "vapic=none|tpr|regs|vid|pi",
         .type = CMDLINE_ENUM,
         .to.choice = &options.vapic,
         .names = vapics},
        {.name = "exit",
         .form = "exit=halt|shutdown-port|debug-exit|reboot",
         .type = CMDLINE_ENUM,
         .to.choice = &exit_policy,
         .names = exits},
    };
    const struct cmdline_report report = {.call = complain};
    options.com1 = uart_config_default();
    cmdline_parse(cmdline, image_first, keys, ARRAY_SIZE(keys), &report);
    if (com1[0] && !uart_config_parse(&options.com1, com1))
        complain(NULL, CMDLINE_MALFORMED, "com1", com1, keys[0].form);
    options.log_level = (enum log_level)level;
    machine_set_exit((enum machine_exit)exit_policy);
}

void options_report(void)
{
    uint32_t shown = complaints < COMPLAINTS_MAX ? complaints : COMPLAINTS_MAX;
    for (uint32_t i = 0; i < shown; i++)
        log_warning("command line: %s; ignored", complaint[i]);
    if (complaints > shown)
        log_warning("command line: %u more such words", complaints - shown);
}
