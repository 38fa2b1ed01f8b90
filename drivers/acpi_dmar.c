/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_dmar: remapping hardware (VT-d). Intel VT-d specification 4.0, chapter 8: 8.1 DMA Remapping Reporting
 * Structure, 8.3 DRHD, 8.3.1 Device Scope, 8.4 RMRR. Fields by offset and size:
 *
 *     table   36 host address width less 1 (1), 37 flags (1), 48 units
 *     unit    0 type (2), 2 length (2)
 *     DRHD    4 flags (1), 6 segment (2), 8 base (8), 16 scopes
 *     RMRR    6 segment (2), 8 base (8), 16 limit (8), 24 scopes
 *     scope   0 type (1), 1 length (1), 4 enumeration ID (1), 5 start bus (1), 6 pairs of device (1) and function (1)
 *
 * A unit with an impossible length ends the walk. A broken scope is left out and marks its unit
 * `scopes_lost`: a device that is not named may then be covered after all.
 */
#include "drivers/acpi_build.h"

enum { DMAR_DRHD, DMAR_RMRR, DMAR_ATSR };
enum { DRHD_INCLUDE_PCI_ALL = 1 << 0 };
enum { UNIT_MIN = 4, DRHD_MIN = 16, RMRR_MIN = 24, SCOPE_MIN = 6 };

/* The part [pos, end) of the table. */
struct span {
    struct acpi_bytes table;
    uint32_t pos, end;
};

/* False: it is broken; `note` tells that from a list without room, which is counted. */
static bool add_scope(struct acpi_dmar *dmar, const uint8_t *at, bool *note)
{
    uint32_t path_bytes = at[1] - (uint32_t)SCOPE_MIN;
    *note = path_bytes == 0 || path_bytes % 2 != 0 || path_bytes / 2 > ACPI_PATH_MAX;
    if (*note || !acpi_has_room(dmar->scope_count, ACPI_SCOPE_MAX, &dmar->scope_unlisted))
        return false;
    struct acpi_scope *scope = &dmar->scope[dmar->scope_count++];
    *scope = (struct acpi_scope){
        .type = at[0], .enum_id = at[4], .bus = at[5], .path_len = (uint8_t)(path_bytes / 2)};
    memcpy(scope->path, at + SCOPE_MIN, path_bytes);
    return true;
}

static struct acpi_scopes add_scopes(struct acpi_info *out, struct span span)
{
    struct acpi_dmar *dmar = &out->dmar;
    struct acpi_scopes scopes = {.first = dmar->scope_count};
    while (span.pos < span.end) {
        const uint8_t *at = span.table.at + span.pos;
        uint32_t left = span.end - span.pos;
        bool walk = left >= SCOPE_MIN && at[1] >= SCOPE_MIN && at[1] <= left, note = true;
        if (!walk || !add_scope(dmar, at, &note)) {
            scopes.lost = true;
            if (note)
                acpi_note(out, "DMAR", ACPI_REASON_RECORD, span.pos);
        }
        span.pos = walk ? span.pos + at[1] : span.end;
    }
    scopes.count = dmar->scope_count - scopes.first;
    return scopes;
}

static bool add_drhd(struct acpi_info *out, struct span unit)
{
    struct acpi_dmar *dmar = &out->dmar;
    const uint8_t *at = unit.table.at + unit.pos;
    if (unit.end - unit.pos < DRHD_MIN || acpi_u64(at + 8) == 0 || acpi_u64(at + 8) % 4096 != 0)
        return false;
    if (!acpi_has_room(dmar->drhd_count, ACPI_DRHD_MAX, &dmar->drhd_unlisted))
        return true;
    unit.pos += DRHD_MIN;
    dmar->drhd[dmar->drhd_count++] = (struct acpi_drhd){
        .include_all = (at[4] & DRHD_INCLUDE_PCI_ALL) != 0,
        .segment = acpi_u16(at + 6),
        .base = acpi_u64(at + 8),
        .scopes = add_scopes(out, unit),
    };
    return true;
}

static bool add_rmrr(struct acpi_info *out, struct span unit)
{
    struct acpi_dmar *dmar = &out->dmar;
    const uint8_t *at = unit.table.at + unit.pos;
    if (unit.end - unit.pos < RMRR_MIN || acpi_u64(at + 16) < acpi_u64(at + 8))
        return false;
    if (!acpi_has_room(dmar->rmrr_count, ACPI_RMRR_MAX, &dmar->rmrr_unlisted))
        return true;
    unit.pos += RMRR_MIN;
    dmar->rmrr[dmar->rmrr_count++] = (struct acpi_rmrr){
        .segment = acpi_u16(at + 6),
        .base = acpi_u64(at + 8),
        .limit = acpi_u64(at + 16),
        .scopes = add_scopes(out, unit),
    };
    return true;
}

static bool add_unit(struct acpi_info *out, struct span unit)
{
    switch (acpi_u16(unit.table.at + unit.pos)) {
    case DMAR_DRHD:
        return add_drhd(out, unit);
    case DMAR_RMRR:
        return add_rmrr(out, unit);
    case DMAR_ATSR:
        out->dmar.atsr_count++;
        return true;
    default:
        return true;
    }
}

void acpi_parse_dmar(struct acpi_info *out, struct acpi_bytes table)
{
    struct acpi_dmar *dmar = &out->dmar;
    dmar->present = true;
    dmar->host_address_width = (uint8_t)(table.at[36] < 64 ? table.at[36] + 1 : 64);
    dmar->flags = table.at[37];

    for (uint32_t pos = ACPI_DMAR_MIN; pos < table.length;) {
        uint32_t left = table.length - pos;
        uint16_t length = left >= UNIT_MIN ? acpi_u16(table.at + pos + 2) : 0;
        if (length < UNIT_MIN || length > left) {
            acpi_note(out, "DMAR", ACPI_REASON_RECORD, pos);
            return;
        }
        if (!add_unit(out, (struct span){table, pos, pos + length}))
            acpi_note(out, "DMAR", ACPI_REASON_RECORD, pos);
        pos += length;
    }
}
