/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_irq: interrupt outputs of the devices of a PC, on the lines that they have there; declared in
 * guest_build.h. The hypervisor keeps the level of a line, also over a restart of this program. It may
 * refuse one: a guest that masks the pin just does not hear of it.
 */
#include "mgmt/lib/irq.h"
#include "mgmt/shell/guest_build.h"

static void set(const struct guest *guest, uint32_t line, bool asserted)
{
    if (guest->domain)
        (void)irq_line(guest->domain->id, line, asserted);
}

static void on_uart(void *ctx, bool asserted)
{
    set(ctx, GUEST_PC_IRQ_COM1, asserted);
}

static void on_rtc(void *ctx, bool asserted)
{
    set(ctx, GUEST_PC_IRQ_RTC, asserted);
}

static void on_sci(void *ctx, bool asserted)
{
    set(ctx, GUEST_PC_IRQ_SCI, asserted);
}

void guest_irq_connect(struct guest *guest)
{
    if (guest->config->irqchip != CONFIG_IRQCHIP_FULL)
        return;
    guest->uart.irq = on_uart;
    guest->pc.rtc.irq = on_rtc;
    guest->pc.acpi_pm.irq = on_sci;
    guest->pc.rtc.irq_ctx = guest->pc.acpi_pm.irq_ctx = guest;
}
