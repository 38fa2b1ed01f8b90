/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services: claimed ports and memory in all widths and forms, instructions that need two services,
 * instructions that are not decoded, kicks at every moment, answers that come twice or not at all,
 * a page full of garbage, and state that the manager changes in between. Interference of kicks and
 * notifications under load: services_load.c.
 */
#include "tests/manager/services.h"

#include <string.h>

#define PATTERN   0xfedcba9876543210ULL
#define PORT      0x200U
#define UNCLAIMED 0x300U

static uint64_t width_mask(uint32_t width)
{
    return width == 8 ? UINT64_MAX : (1ULL << 8 * width) - 1;
}

/* Everything but the answer is rubbish when the vCPU goes on; it reads `data` only. */
static void garbage(struct hv_service *s, uint64_t data)
{
    bool mmio = s->kind == HV_EXIT_MMIO;
    memset(s, 0xee, PAGE);
    if (mmio)
        s->mmio.data = data;
    else
        s->pio.data = data;
}

int64_t services_answer(struct guest *g, uint32_t vcpu, uint64_t data)
{
    garbage(guest_service(g, vcpu), data);
    return guest_complete(g, vcpu);
}

bool services_expect_pio(struct guest *g, uint32_t vcpu, uint16_t port, uint32_t width, bool write,
                         uint64_t data)
{
    bool ok = CHECK_EQ(guest_wait(g, vcpu), HV_EXIT_PIO);
    const struct hv_service *s = guest_service(g, vcpu);
    ok &= CHECK_EQ(s->version, HV_ABI_VERSION);
    ok &= CHECK_EQ(s->pio.port, port);
    ok &= CHECK_EQ(s->pio.width, width);
    ok &= CHECK_EQ(s->pio.write, write);
    ok &= CHECK_EQ(s->pio.reserved, 0);
    return ok & CHECK_EQ(s->pio.data, data);
}

bool services_expect_mmio(struct guest *g, uint32_t vcpu, gpa_t gpa, uint32_t width, bool write,
                          uint64_t data)
{
    bool ok = CHECK_EQ(guest_wait(g, vcpu), HV_EXIT_MMIO);
    const struct hv_service *s = guest_service(g, vcpu);
    ok &= CHECK_EQ(s->mmio.gpa, gpa);
    ok &= CHECK_EQ(s->mmio.width, width);
    ok &= CHECK_EQ(s->mmio.write, write);
    return ok & CHECK_EQ(s->mmio.data, data);
}

static void ports(struct guest *g)
{
    const uint64_t before = 0x1122334455667788ULL; /* RAX of the agent's IN */
    for (uint32_t width = 1; width <= 4; width *= 2) {
        uint64_t mask = width_mask(width);
        guest_go(g, 0, AGENT_IN, PORT, width, 0, 0);
        (void)services_expect_pio(g, 0, PORT, width, false, 0);
        CHECK_EQ(services_answer(g, 0, PATTERN), 0);
        guest_done(g, 0);
        uint64_t want = width == 4 ? PATTERN & mask : (before & ~mask) | (PATTERN & mask);
        CHECK_EQ(guest_box(g, 0)->result, want);
        guest_go(g, 0, AGENT_OUT, PORT + 7, width, PATTERN, 0);
        (void)services_expect_pio(g, 0, PORT + 7, width, true, PATTERN & mask);
        CHECK_EQ(services_answer(g, 0, 0), 0);
        guest_done(g, 0);
        /* Nobody there: all ones, and writes go nowhere. */
        want = width == 4 ? mask : (before & ~mask) | mask;
        CHECK_EQ(guest_do(g, 0, AGENT_IN, UNCLAIMED, width, 0, 0), want);
        CHECK_EQ(guest_do(g, 0, AGENT_OUT, UNCLAIMED, width, PATTERN, 0), PATTERN);
    }
}

