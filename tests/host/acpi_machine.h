/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_machine: firmware tables for the tests of drivers/acpi*.c. One blob holds all of them;
 * layouts are typed from the specifications named in acpi.h. A machine is made of table functions;
 * `build` adds RSDT, XSDT and RSDP that point to them, `parse` fills `out`.
 */
#pragma once

#include "drivers/acpi.h"

#include "tests/host/blob.h"
#include "tests/host/fake_mem.h"
#include "tests/host/test.h"

enum { BASE = 0x7fe0000, RSDP_PA = 0xf5a40, TABLES_MAX = 300 };

static struct blob area, rsdp;
static uint32_t table_pa[TABLES_MAX];
static unsigned tables;
static size_t table_at; /* of the table being written, then of the last one */
static uint32_t xsdt_pa, rsdt_pa;
static struct acpi_info out;

static inline void machine_begin(void)
{
    area.len = rsdp.len = 0;
    tables = 0;
}

static inline uint32_t table_begin(const char *signature)
{
    blob_align(&area, 64);
    table_at = area.len;
    blob_bytes(&area, signature, 4);
    blob_u32(&area, 0);
    blob_u16(&area, 2); /* revision, checksum */
    blob_bytes(&area, "SIGBOXTESTTABL", 14);
    blob_fill(&area, 12, 1);
    return BASE + (uint32_t)table_at;
}

static inline void table_sum(size_t at)
{
    uint32_t length;
    memcpy(&length, area.bytes + at + 4, 4);
    blob_checksum(&area, at, length, at + 9);
}

static inline void table_end(void)
{
    blob_put(&area, table_at + 4, 4, area.len - table_at);
    table_sum(table_at);
}

static inline void add_table(const char *signature)
{
    if (tables == TABLES_MAX)
        abort();
    table_pa[tables++] = table_begin(signature);
}

static inline void build(uint8_t revision)
{
    xsdt_pa = table_begin("XSDT");
    for (unsigned i = 0; i < tables; i++)
        blob_u64(&area, table_pa[i]);
    table_end();
    rsdt_pa = table_begin("RSDT");
    for (unsigned i = 0; i < tables; i++)
        blob_u32(&area, table_pa[i]);
    table_end();
    rsdp.len = 0;
    blob_bytes(&rsdp, "RSD PTR \0SIGBOX", 15);
    blob_u8(&rsdp, revision);
    blob_u32(&rsdp, rsdt_pa);
    if (revision >= 2) {
        blob_u32(&rsdp, 36);
        blob_u64(&rsdp, xsdt_pa);
        blob_u32(&rsdp, 0);
    }
    blob_checksum(&rsdp, 0, 20, 8);
    if (revision >= 2)
        blob_checksum(&rsdp, 0, 36, 32);
}

static inline enum acpi_status parse(void)
{
    struct fake_mem mem = {0};
    struct acpi_env env = {fake_mem_map, &mem};
    fake_mem_add(&mem, BASE, area.bytes, area.len);
    fake_mem_add(&mem, RSDP_PA, rsdp.bytes, rsdp.len);
    memset(&out, 0xa5, sizeof(out));
    enum acpi_status status = acpi_parse(&out, &env, RSDP_PA);
    fake_mem_drop(&mem);
    return status;
}

static inline void expect_problem(uint32_t i, const char *signature, enum acpi_reason reason, uint32_t detail)
{
    ASSERT_TRUE(i < out.problem_count);
    EXPECT_MEMEQ(out.problem[i].signature, signature, 4);
    EXPECT_STREQ(acpi_reason_text(out.problem[i].reason), acpi_reason_text(reason));
    EXPECT_EQ(out.problem[i].detail, detail);
}

static inline void madt_begin(uint64_t lapic, uint64_t flags)
{
    add_table("APIC");
    blob_u32(&area, lapic);
    blob_u32(&area, flags);
}

static inline void madt_lapic(uint64_t uid, uint64_t id, uint64_t flags)
{
    blob_u16(&area, 0x0800);
    blob_u8(&area, uid);
    blob_u8(&area, id);
    blob_u32(&area, flags);
}

