/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader: a boot loader that lies. It starts Signalbox by its PVH entry with boot information, ACPI
 * tables and a processor state that no decent loader would hand over.
 *
 * main.c      the order of things, the directives of the command line
 * image.c     modules out of the way, Signalbox's segments to their places
 * acpi.c      copies of the firmware's tables with chosen faults
 * storm.c     other CPUs that send NMIs
 * Everything new lies in the arena, memory behind the loader and all modules; it is usable memory
 * in the map that Signalbox gets, as with any loader.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/multiboot.h"
#include "guest_abi/pvh.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PTR(pa)       ((void *)(uintptr_t)(pa))
#define PA(ptr)       ((uint32_t)(uintptr_t)(ptr))

enum { MMAP_MAX = 64, MODULES_MAX = 16, PAGE = 4096 };

/* What Signalbox will be told; main.c passes it to Signalbox as it is in the end. */
struct handover {
    struct hvm_start_info *info;
    struct hvm_memmap_table_entry mmap[MMAP_MAX];
    uint32_t mmap_count;
    struct hvm_modlist_entry module[MODULES_MAX];
    uint32_t module_count;
    uint32_t image_start, image_end; /* where Signalbox lies, bss included */
    uint32_t entry;                  /* its PVH entry */
};

/* main.c */
void *arena(uint32_t size);                            /* zeroed, page-aligned */
__attribute__((noreturn)) void fail(const char *what); /* a line on COM1, then the end */

/* text.c: strings and the serial port; no C library here. */
void put_prepare(void);
void put(const char *text);
bool same(const char *a, const char *b);
/* The rest of `word` behind `key`, or NULL when it does not begin so. */
const char *after(const char *word, const char *key);
uint64_t take_hex(const char **text); /* with or without 0x */
void expect_char(const char **text, char c);
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* image.c */
void image_prepare(struct handover *out, const struct multiboot_info *info);
uint32_t image_arena_start(const struct multiboot_info *info);

/* acpi.c: true when the word was one of its directives. */
void acpi_prepare(void);
bool acpi_directive(struct handover *out, const char *word);
uint32_t acpi_finish(void); /* sums up the tables; address of the RSDP, 0: none */

/* storm.c */
void storm_prepare(const char *parameters);
void storm_go(void);

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
