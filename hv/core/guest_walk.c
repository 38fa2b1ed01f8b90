/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest page walk. SDM volume 3, "32-Bit Paging", "PAE Paging", "4-Level Paging and 5-Level Paging", "Access
 * Rights", "Protection Keys", "Page-Fault Exceptions".
 *
 * One loop for all modes: a mode is a number of levels and the size of an entry. Rights are gathered on the
 * way down (an access needs U/S and R/W in all entries, XD in none) and judged at the end, as the processor
 * does; a missing entry or a reserved bit ends the walk where it is met.
 */
#include "hv/core/guest_walk.h"

#include "arch/cpu/msr.h"

#define PTE_P  BIT(0)
#define PTE_W  BIT(1)
#define PTE_U  BIT(2)
#define PTE_PS BIT(7)
#define PTE_XD BIT(63)

#define ADDR_32    MASK(31, 12)
#define ADDR_64    MASK(51, 12)
#define KEY(entry) ((unsigned)field_get(entry, 62, 59))

enum walk_mode { MODE_NONE, MODE_32BIT, MODE_PAE, MODE_4LEVEL };

struct walk {
    const struct guest_walk *in;
    enum walk_mode mode;
    uint64_t linear;
    enum guest_access access;
    uint64_t rights; /* P, W and U of all entries so far, and XD of any */
};

static enum walk_mode walk_mode(const struct guest_walk *w)
{
    if (!(w->cr0 & CR0_PG))
        return MODE_NONE;
    if (w->efer & EFER_LMA)
        return MODE_4LEVEL;
    return w->cr4 & CR4_PAE ? MODE_PAE : MODE_32BIT;
}

static bool nxe(const struct walk *w)
{
    return w->mode != MODE_32BIT && (w->in->efer & EFER_NXE);
}

static struct guest_walk_result fault(const struct walk *w, uint64_t why)
{
    uint64_t code = why | (w->in->user ? PF_U : 0);
    if (w->access == GUEST_WRITE)
        code |= PF_W;
    if (w->access == GUEST_FETCH && ((w->in->cr4 & CR4_SMEP) || nxe(w)))
        code |= PF_I;
    return (struct guest_walk_result){.error_code = (uint32_t)code};
}

/* Does this entry map a page, at a level where it could also point to a table? */
static bool is_large(const struct walk *w, uint64_t entry, unsigned level)
{
    if (!level || !(entry & PTE_PS))
        return false;
    if (w->mode == MODE_32BIT)
        return w->in->cr4 & CR4_PSE;
    return level == 1 || (level == 2 && !w->in->no_page_1g);
}

/* Bits that must be 0 in a present entry. `shift`: of the page or of what the entry covers. */
static uint64_t reserved_bits(const struct walk *w, unsigned level, unsigned shift, bool large)
{
    unsigned phys_bits = w->in->phys_bits ? w->in->phys_bits : 52;
    if (w->mode == MODE_32BIT) {
        /* PSE-36: bits 20:13 are address bits 39:32, as far as the processor has them. */
        unsigned width = phys_bits < 40 ? phys_bits : 40;
        return large ? MASK(21, width - 19) : 0;
    }
    uint64_t bits = MASK(w->mode == MODE_PAE ? 62 : 51, phys_bits);
    if (!nxe(w))
        bits |= PTE_XD;
    if (large)
        bits |= MASK(shift - 1, 13);
    else if (level)
        bits |= PTE_PS; /* where it would be no reserved bit, it would be large */
    return bits;
}

/* Protection keys: for data at user-mode addresses, on top of the other rights. */
static bool key_forbids(const struct walk *w, uint64_t leaf)
{
    const struct guest_walk *in = w->in;
    if (w->mode != MODE_4LEVEL || !(in->cr4 & CR4_PKE) || w->access == GUEST_FETCH || !(w->rights & PTE_U))
        return false;
    unsigned key = in->pkru >> 2 * KEY(leaf) & 3; /* bit 0: no access, bit 1: no write */
    return (key & 1) || ((key & 2) && w->access == GUEST_WRITE && (in->user || (in->cr0 & CR0_WP)));
}

/* SDM volume 3, "Determination of Access Rights". */
static bool rights_allow(const struct walk *w)
{
    const struct guest_walk *in = w->in;
    bool user_page = w->rights & PTE_U;
    if (in->user && !user_page)
        return false;
    if (w->access == GUEST_FETCH) {
        if (!in->user && user_page && (in->cr4 & CR4_SMEP))
            return false;
        return !(w->rights & PTE_XD); /* without NXE a set XD was a reserved bit */
    }
    if (!in->user && user_page && (in->cr4 & CR4_SMAP) && !(in->rflags & RFLAGS_AC))
        return false;
    return w->access == GUEST_READ || (w->rights & PTE_W) || (!in->user && !(in->cr0 & CR0_WP));
}

static struct guest_walk_result judge(const struct walk *w, uint64_t leaf, unsigned shift)
{
    bool key = key_forbids(w, leaf);
    if (key || !rights_allow(w))
        return fault(w, PF_P | (key ? PF_PK : 0));
    uint64_t page = leaf & ADDR_64 & ~(BIT(shift) - 1);
    if (w->mode == MODE_32BIT) {
        page = leaf & ADDR_32 & ~(BIT(shift) - 1);
        if (shift > PAGE_SHIFT)
            page |= field_get(leaf, 20, 13) << 32;
    }
    return (struct guest_walk_result){.ok = true, .gpa = page | (w->linear & (BIT(shift) - 1))};
}

/* From the table at `table` down; `level` counts the levels below its own. */
static struct guest_walk_result descend(struct walk *w, uint64_t table, unsigned level)
{
    unsigned entry_size = w->mode == MODE_32BIT ? 4 : 8;
    unsigned index_bits = w->mode == MODE_32BIT ? 10 : 9;
    for (;; level--) {
        unsigned shift = PAGE_SHIFT + index_bits * level;
        uint64_t index = w->linear >> shift & (BIT(index_bits) - 1), entry = 0;
        if (!w->in->read(w->in->ctx, table + index * entry_size, &entry, entry_size))
            return (struct guest_walk_result){.unreadable = true};
        if (!(entry & PTE_P))
            return fault(w, 0);
        bool large = is_large(w, entry, level);
        if (entry & reserved_bits(w, level, shift, large))
            return fault(w, PF_P | PF_RSVD);
        w->rights = (w->rights & entry & (PTE_W | PTE_U)) | ((w->rights | entry) & PTE_XD);
        if (large || !level)
            return judge(w, entry, shift);
        table = entry & (w->mode == MODE_32BIT ? ADDR_32 : ADDR_64);
    }
}

struct guest_walk_result guest_walk(const struct guest_walk *in, uint64_t linear, enum guest_access access)
{
    struct walk w = {
        .in = in, .mode = walk_mode(in), .linear = linear, .access = access, .rights = PTE_W | PTE_U};
    if (w.mode == MODE_4LEVEL)
        return descend(&w, in->cr3 & ADDR_64, 3);
    w.linear &= MASK(31, 0);
    if (w.mode == MODE_32BIT)
        return descend(&w, in->cr3 & ADDR_32, 1);
    if (w.mode == MODE_NONE)
        return (struct guest_walk_result){.ok = true, .gpa = w.linear};
    /* PDPTEs carry no rights, and their reserved bits were checked when CR3 was loaded. */
    uint64_t pdpte = in->pdpte[w.linear >> 30];
    if (!(pdpte & PTE_P))
        return fault(&w, 0);
    return descend(&w, pdpte & ADDR_64, 1);
}
