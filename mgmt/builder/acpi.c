/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi: see acpi.h. The tables are written one behind the other, each at a multiple of 64 (the FACS must
 * be); a table's length and checksum are put in when it is complete. Sections of ACPI Specification 6.5:
 * 5.2.5 RSDP, 5.2.7 RSDT, 5.2.8 XSDT, 5.2.9 FADT (here the 244 bytes of revision 4), 5.2.10 FACS, 5.2.12
 * MADT.
 */
#include "mgmt/builder/acpi.h"

#include <string.h>

#include "mgmt/devices/acpi_pm.h"

enum {
    HEADER = 36,
    AT_LENGTH = 4,
    AT_CHECKSUM = 9,
    RSDP_SIZE = 36,
    RSDP_V1_SIZE = 20,
    FADT_SIZE = 244,
    FACS_SIZE = 64,
    ALIGN = 64,
    RESET_PORT = 0xcf9, /* mgmt/devices/reset_control.h */
    RESET_VALUE = 6,
    CENTURY = 0x32,               /* of the clock, mgmt/devices/rtc.h */
    FADT_LEGACY_DEVICES = 1 << 0, /* and neither an 8042 that has a keyboard nor a VGA */
    FADT_NO_VGA = 1 << 2,
    SPACE_IO = 1,
    INTI_HIGH_LEVEL = 0xd,
    ISA_TIMER = 0,
    ISA_TIMER_GSI = 2, /* as on every PC */
};

/* Flags of the FADT. Not set: buttons by control method, 32-bit timer, reduced hardware. */
#define FADT_WBINVD    0x1U
#define FADT_PROC_C1   0x4U
#define FADT_FIX_RTC   0x40U
#define FADT_RESET_REG 0x400U

struct writer {
    uint8_t *to;
    uint32_t room;
    uint32_t used;  /* `room` + 1: it did not fit */
    uint32_t table; /* offset of the one being written */
};

static void put(struct writer *w, uint64_t value, uint32_t width)
{
    if (w->used > w->room || width > w->room - w->used) {
        w->used = w->room + 1;
        return;
    }
    for (uint32_t i = 0; i < width; i++)
        w->to[w->used++] = (uint8_t)(value >> 8 * i);
}

static void text(struct writer *w, const char *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        put(w, (uint8_t)bytes[i], 1);
}

static void zeros(struct writer *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        put(w, 0, 1);
}

static void align(struct writer *w)
{
    zeros(w, -w->used % ALIGN);
}

static gpa_t begin(struct writer *w, const char *signature, uint8_t revision)
{
    align(w);
    w->table = w->used;
    text(w, signature, 4);
    put(w, 0, 4);
    put(w, revision, 1);
    put(w, 0, 1);
    text(w, "SIGBOX", 6);
    text(w, "DOMAIN\0\0", 8);
    put(w, 1, 4);
    text(w, "SGBX", 4);
    put(w, 1, 4);
    return ACPI_BASE + w->table;
}

static void set_checksum(struct writer *w, uint32_t start, uint32_t bytes, uint32_t at)
{
    uint8_t sum = 0;
    for (uint32_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + w->to[start + i]);
    w->to[start + at] = (uint8_t)(w->to[start + at] - sum);
}

static void end(struct writer *w)
{
    uint32_t bytes = w->used - w->table;
    if (w->used > w->room)
        return;
    for (uint32_t i = 0; i < 4; i++)
        w->to[w->table + AT_LENGTH + i] = (uint8_t)(bytes >> 8 * i);
    set_checksum(w, w->table, bytes, AT_CHECKSUM);
}

/* A generic address structure for an I/O port; 0 bits: there is no such register. */
static void put_register(struct writer *w, uint32_t bits, uint32_t port)
{
    put(w, bits ? SPACE_IO : 0, 1);
    put(w, bits, 1);
    put(w, 0, 1);
    put(w, bits == 8 ? 1 : bits == 16 ? 2 : bits == 32 ? 3 : 0, 1);
    put(w, bits ? port : 0, 8);
}

static gpa_t put_facs(struct writer *w)
{
    align(w);
    gpa_t at = ACPI_BASE + w->used;
    text(w, "FACS", 4);
    put(w, FACS_SIZE, 4);
    zeros(w, 24);
    put(w, 2, 1); /* version */
    zeros(w, FACS_SIZE - 33);
    return at;
}

static gpa_t put_dsdt(struct writer *w)
{
    align(w);
    gpa_t at = ACPI_BASE + w->used;
    for (uint32_t i = 0; i < acpi_dsdt_size; i++)
        put(w, acpi_dsdt[i], 1);
    return at;
}

/* The registers with their short addresses, as revision 1 had them. */
static void put_fadt_ports(struct writer *w)
{
    put(w, ACPI_PM_PORT, 4); /* PM1a_EVT_BLK */
    put(w, 0, 4);
    put(w, ACPI_PM_PORT + 4, 4); /* PM1a_CNT_BLK */
    zeros(w, 8);
    put(w, ACPI_PM_PORT + 8, 4); /* PM_TMR_BLK */
    zeros(w, 8);                 /* no GPE */
    put(w, 4, 1);                /* lengths: PM1_EVT, PM1_CNT, PM2_CNT, PM_TMR */
    put(w, 2, 1);
    put(w, 0, 1);
    put(w, 4, 1);
    zeros(w, 4);
    put(w, 0xffff, 2); /* no C2, no C3 */
    put(w, 0xffff, 2);
    zeros(w, 8); /* cache flush, throttling, alarm */
}

