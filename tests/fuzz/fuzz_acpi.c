/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: ACPI tables. Checksums would stop nearly every mutation, so the target repairs them: of the
 * RSDP at 0xE0000 and of each chunk that is as long as a table header, over the length that it states. An
 * input whose first byte is odd keeps its checksums as they are; one with bit 1 set has the RSDP looked for,
 * which is slow. That byte comes before the chunks of fuzz_mem.h.
 */
#include "drivers/acpi.h"

#include <assert.h>

#include "tests/fuzz/fuzz_mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RSDP_PA = 0xe0000 };

static void repair(uint8_t *bytes, size_t len, size_t at)
{
    uint8_t sum = 0;
    bytes[at] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[at] = (uint8_t)(0x100 - sum);
}

static void repair_chunk(uint64_t pa, uint8_t *bytes, uint64_t size)
{
    uint32_t len;
    if (pa == RSDP_PA && size >= 20) {
        repair(bytes, 20, 8);
        if (size >= 36) {
            memcpy(&len, bytes + 20, sizeof(len));
            repair(bytes, len >= 36 && len <= size ? len : 36, 32);
        }
    } else if (size >= 36) {
        memcpy(&len, bytes + 4, sizeof(len));
        repair(bytes, len >= 36 && len <= size ? len : size, 9);
    }
}

static void check(const struct acpi_info *info)
{
    const struct acpi_dmar *dmar = &info->dmar;
    assert(info->table_count <= ACPI_TABLE_MAX && info->problem_count <= ACPI_PROBLEM_MAX);
    assert(info->madt.cpu_count <= ACPI_CPU_MAX && info->madt.ioapic_count <= ACPI_IOAPIC_MAX);
    assert(info->madt.override_count <= ACPI_OVERRIDE_MAX &&
           info->madt.lapic_nmi_count <= ACPI_LAPIC_NMI_MAX);
    assert(info->madt.nmi_source_count <= ACPI_NMI_SOURCE_MAX);
    assert(info->hpet_count <= ACPI_HPET_MAX && info->mcfg_count <= ACPI_MCFG_MAX);
    assert(dmar->drhd_count <= ACPI_DRHD_MAX && dmar->rmrr_count <= ACPI_RMRR_MAX);
    assert(dmar->scope_count <= ACPI_SCOPE_MAX);
    for (uint32_t i = 0; i < info->madt.cpu_count; i++) {
        assert(info->madt.cpu[i].enabled || info->madt.cpu[i].online_capable);
        for (uint32_t j = 0; j < i; j++)
            assert(info->madt.cpu[i].apic_id != info->madt.cpu[j].apic_id);
    }
    for (uint32_t i = 0; i < dmar->drhd_count; i++)
        assert(dmar->drhd[i].scopes.first + dmar->drhd[i].scopes.count <= dmar->scope_count);
    for (uint32_t i = 0; i < dmar->rmrr_count; i++)
        assert(dmar->rmrr[i].scopes.first + dmar->rmrr[i].scopes.count <= dmar->scope_count);
    for (uint32_t i = 0; i < dmar->scope_count; i++)
        assert(dmar->scope[i].path_len >= 1 && dmar->scope[i].path_len <= ACPI_PATH_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct acpi_info info;
    struct fake_mem mem;
    struct acpi_env env = {fake_mem_map, &mem};
    if (size == 0)
        return 0;
    uint8_t *copy = malloc(size);
    memcpy(copy, data, size);
    fuzz_mem_load(&mem, copy + 1, size - 1);
    for (unsigned i = 0; copy[0] % 2 == 0 && i < mem.count; i++)
        repair_chunk(mem.range[i].pa, copy + (mem.range[i].data - copy), mem.range[i].len);
    memset(&info, 0xa5, sizeof(info));
    uint64_t rsdp = (copy[0] & 2) != 0 ? acpi_find_rsdp(&env) : 0;
    if (acpi_parse(&info, &env, rsdp != 0 ? rsdp : RSDP_PA) == ACPI_OK)
        check(&info);
    else
        assert(info.table_count == 0 && !info.madt.present && !info.dmar.present);
    fake_mem_drop(&mem);
    free(copy);
    return 0;
}