static void string_ports(struct guest *g)
{
    uint8_t *buffer = guest_scratch(g);
    for (uint32_t width = 1; width <= 4; width *= 2) {
        uint64_t mask = width_mask(width);
        memset(buffer, 0, PAGE);
        guest_go(g, 0, AGENT_INS, PORT, width, AGENT_SCRATCH, 5);
        for (uint64_t i = 0; i < 5; i++) {
            (void)services_expect_pio(g, 0, PORT, width, false, 0);
            CHECK_EQ(services_answer(g, 0, PATTERN + i), 0);
        }
        guest_done(g, 0);
        CHECK_EQ(guest_box(g, 0)->result, AGENT_SCRATCH + 5 * width);
        for (uint64_t i = 0; i < 5; i++) {
            uint64_t got = 0;
            memcpy(&got, buffer + i * width, width);
            CHECK_EQ(got, (PATTERN + i) & mask);
        }
        CHECK_EQ(buffer[5 * width], 0);
        guest_go(g, 0, AGENT_OUTS, PORT, width, AGENT_SCRATCH, 5);
        for (uint64_t i = 0; i < 5; i++) {
            (void)services_expect_pio(g, 0, PORT, width, true, (PATTERN + i) & mask);
            CHECK_EQ(services_answer(g, 0, 0), 0);
        }
        guest_done(g, 0);
        CHECK_EQ(guest_box(g, 0)->result, AGENT_SCRATCH + 5 * width);
        /* Unclaimed: no service, ones. */
        memset(buffer, 0, PAGE);
        (void)guest_do(g, 0, AGENT_INS, UNCLAIMED, width, AGENT_SCRATCH, 9);
        CHECK_EQ(buffer[9 * width - 1], 0xff);
        CHECK_EQ(buffer[9 * width], 0);
        (void)guest_do(g, 0, AGENT_OUTS, UNCLAIMED, width, AGENT_SCRATCH, 9);
    }
}

static void memory(struct guest *g)
{
    for (uint32_t width = 1; width <= 8; width *= 2) {
        gpa_t at = AGENT_MMIO + PAGE - width; /* the end of the first of two claimed pages */
        uint64_t mask = width_mask(width);
        guest_go(g, 0, AGENT_READ, at, width, 0, 0);
        (void)services_expect_mmio(g, 0, at, width, false, 0);
        CHECK_EQ(services_answer(g, 0, PATTERN), 0);
        guest_done(g, 0);
        CHECK_EQ(guest_box(g, 0)->result, PATTERN & mask);
        guest_go(g, 0, AGENT_WRITE, at, width, PATTERN, 0);
        (void)services_expect_mmio(g, 0, at, width, true, PATTERN & mask);
        CHECK_EQ(services_answer(g, 0, 0), 0);
        guest_done(g, 0);
        CHECK_EQ(guest_do(g, 0, AGENT_READ, AGENT_MMIO + 16 * PAGE, width, 0, 0), mask);
        (void)guest_do(g, 0, AGENT_WRITE, AGENT_MMIO + 16 * PAGE, width, PATTERN, 0);
        CHECK_EQ(guest_do(g, 0, AGENT_READ, AGENT_MMIO + 16 * PAGE, width, 0, 0), mask);
    }
}

static void string_memory(struct guest *g)
{
    uint8_t *buffer = guest_scratch(g);
    guest_go(g, 0, AGENT_STOS, AGENT_MMIO, 8, PATTERN, 4);
    for (uint64_t i = 0; i < 4; i++) {
        (void)services_expect_mmio(g, 0, AGENT_MMIO + 8 * i, 8, true, PATTERN);
        CHECK_EQ(services_answer(g, 0, 0), 0);
    }
    guest_done(g, 0);
    guest_go(g, 0, AGENT_MOVS, AGENT_SCRATCH, 4, AGENT_MMIO, 4);
    for (uint64_t i = 0; i < 4; i++) {
        (void)services_expect_mmio(g, 0, AGENT_MMIO + 4 * i, 4, false, 0);
        CHECK_EQ(services_answer(g, 0, 0x1000 + i), 0);
    }
    guest_done(g, 0);
    for (uint32_t i = 0; i < 4; i++)
        CHECK_EQ(((uint32_t *)(void *)buffer)[i], 0x1000 + i);
    /* From claimed memory to claimed memory: two services for each element. */
    guest_go(g, 0, AGENT_MOVS, AGENT_MMIO + 0x100, 1, AGENT_MMIO + 0x200, 3);
    for (uint64_t i = 0; i < 3; i++) {
        (void)services_expect_mmio(g, 0, AGENT_MMIO + 0x200 + i, 1, false, 0);
        CHECK_EQ(services_answer(g, 0, 0xf0 + i), 0);
        (void)services_expect_mmio(g, 0, AGENT_MMIO + 0x100 + i, 1, true, 0xf0 + i);
        CHECK_EQ(services_answer(g, 0, 0), 0);
    }
    guest_done(g, 0);
}

