/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi: copies of the firmware's RSDP, RSDT and tables in the arena, with faults. Checksums of the
 * copies are made right at the end, so that only the fault that was asked for is there.
 *
 *   no-acpi                 no RSDP is passed, and the firmware's own is wiped out
 *   rsdp=ADDR               the RSDP is said to be there
 *   rsdp-checksum           the RSDP's checksum is wrong
 *   root=ADDR               the RSDP names this root table
 *   root-entry=ADDR         one more entry of the root table
 *   checksum=SIG            this table's checksum is wrong
 *   length=SIG:N            this table's length field says N; the checksum is that of the real one
 *   drop=SIG                this table is not there
 *   madt-cpu=ID             one more enabled CPU; IDs from ff on as x2APIC entries
 *   madt-cpus=FIRST,N       N more, as x2APIC entries
 *   madt-record=TYPE:LENGTH one more record of the MADT, of zeros
 * ACPI 6.4 sections 5.2.5 to 5.2.12.
 */
#include "tests/boot/loader/loader.h"

enum { TABLES_MAX = 32, ROOM = 2 * PAGE, HEADER = 36, RSDP_SIZE = 20 };

struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
};
_Static_assert(sizeof(struct rsdp) == RSDP_SIZE, "rsdp");

struct table {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    uint8_t rest[HEADER - 10];
    uint8_t body[];
};

struct copy {
    struct table *table;
    bool bad_checksum;
    bool bad_length;
    uint32_t claimed_length;
};

static struct copy copies[TABLES_MAX]; /* the first is the RSDT */
static uint32_t copy_count;
static struct rsdp *rsdp, *firmware_rsdp;
static bool none, rsdp_bad;
static uint32_t rsdp_elsewhere;

static uint8_t sum(const void *data, uint32_t size)
{
    const uint8_t *bytes = data;
    uint8_t total = 0;
    while (size--)
        total = (uint8_t)(total + *bytes++);
    return total;
}

static struct rsdp *find_rsdp(void)
{
    uint32_t ebda = (uint32_t) * (volatile uint16_t *)PTR(0x40e) << 4;
    const struct {
        uint32_t start, end;
    } area[] = {{ebda, ebda + 1024}, {0xe0000, 0x100000}};
    for (unsigned i = 0; i < ARRAY_SIZE(area); i++)
        for (uint32_t at = area[i].start & ~15U; at < area[i].end; at += 16)
            if (!memcmp(PTR(at), "RSD PTR ", 8) && !sum(PTR(at), RSDP_SIZE))
                return PTR(at);
    fail("the firmware has no RSDP");
}

static void copy_table(const struct table *from)
{
    if (copy_count == TABLES_MAX || from->length > ROOM / 2)
        return; /* not one of those that we change */
    struct table *to = arena(ROOM);
    memcpy(to, from, from->length);
    copies[copy_count++].table = to;
}

void acpi_prepare(void)
{
    firmware_rsdp = find_rsdp();
    rsdp = arena(sizeof(*rsdp));
    memcpy(rsdp, firmware_rsdp, sizeof(*rsdp));
    rsdp->revision = 0; /* the RSDT is enough: firmware of these machines has all tables below 4 GiB */
    copy_table(PTR(rsdp->rsdt));
    if (!copy_count)
        fail("the RSDT is too long");
    struct table *rsdt = copies[0].table;
    const uint32_t *entry = (const void *)rsdt->body;
    uint32_t count = (rsdt->length - HEADER) / 4;
    for (uint32_t i = 0; i < count; i++)
        copy_table(PTR(entry[i]));
    rsdp->rsdt = PA(rsdt);
    rsdt->length = HEADER;
    for (uint32_t i = 1; i < copy_count; i++, rsdt->length += 4)
        ((uint32_t *)(void *)rsdt->body)[i - 1] = PA(copies[i].table);
}

static struct copy *find(const char *signature)
{
    for (uint32_t i = 0; i < copy_count; i++)
        if (!memcmp(copies[i].table->signature, signature, 4))
            return &copies[i];
    fail("no such table");
}

static void append(struct table *table, const void *record, uint32_t size)
{
    if (table->length + size > ROOM)
        fail("no room in a table");
    memcpy((uint8_t *)table + table->length, record, size);
    table->length += size;
}

static void add_cpu(uint32_t id)
{
    uint8_t lapic[8] = {0, 8, (uint8_t)id, (uint8_t)id, 1};
    uint32_t x2apic[4] = {9 | 16 << 8, id, 1, id};
    struct table *madt = find("APIC")->table;
    if (id < 0xff)
        append(madt, lapic, sizeof(lapic));
    else
        append(madt, x2apic, sizeof(x2apic));
}

