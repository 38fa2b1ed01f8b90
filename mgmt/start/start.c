/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start: from entry.S to main(). Order: exception tables first, so that every later mistake prints;
 * then the start info is copied, because its page is ordinary memory; then main().
 *
 * Memory for guests is every RAM range without the first MiB, where the hypervisor puts the start
 * info of the next manager, and without the region that this program lives in.
 */
#include "mgmt/start/start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_abi/pvh.h"
#include "mgmt/start/trap.h"

#define E820_RAM       1U /* types of the memory map are those of E820 */
#define LOW_MEMORY_END 0x100000ULL
#define PAGE_MASK      0xfffULL

struct handoff handoff __attribute__((section(".data")));
struct start_info start_info;

/* manager.ld */
extern const struct image_header start_header;

void *start_view(gpa_t gpa, uint64_t bytes)
{
    if (bytes > handoff.window_size || gpa > handoff.window_size - bytes)
        return NULL;
    return (void *)(uintptr_t)(HANDOFF_WINDOW + gpa); /* the one place that makes such pointers */
}

gpa_t start_gpa(const void *pointer)
{
    uint64_t va = (uint64_t)(uintptr_t)pointer;
    if (va >= HANDOFF_WINDOW)
        return va - HANDOFF_WINDOW;
    return va - start_header.link_base + handoff.region;
}

static void add_memory(gpa_t start, gpa_t end)
{
    start = (start + PAGE_MASK) & ~PAGE_MASK;
    end &= ~PAGE_MASK;
    if (start >= end)
        return;
    if (start_info.memory_count == START_MEMORY_MAX) {
        start_info.memory_left_out++;
        return;
    }
    start_info.memory[start_info.memory_count++] = (struct start_range){start, end};
}

/* A RAM range without what is ours. */
static void add_ram(gpa_t start, gpa_t end)
{
    gpa_t own_start = handoff.region, own_end = handoff.region + handoff.region_size;
    if (start < LOW_MEMORY_END)
        start = LOW_MEMORY_END;
    if (end <= own_start || start >= own_end) {
        add_memory(start, end);
        return;
    }
    add_memory(start, own_start < end ? own_start : end);
    add_memory(own_end > start ? own_end : start, end);
}

static void copy_cmdline(gpa_t gpa)
{
    const char *text = gpa ? start_view(gpa, START_CMDLINE_SIZE) : NULL;
    if (text)
        strlcpy(start_info.cmdline, text, sizeof(start_info.cmdline));
}

static void copy_start_info(void)
{
    const struct hvm_start_info *info = start_view(handoff.start_info, sizeof(*info));
    const struct hvm_memmap_table_entry *entry =
        start_view(info->memmap_paddr, info->memmap_entries * sizeof(*entry));
    for (uint32_t i = 0; entry && i < info->memmap_entries; i++)
        if (entry[i].type == E820_RAM)
            add_ram(entry[i].addr, entry[i].addr + entry[i].size);
    copy_cmdline(info->cmdline_paddr);
}

void start_main(void)
{
    trap_init();
    trap_unmap(handoff.trampoline, 2);
    copy_start_info();
    setvbuf(stdout, NULL, _IOLBF, 1024);
    exit(main());
}
