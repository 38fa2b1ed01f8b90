/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_fadt: the tables of fixed registers: FADT (ACPI 6.4, section 5.2.9), HPET (IA-PC HPET 1.0a, section
 * 3.2.4) and MCFG (PCI Firmware 3.2, section 4.1.2). A FADT may end early: what it does not have whole reads
 * as 0, absent. Of a register that is given twice, the generic address counts unless its address is 0. Fields
 * by offset and size:
 *
 *     FADT    40 DSDT (4), 46 SCI (2), 48 SMI_CMD (4), 52 ACPI_ENABLE (1), 53 ACPI_DISABLE (1), 64 PM1a_CNT (4),
 *             68 PM1b_CNT (4), 76 PM_TMR (4), 89 PM1_CNT_LEN (1), 91 PM_TMR_LEN (1), 109 IAPC_BOOT_ARCH (2), 112 flags (4),
 *             116 RESET_REG (12), 128 RESET_VALUE (1), 140 X_DSDT (8), 172 X_PM1a_CNT (12), 184 X_PM1b_CNT (12),
 *             208 X_PM_TMR (12)
 *     GAS     0 space (1), 1 width (1), 3 access size (1), 4 address (8)
 *     HPET    36 block ID (4), 40 base (12), 52 number (1), 53 least tick (2)
 *     MCFG    44 entries: 0 base (8), 8 segment (2), 10 first bus (1), 11 last bus (1), 12 reserved (4)
 */
#include "drivers/acpi_build.h"

enum { FADT_TMR_VAL_EXT = 1 << 8, FADT_RESET_REG_SUP = 1 << 10, FADT_HW_REDUCED_ACPI = 1 << 20 };
enum { GAS_SIZE = 12, HPET_BASE = 40, MCFG_ENTRY_SIZE = 16 };

static uint64_t field(struct acpi_bytes table, uint32_t offset, uint32_t size)
{
    uint64_t value = 0;
    if (offset + size <= table.length)
        memcpy(&value, table.at + offset, size); /* x86: the low bytes first */
    return value;
}

/* The generic address at `offset`, else the old-style port of `port_bytes` bytes, else nothing. */
static struct acpi_register choose(struct acpi_bytes table, uint32_t offset, uint64_t port,
                                   uint64_t port_bytes)
{
    uint8_t port_width = (uint8_t)(port_bytes * 8);
    if (offset + GAS_SIZE <= table.length && acpi_u64(table.at + offset + 4) != 0) {
        const uint8_t *gas = table.at + offset;
        return (struct acpi_register){gas[0], gas[1] != 0 ? gas[1] : port_width, gas[3], acpi_u64(gas + 4)};
    }
    if (port != 0 && port_width != 0)
        return (struct acpi_register){ACPI_SPACE_IO, port_width, 0, port};
    return (struct acpi_register){0};
}

void acpi_parse_fadt(struct acpi_info *out, struct acpi_bytes table)
{
    struct acpi_fadt *to = &out->fadt;
    uint64_t flags = field(table, 112, 4), x_dsdt = field(table, 140, 8), control_len = field(table, 89, 1);
    to->present = true;
    to->boot_arch = (uint16_t)field(table, 109, 2);
    to->dsdt_pa = x_dsdt != 0 ? x_dsdt : field(table, 40, 4);
    to->hw_reduced = (flags & FADT_HW_REDUCED_ACPI) != 0;

    /* Without an address the flag is meaningless, whatever some firmware says. */
    if ((flags & FADT_RESET_REG_SUP) != 0) {
        to->reset = choose(table, 116, 0, 1);
        to->reset_value = (uint8_t)field(table, 128, 1);
        to->reset_supported = to->reset.width != 0 && table.length > 128;
    }
    if (to->hw_reduced)
        return;
    to->sci = (uint16_t)field(table, 46, 2);
    to->smi_cmd = (uint32_t)field(table, 48, 4);
    to->acpi_enable = (uint8_t)field(table, 52, 1);
    to->acpi_disable = (uint8_t)field(table, 53, 1);
    to->pm_timer_32bit = (flags & FADT_TMR_VAL_EXT) != 0;
    to->pm_timer = choose(table, 208, field(table, 76, 4), field(table, 91, 1));
    to->pm1a_control = choose(table, 172, field(table, 64, 4), control_len);
    to->pm1b_control = choose(table, 184, field(table, 68, 4), control_len);
}

void acpi_parse_hpet(struct acpi_info *out, struct acpi_bytes table)
{
    struct acpi_register base = choose(table, HPET_BASE, 0, 1);
    if (base.width == 0 || base.space != ACPI_SPACE_MEMORY)
        acpi_note(out, "HPET", ACPI_REASON_RECORD, HPET_BASE);
    else if (acpi_has_room(out->hpet_count, ACPI_HPET_MAX, &out->hpet_unlisted))
        out->hpet[out->hpet_count++] = (struct acpi_hpet){
            .number = table.at[52],
            .min_tick = acpi_u16(table.at + 53),
            .block_id = acpi_u32(table.at + 36),
            .pa = base.address,
        };
}

void acpi_parse_mcfg(struct acpi_info *out, struct acpi_bytes table)
{
    for (uint32_t pos = ACPI_MCFG_MIN; pos < table.length; pos += MCFG_ENTRY_SIZE) {
        const uint8_t *at = table.at + pos;
        if (table.length - pos < MCFG_ENTRY_SIZE || acpi_u64(at) == 0 || at[10] > at[11])
            acpi_note(out, "MCFG", ACPI_REASON_RECORD, pos);
        else if (acpi_has_room(out->mcfg_count, ACPI_MCFG_MAX, &out->mcfg_unlisted))
            out->mcfg[out->mcfg_count++] = (struct acpi_mcfg){acpi_u64(at), acpi_u16(at + 8), at[10], at[11]};
    }
}