static inline void madt_x2apic(uint64_t uid, uint64_t id, uint64_t flags)
{
    blob_u32(&area, 0x1009);
    blob_u32(&area, id);
    blob_u32(&area, flags);
    blob_u32(&area, uid);
}

static inline void madt_ioapic(uint64_t id, uint64_t pa, uint64_t gsi)
{
    blob_u16(&area, 0x0c01);
    blob_u16(&area, id);
    blob_u32(&area, pa);
    blob_u32(&area, gsi);
}

static inline void madt_override(uint64_t bus, uint64_t source, uint64_t gsi, uint64_t flags)
{
    blob_u16(&area, 0x0a02);
    blob_u8(&area, bus);
    blob_u8(&area, source);
    blob_u32(&area, gsi);
    blob_u16(&area, flags);
}

static inline void madt_nmi_source(uint64_t flags, uint64_t gsi)
{
    blob_u16(&area, 0x0803);
    blob_u16(&area, flags);
    blob_u32(&area, gsi);
}

static inline void madt_lapic_nmi(uint64_t uid, uint64_t flags, uint64_t lint)
{
    blob_u16(&area, 0x0604);
    blob_u8(&area, uid);
    blob_u16(&area, flags);
    blob_u8(&area, lint);
}

static inline void madt_x2apic_nmi(uint64_t uid, uint64_t flags, uint64_t lint)
{
    blob_u16(&area, 0x0c0a);
    blob_u16(&area, flags);
    blob_u32(&area, uid);
    blob_u32(&area, lint);
}

static inline void madt_lapic_address(uint64_t pa)
{
    blob_u32(&area, 0x0c05);
    blob_u64(&area, pa);
}

static inline void madt(void)
{
    madt_begin(0xfee00000, 1);
    madt_lapic(1, 0, 1);
    madt_lapic(2, 4, 2);
    madt_lapic(3, 6, 0);
    madt_x2apic(256, 0x100, 3);
    madt_ioapic(8, 0xfec00000, 0);
    madt_ioapic(9, 0xfec10000, 24);
    madt_override(0, 0, 2, 0);
    madt_override(0, 9, 9, 0xd);
    madt_nmi_source(5, 17);
    madt_lapic_nmi(0xff, 5, 1);
    madt_x2apic_nmi(256, 7, 1);
    madt_lapic_address(0x1fee00000);
    table_end();
}

static inline void gas(uint64_t space, uint64_t width, uint64_t access, uint64_t address)
{
    blob_u8(&area, space);
    blob_u8(&area, width);
    blob_u8(&area, 0);
    blob_u8(&area, access);
    blob_u64(&area, address);
}

/* A FADT of `length` bytes; the fields are those of a usual PC. */
static inline void fadt(uint32_t length, uint32_t flags)
{
    add_table("FACP");
    size_t at = table_at;
    blob_fill(&area, 268 - 36, 0);
    blob_put(&area, at + 40, 4, 0x7fd0000); /* DSDT */
    blob_put(&area, at + 46, 2, 9);         /* SCI */
    blob_put(&area, at + 48, 4, 0xb2);
    blob_put(&area, at + 52, 2, 0xf0f1); /* enable f1, disable f0 */
    blob_put(&area, at + 64, 4, 0x604);
    blob_put(&area, at + 68, 4, 0x704);
    blob_put(&area, at + 76, 4, 0x608);
    blob_put(&area, at + 89, 1, 2);
    blob_put(&area, at + 91, 1, 4);
    blob_put(&area, at + 109, 2, 0x13);
    blob_put(&area, at + 112, 4, flags);
    area.len = at + 116;
    gas(1, 8, 1, 0xcf9);
    blob_u8(&area, 6);
    area.len = at + 140;
    blob_u64(&area, 0x17fd0000);
    area.len = at + 172;
    gas(1, 16, 2, 0x1804);
    area.len = at + 208;
    gas(0, 32, 3, 0xfed40008);
    area.len = at + length;
    table_end();
}

static inline void hpet(uint64_t space, uint64_t base)
{
    add_table("HPET");
    blob_u32(&area, 0x8086a201);
    gas(space, 64, 0, base);
    blob_u8(&area, 1);
    blob_u16(&area, 0x80);
    blob_u8(&area, 0);
    table_end();
}

