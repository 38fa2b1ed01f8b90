/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls on interrupts, for the tables of abi_table.c, whose macros they use. */
#pragma once

#include "guest_abi/hv_pirq.h"
#include "guest_abi/hv_route.h"

/* clang-format off */
#define IRQ_CALL(title, count, ...) \
    {title, {__VA_ARGS__}, count, NO_STRUCT, NO_TARGET, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}}
#define IRQ_DOMAIN(title, count, ...) \
    {title, {N(GOOD), __VA_ARGS__}, count, NO_STRUCT, ON_DOMAIN, IN, 0, 0, HV_MAY_DOMAINS, 0, {{0}}}
#define IRQ_STRUCT(title, kind, size, at, ...) \
    {title, {N(GOOD), N(STRUCT)}, 2, 1, ON_DOMAIN, kind, size, at, HV_MAY_DOMAINS, __VA_ARGS__}
/* A list: its size is an argument too. */
#define IRQ_LIST(title, count, size, flags, ...) \
    {title, {N(GOOD), N(STRUCT), size, flags}, count, NO_STRUCT, ON_DOMAIN, IN, size, 0, HV_MAY_DOMAINS, __VA_ARGS__}
/* One route, to a notification. */
#define IRQ_ROUTE(head, at) \
    5, {{F(hv_routes, count), 1}, {F(hv_routes, gsi), head}, {16, 4, at}, {20, 4, HV_ROUTE_NOTIFY}, {36, 4, HV_NOTIFY_OWN}}
#define IRQ_NOTIFIER \
    4, {{F(hv_notifier, kind), HV_NOTIFIER_GSI}, {F(hv_notifier, flags), HV_NOTIFIER_RESAMPLE}, \
        {F(hv_notifier, domain), N(GOOD)}, {F(hv_notifier, number), HV_NOTIFY_OWN}}
#define IRQ_DOORBELL \
    4, {{F(hv_doorbell, address), 0x500}, {F(hv_doorbell, width), 2}, {F(hv_doorbell, flags), HV_DOORBELL_MATCH}, \
        {F(hv_doorbell, notifier), N(NOTIFIER)}}

#define PIRQ_GSI 8U

