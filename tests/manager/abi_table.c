/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every call takes and what it says to each wrong value. A row is one change of a call that is
 * valid otherwise, so that no error hides another. Rows that hold for all calls of a kind (domain
 * and vCPU numbers, places and sizes of structures) are not here: abi.c makes them.
 */
#include "tests/manager/abi.h"
#include "tests/manager/abi_irq.h"

#define F(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define ONES            UINT64_MAX
#define UPPER           (1ULL << 32)
#define MEM_FIELDS                                                                                           \
    4,                                                                                                       \
    {                                                                                                        \
        {F(hv_mem, flags), HV_MEM_WRITE}, {F(hv_mem, own), N(OWN_PAGE)}, {F(hv_mem, target), AGENT_MEMORY},  \
        {                                                                                                    \
            F(hv_mem, pages), 1                                                                              \
        }                                                                                                    \
    }
#define CLAIM_FIELDS                                                                                         \
    2,                                                                                                       \
    {                                                                                                        \
        {F(hv_claim, base), 0x100},                                                                          \
        {                                                                                                    \
            F(hv_claim, length), 8                                                                           \
        }                                                                                                    \
    }
#define NO_STRUCT -1
#define NO_TARGET -1, -1
#define ON_DOMAIN 0, -1
#define ON_VCPU   0, 1

