/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multiboot2: Multiboot 2 information to struct boot_info (specification 2.0, section 3.6). Pure.
 *
 * The tag list is walked three times: for its shape, so that a broken list changes nothing; for
 * memory; and for modules, which need the memory map. Sources of memory in order, the next one only
 * when the one before names no usable memory: memory map (6), EFI memory map (17), basic
 * information (4). Of a tag that must be single the last counts.
 */
#include "boot/multiboot2.h"

#include <string.h>

#include "boot/boot_build.h"
#include "boot/boot_info.h"

struct tag {
    uint32_t type;
    uint32_t len;        /* of the body */
    const uint8_t *body; /* behind type and size */
};

struct block {
    const uint8_t *bytes;
    uint32_t size;
};

/* Takes the tag at *pos and moves *pos behind it. */
static enum boot_error next_tag(const struct block *block, uint32_t *pos, struct tag *tag)
{
    struct multiboot2_tag head;
    if (*pos >= block->size)
        return BOOT_ERROR_NO_END_TAG;
    uint32_t left = block->size - *pos;
    if (left < sizeof(head))
        return BOOT_ERROR_TAG;
    memcpy(&head, block->bytes + *pos, sizeof(head));
    if (head.size < sizeof(head) || head.size > left)
        return BOOT_ERROR_TAG;
    *tag = (struct tag){
        .type = head.type,
        .len = head.size - (uint32_t)sizeof(head),
        .body = block->bytes + *pos + sizeof(head),
    };
    /* The block is at most MULTIBOOT2_INFO_MAX long: rounding up cannot wrap. */
    *pos += (head.size + MULTIBOOT2_TAG_ALIGN - 1) & ~(uint32_t)(MULTIBOOT2_TAG_ALIGN - 1);
    return BOOT_OK;
}

static enum boot_error check_tags(const struct block *block)
{
    uint32_t pos = sizeof(struct multiboot2_info);
    struct tag tag;
    do {
        enum boot_error error = next_tag(block, &pos, &tag);
        if (error != BOOT_OK)
            return error;
    } while (tag.type != MULTIBOOT_TAG_TYPE_END);
    return BOOT_OK;
}

/* The last tag of that type with a body of at least `min` bytes; shorter ones are noted. */
static bool find_tag(struct boot_info *out, const struct block *block, enum multiboot2_tag_type type,
                     uint32_t min, struct tag *found)
{
    uint32_t pos = sizeof(struct multiboot2_info);
    struct tag tag;
    bool any = false;
    while (next_tag(block, &pos, &tag) == BOOT_OK && tag.type != MULTIBOOT_TAG_TYPE_END) {
        if (tag.type != type)
            continue;
        if (tag.len < min) {
            boot_info_note(out, BOOT_PROBLEM_TAG_SHORT, tag.type);
            continue;
        }
        *found = tag;
        any = true;
    }
    return any;
}

/* UEFI 2.9, table 7-6 "Memory Type Usage after ExitBootServices()". */
static enum boot_mem_type type_of_efi(uint32_t type, bool boot_services_run)
{
    static const uint8_t types[] = {
        [1] = BOOT_MEM_USABLE,                             /* loader code and data */
        [2] = BOOT_MEM_USABLE,      [3] = BOOT_MEM_USABLE, /* boot services code and data */
        [4] = BOOT_MEM_USABLE,      [7] = BOOT_MEM_USABLE, /* conventional memory */
        [8] = BOOT_MEM_BAD,         [9] = BOOT_MEM_ACPI_RECLAIM, [10] = BOOT_MEM_ACPI_NVS,
        [14] = BOOT_MEM_PERSISTENT, [0] = BOOT_MEM_RESERVED,     [5] = BOOT_MEM_RESERVED,
        [6] = BOOT_MEM_RESERVED,    [11] = BOOT_MEM_RESERVED,    [12] = BOOT_MEM_RESERVED,
        [13] = BOOT_MEM_RESERVED,
    };
    if (type >= sizeof(types) || (boot_services_run && (type == 3 || type == 4)))
        return BOOT_MEM_RESERVED;
    return (enum boot_mem_type)types[type];
}

static void add_entry(struct boot_info *out, const uint8_t *record)
{
    struct multiboot2_mmap_entry entry;
    memcpy(&entry, record, sizeof(entry));
    boot_memmap_add(&out->memmap, entry.addr, entry.len, boot_mem_type_of_e820(entry.type));
}

static void add_descriptor(struct boot_info *out, const uint8_t *record, bool boot_services_run)
{
    struct efi_memory_descriptor desc;
    memcpy(&desc, record, sizeof(desc));
    if (desc.number_of_pages > UINT64_MAX >> 12)
        out->memmap.dropped_wrapped++;
    else
        boot_memmap_add(&out->memmap, desc.physical_start, desc.number_of_pages << 12,
                        type_of_efi(desc.type, boot_services_run));
}

