/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stub: the 32-bit part of the manager's start. It finds memory for the manager, copies the image
 * there, builds the page tables and leaves for 64-bit mode.
 *
 * The module that it runs from is read-only and stays as it is, so that the manager can be started
 * again from it. Code is position independent and keeps all state on the borrowed stack. Physical
 * layout of the region, which is 2 MiB aligned and below 4 GiB:
 *
 *   image | zeroed bss with the stack | (to 2 MiB) | heap | page tables
 *
 * Virtual: the image where it is linked (text RX, rodata R, the rest RW NX), the heap behind it in
 * 2 MiB pages, all memory at HANDOFF_WINDOW (RW NX), and the copied stub at its own address until
 * start.c removes that. SDM volume 3, "4-Level Paging".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_abi/pvh.h"
#include "mgmt/start/handoff.h"

#define E820_RAM 1U /* types of the memory map are those of E820 */

#define PAGE_4K 0x1000ULL
#define PAGE_2M 0x200000ULL
#define PAGE_1G 0x40000000ULL

#define PTE_PRESENT (1ULL << 0)
#define PTE_WRITE   (1ULL << 1)
#define PTE_LARGE   (1ULL << 7)
#define PTE_NX      (1ULL << 63)
#define PTE_ADDRESS 0x000ffffffffff000ULL

#define STUB_STACK_SIZE 0x8000U /* as in stub_entry.S */

/* With the accessed bits set: the processor must not write to this read-only page. */
static const uint64_t stub_gdt[3] = {0, 0x00af9b000000ffffULL, 0x00cf93000000ffffULL};

struct far_pointer {
    uint32_t offset;
    uint16_t selector;
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint32_t base;
};

/* What is written into the copy, behind the stub's code, for the switch. */
struct switch_data {
    uint64_t gdt[3];
    struct far_pointer to_64;
    struct table_pointer gdt_pointer;
};

typedef void switch_function(uint32_t cr3, uint32_t entry, const struct far_pointer *to_64,
                             const struct table_pointer *gdt);

/* Hidden, so that their addresses are relative ones: nobody relocates a table for the stub. */
#pragma GCC visibility push(hidden)
void stub_main(const struct hvm_start_info *info, uint32_t image, uint32_t stack_top);
__attribute__((noreturn)) void stub_stop(void);
switch_function stub_switch;
void stub_long(void);
#pragma GCC visibility pop

struct tables {
    uint32_t root;
    uint32_t next; /* free page */
    uint32_t end;
};

static void *at(uint32_t address)
{
    return (void *)(uintptr_t)address;
}

static void copy(uint32_t to, uint32_t from, uint32_t bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
}

static void clear(uint32_t to, uint32_t bytes)
{
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(0) : "memory");
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static bool has_gigabyte_pages(void)
{
    uint32_t eax = 0x80000001U, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (edx >> 26 & 1) != 0;
}

static uint64_t *next_table(struct tables *tables, uint64_t *entry)
{
    if ((*entry & PTE_PRESENT) == 0) {
        if (tables->next == tables->end)
            stub_stop();
        clear(tables->next, PAGE_4K);
        *entry = tables->next | PTE_PRESENT | PTE_WRITE;
        tables->next += PAGE_4K;
    }
    return at((uint32_t)(*entry & PTE_ADDRESS));
}

/* One leaf of `size` bytes: 4 KiB, 2 MiB or 1 GiB. */
static void map_leaf(struct tables *tables, uint64_t va, uint64_t pa, uint64_t size, uint64_t flags)
{
    uint64_t *table = at(tables->root);
    uint32_t shift = 39;
    uint32_t leaf = size == PAGE_4K ? 12 : size == PAGE_2M ? 21 : 30;
    for (; shift != leaf; shift -= 9)
        table = next_table(tables, &table[(uint32_t)(va >> shift) & 511]);
    table[(uint32_t)(va >> shift) & 511] = pa | flags | PTE_PRESENT | (leaf == 12 ? 0 : PTE_LARGE);
}

static void map(struct tables *tables, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t unit,
                uint64_t flags)
{
    for (uint64_t done = 0; done < bytes; done += unit)
        map_leaf(tables, va + done, pa + done, unit, flags);
}

/*
 * The end of the window: of all memory, and never less than `least`: after a restart the map lacks
 * what other domains have, and that comes back.
 */
static uint64_t memory_end(const struct hvm_start_info *info, uint64_t least)
{
    const struct hvm_memmap_table_entry *entry = at((uint32_t)info->memmap_paddr);
    uint64_t end = least;
    for (uint32_t i = 0; i < info->memmap_entries; i++)
        if (entry[i].type == E820_RAM && entry[i].addr + entry[i].size > end)
            end = entry[i].addr + entry[i].size;
    /* Modules are not RAM in the map, but they must be read. */
    const struct hvm_modlist_entry *module = at((uint32_t)info->modlist_paddr);
    for (uint32_t i = 0; i < info->nr_modules; i++)
        if (module[i].paddr + module[i].size > end)
            end = module[i].paddr + module[i].size;
    return round_up(end, PAGE_1G);
}

