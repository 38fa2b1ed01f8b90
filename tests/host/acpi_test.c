/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/acpi.c: RSDP, root tables, and what is checked of every table. */
#include "drivers/acpi.h"

#include "tests/host/acpi_machine.h"

TEST(acpi_whole)
{
    machine(2);
    ASSERT_EQ(parse(), ACPI_OK);
    expect_machine();
    EXPECT_EQ(out.problem_count, 0);
    EXPECT_EQ(out.revision, 2);
    EXPECT_TRUE(out.from_xsdt);
    EXPECT_MEMEQ(out.table[1].signature, "APIC", 4);
    EXPECT_EQ(out.table[1].pa, table_pa[1]);
    EXPECT_EQ(acpi_find_table(&out, "DMAR")->pa, table_pa[4]);
    EXPECT_TRUE(acpi_find_table(&out, "SSDT") == NULL);
    machine(0);
    ASSERT_EQ(parse(), ACPI_OK);
    expect_machine();
    EXPECT_FALSE(out.from_xsdt);
    EXPECT_EQ(out.problem_count, 0);
}

/* Each table in turn has a wrong checksum: it alone is left out. */
TEST(acpi_checksum_of_each_table)
{
    static const char *const names[] = {"FACP", "APIC", "HPET", "MCFG", "DMAR"};
    for (unsigned i = 0; i < COUNT(names); i++) {
        for (uint32_t byte = 8; byte < 44; byte += 5) {
            test_row("%s byte %u", names[i], byte);
            machine(2);
            area.bytes[table_pa[i] - BASE + byte] ^= 0x40;
            ASSERT_EQ(parse(), ACPI_OK);
            EXPECT_EQ(out.table_count, 4);
            EXPECT_EQ(out.problem_count, 1);
            expect_problem(0, names[i], ACPI_REASON_CHECKSUM, i);
            EXPECT_EQ(out.fadt.present, i != 0);
            EXPECT_EQ(out.madt.present, i != 1);
            EXPECT_EQ(out.hpet_count, i != 2 ? 1 : 0);
            EXPECT_EQ(out.mcfg_count, i != 3 ? 2 : 0);
            EXPECT_EQ(out.dmar.present, i != 4);
        }
    }
}

TEST(acpi_root_tables)
{
    machine(2);
    area.bytes[xsdt_pa - BASE + 9] ^= 1;
    ASSERT_EQ(parse(), ACPI_OK);
    expect_machine();
    EXPECT_FALSE(out.from_xsdt);
    expect_problem(0, "XSDT", ACPI_REASON_CHECKSUM, 0);
    area.bytes[rsdt_pa - BASE + 9] ^= 1;
    EXPECT_EQ(parse(), ACPI_NO_ROOT_TABLE);
    EXPECT_EQ(out.table_count, 0);
    expect_problem(1, "RSDT", ACPI_REASON_CHECKSUM, 0);

    machine(2);
    memcpy(area.bytes + (xsdt_pa - BASE), "XXDT", 4);
    table_sum(xsdt_pa - BASE);
    ASSERT_EQ(parse(), ACPI_OK);
    expect_problem(0, "XSDT", ACPI_REASON_SIGNATURE, 0);
    EXPECT_EQ(out.table_count, 5);

    machine(0);
    blob_put(&rsdp, 16, 4, 0);
    blob_checksum(&rsdp, 0, 20, 8);
    EXPECT_EQ(parse(), ACPI_NO_ROOT_TABLE);
    EXPECT_EQ(out.problem_count, 0);
}

TEST(acpi_root_entries)
{
    static const struct {
        uint64_t pa;
        const char *name;
        enum acpi_reason reason;
    } rows[] = {
        {0, "????", ACPI_REASON_UNREADABLE},           {1, "????", ACPI_REASON_UNREADABLE},
        {UINT64_MAX, "????", ACPI_REASON_UNREADABLE},  {UINT64_MAX - 35, "????", ACPI_REASON_UNREADABLE},
        {0x100000000, "????", ACPI_REASON_UNREADABLE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%zu", i);
        machine(2);
        blob_put(&area, xsdt_pa - BASE + 36, 8, rows[i].pa);
        table_sum(xsdt_pa - BASE);
        ASSERT_EQ(parse(), ACPI_OK);
        EXPECT_EQ(out.table_count, 4);
        expect_problem(0, rows[i].name, rows[i].reason, 0);
    }
    /* Four bytes that are no whole entry. */
    machine(2);
    blob_put(&area, xsdt_pa - BASE + 4, 4, 36 + 36);
    table_sum(xsdt_pa - BASE);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.table_count, 4);
    expect_problem(0, "XSDT", ACPI_REASON_RECORD, 68);
}

