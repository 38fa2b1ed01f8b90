/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that run the agent; see lab.h. */
#include <string.h>

#include "tests/manager/lab.h"

#define ANSWER_MS  20000U
#define CODE       0xa09bU /* 64-bit, present, execute-read, accessed */
#define DATA       0xc093U
#define UNUSABLE   0x10000U
#define TSS_BUSY   0x008bU
#define CR0_PE     1ULL
#define CR0_ET     0x10ULL
#define CR0_NE     0x20ULL
#define CR0_PG     (1ULL << 31)
#define CR4_PAE    0x20ULL
#define CR4_OSFXSR 0x200ULL
#define EFER_LONG  0x500ULL /* LME, LMA */
#define PTE        7ULL     /* present, writable, user */
#define PTE_LARGE  0x80ULL

extern const uint8_t agent_image[], agent_image_end[];

static struct guest slots[GUESTS_MAX];

struct guest *guest_slot(uint32_t number)
{
    struct guest *g = &slots[number];
    if (number >= GUESTS_MAX)
        check_abort("no guest slot %u", number);
    if (!g->memory) {
        g->id = NOT_A_GUEST;
        g->memory = lab_pages(AGENT_PAGES + AGENT_VCPUS, PAGE);
        g->service = lab_pages(AGENT_VCPUS, PAGE);
        g->mailbox = lab_pages(AGENT_VCPUS + AGENT_SCRATCH_PAGES, PAGE);
    }
    return g;
}

struct mailbox *guest_box(const struct guest *g, uint32_t vcpu)
{
    return lab_at(g->mailbox + vcpu * PAGE);
}

struct hv_service *guest_service(const struct guest *g, uint32_t vcpu)
{
    return lab_at(g->service + vcpu * PAGE);
}

uint8_t *guest_scratch(const struct guest *g)
{
    return lab_at(g->mailbox + AGENT_VCPUS * PAGE);
}

static uint64_t *words(gpa_t gpa)
{
    return lab_at(gpa);
}

/* Identity, the first GiB, large pages. */
static void fill_memory(const struct guest *g)
{
    words(g->memory + AGENT_PML4)[0] = AGENT_PDPT | PTE;
    words(g->memory + AGENT_PDPT)[0] = AGENT_PD | PTE;
    for (uint64_t i = 0; i < 512; i++)
        words(g->memory + AGENT_PD)[i] = i * LARGE_PAGE | PTE | PTE_LARGE;
    if (g->flags) {
        words(g->memory + AGENT_PD)[AGENT_IOAPIC / LARGE_PAGE] = 0xfec00000 | PTE | PTE_LARGE;
        words(g->memory + AGENT_PD)[AGENT_LAPIC / LARGE_PAGE] = 0xfee00000 | PTE | PTE_LARGE;
    }
    memcpy(lab_at(g->memory + AGENT_CODE), agent_image, (size_t)(agent_image_end - agent_image));
    memset(lab_at(g->mailbox), 0, (AGENT_VCPUS + AGENT_SCRATCH_PAGES) * PAGE);
}

static int64_t set_registers(const struct guest *g, uint32_t vcpu)
{
    const struct hv_segment code = {.limit = ~0U, .selector = 8, .access = CODE};
    const struct hv_segment data = {.limit = ~0U, .selector = 16, .access = DATA};
    uint64_t mailbox = AGENT_MAILBOX + vcpu * PAGE;
    struct hv_sregs s = {.cs = code, .ds = data, .es = data, .ss = data, .fs = data, .gs = data};
    s.gs.base = mailbox;
    s.ldtr.access = UNUSABLE;
    s.tr = (struct hv_segment){.limit = 0x67, .access = TSS_BUSY};
    s.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
    s.cr3 = AGENT_PML4;
    s.cr4 = CR4_PAE | CR4_OSFXSR;
    s.efer = EFER_LONG;
    s.dr6 = 0xffff0ff0U;
    s.xcr0 = 1;
    struct hv_regs r = {
        .rdi = mailbox, .rsp = AGENT_STACKS + (vcpu + 1) * PAGE - 8, .rip = AGENT_CODE, .rflags = 2};
    int64_t result = call_vcpu_set(g->id, vcpu, HV_STATE_SREGS, &s, sizeof(s));
    return result ? result : call_vcpu_set(g->id, vcpu, HV_STATE_REGS, &r, sizeof(r));
}

void guest_reset_vcpu(struct guest *g, uint32_t vcpu)
{
    if (set_registers(g, vcpu))
        check_abort("the registers of vCPU %u cannot be set", vcpu);
}

static int64_t give_pages(const struct guest *g)
{
    uint32_t all = HV_MEM_WRITE | HV_MEM_EXEC;
    uint64_t pages = AGENT_PAGES + (uint64_t)g->vcpus;
    int64_t result = g->shared ? call_mem_share(g->id, g->memory, 0, pages, all)
                               : call_mem_donate(g->id, g->memory, 0, pages, all);
    if (result >= 0)
        result = call_mem_share(g->id, g->mailbox, AGENT_MAILBOX, g->vcpus, HV_MEM_WRITE);
    if (result >= 0)
        result = call_mem_share(g->id, g->mailbox + AGENT_VCPUS * PAGE, AGENT_SCRATCH, AGENT_SCRATCH_PAGES,
                                HV_MEM_WRITE);
    if (result >= 0)
        result = call_domain_claim(g->id, HV_CLAIM_PIO, AGENT_DONE, 1);
    return result;
}

