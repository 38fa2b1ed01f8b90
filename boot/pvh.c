/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvh: hvm_start_info to struct boot_info. Pure.
 * Version 0 carries no memory map (its guests ask their hypervisor): BOOT_ERROR_NO_MEMORY_MAP.
 */
#include "guest_abi/pvh.h"

#include "boot/boot_build.h"
#include "boot/boot_info.h"

static void read_memory_map(struct boot_info *out, const struct boot_env *env,
                            const struct hvm_start_info *info)
{
    struct hvm_memmap_table_entry entry;
    uint32_t count = info->memmap_entries < BOOT_RECORDS_MAX ? info->memmap_entries : BOOT_RECORDS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (!boot_read_record(out, env, info->memmap_paddr, i, &entry, sizeof(entry),
                              BOOT_PROBLEM_MEMMAP_UNREADABLE))
            return;
        boot_memmap_add(&out->memmap, entry.addr, entry.size, boot_mem_type_of_e820(entry.type));
    }
    if (count < info->memmap_entries)
        boot_info_note(out, BOOT_PROBLEM_MEMMAP_TOO_LONG, count);
}

static void read_modules(struct boot_info *out, const struct boot_env *env, const struct hvm_start_info *info)
{
    struct hvm_modlist_entry mod;
    uint32_t count = info->nr_modules < BOOT_MODULE_RECORDS_MAX ? info->nr_modules : BOOT_MODULE_RECORDS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (!boot_read_record(out, env, info->modlist_paddr, i, &mod, sizeof(mod),
                              BOOT_PROBLEM_MODULE_LIST_UNREADABLE))
            return;
        /* A size that wraps gives an end below the start, which is refused as such. */
        boot_info_read_module(out, env, i, mod.paddr, mod.paddr + mod.size, mod.cmdline_paddr);
    }
    if (count < info->nr_modules)
        boot_info_note(out, BOOT_PROBLEM_MODULE_TOO_MANY, count);
}

enum boot_error boot_info_from_pvh(struct boot_info *out, const struct boot_env *env, uint64_t info_pa)
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
    out->cmdline_truncated = boot_read_string(out, env, info.cmdline_paddr, out->cmdline,
                                              sizeof(out->cmdline), BOOT_PROBLEM_CMDLINE_UNREADABLE, 0);
    read_memory_map(out, env, &info);
    read_modules(out, env, &info);
    return boot_info_end(out);
}
