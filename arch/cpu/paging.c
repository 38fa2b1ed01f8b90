/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host page tables, SDM volume 3, "4-Level Paging". See paging.h for the picture.
 *
 * Page-table pages come from the page pool, which is mapped linearly, so that a table is reached
 * from the physical address in its parent. Until the switch the pool is reached through the boot
 * tables' identity map: `linear` is what differs. Mappings are made during start by one CPU, or
 * later under the caller's lock; the hardware walks them meanwhile, so an entry is written by one
 * store, complete.
 */
#include "arch/cpu/paging.h"

#include <string.h>

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"

#define PTE_P    BIT(0)
#define PTE_W    BIT(1)
#define PTE_PWT  BIT(3)
#define PTE_PCD  BIT(4)
#define PTE_A    BIT(5)
#define PTE_D    BIT(6)
#define PTE_PS   BIT(7)
#define PTE_G    BIT(8)
#define PTE_NX   BIT(63)
#define PTE_ADDR MASK(51, 12)

#define LARGE (2 * MIB)

extern const uint8_t text_start[], text_end[], rodata_start[], rodata_end[], data_start[], data_end[];
extern const uint8_t image_start[];

static uint64_t root_pa;
static uint64_t linear; /* virtual minus physical address of the pool */
static uint64_t (*page_alloc)(void);
static uint64_t mmio_next = PAGING_MMIO;
static uint64_t boot_next = PAGING_BOOT;
static uint64_t stack_next = PAGING_STACKS;

static uint64_t *table_at(uint64_t pa)
{
    return (uint64_t *)(uintptr_t)((pa & PTE_ADDR) + linear);
}

/* The entry for va at a level (0 = 4 KiB, 1 = 2 MiB); missing tables are made when `make`. NULL:
 * none, or a larger page. */
static uint64_t *walk(uint64_t va, unsigned level, bool make)
{
    uint64_t *table = table_at(root_pa);
    for (unsigned l = 3; l > level; l--) {
        uint64_t *e = &table[va >> (PAGE_SHIFT + 9 * l) & 511];
        if (*e & PTE_PS)
            return NULL;
        if (!(*e & PTE_P)) {
            uint64_t pa = make ? page_alloc() : 0;
            if (!pa)
                return NULL;
            *(volatile uint64_t *)e = pa | PTE_P | PTE_W | PTE_A;
        }
        table = table_at(*e);
    }
    return &table[va >> (PAGE_SHIFT + 9 * level) & 511];
}

static uint64_t leaf_bits(unsigned flags)
{
    uint64_t bits = PTE_P | PTE_A | PTE_G;
    if (flags & PAGING_W)
        bits |= PTE_W | PTE_D;
    if (!(flags & PAGING_X))
        bits |= PTE_NX;
    if (flags & PAGING_UC)
        bits |= PTE_PCD | PTE_PWT;
    return bits;
}

bool paging_map(uint64_t va, uint64_t pa, uint64_t size, unsigned flags)
{
    uint64_t bits = leaf_bits(flags);
    if ((flags & PAGING_W) && (flags & PAGING_X))
        return false;
    while (size) {
        bool large = !((va | pa) & (LARGE - 1)) && size >= LARGE;
        uint64_t *e = walk(va, large ? 1 : 0, true);
        if (!e || (*e & PTE_P))
            return false;
        *(volatile uint64_t *)e = pa | bits | (large ? PTE_PS : 0);
        uint64_t step = large ? LARGE : PAGE_SIZE;
        va += step;
        pa += step;
        size -= step;
    }
    return true;
}

void paging_unmap(uint64_t va, uint64_t size)
{
    for (; size; va += PAGE_SIZE, size -= PAGE_SIZE) {
        uint64_t *e = walk(va, 0, false);
        if (!e)
            continue;
        *(volatile uint64_t *)e = 0;
        invlpg((const volatile void *)(uintptr_t)va);
    }
}

uint64_t *paging_leaf(uint64_t va)
{
    return walk(va, 0, true);
}