TEST(acpi_lengths_of_each_table)
{
    static const char *const names[] = {"FACP", "APIC", "HPET", "MCFG", "DMAR"};
    static const uint32_t absurd[] = {0, 1, 35, (16 << 20) + 1, 0x80000000, UINT32_MAX};
    for (unsigned t = 0; t < COUNT(names); t++) {
        for (size_t i = 0; i < COUNT(absurd); i++) {
            test_row("%s length %u", names[t], absurd[i]);
            machine(2);
            blob_put(&area, table_pa[t] - BASE + 4, 4, absurd[i]);
            ASSERT_EQ(parse(), ACPI_OK);
            EXPECT_EQ(out.table_count, 4);
            EXPECT_EQ(out.problem_count, 1);
            expect_problem(0, names[t], ACPI_REASON_LENGTH, t);
        }
        machine(2);
        blob_put(&area, table_pa[t] - BASE + 4, 4, 16 << 20);
        ASSERT_EQ(parse(), ACPI_OK);
        expect_problem(0, names[t], ACPI_REASON_UNREADABLE, t);
    }
}

/* Memory ends at each byte: what lies beyond is missing, the rest stands, nothing is read outside.
 */
TEST(acpi_memory_ends_at_every_byte)
{
    machine(2);
    size_t whole = area.len;
    for (size_t len = 0; len < whole; len++) {
        test_row("%zu bytes", len);
        machine(2);
        area.len = len;
        enum acpi_status status = parse();
        bool xsdt = len >= xsdt_pa - BASE + 36 + 40;
        EXPECT_EQ(status, xsdt ? ACPI_OK : ACPI_NO_ROOT_TABLE);
        EXPECT_TRUE(!xsdt || out.table_count == 5);
    }
}

TEST(acpi_rsdp_broken)
{
    static const struct {
        const char *name;
        size_t len, byte; /* byte: changed, unless 99 */
        enum acpi_status status;
        bool from_xsdt;
    } rows[] = {
        {"whole", 36, 99, ACPI_OK, true},
        {"signature", 36, 0, ACPI_RSDP_SIGNATURE, false},
        {"end of signature", 36, 7, ACPI_RSDP_SIGNATURE, false},
        {"checksum", 36, 8, ACPI_RSDP_CHECKSUM, false},
        {"RSDT address", 36, 16, ACPI_RSDP_CHECKSUM, false},
        {"length", 36, 20, ACPI_OK, false},
        {"XSDT address", 36, 24, ACPI_OK, false},
        {"extended checksum", 36, 32, ACPI_OK, false},
        {"reserved", 36, 35, ACPI_OK, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%s", rows[i].name);
        machine(2);
        if (rows[i].byte < 36)
            rsdp.bytes[rows[i].byte] ^= 0x10;
        rsdp.len = rows[i].len;
        EXPECT_EQ(parse(), rows[i].status);
        if (rows[i].status != ACPI_OK)
            continue;
        EXPECT_EQ(out.from_xsdt, rows[i].from_xsdt);
        expect_machine();
        if (!rows[i].from_xsdt)
            expect_problem(0, "RSD ", ACPI_REASON_CHECKSUM, 0);
    }
    for (size_t len = 0; len < 36; len++) {
        test_row("%zu bytes", len);
        machine(2);
        rsdp.len = len;
        EXPECT_EQ(parse(), len < 20 ? ACPI_RSDP_UNREADABLE : ACPI_OK);
        if (len >= 20)
            EXPECT_FALSE(out.from_xsdt);
    }
}

TEST(acpi_rsdp_longer)
{
    static const uint32_t lengths[] = {37, 64, 4096};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        machine(2);
        blob_fill(&rsdp, lengths[i] - 36, 0x77);
        blob_put(&rsdp, 20, 4, lengths[i]);
        blob_checksum(&rsdp, 0, lengths[i], 32);
        ASSERT_EQ(parse(), ACPI_OK);
        EXPECT_TRUE(out.from_xsdt);
    }
    machine(2);
    blob_put(&rsdp, 20, 4, UINT32_MAX);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_FALSE(out.from_xsdt);
}

TEST(acpi_rsdp_copy)
{
    struct fake_mem mem = {0};
    struct acpi_env env = {fake_mem_map, &mem};
    machine(2);
    fake_mem_add(&mem, BASE, area.bytes, area.len);
    ASSERT_EQ(acpi_parse_rsdp(&out, &env, rsdp.bytes, 36), ACPI_OK);
    EXPECT_TRUE(out.from_xsdt);
    ASSERT_EQ(acpi_parse_rsdp(&out, &env, rsdp.bytes, 20), ACPI_OK);
    EXPECT_FALSE(out.from_xsdt);
    for (size_t len = 0; len < 20; len++) {
        uint8_t *copy = (uint8_t *)malloc(len + 1);
        memcpy(copy, rsdp.bytes, len);
        EXPECT_EQ(acpi_parse_rsdp(&out, &env, copy, len), ACPI_RSDP_UNREADABLE);
        free(copy);
    }
    fake_mem_drop(&mem);
}

