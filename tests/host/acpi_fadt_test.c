/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/acpi_fadt.c: FADT, HPET and MCFG. */
#include "drivers/acpi.h"

#include "tests/host/acpi_machine.h"

TEST(acpi_fadt_fields)
{
    machine(2);
    ASSERT_EQ(parse(), ACPI_OK);
    const struct acpi_fadt *f = &out.fadt;
    EXPECT_EQ(f->sci, 9);
    EXPECT_EQ(f->smi_cmd, 0xb2);
    EXPECT_EQ(f->acpi_enable, 0xf1);
    EXPECT_EQ(f->acpi_disable, 0xf0);
    EXPECT_EQ(f->boot_arch, ACPI_BOOT_ARCH_LEGACY_DEVICES | ACPI_BOOT_ARCH_8042 | ACPI_BOOT_ARCH_NO_ASPM);
    EXPECT_EQ(f->dsdt_pa, 0x17fd0000);
    EXPECT_TRUE(f->pm_timer_32bit);
    EXPECT_EQ(f->pm_timer.space, ACPI_SPACE_MEMORY);
    EXPECT_EQ(f->pm_timer.width, 32);
    EXPECT_EQ(f->pm_timer.address, 0xfed40008);
    EXPECT_EQ(f->pm1a_control.address, 0x1804);
    EXPECT_EQ(f->pm1a_control.access, 2);
    EXPECT_EQ(f->pm1b_control.space, ACPI_SPACE_IO);
    EXPECT_EQ(f->pm1b_control.address, 0x704);
    EXPECT_EQ(f->pm1b_control.width, 16);
    EXPECT_TRUE(f->reset_supported);
    EXPECT_EQ(f->reset.space, ACPI_SPACE_IO);
    EXPECT_EQ(f->reset.address, 0xcf9);
    EXPECT_EQ(f->reset_value, 6);
}

/* A FADT may end at any byte from 116 on: later fields are absent, none is read from behind the
 * table. */
TEST(acpi_fadt_lengths)
{
    for (uint32_t length = 36; length <= 268; length++) {
        test_row("%u bytes", length);
        machine_begin();
        fadt(length, 1 << 8 | 1 << 10);
        build(2);
        ASSERT_EQ(parse(), ACPI_OK);
        EXPECT_EQ(out.fadt.present, length >= 116);
        if (length < 116) {
            expect_problem(0, "FACP", ACPI_REASON_LENGTH, 0);
            continue;
        }
        EXPECT_EQ(out.problem_count, 0);
        EXPECT_EQ(out.fadt.reset_supported, length >= 129);
        if (length == 140 || length >= 148)
            EXPECT_EQ(out.fadt.dsdt_pa, length >= 148 ? 0x17fd0000 : 0x7fd0000);
        if (length <= 208 || length >= 220)
            EXPECT_EQ(out.fadt.pm_timer.address, length >= 220 ? 0xfed40008 : 0x608);
    }
}

TEST(acpi_fadt_flags)
{
    machine_begin();
    fadt(116, 0);
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_FALSE(out.fadt.reset_supported);
    EXPECT_EQ(out.fadt.reset.address, 0);
    EXPECT_FALSE(out.fadt.pm_timer_32bit);
    EXPECT_EQ(out.fadt.pm_timer.space, ACPI_SPACE_IO);
    EXPECT_EQ(out.fadt.pm_timer.width, 32);
    machine_begin();
    fadt(268, 1 << 20 | 1 << 10);
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_TRUE(out.fadt.hw_reduced && out.fadt.reset_supported);
    EXPECT_EQ(out.fadt.pm_timer.width, 0);
    EXPECT_EQ(out.fadt.smi_cmd, 0);
    /* Blocks of length 0, and a reset flag without a register. */
    machine_begin();
    fadt(140, 1 << 10);
    blob_put(&area, table_at + 89, 3, 0);
    blob_put(&area, table_at + 120, 8, 0);
    table_sum(table_at);
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.fadt.pm_timer.width, 0);
    EXPECT_EQ(out.fadt.pm1a_control.width, 0);
    EXPECT_FALSE(out.fadt.reset_supported);
}

TEST(acpi_hpet_mcfg_fields)
{
    machine(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.hpet[0].pa, 0xfed00000);
    EXPECT_EQ(out.hpet[0].block_id, 0x8086a201);
    EXPECT_EQ(out.hpet[0].number, 1);
    EXPECT_EQ(out.hpet[0].min_tick, 0x80);
    EXPECT_EQ(out.mcfg[0].base, 0xb0000000);
    EXPECT_EQ(out.mcfg[1].segment, 1);
    EXPECT_EQ(out.mcfg[1].first_bus, 0x10);
    EXPECT_EQ(out.mcfg[1].last_bus, 0x1f);
}

static void hpet_table(void)
{
    hpet(0, 0xfed00000);
}

TEST(acpi_hpet_refused)
{
    static const struct {
        uint64_t space, base;
    } rows[] = {{1, 0xfed00000}, {0, 0}, {0xff, 0xfed00000}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        machine_begin();
        hpet(rows[i].space, rows[i].base);
        build(2);
        ASSERT_EQ(parse(), ACPI_OK);
        EXPECT_EQ(out.hpet_count, 0);
        expect_problem(0, "HPET", ACPI_REASON_RECORD, 40);
    }
    machine_begin();
    for (unsigned i = 0; i < 6; i++)
        hpet(0, 0xfed00000 + i * 0x1000);
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.hpet_count, ACPI_HPET_MAX);
    EXPECT_EQ(out.hpet_unlisted, 6 - ACPI_HPET_MAX);
}

TEST(acpi_mcfg_refused)
{
    machine_begin();
    add_table("MCFG");
    blob_u64(&area, 0);
    mcfg_entry(0, 0, 0, 255);
    mcfg_entry(0xb0000000, 0, 10, 9);
    mcfg_entry(0xc0000000, 0, 9, 9);
    for (unsigned i = 0; i < 20; i++)
        mcfg_entry(0x1000000000ull * i + 0xd0000000, i, 0, 255);
    table_end();
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.mcfg_count, ACPI_MCFG_MAX);
    EXPECT_EQ(out.mcfg[0].base, 0xc0000000);
    EXPECT_EQ(out.mcfg_unlisted, 21 - ACPI_MCFG_MAX);
    expect_problem(0, "MCFG", ACPI_REASON_RECORD, 44);
    expect_problem(1, "MCFG", ACPI_REASON_RECORD, 60);
}

TEST(acpi_hpet_mcfg_cut_at_every_byte)
{
    expect_cut("MCFG", mcfg, 44);
    expect_cut("HPET", hpet_table, 56);
}
