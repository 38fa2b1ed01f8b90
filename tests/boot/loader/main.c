/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of things, and the directives: the words of our own command line before "--". The rest
 * of the line is Signalbox's. Numbers are hexadecimal.
 *
 *   mmap=START-END:TYPE  one more record of the memory map, after those of the firmware
 *   mmap-none            no record so far stays
 *   mmap-at=ADDR         the map is said to be there
 *   module=START-END     one more module
 *   module-image         one over the first page of Signalbox's data
 *   module-again         the last module a second time
 *   modules-at=ADDR      the list is said to be there
 *   cmdline-at=ADDR      the command line is said to be there
 *   magic, version0      start information with another magic number; of version 0
 *   nmi=DELAY,INTERVAL   another CPU sends NMIs: so many ticks after the leap, so many apart
 * Others concern ACPI: see acpi.c. A directive that is not known ends the run.
 */
#include "tests/boot/loader/loader.h"

extern void enter(uint32_t entry, const struct hvm_start_info *info) __attribute__((noreturn));
extern void loader_main(uint32_t magic, const struct multiboot_info *info);

static struct handover handover;
static uint32_t arena_next;

void *arena(uint32_t size)
{
    void *start = PTR(arena_next);
    arena_next += (size + PAGE - 1) & ~(uint32_t)(PAGE - 1);
    return memset(start, 0, arena_next - PA(start));
}

void fail(const char *what)
{
    put("loader: FAIL ");
    put(what);
    put("\r\n");
    outl(0xf4, 0x7f);
    for (const char *c = "Shutdown"; *c; c++)
        outb(0x8900, (uint8_t)*c);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void add_mmap(uint64_t start, uint64_t end, uint32_t type)
{
    if (handover.mmap_count == MMAP_MAX)
        fail("too many records of memory");
    handover.mmap[handover.mmap_count++] =
        (struct hvm_memmap_table_entry){.addr = start, .size = end - start, .type = type};
}

static void add_module(uint64_t start, uint64_t end)
{
    if (handover.module_count == MODULES_MAX)
        fail("too many modules");
    handover.module[handover.module_count++] =
        (struct hvm_modlist_entry){.paddr = start, .size = end - start};
}

static void read_mmap(const struct multiboot_info *info)
{
    if (!(info->flags & MULTIBOOT_INFO_MEM_MAP))
        fail("no memory map");
    uint32_t at = info->mmap_addr;
    while (at < info->mmap_addr + info->mmap_length) {
        const struct multiboot_mmap_record *record = PTR(at);
        add_mmap(record->addr, record->addr + record->len, record->type);
        at += record->size + 4;
    }
}

static bool range_directive(const char *word)
{
    const char *text = after(word, "mmap=");
    bool is_mmap = text != NULL;
    if (!text)
        text = after(word, "module=");
    if (!text)
        return false;
    uint64_t start = take_hex(&text);
    expect_char(&text, '-');
    uint64_t end = take_hex(&text);
    if (is_mmap) {
        expect_char(&text, ':');
        add_mmap(start, end, (uint32_t)take_hex(&text));
    } else {
        add_module(start, end);
    }
    return true;
}

static bool place_directive(const char *word)
{
    static const struct {
        const char *key;
        size_t offset;
    } field[] = {
        {"mmap-at=", offsetof(struct hvm_start_info, memmap_paddr)},
        {"modules-at=", offsetof(struct hvm_start_info, modlist_paddr)},
        {"cmdline-at=", offsetof(struct hvm_start_info, cmdline_paddr)},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(field); i++) {
        const char *text = after(word, field[i].key);
        if (!text)
            continue;
        uint64_t value = take_hex(&text);
        memcpy((uint8_t *)handover.info + field[i].offset, &value, sizeof(value));
        return true;
    }
    return false;
}

static void directive(const char *word)
{
    const char *text;
    if (same(word, "mmap-none"))
        handover.mmap_count = 0;
    else if (same(word, "module-image"))
        add_module(handover.image_end - PAGE, handover.image_end);
    else if (same(word, "module-again") && handover.module_count)
        add_module(handover.module[handover.module_count - 1].paddr + 1,
                   handover.module[handover.module_count - 1].paddr + 2);
    else if (same(word, "magic"))
        handover.info->magic++;
    else if (same(word, "version0"))
        handover.info->version = 0;
    else if ((text = after(word, "nmi=")) != NULL)
        storm_prepare(text);
    else if (!range_directive(word) && !place_directive(word) && !acpi_directive(&handover, word))
        fail(word);
}

/* Runs the directives of `line`, which it cuts into words; returns the rest behind "--". */
static const char *obey(char *line)
{
    bool first = true;
    while (*line) {
        char *word = line;
        while (*line && *line != ' ')
            line++;
        if (*line)
            *line++ = '\0';
        if (same(word, "--"))
            return line;
        /* QEMU puts the path of the image first. */
        if (*word && !(first && *word == '/'))
            directive(word);
        first = false;
    }
    return line;
}

void loader_main(uint32_t magic, const struct multiboot_info *info)
{
    put_prepare();
    if (magic != MULTIBOOT_BOOTLOADER_MAGIC)
        fail("not started by multiboot");
    arena_next = image_arena_start(info);
    handover.info = arena(sizeof(*handover.info));
    char *line = arena(PAGE);
    for (uint32_t i = 0; i < PAGE - 1 && ((const char *)PTR(info->cmdline))[i]; i++)
        line[i] = ((const char *)PTR(info->cmdline))[i];
    image_prepare(&handover, info);
    read_mmap(info);
    acpi_prepare();

    *handover.info = (struct hvm_start_info){.magic = XEN_HVM_START_MAGIC_VALUE,
                                             .version = 1,
                                             .modlist_paddr = PA(handover.module),
                                             .memmap_paddr = PA(handover.mmap)};
    const char *rest = obey(line);
    if (!handover.info->cmdline_paddr)
        handover.info->cmdline_paddr = PA(rest);
    handover.info->nr_modules = handover.module_count;
    handover.info->memmap_entries = handover.mmap_count;
    handover.info->rsdp_paddr = acpi_finish();
    put("loader: entering Signalbox\r\n");
    storm_go();
    enter(handover.entry, handover.info);
}
