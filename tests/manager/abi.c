/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call with every argument and field at values that it must refuse: the exact error, and
 * nothing that can be seen has changed. Rows by hand are in abi_table.c; the rest is made here from
 * what the table says about the calls. Other callers than the manager: abi_callers.c.
 */
#include "tests/manager/abi.h"

#include <string.h>

#define RAX(number) ((uint64_t)HV_CALL_MAGIC << 32 | (number))

static uint64_t before;

static void expect(uint32_t number, const uint64_t arg[6], int64_t want, const char *what, uint64_t value)
{
    int64_t got = abi_call_raw(&abi_manager, RAX(number), arg);
    CHECK_CASE(got, want, "%s, %s %#llx", abi_calls[number].name, what, (unsigned long long)value);
    uint64_t after = abi_snapshot();
    if (!CHECK_CASE((int64_t)after, (int64_t)before, "%s, %s %#llx: state changed", abi_calls[number].name,
                    what, (unsigned long long)value))
        before = after;
}

static void by_hand(void)
{
    uint64_t arg[6];
    for (uint32_t i = 0; i < abi_row_count; i++) {
        const struct abi_row *r = &abi_rows[i];
        uint64_t value = abi_resolve(&abi_manager, r->value);
        abi_prepare(&abi_manager, r->number, arg);
        if (r->arg == ARG_NONE)
            memcpy(abi_struct(&abi_manager) + r->offset, &value, r->width);
        else
            arg[r->arg] = value;
        expect(r->number, arg, r->want, r->arg == ARG_NONE ? "field" : "argument", value);
    }
}

static const struct {
    uint64_t value;
    int16_t want;
} bad_domains[] = {
    {0, -HV_EPERM}, /* the manager itself */
    {N(GONE), -HV_ESRCH},
    {255, -HV_ESRCH},
    {256, -HV_ESRCH},
    {NPLUS(GOOD, 256), -HV_ESRCH},
    {NPLUS(GOOD, 0x10000), -HV_ESRCH},
    {1ULL << 32, -HV_ESRCH},
    {HV_DOMAIN_SELF, -HV_ESRCH},
    {UINT64_MAX, -HV_ESRCH},
};
static const uint64_t bad_vcpus[] = {2,   AGENT_VCPUS - 1, AGENT_VCPUS, 63, 64, 65,
                                     256, 1ULL << 32,      UINT64_MAX};

static void targets(uint32_t number)
{
    const struct abi_call *call = &abi_calls[number];
    uint64_t arg[6];
    for (size_t i = 0; call->domain_at >= 0 && i < sizeof(bad_domains) / sizeof(bad_domains[0]); i++) {
        abi_prepare(&abi_manager, number, arg);
        arg[call->domain_at] = abi_resolve(&abi_manager, bad_domains[i].value);
        expect(number, arg, bad_domains[i].want, "domain", arg[call->domain_at]);
    }
    for (size_t i = 0; call->vcpu_at >= 0 && i < sizeof(bad_vcpus) / sizeof(bad_vcpus[0]); i++) {
        abi_prepare(&abi_manager, number, arg);
        arg[call->vcpu_at] = bad_vcpus[i];
        expect(number, arg, -HV_ESRCH, "vcpu", bad_vcpus[i]);
    }
}

/* The structure at places where it may not be. */
static void places(uint32_t number)
{
    const struct abi_call *call = &abi_calls[number];
    gpa_t page = abi_manager.struct_page;
    const struct {
        uint64_t at;
        int64_t want;
    } bad[] = {
        {page + 1, -HV_EINVAL},
        {page + 4, -HV_EINVAL},
        {page + 7, -HV_EINVAL},
        {page + PAGE - 8, -HV_EFAULT},
        {page + PAGE - call->size + 8, -HV_EFAULT},
        {abi_resolve(&abi_manager, N(HOLE)), -HV_EFAULT},
        {abi_resolve(&abi_manager, N(HYPERVISOR)), -HV_EFAULT},
        {abi_resolve(&abi_manager, N(DONATED)), -HV_EFAULT},
        {abi_resolve(&abi_manager, N(OUTSIDE)), -HV_EFAULT},
        {1ULL << 52, -HV_EFAULT},
        {UINT64_MAX, -HV_EINVAL},
        {UINT64_MAX - 7, -HV_EFAULT},
        {UINT64_MAX - 4095, -HV_EFAULT},
    };
    uint64_t arg[6];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        abi_prepare(&abi_manager, number, arg);
        arg[call->struct_at] = bad[i].at;
        expect(number, arg, bad[i].want, "structure at", bad[i].at);
    }
    if (call->kind == IN)
        return;
    abi_prepare(&abi_manager, number, arg);
    arg[call->struct_at] = abi_resolve(&abi_manager, N(READ_ONLY)) + call->read_only_at;
    expect(number, arg, -HV_EFAULT, "read-only structure at", arg[call->struct_at]);
}

