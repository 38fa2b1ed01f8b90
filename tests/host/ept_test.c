/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch/vmx/ept.c against a flat model: an array with one word per guest page. The tree is also read the way
 * the processor reads it (ept_pool.h).
 */
#include "arch/vmx/ept.h"

#include "tests/host/random.h"
#include "tests/host/test.h"

#include "tests/host/ept_pool.h"

/* ---- the model ---- */

/* Two stretches of guest memory: across the boundary of two root entries, and at the very end. */
static const struct {
    uint64_t start, pages;
} stretch[] = {
    {510 * GIB, 4 * GIB / PAGE_SIZE},
    {EPT_GPA_END - 2 * GIB, 2 * GIB / PAGE_SIZE},
};
static uint64_t *model[COUNT(stretch)];

static void model_reset(void)
{
    for (unsigned s = 0; s < COUNT(stretch); s++) {
        free(model[s]);
        model[s] = calloc(stretch[s].pages, sizeof(uint64_t));
    }
}

struct change {
    unsigned s;           /* stretch */
    uint64_t page, pages; /* in it */
    uint64_t pa, bits;
};

static bool model_clear(const struct change *c)
{
    for (uint64_t i = 0; i < c->pages; i++)
        if (model[c->s][c->page + i])
            return false;
    return true;
}

static void model_set(const struct change *c, bool mapped)
{
    for (uint64_t i = 0; i < c->pages; i++)
        model[c->s][c->page + i] = mapped ? (c->pa + i * PAGE_SIZE) | c->bits : 0;
}

static uint64_t change_gpa(const struct change *c)
{
    return stretch[c->s].start + c->page * PAGE_SIZE;
}

static const unsigned good_access[] = {EPT_R, EPT_R | EPT_W, EPT_R | EPT_X, EPT_R | EPT_W | EPT_X};
static const enum ept_type good_type[] = {EPT_UC, EPT_WC, EPT_WT, EPT_WP, EPT_WB};

/* Mostly some pages, at times some 2 MiB blocks, seldom some GiB; edges aligned or not. */
static struct change random_change(struct random *r)
{
    struct change c = {.s = (unsigned)random_below(r, COUNT(stretch))};
    uint64_t total = stretch[c.s].pages, unit = 1, most = 40;
    if (random_one_in(r, 5000))
        unit = GIB / PAGE_SIZE, most = 2;
    else if (random_one_in(r, 20))
        unit = 512, most = 6;
    c.pages = unit * (1 + random_below(r, most));
    uint64_t window = random_one_in(r, 2) ? 4096 : total; /* half of all changes close together */
    uint64_t base = window == total ? 0 : GIB / PAGE_SIZE - 2048;
    if (c.pages > window)
        base = 0, window = total;
    c.page = base + random_below(r, window - c.pages + 1);
    if (!random_one_in(r, 3))
        c.page &= ~(unit - 1);
    if (unit > 1 && random_one_in(r, 2) && c.pages > 2) {
        c.page += random_below(r, 2);
        c.pages -= 1 + random_below(r, 2);
    }
    if (c.page + c.pages > total)
        c.pages = total - c.page;
    uint64_t gpa = change_gpa(&c);
    static const uint64_t congruent[] = {PAGE_SIZE, 2 * MIB, GIB};
    uint64_t align = congruent[random_below(r, 3)];
    c.pa = (random_below(r, 1 << 14) * GIB + random_below(r, GIB)) & ~(align - 1) & PAGE_MASK;
    c.pa |= gpa & (align - 1);
    c.bits = good_access[random_below(r, 4)] | (uint64_t)good_type[random_below(r, 5)] << 3;
    return c;
}

/* The largest leaf that the contract promises for gpa, which lies in the change. */
static uint64_t best_leaf(const struct change *c, uint64_t gpa)
{
    uint64_t start = change_gpa(c), end = start + c->pages * PAGE_SIZE;
    for (uint64_t size = env.large_1g ? GIB : 2 * MIB; size > PAGE_SIZE; size >>= 9)
        if (align_down(gpa, size) >= start && align_down(gpa, size) + size <= end &&
            ((start ^ c->pa) & (size - 1)) == 0)
            return size;
    return PAGE_SIZE;
}

