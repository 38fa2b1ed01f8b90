/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux: kernels with the header of the Linux boot protocol, version 2.06 or later, loaded high
 * (bzImage; memtest86+ has one as well). Documentation/arch/x86/boot.rst, "The Real-Mode Kernel
 * Header", and zero-page.rst. The real-mode code of the file is left out: the kernel is entered at
 * its 32-bit entry, or at the 64-bit one where the header offers it (xloadflags bit 0).
 *
 * The kernel goes to the address it prefers, or, when it is relocatable, to the lowest one from there
 * on. The initial RAM disk, all modules behind each other, goes as high as the
 * kernel can reach; everything else is below 640 KiB.
 */
#include "mgmt/builder/linux.h"

#include <string.h>

#define PAGE          0x1000ULL
#define LOAD_HIGH     0x100000ULL
#define LARGE_PAGE    0x200000ULL
#define LOWEST        0x1000ULL
#define ENTRY64       0x200U      /* from the start of the protected-mode code */
#define HEADER_MAGIC  0x53726448U /* "HdrS" */
#define PTE_TABLE     0x3ULL      /* present, writable */
#define PTE_LARGE     0x83ULL     /* a page of 2 MiB as well */
#define GDT_CODE32    0x00cf9b000000ffffULL
#define GDT_CODE64    0x00af9b000000ffffULL
#define GDT_DATA      0x00cf93000000ffffULL
#define VERSION(m, n) ((m) << 8 | (n))

/* Offsets in the file and in the boot parameters alike. */
enum {
    AT_SETUP_SECTS = 0x1f1,
    AT_SYSSIZE = 0x1f4,
    AT_BOOT_FLAG = 0x1fe,
    AT_JUMP = 0x200,
    AT_HEADER = 0x202,
    AT_VERSION = 0x206,
    AT_TYPE_OF_LOADER = 0x210,
    AT_LOADFLAGS = 0x211,
    AT_CODE32_START = 0x214,
    AT_RAMDISK_IMAGE = 0x218,
    AT_RAMDISK_SIZE = 0x21c,
    AT_CMD_LINE_PTR = 0x228,
    AT_INITRD_ADDR_MAX = 0x22c,
    AT_KERNEL_ALIGNMENT = 0x230,
    AT_RELOCATABLE = 0x234,
    AT_XLOADFLAGS = 0x236,
    AT_CMDLINE_SIZE = 0x238,
    AT_SETUP_DATA = 0x250,
    AT_PREF_ADDRESS = 0x258,
    AT_INIT_SIZE = 0x260,
    HEADER_206_END = 0x23c,
    HEADER_210_END = 0x264,
    HEADER_MAX_END = 0x290, /* of the room in the boot parameters */
};

/* Offsets in the boot parameters only. */
enum {
    AT_ACPI_RSDP_ADDR = 0x70,
    AT_E820_ENTRIES = 0x1e8,
    AT_E820_TABLE = 0x2d0,
    E820_ENTRY = 20,
    PARAMS_SIZE = 4096,
};

enum {
    SECTOR = 512,
    SETUP_SECTS_DEFAULT = 4,
    BOOT_FLAG = 0xaa55,
    LOADED_HIGH = 1 << 0,
    XLF_KERNEL_64 = 1 << 0,
    LOADER_UNDEFINED = 0xff, /* no assigned number */
    TABLES = 6,              /* PML4, PDPT and a page directory for each of 4 GiB */
};

struct kernel {
    uint32_t version;
    uint64_t setup;  /* bytes of the file before the protected-mode code */
    uint64_t header; /* end of the header in the file */
    uint64_t room;   /* memory that it needs from its address on */
    uint64_t align;
    uint64_t preferred;
    bool relocatable;
    gpa_t at; /* where it goes */
};

static uint64_t get(const struct plan_bytes *bytes, uint64_t at, uint32_t width)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < width; i++)
        value |= (uint64_t)bytes->data[at + i] << 8 * i;
    return value;
}

