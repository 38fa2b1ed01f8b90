/* SPDX-License-Identifier: BSD-2-Clause */
/* The domains and pages that the names of abi.h stand for, and the snapshot of all that can be seen. */
#include "tests/manager/abi.h"

#include <string.h>

#include "guest_abi/hv_route.h"

#define OUTSIDE_GPA    (1ULL << 47)
#define HOLE_GPA       0x40000000ULL /* above the memory of every test machine */
#define HYPERVISOR_GPA 0x200000ULL   /* the image of the hypervisor */
#define XSAVE_HEADER   64U

struct abi_caller abi_manager;

static struct guest *good, *dead;
static uint32_t gone;
static gpa_t spare_page, read_only;
static uint32_t modules, xsave_size;
static uint64_t notifier;

struct guest *abi_good(void)
{
    return good;
}

uint32_t abi_xsave_size(void)
{
    return xsave_size;
}

static uint32_t probe_xsave(void)
{
    static uint8_t record[PAGE];
    for (uint32_t size = XSAVE_HEADER + 512; size <= PAGE; size += 8)
        if (!call_vcpu_get(good->id, 1, HV_STATE_XSAVE, record, size))
            return size;
    check_abort("no size of an XSAVE record is right");
}

void abi_world_build(void)
{
    struct hv_module_info m;
    struct guest *g = guest_slot(2);
    uint64_t arg[6];
    good = guest_slot(0);
    dead = guest_slot(1);
    spare_page = lab_pages(1, PAGE);
    abi_manager = (struct abi_caller){
        .struct_page = lab_pages(1, PAGE), .own_page = lab_pages(2, PAGE), .good = NOT_A_GUEST};
    guest_start(g, "gone", 1);
    gone = g->id;
    guest_start(dead, "dead", 2);
    guest_go(dead, 0, AGENT_TRIPLE, 0, 0, 0, 0);
    guest_dead(dead);
    CHECK_EQ(hv_vcpu_stop(dead->id, 1), 0);
    if (guest_build(good, "good", 2) || hv_vcpu_start(good->id, 0))
        check_abort("no good domain");
    guest_done(good, 0);
    abi_manager.good = good->id;
    CHECK_EQ(guest_destroy(g), 0);
    modules = lab_system().modules;
    if (call_module_info(1, &m) || m.length < PAGE)
        check_abort("no read-only module");
    read_only = m.start;
    xsave_size = probe_xsave();
    abi_prepare(&abi_manager, HV_CALL_NOTIFIER_CREATE, arg);
    *(struct hv_notifier *)(void *)abi_struct(&abi_manager) = (struct hv_notifier){
        .size = sizeof(struct hv_notifier), .kind = HV_NOTIFIER_NOTIFY, .number = HV_NOTIFY_COUNT - 1};
    notifier = (uint64_t)hv_call1(HV_CALL_NOTIFIER_CREATE, arg[0]);
    CHECK((int64_t)notifier > 0);
}

void abi_world_destroy(void)
{
    CHECK_EQ(guest_destroy(good), 0);
    CHECK_EQ(guest_destroy(dead), 0);
    CHECK_EQ(hv_call1(HV_CALL_NOTIFIER_CLOSE, notifier), 0);
}

static uint64_t base_of(const struct abi_caller *c, enum abi_name name)
{
    switch (name) {
    case GOOD:
        return c->good;
    case DEAD:
        return dead->id;
    case GONE:
        return gone;
    case OTHER:
        return c->other;
    case STRUCT:
        return c->struct_page;
    case OWN_PAGE:
        return c->own_page;
    case RESULT_PAGE:
        return c->own_page + PAGE;
    case SERVICE_PAGE:
        return spare_page;
    case PINNED:
        return good->service;
    case SHARED:
        return good->mailbox;
    case DONATED:
        return good->memory;
    case READ_ONLY:
        return read_only;
    case HYPERVISOR:
        return HYPERVISOR_GPA;
    case HOLE:
        return HOLE_GPA;
    case OUTSIDE:
        return OUTSIDE_GPA;
    case MODULES:
        return modules;
    case CPUS:
        return lab_cpus();
    case NOTIFIER:
        return notifier;
    }
    check_abort("no such name: %d", name);
}

uint64_t abi_resolve(const struct abi_caller *c, uint64_t value)
{
    if (value >> 48 != NAME_TAG >> 48)
        return value;
    return base_of(c, (enum abi_name)(value & 0xff)) + (value >> 8 & 0xffffff);
}

