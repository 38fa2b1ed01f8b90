/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi: the static ACPI tables as plain structs. Pure: firmware memory is read only through
 * acpi_env.map.
 *
 * One call of acpi_parse fills struct acpi_info. Each table is checked for length and checksum
 * before it is used; a broken or impossible table or record is skipped and recorded in `problem`,
 * and what was sound before it stays. Lists have static limits; what finds no room is counted in
 * the field `*_unlisted` beside the list.
 *
 * ACPI 6.4: 5.2.5 RSDP, 5.2.7 RSDT, 5.2.8 XSDT, 5.2.9 FADT, 5.2.12 MADT. IA-PC HPET 1.0a: 3.2.4
 * description table. PCI Firmware 3.2: 4.1.2 MCFG. Intel VT-d 4.0: chapter 8 BIOS considerations
 * (DMAR).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum acpi_limit {
    ACPI_TABLE_MAX = 64,
    ACPI_PROBLEM_MAX = 32,
    ACPI_CPU_MAX = 512,
    ACPI_IOAPIC_MAX = 32,
    ACPI_OVERRIDE_MAX = 32,
    ACPI_NMI_SOURCE_MAX = 16,
    ACPI_LAPIC_NMI_MAX = 64,
    ACPI_MCFG_MAX = 16,
    ACPI_HPET_MAX = 4,
    ACPI_DRHD_MAX = 32,
    ACPI_RMRR_MAX = 64,
    ACPI_SCOPE_MAX = 256,
    ACPI_PATH_MAX = 8,
};

/* `map` as in boot_env: `len` readable bytes at `pa` or NULL; the pointer holds until the next
 * call. */
struct acpi_env {
    const void *(*map)(void *ctx, uint64_t pa, uint64_t len);
    void *ctx;
};

enum acpi_status {
    ACPI_OK,
    ACPI_RSDP_UNREADABLE,
    ACPI_RSDP_SIGNATURE,
    ACPI_RSDP_CHECKSUM,
    ACPI_NO_ROOT_TABLE, /* neither XSDT nor RSDT is sound */
};

enum acpi_reason {
    ACPI_REASON_UNREADABLE, /* also: the address in the root table is 0 */
    ACPI_REASON_LENGTH,     /* shorter than its fixed part, or absurdly long */
    ACPI_REASON_CHECKSUM,
    ACPI_REASON_SIGNATURE, /* the root table is something else */
    ACPI_REASON_DUPLICATE, /* the first one is used */
    ACPI_REASON_RECORD,    /* detail: offset in the table of a record with an impossible length or
                              content */
};

struct acpi_problem {
    char signature[4];
    enum acpi_reason reason;
    uint32_t detail; /* index in the root table, or as said at the reason */
};

struct acpi_table {
    char signature[4];
    uint32_t length; /* bytes, header included */
    uint64_t pa;
};

/* Local APICs that are enabled or may become so. The firmware's order is kept. */
struct acpi_cpu {
    uint32_t apic_id;
    uint32_t uid; /* ACPI processor UID, which LAPIC NMI records name */
    bool enabled;
    bool online_capable;
    bool x2apic; /* from a record of type 9 */
};

struct acpi_ioapic {
    uint8_t id;
    uint32_t gsi_base;
    uint64_t pa;
};

/* MPS INTI flags, ACPI table 5.50: bits 1:0 polarity, bits 3:2 trigger mode. */
enum acpi_inti_flag {
    ACPI_INTI_POLARITY_MASK = 0x3,
    ACPI_INTI_POLARITY_CONFORMS = 0x0,
    ACPI_INTI_POLARITY_HIGH = 0x1,
    ACPI_INTI_POLARITY_LOW = 0x3,
    ACPI_INTI_TRIGGER_MASK = 0xc,
    ACPI_INTI_TRIGGER_CONFORMS = 0x0,
    ACPI_INTI_TRIGGER_EDGE = 0x4,
    ACPI_INTI_TRIGGER_LEVEL = 0xc,
};

struct acpi_override {
    uint8_t bus; /* 0: ISA */
    uint8_t source;
    uint16_t flags;
    uint32_t gsi;
};

struct acpi_nmi_source {
    uint16_t flags;
    uint32_t gsi;
};

/* A LAPIC NMI record for all processors, in both of its forms. */
#define ACPI_UID_ALL UINT32_MAX

struct acpi_lapic_nmi {
    uint32_t uid;
    uint16_t flags;
    uint8_t lint;
};

struct acpi_madt {
    bool present;
    bool pcat_compat; /* the machine has two 8259s to be masked */
    uint64_t lapic_pa;
    struct acpi_cpu cpu[ACPI_CPU_MAX];
    uint32_t cpu_count, cpu_unlisted;
    uint32_t cpu_duplicates; /* records whose APIC ID was there already */
    uint32_t cpu_unusable;   /* neither enabled nor online capable, or a broadcast ID */
    struct acpi_ioapic ioapic[ACPI_IOAPIC_MAX];
    uint32_t ioapic_count, ioapic_unlisted;
    struct acpi_override override[ACPI_OVERRIDE_MAX];
    uint32_t override_count, override_unlisted;
    struct acpi_nmi_source nmi_source[ACPI_NMI_SOURCE_MAX];
    uint32_t nmi_source_count, nmi_source_unlisted;
    struct acpi_lapic_nmi lapic_nmi[ACPI_LAPIC_NMI_MAX];
    uint32_t lapic_nmi_count, lapic_nmi_unlisted;
};

/* The numbers of ACPI's generic address structure; `width` 0 means that the register is absent. */
enum acpi_space { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1, ACPI_SPACE_PCI = 2 };