#define IRQ_CALLS \
    [HV_CALL_IRQ_LINE] = IRQ_DOMAIN("IRQ_LINE", 3, 4, 0), \
    [HV_CALL_SIGNAL_MSI] = IRQ_DOMAIN("SIGNAL_MSI", 3, 0xfee00000, 0x31), \
    [HV_CALL_NOTIFIER_SIGNAL] = {"NOTIFIER_SIGNAL", {0}, 1, NO_STRUCT, NO_TARGET, IN, 0, 0, 0, 0, {{0}}}, \
    [HV_CALL_NOTIFIER_READ] = {"NOTIFIER_READ", {0}, 1, NO_STRUCT, NO_TARGET, IN, 0, 0, 0, 0, {{0}}}, \
    [HV_CALL_ROUTE_MSI] = IRQ_DOMAIN("ROUTE_MSI", 4, 4, 0xfee00000, 0x31), \
    [HV_CALL_IRQCHIP_CONFIG] = IRQ_STRUCT("IRQCHIP_CONFIG", IN, 64, 0, 1, {{F(hv_irqchip_config, gsis), 24}}), \
    [HV_CALL_IRQCHIP_GET] = IRQ_DOMAIN("IRQCHIP_GET", 4, HV_IRQCHIP_STATE_PIC, N(RESULT_PAGE), 176), \
    [HV_CALL_IRQCHIP_SET] = IRQ_DOMAIN("IRQCHIP_SET", 4, HV_IRQCHIP_STATE_PIC, N(OWN_PAGE), 176), \
    [HV_CALL_EOI_VECTORS] = IRQ_DOMAIN("EOI_VECTORS", 5, 0, 0, 0, 0), \
    [HV_CALL_ROUTE_SET] = IRQ_LIST("ROUTE_SET", 3, 48, 0, IRQ_ROUTE(5, 5)), \
    [HV_CALL_ROUTE_REPLACE] = IRQ_LIST("ROUTE_REPLACE", 4, 48, HV_REPLACE_BEGIN, IRQ_ROUTE(0, 5)), \
    [HV_CALL_ROUTE_GET] = IRQ_LIST("ROUTE_GET", 3, 176, 0, 1, {{F(hv_routes, count), 5}}), \
    [HV_CALL_ROUTE_LOOKUP] = IRQ_STRUCT("ROUTE_LOOKUP", IN, 24, 0, 1, {{F(hv_route_lookup, vector), 0x31}}), \
    [HV_CALL_ROUTE_STATS] = IRQ_STRUCT("ROUTE_STATS", INOUT, 64, 1536, 0, {{0}}), \
    [HV_CALL_ROUTE_LATENCY] = IRQ_STRUCT("ROUTE_LATENCY", INOUT, 112, 2048, 0, {{0}}), \
    [HV_CALL_NOTIFIER_CREATE] = \
        {"NOTIFIER_CREATE", {N(STRUCT)}, 1, 0, NO_TARGET, IN, 32, 0, HV_MAY_DOMAINS, IRQ_NOTIFIER}, \
    [HV_CALL_NOTIFIER_CLOSE] = IRQ_CALL("NOTIFIER_CLOSE", 1, N(NOTIFIER)), \
    [HV_CALL_NOTIFIER_BIND] = \
        {"NOTIFIER_BIND", {N(NOTIFIER), N(STRUCT)}, 2, 1, NO_TARGET, IN, 32, 0, HV_MAY_DOMAINS, IRQ_NOTIFIER}, \
    [HV_CALL_NOTIFIER_GRANT] = IRQ_CALL("NOTIFIER_GRANT", 3, N(NOTIFIER), N(GOOD), 1), \
    [HV_CALL_NOTIFIER_INFO] = \
        {"NOTIFIER_INFO", {N(NOTIFIER), N(STRUCT)}, 2, 1, NO_TARGET, OUT, 96, 3584, HV_MAY_DOMAINS, 0, {{0}}}, \
    [HV_CALL_NOTIFIER_LIST] = IRQ_CALL("NOTIFIER_LIST", 3, 0, N(RESULT_PAGE), 4), \
    [HV_CALL_DOORBELL_ADD] = IRQ_STRUCT("DOORBELL_ADD", IN, 48, 0, IRQ_DOORBELL), \
    [HV_CALL_DOORBELL_REMOVE] = IRQ_STRUCT("DOORBELL_REMOVE", IN, 48, 0, IRQ_DOORBELL), \
    [HV_CALL_PIRQ_BIND] = \
        {"PIRQ_BIND", {PIRQ_GSI, N(STRUCT)}, 2, 1, NO_TARGET, IN, 32, 0, HV_MAY_DOMAINS, 1, {{F(hv_pirq, notifier), N(NOTIFIER)}}}, \
    [HV_CALL_PIRQ_UNBIND] = IRQ_CALL("PIRQ_UNBIND", 1, PIRQ_GSI), \
    [HV_CALL_PIRQ_ACK] = IRQ_CALL("PIRQ_ACK", 1, PIRQ_GSI), \
    [HV_CALL_PIRQ_GIVE] = IRQ_CALL("PIRQ_GIVE", 2, PIRQ_GSI, N(GOOD)), \
    [HV_CALL_PIRQ_INFO] = {"PIRQ_INFO", {PIRQ_GSI, N(STRUCT)}, 2, 1, NO_TARGET, OUT, 56, 256, HV_MAY_DOMAINS, 0, {{0}}},

/* Lists: places and sizes. */
#define IRQ_LIST_ROWS(call, bytes) \
    A(call, 1, NPLUS(STRUCT, 1), INVALID), A(call, 1, NPLUS(STRUCT, 4), INVALID), A(call, 1, ONES, INVALID), \
    A(call, 1, NPLUS(STRUCT, 4096 - 16), FAULT), A(call, 1, N(HOLE), FAULT), A(call, 1, N(HYPERVISOR), FAULT), \
    A(call, 1, N(OUTSIDE), FAULT), A(call, 1, N(DONATED), FAULT), A(call, 1, 0xfffffffffffff000ULL, FAULT), \
    A(call, 2, 0, INVALID), A(call, 2, 15, INVALID), A(call, 2, bytes - 1, INVALID), A(call, 2, bytes + 1, INVALID), \
    A(call, 2, bytes + 32, INVALID), A(call, 2, 4096, INVALID), A(call, 2, 4097, FAULT), A(call, 2, ONES, FAULT), \
    A(call, 2, UPPER + bytes, FAULT), S(call, hv_routes, size, bytes - 1, INVALID), S(call, hv_routes, size, 0, INVALID), \
    S(call, hv_routes, count, 127, INVALID), S(call, hv_routes, count, 0xffffffffU, INVALID), \
    S(call, hv_routes, count, 0x08000001, INVALID), S(call, hv_routes, reserved, 1, INVALID)
