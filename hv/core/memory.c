/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical memory at start: image, boot modules and the first page are taken where they are; the
 * pool is placed as high as it goes below 4 GiB (page tables for the start of other CPUs must be
 * below), which leaves low memory, scarce and wanted by guests, alone. Runs once, on the boot CPU.
 */
#include "hv/core/memory.h"

#include "arch/cpu/paging.h"
#include "hv/core/config.h"
#include "hv/core/frame.h"
#include "hv/core/log.h"
#include "hv/core/page.h"

extern const uint8_t image_start[], image_end[];

#define IMAGE_TO_PA(symbol) ((uint64_t)(uintptr_t)(symbol) & (GIB - 1))
#define LOW_MEMORY_END      0xa0000ULL

static struct ram ram;

void memory_image_range(uint64_t *start, uint64_t *end)
{
    *start = IMAGE_TO_PA(image_start);
    *end = IMAGE_TO_PA(image_end);
}

static bool take_fixed(const struct boot_info *boot)
{
    uint64_t start, end;
    memory_image_range(&start, &end);
    /* Page 0 holds the BIOS's and guests' real-mode vectors, and no address 0 is ever handed out.
     */
    bool ok = ram_take(&ram, 0, PAGE_SIZE) && ram_take(&ram, start, end);
    for (uint32_t i = 0; i < boot->module_count && ok; i++)
        ok = ram_take(&ram, boot->module[i].start, boot->module[i].end);
    return ok;
}

static uint64_t default_pool(uint64_t usable)
{
    uint64_t size = usable / 8;
    size = size > CONFIG_POOL_DEFAULT ? CONFIG_POOL_DEFAULT : size;
    return size < CONFIG_POOL_MIN ? CONFIG_POOL_MIN : size;
}

/* One entry per frame up to the top of RAM, wherever there is room; mapped for good. */
static bool make_frame_table(void)
{
    uint64_t count = ram_top(ram.map) / PAGE_SIZE;
    uint64_t size = align_up(count * sizeof(struct frame), PAGE_SIZE);
    uint64_t pa = ram_find(&ram, size, CONFIG_POOL_ALIGN, MIB, ~0UL);
    if (!pa)
        pa = ram_find(&ram, size, PAGE_SIZE, MIB, ~0UL);
    if (!pa || !ram_take(&ram, pa, pa + size) || !paging_map(PAGING_FRAMES, pa, size, PAGING_W)) {
        log_error("No room for the frame table (%lu KiB).", size / KIB);
        return false;
    }
    frame_init((struct frame *)PAGING_FRAMES, count);
    for (uint32_t i = 0; i < ram.taken_count; i++)
        frame_set_owner(ram.taken[i].start, ram.taken[i].end - ram.taken[i].start, FRAME_HV, 0);
    return true;
}

bool memory_init(const struct boot_info *boot, uint64_t pool_size)
{
    ram.map = &boot->memmap;
    uint64_t usable = ram_usable(ram.map);
    log_info("memory: %lu MiB usable in %u ranges, top %#lx", usable / MIB, boot->memmap.count,
             ram_top(ram.map));
    for (uint32_t i = 0; i < boot->memmap.count; i++)
        log_debug("  %#014lx-%#014lx %s", boot->memmap.entry[i].base,
                  boot->memmap.entry[i].base + boot->memmap.entry[i].len - 1,
                  boot_mem_type_text(boot->memmap.entry[i].type));
    if (boot->memmap.dropped_wrapped || boot->memmap.dropped_full)
        log_warning("memory map: %u impossible and %u surplus entries ignored", boot->memmap.dropped_wrapped,
                    boot->memmap.dropped_full);
    if (!take_fixed(boot)) {
        log_error("Too many separate boot modules.");
        return false;
    }
    uint64_t size = align_up(pool_size ? pool_size : default_pool(usable), PAGE_SIZE);
    uint64_t align = size >= CONFIG_POOL_ALIGN ? CONFIG_POOL_ALIGN : PAGE_SIZE;
    uint64_t pa = ram_find(&ram, size, align, MIB, 4 * GIB);
    if (!pa) {
        log_error("No room for %lu KiB of hypervisor memory below 4 GiB: the machine has %lu MiB. Lower "
                  "hvmem=, or give the machine more memory (64 MiB is plenty).",
                  size / KIB, usable / MIB);
        return false;
    }
    ram_take(&ram, pa, pa + size);
    page_init(pa, size);
    if (!paging_init(pa, size, page_alloc_pa)) {
        log_error("%lu KiB of hypervisor memory are too few for its page tables (raise hvmem=).", size / KIB);
        return false;
    }
    page_set_linear(PAGING_POOL);
    if (!make_frame_table())
        return false;
    log_info("hypervisor: image %#lx-%#lx, memory %#lx-%#lx (%lu KiB)", IMAGE_TO_PA(image_start),
             IMAGE_TO_PA(image_end) - 1, pa, pa + size - 1, size / KIB);
    return true;
}

uint64_t memory_ap_page(void)
{
    return ram_find(&ram, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, LOW_MEMORY_END);
}

const struct ram *memory_ram(void)
{
    return &ram;
}
