/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory against a model: random donations, shares, unmaps and queries of ranges with all
 * alignments, in three domains, each result compared with what a table of pages says. What comes
 * back is clear, what is written on one side is read on the other, and nothing is lost.
 *
 * The model: for each page of the arena the domain that has it and where; for each page of a
 * domain's window the arena page behind it.
 */
#include "tests/manager/lab.h"

#include <string.h>

#define ARENA_PAGES  8192U /* 32 MiB, aligned to 2 MiB */
#define WINDOW_PAGES 8192U /* of a domain, from AGENT_MEMORY on */
#define DOMAINS      3U
#define NONE         UINT32_MAX
#define OWN          UINT8_MAX
#define RUN_MAX      1400U

struct window_page {
    uint32_t page; /* of the arena, NONE */
    bool donated;
    uint8_t flags;
};

static gpa_t arena;
static uint8_t owner[ARENA_PAGES]; /* index of a domain, OWN: the manager */
static uint16_t shares[ARENA_PAGES];
static struct window_page window[DOMAINS][WINDOW_PAGES];
static uint64_t donated_pages[DOMAINS], shared_pages[DOMAINS];

static struct guest *guest(uint32_t d)
{
    return guest_slot(d);
}

static gpa_t gpa_of(uint32_t at)
{
    return AGENT_MEMORY + at * PAGE;
}

static uint64_t *word(uint32_t page)
{
    return lab_at(arena + page * PAGE);
}

/* A random start and length: often on and of a large page. */
static void random_range(uint32_t *start, uint32_t *pages, uint32_t limit)
{
    uint32_t kind = (uint32_t)lab_random(4);
    *pages = (uint32_t)(1 + lab_random(kind == 0 ? RUN_MAX : kind == 1 ? 600 : 12));
    *start = (uint32_t)lab_random(limit);
    if (kind == 0)
        *start &= ~511U;
    if (kind == 0 && lab_random(2))
        *pages = 512U * (uint32_t)(1 + lab_random(2));
    if (*pages > limit - *start)
        *pages = limit - *start;
}

/* Up to where the call can go, and the error when that is nowhere. */
static uint32_t giving_run(uint32_t d, uint32_t page, uint32_t at, uint32_t pages, bool donate,
                           int64_t *error)
{
    uint32_t run = 0;
    for (; run < pages; run++) {
        *error = owner[page + run] != OWN           ? -HV_EFAULT
                 : donate && shares[page + run]     ? -HV_EBUSY
                 : window[d][at + run].page != NONE ? -HV_EEXIST
                                                    : 0;
        if (*error)
            break;
    }
    return run;
}

static void note_given(uint32_t d, uint32_t page, uint32_t at, uint32_t count, bool donate, uint32_t flags)
{
    for (uint32_t i = 0; i < count; i++) {
        window[d][at + i] = (struct window_page){page + i, donate, (uint8_t)flags};
        if (donate)
            owner[page + i] = (uint8_t)d;
        else
            shares[page + i]++;
    }
    *(donate ? &donated_pages[d] : &shared_pages[d]) += count;
}

static int64_t give_once(uint32_t d, uint32_t page, uint32_t at, uint32_t pages, bool donate, uint32_t flags)
{
    static struct hv_mem m __attribute__((aligned(64)));
    struct hv_mem *in = lab_at(guest(0)->mailbox + (AGENT_VCPUS + 1) * PAGE);
    m = (struct hv_mem){
        .size = sizeof(m), .flags = flags, .own = arena + page * PAGE, .target = gpa_of(at), .pages = pages};
    *in = m;
    gpa_t gpa = guest(0)->mailbox + (AGENT_VCPUS + 1) * PAGE;
    return donate ? hv_mem_donate(guest(d)->id, gpa) : hv_mem_share(guest(d)->id, gpa);
}

/*
 * A call may do fewer pages than the model allows, at least one; it must not do more. One error may
 * hide another where both hold behind the first page of a run.
 */
