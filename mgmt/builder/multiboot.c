/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multiboot: kernels with a Multiboot 1 header. Multiboot Specification 0.6.96: section 3.1 (header),
 * 3.2 (machine state), 3.3 (boot information).
 *
 * The header gives the addresses itself (flag 16) or the file is ELF; flags below 16 that we do not
 * know must be refused. Of the information we give: memory sizes, command line, modules, memory map
 * and the loader's name.
 */
#include <string.h>

#include "mgmt/builder/elf.h"
#include "mgmt/builder/plan.h"

#define HEADER_MAGIC 0x1badb002U
#define LOADER_MAGIC 0x2badb002U /* in EAX at entry */
#define PAGE         0x1000ULL
#define INFO_LOWEST  0x1000ULL

enum {
    HEADER_SEARCH = 8192,
    HEADER_SIZE = 12,
    HEADER_ADDRESSES_SIZE = 32,
    HEADER_PAGE_ALIGN = 1 << 0,
    HEADER_MEMORY = 1 << 1,
    HEADER_VIDEO = 1 << 2,
    HEADER_ADDRESSES = 1 << 16,
    HEADER_UNKNOWN = 0xfff8, /* flags that a loader must know, without the three above */
    INFO_MEMORY = 1 << 0,
    INFO_CMDLINE = 1 << 2,
    INFO_MODS = 1 << 3,
    INFO_MEM_MAP = 1 << 6,
    INFO_LOADER_NAME = 1 << 9,
};

struct info {
    uint32_t flags;
    uint32_t mem_lower, mem_upper; /* KiB */
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count, mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length, mmap_addr;
    uint32_t drives_length, drives_addr;
    uint32_t config_table;
    uint32_t boot_loader_name;
    uint32_t apm_table;
};

_Static_assert(sizeof(struct info) == 72, "multiboot information");
_Static_assert(offsetof(struct info, boot_loader_name) == 64, "multiboot information");

struct mod {
    uint32_t start, end, string, reserved;
};

_Static_assert(sizeof(struct mod) == 16, "multiboot module");

struct __attribute__((packed)) mmap {
    uint32_t size; /* of the rest */
    uint64_t addr, len;
    uint32_t type;
};

_Static_assert(sizeof(struct mmap) == 24, "multiboot memory map");

/* Everything but the modules' bytes, in one piece. */
struct block {
    struct info info;
    struct mod mod[PLAN_MODULES_MAX];
    struct mmap mmap[PLAN_MAP_MAX];
    char strings[];
};

static const char loader_name[] = "Signalbox";

static uint32_t get32(const struct plan_bytes *bytes, uint64_t offset)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < 4; i++)
        value |= (uint32_t)bytes->data[offset + i] << 8 * i;
    return value;
}

/* Offset of the header in the file; -1: none. */
static int64_t find_header(const struct plan_bytes *kernel)
{
    uint64_t end = kernel->size < HEADER_SEARCH ? kernel->size : HEADER_SEARCH;
    for (uint64_t at = 0; at + HEADER_SIZE <= end; at += 4)
        if (get32(kernel, at) == HEADER_MAGIC &&
            get32(kernel, at) + get32(kernel, at + 4) + get32(kernel, at + 8) == 0)
            return (int64_t)at;
    return -1;
}

bool plan_is_multiboot(const struct plan_bytes *kernel)
{
    return find_header(kernel) >= 0;
}

/* The image lies where the header says: section 3.1.3, "The address fields of Multiboot header". */
static void load_by_addresses(struct plan *plan, const struct plan_bytes *kernel, uint64_t header)
{
    if (kernel->size - header < HEADER_ADDRESSES_SIZE) {
        plan_fail(plan, "%s is cut off in its Multiboot header", kernel->name);
        return;
    }
    uint32_t header_addr = get32(kernel, header + 12), load = get32(kernel, header + 16);
    uint32_t load_end = get32(kernel, header + 20), bss_end = get32(kernel, header + 24);
    plan->entry = get32(kernel, header + 28);
    if (load > header_addr || header_addr - load > header) {
        plan_fail(plan, "%s: the Multiboot header's load_addr %#x does not fit header_addr %#x", kernel->name,
                  load, header_addr);
        return;
    }
    uint64_t offset = header - (header_addr - load);
    uint64_t bytes = load_end ? (uint64_t)load_end - load : kernel->size - offset;
    uint64_t room = bss_end ? (uint64_t)bss_end - load : bytes;
    if ((load_end && load_end <= load) || bytes > kernel->size - offset)
        plan_fail(plan, "%s: the Multiboot header's load_end_addr %#x is not within the file", kernel->name,
                  load_end);
    else if (bss_end && bss_end < load)
        plan_fail(plan, "%s: the Multiboot header's bss_end_addr %#x is below load_addr %#x", kernel->name,
                  bss_end, load);
    plan_add(plan, load, kernel->data + offset, bytes, room < bytes ? bytes : room, "the kernel");
}

