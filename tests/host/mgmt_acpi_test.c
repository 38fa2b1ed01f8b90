/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of mgmt/builder/acpi.c: the tables of domains as the hypervisor's own parsers read them, by search
 * and by the address in the boot parameters; the memory map that goes with them; and, where iasl is
 * installed, what it says when it takes them apart.
 */
#include "mgmt/builder/acpi.h"

#include <sys/wait.h>
#include <unistd.h>

#include "drivers/acpi.h"
#include "tests/host/mgmt_image.h"

static uint8_t memory[ACPI_ROOM];
static uint32_t written;
static struct acpi_info info;

/* Only what was written can be read. */
static const void *map(void *ctx, uint64_t pa, uint64_t len)
{
    (void)ctx;
    if (pa < ACPI_BASE || pa - ACPI_BASE > written || len > written - (pa - ACPI_BASE))
        return NULL;
    return memory + (pa - ACPI_BASE);
}

static const struct acpi_env env = {map, NULL};

static void make(uint32_t vcpus, bool apic, uint32_t ioapic)
{
    const struct acpi_domain domain = {vcpus, apic, ioapic};
    memset(memory, 0xaa, sizeof(memory));
    written = acpi_write(memory, sizeof(memory), &domain);
    memset(&info, 0, sizeof(info));
    EXPECT_EQ(acpi_parse(&info, &env, ACPI_BASE), ACPI_OK);
    EXPECT_EQ(info.problem_count, 0U);
}

TEST(acpi_tables)
{
    make(4, true, 0xfec00000);
    EXPECT_TRUE(info.from_xsdt);
    EXPECT_EQ(info.revision, 2U);
    EXPECT_EQ(info.table_count, 2U);
    const struct acpi_fadt *fadt = &info.fadt;
    EXPECT_TRUE(fadt->present);
    EXPECT_FALSE(fadt->hw_reduced);
    EXPECT_FALSE(fadt->pm_timer_32bit);
    EXPECT_EQ(fadt->sci, 9U);
    EXPECT_EQ(fadt->smi_cmd, 0U);
    EXPECT_EQ(fadt->acpi_enable, 0U);
    EXPECT_EQ(fadt->pm_timer.address, 0x608U);
    EXPECT_EQ(fadt->pm_timer.space, ACPI_SPACE_IO);
    EXPECT_EQ(fadt->pm_timer.width, 32U);
    EXPECT_EQ(fadt->pm1a_control.address, 0x604U);
    EXPECT_EQ(fadt->pm1b_control.width, 0U);
    EXPECT_TRUE(fadt->reset_supported);
    EXPECT_EQ(fadt->reset.address, 0xcf9U);
    EXPECT_EQ(fadt->reset.width, 8U);
    EXPECT_EQ(fadt->reset_value, 6U);
    EXPECT_EQ(fadt->boot_arch, ACPI_BOOT_ARCH_LEGACY_DEVICES | ACPI_BOOT_ARCH_NO_VGA);
    EXPECT_EQ(fadt->dsdt_pa % 64, 0U);
    EXPECT_MEMEQ(map(NULL, fadt->dsdt_pa, 36), "DSDT", 4);
}