static int64_t fill_domain(struct guest *g)
{
    int64_t result = give_pages(g);
    for (uint32_t v = 0; v < g->vcpus && result >= 0; v++) {
        /* What was notified under this number belongs to its former owner. */
        (void)lab_notified(HV_NOTIFY_VCPU(g->id, v));
        guest_service(g, v)->kind = HV_EXIT_NONE;
        result = call_vcpu_create(g->id, v, g->service + v * PAGE);
        if (result >= 0)
            result = set_registers(g, v);
    }
    return result;
}

int64_t guest_build(struct guest *g, const char *name, uint32_t vcpus)
{
    struct hv_domain_create c = {
        .max_vcpus = AGENT_VCPUS, .pool_pages = g->pool_pages, .may = g->may, .flags = g->flags};
    strlcpy(c.name, name, sizeof(c.name));
    fill_memory(g);
    int64_t result = call_domain_create(&c);
    if (result < 0)
        return result;
    g->id = (uint32_t)result;
    g->vcpus = vcpus;
    (void)lab_notified(HV_NOTIFY_DOMAIN(g->id));
    result = fill_domain(g);
    if (result < 0)
        CHECK_EQ(guest_destroy(g), 0);
    return result < 0 ? result : 0;
}

void guest_start(struct guest *g, const char *name, uint32_t vcpus)
{
    int64_t result = guest_build(g, name, vcpus);
    if (result)
        check_abort("guest %s cannot be built: %d", name, (int)result);
    for (uint32_t v = 0; v < vcpus; v++)
        if (call_vcpu_start(g->id, v))
            check_abort("vCPU %u of %s cannot be started", v, name);
    for (uint32_t v = 0; v < vcpus; v++)
        guest_done(g, v);
}

int64_t guest_destroy(struct guest *g)
{
    int64_t result = call_domain_destroy(g->id);
    if (!result)
        g->id = NOT_A_GUEST;
    return result;
}

struct hv_vcpu_info guest_info(const struct guest *g, uint32_t vcpu)
{
    struct hv_vcpu_info info;
    if (call_vcpu_info(g->id, vcpu, &info))
        check_abort("VCPU_INFO of %u.%u fails", g->id, vcpu);
    return info;
}

enum hv_vcpu_state guest_state(const struct guest *g, uint32_t vcpu)
{
    return (enum hv_vcpu_state)guest_info(g, vcpu).state;
}

struct hv_domain_info guest_domain(const struct guest *g)
{
    struct hv_domain_info info;
    if (call_domain_info(g->id, &info))
        check_abort("DOMAIN_INFO of %u fails", g->id);
    return info;
}

int64_t guest_complete(struct guest *g, uint32_t vcpu)
{
    return hv_vcpu_complete(g->id, vcpu);
}

void guest_go(struct guest *g, uint32_t vcpu, enum agent_command command, uint64_t a, uint64_t b, uint64_t c,
              uint64_t d)
{
    struct mailbox *box = guest_box(g, vcpu);
    box->command = command;
    box->arg[0] = a;
    box->arg[1] = b;
    box->arg[2] = c;
    box->arg[3] = d;
    box->stop = 0;
    box->counter = 0;
    int64_t result = guest_complete(g, vcpu);
    if (result)
        check_abort("COMPLETE of %u.%u returns %d", g->id, vcpu, (int)result);
}

enum hv_exit_kind guest_wait(struct guest *g, uint32_t vcpu)
{
    if (!lab_wait(HV_NOTIFY_VCPU(g->id, vcpu), ANSWER_MS)) {
        struct hv_domain_info d = guest_domain(g);
        check_abort("no service of %u.%u: vCPU state %d, domain state %u, reason %u, detail %#llx", g->id,
                    vcpu, guest_state(g, vcpu), d.state, d.reason, (unsigned long long)d.detail);
    }
    return (enum hv_exit_kind)guest_service(g, vcpu)->kind;
}

bool guest_is_done(const struct guest *g, uint32_t vcpu)
{
    const struct hv_service *s = guest_service(g, vcpu);
    return s->kind == HV_EXIT_PIO && s->pio.port == AGENT_DONE && s->pio.write == 1;
}

void guest_done(struct guest *g, uint32_t vcpu)
{
    enum hv_exit_kind kind = guest_wait(g, vcpu);
    if (!guest_is_done(g, vcpu))
        check_abort("service %d of %u.%u is not the end of the command", kind, g->id, vcpu);
}

uint64_t guest_do(struct guest *g, uint32_t vcpu, enum agent_command command, uint64_t a, uint64_t b,
                  uint64_t c, uint64_t d)
{
    guest_go(g, vcpu, command, a, b, c, d);
    guest_done(g, vcpu);
    return guest_box(g, vcpu)->result;
}

int64_t guest_call(struct guest *g, uint32_t vcpu, uint64_t rax, const uint64_t arg[6])
{
    memcpy(&guest_box(g, vcpu)->arg[4], &arg[3], 3 * sizeof(arg[0]));
    return (int64_t)guest_do(g, vcpu, AGENT_CALL, rax, arg[0], arg[1], arg[2]);
}

void guest_dead(struct guest *g)
{
    if (!lab_wait(HV_NOTIFY_DOMAIN(g->id), ANSWER_MS))
        check_abort("domain %u does not die", g->id);
    CHECK_EQ(guest_domain(g).state, HV_DOMAIN_DEAD);
}