/* Fields of the one route. */
#define R4(call, offset, value, want) {HV_CALL_##call, ARG_NONE, 16 + offset, 4, value, want}
#define IRQ_ROUTE_ROWS(call) \
    R4(call, 4, HV_ROUTE_NONE, INVALID), R4(call, 4, 3, INVALID), R4(call, 4, 6, INVALID), R4(call, 4, 15, INVALID), \
    R4(call, 4, 19, INVALID), R4(call, 4, HV_ROUTE_OUTPUT, -HV_ENODEV), R4(call, 4, 0xffffffffU, INVALID), R4(call, 4, HV_ROUTE_HV_SINT, -HV_ENODEV), \
    R4(call, 4, HV_ROUTE_XEN_EVTCHN, -HV_ENODEV), R4(call, 8, 1, INVALID), R4(call, 12, 0xffffffffU, INVALID), \
    R4(call, 16, 64, INVALID), R4(call, 16, 0xffffffffU, INVALID), R4(call, 20, 0, INVALID), \
    R4(call, 20, HV_NOTIFY_OWN - 1, INVALID), R4(call, 20, HV_NOTIFY_COUNT, INVALID), R4(call, 20, 0xffffffffU, INVALID), \
    R4(call, 24, 1, INVALID), R4(call, 28, 0x80000000U, INVALID), R4(call, 0, 4096, INVALID), \
    R4(call, 0, HV_GSI_MAX, INVALID), R4(call, 0, 0xffffffffU, INVALID)
/* Handles. */
#define IRQ_HANDLE_ROWS(call) \
    A(call, 0, 0, -HV_ENOENT), A(call, 0, 1, -HV_ENOENT), A(call, 0, NPLUS(NOTIFIER, 1), -HV_ENOENT), \
    A(call, 0, NPLUS(NOTIFIER, 1 << 22), -HV_ENOENT), A(call, 0, UPPER, -HV_ENOENT), A(call, 0, ONES, -HV_ENOENT)
#define IRQ_NOTIFIER_ROWS(call) \
    S(call, hv_notifier, kind, 3, INVALID), S(call, hv_notifier, kind, 0xffffffffU, INVALID), \
    S(call, hv_notifier, kind, HV_NOTIFIER_NOTIFY, INVALID), S(call, hv_notifier, kind, HV_NOTIFIER_COUNT, INVALID), \
    S(call, hv_notifier, flags, 0, INVALID), S(call, hv_notifier, flags, 2, INVALID), \
    S(call, hv_notifier, flags, 0xffffffffU, INVALID), S(call, hv_notifier, domain, 0, -HV_EPERM), \
    S(call, hv_notifier, domain, N(GONE), -HV_ESRCH), S(call, hv_notifier, domain, 256, -HV_ESRCH), \
    S(call, hv_notifier, domain, 0xffffffffU, -HV_ESRCH), S(call, hv_notifier, gsi, 4096, INVALID), \
    S(call, hv_notifier, gsi, 0xffffffffU, INVALID), S(call, hv_notifier, vcpu, 64, INVALID), \
    S(call, hv_notifier, vcpu, 0xffffffffU, INVALID), S(call, hv_notifier, number, 0, INVALID), \
    S(call, hv_notifier, number, HV_NOTIFY_OWN - 1, INVALID), S(call, hv_notifier, number, HV_NOTIFY_COUNT, INVALID), \
    S(call, hv_notifier, reserved, 1, INVALID)
#define IRQ_DOORBELL_ROWS(call) \
    S(call, hv_doorbell, space, 2, INVALID), S(call, hv_doorbell, space, 0xffffffffU, INVALID), \
    S(call, hv_doorbell, address, 0xffff, INVALID), S(call, hv_doorbell, address, 0x10000, INVALID), \
    S(call, hv_doorbell, address, ONES, INVALID), S(call, hv_doorbell, width, 0, INVALID), \
    S(call, hv_doorbell, width, 3, INVALID), S(call, hv_doorbell, width, 8, INVALID), \
    S(call, hv_doorbell, width, 0xffffffffU, INVALID), S(call, hv_doorbell, flags, 2, INVALID), \
    S(call, hv_doorbell, flags, 0xffffffffU, INVALID), S(call, hv_doorbell, data, 0x10000, INVALID), \
    S(call, hv_doorbell, data, ONES, INVALID), S(call, hv_doorbell, reserved, 1, INVALID)