static void load_elf(struct plan *plan, const struct plan_bytes *kernel)
{
    struct elf_file file;
    if (!elf_is(kernel)) {
        plan_fail(plan, "%s: the Multiboot header has no addresses (flag 16) and the file is no ELF",
                  kernel->name);
        return;
    }
    if (!elf_open(&file, kernel, plan) || !elf_load(&file, plan))
        return;
    uint64_t entry = elf_entry(&file);
    plan->entry = (uint32_t)entry;
    if (entry >= PLAN_ABOVE_4G)
        plan_fail(plan, "the entry point %#llx of %s is above 4 GiB", (unsigned long long)entry,
                  kernel->name);
}

static uint64_t strings_size(const struct plan_input *input)
{
    uint64_t size = strlen(input->cmdline) + 1 + sizeof(loader_name);
    for (uint32_t i = 0; i < input->modules; i++)
        size += strlen(input->module[i].name) + 1;
    return size;
}

static uint32_t add_string(struct block *block, gpa_t at, uint64_t *used, const char *text)
{
    gpa_t where = at + offsetof(struct block, strings) + *used;
    size_t size = strlen(text) + 1;
    memcpy(block->strings + *used, text, size);
    *used += size;
    return (uint32_t)where;
}

static void fill_memory(const struct plan *plan, struct block *block, gpa_t at)
{
    struct info *info = &block->info;
    struct plan_map map[PLAN_MAP_MAX];
    uint32_t lines = plan_memory_map(plan, map);
    info->mem_lower = (uint32_t)(plan->ram[0].end / 1024);
    if (plan->rams > 1 && plan->ram[1].start == PLAN_HIGH)
        info->mem_upper = (uint32_t)((plan->ram[1].end - PLAN_HIGH) / 1024);
    for (uint32_t i = 0; i < lines; i++)
        block->mmap[i] = (struct mmap){sizeof(struct mmap) - sizeof(uint32_t), map[i].range.start,
                                       map[i].range.end - map[i].range.start, map[i].type};
    info->mmap_addr = (uint32_t)(at + offsetof(struct block, mmap));
    info->mmap_length = (uint32_t)(lines * sizeof(struct mmap));
}

static void add_modules(struct plan *plan, const struct plan_input *input, struct block *block)
{
    for (uint32_t i = 0; i < input->modules && !plan->failed; i++) {
        const struct plan_bytes *module = &input->module[i];
        gpa_t to = plan_find(plan, module->size, PAGE, PLAN_HIGH, PLAN_ABOVE_4G);
        if (to == PLAN_NOWHERE) {
            plan_fail(plan, "no room for module %s (%llu bytes): raise memory=", module->name,
                      (unsigned long long)module->size);
            return;
        }
        plan_add(plan, to, module->data, module->size, module->size, "a module");
        block->mod[i].start = (uint32_t)to;
        block->mod[i].end = (uint32_t)(to + module->size);
    }
}

static void add_info(struct plan *plan, const struct plan_input *input)
{
    uint64_t size = sizeof(struct block) + strings_size(input), used = 0;
    struct block *block = plan_make(plan, size);
    if (!block)
        return;
    gpa_t at = plan_find(plan, size, 8, INFO_LOWEST, PLAN_ABOVE_4G);
    if (at == PLAN_NOWHERE) {
        plan_fail(plan, "no room for the boot information: raise memory=");
        return;
    }
    struct info *info = &block->info;
    info->flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODS | INFO_MEM_MAP | INFO_LOADER_NAME;
    info->cmdline = add_string(block, at, &used, input->cmdline);
    info->boot_loader_name = add_string(block, at, &used, loader_name);
    info->mods_count = input->modules;
    info->mods_addr = (uint32_t)(at + offsetof(struct block, mod));
    for (uint32_t i = 0; i < input->modules; i++)
        block->mod[i].string = add_string(block, at, &used, input->module[i].name);
    fill_memory(plan, block, at);
    plan_add(plan, at, (const uint8_t *)block, size, size, "the boot information");
    add_modules(plan, input, block);
    plan->ebx = (uint32_t)at;
}

void plan_multiboot(struct plan *plan, const struct plan_input *input)
{
    const struct plan_bytes *kernel = &input->kernel;
    int64_t header = find_header(kernel);
    if (header < 0) {
        plan_fail(plan, "%s has no Multiboot header in its first 8 KiB: use another type=", kernel->name);
        return;
    }
    uint32_t flags = get32(kernel, (uint64_t)header + 4);
    if (flags & HEADER_VIDEO)
        plan_fail(plan, "%s asks for a video mode (Multiboot flag 2); a domain has none", kernel->name);
    else if (flags & HEADER_UNKNOWN)
        plan_fail(plan, "%s has Multiboot flags %#x that are not known", kernel->name, flags);
    plan->mode = PLAN_FLAT32;
    plan->eax = LOADER_MAGIC;
    if (flags & HEADER_ADDRESSES)
        load_by_addresses(plan, kernel, (uint64_t)header);
    else
        load_elf(plan, kernel);
    if (!plan->failed && !plan_is_ram(plan, plan->entry, 1))
        plan_fail(plan, "the entry point %#x of %s is not in the domain's memory", plan->entry, kernel->name);
    add_info(plan, input);
}
