/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_pc: the devices of a PC that any guest expects and that need no interrupt to be of use:
 * clock, power management, reset, keyboard controller, PCI ports.
 */
#pragma once

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

struct guest_pc_hooks {
    void (*reset)(void *ctx);
    void (*power_off)(void *ctx);
    void *ctx;
};

/* Makes the devices anew and adds them to a domain that will have `memory` bytes (plan_init()).
 * `pc` must live as long as the domain. Zero, or a negative HV_E*. */
int64_t guest_pc_add(struct guest_pc *pc, struct domain *domain, uint64_t memory,
                     const struct guest_pc_hooks *hooks);
