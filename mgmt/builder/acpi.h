/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi: the ACPI tables of a domain: RSDP, XSDT and RSDT, FADT, FACS, MADT, and the DSDT that iasl compiled
 * from dsdt.asl. They say what mgmt/devices and the hypervisor's interrupt controllers are; the machine is
 * always in ACPI mode. Pure. ACPI Specification 6.5, chapter 5.2.
 *
 * The tables lie where a PC's firmware has them, from ACPI_BASE on, so that guests that search find the
 * RSDP. The memory of a PC's firmware from 0xc0000 to 1 MiB comes with them and is reserved in every memory
 * map: guests look at all of it, 16 bytes at a time, which would cost thousands of exits if nothing were
 * there.
 */
#pragma once

#include "mgmt/builder/plan.h"

#define ACPI_BASE 0xe0000ULL /* of the RSDP */
#define ACPI_END  0x100000ULL
#define ACPI_ROMS 0xc0000ULL /* option ROMs, of which there are none */

enum {
    ACPI_SCI = 9,         /* interrupt of the power management registers, level */
    ACPI_X2APIC_ID = 255, /* from here on local APICs have records of the wide kind */
};

/* A page is enough for most; no domain needs more than the room. */
#define ACPI_ROOM (ACPI_END - ACPI_BASE)

struct acpi_domain {
    uint32_t vcpus;  /* APIC IDs are 0 to vcpus - 1 */
    bool apic;       /* it has local APICs */
    uint32_t ioapic; /* address of the one I/O APIC, GSI 0 its first; 0: it has none */
};

/* The tables as bytes for ACPI_BASE. Bytes written, or 0: they do not fit into `room`. */
uint32_t acpi_write(uint8_t *to, uint32_t room, const struct acpi_domain *domain);

/* To be called before a loader: adds the tables to the plan, and plan->rsdp is where they are. */
void plan_acpi(struct plan *plan, const struct acpi_domain *domain);

/* Made by iasl, mgmt.mk. */
extern const uint8_t acpi_dsdt[];
extern const uint32_t acpi_dsdt_size;
