/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvh: kernels with Xen's PVH entry point, an ELF note of owner "Xen" and type 18. Entry as in Xen's
 * public header arch-x86/hvm/start_info.h: protected mode, flat segments, paging off, EBX = start
 * info, which names memory map, command line and modules.
 */
#include <string.h>

#include "guest_abi/pvh.h"
#include "mgmt/builder/elf.h"
#include "mgmt/builder/plan.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18U

/* Information blocks stay clear of the first page and below 4 GiB. */
#define INFO_LOWEST 0x1000ULL
#define PAGE        0x1000ULL

static bool find_entry(const struct elf_file *file, uint64_t *entry)
{
    return elf_note(file, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, entry);
}

bool plan_is_pvh(const struct plan_bytes *kernel)
{
    struct plan scratch = {.rams = 0};
    struct elf_file file;
    uint64_t entry;
    return elf_is(kernel) && elf_open(&file, kernel, &scratch) && find_entry(&file, &entry);
}

/* Modules go behind everything that is there, at whole pages. */
static gpa_t add_module(struct plan *plan, const struct plan_bytes *module)
{
    gpa_t at = plan_find(plan, module->size, PAGE, PLAN_HIGH, PLAN_ABOVE_4G);
    if (module->size == 0)
        return INFO_LOWEST; /* no byte of it is anywhere */
    if (at == PLAN_NOWHERE)
        plan_fail(plan, "no room for module %s (%llu bytes): raise memory=", module->name,
                  (unsigned long long)module->size);
    else
        plan_add(plan, at, module->data, module->size, module->size, "a module");
    return at;
}

/* One block: start info, memory map, module list, then the strings. */
struct block {
    struct hvm_start_info info;
    struct hvm_memmap_table_entry memmap[PLAN_MAP_MAX];
    struct hvm_modlist_entry module[PLAN_MODULES_MAX];
    char strings[];
};

static uint64_t strings_size(const struct plan_input *input)
{
    uint64_t size = strlen(input->cmdline) + 1;
    for (uint32_t i = 0; i < input->modules; i++)
        size += strlen(input->module[i].name) + 1;
    return size;
}

static gpa_t add_string(struct block *block, gpa_t at, uint64_t *used, const char *text)
{
    gpa_t where = at + offsetof(struct block, strings) + *used;
    size_t size = strlen(text) + 1;
    memcpy(block->strings + *used, text, size);
    *used += size;
    return where;
}

static void fill_info(const struct plan *plan, const struct plan_input *input, struct block *block, gpa_t at)
{
    uint64_t used = 0;
    struct plan_map map[PLAN_MAP_MAX];
    uint32_t lines = plan_memory_map(plan, map);
    block->info = (struct hvm_start_info){
        .magic = XEN_HVM_START_MAGIC_VALUE,
        .version = 1,
        .nr_modules = input->modules,
        .modlist_paddr = input->modules ? at + offsetof(struct block, module) : 0,
        .memmap_paddr = at + offsetof(struct block, memmap),
        .memmap_entries = lines,
        .rsdp_paddr = plan->rsdp,
    };
    block->info.cmdline_paddr = add_string(block, at, &used, input->cmdline);
    for (uint32_t i = 0; i < lines; i++)
        block->memmap[i] = (struct hvm_memmap_table_entry){
            map[i].range.start, map[i].range.end - map[i].range.start, map[i].type, 0};
    for (uint32_t i = 0; i < input->modules; i++)
        block->module[i].cmdline_paddr = add_string(block, at, &used, input->module[i].name);
}

void plan_add_start_info(struct plan *plan, const struct plan_input *input)
{
    uint64_t size = sizeof(struct block) + strings_size(input);
    struct block *block = plan_make(plan, size);
    if (!block)
        return;
    gpa_t at = plan_find(plan, size, 8, INFO_LOWEST, PLAN_ABOVE_4G);
    if (at == PLAN_NOWHERE) {
        plan_fail(plan, "no room for the start information: raise memory=");
        return;
    }
    fill_info(plan, input, block, at);
    plan_add(plan, at, (const uint8_t *)block, size, size, "the start information");
    for (uint32_t i = 0; i < input->modules && !plan->failed; i++) {
        block->module[i].paddr = add_module(plan, &input->module[i]);
        block->module[i].size = input->module[i].size;
    }
    plan->ebx = (uint32_t)at;
}

void plan_pvh(struct plan *plan, const struct plan_input *input)
{
    struct elf_file file;
    uint64_t entry = 0;
    if (!elf_open(&file, &input->kernel, plan))
        return;
    if (!find_entry(&file, &entry))
        plan_fail(plan,
                  "%s has no PVH entry note (owner Xen, type 18): use another type=", input->kernel.name);
    else if (!plan_is_ram(plan, entry, 1) || entry >= PLAN_ABOVE_4G)
        plan_fail(plan, "the PVH entry point %#llx of %s is not in the domain's memory",
                  (unsigned long long)entry, input->kernel.name);
    plan->mode = PLAN_FLAT32;
    plan->entry = (uint32_t)entry;
    if (!plan->failed && elf_load(&file, plan))
        plan_add_start_info(plan, input);
}
