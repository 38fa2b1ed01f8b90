/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multiboot: Multiboot 1 information to struct boot_info (specification 0.6.96, section 3.3). Pure.
 * mem_lower and mem_upper count only when the memory map is missing or names no usable memory.
 */
#include "boot/multiboot.h"

#include "boot/boot_build.h"
#include "boot/boot_info.h"

static void read_memory_map(struct boot_info *out, const struct boot_env *env,
                            const struct multiboot_info *info)
{
    uint64_t pos = 0;
    for (uint32_t i = 0; pos < info->mmap_length; i++) {
        struct multiboot_mmap_record record = {0}; /* stays 0 when the length cuts it off */
        if (i == BOOT_RECORDS_MAX) {
            boot_info_note(out, BOOT_PROBLEM_MEMMAP_TOO_LONG, i);
            return;
        }
        if (info->mmap_length - pos >= sizeof(record) &&
            !boot_read(env, info->mmap_addr + pos, &record, sizeof(record))) {
            boot_info_note(out, BOOT_PROBLEM_MEMMAP_UNREADABLE, i);
            return;
        }
        if (record.size < sizeof(record) - sizeof(record.size)) {
            boot_info_note(out, BOOT_PROBLEM_MEMMAP_RECORD, i);
            return;
        }
        boot_memmap_add(&out->memmap, record.addr, record.len, boot_mem_type_of_e820(record.type));
        pos += (uint64_t)record.size + sizeof(record.size);
    }
}

static void read_modules(struct boot_info *out, const struct boot_env *env, const struct multiboot_info *info)
{
    struct multiboot_module mod;
    uint32_t count = info->mods_count < BOOT_MODULE_RECORDS_MAX ? info->mods_count : BOOT_MODULE_RECORDS_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (!boot_read_record(out, env, info->mods_addr, i, &mod, sizeof(mod),
                              BOOT_PROBLEM_MODULE_LIST_UNREADABLE))
            return;
        boot_info_read_module(out, env, i, mod.mod_start, mod.mod_end, mod.string);
    }
    if (count < info->mods_count)
        boot_info_note(out, BOOT_PROBLEM_MODULE_TOO_MANY, count);
}

enum boot_error boot_info_from_multiboot1(struct boot_info *out, const struct boot_env *env, uint64_t info_pa)
{
    struct multiboot_info info;

    boot_info_begin(out, BOOT_MULTIBOOT1);
    if (!boot_read(env, info_pa, &info, sizeof(info)))
        return boot_info_fail(out, BOOT_ERROR_INFO_UNREADABLE);

    if (info.flags & MULTIBOOT_INFO_BOOT_LOADER_NAME)
        boot_read_string(out, env, info.boot_loader_name, out->loader_name, sizeof(out->loader_name),
                         BOOT_PROBLEM_LOADER_NAME_UNREADABLE, 0);
    if (info.flags & MULTIBOOT_INFO_CMDLINE)
        out->cmdline_truncated = boot_read_string(out, env, info.cmdline, out->cmdline, sizeof(out->cmdline),
                                                  BOOT_PROBLEM_CMDLINE_UNREADABLE, 0);
    if (info.flags & MULTIBOOT_INFO_MEM_MAP)
        read_memory_map(out, env, &info);
    if ((info.flags & MULTIBOOT_INFO_MEMORY) && !boot_memmap_has_usable(&out->memmap))
        boot_memmap_add_basic(&out->memmap, info.mem_lower, info.mem_upper);
    if (info.flags & MULTIBOOT_INFO_MODS)
        read_modules(out, env, &info);
    return boot_info_end(out);
}
