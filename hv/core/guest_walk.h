/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walk of a guest's own page tables, SDM volume 3, chapter "Paging": none, 32-bit (with PSE and PSE-36), PAE,
 * 4-level. Pure: table entries are read through a callback. Used to fetch instruction bytes and the operands
 * of string instructions for emulation; it sets no accessed or dirty flags (the access that exited has set
 * them, or will fault again). Accesses are explicit ones of the instruction, not implicit supervisor accesses
 * such as descriptor loads.
 *
 * Not looked at: whether a 64-bit linear address is canonical (a violation is #GP or #SS, not #PF, and the
 * caller's to raise), 5-level paging (no guest has it), shadow stacks, supervisor protection keys.
 */
#ifndef HV_CORE_GUEST_WALK_H
#define HV_CORE_GUEST_WALK_H

#include "arch/cpu/bits.h"

struct guest_walk {
    uint64_t cr0, cr3, cr4, efer;
    uint64_t rflags;       /* AC, for SMAP */
    bool user;             /* CPL 3 */
    const uint64_t *pdpte; /* PAE: the four PDPTEs that the processor holds (VMCS) */
    uint32_t pkru;         /* with CR4.PKE */
    uint8_t phys_bits;     /* the processor's MAXPHYADDR, 32 to 52, for reserved bits; 0 means 52 */
    bool no_page_1g;       /* the processor lacks 1 GiB pages */
    /* Reads `len` (4 or 8) bytes at a guest-physical address; false: not memory. Never crosses a page. */
    bool (*read)(void *ctx, uint64_t gpa, void *out, unsigned len);
    void *ctx;
};

enum guest_access { GUEST_READ, GUEST_WRITE, GUEST_FETCH };

/* Bits of the error code of #PF, SDM volume 3, "Page-Fault Exceptions". */
#define PF_P    BIT(0)
#define PF_W    BIT(1)
#define PF_U    BIT(2)
#define PF_RSVD BIT(3)
#define PF_I    BIT(4)
#define PF_PK   BIT(5)

struct guest_walk_result {
    bool ok;
    bool unreadable;     /* a table is not in memory: neither a translation nor an architectural fault */
    uint64_t gpa;        /* when ok */
    uint32_t error_code; /* of the #PF when neither ok nor unreadable */
};

/* Outside of 64-bit mode the upper half of `linear` is ignored. */
struct guest_walk_result guest_walk(const struct guest_walk *w, uint64_t linear, enum guest_access access);

#endif