#define PIRQ_GSI_ROWS(call) \
    A(call, 0, 24, -HV_ENOENT), A(call, 0, 0xffffffffU, -HV_ENOENT), A(call, 0, UPPER | PIRQ_GSI, -HV_ENOENT), A(call, 0, ONES, -HV_ENOENT)
#define P(field, value, want) S(PIRQ_BIND, hv_pirq, field, value, want)
#define PIRQ_ROWS \
    PIRQ_GSI_ROWS(PIRQ_BIND), PIRQ_GSI_ROWS(PIRQ_UNBIND), PIRQ_GSI_ROWS(PIRQ_ACK), PIRQ_GSI_ROWS(PIRQ_GIVE), PIRQ_GSI_ROWS(PIRQ_INFO), \
    A(PIRQ_UNBIND, 0, PIRQ_GSI, -HV_ENOENT), A(PIRQ_ACK, 0, PIRQ_GSI, -HV_ENOENT), A(PIRQ_GIVE, 1, N(GONE), -HV_ESRCH), \
    A(PIRQ_GIVE, 1, 256, -HV_ESRCH), A(PIRQ_GIVE, 1, UPPER, -HV_ESRCH), A(PIRQ_GIVE, 1, ONES, -HV_ESRCH), \
    P(flags, 1U << 6, INVALID), P(flags, 1U << 8, INVALID), P(flags, 1U << 31, INVALID), P(flags, HV_PIRQ_ISA | HV_PIRQ_CONSOLE, INVALID), \
    P(flags, HV_PIRQ_EDGE | HV_PIRQ_LEVEL, INVALID), P(flags, HV_PIRQ_HIGH | HV_PIRQ_LOW, INVALID), P(flags, HV_PIRQ_CONSOLE, INVALID), \
    P(notifier, 0, -HV_ENOENT), P(notifier, 1, -HV_ENOENT), P(notifier, NPLUS(NOTIFIER, 1), -HV_ENOENT), P(notifier, ONES, -HV_ENOENT), \
    P(cpu, N(CPUS), INVALID), P(cpu, 64, INVALID), P(cpu, 0xfffffffeU, INVALID), P(storm_vcpu, 1, INVALID), \
    P(storm_number, 1, INVALID), P(storm_number, HV_NOTIFY_OWN - 1, INVALID), P(storm_number, HV_NOTIFY_COUNT, INVALID), \
    P(storm_number, 0xffffffffU, INVALID),

