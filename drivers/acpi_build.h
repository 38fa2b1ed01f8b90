/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_build: what the ACPI parsers share. Not for use outside drivers/acpi*.c.
 * A table parser gets one whole table whose length and checksum are right, at least as long as
 * acpi.c says in its list.
 */
#pragma once

#include <string.h>

#include "drivers/acpi.h"

struct __attribute__((packed)) acpi_header {
    char signature[4];
    uint32_t length; /* of the table, this header included */
    uint8_t revision;
    uint8_t checksum; /* makes the table sum to 0 */
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
};

_Static_assert(sizeof(struct acpi_header) == 36, "acpi_header");

struct acpi_bytes {
    const uint8_t *at;
    uint32_t length;
};

/* Fixed parts, in bytes: shorter tables are refused by acpi.c. */
enum { ACPI_MADT_MIN = 44, ACPI_FADT_MIN = 116, ACPI_HPET_MIN = 56, ACPI_MCFG_MIN = 44, ACPI_DMAR_MIN = 48 };

void acpi_note(struct acpi_info *out, const char *signature, enum acpi_reason reason, uint32_t detail);

void acpi_parse_madt(struct acpi_info *out, struct acpi_bytes table);
void acpi_parse_fadt(struct acpi_info *out, struct acpi_bytes table);
void acpi_parse_hpet(struct acpi_info *out, struct acpi_bytes table);
void acpi_parse_mcfg(struct acpi_info *out, struct acpi_bytes table);
void acpi_parse_dmar(struct acpi_info *out, struct acpi_bytes table);

/* Record fields: x86 stores the low byte first, and firmware does not align. */
static inline uint16_t acpi_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static inline uint32_t acpi_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static inline uint64_t acpi_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* Whether a list has room for one more; if not, that is counted. */
static inline bool acpi_has_room(uint32_t count, uint32_t max, uint32_t *unlisted)
{
    if (count < max)
        return true;
    ++*unlisted;
    return false;
}
