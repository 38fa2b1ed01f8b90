/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same calls by others: a domain without rights, a manager of the second level, CPL 3, 32-bit
 * code, a wrong magic; and results that say everything they should and nothing else.
 */
#include "tests/manager/abi.h"

#include <string.h>

#define RAX(number) ((uint64_t)HV_CALL_MAGIC << 32 | (number))
#define VECTOR_UD   6U
#define USER_ENTRY  (AGENT_CODE + 16)
#define COMPAT      (AGENT_CODE + 32)

static struct abi_caller caller_of(struct guest *g)
{
    return (struct abi_caller){.guest = g,
                               .struct_page = AGENT_SCRATCH,
                               .own_page = AGENT_SCRATCH,
                               .good = abi_good()->id,
                               .other = abi_good()->id};
}

static bool for_everybody(uint32_t number)
{
    return abi_calls[number].may == 0;
}

static void without_rights(void)
{
    struct guest *g = guest_slot(2);
    uint64_t arg[6];
    g->may = 0;
    guest_start(g, "no rights", 1);
    struct abi_caller c = caller_of(g);
    uint64_t before = abi_snapshot();
    for (uint32_t number = 0; number < HV_CALL_COUNT; number++) {
        if (!abi_calls[number].name || for_everybody(number))
            continue;
        abi_prepare(&c, number, arg);
        CHECK_CASE(abi_call_raw(&c, RAX(number), arg), -HV_EPERM, "%s without rights",
                   abi_calls[number].name);
    }
    memset(arg, 0, sizeof(arg));
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_VERSION), arg), HV_ABI_VERSION);
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_CAPABILITY), arg), hv_capability(HV_CAP_MAX_DOMAINS));
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_NOTIFY_WAIT), arg), -(uint64_t)HV_EINVAL);
    /* Shared memory is not its own: it cannot hold a notification page. */
    arg[0] = AGENT_SCRATCH;
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_NOTIFY_PAGE), arg), -(uint64_t)HV_EFAULT);
    CHECK_EQ(abi_snapshot(), before);
    CHECK_EQ(guest_destroy(g), 0);
}

static void from_other_modes(void)
{
    struct guest *g = guest_slot(2);
    struct hv_sregs s;
    struct hv_regs r;
    g->may = HV_MAY_ALL;
    for (uint32_t number = 0; number < HV_CALL_COUNT; number++) {
        if (!abi_calls[number].name && number != HV_CALL_COUNT - 1)
            continue;
        guest_start(g, "user", 1);
        CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_SREGS, &s, sizeof(s)), 0);
        CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
        s.cs.selector |= 3;
        s.ss.selector |= 3;
        s.cs.access |= 0x60;
        s.ss.access |= 0x60;
        r.rip = USER_ENTRY;
        r.rflags = 0x3002; /* IOPL 3 */
        r.rax = RAX(number);
        r.rdi = AGENT_SCRATCH;
        r.rsp = AGENT_STACKS + PAGE;
        CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_SREGS, &s, sizeof(s)), 0);
        /* COMPLETE ends the OUT that it is in service for: RIP moves on by its one byte. */
        r.rip = USER_ENTRY - 1;
        CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
        CHECK_EQ(hv_vcpu_complete(g->id, 0), 0);
        guest_done(g, 0);
        CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
        CHECK_CASE((int64_t)r.rax, -HV_EPERM, "call %#x from CPL 3", number);
        CHECK_EQ(guest_destroy(g), 0);
    }
    g->may = 0;
}

/* Tracing is domain 0's, whatever rights another one has. */
static void traced_by_another(void)
{
    struct guest *g = guest_slot(2);
    uint64_t arg[6];
    g->may = HV_MAY_SYSTEM;
    guest_start(g, "system", 1);
    struct abi_caller c = caller_of(g);
    for (uint64_t op = HV_TRACE_START; op <= HV_TRACE_FREE; op++) {
        abi_prepare(&c, HV_CALL_TRACE_CONTROL, arg);
        arg[0] = op;
        CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_TRACE_CONTROL), arg), -(uint64_t)HV_EPERM);
    }
    CHECK_EQ(guest_destroy(g), 0);
    g->may = 0;
}

