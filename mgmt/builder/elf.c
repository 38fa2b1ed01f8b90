/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf: see elf.h. Fields are read byte by byte at their offsets, because a module's bytes need not
 * be aligned and may end anywhere.
 */
#include "mgmt/builder/elf.h"

#include <string.h>

enum {
    EI_CLASS = 4,
    EI_DATA = 5,
    CLASS_32 = 1,
    CLASS_64 = 2,
    DATA_LITTLE = 1,
    ET_EXEC = 2,
    ET_DYN = 3,
    EM_386 = 3,
    EM_X86_64 = 62,
    HEADER_32 = 52,
    HEADER_64 = 64,
    PHDR_32 = 32,
    PHDR_64 = 56,
    NOTE_HEADER = 12,
};

static bool inside(const struct plan_bytes *bytes, uint64_t offset, uint64_t length)
{
    return offset <= bytes->size && length <= bytes->size - offset;
}

/* `width` bytes, little-endian; the caller has checked that they are there. */
static uint64_t get(const struct plan_bytes *bytes, uint64_t offset, uint32_t width)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < width; i++)
        value |= (uint64_t)bytes->data[offset + i] << 8 * i;
    return value;
}

bool elf_is(const struct plan_bytes *bytes)
{
    return bytes->size >= 4 && memcmp(bytes->data, "\177ELF", 4) == 0;
}

static bool check_ident(const struct plan_bytes *bytes, struct plan *plan)
{
    uint8_t class = bytes->data[EI_CLASS];
    uint64_t machine = get(bytes, 18, 2), type = get(bytes, 16, 2);
    if ((class != CLASS_32 && class != CLASS_64) || bytes->data[EI_DATA] != DATA_LITTLE)
        return plan_fail(plan, "%s is not a little-endian ELF file of 32 or 64 bits", bytes->name);
    if (machine != EM_386 && machine != EM_X86_64)
        return plan_fail(plan, "%s is for ELF machine %llu, not for x86", bytes->name,
                         (unsigned long long)machine);
    if (type != ET_EXEC && type != ET_DYN)
        return plan_fail(plan, "%s is an ELF file of type %llu, not an executable", bytes->name,
                         (unsigned long long)type);
    return true;
}

bool elf_open(struct elf_file *file, const struct plan_bytes *bytes, struct plan *plan)
{
    memset(file, 0, sizeof(*file));
    file->bytes = bytes;
    if (!elf_is(bytes))
        return plan_fail(plan, "%s is not an ELF file", bytes->name);
    if (!inside(bytes, 0, HEADER_32))
        return plan_fail(plan, "%s is cut off in its ELF header", bytes->name);
    if (!check_ident(bytes, plan))
        return false;
    file->wide = bytes->data[EI_CLASS] == CLASS_64;
    if (!inside(bytes, 0, file->wide ? HEADER_64 : HEADER_32))
        return plan_fail(plan, "%s is cut off in its ELF header", bytes->name);
    file->entry = get(bytes, 24, file->wide ? 8 : 4);
    file->table = get(bytes, file->wide ? 32 : 28, file->wide ? 8 : 4);
    file->step = (uint32_t)get(bytes, file->wide ? 54 : 42, 2);
    file->count = (uint32_t)get(bytes, file->wide ? 56 : 44, 2);
    if (file->count != 0 && file->step < (file->wide ? PHDR_64 : PHDR_32))
        return plan_fail(plan, "%s has program headers of %u bytes", bytes->name, file->step);
    if (!inside(bytes, file->table, (uint64_t)file->count * file->step))
        return plan_fail(plan, "%s is cut off in its program headers", bytes->name);
    return true;
}

struct elf_segment elf_segment(const struct elf_file *file, uint32_t index)
{
    const struct plan_bytes *bytes = file->bytes;
    uint64_t at = file->table + (uint64_t)index * file->step;
    struct elf_segment segment = {.type = (uint32_t)get(bytes, at, 4)};
    uint32_t width = file->wide ? 8 : 4;
    at += file->wide ? 8 : 4; /* in the 64-bit form the flags come second */
    segment.offset = get(bytes, at, width);
    segment.vaddr = get(bytes, at + width, width);
    segment.paddr = get(bytes, at + 2 * width, width);
    segment.filesz = get(bytes, at + 3 * width, width);
    segment.memsz = get(bytes, at + 4 * width, width);
    return segment;
}

bool elf_load(const struct elf_file *file, struct plan *plan)
{
    uint32_t loaded = 0;
    for (uint32_t i = 0; i < file->count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        if (segment.type != ELF_PT_LOAD || segment.memsz == 0)
            continue;
        if (!inside(file->bytes, segment.offset, segment.filesz))
            return plan_fail(plan, "%s is cut off: segment %u ends behind the file", file->bytes->name, i);
        if (!plan_add(plan, segment.paddr, file->bytes->data + segment.offset, segment.filesz, segment.memsz,
                      "an ELF segment"))
            return false;
        loaded++;
    }
    if (loaded == 0)
        return plan_fail(plan, "%s has no segment to load", file->bytes->name);
    return true;
}

uint64_t elf_entry(const struct elf_file *file)
{
    for (uint32_t i = 0; i < file->count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        if (segment.type == ELF_PT_LOAD && file->entry - segment.vaddr < segment.memsz)
            return file->entry - segment.vaddr + segment.paddr;
    }
    return file->entry;
}

static uint64_t round4(uint64_t value)
{
    return (value + 3) & ~3ULL;
}

/* Looks through one note segment. */
static bool note_in(const struct elf_file *file, uint64_t at, uint64_t end, const char *owner, uint32_t type,
                    uint64_t *value)
{
    const struct plan_bytes *bytes = file->bytes;
    uint64_t owner_size = strlen(owner) + 1;
    while (end - at >= NOTE_HEADER) {
        uint64_t namesz = get(bytes, at, 4), descsz = get(bytes, at + 4, 4);
        uint64_t name = at + NOTE_HEADER, desc = name + round4(namesz);
        if (desc > end || round4(descsz) > end - desc)
            return false;
        if (get(bytes, at + 8, 4) == type && namesz == owner_size &&
            memcmp(bytes->data + name, owner, owner_size) == 0 && (descsz == 4 || descsz == 8)) {
            *value = get(bytes, desc, (uint32_t)descsz);
            return true;
        }
        at = desc + round4(descsz);
    }
    return false;
}

bool elf_note(const struct elf_file *file, const char *owner, uint32_t type, uint64_t *value)
{
    for (uint32_t i = 0; i < file->count; i++) {
        struct elf_segment segment = elf_segment(file, i);
        if (segment.type == ELF_PT_NOTE && inside(file->bytes, segment.offset, segment.filesz) &&
            note_in(file, segment.offset, segment.offset + segment.filesz, owner, type, value))
            return true;
    }
    return false;
}
