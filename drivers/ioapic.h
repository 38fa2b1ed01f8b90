/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's I/O APICs. Intel 82093AA data sheet; ACPI 6.4, 5.2.12.3 I/O APIC and 5.2.12.5 Interrupt Source
 * Override Structure.
 *
 * A GSI of the machine is a pin here: ioapic_pin() numbers them through all I/O APICs. An open pin sends its interrupts to
 * one CPU as one vector, unless somebody blocks it; several reasons may block it at once. Pins that nobody has opened are
 * masked. Any context but NMI; one lock inside, a leaf.
 */
#ifndef DRIVERS_IOAPIC_H
#define DRIVERS_IOAPIC_H

#include "arch/cpu/bits.h"

#define IOAPIC_PINS_MAX     512U
#define IOAPIC_APIC_IDS_END 255U /* destinations have 8 bits, and this one is all of them */

struct acpi_madt;

/* How the signal of a GSI looks. */
struct ioapic_signal {
    bool level, low;
};

/* ---- what the firmware says: ioapic_gsi.c, pure */

/* The GSI of an ISA interrupt, 0 to 15. */
uint32_t ioapic_isa_gsi(const struct acpi_madt *madt, uint32_t irq);
/* ISA interrupts: edges, active high; the others as PCI: levels, active low; unless an override says otherwise. */
struct ioapic_signal ioapic_firmware_signal(const struct acpi_madt *madt, uint32_t gsi);

/* ---- the driver: ioapic.c */

/* Finds them and masks every pin. Returns how many pins there are. Once, with paging up; madt stays where it is. */
uint32_t ioapic_init(const struct acpi_madt *madt);
uint32_t ioapic_gsi_end(void); /* above the highest GSI that is there */
int ioapic_pin(uint32_t gsi);  /* below 0: none */
uint32_t ioapic_isa(uint32_t irq);
struct ioapic_signal ioapic_signal(uint32_t gsi);

enum ioapic_block {
    IOAPIC_CLOSED = 1 << 0,
    IOAPIC_LINE = 1 << 1,  /* a level that has been taken, and is being handled */
    IOAPIC_STORM = 1 << 2, /* too many */
};

/* A closed pin; apic_id < IOAPIC_APIC_IDS_END. */
void ioapic_open(uint32_t pin, uint8_t vector, uint32_t apic_id, struct ioapic_signal s);
void ioapic_close(uint32_t pin);
/* When block returns no further interrupt leaves the pin. Unblock: true when the reason was there. */
void ioapic_block(uint32_t pin, enum ioapic_block reason);
bool ioapic_unblock(uint32_t pin, enum ioapic_block reason);
uint32_t ioapic_blocked(uint32_t pin); /* enum ioapic_block, or-ed */
uint64_t ioapic_entry(uint32_t pin);   /* as the register has it */

#endif