/* `tag` has room for struct multiboot2_mmap. */
static void read_memory_map(struct boot_info *out, const struct tag *tag, bool boot_services_run)
{
    bool efi = tag->type == MULTIBOOT_TAG_TYPE_EFI_MMAP;
    size_t min = efi ? sizeof(struct efi_memory_descriptor) : sizeof(struct multiboot2_mmap_entry);
    struct multiboot2_mmap head;
    memcpy(&head, tag->body, sizeof(head));
    const uint8_t *record = tag->body + sizeof(head);
    uint32_t left = tag->len - (uint32_t)sizeof(head);

    for (uint32_t i = 0; left != 0; i++) {
        if (head.entry_size < min || left < head.entry_size) {
            boot_info_note(out, BOOT_PROBLEM_MEMMAP_RECORD, i);
            return;
        }
        if (i == BOOT_RECORDS_MAX) {
            boot_info_note(out, BOOT_PROBLEM_MEMMAP_TOO_LONG, i);
            return;
        }
        if (efi)
            add_descriptor(out, record, boot_services_run);
        else
            add_entry(out, record);
        record += head.entry_size;
        left -= head.entry_size;
    }
}

static void read_memory(struct boot_info *out, const struct block *block)
{
    struct tag tag;
    if (find_tag(out, block, MULTIBOOT_TAG_TYPE_MMAP, sizeof(struct multiboot2_mmap), &tag))
        read_memory_map(out, &tag, false);
    if (!boot_memmap_has_usable(&out->memmap) &&
        find_tag(out, block, MULTIBOOT_TAG_TYPE_EFI_MMAP, sizeof(struct multiboot2_mmap), &tag)) {
        struct tag unused;
        read_memory_map(out, &tag, find_tag(out, block, MULTIBOOT_TAG_TYPE_EFI_BS, 0, &unused));
    }
    if (!boot_memmap_has_usable(&out->memmap) &&
        find_tag(out, block, MULTIBOOT_TAG_TYPE_BASIC_MEMINFO, sizeof(struct multiboot2_meminfo), &tag)) {
        struct multiboot2_meminfo meminfo;
        memcpy(&meminfo, tag.body, sizeof(meminfo));
        boot_memmap_add_basic(&out->memmap, meminfo.mem_lower, meminfo.mem_upper);
    }
}

static void read_modules(struct boot_info *out, const struct boot_env *env, const struct block *block)
{
    uint32_t pos = sizeof(struct multiboot2_info), index = 0;
    struct tag tag;
    while (next_tag(block, &pos, &tag) == BOOT_OK && tag.type != MULTIBOOT_TAG_TYPE_END) {
        struct multiboot2_module mod;
        if (tag.type != MULTIBOOT_TAG_TYPE_MODULE)
            continue;
        uint32_t i = index++;
        if (i == BOOT_MODULE_RECORDS_MAX) {
            boot_info_note(out, BOOT_PROBLEM_MODULE_TOO_MANY, i);
            return;
        }
        if (tag.len < sizeof(mod)) {
            boot_info_note(out, BOOT_PROBLEM_TAG_SHORT, tag.type);
            continue;
        }
        memcpy(&mod, tag.body, sizeof(mod));
        struct boot_module *module = boot_info_add_module(out, env, i, mod.mod_start, mod.mod_end);
        if (module != NULL)
            module->truncated = boot_copy_string(module->string, sizeof(module->string),
                                                 tag.body + sizeof(mod), tag.len - sizeof(mod));
    }
}

static void read_rsdp(struct boot_info *out, const struct block *block)
{
    enum { RSDP_V1_SIZE = 20 };
    struct tag tag;
    if (!find_tag(out, block, MULTIBOOT_TAG_TYPE_ACPI_NEW, BOOT_RSDP_SIZE, &tag) &&
        !find_tag(out, block, MULTIBOOT_TAG_TYPE_ACPI_OLD, RSDP_V1_SIZE, &tag))
        return;
    out->rsdp_len = tag.type == MULTIBOOT_TAG_TYPE_ACPI_NEW ? BOOT_RSDP_SIZE : RSDP_V1_SIZE;
    memcpy(out->rsdp, tag.body, out->rsdp_len);
}

enum boot_error boot_info_from_multiboot2(struct boot_info *out, const struct boot_env *env, uint64_t info_pa)
{
    struct multiboot2_info info;
    struct tag tag;

    boot_info_begin(out, BOOT_MULTIBOOT2);
    if (info_pa % MULTIBOOT2_TAG_ALIGN != 0)
        return boot_info_fail(out, BOOT_ERROR_INFO_MISALIGNED);
    if (!boot_read(env, info_pa, &info, sizeof(info)))
        return boot_info_fail(out, BOOT_ERROR_INFO_UNREADABLE);
    if (info.total_size < sizeof(info) || info.total_size > MULTIBOOT2_INFO_MAX)
        return boot_info_fail(out, BOOT_ERROR_INFO_SIZE);

    /* Nothing else is mapped from here on, so the pointer holds to the end. */
    struct block block = {env->map(env->ctx, info_pa, info.total_size), info.total_size};
    if (block.bytes == NULL)
        return boot_info_fail(out, BOOT_ERROR_INFO_UNREADABLE);
    enum boot_error error = check_tags(&block);
    if (error != BOOT_OK)
        return boot_info_fail(out, error);

    if (find_tag(out, &block, MULTIBOOT_TAG_TYPE_BOOT_LOADER_NAME, 0, &tag))
        boot_copy_string(out->loader_name, sizeof(out->loader_name), tag.body, tag.len);
    if (find_tag(out, &block, MULTIBOOT_TAG_TYPE_CMDLINE, 0, &tag))
        out->cmdline_truncated = boot_copy_string(out->cmdline, sizeof(out->cmdline), tag.body, tag.len);
    read_rsdp(out, &block);
    read_memory(out, &block);
    read_modules(out, env, &block);
    return boot_info_end(out);
}
