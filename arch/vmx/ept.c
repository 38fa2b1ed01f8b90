/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The EPT tree; see ept.h for the contract. SDM volume 3, "EPT Translation Mechanism", tables "Format of an
 * EPT PML4 Entry" and following.
 *
 * Each change counts first the table pages that it will need, exactly, and takes them onto the `spare` list;
 * after that it cannot fail.
 *
 * Pages on the `spare` and `retired` lists are chained through their first word by physical address. As an
 * entry that word is "not present" (bits 2:0 are 0, the others are then ignored), so the hardware can go on
 * walking a retired table, and finds nothing.
 */
#include "arch/vmx/ept.h"

#include "arch/cpu/atomic.h"

#define ENTRIES    512U
#define ROOT_LEVEL 3U /* level 0 holds entries of 4 KiB pages, 1 of 2 MiB, 2 of 1 GiB, 3 of 512 GiB */

#define ENTRY_ACCESS (EPT_R | EPT_W | EPT_X) /* present: not all of them 0 */
#define ENTRY_TYPE   MASK(5, 3)
#define ENTRY_LARGE  BIT(7)
#define ENTRY_ADDR   MASK(51, 12)
#define PA_END       BIT(52)

#define EPTP_WALK_4 (3UL << 3) /* walk length minus one */

static uint64_t level_size(unsigned level)
{
    return PAGE_SIZE << 9 * level;
}

static unsigned entry_index(uint64_t gpa, unsigned level)
{
    return (unsigned)(gpa >> (PAGE_SHIFT + 9 * level)) & (ENTRIES - 1);
}

static uint64_t *table_at(const struct ept *e, uint64_t entry)
{
    return e->env->page_at(e->env->ctx, entry & ENTRY_ADDR);
}

static bool is_present(uint64_t entry)
{
    return entry & ENTRY_ACCESS;
}

static bool is_table(uint64_t entry, unsigned level)
{
    return is_present(entry) && level > 0 && !(entry & ENTRY_LARGE);
}

static uint64_t make_leaf(uint64_t pa, unsigned level, uint64_t access, uint64_t type)
{
    return pa | access | type << 3 | (level ? ENTRY_LARGE : 0);
}

/* Release: the hardware, or a lookup, that sees the entry sees the table behind it complete. */
static void entry_store(uint64_t *entry, uint64_t value)
{
    atomic_store_release(entry, value);
}

/* ---- lists of table pages ---- */

static void list_push(const struct ept *e, uint64_t *list, uint64_t pa)
{
    entry_store(table_at(e, pa), *list);
    *list = pa;
}

static uint64_t list_pop(const struct ept *e, uint64_t *list)
{
    uint64_t pa = *list;
    uint64_t *page = table_at(e, pa);
    *list = *page;
    *page = 0;
    return pa;
}

static void page_give(struct ept *e, uint64_t pa)
{
    e->env->page_free(e->env->ctx, pa);
    e->table_pages--;
}

static void list_give(struct ept *e, uint64_t *list)
{
    while (*list)
        page_give(e, list_pop(e, list));
}

static bool spare_reserve(struct ept *e, uint64_t count)
{
    for (; count; count--) {
        uint64_t pa = e->env->page_alloc(e->env->ctx);
        if (!pa) {
            list_give(e, &e->spare);
            return false;
        }
        e->table_pages++;
        list_push(e, &e->spare, pa);
    }
    return true;
}

/* ---- the tree as a whole ---- */

enum ept_status ept_init(struct ept *e, const struct ept_env *env)
{
    *e = (struct ept){.env = env, .root_pa = env->page_alloc(env->ctx)};
    if (!e->root_pa)
        return EPT_NO_MEMORY;
    e->table_pages = 1;
    return EPT_OK;
}

static void destroy_table(struct ept *e, uint64_t pa, unsigned level)
{
    const uint64_t *table = table_at(e, pa);
    for (unsigned i = 0; i < ENTRIES; i++)
        if (is_table(table[i], level))
            destroy_table(e, table[i] & ENTRY_ADDR, level - 1);
    page_give(e, pa);
}

