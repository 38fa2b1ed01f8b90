/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-up in the sorted symbol table of the image. The table is written after the first link and
 * takes its place in the second (tools/symbols.py has the layout); text addresses are the same in
 * both.
 */
#include "hv/core/symtab.h"

#include "arch/cpu/bits.h"

extern const uint32_t hv_symtab_count;
extern const uint32_t hv_symtab_offset[]; /* address minus image_start, ascending */
extern const uint32_t hv_symtab_name[];   /* index of the name in hv_symtab_names */
extern const char hv_symtab_names[];
extern const uint8_t image_start[], text_start[], text_end[], build_id_note[], build_id_note_end[];

const char *symtab_lookup(uint64_t address, uint64_t *offset)
{
    if (address < (uint64_t)(uintptr_t)text_start || address >= (uint64_t)(uintptr_t)text_end ||
        !hv_symtab_count)
        return NULL;
    uint64_t target = address - (uint64_t)(uintptr_t)image_start;
    uint32_t low = 0, high = hv_symtab_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (hv_symtab_offset[middle] <= target)
            low = middle;
        else
            high = middle;
    }
    if (hv_symtab_offset[low] > target)
        return NULL;
    *offset = target - hv_symtab_offset[low];
    return &hv_symtab_names[hv_symtab_name[low]];
}

const char *symtab_build_id(void)
{
    static char text[41];
    static const char hex[] = "0123456789abcdef";
    /* ELF note: name size, descriptor size, type, "GNU\0", descriptor. */
    const uint8_t *id = build_id_note + 16;
    for (unsigned i = 0; i < 20 && id + i < build_id_note_end; i++) {
        text[2 * i] = hex[id[i] >> 4];
        text[2 * i + 1] = hex[id[i] & 15];
    }
    return text;
}
