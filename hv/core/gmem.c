/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows and pins onto guest memory.
 *
 * Window: each CPU has GMEM_COPY_PAGES adjoining page slots, so that a copy translates all its pages first
 * and is then one memcpy. The slots are empty between copies. An empty entry is in no TLB (SDM volume 3,
 * "Details of TLB Use"), so opening needs a store and a fence, closing a store and INVLPG.
 *
 * Pins: PIN_SLOTS page slots behind the windows, the same for all CPUs. A slot that was unpinned may still be
 * in some TLB:
 *
 *   free -> pinned -> stale -> flushing -> free
 *
 * Stale slots are left alone until no free one remains; then one round makes every CPU flush its TLB, and
 * frees all of them that were stale when the round began. pin_lock guards the states and the making of page
 * tables; it is not held while other CPUs are waited for.
 */
#include "hv/core/gmem.h"

#include <string.h>

#include "arch/cpu/atomic.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/paging.h"
#include "arch/cpu/smp.h"
#include "hv/core/config.h"
#include "hv/core/domain.h"
#include "hv/core/frame.h"
#include "hv/core/pcpu.h"

#define PIN_BASE  (PAGING_WINDOW + GIB)
#define PIN_SLOTS 4096U
#define PINS_MAX  0xffffU /* of one frame */
#define NO_FRAME  UINT64_MAX
#define LEAF_ADDR MASK(51, 12)

enum slot_state { SLOT_FREE, SLOT_PINNED, SLOT_STALE, SLOT_FLUSHING };

static uint64_t *window[CONFIG_MAX_CPUS]; /* page-table entries of the slots; constant after start */

static struct spinlock pin_lock;
static uint8_t pin_state[PIN_SLOTS]; /* enum slot_state; under pin_lock, and the next two */
static uint32_t pin_next;            /* where the search for a free slot goes on */
static bool pin_round;               /* a round of flushes is under way */

/* ---- windows ---- */

static uint64_t window_va(uint32_t cpu)
{
    return PAGING_WINDOW + cpu * GMEM_COPY_PAGES * PAGE_SIZE;
}

static uint64_t pin_va(uint32_t slot)
{
    return PIN_BASE + slot * PAGE_SIZE;
}

bool gmem_init_cpu(void)
{
    uint32_t cpu = percpu_self()->index;
    spin_lock(&pin_lock);
    /* 16 slots never cross the 2 MiB of one page table: their entries adjoin. */
    window[cpu] = paging_leaf(window_va(cpu));
    bool ok = window[cpu] != NULL;
    /* The tables of the pins are made now, once, so that pinning costs no page and cannot want one. */
    for (uint32_t slot = 0; slot < PIN_SLOTS && ok; slot += PAGE_SIZE / sizeof(uint64_t))
        ok = paging_leaf(pin_va(slot)) != NULL;
    spin_unlock(&pin_lock);
    return ok;
}

static void *window_open(const uint64_t *pa, uint64_t pages)
{
    uint32_t cpu = percpu_self()->index;
    for (uint64_t i = 0; i < pages; i++)
        atomic_store_relaxed(&window[cpu][i], pa[i] | PAGING_LEAF_RW);
    atomic_fence_full(); /* the entries before the first access through them */
    return (void *)(uintptr_t)window_va(cpu);
}

static void window_close(uint64_t pages)
{
    uint32_t cpu = percpu_self()->index;
    for (uint64_t i = 0; i < pages; i++) {
        atomic_store_release(&window[cpu][i], 0);
        invlpg((const volatile void *)(uintptr_t)(window_va(cpu) + i * PAGE_SIZE));
    }
}

/* The frame's address behind gpa if it is memory with that access; NO_FRAME otherwise. */
static uint64_t memory_at(const struct domain *d, gpa_t gpa, uint64_t access)
{
    struct ept_leaf leaf = ept_lookup(&d->ept, gpa);
    if ((leaf.access & access) != access)
        return NO_FRAME;
    uint64_t pa = leaf.pa + align_down(gpa - leaf.gpa, PAGE_SIZE);
    const struct frame *f = frame_at(pa);
    return f && atomic_load_relaxed(&f->owner) < FRAME_HV ? pa : NO_FRAME;
}

/*
 * Opens the window onto [gpa, gpa + len), len > 0. Sets *va to where gpa is and *pages to what must be
 * closed.
 */
static int open_guest(const struct domain *d, gpa_t gpa, uint64_t len, uint64_t access, void **va,
                      uint64_t *pages)
{
    uint64_t pa[GMEM_COPY_PAGES], offset = gpa & ~PAGE_MASK;
    if (len > GMEM_COPY_PAGES * PAGE_SIZE - offset)
        return -HV_E2BIG;
    *pages = align_up(offset + len, PAGE_SIZE) / PAGE_SIZE;
    for (uint64_t i = 0; i < *pages; i++) {
        pa[i] = memory_at(d, gpa + i * PAGE_SIZE, access);
        if (pa[i] == NO_FRAME)
            return -HV_EFAULT;
    }
    *va = (uint8_t *)window_open(pa, *pages) + offset;
    return 0;
}

/* Entries of page tables and bytes of instructions: the library's function is for more. */
static void copy(void *to, const void *from, uint64_t len)
{
    if (len > 16)
        memcpy(to, from, len);
    else
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len)::"memory");
}

