/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_build: from a section of the configuration to a domain that stands at its entry. The plan is
 * made first, out of boot modules alone; only a good plan costs memory and hypercalls, and whatever
 * fails then is taken back as a whole.
 */
#include "mgmt/shell/guest_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_abi/irqchip.h"
#include "mgmt/builder/acpi.h"
#include "mgmt/builder/builder.h"
#include "mgmt/builder/choose.h"
#include "mgmt/lib/call.h"
#include "mgmt/lib/hv_error.h"
#include "mgmt/shell/modules.h"

#define COM1 0x3f8U

/* By the first word of `text`; false with the reason. */
static bool find_module(const char *text, struct plan_bytes *bytes, char *error)
{
    const struct module *module = modules_find(text);
    if (!module) {
        snprintf(error, GUEST_ERROR_SIZE,
                 "there is no boot module %.*s; add it to the boot loader's configuration, with its "
                 "name as the first word of its arguments",
                 (int)strcspn(text, " \t"), text);
        return false;
    }
    *bytes = (struct plan_bytes){module->data, module->size, text};
    return true;
}

/* The hypervisor would leave out the CPUs that it does not have, and nobody would know. */
static bool check_cpus(const struct config_domain *config, char *error)
{
    int64_t cpus = call_capability(HV_CAP_CPUS);
    if (config->cpus == UINT64_MAX || cpus <= 0 || cpus > 63 || config->cpus >> cpus == 0)
        return true;
    snprintf(error, GUEST_ERROR_SIZE, "cpus names CPU %d, but this machine has %lld, 0 to %lld; change cpus",
             63 - __builtin_clzll(config->cpus), (long long)cpus, (long long)cpus - 1);
    return false;
}

static void add_acpi(struct plan *plan, const struct config_domain *config)
{
    bool apic = config->irqchip != CONFIG_IRQCHIP_NONE;
    const struct acpi_domain domain = {
        .vcpus = config->vcpus,
        .apic = apic,
        .ioapic = config->irqchip == CONFIG_IRQCHIP_FULL ? IOAPIC_DEFAULT : 0,
    };
    if (config->acpi == CONFIG_ACPI_YES || (config->acpi == CONFIG_ACPI_AUTO && apic))
        plan_acpi(plan, &domain);
}

static bool make_plan(const struct config_domain *config, struct plan *plan, char *error)
{
    static char cmdline[2 * CONFIG_CMDLINE_SIZE];
    struct plan_input input = {.cmdline = cmdline, .modules = config->modules, .load = config->load};
    snprintf(cmdline, sizeof(cmdline), "%s%s", config->cmdline, guest_virtio_cmdline(config));
    plan_init(plan, config->memory);
    if (!find_module(config->kernel, &input.kernel, error))
        return false;
    for (uint32_t i = 0; i < config->modules; i++)
        if (!find_module(config->module[i], &input.module[i], error))
            return false;
    add_acpi(plan, config);
    choose_loader(plan, config->type, &input);
    if (plan->failed)
        snprintf(error, GUEST_ERROR_SIZE, "%s", plan->error);
    return !plan->failed;
}

static void on_vcon_output(void *ctx, uint8_t byte)
{
    struct guest *guest = ctx;
    guest->on_vcon = true;
    guest_on_output(guest, byte);
}

static void on_uart_output(void *ctx, uint8_t byte)
{
    struct guest *guest = ctx;
    guest->on_vcon = false;
    guest_on_output(guest, byte);
}

static void on_vcon_room(void *ctx)
{
    guest_poll(ctx);
}