static void put(uint8_t *to, uint64_t value, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

bool plan_is_linux(const struct plan_bytes *kernel)
{
    return kernel->size >= HEADER_206_END && get(kernel, AT_HEADER, 4) == HEADER_MAGIC &&
           get(kernel, AT_BOOT_FLAG, 2) == BOOT_FLAG;
}

/* The header says where it ends: the jump at 0x200 leaps over it. */
static bool check_header(struct plan *plan, const struct plan_input *input, struct kernel *kernel)
{
    const struct plan_bytes *file = &input->kernel;
    if (!plan_is_linux(file))
        return plan_fail(
            plan, "%s has no header of the Linux boot protocol: use another type=", input->kernel.name);
    kernel->version = (uint32_t)get(file, AT_VERSION, 2);
    if (kernel->version < VERSION(2, 6))
        return plan_fail(plan, "%s is for Linux boot protocol %u.%02u; 2.06 is the oldest served",
                         input->kernel.name, kernel->version >> 8, kernel->version & 0xff);
    if ((get(file, AT_LOADFLAGS, 1) & LOADED_HIGH) == 0)
        return plan_fail(plan, "%s is a zImage, which loads below 1 MiB; use a bzImage", input->kernel.name);
    kernel->header = AT_HEADER + get(file, AT_JUMP + 1, 1);
    if (kernel->header > HEADER_MAX_END)
        kernel->header = HEADER_MAX_END;
    uint64_t least = kernel->version >= VERSION(2, 10) ? HEADER_210_END : HEADER_206_END;
    if (kernel->header < least)
        return plan_fail(plan, "%s: its header ends at %#llx, too early for protocol %u.%02u",
                         input->kernel.name, (unsigned long long)kernel->header, kernel->version >> 8,
                         kernel->version & 0xff);
    if (strlen(input->cmdline) > get(file, AT_CMDLINE_SIZE, 4))
        return plan_fail(plan, "cmdline: %s takes at most %llu characters", input->kernel.name,
                         (unsigned long long)get(file, AT_CMDLINE_SIZE, 4));
    return true;
}

static bool check_sizes(struct plan *plan, const struct plan_input *input, struct kernel *kernel)
{
    const struct plan_bytes *file = &input->kernel;
    uint64_t sectors = get(file, AT_SETUP_SECTS, 1);
    kernel->setup = (1 + (sectors ? sectors : SETUP_SECTS_DEFAULT)) * SECTOR;
    if (file->size <= kernel->setup || kernel->header > kernel->setup)
        return plan_fail(plan, "%s is cut off in its setup code", input->kernel.name);
    /* In paragraphs, the last of which need not be whole. */
    uint64_t code = get(file, AT_SYSSIZE, 4) * 16, have = file->size - kernel->setup;
    if (code >= have + 16)
        return plan_fail(plan, "%s is cut off: %llu of %llu bytes of its code are there", input->kernel.name,
                         (unsigned long long)have, (unsigned long long)code);
    kernel->room = have;
    kernel->align = PAGE;
    kernel->preferred = LOAD_HIGH;
    kernel->relocatable = get(file, AT_RELOCATABLE, 1) != 0;
    if (kernel->relocatable)
        kernel->align = get(file, AT_KERNEL_ALIGNMENT, 4);
    if (kernel->align == 0 || (kernel->align & (kernel->align - 1)) != 0)
        return plan_fail(plan, "%s: kernel_alignment %#llx is not a power of two", input->kernel.name,
                         (unsigned long long)kernel->align);
    if (kernel->version < VERSION(2, 10))
        return true;
    kernel->preferred = get(file, AT_PREF_ADDRESS, 8);
    if (get(file, AT_INIT_SIZE, 4) > kernel->room)
        kernel->room = get(file, AT_INIT_SIZE, 4);
    return true;
}

/* A relocatable kernel that is put below the address it prefers may move itself up there (Linux
 * does), so only what is above will do. */
static gpa_t place_kernel(const struct plan *plan, const struct kernel *kernel)
{
    gpa_t lowest = kernel->preferred > LOAD_HIGH ? kernel->preferred : LOAD_HIGH;
    if (!kernel->relocatable)
        return kernel->preferred;
    return plan_find(plan, kernel->room, kernel->align, lowest, PLAN_ABOVE_4G);
}

static void add_kernel(struct plan *plan, const struct plan_input *input, struct kernel *kernel, bool wide)
{
    gpa_t at = kernel->at = place_kernel(plan, kernel);
    uint64_t bytes = input->kernel.size - kernel->setup;
    if (at == PLAN_NOWHERE)
        plan_fail(plan, "no room for %s, %llu KiB at or above %#llx: raise memory=", input->kernel.name,
                  (unsigned long long)kernel->room / 1024, (unsigned long long)kernel->preferred);
    else if (at >= PLAN_ABOVE_4G)
        plan_fail(plan, "%s wants to be at %#llx, above 4 GiB", input->kernel.name, (unsigned long long)at);
    else if (wide && bytes <= ENTRY64)
        plan_fail(plan, "%s is cut off before its 64-bit entry", input->kernel.name);
    plan_add(plan, at, input->kernel.data + kernel->setup, bytes, kernel->room, "the kernel");
    plan->entry = (uint32_t)at + (wide ? ENTRY64 : 0);
}

/* A place in low memory for what the kernel reads first. */
static gpa_t add_low(struct plan *plan, const void *bytes, uint64_t size, const char *what)
{
    gpa_t at = plan_find(plan, size, PAGE, LOWEST, PLAN_LOW_END);
    if (at == PLAN_NOWHERE)
        plan_fail(plan, "no room for %s below 640 KiB: raise memory=", what);
    plan_add(plan, at, bytes, size, size, what);
    return at;
}

static const struct plan_piece *overlapped(const struct plan *plan, gpa_t start, uint64_t bytes)
{
    for (uint32_t i = 0; i < plan->pieces; i++) {
        const struct plan_piece *piece = &plan->piece[i];
        if (start < piece->to + piece->room && piece->to < start + bytes)
            return piece;
    }
    return NULL;
}

/* The highest whole page from which `bytes` fit and end at or below `end`. Each round goes below a
 * piece, so it is finite. */
static gpa_t find_highest(const struct plan *plan, uint64_t bytes, gpa_t end)
{
    while (bytes <= end && end - bytes >= LOAD_HIGH) {
        gpa_t at = (end - bytes) & ~(PAGE - 1);
        const struct plan_piece *piece = overlapped(plan, at, bytes);
        if (!piece)
            return plan_is_ram(plan, at, bytes) ? at : PLAN_NOWHERE;
        end = piece->to;
    }
    return PLAN_NOWHERE;
}

static void add_initrd(struct plan *plan, const struct plan_input *input, uint8_t *params)
{
    uint64_t size = 0, limit = get(&input->kernel, AT_INITRD_ADDR_MAX, 4) + 1;
    for (uint32_t i = 0; i < input->modules; i++)
        size += (input->module[i].size + 3) & ~3ULL;
    if (size == 0)
        return;
    gpa_t end = plan->rams > 1 && plan->ram[1].end < limit ? plan->ram[1].end : limit;
    gpa_t at = find_highest(plan, size, end);
    if (at == PLAN_NOWHERE) {
        plan_fail(plan,
                  "no room for the initial RAM disk, %llu KiB that must end below %#llx: raise "
                  "memory=",
                  (unsigned long long)size / 1024, (unsigned long long)limit);
        return;
    }
    put(params + AT_RAMDISK_IMAGE, at, 4);
    put(params + AT_RAMDISK_SIZE, size, 4);
    for (uint32_t i = 0; i < input->modules; i++) {
        uint64_t bytes = input->module[i].size, room = (bytes + 3) & ~3ULL;
        plan_add(plan, at, input->module[i].data, bytes, room, "the initial RAM disk");
        at += room;
    }
}

static void add_memory_map(const struct plan *plan, uint8_t *params)
{
    struct plan_map map[PLAN_MAP_MAX];
    uint32_t lines = plan_memory_map(plan, map);
    params[AT_E820_ENTRIES] = (uint8_t)lines;
    for (uint32_t i = 0; i < lines; i++) {
        uint8_t *entry = params + AT_E820_TABLE + E820_ENTRY * i;
        put(entry, map[i].range.start, 8);
        put(entry + 8, map[i].range.end - map[i].range.start, 8);
        put(entry + 16, map[i].type, 4);
    }
}

static void add_params(struct plan *plan, const struct plan_input *input, const struct kernel *kernel)
{
    size_t length = strlen(input->cmdline) + 1;
    uint8_t *params = plan_make(plan, PARAMS_SIZE);
    if (!params)
        return;
    memcpy(params + AT_SETUP_SECTS, input->kernel.data + AT_SETUP_SECTS, kernel->header - AT_SETUP_SECTS);
    params[AT_TYPE_OF_LOADER] = LOADER_UNDEFINED;
    put(params + AT_CODE32_START, kernel->at, 4);
    put(params + AT_RAMDISK_IMAGE, 0, 8); /* and its size */
    if (kernel->header >= AT_SETUP_DATA + 8)
        put(params + AT_SETUP_DATA, 0, 8);
    add_memory_map(plan, params);
    put(params + AT_ACPI_RSDP_ADDR, plan->rsdp, 8);
    plan->esi = (uint32_t)add_low(plan, params, PARAMS_SIZE, "the boot parameters");
    gpa_t text = add_low(plan, input->cmdline, length, "the command line");
    put(params + AT_CMD_LINE_PTR, text, 4);
    add_initrd(plan, input, params);
}

static void add_gdt(struct plan *plan, bool wide)
{
    uint8_t *gdt = plan_make(plan, LINUX_GDT_ENTRIES * 8);
    if (!gdt)
        return;
    put(gdt + LINUX_BOOT_CS, wide ? GDT_CODE64 : GDT_CODE32, 8);
    put(gdt + LINUX_BOOT_DS, GDT_DATA, 8);
    plan->gdt = add_low(plan, gdt, LINUX_GDT_ENTRIES * 8, "the descriptor table");
}

/* The first 4 GiB, each byte at its own address, by pages of 2 MiB. */
static void add_page_tables(struct plan *plan)
{
    uint8_t *tables = plan_make(plan, TABLES * PAGE);
    if (!tables)
        return;
    plan->cr3 = add_low(plan, tables, TABLES * PAGE, "the page tables");
    gpa_t pdpt = plan->cr3 + PAGE, directory = pdpt + PAGE;
    put(tables, pdpt | PTE_TABLE, 8);
    for (uint64_t i = 0; i < TABLES - 2; i++)
        put(tables + PAGE + 8 * i, (directory + PAGE * i) | PTE_TABLE, 8);
    for (uint64_t i = 0; i < PLAN_ABOVE_4G / LARGE_PAGE; i++)
        put(tables + 2 * PAGE + 8 * i, i * LARGE_PAGE | PTE_LARGE, 8);
}

static void make(struct plan *plan, const struct plan_input *input, bool may_be_wide)
{
    struct kernel kernel = {.version = 0};
    if (!check_header(plan, input, &kernel) || !check_sizes(plan, input, &kernel))
        return;
    bool wide = may_be_wide && kernel.version >= VERSION(2, 12) &&
                (get(&input->kernel, AT_XLOADFLAGS, 2) & XLF_KERNEL_64) != 0;
    plan->mode = wide ? PLAN_LINUX64 : PLAN_LINUX32;
    add_kernel(plan, input, &kernel, wide);
    add_params(plan, input, &kernel);
    add_gdt(plan, wide);
    if (wide)
        add_page_tables(plan);
}

void plan_linux(struct plan *plan, const struct plan_input *input)
{
    make(plan, input, true);
}

void plan_linux32(struct plan *plan, const struct plan_input *input)
{
    make(plan, input, false);
}
