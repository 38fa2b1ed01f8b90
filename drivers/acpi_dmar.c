/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_dmar: remapping hardware (VT-d). Intel VT-d specification 4.0, chapter 8: 8.1 DMA Remapping
 * Reporting Structure, 8.3 DRHD, 8.3.1 Device Scope, 8.4 RMRR. A broken device scope is left out
 * and marks its unit `scopes_lost`: a device that is not named may then be covered after all.
 */
#include "drivers/acpi_build.h"

enum { DMAR_DRHD, DMAR_RMRR, DMAR_ATSR };
enum { DRHD_INCLUDE_PCI_ALL = 1 << 0 };

struct __attribute__((packed)) dmar {
    struct acpi_header header;
    uint8_t host_address_width; /* bits, less 1 */
    uint8_t flags;
    uint8_t reserved[10];
};

struct __attribute__((packed)) dmar_unit {
    uint16_t type;
    uint16_t length;
};

struct __attribute__((packed)) dmar_drhd {
    struct dmar_unit unit;
    uint8_t flags;
    uint8_t size;
    uint16_t segment;
    uint64_t base;
};

struct __attribute__((packed)) dmar_rmrr {
    struct dmar_unit unit;
    uint16_t reserved;
    uint16_t segment;
    uint64_t base;
    uint64_t limit;
};

struct __attribute__((packed)) dmar_scope {
    uint8_t type;
    uint8_t length;
    uint8_t flags;
    uint8_t reserved;
    uint8_t enumeration_id;
    uint8_t start_bus;
    /* pairs of device and function follow */
};

_Static_assert(sizeof(struct dmar) == ACPI_DMAR_MIN, "dmar");
_Static_assert(sizeof(struct dmar_drhd) == 16, "dmar_drhd");
_Static_assert(sizeof(struct dmar_rmrr) == 24, "dmar_rmrr");
_Static_assert(sizeof(struct dmar_scope) == 6, "dmar_scope");

struct scopes {
    uint32_t first, count;
    bool lost;
};

static bool add_scope(struct acpi_dmar *dmar, const uint8_t *at, uint32_t length)
{
    struct dmar_scope head;
    uint32_t path_bytes = length - (uint32_t)sizeof(head);
    if (path_bytes == 0 || path_bytes % 2 != 0 || path_bytes / 2 > ACPI_PATH_MAX)
        return false;
    if (!acpi_has_room(dmar->scope_count, ACPI_SCOPE_MAX, &dmar->scope_unlisted))
        return false;
    memcpy(&head, at, sizeof(head));
    struct acpi_scope *scope = &dmar->scope[dmar->scope_count++];
    *scope = (struct acpi_scope){.type = head.type,
                                 .enum_id = head.enumeration_id,
                                 .bus = head.start_bus,
                                 .path_len = (uint8_t)(path_bytes / 2)};
    memcpy(scope->path, at + sizeof(head), path_bytes);
    return true;
}

/* The scopes in [pos, end) of the table. */
static struct scopes add_scopes(struct acpi_info *out, struct acpi_bytes table, uint32_t pos,
                                uint32_t end)
{
    struct acpi_dmar *dmar = &out->dmar;
    struct scopes scopes = {.first = dmar->scope_count};
    while (pos < end) {
        const uint8_t *at = table.at + pos;
        uint32_t left = end - pos;
        if (left < sizeof(struct dmar_scope) || at[1] < sizeof(struct dmar_scope) || at[1] > left) {
            acpi_note(out, "DMAR", ACPI_REASON_RECORD, pos);
            scopes.lost = true;
            break;
        }
        uint32_t unlisted = dmar->scope_unlisted;
        if (!add_scope(dmar, at, at[1])) {
            scopes.lost = true;
            if (dmar->scope_unlisted == unlisted)
                acpi_note(out, "DMAR", ACPI_REASON_RECORD, pos);
        }
        pos += at[1];
    }
    scopes.count = dmar->scope_count - scopes.first;
    return scopes;
}

static bool add_drhd(struct acpi_info *out, struct acpi_bytes table, uint32_t pos, uint32_t end)
{
    struct acpi_dmar *dmar = &out->dmar;
    struct dmar_drhd drhd;
    if (end - pos < sizeof(drhd))
        return false;
    memcpy(&drhd, table.at + pos, sizeof(drhd));
    if (drhd.base == 0 || drhd.base % 4096 != 0)
        return false;
    if (!acpi_has_room(dmar->drhd_count, ACPI_DRHD_MAX, &dmar->drhd_unlisted))
        return true;
    struct scopes scopes = add_scopes(out, table, pos + (uint32_t)sizeof(drhd), end);
    dmar->drhd[dmar->drhd_count++] = (struct acpi_drhd){
        .include_all = (drhd.flags & DRHD_INCLUDE_PCI_ALL) != 0,
        .scopes_lost = scopes.lost,
        .segment = drhd.segment,
        .base = drhd.base,
        .first_scope = scopes.first,
        .scope_count = scopes.count,
    };
    return true;
}

static bool add_rmrr(struct acpi_info *out, struct acpi_bytes table, uint32_t pos, uint32_t end)
{
    struct acpi_dmar *dmar = &out->dmar;
    struct dmar_rmrr rmrr;
    if (end - pos < sizeof(rmrr))
        return false;
    memcpy(&rmrr, table.at + pos, sizeof(rmrr));
    if (rmrr.limit < rmrr.base)
        return false;
    if (!acpi_has_room(dmar->rmrr_count, ACPI_RMRR_MAX, &dmar->rmrr_unlisted))
        return true;
    struct scopes scopes = add_scopes(out, table, pos + (uint32_t)sizeof(rmrr), end);
    dmar->rmrr[dmar->rmrr_count++] = (struct acpi_rmrr){
        .scopes_lost = scopes.lost,
        .segment = rmrr.segment,
        .base = rmrr.base,
        .limit = rmrr.limit,
        .first_scope = scopes.first,
        .scope_count = scopes.count,
    };
    return true;
}

void acpi_parse_dmar(struct acpi_info *out, struct acpi_bytes table)
{
    struct acpi_dmar *dmar = &out->dmar;
    struct dmar fixed;
    memcpy(&fixed, table.at, sizeof(fixed));
    dmar->present = true;
    dmar->host_address_width =
        (uint8_t)(fixed.host_address_width < 64 ? fixed.host_address_width + 1 : 64);
    dmar->flags = fixed.flags;

    for (uint32_t pos = sizeof(fixed); pos < table.length;) {
        struct dmar_unit unit = {0};
        uint32_t left = table.length - pos;
        if (left >= sizeof(unit))
            memcpy(&unit, table.at + pos, sizeof(unit));
        if (unit.length < sizeof(unit) || unit.length > left) {
            acpi_note(out, "DMAR", ACPI_REASON_RECORD, pos);
            return;
        }
        bool sound = true;
        if (unit.type == DMAR_DRHD)
            sound = add_drhd(out, table, pos, pos + unit.length);
        else if (unit.type == DMAR_RMRR)
            sound = add_rmrr(out, table, pos, pos + unit.length);
        else if (unit.type == DMAR_ATSR)
            dmar->atsr_count++;
        if (!sound)
            acpi_note(out, "DMAR", ACPI_REASON_RECORD, pos);
        pos += unit.length;
    }
}