static void give(bool donate)
{
    uint32_t d = (uint32_t)lab_random(DOMAINS), page, at, pages, unused;
    uint32_t flags = (uint32_t)lab_random(4);
    int64_t error = 0;
    random_range(&page, &pages, ARENA_PAGES);
    random_range(&at, &unused, WINDOW_PAGES);
    if (pages > WINDOW_PAGES - at)
        pages = WINDOW_PAGES - at;
    if (lab_random(2)) /* congruent, so that large leaves are possible */
        at = (at & ~511U) | (page & 511U);
    if (pages > WINDOW_PAGES - at)
        pages = WINDOW_PAGES - at;
    while (pages) {
        uint32_t run = giving_run(d, page, at, pages, donate, &error);
        for (uint32_t i = 0; donate && i < run; i += 97)
            word(page + i)[i % 512] = 0xd0d0d0d0ULL + i;
        int64_t got = give_once(d, page, at, pages, donate, flags);
        if (got <= 0) {
            /* What is in the way of a run may be behind its first page. */
            CHECK_CASE(got, run ? -HV_EEXIST : error, "give %u to %u.%u: run %u", page, d, at, run);
            return;
        }
        if (!CHECK_CASE(got <= run, true, "gave %lld of %u", (long long)got, run))
            check_abort("the model is lost");
        note_given(d, page, at, (uint32_t)got, donate, flags);
        page += (uint32_t)got;
        at += (uint32_t)got;
        pages -= (uint32_t)got;
    }
}

static void take_back(void)
{
    uint32_t d = (uint32_t)lab_random(DOMAINS), at, pages;
    random_range(&at, &pages, WINDOW_PAGES);
    while (pages) {
        int64_t got = hv_mem_unmap(guest(d)->id, gpa_of(at), pages);
        if (!CHECK_CASE(got >= 1 && got <= pages, true, "unmap %u.%u: %lld", d, at, (long long)got))
            return;
        for (uint32_t i = 0; i < got; i++) {
            struct window_page *w = &window[d][at + i];
            if (w->page == NONE)
                continue;
            if (w->donated) {
                owner[w->page] = OWN;
                donated_pages[d]--;
                if (i % 16 == 0) {
                    uint64_t bits = 0;
                    for (unsigned n = 0; n < 512; n++)
                        bits |= word(w->page)[n];
                    CHECK_EQ(bits, 0);
                }
            } else {
                shares[w->page]--;
                shared_pages[d]--;
            }
            w->page = NONE;
        }
        at += (uint32_t)got;
        pages -= (uint32_t)got;
    }
}

static void query(uint32_t d, uint32_t at)
{
    const struct window_page *w = &window[d][at];
    struct hv_mem_query q = {.gpa = gpa_of(at) + 8 * lab_random(512)};
    uint64_t offset = q.gpa & (PAGE - 1);
    int64_t got = call_mem_query(guest(d)->id, &q);
    if (w->page == NONE) {
        CHECK_CASE(got, -HV_ENOENT, "query %u.%u", d, at);
        return;
    }
    CHECK_CASE(got, 0, "query %u.%u", d, at);
    CHECK_EQ(q.own, arena + w->page * PAGE + offset);
    CHECK_EQ(q.flags, w->flags);
    CHECK_EQ(q.owner, w->donated ? guest(d)->id : 0);
    CHECK_EQ(q.pins, 0);
    CHECK(q.length >= PAGE - offset);
    /* The leaf reaches no further than equal pages in a row. */
    uint64_t more = (q.length + offset) / PAGE;
    for (uint32_t i = 1; i < more && at + i < WINDOW_PAGES; i++) {
        if (!CHECK_EQ(window[d][at + i].page, w->page + i))
            break;
    }
}

/* The guest reads pages all over its window; what it has not, reads as ones. */
static void probe(uint32_t d)
{
    uint64_t *pair = (uint64_t *)(void *)guest_scratch(guest(d));
    uint32_t at[32];
    for (uint32_t i = 0; i < 32; i++) {
        at[i] = (uint32_t)lab_random(WINDOW_PAGES);
        pair[2 * i] = gpa_of(at[i]) + 8 * i;
        pair[2 * i + 1] = 0;
        const struct window_page *w = &window[d][at[i]];
        if (w->page != NONE && !w->donated)
            word(w->page)[i] = 0xabcd0000ULL + at[i];
    }
    (void)guest_do(guest(d), 0, AGENT_PROBES, AGENT_SCRATCH, 32, 0, 0);
    for (uint32_t i = 0; i < 32; i++) {
        const struct window_page *w = &window[d][at[i]];
        if (w->page == NONE)
            CHECK_EQ(pair[2 * i + 1], UINT64_MAX);
        else if (!w->donated)
            CHECK_EQ(pair[2 * i + 1], word(w->page)[i]);
        else
            CHECK(pair[2 * i + 1] != UINT64_MAX);
    }
}

