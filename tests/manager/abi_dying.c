/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls on a domain whose destruction has begun. A second-level manager destroys a domain with more
 * memory than one step clears, and is paused by domain 0 between two steps: the domain is there and
 * nobody finds it. Either of them can finish it, and its manager cannot go before it.
 */
#include "tests/manager/abi.h"

#include <string.h>

#define RAX(number) ((uint64_t)HV_CALL_MAGIC << 32 | (number))
#define BIG_PAGES   6144U /* one step does 4096 */

static gpa_t memory;

static bool is_dying(uint32_t id, uint32_t domains)
{
    struct hv_domain_info info;
    return call_domain_info(id, &info) == -HV_ESRCH && lab_system().domains == domains;
}

/* Calls DESTROY by `g` and catches it in the middle; false: it was over too soon. */
static bool begin(struct guest *g, uint32_t id)
{
    uint32_t domains = lab_system().domains;
    struct hv_domain_info info;
    guest_go(g, 0, AGENT_CALL, RAX(HV_CALL_DOMAIN_DESTROY), id, 0, 0);
    for (;;) {
        CHECK_EQ(hv_domain_pause(g->id), 0);
        if (is_dying(id, domains))
            return true;
        bool gone = call_domain_info(id, &info) == -HV_ESRCH;
        CHECK_EQ(hv_domain_resume(g->id), 0);
        if (gone)
            return false;
        (void)hv_notify_wait(lab_now() + lab_ms() / 50 + lab_random(lab_ms()));
    }
}

static void every_call(uint32_t id)
{
    uint64_t arg[6];
    uint32_t list[64];
    int64_t n = call_domain_list(0, list, 64);
    for (int64_t i = 0; i < n; i++)
        CHECK(list[i] != id);
    for (uint32_t number = 0; number < HV_CALL_COUNT; number++) {
        const struct abi_call *call = &abi_calls[number];
        if (!call->name || call->domain_at < 0 || number == HV_CALL_DOMAIN_DESTROY)
            continue;
        abi_prepare(&abi_manager, number, arg);
        arg[call->domain_at] = id;
        CHECK_CASE(abi_call_raw(&abi_manager, RAX(number), arg), -HV_ESRCH, "%s on a dying domain",
                   call->name);
    }
    struct hv_domain_create c = {.max_vcpus = 1, .name = "new"};
    int64_t other = call_domain_create(&c);
    CHECK(other > 0 && other != id); /* its number is not free */
    CHECK_EQ(hv_domain_destroy((uint32_t)other), 0);
}

static bool once(struct guest *g, bool finished_by_us)
{
    uint64_t arg[6];
    struct audit before = lab_audit();
    guest_start(g, "parent", 1);
    CHECK_EQ(hv_vcpu_priority(g->id, 0, 50, 0), 0);
    struct abi_caller c = {.guest = g, .struct_page = AGENT_SCRATCH, .own_page = AGENT_SCRATCH};
    abi_prepare(&c, HV_CALL_DOMAIN_CREATE, arg);
    uint32_t id = (uint32_t)abi_call_raw(&c, RAX(HV_CALL_DOMAIN_CREATE), arg);
    CHECK_EQ(call_mem_donate(id, memory, 0, BIG_PAGES, 0), BIG_PAGES);
    abi_prepare(&c, HV_CALL_MEM_SHARE, arg); /* a page of the parent is in it too, at the end */
    ((struct hv_mem *)(void *)abi_struct(&c))->own = AGENT_PD;
    ((struct hv_mem *)(void *)abi_struct(&c))->target = 1ULL << 40;
    arg[0] = id;
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_MEM_SHARE), arg), 1);
    bool caught = begin(g, id);
    if (caught) {
        every_call(id);
        CHECK_EQ(hv_domain_destroy(g->id), -(uint64_t)HV_EBUSY);
        CHECK_EQ(hv_mem_unmap(g->id, AGENT_PD, 1), -(uint64_t)HV_EBUSY);
        if (finished_by_us)
            CHECK_EQ(hv_domain_destroy(id), 0);
        CHECK_EQ(hv_domain_resume(g->id), 0);
    }
    guest_done(g, 0);
    CHECK_EQ(guest_box(g, 0)->result, finished_by_us && caught ? -(uint64_t)HV_ESRCH : 0);
    CHECK_EQ(guest_destroy(g), 0);
    lab_audit_check(&before, "dying");
    return caught;
}

void abi_dying(void)
{
    struct guest *g = guest_slot(2);
    uint32_t caught = 0;
    memory = lab_pages(BIG_PAGES, LARGE_PAGE);
    g->may = HV_MAY_DOMAINS;
    for (unsigned i = 0; i < 6; i++)
        caught += once(g, i & 1);
    CHECK(caught >= 2);
    g->may = 0;
}
