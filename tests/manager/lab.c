/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine, pages and notifications of the laboratory; see lab.h. */
#include "tests/manager/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/start/start.h"

#define WAIT_STEP_MS 20U

static union {
    struct hv_notify notify;
    uint8_t page[PAGE];
} notify_page __attribute__((aligned(4096)));
static uint8_t call_page[PAGE] __attribute__((aligned(4096)));
static uint64_t seen[64]; /* notifications taken from the page and not yet asked for */
static uint64_t tsc_khz, random_state = 1;
static uint32_t cpus;
static struct start_range arena; /* the largest range: pages come from here */

void lab_init(void)
{
    for (uint32_t i = 0; i < start_info.memory_count; i++)
        if (start_info.memory[i].end - start_info.memory[i].start > arena.end - arena.start)
            arena = start_info.memory[i];
    call_init(call_page, start_gpa(call_page));
    if (hv_notify_page(start_gpa(&notify_page), 0))
        check_abort("no notification page");
    cpus = (uint32_t)hv_capability(HV_CAP_CPUS);
    tsc_khz = (uint64_t)hv_capability(HV_CAP_TSC_KHZ);
    random_state = lab_argument("seed", 1) * 0x9e3779b97f4a7c15ULL + 1;
}

uint32_t lab_cpus(void)
{
    return cpus;
}

uint64_t lab_ms(void)
{
    return tsc_khz;
}

uint64_t lab_now(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

uint64_t lab_argument(const char *name, uint64_t otherwise)
{
    size_t length = strlen(name);
    for (const char *at = strstr(start_info.cmdline, name); at; at = strstr(at + 1, name))
        if (at[length] == '=' && (at == start_info.cmdline || at[-1] == ' '))
            return strtoull(at + length + 1, NULL, 0);
    return otherwise;
}

uint64_t lab_random(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % below;
}

struct hv_system_info lab_system(void)
{
    struct hv_system_info info;
    if (call_system_info(&info))
        check_abort("SYSTEM_INFO fails");
    return info;
}

gpa_t lab_pages(uint64_t count, uint64_t align)
{
    gpa_t at = (arena.start + align - 1) & ~(align - 1);
    if (at + count * PAGE > arena.end)
        check_abort("%llu pages are not there: %#llx to %#llx", (unsigned long long)count,
                    (unsigned long long)arena.start, (unsigned long long)arena.end);
    arena.start = at + count * PAGE;
    return at;
}

void *lab_at(gpa_t gpa)
{
    return start_view(gpa, PAGE);
}

uint64_t lab_pages_left(void)
{
    return (arena.end - arena.start) / PAGE;
}

gpa_t lab_notify_page(void)
{
    return start_gpa(&notify_page);
}

/* ---- notifications ---- */

static void take(void)
{
    struct hv_notify *n = &notify_page.notify;
    uint64_t selector = __atomic_exchange_n(&n->selector, 0, __ATOMIC_SEQ_CST);
    for (unsigned w = 0; w < 64; w++)
        if (selector >> w & 1)
            seen[w] |= __atomic_exchange_n(&n->pending[w], 0, __ATOMIC_SEQ_CST);
}

bool lab_notified(uint32_t number)
{
    uint64_t bit = 1ULL << number % 64;
    take();
    bool is = seen[number / 64] & bit;
    seen[number / 64] &= ~bit;
    return is;
}

bool lab_wait(uint32_t number, uint64_t ms)
{
    uint64_t end = lab_now() + ms * tsc_khz;
    while (!lab_notified(number)) {
        if (lab_now() >= end)
            return false;
        int64_t result = hv_notify_wait(lab_now() + WAIT_STEP_MS * tsc_khz);
        if (result && result != -HV_ETIME)
            check_abort("NOTIFY_WAIT returns %d", (int)result);
    }
    return true;
}

void lab_sleep(uint64_t ms)
{
    uint64_t end = lab_now() + ms * tsc_khz;
    do {
        (void)hv_notify_wait(end);
        take();
    } while (lab_now() < end);
}

void guest_until(const struct guest *g, uint32_t vcpu, enum hv_vcpu_state state)
{
    uint64_t end = lab_now() + 5000 * tsc_khz;
    while (guest_state(g, vcpu) != state) {
        if (lab_now() > end)
            check_abort("vCPU %u is in state %d, not %d; command %d, count %d", vcpu, guest_state(g, vcpu),
                        state, (int)guest_box(g, vcpu)->command, (int)guest_box(g, vcpu)->counter);
        (void)hv_notify_wait(lab_now() + tsc_khz / 4);
        take();
    }
}

/* ---- audit ---- */

struct audit lab_audit(void)
{
    struct hv_system_info system = lab_system();
    struct hv_domain_info own;
    if (call_domain_info(HV_DOMAIN_SELF, &own))
        check_abort("DOMAIN_INFO fails");
    return (struct audit){system.pool_free, own.memory_pages, system.domains};
}

void lab_audit_check(const struct audit *before, const char *what)
{
    struct audit now = lab_audit();
    CHECK_CASE(now.pool_free, before->pool_free, "%s: free pool", what);
    CHECK_CASE(now.memory_pages, before->memory_pages, "%s: pages of the manager", what);
    CHECK_CASE(now.domains, before->domains, "%s: domains", what);
}
