/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_fadt: the tables of fixed registers: FADT (ACPI 6.4, section 5.2.9), HPET (IA-PC HPET 1.0a,
 * section 3.2.4) and MCFG (PCI Firmware 3.2, section 4.1.2). A FADT may end early: fields that it
 * does not have read as 0, absent. Of a register that is given twice, the generic address counts
 * unless its address is 0.
 */
#include "drivers/acpi_build.h"

enum { FADT_TMR_VAL_EXT = 1 << 8, FADT_RESET_REG_SUP = 1 << 10, FADT_HW_REDUCED_ACPI = 1 << 20 };

struct __attribute__((packed)) fadt {
    struct acpi_header header;
    uint32_t firmware_ctrl;
    uint32_t dsdt;
    uint8_t reserved0;
    uint8_t preferred_pm_profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
    uint32_t pm1a_evt_blk, pm1b_evt_blk, pm1a_cnt_blk, pm1b_cnt_blk, pm2_cnt_blk, pm_tmr_blk;
    uint32_t gpe0_blk, gpe1_blk;
    uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_blk_len, gpe1_blk_len;
    uint8_t unused[15]; /* GPE1 base to century */
    uint16_t iapc_boot_arch;
    uint8_t reserved1;
    uint32_t flags;
    struct acpi_gas reset_reg;
    uint8_t reset_value;
    uint8_t unused2[3];
    uint64_t x_firmware_ctrl;
    uint64_t x_dsdt;
    struct acpi_gas x_pm1a_evt_blk, x_pm1b_evt_blk, x_pm1a_cnt_blk, x_pm1b_cnt_blk, x_pm2_cnt_blk,
        x_pm_tmr_blk;
};

_Static_assert(offsetof(struct fadt, sci_int) == 46, "fadt.sci_int");
_Static_assert(offsetof(struct fadt, pm_tmr_blk) == 76, "fadt.pm_tmr_blk");
_Static_assert(offsetof(struct fadt, pm_tmr_len) == 91, "fadt.pm_tmr_len");
_Static_assert(offsetof(struct fadt, iapc_boot_arch) == 109, "fadt.iapc_boot_arch");
_Static_assert(offsetof(struct fadt, reset_reg) == ACPI_FADT_MIN, "fadt.reset_reg");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "fadt.x_dsdt");
_Static_assert(offsetof(struct fadt, x_pm_tmr_blk) == 208, "fadt.x_pm_tmr_blk");
_Static_assert(sizeof(struct fadt) == 220, "fadt");

struct __attribute__((packed)) hpet {
    struct acpi_header header;
    uint32_t block_id;
    struct acpi_gas base;
    uint8_t number;
    uint16_t min_tick;
    uint8_t page_protection;
};

struct __attribute__((packed)) mcfg_entry {
    uint64_t base;
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved;
};

_Static_assert(sizeof(struct hpet) == ACPI_HPET_MIN, "hpet");
_Static_assert(sizeof(struct mcfg_entry) == 16, "mcfg_entry");

static struct acpi_register choose(const struct acpi_gas *gas, uint32_t port, uint8_t port_bytes)
{
    if (gas->address != 0) {
        uint8_t width = gas->bit_width != 0 ? gas->bit_width : (uint8_t)(port_bytes * 8);
        return (struct acpi_register){gas->space, width, gas->access_size, gas->address};
    }
    if (port != 0 && port_bytes != 0)
        return (struct acpi_register){ACPI_SPACE_IO, (uint8_t)(port_bytes * 8), 0, port};
    return (struct acpi_register){0};
}

void acpi_parse_fadt(struct acpi_info *out, struct acpi_bytes table)
{
    struct acpi_fadt *to = &out->fadt;
    struct fadt fadt = {0};
    memcpy(&fadt, table.at, table.length < sizeof(fadt) ? table.length : sizeof(fadt));
    to->present = true;
    to->boot_arch = fadt.iapc_boot_arch;
    to->dsdt_pa = fadt.x_dsdt != 0 ? fadt.x_dsdt : fadt.dsdt;
    to->hw_reduced = (fadt.flags & FADT_HW_REDUCED_ACPI) != 0;

    /* Without an address the flag is meaningless, whatever some firmware says. */
    if ((fadt.flags & FADT_RESET_REG_SUP) != 0 && fadt.reset_reg.address != 0) {
        to->reset_supported = true;
        to->reset = choose(&fadt.reset_reg, 0, 1);
        to->reset_value = fadt.reset_value;
    }
    if (to->hw_reduced)
        return;
    to->sci = fadt.sci_int;
    to->smi_cmd = fadt.smi_cmd;
    to->acpi_enable = fadt.acpi_enable;
    to->acpi_disable = fadt.acpi_disable;
    to->pm_timer_32bit = (fadt.flags & FADT_TMR_VAL_EXT) != 0;
    to->pm_timer = choose(&fadt.x_pm_tmr_blk, fadt.pm_tmr_blk, fadt.pm_tmr_len);
    to->pm1a_control = choose(&fadt.x_pm1a_cnt_blk, fadt.pm1a_cnt_blk, fadt.pm1_cnt_len);
    to->pm1b_control = choose(&fadt.x_pm1b_cnt_blk, fadt.pm1b_cnt_blk, fadt.pm1_cnt_len);
}

void acpi_parse_hpet(struct acpi_info *out, struct acpi_bytes table)
{
    struct hpet hpet;
    memcpy(&hpet, table.at, sizeof(hpet));
    if (hpet.base.space != ACPI_SPACE_MEMORY || hpet.base.address == 0)
        acpi_note(out, "HPET", ACPI_REASON_RECORD, offsetof(struct hpet, base));
    else if (acpi_has_room(out->hpet_count, ACPI_HPET_MAX, &out->hpet_unlisted))
        out->hpet[out->hpet_count++] =
            (struct acpi_hpet){hpet.number, hpet.min_tick, hpet.block_id, hpet.base.address};
}

void acpi_parse_mcfg(struct acpi_info *out, struct acpi_bytes table)
{
    struct mcfg_entry entry;
    for (uint32_t pos = ACPI_MCFG_MIN; pos < table.length; pos += (uint32_t)sizeof(entry)) {
        if (table.length - pos < sizeof(entry)) {
            acpi_note(out, "MCFG", ACPI_REASON_RECORD, pos);
            return;
        }
        memcpy(&entry, table.at + pos, sizeof(entry));
        if (entry.base == 0 || entry.first_bus > entry.last_bus)
            acpi_note(out, "MCFG", ACPI_REASON_RECORD, pos);
        else if (acpi_has_room(out->mcfg_count, ACPI_MCFG_MAX, &out->mcfg_unlisted))
            out->mcfg[out->mcfg_count++] =
                (struct acpi_mcfg){entry.base, entry.segment, entry.first_bus, entry.last_bus};
    }
}
