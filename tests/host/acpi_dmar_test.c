/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/acpi_dmar.c. */
#include "drivers/acpi.h"

#include "tests/host/acpi_machine.h"

TEST(acpi_dmar_fields)
{
    machine(2);
    ASSERT_EQ(parse(), ACPI_OK);
    const struct acpi_dmar *d = &out.dmar;
    EXPECT_TRUE(d->present);
    EXPECT_EQ(d->host_address_width, 39);
    EXPECT_EQ(d->flags, ACPI_DMAR_INTR_REMAP | ACPI_DMAR_DMA_CTRL_OPT_IN);
    ASSERT_EQ(d->drhd_count, 2);
    EXPECT_FALSE(d->drhd[0].include_all);
    EXPECT_EQ(d->drhd[0].scopes.count, 1);
    EXPECT_TRUE(d->drhd[1].include_all);
    EXPECT_EQ(d->drhd[0].segment, 0);
    EXPECT_EQ(d->drhd[1].segment, 3);
    EXPECT_EQ(d->drhd[0].base, 0xfed90000);
    EXPECT_EQ(d->drhd[1].base, 0xfed91000);
    EXPECT_EQ(d->drhd[1].scopes.first, 1);
    ASSERT_EQ(d->drhd[1].scopes.count, 2);
    EXPECT_EQ(d->scope[0].path[0].device, 2);
    EXPECT_EQ(d->scope[1].type, ACPI_SCOPE_IOAPIC);
    EXPECT_EQ(d->scope[1].enum_id, 8);
    EXPECT_EQ(d->scope[1].bus, 0xf0);
    EXPECT_EQ(d->scope[2].path_len, 2);
    EXPECT_EQ(d->scope[2].path[0].device, 0x1c);
    EXPECT_EQ(d->scope[2].path[1].device, 3);
    EXPECT_EQ(d->scope[2].path[1].function, 1);
    ASSERT_EQ(d->rmrr_count, 1);
    EXPECT_EQ(d->rmrr[0].segment, 5);
    EXPECT_EQ(d->rmrr[0].base, 0x7b800000);
    EXPECT_EQ(d->rmrr[0].limit, 0x7bffffff);
    EXPECT_EQ(d->rmrr[0].scopes.first, 3);
    EXPECT_EQ(d->rmrr[0].scopes.count, 1);
    EXPECT_EQ(d->atsr_count, 1);
}

TEST(acpi_dmar_cut_at_every_byte)
{
    expect_cut("DMAR", dmar, 48);
}

TEST(acpi_dmar_unit_lengths)
{
    for (unsigned type = 0; type < 8; type++) {
        for (unsigned length = 0; length <= 24; length++) {
            test_row("type %u, length %u", type, length);
            machine_begin();
            dmar_begin();
            unit_begin(type);
            if (length > 4)
                blob_fill(&area, length - 4, 0);
            if (type == 0 && length >= 16)
                blob_put(&area, unit_at + 8, 8, 0xfed90000);
            blob_put(&area, unit_at + 2, 2, length);
            drhd_begin(1, 0, 0xfed91000);
            unit_end();
            table_end();
            build(2);
            ASSERT_EQ(parse(), ACPI_OK);
            bool drhd = type == 0 && length >= 16;
            bool sound = type >= 2 || (type == 0 && length == 16) || (type == 1 && length == 24);
            EXPECT_EQ(out.problem_count, length >= 4 && sound ? 0 : 1);
            if (length < 4)
                expect_problem(0, "DMAR", ACPI_REASON_RECORD, 48);
            EXPECT_EQ(out.dmar.drhd_count, length < 4 ? 0 : drhd ? 2 : 1);
            if (drhd)
                EXPECT_EQ(out.dmar.drhd[0].scopes.lost, length != 16);
        }
    }
}

TEST(acpi_dmar_shortest_unit_ends_the_table)
{
    machine_begin();
    dmar_begin();
    unit_begin(7);
    unit_end();
    table_end();
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.problem_count, 0);
}

TEST(acpi_dmar_scopes)
{
    static const struct {
        const char *name;
        uint8_t length;
        unsigned bytes; /* that are there, header included */
        bool lost;
    } rows[] = {
        {"no path", 6, 6, true},    {"half a hop", 7, 7, true},
        {"one hop", 8, 8, false},   {"8 hops", 22, 22, false},
        {"9 hops", 24, 24, true},   {"longest", 254, 254, true},
        {"0", 0, 8, true},          {"1", 1, 8, true},
        {"5", 5, 8, true},          {"beyond the unit", 10, 8, true},
        {"all ones", 255, 8, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].name);
        machine_begin();
        dmar_begin();
        drhd_begin(0, 0, 0xfed90000);
        blob_u8(&area, 1);
        blob_u8(&area, rows[i].length);
        blob_fill(&area, rows[i].bytes - 2, 0);
        unit_end();
        drhd_begin(0, 0, 0xfed91000);
        scope(1, 0, 0, 1, 0x0002);
        unit_end();
        table_end();
        build(2);
        ASSERT_EQ(parse(), ACPI_OK);
        ASSERT_EQ(out.dmar.drhd_count, 2);
        EXPECT_EQ(out.dmar.drhd[0].scopes.lost, rows[i].lost);
        EXPECT_EQ(out.dmar.drhd[0].scopes.count, rows[i].lost ? 0 : 1);
        EXPECT_FALSE(out.dmar.drhd[1].scopes.lost);
        EXPECT_EQ(out.dmar.drhd[1].scopes.count, 1);
        EXPECT_EQ(out.problem_count, rows[i].lost ? 1 : 0);
    }
}

TEST(acpi_dmar_refused_and_overflow)
{
    machine_begin();
    dmar_begin();
    drhd_begin(0, 0, 0);
    unit_end();
    drhd_begin(0, 0, 0xfed90800);
    unit_end();
    rmrr_begin(0, 0x2000, 0x1fff);
    unit_end();
    for (unsigned i = 0; i < 40; i++) {
        drhd_begin(0, i, 0x1000 + i * 0x1000);
        for (unsigned s = 0; s < 10; s++)
            scope(1, 0, 0, 1, s);
        unit_end();
    }
    for (unsigned i = 0; i < 70; i++) {
        rmrr_begin(i, 0, UINT64_MAX);
        unit_end();
    }
    table_end();
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.problem_count, 3);
    expect_problem(2, "DMAR", ACPI_REASON_RECORD, 80);
    EXPECT_EQ(out.dmar.drhd_count, ACPI_DRHD_MAX);
    EXPECT_EQ(out.dmar.drhd_unlisted, 40 - ACPI_DRHD_MAX);
    EXPECT_EQ(out.dmar.rmrr_count, ACPI_RMRR_MAX);
    EXPECT_EQ(out.dmar.rmrr_unlisted, 70 - ACPI_RMRR_MAX);
    EXPECT_EQ(out.dmar.scope_count, ACPI_SCOPE_MAX);
    EXPECT_EQ(out.dmar.scope_unlisted, ACPI_DRHD_MAX * 10 - ACPI_SCOPE_MAX);
    EXPECT_FALSE(out.dmar.drhd[24].scopes.lost);
    EXPECT_TRUE(out.dmar.drhd[25].scopes.lost);
    EXPECT_EQ(out.dmar.drhd[25].scopes.count, 6);
    EXPECT_EQ(out.dmar.drhd[26].scopes.count, 0);
}