static void wrong_magic(void)
{
    static const uint64_t none[6];
    struct guest *g = guest_slot(2);
    guest_start(g, "magic", 1);
    const uint64_t bad[] = {
        0, 1, HV_CALL_MAGIC, (HV_CALL_MAGIC + 1ULL) << 32, (HV_CALL_MAGIC ^ 0x80000000ULL) << 32, UINT64_MAX};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)guest_call(g, 0, bad[i], none);
        CHECK_EQ(guest_box(g, 0)->vector, 0x100 | VECTOR_UD);
    }
    (void)guest_call(g, 0, RAX(HV_CALL_VERSION), none);
    CHECK_EQ(guest_box(g, 0)->vector, 0);
    CHECK_EQ(guest_destroy(g), 0);
}

static void from_compatibility_mode(void)
{
    struct guest *g = guest_slot(2);
    struct hv_sregs s;
    struct hv_regs r = {.rax = RAX(0), .rip = COMPAT - 1, .rflags = 2};
    guest_start(g, "compat", 1);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_SREGS, &s, sizeof(s)), 0);
    s.cs.access = 0xc09b;
    s.cs.selector = 24;
    r.rsp = AGENT_STACKS + PAGE - 64;
    guest_box(g, 0)->rsp = r.rsp; /* where the exception goes on; what it finds there ends it */
    guest_box(g, 0)->vector = 0;
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_SREGS, &s, sizeof(s)), 0);
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
    CHECK_EQ(hv_vcpu_complete(g->id, 0), 0);
    for (unsigned i = 0; i < 1000 && !guest_box(g, 0)->vector; i++)
        lab_sleep(1);
    CHECK_EQ(guest_box(g, 0)->vector & 0xfff, 0x100 | VECTOR_UD);
    CHECK_EQ(guest_box(g, 0)->rip, COMPAT);
    CHECK_EQ(guest_destroy(g), 0);
}

/* Calls of a second-level manager on what is not its own. */
static void second_level(void)
{
    struct guest *g = guest_slot(2);
    uint64_t arg[6];
    g->may = HV_MAY_DOMAINS;
    guest_start(g, "second", 1);
    struct abi_caller c = caller_of(g);
    (void)abi_snapshot();
    uint64_t before = abi_snapshot();
    for (uint32_t number = 0; number < HV_CALL_COUNT; number++) {
        const struct abi_call *call = &abi_calls[number];
        if (!call->name || for_everybody(number))
            continue;
        if (call->may == HV_MAY_SYSTEM) {
            abi_prepare(&c, number, arg);
            CHECK_CASE(abi_call_raw(&c, RAX(number), arg), -HV_EPERM, "%s by the second level", call->name);
            continue;
        }
        const uint64_t foreign[] = {abi_good()->id, 0, g->id};
        for (size_t i = 0; call->domain_at >= 0 && i < sizeof(foreign) / sizeof(foreign[0]); i++) {
            abi_prepare(&c, number, arg);
            arg[call->domain_at] = foreign[i];
            CHECK_CASE(abi_call_raw(&c, RAX(number), arg), -HV_EPERM, "%s on foreign domain %llu", call->name,
                       (unsigned long long)foreign[i]);
        }
    }
    abi_prepare(&c, HV_CALL_DOMAIN_CREATE, arg);
    ((struct hv_domain_create *)(void *)abi_struct(&c))->may = HV_MAY_SYSTEM;
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_DOMAIN_CREATE), arg), -(uint64_t)HV_EPERM);
    CHECK_EQ(abi_snapshot(), before);
    abi_prepare(&c, HV_CALL_DOMAIN_INFO, arg);
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_DOMAIN_INFO), arg), 0);
    arg[0] = HV_DOMAIN_SELF;
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_DOMAIN_INFO), arg), 0);
    CHECK_EQ(((struct hv_domain_info *)(void *)abi_struct(&c))->domain, g->id);
    CHECK_EQ(guest_destroy(g), 0);
    g->may = 0;
}