TEST(acpi_madt_of_a_domain)
{
    static const struct {
        uint32_t vcpus, ioapic;
    } rows[] = {{1, 0},   {1, 0xfec00000},   {8, 0xfec00000}, {64, 0xfec00000},
                {255, 0}, {256, 0xfec01000}, {400, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        test_row("%u vCPUs", rows[i].vcpus);
        make(rows[i].vcpus, true, rows[i].ioapic);
        const struct acpi_madt *madt = &info.madt;
        ASSERT_TRUE(madt->present);
        EXPECT_EQ(madt->lapic_pa, 0xfee00000U);
        EXPECT_TRUE(madt->pcat_compat);
        ASSERT_EQ(madt->cpu_count, rows[i].vcpus);
        for (uint32_t cpu = 0; cpu < madt->cpu_count; cpu++) {
            EXPECT_EQ(madt->cpu[cpu].apic_id, cpu);
            EXPECT_EQ(madt->cpu[cpu].uid, cpu);
            EXPECT_TRUE(madt->cpu[cpu].enabled);
            EXPECT_EQ(madt->cpu[cpu].x2apic, cpu >= 255);
        }
        EXPECT_EQ(madt->lapic_nmi_count, rows[i].vcpus > 255 ? 2U : 1U);
        EXPECT_EQ(madt->lapic_nmi[0].uid, ACPI_UID_ALL);
        EXPECT_EQ(madt->lapic_nmi[0].lint, 1U);
        ASSERT_EQ(madt->ioapic_count, rows[i].ioapic ? 1U : 0U);
        EXPECT_EQ(madt->override_count, rows[i].ioapic ? 2U : 0U);
        if (!rows[i].ioapic)
            continue;
        EXPECT_EQ(madt->ioapic[0].pa, rows[i].ioapic);
        EXPECT_EQ(madt->ioapic[0].gsi_base, 0U);
        EXPECT_EQ(madt->override[0].source, 0U);
        EXPECT_EQ(madt->override[0].gsi, 2U);
        EXPECT_EQ(madt->override[0].flags, 0U);
        EXPECT_EQ(madt->override[1].source, 9U);
        EXPECT_EQ(madt->override[1].gsi, 9U);
        EXPECT_EQ(madt->override[1].flags, ACPI_INTI_POLARITY_HIGH | ACPI_INTI_TRIGGER_LEVEL);
    }
    make(1, false, 0);
    EXPECT_FALSE(info.madt.present);
    EXPECT_TRUE(info.fadt.present);
}

/* Both root tables name the same tables; a guest of ACPI 1.0 goes by the RSDT. */
TEST(acpi_root_tables)
{
    make(2, true, 0xfec00000);
    uint32_t fadt = 0, madt = 0;
    for (uint32_t i = 0; i < info.table_count; i++)
        *(memcmp(info.table[i].signature, "FACP", 4) == 0 ? &fadt : &madt) = (uint32_t)info.table[i].pa;
    const uint8_t *rsdt = map(NULL, get32(memory + 16), 44);
    ASSERT_TRUE(rsdt != NULL);
    EXPECT_MEMEQ(rsdt, "RSDT", 4);
    EXPECT_EQ(get32(rsdt + 36), fadt);
    EXPECT_EQ(get32(rsdt + 40), madt);
    memory[20 + 4] ^= 1; /* the XSDT's address is wrong now, and so is the longer checksum */
    EXPECT_EQ(acpi_parse(&info, &env, ACPI_BASE), ACPI_OK);
    EXPECT_FALSE(info.from_xsdt);
    EXPECT_EQ(info.table_count, 2U);
}

/* Whatever does not fit is not written, and nothing behind the room is touched. */
TEST(acpi_every_room)
{
    const struct acpi_domain domain = {3, true, 0xfec00000};
    static uint8_t bytes[0x2000];
    uint32_t size = acpi_write(bytes, sizeof(bytes), &domain);
    ASSERT_TRUE(size > 0 && size < sizeof(bytes));
    for (uint32_t room = 0; room <= size; room++) {
        test_row("%u bytes", room);
        memset(bytes, 0x55, sizeof(bytes));
        EXPECT_EQ(acpi_write(bytes, room, &domain), room < size ? 0 : size);
        EXPECT_EQ(bytes[room], 0x55U);
    }
}

/* A Linux file of one sector of setup and a page of code. */
static void make_kernel(uint8_t *file, size_t size)
{
    memset(file, 0x90, size);
    file[0x1f1] = 1;
    put32(file + 0x1f4, (uint32_t)((size - 1024) / 16));
    file[0x1fe] = 0x55;
    file[0x1ff] = 0xaa;
    file[0x201] = 0x6a;
    memcpy(file + 0x202, "HdrS", 4);
    put32(file + 0x206, 0x20f);
    file[0x211] = 1;
    put32(file + 0x22c, 0x7fffffff);
    put32(file + 0x230, 0x1000);
    file[0x234] = 1;
    put32(file + 0x236, 0xc80001);
    put32(file + 0x238, 200);
    put32(file + 0x258, (uint32_t)MIB);
    put32(file + 0x25c, 0);
    put32(file + 0x260, 0x10000);
}

TEST(acpi_in_a_plan)
{
    static uint8_t file[1024 + 4096];
    const struct acpi_domain domain = {2, true, 0xfec00000};
    struct plan_map lines[PLAN_MAP_MAX];
    struct plan_input input = input_of(file, sizeof(file));
    make_kernel(file, sizeof(file));
    plan_init(&plan, 8 * MIB);
    EXPECT_EQ(plan_memory_map(&plan, lines), 2U);
    plan_acpi(&plan, &domain);
    plan_linux(&plan, &input);
    EXPECT_STREQ(plan.error, "");
    EXPECT_EQ(plan.entry, MIB + 0x200);
    const uint8_t *params = bytes_at(plan.esi);
    ASSERT_TRUE(params != NULL);
    EXPECT_EQ(get32(params + 0x70), ACPI_BASE);
    EXPECT_EQ(get32(params + 0x214), MIB);
    EXPECT_EQ(params[0x1e8], 3U);
    const uint8_t *entry = params + 0x2d0 + 20;
    EXPECT_EQ(get32(entry), 0xc0000U);
    EXPECT_EQ(get32(entry + 8), 0x40000U);
    EXPECT_EQ(get32(entry + 16), 2U);
    EXPECT_EQ(plan_memory_map(&plan, lines), 3U);
    EXPECT_EQ(lines[2].range.start, MIB);
    /* No loader gets the place. */
    EXPECT_FALSE(plan_is_ram(&plan, ACPI_BASE, 1));
    EXPECT_EQ(plan_find(&plan, 4096, 4096, ACPI_ROMS, MIB), PLAN_NOWHERE);
    EXPECT_FALSE(plan_add(&plan, ACPI_END - 4096, file, 16, 16, "something"));
    EXPECT_TRUE(strstr(plan.error, "overlaps the ACPI tables") != NULL);
    plan_free(&plan);
}

/* iasl finds every table sound and understands each line of it. */
static void check_with_iasl(const char *folder, const char *name, const uint8_t *table)
{
    char path[300], command[700], output[4096] = "";
    snprintf(path, sizeof(path), "%s/%s.dat", folder, name);
    FILE *file = fopen(path, "wb");
    ASSERT_TRUE(file != NULL);
    EXPECT_EQ(fwrite(table, 1, get32(table + 4), file), get32(table + 4));
    fclose(file);
    snprintf(command, sizeof(command), "cd %s && iasl -d %s.dat 2>&1 && cat %s.dsl", folder, name, name);
    FILE *stream = popen(command, "r");
    ASSERT_TRUE(stream != NULL);
    size_t got = fread(output, 1, sizeof(output) - 1, stream);
    output[got] = '\0';
    while (fread(path, 1, sizeof(path), stream) > 0) {
    }
    EXPECT_EQ(WEXITSTATUS(pclose(stream)), 0);
    EXPECT_TRUE(strstr(output, "Formatted output:") || strstr(output, "Disassembly completed"));
    for (const char *const *word =
             (const char *const[]){"Incorrect checksum", "Invalid", "rror", "Unknown", NULL};
         *word; word++)
        if (strstr(output, *word))
            EXPECT_STREQ(output, *word);
}

TEST(acpi_by_iasl)
{
    char folder[] = "/tmp/sbx-acpi-XXXXXX", command[64];
    make(3, true, 0xfec00000);
    EXPECT_TRUE(written != 0);
    if (system("command -v iasl >/dev/null") != 0) {
        printf("    iasl is not installed, the tables were not taken apart\n");
        return;
    }
    ASSERT_TRUE(mkdtemp(folder) != NULL);
    for (uint32_t i = 0; i < info.table_count; i++) {
        char name[5] = "";
        memcpy(name, info.table[i].signature, 4);
        test_row("%s", name);
        check_with_iasl(folder, name, memory + (info.table[i].pa - ACPI_BASE));
    }
    test_row("DSDT");
    check_with_iasl(folder, "DSDT", memory + (info.fadt.dsdt_pa - ACPI_BASE));
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    EXPECT_EQ(system(command), 0);
}