const struct abi_call abi_calls[HV_CALL_COUNT] = {
    [HV_CALL_VERSION] = {"VERSION", {0}, 0, NO_STRUCT, NO_TARGET, IN, 0, 0, 0, 0, {{0}}},
    [HV_CALL_CAPABILITY] = {"CAPABILITY", {0}, 1, NO_STRUCT, NO_TARGET, IN, 0, 0, 0, 0, {{0}}},
    [HV_CALL_SYSTEM_INFO] =
        {"SYSTEM_INFO", {N(STRUCT)}, 1, 0, NO_TARGET, OUT, 184, 0, HV_MAY_SYSTEM, 0, {{0}}},
    [HV_CALL_MODULE_INFO] =
        {"MODULE_INFO", {0, N(STRUCT)}, 2, 1, NO_TARGET, OUT, 288, 512, HV_MAY_SYSTEM, 0, {{0}}},
    [HV_CALL_LOG_READ] = {"LOG_READ",
                          {N(STRUCT)},
                          1,
                          0,
                          NO_TARGET,
                          INOUT,
                          32,
                          1024,
                          HV_MAY_SYSTEM,
                          2,
                          {{F(hv_log_read, length), 64}, {F(hv_log_read, buffer), N(RESULT_PAGE)}}},
    [HV_CALL_CONSOLE_WRITE] =
        {"CONSOLE_WRITE", {N(OWN_PAGE), 0}, 2, NO_STRUCT, NO_TARGET, IN, 0, 0, HV_MAY_SYSTEM, 0, {{0}}},
    [HV_CALL_CONSOLE_READ] =
        {"CONSOLE_READ", {N(RESULT_PAGE), 0}, 2, NO_STRUCT, NO_TARGET, IN, 0, 0, HV_MAY_SYSTEM, 0, {{0}}},
    [HV_CALL_SHUTDOWN] = {"SHUTDOWN", {4}, 1, NO_STRUCT, NO_TARGET, IN, 0, 0, HV_MAY_SYSTEM, 0, {{0}}},
    [HV_CALL_CPU_INFO] =
        {"CPU_INFO", {0, N(STRUCT)}, 2, 1, NO_TARGET, OUT, 64, 1536, HV_MAY_SYSTEM, 0, {{0}}},
    [HV_CALL_DOMAIN_CREATE] = {"DOMAIN_CREATE",
                               {N(STRUCT)},
                               1,
                               0,
                               NO_TARGET,
                               IN,
                               80,
                               0,
                               HV_MAY_DOMAINS,
                               2,
                               {{F(hv_domain_create, max_vcpus), 1},
                                {offsetof(struct hv_domain_create, name), 8, 0x6e616d65}}},
    [HV_CALL_DOMAIN_DESTROY] =
        {"DOMAIN_DESTROY", {N(GOOD)}, 1, NO_STRUCT, ON_DOMAIN, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_DOMAIN_PAUSE] =
        {"DOMAIN_PAUSE", {N(GOOD)}, 1, NO_STRUCT, ON_DOMAIN, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_DOMAIN_RESUME] =
        {"DOMAIN_RESUME", {N(GOOD)}, 1, NO_STRUCT, ON_DOMAIN, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_DOMAIN_INFO] =
        {"DOMAIN_INFO", {N(GOOD), N(STRUCT)}, 2, 1, NO_TARGET, OUT, 112, 2048, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_DOMAIN_LIST] =
        {"DOMAIN_LIST", {0, N(RESULT_PAGE), 4}, 3, NO_STRUCT, NO_TARGET, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_DOMAIN_CLAIM] =
        {"DOMAIN_CLAIM", {N(GOOD), N(STRUCT)}, 2, 1, ON_DOMAIN, IN, 32, 0, HV_MAY_DOMAINS, CLAIM_FIELDS},
    [HV_CALL_DOMAIN_UNCLAIM] =
        {"DOMAIN_UNCLAIM", {N(GOOD), N(STRUCT)}, 2, 1, ON_DOMAIN, IN, 32, 0, HV_MAY_DOMAINS, CLAIM_FIELDS},
    [HV_CALL_VCPU_CREATE] = {"VCPU_CREATE",
                             {N(GOOD), 2, N(SERVICE_PAGE)},
                             3,
                             NO_STRUCT,
                             ON_DOMAIN,
                             IN,
                             0,
                             0,
                             HV_MAY_DOMAINS,
                             0,
                             {{0}}},
    [HV_CALL_VCPU_START] =
        {"VCPU_START", {N(GOOD), 1}, 2, NO_STRUCT, ON_VCPU, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_VCPU_STOP] =
        {"VCPU_STOP", {N(GOOD), 1}, 2, NO_STRUCT, ON_VCPU, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_VCPU_GET] = {"VCPU_GET",
                          {N(GOOD), 1, HV_STATE_REGS, N(RESULT_PAGE), 144},
                          5,
                          NO_STRUCT,
                          ON_VCPU,
                          IN,
                          0,
                          0,
                          HV_MAY_DOMAINS,
                          0,
                          {{0}}},
    [HV_CALL_VCPU_SET] = {"VCPU_SET",
                          {N(GOOD), 1, HV_STATE_REGS, N(OWN_PAGE), 144},
                          5,
                          NO_STRUCT,
                          ON_VCPU,
                          IN,
                          0,
                          0,
                          HV_MAY_DOMAINS,
                          0,
                          {{0}}},
    [HV_CALL_VCPU_AFFINITY] =
        {"VCPU_AFFINITY", {N(GOOD), 1, 1}, 3, NO_STRUCT, ON_VCPU, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_VCPU_PRIORITY] =
        {"VCPU_PRIORITY", {N(GOOD), 1, 100, 0}, 4, NO_STRUCT, ON_VCPU, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_VCPU_INJECT] = {"VCPU_INJECT",
                             {N(GOOD), 1, HV_INJECT_NMI, 0, 0},
                             5,
                             NO_STRUCT,
                             ON_VCPU,
                             IN,
                             0,
                             0,
                             HV_MAY_DOMAINS,
                             0,
                             {{0}}},
    [HV_CALL_VCPU_KICK] =
        {"VCPU_KICK", {N(GOOD), 1}, 2, NO_STRUCT, ON_VCPU, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_VCPU_INFO] =
        {"VCPU_INFO", {N(GOOD), 1, N(STRUCT)}, 3, 2, ON_VCPU, OUT, 672, 2560, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_VCPU_COMPLETE] =
        {"VCPU_COMPLETE", {N(GOOD), 0}, 2, NO_STRUCT, ON_VCPU, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_VCPU_APIC] =
        {"VCPU_APIC", {N(GOOD), 1, N(STRUCT)}, 3, 2, ON_VCPU, OUT, 216, 384, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_MEM_DONATE] =
        {"MEM_DONATE", {N(GOOD), N(STRUCT)}, 2, 1, ON_DOMAIN, IN, 32, 0, HV_MAY_DOMAINS, MEM_FIELDS},
    [HV_CALL_MEM_SHARE] =
        {"MEM_SHARE", {N(GOOD), N(STRUCT)}, 2, 1, ON_DOMAIN, IN, 32, 0, HV_MAY_DOMAINS, MEM_FIELDS},
    [HV_CALL_MEM_UNMAP] = {"MEM_UNMAP",
                           {N(GOOD), AGENT_MEMORY, 1},
                           3,
                           NO_STRUCT,
                           ON_DOMAIN,
                           IN,
                           0,
                           0,
                           HV_MAY_DOMAINS,
                           0,
                           {{0}}},
    [HV_CALL_MEM_QUERY] =
        {"MEM_QUERY", {N(GOOD), N(STRUCT)}, 2, 1, ON_DOMAIN, INOUT, 40, 3072, HV_MAY_DOMAINS, 0, {{0}}},
    [HV_CALL_NOTIFY_PAGE] =
        {"NOTIFY_PAGE", {N(RESULT_PAGE), 0}, 2, NO_STRUCT, NO_TARGET, IN, 0, 0, 0, 0, {{0}}},
    [HV_CALL_NOTIFY_WAIT] = {"NOTIFY_WAIT", {1}, 1, NO_STRUCT, NO_TARGET, IN, 0, 0, 0, 0, {{0}}},
    [HV_CALL_TRACE_CONTROL] = {"TRACE_CONTROL",
                               {HV_TRACE_START, 1, 1, 2},
                               4,
                               NO_STRUCT,
                               NO_TARGET,
                               IN,
                               0,
                               0,
                               HV_MAY_SYSTEM,
                               0,
                               {{0}}},
    [HV_CALL_TRACE_READ] = {"TRACE_READ",
                            {N(STRUCT)},
                            1,
                            0,
                            NO_TARGET,
                            INOUT,
                            48,
                            128,
                            HV_MAY_SYSTEM,
                            2,
                            {{F(hv_trace_read, buffer), N(RESULT_PAGE)}, {F(hv_trace_read, records), 4}}},
    IRQ_CALLS};