int gmem_read(struct domain *d, gpa_t gpa, void *out, uint64_t len)
{
    void *va;
    uint64_t pages;
    int error = len ? open_guest(d, gpa, len, EPT_R, &va, &pages) : 0;
    if (error || !len)
        return error;
    copy(out, va, len);
    window_close(pages);
    return 0;
}

int gmem_write(struct domain *d, gpa_t gpa, const void *in, uint64_t len)
{
    void *va;
    uint64_t pages;
    int error = len ? open_guest(d, gpa, len, EPT_R | EPT_W, &va, &pages) : 0;
    if (error || !len)
        return error;
    copy(va, in, len);
    window_close(pages);
    return 0;
}

void gmem_scrub(uint64_t pa, uint64_t pages)
{
    uint64_t batch[GMEM_COPY_PAGES];
    while (pages) {
        uint64_t n = pages < GMEM_COPY_PAGES ? pages : GMEM_COPY_PAGES;
        for (uint64_t i = 0; i < n; i++)
            batch[i] = pa + i * PAGE_SIZE;
        memset(window_open(batch, n), 0, n * PAGE_SIZE);
        window_close(n);
        pa += n * PAGE_SIZE;
        pages -= n;
    }
}

/* ---- pins ---- */

/* Leaving and setting PGE drops all TLB entries, global ones too. */
static void flush_here(void *arg)
{
    (void)arg;
    uint64_t cr4 = read_cr4();
    write_cr4(cr4 & ~CR4_PGE);
    write_cr4(cr4);
}

/* With pin_lock held: all slots of one state go to another. False: there was none. */
static bool slots_move(enum slot_state from, enum slot_state to)
{
    bool any = false;
    for (uint32_t i = 0; i < PIN_SLOTS; i++) {
        if (pin_state[i] != from)
            continue;
        pin_state[i] = (uint8_t)to;
        any = true;
    }
    return any;
}

/* With pin_lock held. PIN_SLOTS: none is free. */
static uint32_t slot_find(void)
{
    for (uint32_t i = 0; i < PIN_SLOTS; i++) {
        uint32_t slot = (pin_next + i) % PIN_SLOTS;
        if (pin_state[slot] == SLOT_FREE) {
            pin_next = slot + 1;
            pin_state[slot] = SLOT_PINNED;
            return slot;
        }
    }
    return PIN_SLOTS;
}

static void slot_set(uint32_t slot, enum slot_state state)
{
    spin_lock(&pin_lock);
    pin_state[slot] = (uint8_t)state;
    spin_unlock(&pin_lock);
}

static void flush_round(void)
{
    for (uint32_t i = 0; i < pcpu_count; i++)
        smp_call(&pcpu_table[i]->arch, flush_here, NULL);
    spin_lock(&pin_lock);
    slots_move(SLOT_FLUSHING, SLOT_FREE);
    pin_round = false;
    spin_unlock(&pin_lock);
}

/*
 * A free slot, now pinned, and its page-table entry in *leaf (NULL: no page for the table); PIN_SLOTS: all
 * are in use.
 */
static uint32_t slot_take(uint64_t **leaf)
{
    for (;;) {
        spin_lock(&pin_lock);
        uint32_t slot = slot_find();
        if (slot < PIN_SLOTS)
            *leaf = paging_leaf(pin_va(slot));
        bool others_round = pin_round;
        bool ours = slot == PIN_SLOTS && !pin_round && slots_move(SLOT_STALE, SLOT_FLUSHING);
        pin_round |= ours;
        spin_unlock(&pin_lock);
        if (slot < PIN_SLOTS || (!ours && !others_round))
            return slot;
        if (ours)
            flush_round();
        else
            smp_run_calls(); /* the other one's round waits for us */
    }
}

static int frame_hold(const struct domain *d, gpa_t gpa, uint64_t *pa)
{
    int error = 0;
    spin_lock(&frame_lock);
    *pa = memory_at(d, gpa, EPT_R | EPT_W);
    struct frame *f = *pa == NO_FRAME ? NULL : frame_at(*pa);
    if (!f || f->owner != d->id)
        error = -HV_EFAULT;
    else if (f->pins == PINS_MAX)
        error = -HV_EBUSY;
    else
        f->pins++;
    spin_unlock(&frame_lock);
    return error;
}

int gmem_pin(struct domain *d, gpa_t gpa, void **va)
{
    uint64_t *leaf = NULL, pa;
    if (gpa & ~PAGE_MASK)
        return -HV_EINVAL;
    uint32_t slot = slot_take(&leaf);
    if (slot == PIN_SLOTS)
        return -HV_ENOMEM;
    int error = leaf ? frame_hold(d, gpa, &pa) : -HV_ENOMEM;
    if (error) {
        slot_set(slot, SLOT_FREE); /* nothing was mapped there: in no TLB */
        return error;
    }
    atomic_store_relaxed(leaf, pa | PAGING_LEAF_RW);
    atomic_fence_full();
    *va = (void *)(uintptr_t)pin_va(slot);
    return 0;
}

void gmem_unpin(void *va)
{
    uint32_t slot = (uint32_t)(((uint64_t)(uintptr_t)va - PIN_BASE) / PAGE_SIZE);
    uint64_t *leaf = paging_leaf(pin_va(slot));
    struct frame *f = frame_at(*leaf & LEAF_ADDR);
    atomic_store_release(leaf, 0);
    invlpg(va);
    spin_lock(&frame_lock);
    f->pins--;
    spin_unlock(&frame_lock);
    slot_set(slot, SLOT_STALE);
}