/* It makes a domain of its own, which it manages, and without which it cannot be destroyed. */
static void grandchild(void)
{
    struct guest *g = guest_slot(2);
    uint64_t arg[6];
    struct audit audit = lab_audit();
    g->may = HV_MAY_DOMAINS;
    guest_start(g, "parent", 1);
    struct abi_caller c = caller_of(g);
    abi_prepare(&c, HV_CALL_DOMAIN_CREATE, arg);
    int64_t id = abi_call_raw(&c, RAX(HV_CALL_DOMAIN_CREATE), arg);
    CHECK(id > 0);
    struct hv_domain_info info;
    CHECK_EQ(call_domain_info((uint32_t)id, &info), 0);
    CHECK_EQ(guest_destroy(g), -(uint64_t)HV_EBUSY);
    c.good = (uint32_t)id;
    /* Its own memory can be shared; from its notion of addresses, not from the machine's. */
    abi_prepare(&c, HV_CALL_MEM_SHARE, arg);
    ((struct hv_mem *)(void *)abi_struct(&c))->own = AGENT_STACKS;
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_MEM_SHARE), arg), 1);
    abi_prepare(&c, HV_CALL_MEM_SHARE, arg);
    ((struct hv_mem *)(void *)abi_struct(&c))->own = AGENT_SCRATCH; /* the manager's */
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_MEM_SHARE), arg), -(uint64_t)HV_EFAULT);
    /* A page that is shared on cannot be taken from it. */
    CHECK_EQ(hv_mem_unmap(g->id, AGENT_STACKS, 1), -(uint64_t)HV_EBUSY);
    abi_prepare(&c, HV_CALL_VCPU_CREATE, arg);
    arg[1] = 0;
    arg[2] = AGENT_PD;
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_VCPU_CREATE), arg), 0);
    CHECK_EQ(hv_mem_unmap(g->id, AGENT_PD, 1), -(uint64_t)HV_EBUSY);
    /* Domain 0 may do everything with it. */
    CHECK_EQ(hv_domain_pause((uint32_t)id), 0);
    CHECK_EQ(hv_domain_resume((uint32_t)id), 0);
    abi_prepare(&c, HV_CALL_DOMAIN_DESTROY, arg);
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_DOMAIN_DESTROY), arg), 0);
    CHECK_EQ(call_domain_info((uint32_t)id, &info), -(uint64_t)HV_ESRCH);
    CHECK_EQ(guest_destroy(g), 0);
    g->may = 0;
    lab_audit_check(&audit, "grandchild");
}

/* Domain 0 alone can donate: a second-level manager could not say where it wants the pages back. */
static void second_level_donation(void)
{
    struct guest *g = guest_slot(2);
    uint64_t arg[6];
    struct audit audit = lab_audit();
    g->may = HV_MAY_DOMAINS;
    guest_start(g, "donor", 2);
    struct abi_caller c = caller_of(g);
    gpa_t stack = AGENT_STACKS + PAGE; /* of the idle vCPU 1 */
    gpa_t c_page = abi_resolve(&abi_manager, N(SERVICE_PAGE));
    *(uint64_t *)lab_at(c_page) = 1;
    abi_prepare(&c, HV_CALL_DOMAIN_CREATE, arg);
    int64_t id = abi_call_raw(&c, RAX(HV_CALL_DOMAIN_CREATE), arg);
    c.good = (uint32_t)id;
    abi_prepare(&c, HV_CALL_MEM_DONATE, arg);
    ((struct hv_mem *)(void *)abi_struct(&c))->own = stack;
    int64_t donated = abi_call_raw(&c, RAX(HV_CALL_MEM_DONATE), arg);
    struct hv_mem_query q = {.gpa = stack};
    CHECK_EQ(donated, -(uint64_t)HV_EPERM);
    CHECK_EQ(call_mem_query(g->id, &q), 0);
    /* Domain 0 gives to the grandchild; the second level takes it away, and it comes back. */
    struct hv_domain_info before = guest_domain(g);
    CHECK_EQ(call_mem_donate(c.good, c_page, AGENT_MEMORY, 1, 0), 1);
    abi_prepare(&c, HV_CALL_MEM_UNMAP, arg);
    CHECK_EQ(abi_call_raw(&c, RAX(HV_CALL_MEM_UNMAP), arg), 1);
    CHECK_EQ(guest_domain(g).memory_pages, before.memory_pages);
    CHECK_EQ(*(uint64_t *)lab_at(c_page), 0);
    CHECK_EQ(hv_domain_destroy((uint32_t)id), 0);
    CHECK_EQ(guest_destroy(g), 0);
    g->may = 0;
    lab_audit_check(&audit, "second-level donation");
}