#define IRQ_ROWS \
    PIRQ_ROWS \
    A(IRQ_LINE, 1, 4, -HV_ENODEV), A(IRQ_LINE, 2, 4, INVALID), A(IRQ_LINE, 2, HV_LINE_TICK, -HV_ENODEV), A(IRQ_LINE, 2, HV_LINE_END, -HV_ENODEV), A(IRQ_LINE, 2, ONES, INVALID), A(IRQ_LINE, 2, UPPER, INVALID), \
    A(SIGNAL_MSI, 1, 0xfee00000, -HV_ENODEV), A(ROUTE_MSI, 1, 4, -HV_ENODEV), IRQ_HANDLE_ROWS(NOTIFIER_SIGNAL), IRQ_HANDLE_ROWS(NOTIFIER_READ), \
    A(IRQCHIP_CONFIG, 0, N(GOOD), -HV_ENODEV), /* it has none */ \
    A(IRQCHIP_GET, 1, 5, INVALID), A(IRQCHIP_GET, 1, ONES, INVALID), A(IRQCHIP_GET, 1, UPPER, INVALID), \
    A(IRQCHIP_GET, 1, HV_IRQCHIP_STATE_PIC, -HV_ENODEV), A(IRQCHIP_GET, 1, HV_IRQCHIP_STATE_IOAPIC + 2, -HV_ENODEV), \
    A(IRQCHIP_SET, 1, 5, INVALID), A(IRQCHIP_SET, 1, ONES, INVALID), A(IRQCHIP_SET, 1, HV_IRQCHIP_STATE_PIT, -HV_ENODEV), \
    A(EOI_VECTORS, 1, 1 << 16, -HV_ENODEV), A(EOI_VECTORS, 1, 1, -HV_ENODEV), \
    IRQ_LIST_ROWS(ROUTE_SET, 48), IRQ_ROUTE_ROWS(ROUTE_SET), R4(ROUTE_SET, 0, 6, INVALID), \
    S(ROUTE_SET, hv_routes, gsi, 6, INVALID), S(ROUTE_SET, hv_routes, gsi, 0xffffffffU, INVALID), \
    R4(ROUTE_SET, 4, HV_ROUTE_GSI, INVALID), /* to 0, but for the number */ \
    IRQ_LIST_ROWS(ROUTE_REPLACE, 48), IRQ_ROUTE_ROWS(ROUTE_REPLACE), S(ROUTE_REPLACE, hv_routes, gsi, 1, INVALID), \
    A(ROUTE_REPLACE, 3, 0, INVALID), A(ROUTE_REPLACE, 3, HV_REPLACE_COMMIT, INVALID), /* nothing begun */ \
    A(ROUTE_REPLACE, 3, HV_REPLACE_ABORT, INVALID), A(ROUTE_REPLACE, 3, HV_REPLACE_ABORT | HV_REPLACE_BEGIN, INVALID), \
    A(ROUTE_REPLACE, 3, 8 | HV_REPLACE_BEGIN, INVALID), A(ROUTE_REPLACE, 3, ONES, INVALID), A(ROUTE_REPLACE, 3, UPPER | 1, INVALID), \
    IRQ_LIST_ROWS(ROUTE_GET, 176), S(ROUTE_GET, hv_routes, gsi, 0xffffffffU, 0), A(ROUTE_GET, 1, N(READ_ONLY), INVALID), \
    S(ROUTE_LOOKUP, hv_route_lookup, gsi, 4096, -HV_ENOENT), S(ROUTE_LOOKUP, hv_route_lookup, gsi, 0xffffffffU, -HV_ENOENT), \
    S(ROUTE_LOOKUP, hv_route_lookup, gsi, 1, -HV_ENOENT), S(ROUTE_LOOKUP, hv_route_lookup, vector, 256, INVALID), \
    S(ROUTE_LOOKUP, hv_route_lookup, vector, 0xffffffffU, INVALID), S(ROUTE_LOOKUP, hv_route_lookup, flags, 2, INVALID), \
    S(ROUTE_LOOKUP, hv_route_lookup, destination, 1, INVALID), S(ROUTE_LOOKUP, hv_route_lookup, reserved, 1, INVALID), \
    S(ROUTE_STATS, hv_route_stats, gsi, 4096, INVALID), S(ROUTE_STATS, hv_route_stats, gsi, 0xffffffffU, INVALID), \
    S(ROUTE_LATENCY, hv_route_latency, gsi, 4096, INVALID), S(ROUTE_LATENCY, hv_route_latency, gsi, 0xffffffffU, INVALID), \
    IRQ_NOTIFIER_ROWS(NOTIFIER_CREATE), IRQ_HANDLE_ROWS(NOTIFIER_CLOSE), IRQ_NOTIFIER_ROWS(NOTIFIER_BIND), \
    IRQ_HANDLE_ROWS(NOTIFIER_BIND), S(NOTIFIER_BIND, hv_notifier, gsi, 7, -HV_EBUSY), IRQ_HANDLE_ROWS(NOTIFIER_GRANT), \
    A(NOTIFIER_GRANT, 1, 0, -HV_EPERM), A(NOTIFIER_GRANT, 1, N(GONE), -HV_ESRCH), A(NOTIFIER_GRANT, 1, 256, -HV_ESRCH), \
    A(NOTIFIER_GRANT, 1, UPPER, -HV_ESRCH), A(NOTIFIER_GRANT, 1, ONES, -HV_ESRCH), A(NOTIFIER_GRANT, 2, 2, INVALID), \
    A(NOTIFIER_GRANT, 2, ONES, INVALID), IRQ_HANDLE_ROWS(NOTIFIER_INFO), A(NOTIFIER_LIST, 1, N(HOLE), FAULT), \
    A(NOTIFIER_LIST, 1, N(READ_ONLY), FAULT), A(NOTIFIER_LIST, 1, NPLUS(OWN_PAGE, 4), INVALID), \
    A(NOTIFIER_LIST, 1, NPLUS(OWN_PAGE, 4096 - 24), FAULT), A(NOTIFIER_LIST, 2, 513, -HV_E2BIG), \
    A(NOTIFIER_LIST, 2, ONES, -HV_E2BIG), A(NOTIFIER_LIST, 0, N(NOTIFIER), 0), \
    IRQ_DOORBELL_ROWS(DOORBELL_ADD), IRQ_DOORBELL_ROWS(DOORBELL_REMOVE), S(DOORBELL_ADD, hv_doorbell, notifier, 0, -HV_ENOENT), \
    S(DOORBELL_ADD, hv_doorbell, notifier, ONES, -HV_ENOENT), S(DOORBELL_REMOVE, hv_doorbell, address, 0x501, -HV_ENOENT),
/* clang-format on */
