/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handoff: where things are, agreed between the linker script, the 32-bit stub and the 64-bit part.
 * Included by C of both widths, so every field has a fixed size.
 *
 * image_header is filled by manager.ld at HANDOFF_HEADER_OFFSET of the image; handoff is filled by
 * the stub in the copied image, at image_header.handoff.
 */
#pragma once

#include <stdint.h>

#define HANDOFF_HEADER_OFFSET 0x1000U     /* the stub fits below; see stub.ld */
#define HANDOFF_HEADER_MAGIC  0x4d584253U /* "SBXM" */

/* All guest-physical memory is visible here, writable and not executable. */
#define HANDOFF_WINDOW 0x200000000000ULL

/* Virtual addresses, all below 4 GiB and page-aligned but the last three. */
struct image_header {
    uint32_t magic;
    uint32_t link_base;
    uint32_t text_end;
    uint32_t rodata_end;
    uint32_t file_end; /* copied up to here, zeroed from here on */
    uint32_t bss_end;
    uint32_t stack_guard; /* one page that is not mapped */
    uint32_t heap_start;  /* 2 MiB aligned */
    uint32_t heap_end;
    uint32_t entry;
    uint32_t handoff;
    uint32_t reserved;
};

_Static_assert(sizeof(struct image_header) == 48, "image_header");

struct handoff {
    uint64_t region; /* guest-physical: the copied image, heap and page tables */
    uint64_t region_size;
    uint64_t start_info;
    uint64_t window_size; /* bytes of guest-physical space that the window shows */
    uint64_t trampoline;  /* this page is mapped at its own address until start.c takes that away */
};

_Static_assert(sizeof(struct handoff) == 40, "handoff");