static void check_page(const struct ept *e, unsigned s, uint64_t page)
{
    uint64_t gpa = stretch[s].start + page * PAGE_SIZE, want = model[s][page], size;
    EXPECT_EQ(hardware_walk(e, gpa, &size), want);
    struct ept_leaf leaf = ept_lookup(e, gpa + 0x123);
    EXPECT_EQ(leaf.size, size);
    EXPECT_EQ(leaf.gpa, align_down(gpa, size));
    EXPECT_EQ(leaf.access, want & 7);
    EXPECT_EQ(leaf.pa + (want ? gpa - leaf.gpa : 0), want & MASK(51, 12));
    EXPECT_EQ((unsigned)leaf.type, want >> 3 & 7);
}

static void check_all(const struct ept *e)
{
    for (unsigned s = 0; s < COUNT(stretch); s++)
        for (uint64_t page = 0; page < stretch[s].pages; page++) {
            uint64_t size;
            if (hardware_walk(e, stretch[s].start + page * PAGE_SIZE, &size) != model[s][page]) {
                check_page(e, s, page);
                return;
            }
        }
    EXPECT_EQ(count_linked(e) + count_retired(e), e->table_pages);
    EXPECT_EQ(e->table_pages, pool_used());
}

static void step_map(struct ept *e, struct random *r)
{
    struct change c = random_change(r);
    bool clear = model_clear(&c);
    uint64_t before = e->table_pages;
    uint32_t fail = random_one_in(r, 8) ? 1 + (uint32_t)random_below(r, 4) : 0;
    pool.fail_at = fail;
    enum ept_status status =
        ept_map(e, change_gpa(&c), c.pa, c.pages * PAGE_SIZE, c.bits & 7, (enum ept_type)(c.bits >> 3));
    bool failed = fail && !pool.fail_at;
    pool.fail_at = 0;
    enum ept_status fault = failed || status == EPT_NO_MEMORY ? EPT_NO_MEMORY : EPT_OK;
    EXPECT_EQ(status, clear ? fault : EPT_EXISTS);
    EXPECT_EQ(e->spare, 0);
    if (status != EPT_OK) {
        EXPECT_EQ(e->table_pages, before);
        return;
    }
    model_set(&c, true);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t page = i == 0 ? c.page : i == 1 ? c.page + c.pages - 1 : c.page + random_below(r, c.pages);
        uint64_t gpa = stretch[c.s].start + page * PAGE_SIZE;
        EXPECT_EQ(ept_lookup(e, gpa).size, best_leaf(&c, gpa));
        check_page(e, c.s, page);
    }
}

static void step_unmap(struct ept *e, struct random *r)
{
    struct change c = random_change(r);
    uint64_t before = e->table_pages;
    uint32_t fail = random_one_in(r, 8) ? 1 + (uint32_t)random_below(r, 4) : 0, frees = pool.frees;
    pool.fail_at = fail;
    enum ept_status status = ept_unmap(e, change_gpa(&c), c.pages * PAGE_SIZE);
    EXPECT_EQ(status, fail && !pool.fail_at ? EPT_NO_MEMORY : EPT_OK);
    pool.fail_at = 0;
    EXPECT_EQ(e->spare, 0);
    if (status == EPT_OK) {
        EXPECT_EQ(pool.frees, frees); /* nothing goes back before ept_reap */
        model_set(&c, false);
    } else {
        EXPECT_EQ(e->table_pages, before);
    }
    check_page(e, c.s, c.page);
    check_page(e, c.s, c.page + random_below(r, c.pages));
    if (c.page)
        check_page(e, c.s, c.page - 1);
    if (c.page + c.pages < stretch[c.s].pages)
        check_page(e, c.s, c.page + c.pages);
}

/*
 * Part of a leaf goes away and comes back at the same place, while there is no memory at all for the second
 * half.
 */
