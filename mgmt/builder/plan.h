/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan: what a new domain's memory is to hold and how its first vCPU starts. Pure: made from the bytes of
 * boot modules, before any memory is taken or any hypercall made, so that a bad image costs nothing.
 *
 * ACPI tables, if any, come first (acpi.h). A loader (flat.c, multiboot.c, pvh.c, linux.c) adds pieces;
 * each must lie in the domain's RAM and clear of all others, else the plan fails with a sentence in `error`
 * and stays failed: loaders can add one thing after the other and look at the end. builder.c carries the
 * plan out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_abi/hv_abi.h"

#define PLAN_LOW_END  0xa0000ULL     /* RAM below the video memory */
#define PLAN_HIGH     0x100000ULL    /* RAM from here on */
#define PLAN_GAP      0xc0000000ULL  /* devices from here on */
#define PLAN_ABOVE_4G 0x100000000ULL /* the rest of the RAM */
#define PLAN_NOWHERE  UINT64_MAX

enum { PLAN_RAM_MAX = 3, PLAN_PIECES_MAX = 96, PLAN_ERROR_SIZE = 200, PLAN_MODULES_MAX = 16 };

/* Bytes of a boot module or of anything else that outlives the plan. */
struct plan_bytes {
    const uint8_t *data;
    uint64_t size;
    const char *name; /* for messages; for a module also its string */
};

struct plan_range {
    gpa_t start;
    gpa_t end; /* exclusive */
};

enum { PLAN_MAP_RAM = 1, PLAN_MAP_RESERVED = 2, PLAN_MAP_MAX = PLAN_RAM_MAX + 1 }; /* types as in E820 */

/* A line of the memory map that a guest is given. */
struct plan_map {
    struct plan_range range;
    uint32_t type;
};

struct plan_piece {
    gpa_t to;
    const uint8_t *from;
    uint64_t bytes;
    uint64_t room;    /* at least `bytes`; the rest is zero */
    const char *what; /* a literal, for messages */
};

enum plan_mode {
    PLAN_REAL16,  /* real mode, CS:IP from `entry` */
    PLAN_FLAT32,  /* protected mode, flat segments, paging off, as Multiboot and PVH ask for */
    PLAN_LINUX32, /* the entries of the Linux boot protocol: linux_state.c */
    PLAN_LINUX64,
};

struct plan {
    struct plan_range ram[PLAN_RAM_MAX]; /* sorted */
    uint32_t rams;
    struct plan_range firmware; /* memory of the domain that no loader may use; empty: none */
    gpa_t rsdp;                 /* 0: no ACPI tables */
    struct plan_piece piece[PLAN_PIECES_MAX];
    uint32_t pieces;
    void *made[PLAN_PIECES_MAX]; /* memory of the plan itself */
    uint32_t makes;
    enum plan_mode mode;
    uint32_t entry;
    uint32_t eax, ebx, esi;
    gpa_t gdt, cr3; /* Linux entries */
    bool failed;
    char error[PLAN_ERROR_SIZE]; /* without a final dot */
};

/* What every loader gets. */
struct plan_input {
    struct plan_bytes kernel;
    const char *cmdline; /* never NULL */
    struct plan_bytes module[PLAN_MODULES_MAX];
    uint32_t modules;
    uint64_t load; /* flat images: address */
};

/* A plan for a domain with memory up to `memory` bytes: RAM from 0 to 640 KiB, from 1 MiB to
 * `memory` or 3 GiB, the rest from 4 GiB on. `memory`: whole pages. */
void plan_init(struct plan *plan, uint64_t memory);
void plan_free(struct plan *plan);

/* All false after the first failure. */
__attribute__((format(printf, 2, 3))) bool plan_fail(struct plan *plan, const char *format, ...);
bool plan_add(struct plan *plan, gpa_t to, const uint8_t *from, uint64_t bytes, uint64_t room,
              const char *what);

/* The lowest free place at or above `lowest` that ends at or below `highest`, or PLAN_NOWHERE. */
gpa_t plan_find(const struct plan *plan, uint64_t bytes, uint64_t align, gpa_t lowest, gpa_t highest);

/* `bytes` zeroed bytes that live as long as the plan, to become a piece. NULL: the plan failed. */
void *plan_make(struct plan *plan, uint64_t bytes);

/* The memory map in ascending order; its length. */
uint32_t plan_memory_map(const struct plan *plan, struct plan_map map[PLAN_MAP_MAX]);

/* True when all of the range is RAM. */
bool plan_is_ram(const struct plan *plan, gpa_t start, uint64_t bytes);

/* The loaders, each in its file. They leave plan->failed as their answer. */
void plan_flat16(struct plan *plan, const struct plan_input *input);
void plan_flat32(struct plan *plan, const struct plan_input *input);
void plan_multiboot(struct plan *plan, const struct plan_input *input);
void plan_pvh(struct plan *plan, const struct plan_input *input);
void plan_linux(struct plan *plan, const struct plan_input *input);   /* 64-bit entry if any */
void plan_linux32(struct plan *plan, const struct plan_input *input); /* the 32-bit entry */

/* Do the bytes ask for that loader? */
bool plan_is_multiboot(const struct plan_bytes *kernel);
bool plan_is_pvh(const struct plan_bytes *kernel);
bool plan_is_linux(const struct plan_bytes *kernel);

/* Adds start info, memory map, command line and modules as PVH has them; EBX is set. */
void plan_add_start_info(struct plan *plan, const struct plan_input *input);