int64_t guest_add_devices(struct guest *guest)
{
    guest->wakes_at = UINT64_MAX;
    guest->debug_console = (struct debug_console){guest_on_output, guest};
    guest->debug_exit = (struct debug_exit){guest_on_exit_port, guest};
    guest->post_port = (struct post_port){.writes = 0};
    guest->on_vcon = false;
    guest->uart = (struct uart16550){.put = on_uart_output, .ctx = guest};
    uart16550_reset(&guest->uart);
    const struct access_range ranges[] = {
        debug_console_range(&guest->debug_console),
        debug_exit_range(&guest->debug_exit),
        post_port_range(&guest->post_port),
        uart16550_range(&guest->uart, COM1),
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        int64_t result = domain_add_range(guest->domain, &ranges[i]);
        if (result < 0)
            return result;
    }
    /* A guest finds it by ACPI. */
    guest->panic_port = (struct panic_port){guest_on_panic, guest};
    const struct access_range panic = panic_port_range(&guest->panic_port);
    if (guest->config->irqchip != CONFIG_IRQCHIP_NONE) {
        int64_t result = domain_add_range(guest->domain, &panic);
        if (result < 0)
            return result;
    }
    const struct guest_pc_hooks hooks = {
        .reset = guest_on_reset, .power_off = guest_on_power_off, .ctx = guest};
    int64_t result = guest_pc_add(&guest->pc, guest->domain, guest->config->memory, &hooks);
    guest_irq_connect(guest);
    const struct guest_virtio_hooks virtio = {on_vcon_output, on_vcon_room, guest};
    if (result >= 0)
        result = guest_virtio_add(&guest->virtio, guest->domain, guest->config, &guest->pc.pci_host, &virtio);
    return result;
}

static int64_t set_scheduling(const struct guest *guest)
{
    for (uint32_t vcpu = 0; vcpu < guest->config->vcpus; vcpu++) {
        int64_t result = call_vcpu_affinity(guest->id, vcpu, guest->config->cpus);
        if (result >= 0)
            result = call_vcpu_priority(guest->id, vcpu, guest->config->priority, 0);
        if (result < 0)
            return result;
    }
    return 0;
}

static int64_t build(struct guest *guest, const struct plan *plan, const char **step)
{
    *step = "adding its devices";
    int64_t result = guest_add_devices(guest);
    if (result >= 0)
        result = builder_fill(guest->domain, plan, guest->config->vcpus, step);
    if (result < 0)
        return result;
    *step = "setting cpus and priority";
    return set_scheduling(guest);
}

static bool check_memory(const struct plan *plan, char *error)
{
    uint64_t bytes = 0, available = domain_free_pages() * FRAMES_PAGE;
    for (uint32_t i = 0; i < plan->rams; i++)
        bytes += plan->ram[i].end - plan->ram[i].start;
    if (bytes > available)
        snprintf(error, GUEST_ERROR_SIZE, "memory: it needs %llu KiB, and %llu KiB are free; lower memory",
                 (unsigned long long)bytes >> 10, (unsigned long long)available >> 10);
    return bytes <= available;
}

static bool create_domain(struct guest *guest, const struct plan *plan, char *error)
{
    const struct domain_hooks hooks = {.dead = guest_on_death, .answered = guest_on_answer, .ctx = guest};
    const char *step = "creating the domain";
    int64_t result;
    guest->domain = domain_create(guest->config->name, guest->config->vcpus, (uint32_t)guest->config->irqchip,
                                  0, &hooks, &result);
    if (guest->domain) {
        guest->id = guest->domain->id;
        guest->domain->shared = guest_virtio_wanted(guest->config);
        result = build(guest, plan, &step);
    }
    if (result >= 0)
        return true;
    snprintf(error, GUEST_ERROR_SIZE, "%s: %s", step, hv_error_text(result));
    if (guest->domain && domain_destroy(guest->domain) >= 0) {
        guest_virtio_drop(guest->virtio);
        guest->virtio = NULL;
        guest->domain = NULL;
    }
    return false;
}

bool guest_create(struct guest *guest, char *error)
{
    struct plan *plan;
    if (guest->domain || guest->foreign) {
        snprintf(error, GUEST_ERROR_SIZE, "it is there already, %s", guest_state_text(guest));
        return false;
    }
    plan = calloc(1, sizeof(*plan));
    if (!plan) {
        snprintf(error, GUEST_ERROR_SIZE, "the manager's own memory is used up");
        return false;
    }
    if (!guest->console.attached)
        console_init(&guest->console, guest->config->name, guest->config->console == CONFIG_CONSOLE_QUIET);
    guest->input_head = guest->input_count = 0;
    guest->result = GUEST_NONE;
    bool ok = check_cpus(guest->config, error) &&
              guest_virtio_check(guest->config, error, GUEST_ERROR_SIZE) &&
              make_plan(guest->config, plan, error) && check_memory(plan, error) &&
              create_domain(guest, plan, error);
    plan_free(plan);
    free(plan);
    if (ok)
        guest->state = GUEST_CREATED;
    else
        guest->result = GUEST_NOT_CREATED;
    return ok;
}