static void step_give_back(struct ept *e, struct random *r)
{
    struct change c = {.s = (unsigned)random_below(r, COUNT(stretch))};
    c.page = random_below(r, stretch[c.s].pages);
    struct ept_leaf leaf = ept_lookup(e, change_gpa(&c));
    if (!leaf.access)
        return;
    uint64_t left = (leaf.gpa + leaf.size - change_gpa(&c)) / PAGE_SIZE;
    if (random_one_in(r, 2))
        c.page -= (change_gpa(&c) - leaf.gpa) / PAGE_SIZE, left = leaf.size / PAGE_SIZE;
    c.pages = left > 5000 || random_one_in(r, 2) ? left : 1 + random_below(r, left);
    uint64_t pa = leaf.pa + (change_gpa(&c) - leaf.gpa);
    if (ept_unmap(e, change_gpa(&c), c.pages * PAGE_SIZE) != EPT_OK)
        return;
    pool.fail_at = 1;
    EXPECT_EQ(ept_map(e, change_gpa(&c), pa, c.pages * PAGE_SIZE, leaf.access, leaf.type), EPT_OK);
    pool.fail_at = 0;
    check_page(e, c.s, c.page);
    check_page(e, c.s, c.page + c.pages - 1);
}

static void random_steps(bool large_1g, uint64_t steps, uint64_t seed)
{
    struct random r = {seed};
    struct ept e;
    pool_reset(large_1g);
    model_reset();
    ASSERT_EQ(ept_init(&e, &env), EPT_OK);
    for (uint64_t i = 0; i < steps && test_state.failures == 0; i++) {
        test_row("step %llu of seed %llu", (unsigned long long)i, (unsigned long long)seed);
        if (random_one_in(&r, 2))
            step_map(&e, &r);
        else
            step_unmap(&e, &r);
        if (random_one_in(&r, 8))
            step_give_back(&e, &r);
        if (random_one_in(&r, 64))
            ept_reap(&e);
        if (i % (steps / 8) == steps / 8 - 1)
            check_all(&e);
    }
    for (unsigned s = 0; s < COUNT(stretch); s++)
        EXPECT_EQ(ept_unmap(&e, stretch[s].start, stretch[s].pages * PAGE_SIZE), EPT_OK);
    /* Leaves as large as they come, and all empty tables below them go. */
    EXPECT_EQ(ept_map(&e, 510 * GIB, GIB, 4 * GIB, EPT_R, EPT_WB), EPT_OK);
    EXPECT_EQ(ept_map(&e, EPT_GPA_END - 2 * GIB, GIB, 2 * GIB, EPT_R, EPT_WB), EPT_OK);
    EXPECT_EQ(count_linked(&e), large_1g ? 4 : 4 + 6);
    EXPECT_EQ(count_linked(&e) + count_retired(&e), e.table_pages);
    ept_reap(&e);
    EXPECT_EQ(e.table_pages, count_linked(&e));
    EXPECT_EQ(pool_used(), e.table_pages);
    ept_destroy(&e);
    EXPECT_EQ(pool_used(), 0);
}

TEST(random_with_1g_leaves)
{
    random_steps(true, 1000000, 0x5167);
}

TEST(random_without_1g_leaves)
{
    random_steps(false, 1000000, 0x1b0c);
}

/* ---- allocation failures ---- */

/* All bytes of all table pages that are taken, in one number; the order of the free list does not count. */
static uint64_t pool_hash(void)
{
    uint64_t hash = 14695981039346656037U;
    for (uint32_t n = 0; n < POOL_PAGES; n++)
        for (unsigned i = 0; pool.taken[n] && i < ENTRIES; i++)
            hash = (hash ^ pool.page[n][i] ^ ((uint64_t)n << 52)) * 1099511628211U;
    return hash;
}

static enum ept_status apply(struct ept *e, const struct change *c, bool map)
{
    if (!map)
        return ept_unmap(e, change_gpa(c), c->pages * PAGE_SIZE);
    return ept_map(e, change_gpa(c), c->pa, c->pages * PAGE_SIZE, c->bits & 7, (enum ept_type)(c->bits >> 3));
}

