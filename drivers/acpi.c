/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi: from the RSDP to the tables: finding it, checking it, walking XSDT or RSDT, checking each
 * table, handing the known ones to their parsers. ACPI 6.4, sections 5.2.5 to 5.2.8. The pointer of
 * a map holds until the next map, so the root table is mapped again for each of its entries.
 */
#include "drivers/acpi.h"

#include <string.h>

#include "drivers/acpi_build.h"

enum {
    RSDP_V1_SIZE = 20,
    RSDP_V2_SIZE = 36,
    RSDP_MAX = 4096,
    ROOT_ENTRIES_MAX = 256, /* looked at; the rest is counted as unlisted */
    TABLE_LENGTH_MAX = 16 << 20,
};

struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision; /* 0: ACPI 1.0, ends behind rsdt */
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum; /* of `length` bytes */
    uint8_t reserved[3];
};

_Static_assert(sizeof(struct rsdp) == RSDP_V2_SIZE, "rsdp");
_Static_assert(offsetof(struct rsdp, length) == RSDP_V1_SIZE, "rsdp.length");

static const char RSDP_SIGNATURE[8] = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};

struct walk {
    struct acpi_info *out;
    const struct acpi_env *env;
    uint32_t seen; /* one bit per row of `parsers` that had its table */
};

static const struct {
    char signature[4];
    uint32_t min;
    bool many; /* more than one such table is normal */
    void (*parse)(struct acpi_info *out, struct acpi_bytes table);
} parsers[] = {
    {{'A', 'P', 'I', 'C'}, ACPI_MADT_MIN, false, acpi_parse_madt},
    {{'F', 'A', 'C', 'P'}, ACPI_FADT_MIN, false, acpi_parse_fadt},
    {{'H', 'P', 'E', 'T'}, ACPI_HPET_MIN, true, acpi_parse_hpet},
    {{'M', 'C', 'F', 'G'}, ACPI_MCFG_MIN, false, acpi_parse_mcfg},
    {{'D', 'M', 'A', 'R'}, ACPI_DMAR_MIN, false, acpi_parse_dmar},
};

void acpi_note(struct acpi_info *out, const char *signature, enum acpi_reason reason, uint32_t detail)
{
    if (!acpi_has_room(out->problem_count, ACPI_PROBLEM_MAX, &out->problem_unlisted))
        return;
    struct acpi_problem *problem = &out->problem[out->problem_count++];
    memcpy(problem->signature, signature, sizeof(problem->signature));
    problem->reason = reason;
    problem->detail = detail;
}

static bool sums_to_zero(const uint8_t *bytes, size_t len)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

/* Maps a whole table and checks it. On failure the problem is noted under `name`, or the table's
 * own once known. */
static bool map_table(const struct walk *walk, uint64_t pa, const char *name, uint32_t index,
                      struct acpi_bytes *table)
{
    const struct acpi_env *env = walk->env;
    struct acpi_header header;
    enum acpi_reason reason = ACPI_REASON_UNREADABLE;
    const void *bytes = pa != 0 ? env->map(env->ctx, pa, sizeof(header)) : NULL;

    memcpy(header.signature, name, sizeof(header.signature));
    if (bytes != NULL) {
        memcpy(&header, bytes, sizeof(header));
        reason = ACPI_REASON_LENGTH;
        if (header.length >= sizeof(header) && header.length <= TABLE_LENGTH_MAX) {
            reason = ACPI_REASON_UNREADABLE;
            *table = (struct acpi_bytes){env->map(env->ctx, pa, header.length), header.length};
            if (table->at != NULL) {
                reason = ACPI_REASON_CHECKSUM;
                if (sums_to_zero(table->at, table->length))
                    return true;
            }
        }
    }
    acpi_note(walk->out, header.signature, reason, index);
    return false;
}