static void sizes(uint32_t number)
{
    const struct abi_call *call = &abi_calls[number];
    const uint32_t bad[] = {0,
                            1,
                            call->size - 1U,
                            call->size + 1U,
                            call->size + 8U,
                            call->size | 1U << 16,
                            call->size | 1U << 31,
                            UINT32_MAX};
    uint64_t arg[6];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        abi_prepare(&abi_manager, number, arg);
        memcpy(abi_struct(&abi_manager), &bad[i], sizeof(bad[i]));
        expect(number, arg, -HV_EINVAL, "structure of size", bad[i]);
    }
}

static void numbers(void)
{
    static const uint64_t none[6];
    for (uint32_t number = 0; number < HV_CALL_COUNT; number++) {
        if (!abi_calls[number].name)
            CHECK_CASE(abi_call_raw(&abi_manager, RAX(number), none), -HV_ENOSYS, "number %#x", number);
    }
    const uint32_t beyond[] = {HV_CALL_COUNT, HV_CALL_COUNT + 1, 0x80,      0x100,
                               0x7fffffff,    0x80000000,        UINT32_MAX};
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
        CHECK_CASE(abi_call_raw(&abi_manager, RAX(beyond[i]), none), -HV_ENOSYS, "number %#x", beyond[i]);
}

/* Each call of the interface has its line, and its rows unless nothing can be wrong with it. */
static void nothing_forgotten(void)
{
    static const uint8_t calls[] = {
        HV_CALL_VERSION,         HV_CALL_CAPABILITY,      HV_CALL_SYSTEM_INFO,    HV_CALL_MODULE_INFO,
        HV_CALL_LOG_READ,        HV_CALL_CONSOLE_WRITE,   HV_CALL_CONSOLE_READ,   HV_CALL_SHUTDOWN,
        HV_CALL_CPU_INFO,        HV_CALL_DOMAIN_CREATE,   HV_CALL_DOMAIN_DESTROY, HV_CALL_DOMAIN_PAUSE,
        HV_CALL_DOMAIN_RESUME,   HV_CALL_DOMAIN_INFO,     HV_CALL_DOMAIN_LIST,    HV_CALL_DOMAIN_CLAIM,
        HV_CALL_DOMAIN_UNCLAIM,  HV_CALL_VCPU_CREATE,     HV_CALL_VCPU_START,     HV_CALL_VCPU_STOP,
        HV_CALL_VCPU_GET,        HV_CALL_VCPU_SET,        HV_CALL_VCPU_AFFINITY,  HV_CALL_VCPU_PRIORITY,
        HV_CALL_VCPU_INJECT,     HV_CALL_VCPU_KICK,       HV_CALL_VCPU_INFO,      HV_CALL_VCPU_COMPLETE,
        HV_CALL_VCPU_APIC,       HV_CALL_MEM_DONATE,      HV_CALL_MEM_SHARE,      HV_CALL_MEM_UNMAP,
        HV_CALL_MEM_QUERY,       HV_CALL_NOTIFY_PAGE,     HV_CALL_NOTIFY_WAIT,    HV_CALL_IRQ_LINE,
        HV_CALL_SIGNAL_MSI,      HV_CALL_NOTIFIER_SIGNAL, HV_CALL_NOTIFIER_READ,  HV_CALL_ROUTE_MSI,
        HV_CALL_IRQCHIP_CONFIG,  HV_CALL_IRQCHIP_GET,     HV_CALL_IRQCHIP_SET,    HV_CALL_ROUTE_SET,
        HV_CALL_ROUTE_REPLACE,   HV_CALL_ROUTE_GET,       HV_CALL_ROUTE_LOOKUP,   HV_CALL_ROUTE_STATS,
        HV_CALL_NOTIFIER_CREATE, HV_CALL_NOTIFIER_CLOSE,  HV_CALL_NOTIFIER_BIND,  HV_CALL_NOTIFIER_GRANT,
        HV_CALL_NOTIFIER_INFO,   HV_CALL_NOTIFIER_LIST,   HV_CALL_DOORBELL_ADD,   HV_CALL_DOORBELL_REMOVE,
        HV_CALL_PIRQ_BIND,       HV_CALL_PIRQ_UNBIND,     HV_CALL_PIRQ_ACK,       HV_CALL_PIRQ_GIVE,
        HV_CALL_PIRQ_INFO,       HV_CALL_EOI_VECTORS,     HV_CALL_TRACE_CONTROL,  HV_CALL_TRACE_READ,
        HV_CALL_ROUTE_LATENCY};
    uint32_t lines = 0;
    for (uint32_t i = 0; i < HV_CALL_COUNT; i++)
        lines += abi_calls[i].name != NULL;
    CHECK_EQ(lines, sizeof(calls));
    for (size_t i = 0; i < sizeof(calls); i++) {
        uint32_t number = calls[i], rows = 0;
        const struct abi_call *c = &abi_calls[number];
        CHECK_CASE(c->name != NULL, true, "call %#x has a line", number);
        for (uint32_t r = 0; r < abi_row_count; r++)
            rows += abi_rows[r].number == number;
        bool made = c->domain_at >= 0 || c->struct_at >= 0;
        CHECK_CASE(rows || made || number == HV_CALL_VERSION, true, "call %#x has rows", number);
    }
}