TEST(every_allocation_can_fail)
{
    struct random r = {77};
    struct ept e;
    unsigned long injected = 0;
    pool_reset(true);
    ASSERT_EQ(ept_init(&e, &env), EPT_OK);
    for (unsigned i = 0; i < 12000 && test_state.failures == 0; i++) {
        struct change c = random_change(&r);
        bool map = random_one_in(&r, 2);
        uint64_t hash = pool_hash(), pages = e.table_pages;
        struct ept before = e;
        test_row("change %u", i);
        if (pages > 400) {
            ept_destroy(&e);
            ASSERT_EQ(ept_init(&e, &env), EPT_OK);
            continue;
        }
        for (uint32_t k = 1;; k++) {
            pool.fail_at = k;
            uint32_t allocs = pool.allocs;
            enum ept_status status = apply(&e, &c, map);
            bool failed = !pool.fail_at;
            pool.fail_at = 0;
            EXPECT_EQ(status == EPT_NO_MEMORY, failed);
            if (!failed) {
                /* It took exactly what it uses. */
                EXPECT_EQ(pool.allocs - allocs, k - 1);
                EXPECT_EQ(e.table_pages, pages + k - 1);
                break;
            }
            injected++;
            EXPECT_EQ(pool_hash(), hash);
            EXPECT_EQ(e.table_pages, pages);
            EXPECT_EQ(pool_used(), pages);
            EXPECT_MEMEQ(&e, &before, sizeof(e));
        }
        EXPECT_EQ(count_linked(&e) + count_retired(&e), e.table_pages);
    }
    EXPECT_TRUE(injected > 500);
    ept_destroy(&e);
    EXPECT_EQ(pool_used(), 0);
    pool.fail_at = 1;
    EXPECT_EQ(ept_init(&e, &env), EPT_NO_MEMORY);
    EXPECT_EQ(pool_used(), 0);
}

/* ---- single rules ---- */

#define RWX (EPT_R | EPT_W | EPT_X)

TEST(bounds_and_arguments)
{
    static const struct {
        const char *name;
        uint64_t gpa, pa, size;
        unsigned access, type;
        enum ept_status want;
    } rows[] = {
        {"last page", EPT_GPA_END - PAGE_SIZE, 0, PAGE_SIZE, RWX, EPT_WB, EPT_OK},
        {"one page too many", EPT_GPA_END - PAGE_SIZE, 0, 2 * PAGE_SIZE, RWX, EPT_WB, EPT_INVALID},
        {"first page beyond", EPT_GPA_END, 0, PAGE_SIZE, RWX, EPT_WB, EPT_INVALID},
        {"wraps", PAGE_SIZE, 0, -PAGE_SIZE, RWX, EPT_WB, EPT_INVALID},
        {"empty", 0, 0, 0, RWX, EPT_WB, EPT_INVALID},
        {"gpa not aligned", 1, 0, PAGE_SIZE, RWX, EPT_WB, EPT_INVALID},
        {"size not aligned", 0, 0, PAGE_SIZE + 8, RWX, EPT_WB, EPT_INVALID},
        {"pa not aligned", 0, 0x10, PAGE_SIZE, RWX, EPT_WB, EPT_INVALID},
        {"last pa", 0, BIT(52) - PAGE_SIZE, PAGE_SIZE, RWX, EPT_WB, EPT_OK},
        {"pa beyond 52 bits", 0, BIT(52), PAGE_SIZE, RWX, EPT_WB, EPT_INVALID},
        {"pa grows beyond", 0, BIT(52) - PAGE_SIZE, 2 * PAGE_SIZE, RWX, EPT_WB, EPT_INVALID},
        {"no access", 0, 0, PAGE_SIZE, 0, EPT_WB, EPT_INVALID},
        {"write only", 0, 0, PAGE_SIZE, EPT_W, EPT_WB, EPT_INVALID},
        {"execute only", 0, 0, PAGE_SIZE, EPT_X, EPT_WB, EPT_INVALID},
        {"write and execute", 0, 0, PAGE_SIZE, EPT_W | EPT_X, EPT_WB, EPT_INVALID},
        {"a further access bit", 0, 0, PAGE_SIZE, EPT_R | 8, EPT_WB, EPT_INVALID},
        {"type 2", 0, 0, PAGE_SIZE, RWX, 2, EPT_INVALID},
        {"type 3", 0, 0, PAGE_SIZE, RWX, 3, EPT_INVALID},
        {"type 7", 0, 0, PAGE_SIZE, RWX, 7, EPT_INVALID},
        {"type 8", 0, 0, PAGE_SIZE, RWX, 8, EPT_INVALID},
    };
    pool_reset(true);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ept e;
        ASSERT_EQ(ept_init(&e, &env), EPT_OK);
        test_row("%s", rows[i].name);
        EXPECT_EQ(
            ept_map(&e, rows[i].gpa, rows[i].pa, rows[i].size, rows[i].access, (enum ept_type)rows[i].type),
            rows[i].want);
        EXPECT_EQ(e.table_pages, rows[i].want == EPT_OK ? 4 : 1);
        bool range_bad =
            rows[i].want != EPT_OK && rows[i].pa == 0 && rows[i].access == RWX && rows[i].type == EPT_WB;
        EXPECT_EQ(ept_unmap(&e, rows[i].gpa, rows[i].size), range_bad ? EPT_INVALID : EPT_OK);
        ept_destroy(&e);
        EXPECT_EQ(pool_used(), 0);
    }
}