static void read_modify_write(struct guest *g)
{
    const uint32_t value = 0x0f0f0f05, operand = 0x00ff00ff;
    const struct {
        enum agent_rmw op;
        uint32_t read, written; /* written: equal to read means no write service */
        uint64_t result;
        bool writes, zero;
    } rows[] = {
        {RMW_OR, value, value | operand, operand, true, false},
        {RMW_AND, value, value & operand, operand, true, false},
        {RMW_XOR, value, value ^ operand, operand, true, false},
        {RMW_XOR, operand, 0, operand, true, true},
        {RMW_XCHG, value, operand, value, true, false},
        {RMW_CMPXCHG, 5, operand, 5, true, true},
        {RMW_CMPXCHG, value, value, value, true, false},
        {RMW_BTS, 0, 8, operand, true, false},
        {RMW_TEST, value, 0, operand, false, false},
        {RMW_TEST, ~operand, 0, operand, false, true},
        {RMW_CMP, operand, 0, operand, false, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        guest_go(g, 0, AGENT_RMW, AGENT_MMIO + 0x40, rows[i].op, operand, 0);
        (void)services_expect_mmio(g, 0, AGENT_MMIO + 0x40, 4, false, 0);
        CHECK_EQ(services_answer(g, 0, rows[i].read), 0);
        if (rows[i].writes) {
            (void)services_expect_mmio(g, 0, AGENT_MMIO + 0x40, 4, true, rows[i].written);
            CHECK_EQ(services_answer(g, 0, PATTERN), 0);
        }
        guest_done(g, 0);
        CHECK_CASE((int64_t)guest_box(g, 0)->result, (int64_t)rows[i].result, "rmw %zu", i);
        if (rows[i].op != RMW_XCHG && rows[i].op != RMW_BTS)
            CHECK_CASE(guest_box(g, 0)->flags >> 6 & 1, rows[i].zero, "rmw %zu, ZF", i);
    }
}

static void not_decoded(struct guest *g)
{
    struct hv_regs r;
    const struct hv_service *s = guest_service(g, 0);
    /* Answer 1: the instruction does not exist. */
    guest_go(g, 0, AGENT_SSE, AGENT_MMIO, 0, 0, 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_DECODE);
    CHECK_EQ(s->decode.gpa, AGENT_MMIO);
    CHECK_EQ(s->decode.write, 0);
    CHECK(s->decode.insn_len >= 3);
    CHECK_EQ(s->decode.insn[0], 0x0f);
    CHECK_EQ(s->decode.insn[1], 0x10);
    guest_service(g, 0)->decode.action = 1;
    CHECK_EQ(guest_complete(g, 0), 0);
    guest_done(g, 0);
    CHECK_EQ(guest_box(g, 0)->vector, 0x106);
    /* Answer 0: the manager has done it; it moves RIP behind the three bytes. */
    guest_go(g, 0, AGENT_SSE, AGENT_MMIO + 8, 0, 0, 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_DECODE);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
    r.rip += 3;
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
    guest_service(g, 0)->decode.action = 0;
    CHECK_EQ(guest_complete(g, 0), 0);
    guest_done(g, 0);
    CHECK_EQ(guest_box(g, 0)->vector, 0);
    /* Answer 0 without a change: it happens again. */
    guest_go(g, 0, AGENT_SSE, AGENT_MMIO + 16, 0, 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(guest_wait(g, 0), HV_EXIT_DECODE);
        CHECK_EQ(s->decode.gpa, AGENT_MMIO + 16);
        guest_service(g, 0)->decode.action = i == 2;
        CHECK_EQ(guest_complete(g, 0), 0);
    }
    guest_done(g, 0);
    CHECK_EQ(guest_box(g, 0)->vector, 0x106);
    /* Any other answer is rubbish and means nothing; the instruction comes again. */
    guest_go(g, 0, AGENT_SSE, AGENT_MMIO, 0, 0, 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_DECODE);
    CHECK_EQ(services_answer(g, 0, PATTERN), 0);
    CHECK_EQ(guest_wait(g, 0), HV_EXIT_DECODE);
    guest_service(g, 0)->decode.action = 1;
    CHECK_EQ(guest_complete(g, 0), 0);
    guest_done(g, 0);
}

/* An access that crosses into or out of a claimed page is the manager's with its bytes. */
static void straddle(struct guest *g)
{
    const gpa_t at[] = {AGENT_MMIO - 4, AGENT_MMIO + 2 * PAGE - 4, AGENT_MMIO + PAGE - 4};
    for (size_t i = 0; i < 3; i++) {
        guest_go(g, 0, AGENT_READ, at[i], 8, 0, 0);
        CHECK_EQ(guest_wait(g, 0), HV_EXIT_DECODE);
        guest_service(g, 0)->decode.action = 1;
        CHECK_EQ(guest_complete(g, 0), 0);
        guest_done(g, 0);
        CHECK_EQ(guest_box(g, 0)->vector, 0x106);
    }
    /* Nobody on either side. */
    CHECK_EQ(guest_do(g, 0, AGENT_READ, AGENT_MMIO + 16 * PAGE - 4, 8, 0, 0), UINT64_MAX);
}

static void complete_twice(struct guest *g)
{
    guest_go(g, 0, AGENT_SPIN, 0, 0, 0, 0);
    CHECK_EQ(guest_complete(g, 0), -(uint64_t)HV_ENOENT);
    guest_box(g, 0)->stop = 1;
    guest_done(g, 0);
    CHECK_EQ(guest_complete(g, 1), 0); /* an open service of another vCPU is not concerned */
    guest_done(g, 1);
    CHECK_EQ(hv_domain_pause(g->id), 0);
    guest_go(g, 0, AGENT_IN, PORT, 1, 0, 0);
    CHECK_EQ(guest_complete(g, 0), -(uint64_t)HV_ENOENT);
    CHECK_EQ(hv_domain_resume(g->id), 0);
    (void)services_expect_pio(g, 0, PORT, 1, false, 0);
    CHECK_EQ(services_answer(g, 0, 1), 0);
    guest_done(g, 0);
}

/* Registers that the manager sets in a service: the answer is for the state as it is then. */
static void state_in_between(struct guest *g)
{
    struct hv_regs r;
    guest_go(g, 0, AGENT_IN, PORT, 4, 0, 0);
    (void)services_expect_pio(g, 0, PORT, 4, false, 0);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
    r.rax = UINT64_MAX;
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
    CHECK_EQ(services_answer(g, 0, 0x12345678), 0);
    guest_done(g, 0);
    CHECK_EQ(guest_box(g, 0)->result, 0x12345678);
    /* All records read and written back in the middle of a read-modify-write change nothing. */
    guest_go(g, 0, AGENT_RMW, AGENT_MMIO, RMW_OR, 0xf0, 0);
    (void)services_expect_mmio(g, 0, AGENT_MMIO, 4, false, 0);
    CHECK_EQ(services_answer(g, 0, 0x0f), 0);
    (void)services_expect_mmio(g, 0, AGENT_MMIO, 4, true, 0xff);
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_REGS, &r, sizeof(r)), 0);
    struct hv_sregs s;
    CHECK_EQ(call_vcpu_get(g->id, 0, HV_STATE_SREGS, &s, sizeof(s)), 0);
    CHECK_EQ(call_vcpu_set(g->id, 0, HV_STATE_SREGS, &s, sizeof(s)), 0);
    CHECK_EQ(services_answer(g, 0, 0), 0);
    guest_done(g, 0);
}

