/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multiboot2: what a Multiboot 2 loader hands over. Multiboot2 Specification 2.0, section 3.6 "Boot
 * information". The block is a header and a list of tags, each on 8 bytes; a tag's size does not
 * count the padding behind it. The EFI memory descriptor is that of UEFI 2.9, section 7.2.3
 * GetMemoryMap(); its stride is in the tag.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MULTIBOOT2_BOOTLOADER_MAGIC 0x36d76289u /* in EAX at entry */

enum multiboot2_limit { MULTIBOOT2_TAG_ALIGN = 8, MULTIBOOT2_INFO_MAX = 4 << 20 };

enum multiboot2_tag_type {
    MULTIBOOT_TAG_TYPE_END = 0,
    MULTIBOOT_TAG_TYPE_CMDLINE = 1,
    MULTIBOOT_TAG_TYPE_BOOT_LOADER_NAME = 2,
    MULTIBOOT_TAG_TYPE_MODULE = 3,
    MULTIBOOT_TAG_TYPE_BASIC_MEMINFO = 4,
    MULTIBOOT_TAG_TYPE_MMAP = 6,
    MULTIBOOT_TAG_TYPE_ACPI_OLD = 14,
    MULTIBOOT_TAG_TYPE_ACPI_NEW = 15,
    MULTIBOOT_TAG_TYPE_EFI_MMAP = 17,
    MULTIBOOT_TAG_TYPE_EFI_BS = 18, /* boot services still run */
};

struct multiboot2_info {
    uint32_t total_size; /* this header included */
    uint32_t reserved;
};

struct multiboot2_tag {
    uint32_t type;
    uint32_t size; /* this header included */
};

/* The fixed part behind the tag header; strings, records and RSDP bytes follow. */
struct multiboot2_module {
    uint32_t mod_start;
    uint32_t mod_end; /* exclusive */
};

struct multiboot2_meminfo {
    uint32_t mem_lower; /* KiB */
    uint32_t mem_upper;
};

/* Heads both kinds of memory map: stride of the records and their version. */
struct multiboot2_mmap {
    uint32_t entry_size;
    uint32_t entry_version;
};

struct multiboot2_mmap_entry {
    uint64_t addr;
    uint64_t len;
    uint32_t type;
    uint32_t reserved;
};

struct efi_memory_descriptor {
    uint32_t type;
    uint32_t pad;
    uint64_t physical_start;
    uint64_t virtual_start;
    uint64_t number_of_pages; /* of 4 KiB */
    uint64_t attribute;
};

_Static_assert(sizeof(struct multiboot2_info) == 8, "multiboot2_info");
_Static_assert(sizeof(struct multiboot2_tag) == 8, "multiboot2_tag");
_Static_assert(sizeof(struct multiboot2_module) == 8, "multiboot2_module");
_Static_assert(sizeof(struct multiboot2_meminfo) == 8, "multiboot2_meminfo");
_Static_assert(sizeof(struct multiboot2_mmap) == 8, "multiboot2_mmap");
_Static_assert(sizeof(struct multiboot2_mmap_entry) == 24, "multiboot2_mmap_entry");
_Static_assert(offsetof(struct multiboot2_mmap_entry, type) == 16, "multiboot2_mmap_entry.type");
_Static_assert(sizeof(struct efi_memory_descriptor) == 40, "efi_memory_descriptor");
_Static_assert(offsetof(struct efi_memory_descriptor, number_of_pages) == 24, "efi descriptor");