/* Values at their ends that are right: what the refused ones are next to. */
static void limits(void)
{
    struct hv_domain_create c = {.max_vcpus = (uint32_t)hv_capability(HV_CAP_MAX_VCPUS),
                                 .may = HV_MAY_ALL,
                                 .name = "abcdefghijklmnopqrstuvwxyz ~!01"};
    int64_t id = call_domain_create(&c);
    CHECK(id > 0);
    uint32_t d = (uint32_t)id;
    gpa_t page = abi_resolve(&abi_manager, N(SERVICE_PAGE));
    CHECK_EQ(hv_vcpu_create(d, 63, page), 0);
    CHECK_EQ(hv_vcpu_create(d, 63, page), -(uint64_t)HV_EEXIST);
    CHECK_EQ(hv_vcpu_create(d, 0, page), 0); /* one page for two: their own business */
    CHECK_EQ(hv_vcpu_priority(d, 63, 255, 1000000), 0);
    CHECK_EQ(hv_vcpu_priority(d, 63, 0, 1), 0);
    CHECK_EQ(hv_vcpu_affinity(d, 63, UINT64_MAX), 0);
    CHECK_EQ(hv_vcpu_inject(d, 63, HV_INJECT_EXTERNAL, 16, 0), 0);
    CHECK_EQ(hv_vcpu_inject(d, 63, HV_INJECT_EXTERNAL, 255, 0), 0);
    CHECK_EQ(hv_vcpu_inject(d, 63, HV_INJECT_NMI, 0, 0), 0);
    CHECK_EQ(hv_vcpu_inject(d, 63, HV_INJECT_EXCEPTION, 32, 0), -(uint64_t)HV_EINVAL);
    CHECK_EQ(hv_vcpu_inject(d, 63, HV_INJECT_EXCEPTION, 2, 0), -(uint64_t)HV_EINVAL);
    CHECK_EQ(hv_vcpu_inject(d, 63, HV_INJECT_EXCEPTION, 3, 1), -(uint64_t)HV_EINVAL);
    CHECK_EQ(hv_vcpu_inject(d, 63, HV_INJECT_EXCEPTION, 13, 0x10000), -(uint64_t)HV_EINVAL);
    CHECK_EQ(hv_vcpu_inject(d, 63, HV_INJECT_EXCEPTION, 6, 0), 0);
    CHECK_EQ(hv_vcpu_inject(d, 63, HV_INJECT_EXCEPTION, 6, 0), -(uint64_t)HV_EBUSY);
    uint32_t claims = 0;
    while (!call_domain_claim(d, HV_CLAIM_PIO, 2 * claims, 1))
        claims++;
    CHECK_EQ(claims, 128);
    CHECK_EQ(call_domain_claim(d, HV_CLAIM_PIO, 0xffff, 1), -(uint64_t)HV_ENOSPC);
    CHECK_EQ(call_domain_claim(d, HV_CLAIM_PIO, 0, 1), -(uint64_t)HV_EEXIST);
    for (uint32_t i = 0; i < claims; i++)
        CHECK_EQ(call_domain_unclaim(d, HV_CLAIM_PIO, 2 * i, 1), 0);
    CHECK_EQ(call_domain_claim(d, HV_CLAIM_PIO, 0, 0x10000), 0);
    CHECK_EQ(call_domain_claim(d, HV_CLAIM_MMIO, 0, 1ULL << 47), 0);
    CHECK_EQ(hv_domain_destroy(d), 0);
}

void test_abi(void)
{
    abi_world_build();
    nothing_forgotten();
    limits();
    /* All of this is traced, so that exits have gone that way, too. */
    CHECK_EQ(hv_call4(HV_CALL_TRACE_CONTROL, HV_TRACE_START, 1, UINT64_MAX, 0x1fe), 0);
    (void)abi_snapshot();
    before = abi_snapshot();
    CHECK_EQ(abi_snapshot(), before);
    numbers();
    by_hand();
    for (uint32_t number = 0; number < HV_CALL_COUNT; number++) {
        if (!abi_calls[number].name)
            continue;
        targets(number);
        if (abi_calls[number].struct_at >= 0) {
            places(number);
            sizes(number);
        }
    }
    abi_poison();
    abi_callers();
    abi_dying();
    CHECK_EQ(hv_call4(HV_CALL_TRACE_CONTROL, HV_TRACE_FREE, 0, 0, 0), 0);
    abi_world_destroy();
}
