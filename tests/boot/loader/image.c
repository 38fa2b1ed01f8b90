/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image: the first module is Signalbox's ELF: its segments go to their physical addresses, its PVH
 * note (type 18, "Xen") says where to enter. First all modules are copied to the arena, because our
 * own loader may have put them where the segments go. System V ABI, chapters 4 and 5.
 */
#include "tests/boot/loader/loader.h"

#define PT_LOAD                  1
#define PT_NOTE                  4
#define LOADER_START             0x1000000 /* loader.ld; the arena is above it */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

struct elf64_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf64_header) == 64, "Elf64_Ehdr");

struct elf64_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf64_segment) == 56, "Elf64_Phdr");

extern const uint8_t loader_end[];

uint32_t image_arena_start(const struct multiboot_info *info)
{
    uint32_t start = PA(loader_end);
    const struct multiboot_module *module = PTR(info->mods_addr);
    if (!(info->flags & MULTIBOOT_INFO_MODS) || !info->mods_count)
        fail("the first module must be Signalbox");
    for (uint32_t i = 0; i < info->mods_count; i++)
        if (module[i].mod_end > start)
            start = module[i].mod_end;
    return (start + PAGE - 1) & ~(uint32_t)(PAGE - 1);
}

static void load_segment(struct handover *out, const uint8_t *elf, const struct elf64_segment *s)
{
    uint32_t start = (uint32_t)s->paddr, end = start + (uint32_t)s->memsz;
    if (s->paddr + s->memsz > LOADER_START || s->filesz > s->memsz)
        fail("a segment of Signalbox does not fit below the loader");
    memcpy(PTR(start), elf + (uint32_t)s->offset, (uint32_t)s->filesz);
    memset((uint8_t *)PTR(start) + (uint32_t)s->filesz, 0, (uint32_t)(s->memsz - s->filesz));
    if (!out->image_start || start < out->image_start)
        out->image_start = start;
    if (end > out->image_end)
        out->image_end = end;
}

static uint32_t pvh_entry(const uint8_t *note, const uint8_t *end)
{
    while (note + 12 <= end) {
        uint32_t word[3];
        memcpy(word, note, sizeof(word));
        const uint8_t *name = note + 12, *content = name + ((word[0] + 3) & ~3U);
        if (word[2] == XEN_ELFNOTE_PHYS32_ENTRY && word[0] == 4 && !memcmp(name, "Xen", 4))
            return *(const uint32_t *)(const void *)content;
        note = content + ((word[1] + 3) & ~3U);
    }
    return 0;
}

static void load_elf(struct handover *out, const uint8_t *elf)
{
    const struct elf64_header *header = (const void *)elf;
    const struct elf64_segment *segment = (const void *)(elf + (uint32_t)header->phoff);
    if (memcmp(header->ident, "\177ELF\2\1", 6) != 0 || header->phentsize != sizeof(*segment))
        fail("the first module is no 64-bit ELF");
    for (unsigned i = 0; i < header->phnum; i++) {
        if (segment[i].type == PT_LOAD)
            load_segment(out, elf, &segment[i]);
        const uint8_t *content = elf + (uint32_t)segment[i].offset;
        if (segment[i].type == PT_NOTE && !out->entry)
            out->entry = pvh_entry(content, content + (uint32_t)segment[i].filesz);
    }
    if (!out->entry)
        fail("the image has no PVH note");
}

void image_prepare(struct handover *out, const struct multiboot_info *info)
{
    const struct multiboot_module *module = PTR(info->mods_addr);
    const uint8_t *elf = NULL;
    for (uint32_t i = 0; i < info->mods_count && i < MODULES_MAX; i++) {
        uint32_t size = module[i].mod_end - module[i].mod_start;
        uint8_t *copy = arena(size);
        memcpy(copy, PTR(module[i].mod_start), size);
        if (i == 0)
            elf = copy;
        else
            out->module[out->module_count++] = (struct hvm_modlist_entry){
                .paddr = PA(copy), .size = size, .cmdline_paddr = module[i].string};
    }
    load_elf(out, elf);
}
