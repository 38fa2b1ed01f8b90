/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the MADT says about GSIs. Pure. ACPI 6.4, 5.2.12.5 Interrupt Source Override Structure: an ISA interrupt is the GSI
 * of its number, an edge, and active high, unless an override says otherwise; MPS INTI flags 00 stand for the bus's habit.
 */
#include "drivers/acpi.h"
#include "drivers/ioapic.h"

#define ISA_IRQS 16U

static const struct acpi_override *of_source(const struct acpi_madt *madt, uint32_t irq)
{
    for (uint32_t i = 0; i < madt->override_count; i++)
        if (!madt->override[i].bus && madt->override[i].source == irq)
            return &madt->override[i];
    return NULL;
}

uint32_t ioapic_isa_gsi(const struct acpi_madt *madt, uint32_t irq)
{
    const struct acpi_override *o = of_source(madt, irq);
    return o ? o->gsi : irq;
}

struct ioapic_signal ioapic_firmware_signal(const struct acpi_madt *madt, uint32_t gsi)
{
    struct ioapic_signal s = {.level = gsi >= ISA_IRQS, .low = gsi >= ISA_IRQS};
    for (uint32_t i = 0; i < madt->override_count; i++) {
        const struct acpi_override *o = &madt->override[i];
        uint32_t polarity = o->flags & ACPI_INTI_POLARITY_MASK, trigger = o->flags & ACPI_INTI_TRIGGER_MASK;
        if (o->bus || o->gsi != gsi)
            continue;
        s.level = trigger == ACPI_INTI_TRIGGER_LEVEL;
        s.low = polarity == ACPI_INTI_POLARITY_LOW;
        break;
    }
    return s;
}