static gpa_t put_fadt(struct writer *w, gpa_t facs, gpa_t dsdt)
{
    gpa_t at = begin(w, "FACP", 4);
    put(w, facs, 4);
    put(w, dsdt, 4);
    zeros(w, 2); /* and the profile: not said */
    put(w, ACPI_SCI, 2);
    zeros(w, 8); /* no SMI_CMD: the machine is always in ACPI mode */
    put_fadt_ports(w);
    put(w, CENTURY, 1);
    put(w, FADT_LEGACY_DEVICES | FADT_NO_VGA, 2);
    put(w, 0, 1);
    put(w, FADT_WBINVD | FADT_PROC_C1 | FADT_FIX_RTC | FADT_RESET_REG, 4);
    put_register(w, 8, RESET_PORT);
    put(w, RESET_VALUE, 1);
    zeros(w, 3);
    put(w, 0, 8); /* the FACS has its short address */
    put(w, dsdt, 8);
    put_register(w, 32, ACPI_PM_PORT);
    put_register(w, 0, 0);
    put_register(w, 16, ACPI_PM_PORT + 4);
    put_register(w, 0, 0);
    put_register(w, 0, 0); /* PM2_CNT */
    put_register(w, 32, ACPI_PM_PORT + 8);
    put_register(w, 0, 0); /* GPE0, GPE1 */
    put_register(w, 0, 0);
    end(w);
    return at;
}

static void put_local_apics(struct writer *w, uint32_t vcpus)
{
    for (uint32_t id = 0; id < vcpus; id++) {
        bool wide = id >= ACPI_X2APIC_ID;
        put(w, wide ? 0x1009 : 0x0800, 2); /* type, length */
        if (wide) {
            zeros(w, 2);
            put(w, id, 4);
            put(w, 1, 4); /* enabled */
            put(w, id, 4);
        } else {
            put(w, id, 1);
            put(w, id, 1);
            put(w, 1, 4);
        }
    }
    put(w, 0x0604, 2); /* LINT1 of all is the NMI */
    put(w, 0xff, 1);
    put(w, 0, 2);
    put(w, 1, 1);
    if (vcpus <= ACPI_X2APIC_ID)
        return;
    put(w, 0x0c0a, 2);
    put(w, 0, 2);
    put(w, UINT32_MAX, 4);
    put(w, 1, 1);
    zeros(w, 3);
}

static void put_override(struct writer *w, uint32_t source, uint32_t gsi, uint32_t flags)
{
    put(w, 0x0a02, 2);
    put(w, 0, 1);
    put(w, source, 1);
    put(w, gsi, 4);
    put(w, flags, 2);
}

static gpa_t put_madt(struct writer *w, const struct acpi_domain *domain)
{
    gpa_t at = begin(w, "APIC", 4);
    put(w, 0xfee00000, 4);
    put(w, 1, 4); /* PCAT_COMPAT: there are two PICs */
    put_local_apics(w, domain->vcpus);
    if (domain->ioapic) {
        put(w, 0x0c01, 2);
        put(w, 0, 2); /* its ID */
        put(w, domain->ioapic, 4);
        put(w, 0, 4);
        put_override(w, ISA_TIMER, ISA_TIMER_GSI, 0);
        put_override(w, ACPI_SCI, ACPI_SCI, INTI_HIGH_LEVEL);
    }
    end(w);
    return at;
}

static gpa_t put_root(struct writer *w, const char *signature, uint32_t width, gpa_t fadt, gpa_t madt)
{
    gpa_t at = begin(w, signature, 1);
    put(w, fadt, width);
    if (madt)
        put(w, madt, width);
    end(w);
    return at;
}

/* At offset 0, where its room was left. */
static void put_rsdp(struct writer *w, gpa_t rsdt, gpa_t xsdt)
{
    w->used = 0;
    text(w, "RSD PTR ", 8);
    put(w, 0, 1);
    text(w, "SIGBOX", 6);
    put(w, 2, 1);
    put(w, rsdt, 4);
    put(w, RSDP_SIZE, 4);
    put(w, xsdt, 8);
    zeros(w, 4);
    set_checksum(w, 0, RSDP_V1_SIZE, 8);
    set_checksum(w, 0, RSDP_SIZE, 32);
}

uint32_t acpi_write(uint8_t *to, uint32_t room, const struct acpi_domain *domain)
{
    struct writer w = {to, room, 0, 0};
    zeros(&w, RSDP_SIZE);
    gpa_t facs = put_facs(&w), dsdt = put_dsdt(&w), fadt = put_fadt(&w, facs, dsdt);
    gpa_t madt = domain->apic ? put_madt(&w, domain) : 0;
    gpa_t rsdt = put_root(&w, "RSDT", 4, fadt, madt), xsdt = put_root(&w, "XSDT", 8, fadt, madt);
    uint32_t used = w.used;
    if (used > room)
        return 0;
    put_rsdp(&w, rsdt, xsdt);
    return used;
}

void plan_acpi(struct plan *plan, const struct acpi_domain *domain)
{
    uint8_t *tables = plan_make(plan, ACPI_ROOM);
    if (!tables)
        return;
    uint32_t bytes = acpi_write(tables, ACPI_ROOM, domain);
    if (bytes == 0) {
        plan_fail(plan, "the ACPI tables of %u vCPUs do not fit", domain->vcpus);
        return;
    }
    plan->firmware = (struct plan_range){ACPI_ROMS, ACPI_END};
    plan_add(plan, ACPI_ROMS, tables, 0, ACPI_BASE - ACPI_ROMS, "the place of option ROMs");
    plan_add(plan, ACPI_BASE, tables, bytes, ACPI_ROOM, "the ACPI tables");
    plan->rsdp = ACPI_BASE;
}