static void parse_known(struct walk *walk, struct acpi_bytes table, uint32_t index)
{
    for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        const char *signature = parsers[i].signature;
        if (memcmp(table.at, signature, sizeof(parsers[i].signature)) != 0)
            continue;
        if (table.length < parsers[i].min) {
            acpi_note(walk->out, signature, ACPI_REASON_LENGTH, index);
        } else if ((walk->seen & 1u << i) != 0 && !parsers[i].many) {
            acpi_note(walk->out, signature, ACPI_REASON_DUPLICATE, index);
        } else {
            walk->seen |= 1u << i;
            parsers[i].parse(walk->out, table);
        }
        return;
    }
}

static void add_table(struct walk *walk, uint64_t pa, uint32_t index)
{
    struct acpi_info *out = walk->out;
    struct acpi_bytes bytes;
    if (!map_table(walk, pa, "????", index, &bytes))
        return;
    if (acpi_has_room(out->table_count, ACPI_TABLE_MAX, &out->table_unlisted)) {
        struct acpi_table *table = &out->table[out->table_count++];
        memcpy(table->signature, bytes.at, sizeof(table->signature));
        table->length = bytes.length;
        table->pa = pa;
    }
    parse_known(walk, bytes, index);
}

/* XSDT or RSDT: a header, then addresses of `size` bytes each. False: the root table itself is
 * broken. */
static bool walk_root(struct walk *walk, uint64_t pa, const char *signature, uint32_t size)
{
    struct acpi_bytes root;
    if (!map_table(walk, pa, signature, 0, &root))
        return false;
    if (memcmp(root.at, signature, 4) != 0) {
        acpi_note(walk->out, signature, ACPI_REASON_SIGNATURE, 0);
        return false;
    }
    uint32_t length = root.length - (uint32_t)sizeof(struct acpi_header);
    if (length % size != 0)
        acpi_note(walk->out, signature, ACPI_REASON_RECORD, root.length - length % size);

    for (uint32_t i = 0; i < length / size; i++) {
        uint64_t entry = 0;
        if (i == ROOT_ENTRIES_MAX) {
            walk->out->table_unlisted += length / size - i;
            break;
        }
        const void *bytes =
            walk->env->map(walk->env->ctx, pa + sizeof(struct acpi_header) + (uint64_t)i * size, size);
        if (bytes != NULL)
            memcpy(&entry, bytes, size); /* x86: the low bytes first */
        add_table(walk, entry, i);
    }
    return true;
}

enum acpi_status acpi_parse_rsdp(struct acpi_info *out, const struct acpi_env *env, const void *bytes,
                                 size_t len)
{
    struct walk walk = {out, env, 0};
    struct rsdp rsdp = {0};

    memset(out, 0, sizeof(*out));
    if (len < RSDP_V1_SIZE)
        return ACPI_RSDP_UNREADABLE;
    memcpy(&rsdp, bytes, len < sizeof(rsdp) ? len : sizeof(rsdp));
    if (memcmp(rsdp.signature, RSDP_SIGNATURE, sizeof(RSDP_SIGNATURE)) != 0)
        return ACPI_RSDP_SIGNATURE;
    if (!sums_to_zero(bytes, RSDP_V1_SIZE))
        return ACPI_RSDP_CHECKSUM;

    /* A broken extension leaves the ACPI 1.0 part, with the RSDT. */
    bool extended = rsdp.revision >= 2;
    if (extended && (rsdp.length < RSDP_V2_SIZE || rsdp.length > len || !sums_to_zero(bytes, rsdp.length))) {
        acpi_note(out, RSDP_SIGNATURE, ACPI_REASON_CHECKSUM, 0);
        extended = false;
    }
    if (extended && rsdp.xsdt != 0 && walk_root(&walk, rsdp.xsdt, "XSDT", sizeof(uint64_t)))
        out->from_xsdt = true;
    else if (rsdp.rsdt == 0 || !walk_root(&walk, rsdp.rsdt, "RSDT", sizeof(uint32_t)))
        return ACPI_NO_ROOT_TABLE;
    out->revision = rsdp.revision;
    return ACPI_OK;
}

