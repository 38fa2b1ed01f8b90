/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_pc: the devices of a PC that any guest expects: clock, power management, reset, keyboard
 * controller, PCI ports. Clock and power management interrupt, once they are connected (guest_irq.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/devices/acpi_pm.h"
#include "mgmt/devices/i8042.h"
#include "mgmt/devices/pci_host.h"
#include "mgmt/devices/reset_control.h"
#include "mgmt/devices/rtc.h"
#include "mgmt/lib/domain.h"

struct guest_pc {
    struct rtc rtc;
    struct acpi_pm acpi_pm;
    struct reset_control reset_control;
    struct i8042 i8042;
    struct pci_host pci_host;
};

/* IRQ lines of a PC, and its GSIs. */
enum { GUEST_PC_IRQ_COM1 = 4, GUEST_PC_IRQ_RTC = 8, GUEST_PC_IRQ_SCI = 9 };

struct guest_pc_hooks {
    void (*reset)(void *ctx);
    void (*power_off)(void *ctx);
    void *ctx;
};

/* Makes the devices anew and adds them to a domain that will have `memory` bytes (plan_init()).
 * `pc` must live as long as the domain. Zero, or a negative HV_E*. */
int64_t guest_pc_add(struct guest_pc *pc, struct domain *domain, uint64_t memory,
                     const struct guest_pc_hooks *hooks);

/* When a device will interrupt without being accessed: TSC, UINT64_MAX: not before it is. */
uint64_t guest_pc_next(const struct guest_pc *pc);
/* To be called then. */
void guest_pc_poll(struct guest_pc *pc);