/* The words of it that both times kept what was there before the call. */
static void untouched(const char *what, const uint8_t *a, const uint8_t *b, size_t size)
{
    size_t left = 0;
    for (size_t i = 0; i < size; i++)
        left += a[i] == 0xa5 && b[i] == 0x5a;
    CHECK_CASE((int64_t)left, 0, "%s: bytes that were not written", what);
    left = 0;
    for (size_t i = size; i < PAGE; i++)
        left += a[i] != 0xa5 || b[i] != 0x5a;
    CHECK_CASE((int64_t)left, 0, "%s: bytes behind it that were written", what);
}

static void poison_call(uint32_t number)
{
    static uint8_t result[2][PAGE];
    const struct abi_call *call = &abi_calls[number];
    uint64_t arg[6];
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *s = abi_struct(&abi_manager);
        abi_prepare(&abi_manager, number, arg);
        memset(s, i ? 0x5a : 0xa5, PAGE);
        memcpy(s, &(uint32_t){call->size}, sizeof(uint32_t));
        if (number == HV_CALL_MEM_QUERY)
            ((struct hv_mem_query *)(void *)s)->gpa = 0;
        CHECK_EQ(abi_call_raw(&abi_manager, RAX(number), arg), 0);
        memcpy(result[i], s, PAGE);
    }
    untouched(call->name, result[0], result[1], call->size);
}

static void poison_record(uint32_t kind, size_t size)
{
    static uint8_t result[2][PAGE];
    uint64_t arg[6];
    for (unsigned i = 0; i < 2; i++) {
        abi_prepare(&abi_manager, HV_CALL_VCPU_GET, arg);
        uint8_t *page = lab_at(arg[3]);
        memset(page, i ? 0x5a : 0xa5, PAGE);
        arg[2] = kind;
        arg[4] = size;
        CHECK_EQ(abi_call_raw(&abi_manager, RAX(HV_CALL_VCPU_GET), arg), 0);
        memcpy(result[i], page, PAGE);
    }
    untouched("record", result[0], result[1], size);
}

void abi_poison(void)
{
    for (uint32_t number = 0; number < HV_CALL_COUNT; number++)
        if (abi_calls[number].name && abi_calls[number].struct_at >= 0 &&
            (abi_calls[number].kind == OUT || number == HV_CALL_MEM_QUERY))
            poison_call(number);
    poison_record(HV_STATE_REGS, sizeof(struct hv_regs));
    poison_record(HV_STATE_SREGS, sizeof(struct hv_sregs));
    poison_record(HV_STATE_MSRS, sizeof(struct hv_msrs));
    poison_record(HV_STATE_EVENTS, sizeof(struct hv_events));
    poison_record(HV_STATE_XSAVE, abi_xsave_size());
}

void abi_callers(void)
{
    without_rights();
    from_other_modes();
    wrong_magic();
    traced_by_another();
    from_compatibility_mode();
    second_level();
    grandchild();
    second_level_donation();
}