struct acpi_register {
    uint8_t space;  /* enum acpi_space, or a value that this driver does not know */
    uint8_t width;  /* bits */
    uint8_t access; /* access size: 0 not said, 1 byte, 2 word, 3 dword, 4 qword */
    uint64_t address;
};

enum acpi_boot_arch {
    ACPI_BOOT_ARCH_LEGACY_DEVICES = 1 << 0,
    ACPI_BOOT_ARCH_8042 = 1 << 1,
    ACPI_BOOT_ARCH_NO_VGA = 1 << 2,
    ACPI_BOOT_ARCH_NO_MSI = 1 << 3,
    ACPI_BOOT_ARCH_NO_ASPM = 1 << 4,
    ACPI_BOOT_ARCH_NO_CMOS_RTC = 1 << 5,
};

struct acpi_fadt {
    bool present;
    bool pm_timer_32bit; /* else it counts 24 bits */
    bool reset_supported;
    bool hw_reduced; /* no PM1, PM timer or SMI command */
    struct acpi_register pm_timer, pm1a_control, pm1b_control, reset;
    uint8_t reset_value;
    uint8_t acpi_enable; /* value for smi_cmd; 0: the machine has no legacy mode */
    uint8_t acpi_disable;
    uint16_t sci; /* ISA interrupt or GSI, subject to overrides */
    uint32_t smi_cmd;
    uint16_t boot_arch; /* enum acpi_boot_arch */
    uint64_t dsdt_pa;
};

struct acpi_hpet {
    uint8_t number;
    uint16_t min_tick;
    uint32_t block_id;
    uint64_t pa;
};

struct acpi_mcfg {
    uint64_t base; /* of bus 0 of the segment, even when first_bus is another */
    uint16_t segment;
    uint8_t first_bus, last_bus;
};

enum acpi_scope_type {
    ACPI_SCOPE_ENDPOINT = 1,
    ACPI_SCOPE_BRIDGE = 2,
    ACPI_SCOPE_IOAPIC = 3,
    ACPI_SCOPE_HPET = 4,
    ACPI_SCOPE_ACPI = 5,
};

struct acpi_scope {
    uint8_t type;     /* enum acpi_scope_type */
    uint8_t enum_id;  /* IOAPIC ID or HPET number */
    uint8_t bus;      /* where the path starts */
    uint8_t path_len; /* 1 to ACPI_PATH_MAX */
    struct {
        uint8_t device, function;
    } path[ACPI_PATH_MAX];
};

/* The scopes of one unit: dmar.scope[first .. first + count - 1]. */
struct acpi_scopes {
    uint32_t first, count;
    bool lost; /* some found no room or was broken: do not conclude "not covered" */
};

struct acpi_drhd {
    bool include_all; /* all devices of the segment that no other unit names */
    uint16_t segment;
    uint64_t base;
    struct acpi_scopes scopes;
};

struct acpi_rmrr {
    uint16_t segment;
    uint64_t base, limit; /* limit is the last byte */
    struct acpi_scopes scopes;
};

enum acpi_dmar_flag {
    ACPI_DMAR_INTR_REMAP = 1 << 0,
    ACPI_DMAR_X2APIC_OPT_OUT = 1 << 1,
    ACPI_DMAR_DMA_CTRL_OPT_IN = 1 << 2,
};

struct acpi_dmar {
    bool present;
    uint8_t host_address_width; /* bits */
    uint8_t flags;              /* enum acpi_dmar_flag */
    struct acpi_drhd drhd[ACPI_DRHD_MAX];
    uint32_t drhd_count, drhd_unlisted;
    struct acpi_rmrr rmrr[ACPI_RMRR_MAX];
    uint32_t rmrr_count, rmrr_unlisted;
    uint32_t atsr_count;
    struct acpi_scope scope[ACPI_SCOPE_MAX];
    uint32_t scope_count, scope_unlisted;
};

struct acpi_info {
    uint8_t revision; /* of the RSDP */
    bool from_xsdt;
    struct acpi_table table[ACPI_TABLE_MAX]; /* the sound ones, in the root table's order */
    uint32_t table_count, table_unlisted;
    struct acpi_madt madt;
    struct acpi_fadt fadt;
    struct acpi_hpet hpet[ACPI_HPET_MAX];
    uint32_t hpet_count, hpet_unlisted;
    struct acpi_mcfg mcfg[ACPI_MCFG_MAX];
    uint32_t mcfg_count, mcfg_unlisted;
    struct acpi_dmar dmar;
    struct acpi_problem problem[ACPI_PROBLEM_MAX];
    uint32_t problem_count, problem_unlisted;
};

/* Looks in the first KiB of the EBDA, then in 0xE0000 to 0xFFFFF. 0: there is none (ACPI 5.2.5.1).
 */
uint64_t acpi_find_rsdp(const struct acpi_env *env);

/* On an error *out holds nothing but, perhaps, problems. */
enum acpi_status acpi_parse(struct acpi_info *out, const struct acpi_env *env, uint64_t rsdp_pa)
    __attribute__((warn_unused_result));

/* The same from a copy of the RSDP: 20 bytes (ACPI 1.0) or 36 and more. */
enum acpi_status acpi_parse_rsdp(struct acpi_info *out, const struct acpi_env *env, const void *rsdp,
                                 size_t len) __attribute__((warn_unused_result));

/* The first sound table with that signature, or NULL. */
const struct acpi_table *acpi_find_table(const struct acpi_info *info, const char signature[4]);

const char *acpi_status_text(enum acpi_status status);
const char *acpi_reason_text(enum acpi_reason reason);