void ept_destroy(struct ept *e)
{
    list_give(e, &e->retired);
    destroy_table(e, e->root_pa, ROOT_LEVEL);
    e->root_pa = 0;
}

void ept_reap(struct ept *e)
{
    list_give(e, &e->retired);
}

uint64_t ept_pointer(const struct ept *e)
{
    return e->root_pa | EPTP_WALK_4 | EPT_WB;
}

struct ept_leaf ept_lookup(const struct ept *e, uint64_t gpa)
{
    uint64_t entry = e->root_pa | ENTRY_ACCESS;
    unsigned level = ROOT_LEVEL + 1;
    if (gpa >= EPT_GPA_END) {
        entry = 0;
        level = ROOT_LEVEL;
    }
    while (is_table(entry, level)) {
        level--;
        entry = atomic_load_acquire(&table_at(e, entry)[entry_index(gpa, level)]);
    }
    uint64_t size = level_size(level);
    struct ept_leaf leaf = {.gpa = align_down(gpa, size), .size = size};
    if (is_present(entry)) {
        leaf.pa = align_down(entry & ENTRY_ADDR, size);
        leaf.access = entry & ENTRY_ACCESS;
        leaf.type = (enum ept_type)((entry & ENTRY_TYPE) >> 3);
    }
    return leaf;
}

static bool range_valid(uint64_t gpa, uint64_t size)
{
    return size && !((gpa | size) & ~PAGE_MASK) && gpa < EPT_GPA_END && size <= EPT_GPA_END - gpa;
}

/* ---- mapping ---- */

/* Can leaves of this level translate a difference of gpa and pa as it is? */
static bool level_fits(const struct ept *e, uint64_t gpa, uint64_t pa, unsigned level)
{
    return (level == 1 || (level == 2 && e->env->large_1g)) && !((gpa ^ pa) & (level_size(level) - 1));
}

static unsigned leaf_level(const struct ept *e, uint64_t gpa, uint64_t pa, uint64_t left)
{
    unsigned level = 2;
    while (level &&
           (!level_fits(e, gpa, pa, level) || (gpa & (level_size(level) - 1)) || left < level_size(level)))
        level--;
    return level;
}

/*
 * Table pages that mapping an unmapped range takes: below each level's blocks that are cut, or that are whole
 * but no leaf.
 */
static uint64_t tables_to_map(const struct ept *e, uint64_t gpa, uint64_t pa, uint64_t size)
{
    uint64_t end = gpa + size, count = 0, next;
    for (unsigned level = 1; level <= ROOT_LEVEL; level++) {
        uint64_t block = level_size(level);
        bool fits = level_fits(e, gpa, pa, level);
        for (uint64_t a = gpa; a < end; a = next) {
            next = align_down(a, block) + block;
            if (fits && next - a == block && next <= end)
                next = align_down(end, block); /* whole blocks take leaves */
            else if (ept_lookup(e, a).size >= block)
                count++; /* a smaller hole would lie in a table that is there already */
        }
    }
    return count;
}

/* The entry for gpa at a level; missing tables come from the spare list. */
static uint64_t *entry_make(struct ept *e, uint64_t gpa, unsigned level)
{
    uint64_t *table = table_at(e, e->root_pa);
    for (unsigned l = ROOT_LEVEL; l > level; l--) {
        uint64_t *entry = &table[entry_index(gpa, l)];
        if (!is_present(*entry))
            entry_store(entry, list_pop(e, &e->spare) | ENTRY_ACCESS);
        table = table_at(e, *entry);
    }
    return &table[entry_index(gpa, level)];
}

/* Puts an unlinked table and all tables below it on the list. */
static void retire(struct ept *e, uint64_t pa, unsigned level)
{
    const uint64_t *table = table_at(e, pa);
    for (unsigned i = 0; i < ENTRIES; i++)
        if (is_table(table[i], level))
            retire(e, table[i] & ENTRY_ADDR, level - 1);
    list_push(e, &e->retired, pa);
}

