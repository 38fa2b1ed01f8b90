/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/acpi_madt.c. */
#include "drivers/acpi.h"

#include "tests/host/acpi_machine.h"

TEST(acpi_madt_fields)
{
    machine(2);
    ASSERT_EQ(parse(), ACPI_OK);
    const struct acpi_madt *m = &out.madt;
    EXPECT_TRUE(m->pcat_compat);
    EXPECT_EQ(m->lapic_pa, 0x1fee00000);
    EXPECT_EQ(m->cpu[0].uid, 1);
    EXPECT_TRUE(m->cpu[0].enabled && !m->cpu[0].online_capable && !m->cpu[0].x2apic);
    EXPECT_EQ(m->cpu[1].apic_id, 4);
    EXPECT_TRUE(!m->cpu[1].enabled && m->cpu[1].online_capable);
    EXPECT_EQ(m->cpu[2].apic_id, 0x100);
    EXPECT_EQ(m->cpu[2].uid, 256);
    EXPECT_TRUE(m->cpu[2].x2apic && m->cpu[2].enabled && m->cpu[2].online_capable);
    EXPECT_EQ(m->cpu_unusable, 1);
    ASSERT_EQ(m->ioapic_count, 2);
    EXPECT_EQ(m->ioapic[1].id, 9);
    EXPECT_EQ(m->ioapic[1].pa, 0xfec10000);
    EXPECT_EQ(m->ioapic[1].gsi_base, 24);
    ASSERT_EQ(m->override_count, 2);
    EXPECT_EQ(m->override[0].gsi, 2);
    EXPECT_EQ(m->override[1].source, 9);
    EXPECT_EQ(m->override[1].flags & ACPI_INTI_TRIGGER_MASK, ACPI_INTI_TRIGGER_LEVEL);
    EXPECT_EQ(m->override[1].flags & ACPI_INTI_POLARITY_MASK, ACPI_INTI_POLARITY_HIGH);
    ASSERT_EQ(m->nmi_source_count, 1);
    EXPECT_EQ(m->nmi_source[0].flags, 5);
    EXPECT_EQ(m->nmi_source[0].gsi, 17);
    ASSERT_EQ(m->lapic_nmi_count, 2);
    EXPECT_EQ(m->lapic_nmi[0].uid, ACPI_UID_ALL);
    EXPECT_EQ(m->lapic_nmi[0].flags, 5);
    EXPECT_EQ(m->lapic_nmi[0].lint, 1);
    EXPECT_EQ(m->lapic_nmi[1].uid, 256);
    EXPECT_EQ(m->lapic_nmi[1].flags, 7);
    EXPECT_EQ(m->lapic_nmi[1].lint, 1);
}

TEST(acpi_madt_duplicates)
{
    machine_begin();
    madt_begin(0xfee00000, 0);
    madt_lapic(1, 0, 1);
    madt_lapic(2, 0, 1);
    madt_x2apic(3, 0, 1);
    madt_lapic(4, 0xff, 1);
    madt_x2apic(5, 0xff, 1);
    madt_x2apic(6, UINT32_MAX, 1);
    madt_ioapic(0, 0xfec00000, 0);
    madt_ioapic(0, 0xfec10000, 24); /* the same ID is common and harmless */
    madt_ioapic(2, 0xfec00000, 48);
    madt_ioapic(3, 0xfec20000, 24);
    madt_override(0, 9, 9, 0xd);
    madt_override(0, 9, 20, 0xf);
    table_end();
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.madt.cpu_count, 2);
    EXPECT_EQ(out.madt.cpu[0].uid, 1);
    EXPECT_EQ(out.madt.cpu[1].apic_id, 0xff);
    EXPECT_EQ(out.madt.cpu_duplicates, 2);
    EXPECT_EQ(out.madt.cpu_unusable, 2);
    EXPECT_EQ(out.madt.ioapic_count, 2);
    EXPECT_EQ(out.madt.override_count, 1);
    EXPECT_EQ(out.madt.override[0].gsi, 9);
    EXPECT_EQ(out.problem_count, 3);
    EXPECT_FALSE(out.madt.pcat_compat);
}

TEST(acpi_madt_overflow)
{
    machine_begin();
    madt_begin(0xfee00000, 0);
    for (uint32_t i = 0; i < 600; i++)
        madt_x2apic(i, i, 1);
    for (uint32_t i = 0; i < 40; i++) {
        madt_ioapic(i, 0xfec00000 + i * 0x1000, i * 24);
        madt_override(i / 16, i % 16, i, 0);
        madt_nmi_source(0, i);
        madt_lapic_nmi(i, 0, 1);
        madt_x2apic_nmi(i, 0, 1);
    }
    table_end();
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.madt.cpu_count, ACPI_CPU_MAX);
    EXPECT_EQ(out.madt.cpu_unlisted, 600 - ACPI_CPU_MAX);
    EXPECT_EQ(out.madt.ioapic_count, ACPI_IOAPIC_MAX);
    EXPECT_EQ(out.madt.ioapic_unlisted, 40 - ACPI_IOAPIC_MAX);
    EXPECT_EQ(out.madt.override_unlisted, 40 - ACPI_OVERRIDE_MAX);
    EXPECT_EQ(out.madt.nmi_source_unlisted, 40 - ACPI_NMI_SOURCE_MAX);
    EXPECT_EQ(out.madt.lapic_nmi_unlisted, 80 - ACPI_LAPIC_NMI_MAX);
    EXPECT_EQ(out.problem_count, 0);
}

/* Each known record type with each length from 0 to its own: only a length below 2 stops the walk.
 */
TEST(acpi_madt_record_lengths)
{
    static const struct {
        uint8_t type, size;
    } rows[] = {{0, 8}, {1, 12}, {2, 10}, {3, 8}, {4, 6}, {5, 12}, {9, 16}, {10, 12}, {0x7f, 2}, {0xff, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint8_t length = 0; length <= rows[i].size; length++) {
            test_row("type %u, length %u", rows[i].type, length);
            machine_begin();
            madt_begin(0xfee00000, 0);
            madt_lapic(1, 7, 1);
            blob_u8(&area, rows[i].type);
            blob_u8(&area, length);
            if (length > 2)
                blob_fill(&area, length - 2u, 0x55);
            madt_lapic(2, 8, 1);
            table_end();
            build(2);
            ASSERT_EQ(parse(), ACPI_OK);
            bool cpu = rows[i].type == 0 || rows[i].type == 9;
            bool whole = length == rows[i].size;
            EXPECT_EQ(out.madt.cpu_count, length < 2 ? 1 : whole && cpu ? 3 : 2);
            EXPECT_EQ(out.problem_count, whole ? 0 : 1);
            if (!whole)
                expect_problem(0, "APIC", ACPI_REASON_RECORD, 52);
        }
    }
}

TEST(acpi_madt_cut_at_every_byte)
{
    expect_cut("APIC", madt, 44);
}