TEST(acpi_duplicate_tables)
{
    machine_begin();
    madt();
    madt_begin(0xdead0000, 0);
    table_end();
    fadt(268, 0);
    fadt(116, 0);
    hpet(0, 0xfed00000);
    hpet(0, 0xfed01000);
    mcfg();
    mcfg();
    dmar();
    dmar();
    add_table("SSDT");
    table_end();
    add_table("SSDT");
    table_end();
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.table_count, 12);
    EXPECT_EQ(out.madt.cpu_count, 3);
    EXPECT_EQ(out.hpet_count, 2);
    EXPECT_EQ(out.mcfg_count, 2);
    EXPECT_EQ(out.dmar.drhd_count, 2);
    EXPECT_EQ(out.problem_count, 4);
    expect_problem(0, "APIC", ACPI_REASON_DUPLICATE, 1);
    expect_problem(1, "FACP", ACPI_REASON_DUPLICATE, 3);
    expect_problem(2, "MCFG", ACPI_REASON_DUPLICATE, 7);
    expect_problem(3, "DMAR", ACPI_REASON_DUPLICATE, 9);
}

TEST(acpi_many_tables)
{
    machine_begin();
    for (unsigned i = 0; i < 299; i++) {
        add_table("SSDT");
        table_end();
    }
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_EQ(out.table_count, ACPI_TABLE_MAX);
    EXPECT_EQ(out.table_unlisted, 299 - ACPI_TABLE_MAX);
    machine_begin();
    for (unsigned i = 0; i < 100; i++)
        table_pa[tables++] = 0;
    madt();
    build(2);
    ASSERT_EQ(parse(), ACPI_OK);
    EXPECT_TRUE(out.madt.present);
    EXPECT_EQ(out.problem_count, ACPI_PROBLEM_MAX);
    EXPECT_EQ(out.problem_unlisted, 100 - ACPI_PROBLEM_MAX);
}

TEST(acpi_find_rsdp_places)
{
    static const struct {
        const char *name;
        uint16_t segment;
        uint64_t pa;
        bool found;
    } rows[] = {
        {"BIOS start", 0, 0xe0000, true},          {"BIOS end", 0, 0xfffe0, true},
        {"too near the end", 0, 0xffff0, false},   {"before BIOS", 0, 0xdfff0, false},
        {"no alignment", 0, 0xe0008, false},       {"EBDA start", 0x9fc0, 0x9fc00, true},
        {"EBDA first KiB", 0x9f00, 0x9f3e0, true}, {"EBDA second KiB", 0x9f00, 0x9f400, false},
        {"EBDA in BDA", 0x40, 0x480, false},       {"EBDA above 640 KiB", 0xc000, 0xc0000, false},
        {"EBDA all ones", 0xffff, 0xffff0, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct blob low;
        struct fake_mem mem = {0};
        struct acpi_env env = {fake_mem_map, &mem};
        test_row("%s", rows[i].name);
        machine(2);
        rsdp.len = 20;
        low.len = 0;
        blob_fill(&low, 0x410, 0);
        blob_put(&low, 0x40e, 2, rows[i].segment);
        static uint8_t first_mib[0x100000];
        memset(first_mib, 0, sizeof(first_mib));
        memcpy(first_mib, low.bytes, low.len);
        size_t room = sizeof(first_mib) - rows[i].pa;
        memcpy(first_mib + rows[i].pa, rsdp.bytes, room < 20 ? room : 20);
        fake_mem_add(&mem, 0, first_mib, sizeof(first_mib));
        EXPECT_EQ(acpi_find_rsdp(&env), rows[i].found ? rows[i].pa : 0);
        if (rows[i].found)
            first_mib[rows[i].pa + 8] ^= 1;
        EXPECT_EQ(acpi_find_rsdp(&env), 0);
        fake_mem_drop(&mem);
    }
    struct fake_mem none = {0};
    struct acpi_env env = {fake_mem_map, &none};
    EXPECT_EQ(acpi_find_rsdp(&env), 0);
}

TEST(acpi_texts)
{
    for (int i = 0; i <= ACPI_NO_ROOT_TABLE; i++)
        EXPECT_TRUE(strlen(acpi_status_text((enum acpi_status)i)) > 5);
    for (int i = 0; i <= ACPI_REASON_RECORD; i++)
        EXPECT_TRUE(strlen(acpi_reason_text((enum acpi_reason)i)) > 5);
    EXPECT_STREQ(acpi_status_text((enum acpi_status)(ACPI_NO_ROOT_TABLE + 1)), "unknown error");
    EXPECT_STREQ(acpi_reason_text((enum acpi_reason)(ACPI_REASON_RECORD + 1)), "is broken");
}