static bool type_valid(enum ept_type type)
{
    return type == EPT_UC || type == EPT_WC || type == EPT_WT || type == EPT_WP || type == EPT_WB;
}

enum ept_status ept_map(struct ept *e, uint64_t gpa, uint64_t pa, uint64_t size, uint64_t access,
                        enum ept_type type)
{
    if (!range_valid(gpa, size) || (pa & ~ENTRY_ADDR) || size > PA_END - pa || !(access & EPT_R) ||
        (access & ~ENTRY_ACCESS) || !type_valid(type))
        return EPT_INVALID;
    struct ept_leaf hole;
    for (uint64_t a = gpa; a < gpa + size; a = hole.gpa + hole.size) {
        hole = ept_lookup(e, a);
        if (hole.access)
            return EPT_EXISTS;
    }
    if (!spare_reserve(e, tables_to_map(e, gpa, pa, size)))
        return EPT_NO_MEMORY;
    while (size) {
        unsigned level = leaf_level(e, gpa, pa, size);
        uint64_t step = level_size(level);
        uint64_t *entry = entry_make(e, gpa, level);
        do {
            uint64_t old = *entry;
            entry_store(entry++, make_leaf(pa, level, access, type));
            if (is_table(old, level))
                retire(e, old & ENTRY_ADDR, level - 1);
            gpa += step;
            pa += step;
            size -= step;
        } while (size && entry_index(gpa, level) && leaf_level(e, gpa, pa, size) == level);
    }
    return EPT_OK;
}

/* ---- unmapping ---- */

/* Table pages that cutting leaves at both ends of a range takes. */
static uint64_t tables_to_cut(const struct ept *e, uint64_t gpa, uint64_t end)
{
    struct ept_leaf first = ept_lookup(e, gpa), last = ept_lookup(e, end);
    uint64_t count = 0;
    for (unsigned level = 1; level < ROOT_LEVEL; level++) {
        uint64_t block = level_size(level);
        bool cut_first = gpa & (block - 1), cut_last = end & (block - 1);
        bool same = cut_first && align_down(gpa, block) == align_down(end, block);
        count += cut_first && first.access && first.size >= block;
        count += cut_last && last.access && last.size >= block && !same;
    }
    return count;
}

/* Replaces a large leaf by a table that maps the same. */
static void split(struct ept *e, uint64_t *entry, unsigned level)
{
    uint64_t pa = list_pop(e, &e->spare);
    uint64_t *table = table_at(e, pa);
    uint64_t leaf = level > 1 ? *entry : *entry & ~ENTRY_LARGE;
    for (unsigned i = 0; i < ENTRIES; i++)
        table[i] = leaf + i * level_size(level - 1);
    entry_store(entry, pa | ENTRY_ACCESS);
}

/* Clears [gpa, end), which lies below this table. Goes down at most three levels. */
static void clear(struct ept *e, uint64_t *table, unsigned level, uint64_t gpa, uint64_t end)
{
    uint64_t block = level_size(level), next;
    for (; gpa < end; gpa = next) {
        uint64_t *entry = &table[entry_index(gpa, level)];
        next = align_down(gpa, block) + block;
        next = next < end ? next : end;
        if (!is_present(*entry))
            continue;
        bool leaf = !is_table(*entry, level);
        if (leaf && next - gpa == block) {
            entry_store(entry, 0);
            continue;
        }
        if (leaf)
            split(e, entry, level);
        clear(e, table_at(e, *entry), level - 1, gpa, next);
    }
}

enum ept_status ept_unmap(struct ept *e, uint64_t gpa, uint64_t size)
{
    if (!range_valid(gpa, size))
        return EPT_INVALID;
    if (!spare_reserve(e, tables_to_cut(e, gpa, gpa + size)))
        return EPT_NO_MEMORY;
    clear(e, table_at(e, e->root_pa), ROOT_LEVEL, gpa, gpa + size);
    return EPT_OK;
}