enum acpi_status acpi_parse(struct acpi_info *out, const struct acpi_env *env, uint64_t rsdp_pa)
{
    struct rsdp rsdp;
    uint64_t len = RSDP_V1_SIZE;

    /* As much as the RSDP says it has and as can be read. */
    const void *bytes = env->map(env->ctx, rsdp_pa, RSDP_V2_SIZE);
    if (bytes != NULL) {
        memcpy(&rsdp, bytes, sizeof(rsdp));
        len = rsdp.revision >= 2 && rsdp.length > RSDP_V2_SIZE && rsdp.length <= RSDP_MAX ? rsdp.length
                                                                                          : RSDP_V2_SIZE;
    }
    bytes = env->map(env->ctx, rsdp_pa, len);
    if (bytes == NULL && len > RSDP_V2_SIZE) {
        len = RSDP_V2_SIZE;
        bytes = env->map(env->ctx, rsdp_pa, len);
    }
    return acpi_parse_rsdp(out, env, bytes, bytes != NULL ? len : 0);
}

static uint64_t scan(const struct acpi_env *env, uint64_t start, uint64_t end)
{
    for (uint64_t pa = start; pa + RSDP_V1_SIZE <= end; pa += 16) {
        const uint8_t *bytes = env->map(env->ctx, pa, RSDP_V1_SIZE);
        if (bytes != NULL && memcmp(bytes, RSDP_SIGNATURE, sizeof(RSDP_SIGNATURE)) == 0 &&
            sums_to_zero(bytes, RSDP_V1_SIZE))
            return pa;
    }
    return 0;
}

uint64_t acpi_find_rsdp(const struct acpi_env *env)
{
    enum {
        BDA_EBDA_SEGMENT = 0x40e,
        EBDA_LOWEST = 0x500,
        LOW_END = 0xa0000,
        BIOS_START = 0xe0000,
        BIOS_END = 0x100000
    };
    uint16_t segment = 0;
    const void *bytes = env->map(env->ctx, BDA_EBDA_SEGMENT, sizeof(segment));
    if (bytes != NULL)
        memcpy(&segment, bytes, sizeof(segment));
    uint64_t ebda = (uint64_t)segment << 4;
    uint64_t pa = ebda >= EBDA_LOWEST && ebda < LOW_END ? scan(env, ebda, ebda + 1024) : 0;
    return pa != 0 ? pa : scan(env, BIOS_START, BIOS_END);
}

const struct acpi_table *acpi_find_table(const struct acpi_info *info, const char signature[4])
{
    for (uint32_t i = 0; i < info->table_count; i++) {
        if (memcmp(info->table[i].signature, signature, 4) == 0)
            return &info->table[i];
    }
    return NULL;
}

const char *acpi_status_text(enum acpi_status status)
{
    static const char *const text[] = {
        [ACPI_OK] = "no error",
        [ACPI_RSDP_UNREADABLE] = "the RSDP cannot be read",
        [ACPI_RSDP_SIGNATURE] = "the RSDP has no signature",
        [ACPI_RSDP_CHECKSUM] = "the RSDP's checksum is wrong",
        [ACPI_NO_ROOT_TABLE] = "neither XSDT nor RSDT can be used",
    };
    return (size_t)status < sizeof(text) / sizeof(text[0]) ? text[status] : "unknown error";
}

const char *acpi_reason_text(enum acpi_reason reason)
{
    static const char *const text[] = {
        [ACPI_REASON_UNREADABLE] = "cannot be read",        [ACPI_REASON_LENGTH] = "has an impossible length",
        [ACPI_REASON_CHECKSUM] = "has a wrong checksum",    [ACPI_REASON_SIGNATURE] = "has another signature",
        [ACPI_REASON_DUPLICATE] = "is there a second time", [ACPI_REASON_RECORD] = "has an impossible record",
    };
    return (size_t)reason < sizeof(text) / sizeof(text[0]) ? text[reason] : "is broken";
}
