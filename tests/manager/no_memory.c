/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of memory, at every place. A domain whose limit is k pages, for each k, goes through the whole
 * sequence of calls that cost pages: each works, or says ENOMEM and has changed nothing, and all is
 * there again when the domain is gone. Then the same with the hypervisor's pool itself (hvmem=3M).
 */
#include "tests/manager/lab.h"

#include <string.h>

#define PLACES 10U

static gpa_t pages; /* one for each place, then service pages */

/* Each needs other tables than the ones before. */
static const gpa_t place[PLACES] = {
    0,
    PAGE,
    LARGE_PAGE,
    512 * LARGE_PAGE,
    1024 * LARGE_PAGE,
    1ULL << 39,
    (1ULL << 39) + LARGE_PAGE,
    1ULL << 46,
    (1ULL << 47) - PAGE,
    (1ULL << 47) - LARGE_PAGE,
};

struct view {
    struct hv_domain_info domain;
    uint64_t pool_free;
    uint64_t manager_pages;
};

static struct view look(uint32_t d)
{
    struct view v;
    struct hv_domain_info own;
    memset(&v, 0, sizeof(v));
    CHECK_EQ(call_domain_info(d, &v.domain), 0);
    CHECK_EQ(call_domain_info(HV_DOMAIN_SELF, &own), 0);
    v.pool_free = lab_system().pool_free;
    v.manager_pages = own.memory_pages;
    return v;
}

static int64_t step(uint32_t d, uint32_t number)
{
    static uint8_t record[PAGE];
    if (number < PLACES)
        return call_mem_donate(d, pages + number * PAGE, place[number], 1, HV_MEM_WRITE);
    number -= PLACES;
    if (number < 4)
        return hv_vcpu_create(d, number, pages + (PLACES + number) * PAGE);
    number -= 4;
    if (number < PLACES)
        return call_mem_share(d, pages + (PLACES + 4) * PAGE, place[number] ^ 1ULL << 33, 1, 0);
    number -= PLACES;
    if (number == 0)
        return call_domain_claim(d, HV_CLAIM_MMIO, AGENT_MMIO, PAGE);
    if (number == 1) /* a page for a moment */
        for (uint32_t size = 64 + 576; size <= PAGE; size += 8)
            if (!call_vcpu_get(d, 0, HV_STATE_XSAVE, record, size))
                return call_vcpu_set(d, 0, HV_STATE_XSAVE, record, size);
    return 0;
}
#define STEPS (PLACES + 4 + PLACES + 2)

/* Returns how many steps found no memory. */
static uint32_t sequence(uint32_t d)
{
    uint32_t refused = 0;
    for (uint32_t i = 0; i < STEPS; i++) {
        struct view before = look(d), after;
        int64_t result = step(d, i);
        if (result >= 0)
            continue;
        refused++;
        CHECK_CASE(result, -HV_ENOMEM, "step %u", i);
        after = look(d);
        CHECK_CASE(memcmp(&before, &after, sizeof(after)), 0, "step %u changed something: pool %lld", i,
                   (long long)(after.pool_free - before.pool_free));
    }
    return refused;
}

static void each_limit(void)
{
    uint32_t refused = UINT32_MAX, limit;
    struct audit before = lab_audit();
    for (limit = 1; refused && limit < 120; limit++) {
        struct hv_domain_create c = {.max_vcpus = 4, .pool_pages = limit, .name = "limit"};
        int64_t d = call_domain_create(&c);
        if (d < 0) {
            CHECK_EQ(d, -(uint64_t)HV_ENOMEM);
            CHECK(limit < 16);
        } else {
            refused = sequence((uint32_t)d);
            CHECK(look((uint32_t)d).domain.pool_pages <= limit);
            CHECK_EQ(hv_domain_destroy((uint32_t)d), 0);
        }
        lab_audit_check(&before, "limit");
        for (uint32_t i = 0; i < PLACES; i++)
            CHECK_EQ(*(uint64_t *)lab_at(pages + i * PAGE), 0);
    }
    CHECK(limit > 20 && limit < 120); /* refusals have happened, and have ended */
}