uint8_t *abi_struct(const struct abi_caller *c)
{
    return c->guest ? guest_scratch(c->guest) : lab_at(c->struct_page);
}

void abi_prepare(const struct abi_caller *c, uint32_t number, uint64_t arg[6])
{
    const struct abi_call *call = &abi_calls[number];
    uint8_t *s = abi_struct(c);
    memset(s, 0, PAGE);
    memcpy(s, &(uint32_t){call->size}, sizeof(uint32_t));
    for (unsigned i = 0; i < call->fields; i++) {
        uint64_t value = abi_resolve(c, call->field[i].value);
        memcpy(s + call->field[i].offset, &value, call->field[i].width);
    }
    for (unsigned i = 0; i < 6; i++)
        arg[i] = i < call->args ? abi_resolve(c, call->arg[i]) : 0xdeadbeefdeadbeefULL;
}

int64_t abi_call_raw(const struct abi_caller *c, uint64_t rax, const uint64_t arg[6])
{
    if (c->guest)
        return guest_call(c->guest, 0, rax, arg);
    register uint64_t r10 __asm__("r10") = arg[3];
    register uint64_t r8 __asm__("r8") = arg[4];
    register uint64_t r9 __asm__("r9") = arg[5];
    __asm__ volatile("vmcall"
                     : "+a"(rax)
                     : "D"(arg[0]), "S"(arg[1]), "d"(arg[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "memory", "cc");
    return (int64_t)rax;
}

/* ---- the snapshot: FNV-1a over everything but times and counters ---- */

static uint64_t hash(uint64_t h, const void *data, size_t size)
{
    const uint8_t *byte = data;
    for (size_t i = 0; i < size; i++)
        h = (h ^ byte[i]) * 0x100000001b3ULL;
    return h;
}

static uint64_t hash_vcpu(uint64_t h, uint32_t domain, uint32_t vcpu)
{
    static union {
        struct hv_regs regs;
        struct hv_sregs sregs;
        struct hv_msrs msrs;
        struct hv_events events;
        uint8_t xsave[PAGE];
    } r;
    static const size_t size[] = {sizeof(r.regs), sizeof(r.sregs), sizeof(r.msrs), 0, sizeof(r.events)};
    struct hv_vcpu_info v;
    int64_t result = call_vcpu_info(domain, vcpu, &v);
    h = hash(h, &result, sizeof(result));
    if (result)
        return h;
    const uint64_t fields[] = {v.state, v.cpu, v.priority, v.affinity, v.slice_us};
    h = hash(h, fields, sizeof(fields));
    for (uint32_t kind = HV_STATE_REGS; kind <= HV_STATE_EVENTS; kind++) {
        size_t n = kind == HV_STATE_XSAVE ? xsave_size : size[kind];
        result = n ? call_vcpu_get(domain, vcpu, (enum hv_state_kind)kind, &r, n) : 0;
        if (kind == HV_STATE_MSRS)
            r.msrs.tsc = 0;
        h = hash(h, &result, sizeof(result));
        h = hash(h, &r, n);
    }
    return h;
}

static uint64_t hash_domain(uint64_t h, uint32_t domain)
{
    static const gpa_t places[] = {0, 0x5000, AGENT_MAILBOX, AGENT_SCRATCH, AGENT_MEMORY};
    struct hv_domain_info info;
    int64_t result = call_domain_info(domain, &info);
    h = hash(h, &result, sizeof(result));
    h = hash(h, &info, sizeof(info));
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct hv_mem_query q = {.gpa = places[i]};
        result = call_mem_query(domain, &q);
        h = hash(h, &result, sizeof(result));
        h = hash(h, &q, sizeof(q));
    }
    for (uint32_t v = 0; v < 3; v++)
        h = hash_vcpu(h, domain, v);
    return h;
}

uint64_t abi_snapshot(void)
{
    uint32_t ids[16];
    struct hv_system_info system = lab_system();
    struct hv_domain_info own;
    uint64_t h = 0xcbf29ce484222325ULL;
    int64_t n = call_domain_list(0, ids, 16);
    const uint64_t numbers[] = {system.pool_free, system.domains, (uint64_t)n};
    h = hash(h, numbers, sizeof(numbers));
    h = hash(h, ids, (size_t)n * sizeof(ids[0]));
    (void)call_domain_info(HV_DOMAIN_SELF, &own);
    h = hash(h, &own, sizeof(own));
    h = hash_domain(h, good->id);
    return hash_domain(h, dead->id);
}
