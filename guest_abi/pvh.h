/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvh: what a PVH loader hands over: the hvm_start_info block, whose physical address is in EBX at
 * entry. Layout as in Xen's public header arch-x86/hvm/start_info.h. Later versions only add fields
 * at the end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define XEN_HVM_START_MAGIC_VALUE 0x336ec578u

struct hvm_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t nr_modules;
    uint64_t modlist_paddr; /* physical addresses; 0: not given */
    uint64_t cmdline_paddr;
    uint64_t rsdp_paddr;
    /* Version 0 ends here, at 40 bytes. */
    uint64_t memmap_paddr;
    uint32_t memmap_entries;
    uint32_t reserved;
};

enum { HVM_START_INFO_V0_SIZE = 40 };

_Static_assert(sizeof(struct hvm_start_info) == 56, "hvm_start_info");
_Static_assert(offsetof(struct hvm_start_info, modlist_paddr) == 16, "hvm_start_info.modlist");
_Static_assert(offsetof(struct hvm_start_info, rsdp_paddr) == 32, "hvm_start_info.rsdp");
_Static_assert(offsetof(struct hvm_start_info, memmap_paddr) == HVM_START_INFO_V0_SIZE, "version 0");

struct hvm_modlist_entry {
    uint64_t paddr;
    uint64_t size;
    uint64_t cmdline_paddr;
    uint64_t reserved;
};

struct hvm_memmap_table_entry {
    uint64_t addr;
    uint64_t size;
    uint32_t type; /* as in E820 */
    uint32_t reserved;
};

_Static_assert(sizeof(struct hvm_modlist_entry) == 32, "hvm_modlist_entry");
_Static_assert(sizeof(struct hvm_memmap_table_entry) == 24, "hvm_memmap_table_entry");