/* A place of `size` bytes in RAM above 2 MiB and below 4 GiB that is not the stack's and whose own
 * address is not one of the virtual addresses of the image. 0: none. */
static uint32_t find_region(const struct hvm_start_info *info, uint64_t size, uint32_t stack_top,
                            const struct image_header *header)
{
    const struct hvm_memmap_table_entry *entry = at((uint32_t)info->memmap_paddr);
    for (uint32_t i = 0; i < info->memmap_entries; i++) {
        if (entry[i].type != E820_RAM || entry[i].addr >= 1ULL << 32)
            continue;
        uint64_t start = round_up(entry[i].addr < PAGE_2M ? PAGE_2M : entry[i].addr, PAGE_2M);
        uint64_t end = entry[i].addr + entry[i].size;
        for (; start + size <= end && start + size <= 1ULL << 32; start += PAGE_2M) {
            bool stack = start < stack_top && start + size > stack_top - STUB_STACK_SIZE;
            bool image = start < header->heap_end && start + size > header->link_base;
            if (!stack && !image)
                return (uint32_t)start;
        }
    }
    return 0;
}

static void map_image(struct tables *tables, const struct image_header *header, uint32_t region)
{
    uint64_t base = header->link_base;
    map(tables, base, region, header->text_end - base, PAGE_4K, 0);
    map(tables, header->text_end, region + header->text_end - base, header->rodata_end - header->text_end,
        PAGE_4K, PTE_NX);
    for (uint64_t va = header->rodata_end; va < header->bss_end; va += PAGE_4K)
        if (va != header->stack_guard)
            map(tables, va, region + va - base, PAGE_4K, PAGE_4K, PTE_NX | PTE_WRITE);
    map(tables, header->heap_start, region + header->heap_start - base, header->heap_end - header->heap_start,
        PAGE_2M, PTE_NX | PTE_WRITE);
}

static void copy_image(const struct image_header *header, uint32_t image, uint32_t region,
                       const struct handoff *handoff)
{
    copy(region, image, header->file_end - header->link_base);
    clear(region + header->file_end - header->link_base, header->bss_end - header->file_end);
    *(struct handoff *)at(region + header->handoff - header->link_base) = *handoff;
}

static void leave(const struct image_header *header, uint32_t image, uint32_t region,
                  const struct tables *tables)
{
    struct switch_data *data = at(region + HANDOFF_HEADER_OFFSET + (uint32_t)sizeof(struct image_header));
    uint32_t move = region - image;
    for (uint32_t i = 0; i < 3; i++)
        data->gdt[i] = stub_gdt[i];
    data->gdt_pointer.limit = sizeof(data->gdt) - 1;
    data->gdt_pointer.base = (uint32_t)(uintptr_t)data->gdt;
    data->to_64.offset = (uint32_t)(uintptr_t)stub_long + move;
    data->to_64.selector = 8;
    switch_function *go = (switch_function *)((uintptr_t)stub_switch + move);
    go(tables->root, header->entry, &data->to_64, &data->gdt_pointer);
}

void stub_main(const struct hvm_start_info *info, uint32_t image, uint32_t stack_top)
{
    const struct image_header *header = at(image + HANDOFF_HEADER_OFFSET);
    if (info->magic != XEN_HVM_START_MAGIC_VALUE || header->magic != HANDOFF_HEADER_MAGIC)
        stub_stop();
    uint64_t unit = has_gigabyte_pages() ? PAGE_1G : PAGE_2M;
    /* One table of 1 GiB pages, or four of 2 MiB pages. */
    uint64_t window = memory_end(info, unit == PAGE_1G ? 512 * PAGE_1G : 4 * PAGE_1G);
    uint64_t span = header->heap_end - header->link_base;
    uint64_t pages = 32 + (window >> 39) + (unit == PAGE_1G ? 0 : window >> 30);
    uint64_t size = round_up(span + pages * PAGE_4K, PAGE_2M);
    uint32_t region = find_region(info, size, stack_top, header);
    if (region == 0)
        stub_stop();

    struct handoff handoff = {region, size, (uintptr_t)info, window, region};
    struct tables tables = {.root = region + (uint32_t)span, .end = region + (uint32_t)size};
    tables.next = tables.root + (uint32_t)PAGE_4K;
    clear(tables.root, PAGE_4K);
    copy_image(header, image, region, &handoff);
    map_image(&tables, header, region);
    map(&tables, HANDOFF_WINDOW, 0, window, unit, PTE_NX | PTE_WRITE);
    map(&tables, region, region, 2 * PAGE_4K, PAGE_4K, 0);
    leave(header, image, region, &tables);
}
