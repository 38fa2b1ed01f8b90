/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multiboot: what a Multiboot 1 loader hands over. Multiboot Specification 0.6.96, section 3.3
 * "Boot information format". Only the part before the video fields is declared; its length does not
 * depend on `flags`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MULTIBOOT_BOOTLOADER_MAGIC 0x2badb002u /* in EAX at entry */

enum multiboot_info_flag {
    MULTIBOOT_INFO_MEMORY = 1 << 0,
    MULTIBOOT_INFO_CMDLINE = 1 << 2,
    MULTIBOOT_INFO_MODS = 1 << 3,
    MULTIBOOT_INFO_MEM_MAP = 1 << 6,
    MULTIBOOT_INFO_BOOT_LOADER_NAME = 1 << 9,
};

struct multiboot_info {
    uint32_t flags;
    uint32_t mem_lower; /* KiB */
    uint32_t mem_upper;
    uint32_t boot_device;
    uint32_t cmdline; /* physical addresses from here on */
    uint32_t mods_count;
    uint32_t mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length; /* bytes */
    uint32_t mmap_addr;
    uint32_t drives_length;
    uint32_t drives_addr;
    uint32_t config_table;
    uint32_t boot_loader_name;
    uint32_t apm_table;
};

_Static_assert(sizeof(struct multiboot_info) == 72, "multiboot_info");
_Static_assert(offsetof(struct multiboot_info, mods_addr) == 24, "multiboot_info.mods_addr");
_Static_assert(offsetof(struct multiboot_info, mmap_length) == 44, "multiboot_info.mmap_length");
_Static_assert(offsetof(struct multiboot_info, boot_loader_name) == 64, "multiboot_info.name");

struct multiboot_module {
    uint32_t mod_start;
    uint32_t mod_end; /* exclusive */
    uint32_t string;
    uint32_t reserved;
};

_Static_assert(sizeof(struct multiboot_module) == 16, "multiboot_module");

struct __attribute__((packed)) multiboot_mmap_record {
    uint32_t size; /* of the record without this field */
    uint64_t addr;
    uint64_t len;
    uint32_t type;
};

_Static_assert(sizeof(struct multiboot_mmap_record) == 24, "multiboot_mmap_record");
_Static_assert(offsetof(struct multiboot_mmap_record, type) == 20, "multiboot_mmap_record.type");
