/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_madt: processors and interrupt controllers. ACPI 6.4, section 5.2.12 Multiple APIC Description Table.
 *
 * A record with an impossible length ends the walk (nothing behind it can be trusted to be a record); one
 * that is too short for its type is skipped. Where two records say the same thing, the first one counts.
 * Fields by offset and size:
 *
 *     table            36 local APIC address (4), 40 flags (4), 44 records
 *     record           0 type (1), 1 length (1)
 *     local APIC       2 UID (1), 3 APIC ID (1), 4 flags (4)
 *     IOAPIC           2 ID (1), 4 address (4), 8 GSI base (4)
 *     override         2 bus (1), 3 source (1), 4 GSI (4), 8 flags (2)
 *     NMI source       2 flags (2), 4 GSI (4)
 *     local APIC NMI   2 UID (1), 3 flags (2), 5 LINT (1)
 *     local address    4 address (8)
 *     x2APIC           4 APIC ID (4), 8 flags (4), 12 UID (4)
 *     x2APIC NMI       2 flags (2), 4 UID (4), 8 LINT (1)
 */
#include "drivers/acpi_build.h"

enum madt_type {
    MADT_LAPIC,
    MADT_IOAPIC,
    MADT_OVERRIDE,
    MADT_NMI_SOURCE,
    MADT_LAPIC_NMI,
    MADT_LAPIC_ADDRESS,
    MADT_X2APIC = 9,
    MADT_X2APIC_NMI
};

enum { MADT_PCAT_COMPAT = 1 << 0, CPU_ENABLED = 1 << 0, CPU_ONLINE_CAPABLE = 1 << 1 };
enum { APIC_BROADCAST = 0xff, UID8_ALL = 0xff };

static void add_cpu(struct acpi_madt *madt, uint32_t apic_id, uint32_t uid, uint32_t flags, bool x2apic)
{
    bool broadcast = apic_id == (x2apic ? UINT32_MAX : APIC_BROADCAST);
    if (broadcast || (flags & (CPU_ENABLED | CPU_ONLINE_CAPABLE)) == 0) {
        madt->cpu_unusable++;
        return;
    }
    for (uint32_t i = 0; i < madt->cpu_count; i++) {
        if (madt->cpu[i].apic_id == apic_id) {
            madt->cpu_duplicates++;
            return;
        }
    }
    if (acpi_has_room(madt->cpu_count, ACPI_CPU_MAX, &madt->cpu_unlisted))
        madt->cpu[madt->cpu_count++] = (struct acpi_cpu){
            .apic_id = apic_id,
            .uid = uid,
            .enabled = (flags & CPU_ENABLED) != 0,
            .online_capable = (flags & CPU_ONLINE_CAPABLE) != 0,
            .x2apic = x2apic,
        };
}

/* Two IOAPICs at one address or with one GSI base cannot both be right. */
static bool add_ioapic(struct acpi_madt *madt, uint8_t id, uint32_t pa, uint32_t gsi_base)
{
    for (uint32_t i = 0; i < madt->ioapic_count; i++) {
        if (madt->ioapic[i].pa == pa || madt->ioapic[i].gsi_base == gsi_base)
            return false;
    }
    if (acpi_has_room(madt->ioapic_count, ACPI_IOAPIC_MAX, &madt->ioapic_unlisted))
        madt->ioapic[madt->ioapic_count++] = (struct acpi_ioapic){id, gsi_base, pa};
    return true;
}

static bool add_override(struct acpi_madt *madt, uint8_t bus, uint8_t source, uint32_t gsi, uint16_t flags)
{
    for (uint32_t i = 0; i < madt->override_count; i++) {
        if (madt->override[i].bus == bus && madt->override[i].source == source)
            return false;
    }
    if (acpi_has_room(madt->override_count, ACPI_OVERRIDE_MAX, &madt->override_unlisted))
        madt->override[madt->override_count++] = (struct acpi_override){bus, source, flags, gsi};
    return true;
}

static void add_lapic_nmi(struct acpi_madt *madt, uint32_t uid, uint16_t flags, uint8_t lint)
{
    if (acpi_has_room(madt->lapic_nmi_count, ACPI_LAPIC_NMI_MAX, &madt->lapic_nmi_unlisted))
        madt->lapic_nmi[madt->lapic_nmi_count++] = (struct acpi_lapic_nmi){uid, flags, lint};
}

static void add_nmi_source(struct acpi_madt *madt, uint16_t flags, uint32_t gsi)
{
    if (acpi_has_room(madt->nmi_source_count, ACPI_NMI_SOURCE_MAX, &madt->nmi_source_unlisted))
        madt->nmi_source[madt->nmi_source_count++] = (struct acpi_nmi_source){flags, gsi};
}

/* A record of full length. False: it contradicts an earlier one. */
static bool add_record(struct acpi_madt *madt, const uint8_t *at)
{
    switch (at[0]) {
    case MADT_LAPIC:
        add_cpu(madt, at[3], at[2], acpi_u32(at + 4), false);
        break;
    case MADT_IOAPIC:
        return add_ioapic(madt, at[2], acpi_u32(at + 4), acpi_u32(at + 8));
    case MADT_OVERRIDE:
        return add_override(madt, at[2], at[3], acpi_u32(at + 4), acpi_u16(at + 8));
    case MADT_NMI_SOURCE:
        add_nmi_source(madt, acpi_u16(at + 2), acpi_u32(at + 4));
        break;
    case MADT_LAPIC_NMI:
        add_lapic_nmi(madt, at[2] == UID8_ALL ? ACPI_UID_ALL : at[2], acpi_u16(at + 3), at[5]);
        break;
    case MADT_LAPIC_ADDRESS:
        madt->lapic_pa = acpi_u64(at + 4);
        break;
    case MADT_X2APIC:
        add_cpu(madt, acpi_u32(at + 4), acpi_u32(at + 12), acpi_u32(at + 8), true);
        break;
    case MADT_X2APIC_NMI:
        add_lapic_nmi(madt, acpi_u32(at + 4), acpi_u16(at + 2), at[8]);
        break;
    }
    return true;
}

void acpi_parse_madt(struct acpi_info *out, struct acpi_bytes table)
{
    static const uint8_t full_length[] = {
        [MADT_LAPIC] = 8,     [MADT_IOAPIC] = 12,        [MADT_OVERRIDE] = 10, [MADT_NMI_SOURCE] = 8,
        [MADT_LAPIC_NMI] = 6, [MADT_LAPIC_ADDRESS] = 12, [MADT_X2APIC] = 16,   [MADT_X2APIC_NMI] = 12,
    };
    struct acpi_madt *madt = &out->madt;
    madt->present = true;
    madt->lapic_pa = acpi_u32(table.at + 36);
    madt->pcat_compat = (acpi_u32(table.at + 40) & MADT_PCAT_COMPAT) != 0;

    for (uint32_t pos = ACPI_MADT_MIN; pos < table.length;) {
        const uint8_t *at = table.at + pos;
        uint32_t left = table.length - pos;
        if (left < 2 || at[1] < 2 || at[1] > left) {
            acpi_note(out, "APIC", ACPI_REASON_RECORD, pos);
            return;
        }
        uint8_t wanted = at[0] < sizeof(full_length) ? full_length[at[0]] : 0;
        if (at[1] < wanted || !add_record(madt, at))
            acpi_note(out, "APIC", ACPI_REASON_RECORD, pos);
        pos += at[1];
    }
}