/* An argument. */
#define A(call, arg, value, want)                                                                            \
    {                                                                                                        \
        HV_CALL_##call, arg, 0, 0, value, want                                                               \
    }
/* A field of the structure. */
#define S(call, type, member, value, want)                                                                   \
    {                                                                                                        \
        HV_CALL_##call, ARG_NONE, F(type, member), value, want                                               \
    }
/* Eight bytes at an offset of the structure. */
#define S8(call, offset, value, want)                                                                        \
    {                                                                                                        \
        HV_CALL_##call, ARG_NONE, offset, 8, value, want                                                     \
    }

#define INVALID -HV_EINVAL
#define FAULT   -HV_EFAULT
#define MEM_ROWS(call)                                                                                       \
    S(call, hv_mem, flags, 4, INVALID), S(call, hv_mem, flags, 0x80000000U, INVALID),                        \
        S(call, hv_mem, flags, 0xffffffffU, INVALID), S(call, hv_mem, own, NPLUS(OWN_PAGE, 8), INVALID),     \
        S(call, hv_mem, own, ONES, INVALID), S(call, hv_mem, own, N(OUTSIDE), INVALID),                      \
        S(call, hv_mem, own, 0xfffffffffffff000ULL, INVALID), S(call, hv_mem, own, N(HOLE), FAULT),          \
        S(call, hv_mem, own, N(READ_ONLY), FAULT), S(call, hv_mem, own, N(HYPERVISOR), FAULT),               \
        S(call, hv_mem, own, N(DONATED), FAULT), S(call, hv_mem, target, AGENT_MEMORY + 1, INVALID),         \
        S(call, hv_mem, target, ONES, INVALID), S(call, hv_mem, target, N(OUTSIDE), INVALID),                \
        S(call, hv_mem, target, 0xfffffffffffff000ULL, INVALID), S(call, hv_mem, target, 0, -HV_EEXIST),     \
        S(call, hv_mem, target, AGENT_MAILBOX, -HV_EEXIST), S(call, hv_mem, pages, 0, INVALID),              \
        S(call, hv_mem, pages, ONES, INVALID), S(call, hv_mem, pages, 1ULL << 36, INVALID),                  \
        S(call, hv_mem, pages, 1ULL << 35, INVALID), S(call, hv_mem, pages, 1ULL << 52, INVALID)