volatile void *paging_map_mmio(uint64_t pa, uint64_t len)
{
    uint64_t offset = pa & ~PAGE_MASK;
    uint64_t size = align_up(offset + len, PAGE_SIZE);
    uint64_t va = mmio_next;
    if (!paging_map(va, pa - offset, size, PAGING_W | PAGING_UC))
        return NULL;
    mmio_next += size + PAGE_SIZE;
    return (volatile void *)(uintptr_t)(va + offset);
}

const void *paging_boot_view(uint64_t pa, uint64_t len)
{
    uint64_t offset = pa & ~PAGE_MASK;
    if (!len || len > GIB || pa + len < pa || pa + len > BIT(46))
        return NULL;
    uint64_t size = align_up(offset + len, PAGE_SIZE);
    uint64_t va = boot_next;
    if (boot_next + size > PAGING_BOOT + PAGING_REGION_SIZE || !paging_map(va, pa - offset, size, PAGING_R))
        return NULL;
    boot_next += size;
    return (const void *)(uintptr_t)(va + offset);
}

void paging_boot_views_end(void)
{
    paging_unmap(PAGING_BOOT, boot_next - PAGING_BOOT);
    boot_next = PAGING_BOOT;
}

uint64_t paging_stack_new(uint64_t size)
{
    uint64_t bottom = stack_next + PAGE_SIZE;
    for (uint64_t va = bottom; va < bottom + size; va += PAGE_SIZE) {
        uint64_t pa = page_alloc();
        if (!pa || !paging_map(va, pa, PAGE_SIZE, PAGING_W))
            return 0;
    }
    stack_next = bottom + size;
    return stack_next;
}

bool paging_lookup(uint64_t va, uint64_t *pa, unsigned *flags)
{
    uint64_t *e = walk(va, 1, false);
    uint64_t size = LARGE;
    if (e && (*e & PTE_P) && !(*e & PTE_PS)) {
        e = walk(va, 0, false);
        size = PAGE_SIZE;
    }
    if (!e || !(*e & PTE_P))
        return false;
    *pa = (*e & PTE_ADDR) + (va & (size - 1));
    *flags = (unsigned)((*e & PTE_W ? PAGING_W : 0) | (*e & PTE_NX ? 0 : PAGING_X) |
                        (*e & PTE_PCD ? PAGING_UC : 0));
    return true;
}

static bool map_image(const uint8_t *start, const uint8_t *end, unsigned flags)
{
    uint64_t va = (uint64_t)(uintptr_t)start;
    uint64_t pa = va - ((uint64_t)(uintptr_t)image_start & ~(GIB - 1));
    return paging_map(va, pa, (uint64_t)(end - start), flags);
}

bool paging_init(uint64_t pool_pa, uint64_t pool_size, uint64_t (*alloc_page)(void))
{
    page_alloc = alloc_page;
    root_pa = page_alloc();
    if (!root_pa || !map_image(text_start, text_end, PAGING_X) ||
        !map_image(rodata_start, rodata_end, PAGING_R) || !map_image(data_start, data_end, PAGING_W) ||
        !paging_map(PAGING_POOL, pool_pa, pool_size, PAGING_W))
        return false;
    paging_load();
    linear = PAGING_POOL - pool_pa;
    return true;
}

void paging_load(void)
{
    struct cpuid_regs max = cpuid(0, 0);
    struct cpuid_regs leaf7 = max.eax >= 7 ? cpuid(7, 0) : (struct cpuid_regs){0};
    /* Off first: leaving PGE set would keep the boot tables' entries alive (they are not global,
     * but firmware's may be). */
    uint64_t cr4 = (read_cr4() & CR4_VMXE) | CR4_PAE | CR4_MCE | CR4_DE;
    write_cr4(cr4);
    write_cr3(root_pa);
    cr4 |= CR4_PGE;
    if (leaf7.ebx & BIT(7))
        cr4 |= CR4_SMEP;
    if (leaf7.ebx & BIT(20))
        cr4 |= CR4_SMAP;
    if (leaf7.ecx & BIT(2))
        cr4 |= CR4_UMIP;
    write_cr4(cr4);
    write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
}

uint64_t paging_cr3(void)
{
    return root_pa;
}