/* A claim that goes away, or memory that comes, between the service and its answer. */
static void claim_in_between(struct guest *g)
{
    guest_go(g, 0, AGENT_RMW, AGENT_MMIO, RMW_XOR, 0xf0, 0);
    (void)services_expect_mmio(g, 0, AGENT_MMIO, 4, false, 0);
    CHECK_EQ(call_domain_unclaim(g->id, HV_CLAIM_MMIO, AGENT_MMIO, 2 * PAGE), 0);
    CHECK_EQ(services_answer(g, 0, 0x0f), 0);
    guest_done(g, 0);
    CHECK_EQ(call_domain_claim(g->id, HV_CLAIM_MMIO, AGENT_MMIO, 2 * PAGE), 0);
    gpa_t page = services_spare_page();
    memset(lab_at(page), 0, PAGE);
    guest_go(g, 0, AGENT_WRITE, AGENT_MMIO, 8, PATTERN, 0);
    (void)services_expect_mmio(g, 0, AGENT_MMIO, 8, true, PATTERN);
    CHECK_EQ(call_mem_share(g->id, page, AGENT_MMIO, 1, HV_MEM_WRITE), 1);
    CHECK_EQ(services_answer(g, 0, 0), 0);
    guest_done(g, 0);
    /* Memory hides the claim. */
    (void)guest_do(g, 0, AGENT_WRITE, AGENT_MMIO + 8, 8, PATTERN, 0);
    CHECK_EQ(((uint64_t *)lab_at(page))[1], PATTERN);
    CHECK_EQ(hv_mem_unmap(g->id, AGENT_MMIO, 1), 1);
    guest_go(g, 0, AGENT_READ, AGENT_MMIO, 4, 0, 0);
    (void)services_expect_mmio(g, 0, AGENT_MMIO, 4, false, 0);
    CHECK_EQ(services_answer(g, 0, 0), 0);
    guest_done(g, 0);
}

gpa_t services_spare_page(void)
{
    static gpa_t page;
    if (!page)
        page = lab_pages(1, PAGE);
    return page;
}

void services_claim(struct guest *g)
{
    CHECK_EQ(call_domain_claim(g->id, HV_CLAIM_PIO, PORT, 16), 0);
    CHECK_EQ(call_domain_claim(g->id, HV_CLAIM_MMIO, AGENT_MMIO, 2 * PAGE), 0);
}

void test_services(void)
{
    struct guest *g = guest_slot(0);
    guest_start(g, "services", 2);
    services_claim(g);
    ports(g);
    string_ports(g);
    memory(g);
    string_memory(g);
    read_modify_write(g);
    not_decoded(g);
    straddle(g);
    complete_twice(g);
    state_in_between(g);
    claim_in_between(g);
    CHECK_EQ(guest_destroy(g), 0);
    services_load();
}