#define CLAIM_ROWS(call, want)                                                                               \
    S(call, hv_claim, space, 2, want), S(call, hv_claim, space, 0xffffffffU, want),                          \
        S(call, hv_claim, base, 0x10000, want), S(call, hv_claim, base, ONES, want),                         \
        S(call, hv_claim, length, 0, want), S(call, hv_claim, length, 0x10000, want),                        \
        S(call, hv_claim, length, 0xff01, want), S(call, hv_claim, length, ONES, want),                      \
        S(call, hv_claim, space, HV_CLAIM_MMIO, want), /* not whole pages */                                 \
        S(call, hv_claim, reserved, 1, INVALID), S(call, hv_claim, reserved, ONES, INVALID)
#define RECORD_ROWS(call)                                                                                    \
    A(call, 2, 5, INVALID), A(call, 2, ONES, INVALID), A(call, 2, UPPER, INVALID),                           \
        A(call, 2, HV_STATE_SREGS, INVALID), A(call, 2, HV_STATE_MSRS, INVALID),                             \
        A(call, 2, HV_STATE_XSAVE, INVALID), A(call, 2, HV_STATE_EVENTS, INVALID),                           \
        A(call, 3, NPLUS(OWN_PAGE, 1), INVALID), A(call, 3, NPLUS(OWN_PAGE, 4), INVALID),                    \
        A(call, 3, NPLUS(OWN_PAGE, 0xff8), FAULT), A(call, 3, NPLUS(OWN_PAGE, 4096 - 136), FAULT),           \
        A(call, 3, N(HOLE), FAULT), A(call, 3, N(OUTSIDE), FAULT), A(call, 3, N(HYPERVISOR), FAULT),         \
        A(call, 3, ONES, INVALID), A(call, 3, ONES & ~7ULL, FAULT),                                          \
        A(call, 3, 0xfffffffffffff000ULL, FAULT), A(call, 4, 0, INVALID), A(call, 4, 1, INVALID),            \
        A(call, 4, 143, INVALID), A(call, 4, 145, INVALID), A(call, 4, 4096, INVALID),                       \
        A(call, 4, 4097, FAULT), A(call, 4, ONES, FAULT), A(call, 4, UPPER + 144, FAULT)

