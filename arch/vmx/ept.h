/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extended page tables, SDM volume 3, "The Extended Page Table Mechanism (EPT)": one tree per domain, with
 * leaves of 4 KiB, 2 MiB and 1 GiB. Knows table pages and nothing else: who owns a frame, and who must be
 * told of a change, is its caller's business. Pure: table pages come through struct ept_env, so host tests
 * run the same code.
 *
 * Writers hold the memory lock (hv/core/frame.h); the hardware and ept_lookup walk meanwhile, so an entry
 * changes by one store, and a table is complete before it is linked.
 *
 * A table that becomes empty stays where it is, so that what was unmapped can be mapped there again without
 * memory. Only a larger leaf that is mapped over it takes its place; then it is "retired": unlinked, but not
 * yet free, because the hardware may still be walking it.
 *
 * After ept_unmap the order is: leave the lock; let every CPU that may be walking execute INVEPT by a
 * cross-CPU call; take the lock; ept_reap. Only then may the unmapped frames be used again. "May be walking"
 * is a CPU that has run the domain, in guest mode or in ept_lookup on its behalf; calls run on a CPU only
 * outside of lookups, so each CPU has left the old state by then. Others call ept_lookup only where no unmap
 * can be under way.
 */
#ifndef ARCH_VMX_EPT_H
#define ARCH_VMX_EPT_H

#include "arch/cpu/bits.h"

#define EPT_R BIT(0)
#define EPT_W BIT(1)
#define EPT_X BIT(2)

enum ept_type { EPT_UC = 0, EPT_WC = 1, EPT_WT = 4, EPT_WP = 5, EPT_WB = 6 };

#define EPT_GPA_END                                                                                          \
    BIT(47) /* guest-physical addresses end here: 4 levels, kept one bit short so that sums cannot wrap */

struct ept_env {
    uint64_t (*page_alloc)(void *ctx); /* physical address of a zeroed page, 0: none */
    void (*page_free)(void *ctx, uint64_t pa);
    void *(*page_at)(void *ctx, uint64_t pa); /* the page, to read and write */
    void *ctx;
    bool large_1g; /* the processor has 1 GiB leaves */
};

/* All under the memory lock; root_pa is constant. */
struct ept {
    const struct ept_env *env;
    uint64_t root_pa;
    uint64_t table_pages; /* pages that the tree costs: linked tables, the root, and retired ones */
    uint64_t spare;       /* pages taken for the change in progress; empty between calls */
    uint64_t retired;     /* tables unlinked by ept_map, until ept_reap */
};

enum ept_status {
    EPT_OK,
    EPT_NO_MEMORY,
    EPT_EXISTS,
    EPT_INVALID, /* not page-aligned, empty, beyond EPT_GPA_END, or access or type without meaning */
};

/* An empty tree. */
enum ept_status ept_init(struct ept *e, const struct ept_env *env) __attribute__((warn_unused_result));

/*
 * Gives back all table pages, the root and retired ones included. Leaves are not looked at. No CPU may use
 * the tree any more.
 */
void ept_destroy(struct ept *e);

/* The EPT pointer for the VMCS: WB, walk length 4, no accessed and dirty flags. */
uint64_t ept_pointer(const struct ept *e);

/*
 * Maps [gpa, gpa + size) to [pa, pa + size), all page-aligned, with the largest leaves that fit both
 * addresses. The access has EPT_R: an entry that can be written but not read is a misconfiguration, and one
 * that can only be executed is on some processors. All or nothing: on EPT_NO_MEMORY, EPT_EXISTS (some page of
 * the range is mapped) and EPT_INVALID the tree is as before, and no table page is held for it. Mapping again
 * what one ept_unmap removed takes no memory.
 *
 * Needs no INVEPT, but where a leaf took the place of an empty table a CPU that remembers the table sees an
 * EPT violation once more: a violation that ept_lookup does not confirm is to be tried again (the violation
 * itself made the CPU forget).
 */
enum ept_status ept_map(struct ept *e, uint64_t gpa, uint64_t pa, uint64_t size, uint64_t access,
                        enum ept_type type) __attribute__((warn_unused_result));

/*
 * Removes [gpa, gpa + size); holes in it are fine. Splits larger leaves at the edges: EPT_NO_MEMORY when
 * table pages for that cannot be had, nothing changed.
 */
enum ept_status ept_unmap(struct ept *e, uint64_t gpa, uint64_t size) __attribute__((warn_unused_result));

/*
 * Gives back retired tables. Only when every CPU that may be walking has executed INVEPT since the last
 * ept_map, see above.
 */
void ept_reap(struct ept *e);

struct ept_leaf {
    uint64_t gpa, pa, size; /* of the whole leaf, or of the hole when not present (then pa is 0) */
    uint64_t access;        /* 0: not present */
    enum ept_type type;
};

/*
 * The leaf or hole that holds gpa. For a hole `size` reaches to the next boundary of the level where the walk
 * ended; there is nothing but holes from EPT_GPA_END on. Needs no lock, but the answer of a caller without
 * the lock holds only until this CPU runs cross-CPU calls.
 */
struct ept_leaf ept_lookup(const struct ept *e, uint64_t gpa);

#endif