/* Writes stay where the flags allow them, and are seen on the other side of a share. */
static void write_probe(uint32_t d)
{
    uint32_t at = (uint32_t)lab_random(WINDOW_PAGES);
    const struct window_page *w = &window[d][at];
    uint64_t value = lab_random(1ULL << 60), before = 0;
    if (w->page != NONE && !w->donated)
        before = word(w->page)[7];
    (void)guest_do(guest(d), 0, AGENT_WRITE, gpa_of(at) + 56, 8, value, 0);
    uint64_t got = guest_do(guest(d), 0, AGENT_READ, gpa_of(at) + 56, 8, 0, 0);
    if (w->page == NONE)
        CHECK_EQ(got, UINT64_MAX);
    else if (w->flags & HV_MEM_WRITE)
        CHECK_EQ(got, value);
    else if (!w->donated)
        CHECK_EQ(got, before);
    if (w->page != NONE && !w->donated)
        CHECK_EQ(word(w->page)[7], got);
}

static void counts(uint64_t manager_pages, uint64_t base)
{
    struct hv_domain_info own;
    uint64_t away = 0;
    for (uint32_t d = 0; d < DOMAINS; d++) {
        struct hv_domain_info info = guest_domain(guest(d));
        CHECK_EQ(info.memory_pages, donated_pages[d] + base);
        CHECK_EQ(info.shared_pages, shared_pages[d] + 1 + AGENT_SCRATCH_PAGES);
        away += donated_pages[d] + base;
    }
    CHECK_EQ(call_domain_info(HV_DOMAIN_SELF, &own), 0);
    CHECK_EQ(own.memory_pages, manager_pages - away);
}

static void one_run(uint64_t steps, uint64_t manager_pages)
{
    memset(owner, OWN, sizeof(owner));
    memset(shares, 0, sizeof(shares));
    memset(donated_pages, 0, sizeof(donated_pages));
    memset(shared_pages, 0, sizeof(shared_pages));
    for (uint32_t d = 0; d < DOMAINS; d++) {
        for (uint32_t i = 0; i < WINDOW_PAGES; i++)
            window[d][i].page = NONE;
        guest_start(guest(d), "memory", 1);
    }
    uint64_t base = guest_domain(guest(0)).memory_pages;
    for (uint64_t i = 0; i < steps; i++) {
        uint32_t what = (uint32_t)lab_random(10), d = (uint32_t)lab_random(DOMAINS);
        if (what < 2)
            give(true);
        else if (what < 4)
            give(false);
        else if (what < 6)
            take_back();
        else if (what == 6)
            probe(d);
        else if (what == 7)
            write_probe(d);
        else
            query(d, (uint32_t)lab_random(WINDOW_PAGES));
        counts(manager_pages, base);
    }
    for (uint32_t d = 0; d < DOMAINS; d++)
        CHECK_EQ(guest_destroy(guest(d)), 0);
    for (uint32_t page = 0; page < ARENA_PAGES; page++)
        if (owner[page] != OWN && page % 13 == 0)
            CHECK_EQ(word(page)[page % 512], 0);
}

void test_memory(void)
{
    arena = lab_pages(ARENA_PAGES, LARGE_PAGE);
    uint64_t runs = lab_argument("runs", 3), steps = lab_argument("steps", 400);
    struct audit before = lab_audit(), after;
    for (uint64_t i = 0; i < runs; i++)
        one_run(steps, before.memory_pages);
    after = lab_audit();
    CHECK_EQ(after.memory_pages, before.memory_pages);
    CHECK_EQ(after.domains, before.domains);
    /* All of it can be given again as a whole. */
    guest_start(guest(0), "whole", 1);
    CHECK_EQ(call_mem_donate(guest(0)->id, arena, AGENT_MEMORY, ARENA_PAGES, HV_MEM_WRITE), ARENA_PAGES);
    CHECK_EQ(guest_destroy(guest(0)), 0);
}
