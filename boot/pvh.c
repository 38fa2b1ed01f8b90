/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvh: hvm_start_info to struct boot_info. Pure.
 * Version 0 carries no memory map (its guests ask their hypervisor): BOOT_ERROR_NO_MEMORY_MAP.
 */
#include "boot/pvh.h"

#include "boot/boot_build.h"
#include "boot/boot_info.h"

/* Address of record i of a list, or 0 when it would lie past 2^64. */
static uint64_t record_pa(uint64_t list, uint32_t i, uint64_t size)
{
    uint64_t offset = i * size;
    return offset > UINT64_MAX - list ? 0 : list + offset;
}

static void read_memory_map(struct boot_info *out, const struct boot_env *env,
                            const struct hvm_start_info *info)
{
    for (uint32_t i = 0; info->memmap_paddr != 0 && i < info->memmap_entries; i++) {
        struct hvm_memmap_table_entry entry;
        uint64_t pa = record_pa(info->memmap_paddr, i, sizeof(entry));
        if (i == BOOT_RECORDS_MAX) {
            boot_info_note(out, BOOT_PROBLEM_MEMMAP_TOO_LONG, i);
            return;
        }
        if (pa == 0 || !boot_read(env, pa, &entry, sizeof(entry))) {
            boot_info_note(out, BOOT_PROBLEM_MEMMAP_UNREADABLE, i);
            return;
        }
        boot_memmap_add(&out->memmap, entry.addr, entry.size, boot_mem_type_of_e820(entry.type));
    }
}

static void read_modules(struct boot_info *out, const struct boot_env *env,
                         const struct hvm_start_info *info)
{
    for (uint32_t i = 0; i < info->nr_modules; i++) {
        struct hvm_modlist_entry mod;
        uint64_t pa = record_pa(info->modlist_paddr, i, sizeof(mod));
        if (i == BOOT_MODULE_RECORDS_MAX) {
            boot_info_note(out, BOOT_PROBLEM_MODULE_TOO_MANY, i);
            return;
        }
        if (info->modlist_paddr == 0 || pa == 0 || !boot_read(env, pa, &mod, sizeof(mod))) {
            boot_info_note(out, BOOT_PROBLEM_MODULE_LIST_UNREADABLE, i);
            return;
        }
        /* A size that wraps gives an end below the start, which is refused as such. */
        struct boot_module *module =
            boot_info_add_module(out, env, i, mod.paddr, mod.paddr + mod.size);
        if (module != NULL)
            module->truncated =
                boot_read_string(out, env, mod.cmdline_paddr, module->string,
                                 sizeof(module->string), BOOT_PROBLEM_MODULE_STRING_UNREADABLE, i);
    }
}

enum boot_error boot_info_from_pvh(struct boot_info *out, const struct boot_env *env,
                                   uint64_t info_pa)
{
    struct hvm_start_info info = {0};

    boot_info_begin(out, BOOT_PVH);
    if (!boot_read(env, info_pa, &info, HVM_START_INFO_V0_SIZE))
        return boot_info_fail(out, BOOT_ERROR_INFO_UNREADABLE);
    if (info.magic != XEN_HVM_START_MAGIC_VALUE)
        return boot_info_fail(out, BOOT_ERROR_MAGIC);
    if (info.version == 0)
        return boot_info_fail(out, BOOT_ERROR_NO_MEMORY_MAP);
    if (!boot_read(env, info_pa, &info, sizeof(info)))
        return boot_info_fail(out, BOOT_ERROR_INFO_UNREADABLE);

    out->rsdp_pa = info.rsdp_paddr;
    out->cmdline_truncated =
        boot_read_string(out, env, info.cmdline_paddr, out->cmdline, sizeof(out->cmdline),
                         BOOT_PROBLEM_CMDLINE_UNREADABLE, 0);
    read_memory_map(out, env, &info);
    read_modules(out, env, &info);
    return boot_info_end(out);
}