static inline void mcfg_entry(uint64_t base, uint64_t segment, uint64_t first, uint64_t last)
{
    blob_u64(&area, base);
    blob_u16(&area, segment);
    blob_u8(&area, first);
    blob_u8(&area, last);
    blob_u32(&area, 0);
}

static inline void mcfg(void)
{
    add_table("MCFG");
    blob_u64(&area, 0);
    mcfg_entry(0xb0000000, 0, 0, 255);
    mcfg_entry(0x4000000000, 1, 0x10, 0x1f);
    table_end();
}

static size_t unit_at;

static inline void unit_begin(unsigned type)
{
    unit_at = area.len;
    blob_u16(&area, type);
    blob_u16(&area, 0);
}

static inline void unit_end(void)
{
    blob_put(&area, unit_at + 2, 2, area.len - unit_at);
}

static inline void scope(uint64_t type, uint64_t id, uint64_t bus, unsigned hops, uint64_t path)
{
    blob_u8(&area, type);
    blob_u8(&area, 6 + 2 * hops);
    blob_u16(&area, 0);
    blob_u8(&area, id);
    blob_u8(&area, bus);
    for (unsigned i = 0; i < hops; i++)
        blob_u16(&area, path >> (16 * (i % 4)));
}

static inline void dmar_begin(void)
{
    add_table("DMAR");
    blob_u8(&area, 38);
    blob_u8(&area, 5);
    blob_fill(&area, 10, 0);
}

static inline void drhd_begin(uint64_t flags, uint64_t segment, uint64_t base)
{
    unit_begin(0);
    blob_u16(&area, flags);
    blob_u16(&area, segment);
    blob_u64(&area, base);
}

static inline void rmrr_begin(uint64_t segment, uint64_t base, uint64_t limit)
{
    unit_begin(1);
    blob_u16(&area, 0);
    blob_u16(&area, segment);
    blob_u64(&area, base);
    blob_u64(&area, limit);
}

static inline void dmar(void)
{
    dmar_begin();
    drhd_begin(0, 0, 0xfed90000);
    scope(1, 0, 0, 1, 0x0002);
    unit_end();
    drhd_begin(1, 3, 0xfed91000);
    scope(3, 8, 0xf0, 1, 0x001f);
    scope(2, 0, 0, 2, 0x0103001c);
    unit_end();
    rmrr_begin(5, 0x7b800000, 0x7bffffff);
    scope(1, 0, 0, 1, 0x0014);
    unit_end();
    unit_begin(2);
    blob_u32(&area, 0);
    unit_end();
    table_end();
}

static inline void machine(uint8_t revision)
{
    machine_begin();
    fadt(268, 1 << 8 | 1 << 10);
    madt();
    hpet(0, 0xfed00000);
    mcfg();
    dmar();
    build(revision);
}

static inline void expect_machine(void)
{
    EXPECT_TRUE(out.fadt.present);
    EXPECT_TRUE(out.madt.present);
    EXPECT_EQ(out.madt.cpu_count, 3);
    EXPECT_EQ(out.hpet_count, 1);
    EXPECT_EQ(out.mcfg_count, 2);
    EXPECT_TRUE(out.dmar.present);
    EXPECT_EQ(out.table_count, 5);
}

/* The last table ends at each byte, with a right checksum: every record boundary of every parser.
 */
static inline void expect_cut(const char *name, void (*table)(void), uint32_t min)
{
    machine_begin();
    table();
    uint32_t whole = (uint32_t)(area.len - table_at);
    for (uint32_t length = 36; length < whole; length++) {
        test_row("%s of %u bytes", name, length);
        machine_begin();
        table();
        size_t at = table_at;
        area.len = at + length;
        table_end();
        build(2);
        ASSERT_EQ(parse(), ACPI_OK);
        EXPECT_EQ(out.table_count, 1);
        if (length < min)
            expect_problem(0, name, ACPI_REASON_LENGTH, 0);
        EXPECT_TRUE(out.problem_count <= 1);
        /* Cut at a boundary, the table is sound; elsewhere the problem lies in the cut record. */
        if (out.problem_count == 1 && length >= min)
            EXPECT_TRUE(out.problem[0].detail < length && length - out.problem[0].detail < 64);
    }
}