/* Domains until nothing is left, with the last one somewhere in the middle of the sequence. */
static void whole_pool(uint32_t first)
{
    struct hv_domain_create c = {.max_vcpus = 4, .name = "pool"};
    uint32_t ids[256], count = 0, refused = 0;
    int64_t d;
    struct audit before = lab_audit();
    while (count < 256 && (d = call_domain_create(&c)) >= 0)
        ids[count++] = (uint32_t)d;
    CHECK(d == -HV_ENOMEM || d == -HV_ENOSPC);
    CHECK(count > 8);
    if (d == -HV_ENOMEM) {
        uint64_t left = lab_system().pool_free;
        CHECK_EQ(left / PAGE < 16, true);
        CHECK_EQ(hv_call4(HV_CALL_TRACE_CONTROL, HV_TRACE_START, 16, UINT64_MAX, 2), -(uint64_t)HV_ENOMEM);
        CHECK_EQ(lab_system().pool_free, left);
        refused = sequence(first);
        CHECK(refused > 0);
        /* One goes, and there is room again. */
        CHECK_EQ(hv_domain_destroy(ids[--count]), 0);
        d = call_domain_create(&c);
        CHECK(d >= 0 || refused < STEPS - 1);
        if (d >= 0)
            ids[count++] = (uint32_t)d;
    } else {
        CHECK_EQ(count, 254); /* with domain 0 and the first one */
    }
    while (count)
        CHECK_EQ(hv_domain_destroy(ids[--count]), 0);
    CHECK_EQ(hv_domain_destroy(first), 0);
    struct audit after = lab_audit();
    CHECK_EQ(after.memory_pages, before.memory_pages);
    CHECK_EQ(after.domains + 1, before.domains);
}

/*
 * A domain of one large leaf whose limit is reached: taking a piece of it back wants a table, but
 * its destruction wants none. On machines that have the memory.
 */
static void large_leaf(void)
{
    const uint64_t count = 512 * 512;
    struct hv_domain_create c = {.max_vcpus = 1, .name = "large"};
    if (lab_pages_left() < 2 * count)
        return;
    gpa_t own = lab_pages(count, count * PAGE);
    int64_t d = call_domain_create(&c);
    uint32_t limit = (uint32_t)look((uint32_t)d).domain.pool_pages;
    CHECK_EQ(hv_domain_destroy((uint32_t)d), 0);
    struct audit before = lab_audit();
    /* The root and one table lead to a leaf of a GiB. */
    c.pool_pages = limit + 1;
    d = call_domain_create(&c);
    *(uint64_t *)lab_at(own + 511 * LARGE_PAGE) = 1;
    CHECK_EQ(call_mem_donate((uint32_t)d, own, 0, count, HV_MEM_WRITE), count);
    struct hv_mem_query q = {.gpa = 0};
    CHECK_EQ(call_mem_query((uint32_t)d, &q), 0);
    if (CHECK_EQ(q.length, count * PAGE)) {
        CHECK_EQ(hv_mem_unmap((uint32_t)d, 0, 1), -(uint64_t)HV_ENOMEM);
        CHECK_EQ(hv_mem_unmap((uint32_t)d, 0, 4096), -(uint64_t)HV_ENOMEM);
    }
    CHECK_EQ(hv_domain_destroy((uint32_t)d), 0);
    CHECK_EQ(*(uint64_t *)lab_at(own + 511 * LARGE_PAGE), 0);
    struct audit after = lab_audit();
    CHECK_EQ(after.memory_pages, before.memory_pages);
    CHECK_EQ(after.domains, before.domains);
    CHECK_EQ(after.pool_free, before.pool_free);
}

void test_no_memory(void)
{
    large_leaf();
    struct hv_domain_create c = {.max_vcpus = 4, .name = "warm"};
    pages = lab_pages(PLACES + 8, PAGE);
    int64_t d = call_domain_create(&c);
    CHECK_EQ(sequence((uint32_t)d), 0);
    CHECK_EQ(hv_domain_destroy((uint32_t)d), 0);
    struct audit before = lab_audit();
    each_limit();
    for (unsigned i = 0; i < 3; i++) {
        d = call_domain_create(&c);
        CHECK(d > 0);
        whole_pool((uint32_t)d);
    }
    lab_audit_check(&before, "no memory");
}