const struct abi_row abi_rows[] = {
    A(CAPABILITY, 0, HV_CAP_TRACE + 1, 0),
    A(CAPABILITY, 0, ONES, 0),
    A(CAPABILITY, 0, UPPER, 0),

    A(MODULE_INFO, 0, N(MODULES), -HV_ENOENT),
    A(MODULE_INFO, 0, 32, -HV_ENOENT),
    A(MODULE_INFO, 0, UPPER, -HV_ENOENT),
    A(MODULE_INFO, 0, ONES, -HV_ENOENT),
    A(CPU_INFO, 0, N(CPUS), -HV_ENOENT),
    A(CPU_INFO, 0, 64, -HV_ENOENT),
    A(CPU_INFO, 0, UPPER, -HV_ENOENT),
    A(CPU_INFO, 0, ONES, -HV_ENOENT),
    S(LOG_READ, hv_log_read, length, 4097, -HV_E2BIG),
    S(LOG_READ, hv_log_read, length, 0xffffffffU, -HV_E2BIG),
    S(LOG_READ, hv_log_read, buffer, NPLUS(OWN_PAGE, 4096 - 63), FAULT),
    S(LOG_READ, hv_log_read, buffer, N(HOLE), FAULT),
    S(LOG_READ, hv_log_read, buffer, N(READ_ONLY), FAULT),
    S(LOG_READ, hv_log_read, buffer, N(HYPERVISOR), FAULT),
    S(LOG_READ, hv_log_read, buffer, ONES, FAULT),
    S(LOG_READ, hv_log_read, position, ONES, 0),
    A(TRACE_CONTROL, 0, 0, INVALID),
    A(TRACE_CONTROL, 0, HV_TRACE_FREE + 1, INVALID),
    A(TRACE_CONTROL, 0, ONES, INVALID),
    A(TRACE_CONTROL, 1, 0, INVALID),
    A(TRACE_CONTROL, 1, 3, INVALID),
    A(TRACE_CONTROL, 1, 2 * HV_TRACE_PAGES_MAX, INVALID),
    A(TRACE_CONTROL, 1, UPPER, INVALID),
    A(TRACE_CONTROL, 2, 0, INVALID),
    A(TRACE_CONTROL, 2, 1ULL << 63, INVALID),
    A(TRACE_CONTROL, 3, 0, INVALID),
    A(TRACE_CONTROL, 3, 3, INVALID),
    A(TRACE_CONTROL, 3, 1U << HV_TRACE_KINDS, INVALID),
    A(TRACE_CONTROL, 3, UPPER | 2, INVALID),
    A(TRACE_CONTROL, 1, 2, -HV_EBUSY), /* abi.c has started it */
    S(TRACE_READ, hv_trace_read, cpu, N(CPUS), -HV_ENOENT),
    S(TRACE_READ, hv_trace_read, cpu, 64, -HV_ENOENT),
    S(TRACE_READ, hv_trace_read, cpu, 0xffffffffU, -HV_ENOENT),
    S(TRACE_READ, hv_trace_read, records, HV_TRACE_READ_MAX + 1, -HV_E2BIG),
    S(TRACE_READ, hv_trace_read, records, 0xffffffffU, -HV_E2BIG),
    S(TRACE_READ, hv_trace_read, reserved, 1, INVALID),
    S(TRACE_READ, hv_trace_read, buffer, NPLUS(RESULT_PAGE, 4), INVALID),
    S(TRACE_READ, hv_trace_read, buffer, NPLUS(RESULT_PAGE, 4096 - 120), FAULT),
    S(TRACE_READ, hv_trace_read, buffer, N(HOLE), FAULT),
    S(TRACE_READ, hv_trace_read, buffer, N(READ_ONLY), FAULT),
    S(TRACE_READ, hv_trace_read, buffer, N(HYPERVISOR), FAULT),
    S(TRACE_READ, hv_trace_read, buffer, ONES, INVALID),
    S(TRACE_READ, hv_trace_read, position, ONES, 0),
    A(CONSOLE_WRITE, 0, N(HOLE), 0), /* no bytes, no access */
    A(CONSOLE_READ, 0, N(HOLE), 0),
    A(SHUTDOWN, 0, 4, INVALID),
    A(SHUTDOWN, 0, ONES, INVALID),
    A(SHUTDOWN, 0, UPPER, INVALID),

    S(DOMAIN_CREATE, hv_domain_create, flags, 3, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, flags, HV_DOMAIN_TSC_DEADLINE | HV_DOMAIN_IRQCHIP_SPLIT, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, flags, HV_DOMAIN_TSC_DEADLINE | HV_DOMAIN_IRQCHIP_FULL, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, flags, HV_DOMAIN_OUTPUTS | HV_DOMAIN_IRQCHIP_SPLIT, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, flags, HV_DOMAIN_PIT | HV_DOMAIN_IRQCHIP_FULL, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, flags, 32, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, flags, 0xffffffffU, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, max_vcpus, 0, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, max_vcpus, 65, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, max_vcpus, 0xffffffffU, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, pool_pages, 1, -HV_ENOMEM),
    S(DOMAIN_CREATE, hv_domain_create, may, 4, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, may, ONES, INVALID),
    S(DOMAIN_CREATE, hv_domain_create, may, 1ULL << 63, INVALID),
    S8(DOMAIN_CREATE, offsetof(struct hv_domain_create, reserved), 1, INVALID),
    S8(DOMAIN_CREATE, offsetof(struct hv_domain_create, reserved) + 8, 1ULL << 63, INVALID),
    S8(DOMAIN_CREATE, offsetof(struct hv_domain_create, reserved) + 16, ONES, INVALID),
    S8(DOMAIN_CREATE, offsetof(struct hv_domain_create, name), 0x1f, INVALID),
    S8(DOMAIN_CREATE, offsetof(struct hv_domain_create, name), 0x7f, INVALID),
    S8(DOMAIN_CREATE, offsetof(struct hv_domain_create, name), 0x80, INVALID),
    S8(DOMAIN_CREATE, offsetof(struct hv_domain_create, name), ONES, INVALID),
    S8(DOMAIN_CREATE, offsetof(struct hv_domain_create, name), 0x6100000061ULL, INVALID),
    S8(DOMAIN_CREATE, offsetof(struct hv_domain_create, name) + 24, 0x61ULL << 56, INVALID),

    A(DOMAIN_RESUME, 0, N(GOOD), INVALID), /* not paused */
    A(DOMAIN_INFO, 0, N(GONE), -HV_ESRCH),
    A(DOMAIN_INFO, 0, 255, -HV_ESRCH),
    A(DOMAIN_INFO, 0, 256, -HV_ESRCH),
    A(DOMAIN_INFO, 0, NPLUS(GOOD, 256), -HV_ESRCH),
    A(DOMAIN_INFO, 0, UPPER, -HV_ESRCH),
    A(DOMAIN_INFO, 0, UPPER | HV_DOMAIN_SELF, -HV_ESRCH),
    A(DOMAIN_INFO, 0, ONES, -HV_ESRCH),
    A(DOMAIN_LIST, 1, N(HOLE), FAULT),
    A(DOMAIN_LIST, 1, N(READ_ONLY), FAULT),
    A(DOMAIN_LIST, 1, N(HYPERVISOR), FAULT),
    A(DOMAIN_LIST, 1, NPLUS(OWN_PAGE, 4096 - 15), FAULT),
    A(DOMAIN_LIST, 1, ONES, FAULT),
    A(DOMAIN_LIST, 2, 1025, -HV_E2BIG),
    A(DOMAIN_LIST, 2, ONES, -HV_E2BIG),
    A(DOMAIN_LIST, 2, UPPER, -HV_E2BIG),
    A(DOMAIN_LIST, 0, 256, 0),
    A(DOMAIN_LIST, 0, UPPER, 0),
    A(DOMAIN_LIST, 0, ONES, 0),
    CLAIM_ROWS(DOMAIN_CLAIM, INVALID),
    S(DOMAIN_CLAIM, hv_claim, base, AGENT_DONE, -HV_EEXIST),
    S(DOMAIN_CLAIM, hv_claim, base, AGENT_DONE - 7, -HV_EEXIST),
    CLAIM_ROWS(DOMAIN_UNCLAIM, -HV_ENOENT),
    S(DOMAIN_UNCLAIM, hv_claim, base, AGENT_DONE, -HV_ENOENT), /* another length */
    S(DOMAIN_UNCLAIM, hv_claim, base, 0x101, -HV_ENOENT),

    A(VCPU_CREATE, 1, 0, -HV_EEXIST),
    A(VCPU_CREATE, 1, 1, -HV_EEXIST),
    A(VCPU_CREATE, 1, AGENT_VCPUS, INVALID),
    A(VCPU_CREATE, 1, 63, INVALID),
    A(VCPU_CREATE, 1, 64, INVALID),
    A(VCPU_CREATE, 1, UPPER, INVALID),
    A(VCPU_CREATE, 1, ONES, INVALID),
    A(VCPU_CREATE, 2, NPLUS(OWN_PAGE, 8), INVALID),
    A(VCPU_CREATE, 2, N(HOLE), FAULT),
    A(VCPU_CREATE, 2, N(READ_ONLY), FAULT),
    A(VCPU_CREATE, 2, N(HYPERVISOR), FAULT),
    A(VCPU_CREATE, 2, N(DONATED), FAULT),
    A(VCPU_CREATE, 2, N(OUTSIDE), FAULT),
    A(VCPU_CREATE, 2, HV_NO_PAGE, INVALID),
    A(VCPU_START, 1, 0, -HV_EEXIST),
    A(VCPU_START, 0, N(DEAD), -HV_ESRCH),
    RECORD_ROWS(VCPU_GET),
    A(VCPU_GET, 3, N(READ_ONLY), FAULT),
    RECORD_ROWS(VCPU_SET),
    A(VCPU_AFFINITY, 2, 0, INVALID),
    A(VCPU_AFFINITY, 2, 1ULL << 63, INVALID),
    A(VCPU_AFFINITY, 2, ONES << 32, INVALID),
    A(VCPU_PRIORITY, 2, 256, INVALID),
    A(VCPU_PRIORITY, 2, UPPER, INVALID),
    A(VCPU_PRIORITY, 2, ONES, INVALID),
    A(VCPU_PRIORITY, 3, 1000001, INVALID),
    A(VCPU_PRIORITY, 3, UPPER, INVALID),
    A(VCPU_PRIORITY, 3, ONES, INVALID),
    A(VCPU_INJECT, 2, 3, INVALID),
    A(VCPU_INJECT, 2, UPPER, INVALID),
    A(VCPU_INJECT, 2, ONES, INVALID),
    A(VCPU_INJECT, 3, 1, INVALID), /* an NMI has no vector */
    A(VCPU_INJECT, 3, ONES, INVALID),
    A(VCPU_INJECT, 4, 1, INVALID),
    A(VCPU_INJECT, 4, ONES, INVALID),
    A(VCPU_INJECT, 2, HV_INJECT_EXTERNAL, INVALID), /* vector 0 */
    A(VCPU_KICK, 1, 0, -HV_EBUSY),
    A(VCPU_COMPLETE, 1, 1, -HV_ENOENT),

    MEM_ROWS(MEM_DONATE),
    S(MEM_DONATE, hv_mem, own, N(PINNED), -HV_EBUSY),
    S(MEM_DONATE, hv_mem, own, N(SHARED), -HV_EBUSY),
    MEM_ROWS(MEM_SHARE),
    A(MEM_UNMAP, 1, AGENT_MEMORY + 1, INVALID),
    A(MEM_UNMAP, 1, ONES, INVALID),
    A(MEM_UNMAP, 1, N(OUTSIDE), INVALID),
    A(MEM_UNMAP, 1, 0xfffffffffffff000ULL, INVALID),
    A(MEM_UNMAP, 2, 0, INVALID),
    A(MEM_UNMAP, 2, ONES, INVALID),
    A(MEM_UNMAP, 2, 1ULL << 35, INVALID),
    A(MEM_UNMAP, 2, 1ULL << 52, INVALID),
    A(MEM_UNMAP, 1, AGENT_MEMORY, 1), /* a hole counts as done */
    S(MEM_QUERY, hv_mem_query, gpa, N(OUTSIDE), INVALID),
    S(MEM_QUERY, hv_mem_query, gpa, ONES, INVALID),
    S(MEM_QUERY, hv_mem_query, gpa, AGENT_MEMORY, -HV_ENOENT),
    S(MEM_QUERY, hv_mem_query, gpa, AGENT_MMIO, -HV_ENOENT),

    A(NOTIFY_PAGE, 1, 1, INVALID),
    A(NOTIFY_PAGE, 1, 15, INVALID),
    A(NOTIFY_PAGE, 1, 256, INVALID),
    A(NOTIFY_PAGE, 1, UPPER, INVALID),
    A(NOTIFY_PAGE, 1, ONES, INVALID),
    A(NOTIFY_PAGE, 0, NPLUS(OWN_PAGE, 8), INVALID),
    A(NOTIFY_PAGE, 0, N(HOLE), FAULT),
    A(NOTIFY_PAGE, 0, N(READ_ONLY), FAULT),
    A(NOTIFY_PAGE, 0, N(HYPERVISOR), FAULT),
    A(NOTIFY_PAGE, 0, N(DONATED), FAULT),
    A(NOTIFY_PAGE, 0, N(OUTSIDE), FAULT),
    A(NOTIFY_PAGE, 0, ONES - 1, INVALID),
    A(NOTIFY_WAIT, 0, 1, -HV_ETIME),

    IRQ_ROWS};
const uint32_t abi_row_count = sizeof(abi_rows) / sizeof(abi_rows[0]);
