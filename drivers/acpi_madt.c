/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_madt: processors and interrupt controllers. ACPI 6.4, section 5.2.12 Multiple APIC
 * Description Table. A record with an impossible length ends the walk (nothing behind it can be
 * trusted to be a record); one that is too short for its type is skipped. Where two records say the
 * same thing, the first one counts.
 */
#include "drivers/acpi_build.h"

enum {
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

struct __attribute__((packed)) madt {
    struct acpi_header header;
    uint32_t lapic_address;
    uint32_t flags;
};

struct __attribute__((packed)) madt_lapic {
    uint8_t type, length, uid, apic_id;
    uint32_t flags;
};

struct __attribute__((packed)) madt_ioapic {
    uint8_t type, length, id, reserved;
    uint32_t address;
    uint32_t gsi_base;
};

struct __attribute__((packed)) madt_override {
    uint8_t type, length, bus, source;
    uint32_t gsi;
    uint16_t flags;
};

struct __attribute__((packed)) madt_nmi_source {
    uint8_t type, length;
    uint16_t flags;
    uint32_t gsi;
};

struct __attribute__((packed)) madt_lapic_nmi {
    uint8_t type, length, uid;
    uint16_t flags;
    uint8_t lint;
};

struct __attribute__((packed)) madt_lapic_address {
    uint8_t type, length;
    uint16_t reserved;
    uint64_t address;
};

struct __attribute__((packed)) madt_x2apic {
    uint8_t type, length;
    uint16_t reserved;
    uint32_t apic_id;
    uint32_t flags;
    uint32_t uid;
};

struct __attribute__((packed)) madt_x2apic_nmi {
    uint8_t type, length;
    uint16_t flags;
    uint32_t uid;
    uint8_t lint;
    uint8_t reserved[3];
};

_Static_assert(sizeof(struct madt) == ACPI_MADT_MIN, "madt");
_Static_assert(sizeof(struct madt_lapic) == 8, "madt_lapic");
_Static_assert(sizeof(struct madt_ioapic) == 12, "madt_ioapic");
_Static_assert(sizeof(struct madt_override) == 10, "madt_override");
_Static_assert(sizeof(struct madt_nmi_source) == 8, "madt_nmi_source");
_Static_assert(sizeof(struct madt_lapic_nmi) == 6, "madt_lapic_nmi");
_Static_assert(sizeof(struct madt_lapic_address) == 12, "madt_lapic_address");
_Static_assert(sizeof(struct madt_x2apic) == 16, "madt_x2apic");
_Static_assert(sizeof(struct madt_x2apic_nmi) == 12, "madt_x2apic_nmi");

static void add_cpu(struct acpi_madt *madt, uint32_t apic_id, uint32_t uid, uint32_t flags,
                    bool x2apic)
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
static bool add_ioapic(struct acpi_madt *madt, const struct madt_ioapic *record)
{
    for (uint32_t i = 0; i < madt->ioapic_count; i++) {
        if (madt->ioapic[i].pa == record->address || madt->ioapic[i].gsi_base == record->gsi_base)
            return false;
    }
    if (acpi_has_room(madt->ioapic_count, ACPI_IOAPIC_MAX, &madt->ioapic_unlisted))
        madt->ioapic[madt->ioapic_count++] = (struct acpi_ioapic){
            .id = record->id, .gsi_base = record->gsi_base, .pa = record->address};
    return true;
}

static bool add_override(struct acpi_madt *madt, const struct madt_override *record)
{
    for (uint32_t i = 0; i < madt->override_count; i++) {
        if (madt->override[i].bus == record->bus && madt->override[i].source == record->source)
            return false;
    }
    if (acpi_has_room(madt->override_count, ACPI_OVERRIDE_MAX, &madt->override_unlisted))
        madt->override[madt->override_count++] =
            (struct acpi_override){record->bus, record->source, record->flags, record->gsi};
    return true;
}

static void add_lapic_nmi(struct acpi_madt *madt, uint32_t uid, uint16_t flags, uint8_t lint)
{
    if (acpi_has_room(madt->lapic_nmi_count, ACPI_LAPIC_NMI_MAX, &madt->lapic_nmi_unlisted))
        madt->lapic_nmi[madt->lapic_nmi_count++] = (struct acpi_lapic_nmi){uid, flags, lint};
}

union record {
    struct madt_lapic lapic;
    struct madt_ioapic ioapic;
    struct madt_override override;
    struct madt_nmi_source nmi_source;
    struct madt_lapic_nmi lapic_nmi;
    struct madt_lapic_address lapic_address;
    struct madt_x2apic x2apic;
    struct madt_x2apic_nmi x2apic_nmi;
};

/* False: the record contradicts an earlier one. */
static bool add_record(struct acpi_madt *madt, uint8_t type, const union record *r)
{
    switch (type) {
    case MADT_LAPIC:
        add_cpu(madt, r->lapic.apic_id, r->lapic.uid, r->lapic.flags, false);
        return true;
    case MADT_X2APIC:
        add_cpu(madt, r->x2apic.apic_id, r->x2apic.uid, r->x2apic.flags, true);
        return true;
    case MADT_IOAPIC:
        return add_ioapic(madt, &r->ioapic);
    case MADT_OVERRIDE:
        return add_override(madt, &r->override);
    case MADT_NMI_SOURCE:
        if (acpi_has_room(madt->nmi_source_count, ACPI_NMI_SOURCE_MAX, &madt->nmi_source_unlisted))
            madt->nmi_source[madt->nmi_source_count++] =
                (struct acpi_nmi_source){r->nmi_source.flags, r->nmi_source.gsi};
        return true;
    case MADT_LAPIC_NMI:
        add_lapic_nmi(madt, r->lapic_nmi.uid == UID8_ALL ? ACPI_UID_ALL : r->lapic_nmi.uid,
                      r->lapic_nmi.flags, r->lapic_nmi.lint);
        return true;
    case MADT_X2APIC_NMI:
        add_lapic_nmi(madt, r->x2apic_nmi.uid, r->x2apic_nmi.flags, r->x2apic_nmi.lint);
        return true;
    case MADT_LAPIC_ADDRESS:
        madt->lapic_pa = r->lapic_address.address;
        return true;
    default:
        return true;
    }
}

void acpi_parse_madt(struct acpi_info *out, struct acpi_bytes table)
{
    static const uint8_t size_of[] = {
        [MADT_LAPIC] = sizeof(struct madt_lapic),
        [MADT_IOAPIC] = sizeof(struct madt_ioapic),
        [MADT_OVERRIDE] = sizeof(struct madt_override),
        [MADT_NMI_SOURCE] = sizeof(struct madt_nmi_source),
        [MADT_LAPIC_NMI] = sizeof(struct madt_lapic_nmi),
        [MADT_LAPIC_ADDRESS] = sizeof(struct madt_lapic_address),
        [MADT_X2APIC] = sizeof(struct madt_x2apic),
        [MADT_X2APIC_NMI] = sizeof(struct madt_x2apic_nmi),
    };
    struct acpi_madt *madt = &out->madt;
    struct madt fixed;
    memcpy(&fixed, table.at, sizeof(fixed));
    madt->present = true;
    madt->pcat_compat = (fixed.flags & MADT_PCAT_COMPAT) != 0;
    madt->lapic_pa = fixed.lapic_address;

    for (uint32_t pos = sizeof(fixed); pos < table.length;) {
        const uint8_t *at = table.at + pos;
        uint32_t left = table.length - pos;
        if (left < 2 || at[1] < 2 || at[1] > left) {
            acpi_note(out, "APIC", ACPI_REASON_RECORD, pos);
            return;
        }
        uint8_t type = at[0], size = type < sizeof(size_of) ? size_of[type] : 0;
        union record record = {0};
        memcpy(&record, at, size < at[1] ? size : at[1]);
        if (at[1] < size || !add_record(madt, type, &record))
            acpi_note(out, "APIC", ACPI_REASON_RECORD, pos);
        pos += at[1];
    }
}
