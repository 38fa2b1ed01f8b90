/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_pc: see guest_pc.h. The clock of a domain starts with the time of the machine's clock when
 * the domain is made, and both its time and that of the power management timer pass by the TSC.
 */
#include "mgmt/shell/guest_pc.h"

#include "mgmt/builder/plan.h"
#include "mgmt/lib/call.h"
#include "mgmt/lib/events.h"
#include "mgmt/shell/host_clock.h"
#include "mgmt/shell/screen.h"

static uint64_t now(void *ctx)
{
    (void)ctx;
    return events_now();
}

static void set_memory(struct rtc *rtc, uint64_t memory)
{
    struct plan plan;
    uint64_t end = 0, above = 0;
    plan_init(&plan, memory);
    for (uint32_t i = 0; i < plan.rams; i++) {
        if (plan.ram[i].start >= PLAN_ABOVE_4G)
            above = plan.ram[i].end - PLAN_ABOVE_4G;
        else
            end = plan.ram[i].end;
    }
    rtc_set_memory(rtc, plan.ram[0].end, end, above);
}

static void init(struct guest_pc *pc, uint64_t memory, const struct guest_pc_hooks *hooks)
{
    struct device_clock clock = {.now = now, .hz = 1000};
    int64_t khz = call_capability(HV_CAP_TSC_KHZ), seconds;
    static bool told;
    if (khz > 0)
        clock.hz = (uint64_t)khz * 1000;
    if (!host_clock_read(&seconds) && !told) {
        told = true;
        screen_printf("the machine's clock shows no time; clocks of domains start at 2000-01-01");
    }
    rtc_init(&pc->rtc, &clock, seconds);
    set_memory(&pc->rtc, memory);
    acpi_pm_init(&pc->acpi_pm, &clock, hooks->power_off, hooks->ctx);
    pc->reset_control = (struct reset_control){.reset = hooks->reset, .ctx = hooks->ctx};
    reset_control_init(&pc->reset_control);
    i8042_init(&pc->i8042, &pc->reset_control);
    pc->pci_host = (struct pci_host){
        .read_cf9 = reset_control_read_cf9, .write_cf9 = reset_control_write_cf9, .ctx = &pc->reset_control};
}

int64_t guest_pc_add(struct guest_pc *pc, struct domain *domain, uint64_t memory,
                     const struct guest_pc_hooks *hooks)
{
    init(pc, memory, hooks);
    const struct access_range ranges[] = {
        rtc_range(&pc->rtc),
        acpi_pm_range(&pc->acpi_pm),
        reset_control_range(&pc->reset_control),
        i8042_data_range(&pc->i8042),
        i8042_command_range(&pc->i8042),
        pci_host_range(&pc->pci_host),
    };
    for (uint32_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        int64_t result = domain_add_range(domain, &ranges[i]);
        if (result < 0)
            return result;
    }
    return 0;
}

uint64_t guest_pc_next(const struct guest_pc *pc)
{
    uint64_t rtc = pc->rtc.irq ? rtc_next(&pc->rtc) : UINT64_MAX;
    uint64_t sci = pc->acpi_pm.irq ? acpi_pm_next(&pc->acpi_pm) : UINT64_MAX;
    return rtc < sci ? rtc : sci;
}

void guest_pc_poll(struct guest_pc *pc)
{
    rtc_poll(&pc->rtc);
    acpi_pm_poll(&pc->acpi_pm);
}