TEST(lookup_beyond_the_end)
{
    static const uint64_t gpas[] = {EPT_GPA_END, EPT_GPA_END + 5, BIT(48), BIT(48) + 12, BIT(52), UINT64_MAX};
    struct ept e;
    pool_reset(true);
    ASSERT_EQ(ept_init(&e, &env), EPT_OK);
    ASSERT_EQ(ept_map(&e, 0, 0, 4 * GIB, RWX, EPT_WB), EPT_OK);
    for (size_t i = 0; i < COUNT(gpas); i++) {
        struct ept_leaf leaf = ept_lookup(&e, gpas[i]);
        test_row("%#llx", (unsigned long long)gpas[i]);
        EXPECT_EQ(leaf.access, 0);
        EXPECT_EQ(leaf.size, 512 * GIB);
        EXPECT_EQ(leaf.gpa, gpas[i] & ~(512 * GIB - 1));
    }
    ept_destroy(&e);
}

TEST(large_leaf_over_an_emptied_table)
{
    struct ept e;
    pool_reset(true);
    ASSERT_EQ(ept_init(&e, &env), EPT_OK);
    ASSERT_EQ(ept_map(&e, 2 * GIB + 5 * PAGE_SIZE, 0x1000, PAGE_SIZE, RWX, EPT_WB), EPT_OK);
    EXPECT_EQ(e.table_pages, 4);
    EXPECT_EQ(ept_map(&e, 2 * GIB, 8 * GIB, GIB, RWX, EPT_WB), EPT_EXISTS);
    ASSERT_EQ(ept_unmap(&e, 2 * GIB + 5 * PAGE_SIZE, PAGE_SIZE), EPT_OK);
    EXPECT_EQ(count_linked(&e), 4);
    ASSERT_EQ(ept_map(&e, 2 * GIB, 8 * GIB, GIB, RWX, EPT_WB), EPT_OK);
    EXPECT_EQ(ept_lookup(&e, 2 * GIB + 77).size, GIB);
    EXPECT_EQ(count_linked(&e), 2);
    EXPECT_EQ(count_retired(&e), 2);
    EXPECT_EQ(e.table_pages, 4);
    ept_reap(&e);
    EXPECT_EQ(e.table_pages, 2);
    EXPECT_EQ(pool_used(), 2);
    ept_destroy(&e);
    EXPECT_EQ(pool_used(), 0);
}

TEST(destroy_with_retired_tables)
{
    struct ept e;
    pool_reset(false);
    ASSERT_EQ(ept_init(&e, &env), EPT_OK);
    ASSERT_EQ(ept_map(&e, 0, 0, 3 * GIB, RWX, EPT_WB), EPT_OK);
    EXPECT_EQ(e.table_pages, 5);
    ASSERT_EQ(ept_unmap(&e, GIB + PAGE_SIZE, PAGE_SIZE), EPT_OK);
    EXPECT_EQ(e.table_pages, 6);
    ASSERT_EQ(ept_unmap(&e, GIB, GIB), EPT_OK);
    ASSERT_EQ(ept_map(&e, GIB, 0, GIB, RWX, EPT_WB), EPT_OK);
    EXPECT_EQ(count_retired(&e), 1);
    ept_destroy(&e);
    EXPECT_EQ(pool_used(), 0);
}