static void drop(const char *signature)
{
    struct copy *gone = find(signature);
    struct table *rsdt = copies[0].table;
    uint32_t *entry = (void *)rsdt->body, count = (rsdt->length - HEADER) / 4;
    for (uint32_t i = 0; i < count; i++)
        if (entry[i] == PA(gone->table)) {
            entry[i] = entry[count - 1];
            rsdt->length -= 4;
            return;
        }
}

static bool madt_directive(const char *word)
{
    const char *text;
    uint8_t record[256] = {0};
    if ((text = after(word, "madt-cpu=")) != NULL) {
        add_cpu((uint32_t)take_hex(&text));
    } else if ((text = after(word, "madt-cpus=")) != NULL) {
        uint32_t first = (uint32_t)take_hex(&text);
        expect_char(&text, ',');
        for (uint32_t count = (uint32_t)take_hex(&text); count; count--)
            add_cpu(first++);
    } else if ((text = after(word, "madt-record=")) != NULL) {
        record[0] = (uint8_t)take_hex(&text);
        expect_char(&text, ':');
        record[1] = (uint8_t)take_hex(&text);
        append(find("APIC")->table, record, record[1] < 2 ? 2 : record[1]);
    } else {
        return false;
    }
    return true;
}

bool acpi_directive(struct handover *out, const char *word)
{
    const char *text;
    (void)out;
    if (same(word, "no-acpi")) {
        none = true;
    } else if (same(word, "rsdp-checksum")) {
        rsdp_bad = true;
    } else if ((text = after(word, "rsdp=")) != NULL) {
        rsdp_elsewhere = (uint32_t)take_hex(&text);
    } else if ((text = after(word, "root=")) != NULL) {
        rsdp->rsdt = (uint32_t)take_hex(&text);
    } else if ((text = after(word, "root-entry=")) != NULL) {
        uint32_t entry = (uint32_t)take_hex(&text);
        append(copies[0].table, &entry, sizeof(entry));
    } else if ((text = after(word, "checksum=")) != NULL) {
        find(text)->bad_checksum = true;
    } else if ((text = after(word, "drop=")) != NULL) {
        drop(text);
    } else if ((text = after(word, "length=")) != NULL) {
        struct copy *copy = find(text);
        text += 4;
        expect_char(&text, ':');
        copy->bad_length = true;
        copy->claimed_length = (uint32_t)take_hex(&text);
    } else {
        return madt_directive(word);
    }
    return true;
}

/* The firmware's RSDP lies in ROM shadow; the host bridge's PAM registers make it writable. */
static void wipe_firmware_rsdp(void)
{
    outl(0xcf8, 0x80000000);
    uint32_t bridge = inl(0xcfc);
    uint32_t pam = bridge == 0x12378086 ? 0x58 : bridge == 0x29c08086 ? 0x90 : 0;
    if (!pam)
        fail("unknown host bridge");
    for (uint32_t reg = pam; reg < pam + 8; reg += 4) {
        outl(0xcf8, 0x80000000 | reg);
        uint32_t keep = pam == 0x58 && reg == pam ? 0xff : pam == 0x90 && reg != pam ? 0xff000000 : 0;
        outl(0xcfc, (inl(0xcfc) & keep) | (0x33333333 & ~keep));
    }
    memset(firmware_rsdp, 0, sizeof(*firmware_rsdp));
    if (*(volatile uint8_t *)firmware_rsdp)
        fail("the firmware's RSDP cannot be wiped out");
}

uint32_t acpi_finish(void)
{
    for (uint32_t i = 0; i < copy_count; i++) {
        struct table *table = copies[i].table;
        uint32_t length = table->length;
        if (copies[i].bad_length)
            table->length = copies[i].claimed_length;
        table->checksum = 0;
        table->checksum = (uint8_t)-sum(table, length);
        table->checksum = (uint8_t)(table->checksum + copies[i].bad_checksum);
    }
    rsdp->checksum = 0;
    rsdp->checksum = (uint8_t)-sum(rsdp, sizeof(*rsdp));
    rsdp->checksum = (uint8_t)(rsdp->checksum + rsdp_bad);
    if (none)
        wipe_firmware_rsdp();
    return none ? 0 : rsdp_elsewhere ? rsdp_elsewhere : PA(rsdp);
}
