/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf: ELF files of 32 and 64 bits for x86, as loaders see them: segments and notes. Pure; every
 * offset is checked against the size of the file. System V ABI, chapter 4 "ELF Header", chapter 5
 * "Program Header" and "Note Section".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mgmt/builder/plan.h"

struct elf_segment {
    uint32_t type;
    uint64_t offset, vaddr, paddr, filesz, memsz;
};

#define ELF_PT_LOAD 1U
#define ELF_PT_NOTE 4U

struct elf_file {
    const struct plan_bytes *bytes;
    bool wide; /* 64 bits */
    uint64_t entry;
    uint64_t table; /* program headers */
    uint32_t count;
    uint32_t step;
};

/* The first bytes say that it is an ELF file, broken or not. */
bool elf_is(const struct plan_bytes *bytes);

/* False, and the plan fails, when the file cannot be used; else its header is read and all program
 * headers are known to lie in the file. */
bool elf_open(struct elf_file *file, const struct plan_bytes *bytes, struct plan *plan);

struct elf_segment elf_segment(const struct elf_file *file, uint32_t index);

/* Adds every loadable segment at its physical address. At least one must be there. */
bool elf_load(const struct elf_file *file, struct plan *plan);

/* Entry point as a physical address: through the segment that holds it. */
uint64_t elf_entry(const struct elf_file *file);

/* The value of the first note with that owner and type; 4 or 8 bytes. False: there is none. */
bool elf_note(const struct elf_file *file, const char *owner, uint32_t type, uint64_t *value);
