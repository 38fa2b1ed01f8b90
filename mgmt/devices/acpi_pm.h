/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_pm: ACPI's power management timer and PM1a registers: ACPI Specification 6.5, sections 4.8.3.1 "PM1
 * Event Registers", 4.8.3.2.1 "PM1 Control Registers", 4.8.3.3 "Power Management Timer". Pure.
 *
 *     0x600  PM1_STS  16 bits      0x604  PM1_CNT  16 bits
 *     0x602  PM1_EN   16 bits      0x608  PM_TMR   32 bits, of which 24 count
 *
 * The machine is always in ACPI mode (SCI_EN is 1). One sleeping state is there: SLP_TYP 0 with SLP_EN is
 * S5, power off, as with QEMU, so that the usual `outw 0x2000, 0x604` works.
 *
 * The system control interrupt is high while TMR_STS and TMR_EN are set, or PWRBTN_STS and PWRBTN_EN: the
 * timer's from when it is noticed, by an access or by acpi_pm_poll(). acpi_pm_next() says when there is
 * something to notice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/devices/device_clock.h"
#include "mgmt/lib/access.h"

#define ACPI_PM_PORT     0x600U
#define ACPI_PM_TIMER_HZ 3579545U

enum { ACPI_PM_S5 = 0 }; /* SLP_TYP, for whoever writes an \_S5 object */

struct acpi_pm {
    struct device_clock clock;
    void (*power_off)(void *ctx); /* may be called again before it happens */
    void *ctx;
    uint64_t start;  /* TSC at which the timer was 0 */
    uint64_t halves; /* of the timer's range, when TMR_STS was cleared */
    uint16_t enable, control;
    uint16_t status;                       /* without the timer's bit, which follows from `halves` */
    bool line;                             /* of the interrupt output */
    void (*irq)(void *ctx, bool asserted); /* told when the line changes; NULL: not connected */
    void *irq_ctx;
};

/* The interrupt is connected afterwards, by the caller. */

void acpi_pm_init(struct acpi_pm *pm, const struct device_clock *clock, void (*power_off)(void *ctx),
                  void *ctx);

/* The TSC at which the interrupt will rise without an access of the guest; ACPI_PM_NEVER: not before
 * the guest does something. */
#define ACPI_PM_NEVER UINT64_MAX
uint64_t acpi_pm_next(const struct acpi_pm *pm);

/* The power button: PWRBTN_STS until the guest clears it (4.8.2.2.1.1 "Fixed Power Button"). */
void acpi_pm_press_power_button(struct acpi_pm *pm);

/* To be called then; too early or too late does no harm. */
void acpi_pm_poll(struct acpi_pm *pm);

struct access_range acpi_pm_range(struct acpi_pm *pm);
