/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream of calls of chaos.c. A call is built as somebody would make it, with domains, handles, GSIs and
 * structures that exist, then something of it may be changed: flipped bits, values at limits, random bytes.
 *
 * What is kept away is what would only hurt the test: addresses of this program's own memory (addresses are in
 * `area`, `spare`, or where there is no memory of ours), waits without an end, priorities above our own.
 */
#include "guest_abi/apic.h"
#include "guest_abi/hv_pirq.h"
#include "guest_abi/hv_trace.h"
#include "guest_abi/irqchip.h"
#include "tests/manager/chaos.h"

#include <stdio.h>
#include <string.h>

#define IMAGE    0x200000ULL /* the hypervisor's */
#define OWN_PRIO 128U
#define RECORD   1536U /* bytes that are prepared */

static uint64_t state = 1, unsorted; /* bells and handles that were put in so far */
static gpa_t at;                     /* the structure of this call */
static uint8_t *body;

void chaos_seed(uint64_t seed)
{
    state = (seed + 1) * 0x9e3779b97f4a7c15ULL | 1;
    unsorted = 0;
}

static uint64_t roll(uint64_t below)
{
    return chaos_roll(&state, below);
}

static uint64_t word(void)
{
    uint64_t kind = roll(4);
    return kind == 0   ? 1ULL << roll(64) ^ 1ULL << roll(64)
           : kind == 1 ? roll(1ULL << 53) << roll(12)
                       : chaos_limit(roll(1U << 16));
}

static uint64_t domain(void)
{
    uint64_t id = chaos.guest[roll(CHAOS_GUESTS)]->id;
    const uint64_t bad[] = {0, HV_DOMAIN_SELF, 255, 256, 1ULL << 32 | id, id + 256, ~0ULL};
    uint64_t kind = roll(24);
    if (kind < 22)
        return id;
    return kind == 22 ? chaos.stray : bad[roll(sizeof(bad) / sizeof(bad[0]))];
}

static uint32_t domain32(void)
{
    return (uint32_t)domain();
}

static uint64_t vcpu(void)
{
    return roll(20) ? roll(CHAOS_VCPUS) : chaos_limit(roll(1U << 16));
}

/* Mostly one that is open. */
static uint64_t *kept(void)
{
    uint64_t *h = &chaos.handle[roll(CHAOS_KEPT)];
    for (unsigned i = 0; i < 6 && !*h; i++)
        h = &chaos.handle[roll(CHAOS_KEPT)];
    return h;
}

static uint64_t handle(void)
{
    return *kept();
}

static uint32_t gsi(void)
{
    return (uint32_t)(roll(24) ? roll(roll(2) ? 24 : 64) : word());
}

static uint32_t number(void)
{
    return HV_NOTIFY_OWN + (uint32_t)roll(CHAOS_NUMBERS);
}

static gpa_t place(void)
{
    const gpa_t bad[] = {at + 1,
                         at + 4,
                         chaos.area + PAGE - 8,
                         chaos.spare + roll(CHAOS_SPARE) * PAGE,
                         IMAGE,
                         CHAOS_FAR,
                         1ULL << 47,
                         1ULL << 52,
                         ~0ULL,
                         ~7ULL,
                         ~0xfffULL,
                         CHAOS_FAR + word() / 2};
    return bad[roll(sizeof(bad) / sizeof(bad[0]))];
}

/* An access there hurts nobody. */
static bool harmless(gpa_t gpa)
{
    return gpa >= CHAOS_FAR || gpa == IMAGE ||
           (gpa >= chaos.spare && gpa < chaos.spare + CHAOS_SPARE * PAGE) ||
           (gpa >= chaos.area && gpa < chaos.area + (CHAOS_AREA - 1) * PAGE);
}

static uint32_t message_data(void)
{
    static const uint32_t modes[] = {
        APIC_DM_FIXED, APIC_DM_FIXED, APIC_DM_FIXED,  APIC_DM_LOWEST,  APIC_DM_SMI,
        APIC_DM_NMI,   APIC_DM_INIT,  APIC_DM_EXTINT, APIC_DM_STARTUP, 3};
    uint32_t mode = roll(8) ? 0 : modes[roll(sizeof(modes) / sizeof(modes[0]))];
    uint32_t vector = (uint32_t)(roll(16) ? 16 + roll(240) : roll(256));
    return vector | mode << 8 | (uint32_t)roll(4) << 14;
}

static uint32_t message_address(void)
{
    return 0xfee00000U | (uint32_t)(roll(8) ? roll(CHAOS_VCPUS) : roll(256)) << 12 | (uint32_t)roll(4) << 2;
}

static void fill_route(struct hv_route *r, uint32_t of)
{
    static const uint32_t kinds[] = {HV_ROUTE_IRQCHIP, HV_ROUTE_IRQCHIP, HV_ROUTE_MSI,    HV_ROUTE_MSI,
                                     HV_ROUTE_GSI,     HV_ROUTE_NOTIFY,  HV_ROUTE_OUTPUT, HV_ROUTE_HV_SINT};
    *r = (struct hv_route){.gsi = of, .kind = kinds[roll(sizeof(kinds) / sizeof(kinds[0]))]};
    if (r->kind == HV_ROUTE_IRQCHIP) {
        r->irqchip.chip = (uint32_t)roll(3);
        r->irqchip.pin = (uint32_t)roll(r->irqchip.chip == HV_CHIP_IOAPIC ? 24 : 8);
    } else if (r->kind == HV_ROUTE_MSI) {
        r->msi.address = message_address();
        r->msi.data = message_data();
    } else if (r->kind == HV_ROUTE_GSI) {
        r->gsi_to.gsi = gsi();
    } else if (r->kind == HV_ROUTE_NOTIFY) {
        r->notify.number = number();
    } else {
        r->output.vcpu = (uint32_t)vcpu();
        r->output.number = (uint32_t)roll(64);
        r->output.edge = (uint32_t)roll(2);
    }
}

static uint32_t fill_routes(bool many)
{
    struct hv_routes *list = (struct hv_routes *)(void *)body;
    uint32_t count = (uint32_t)roll(many ? 9 : 3), of = gsi();
    list->size = 16 + 32 * count;
    list->count = count;
    list->gsi = many ? 0 : of;
    for (uint32_t i = 0; i < count; i++) {
        of += many ? (uint32_t)roll(4) : 0;
        fill_route(&list->route[i], of);
    }
    return list->size;
}

static uint32_t fill_notifier(void)
{
    struct hv_notifier *n = (struct hv_notifier *)(void *)body;
    *n = (struct hv_notifier){.size = sizeof(*n), .kind = (uint32_t)roll(roll(3) ? 2 : 3)};
    if (roll(2))
        n->kind = HV_NOTIFIER_GSI;
    if (n->kind == HV_NOTIFIER_GSI) {
        n->flags = (uint32_t)roll(2) * HV_NOTIFIER_RESAMPLE;
        n->domain = domain32();
        n->gsi = gsi();
    }
    if (n->flags || n->kind == HV_NOTIFIER_NOTIFY)
        n->number = number();
    return n->size;
}

static uint32_t fill_doorbell(void)
{
    struct hv_doorbell *d = (struct hv_doorbell *)(void *)body;
    static const uint32_t widths[] = {0, 1, 2, 4, 8};
    uint64_t slot = roll(CHAOS_BELLS);
    *d = (struct hv_doorbell){.size = sizeof(*d), .space = (uint32_t)roll(2), .notifier = handle()};
    d->address = d->space ? AGENT_MMIO + 4 * slot : CHAOS_PORT + slot;
    d->width = widths[roll(4 + d->space)];
    if (d->width && !roll(3)) {
        d->flags = HV_DOORBELL_MATCH;
        d->data = roll(4);
    }
    return d->size;
}

static uint32_t fill_pirq(void)
{
    struct hv_pirq *p = (struct hv_pirq *)(void *)body;
    *p = (struct hv_pirq){.size = sizeof(*p), .notifier = handle(), .cpu = HV_PIRQ_ANY_CPU};
    p->flags = (uint32_t)roll(3) << 2 | (uint32_t)roll(3) << 4 | (roll(8) ? 0 : HV_PIRQ_ISA);
    p->limit = (uint32_t)roll(3) * 20;
    if (roll(4))
        p->cpu = (uint32_t)roll(lab_cpus());
    if (roll(2))
        p->storm_number = number();
    return p->size;
}

/* Records of a vCPU or a controller: first what it is now. */
static uint32_t fill_record(enum hv_call call, uint64_t a[6])
{
    static const uint32_t vcpu_sizes[] = {sizeof(struct hv_regs),   sizeof(struct hv_sregs),
                                          sizeof(struct hv_msrs),   64 + 576,
                                          sizeof(struct hv_events), sizeof(struct hv_lapic)};
    static const uint32_t chip_sizes[] = {sizeof(struct hv_pic), sizeof(struct hv_pit), HV_IOAPIC_SIZE(24)};
    bool chip = call == HV_CALL_IRQCHIP_GET || call == HV_CALL_IRQCHIP_SET;
    a[0] = domain();
    a[1] = chip ? roll(4) : vcpu();
    a[2] = chip ? at : roll(3) ? 4 + roll(2) : roll(6);
    uint32_t size = chip ? chip_sizes[a[1] % 3] : vcpu_sizes[a[2]];
    a[3] = chip ? size : at;
    a[4] = size;
    if (call == HV_CALL_VCPU_SET && roll(2))
        (void)hv_call2(HV_CALL_VCPU_STOP, a[0], a[1]);
    *(uint32_t *)(void *)body = size; /* of an XSAVE record */
    if (call == HV_CALL_VCPU_SET)
        (void)hv_call5(HV_CALL_VCPU_GET, a[0], a[1], a[2], at, size);
    if (call == HV_CALL_VCPU_SET && a[2] == HV_STATE_EVENTS && roll(2))
        ((struct hv_events *)(void *)body)->pending =
            1U << 31 | (uint32_t)roll(8) << 8 | (uint32_t)roll(roll(2) ? 32 : 256) | (uint32_t)roll(2) << 11;
    if (call == HV_CALL_IRQCHIP_SET)
        (void)hv_call4(HV_CALL_IRQCHIP_GET, a[0], a[1], at, size);
    return size;
}

static uint32_t fill_mem(void)
{
    struct hv_mem *m = (struct hv_mem *)(void *)body;
    static const gpa_t targets[] = {AGENT_MEMORY, AGENT_MMIO, 0x100000, 0xfee00000, 0xfec00000, 1ULL << 40};
    *m = (struct hv_mem){.size = sizeof(*m), .flags = (uint32_t)roll(4), .pages = 1 + roll(4)};
    m->own = chaos.spare + roll(CHAOS_SPARE) * PAGE;
    m->target = targets[roll(6)] + roll(8) * PAGE;
    return m->size;
}

/* Fills in a valid call; the size of its structure. */
static uint32_t build_irq(enum hv_call call, uint64_t a[6])
{
    if ((call >= HV_CALL_NOTIFIER_CREATE && call <= HV_CALL_NOTIFIER_LIST) ||
        call == HV_CALL_NOTIFIER_SIGNAL || call == HV_CALL_NOTIFIER_READ)
        a[0] = handle();
    else if (call >= HV_CALL_PIRQ_BIND && call <= HV_CALL_PIRQ_INFO)
        a[0] = roll(24);
    else
        a[0] = domain();
    a[1] = at;
    if (call == HV_CALL_IRQ_LINE || call == HV_CALL_ROUTE_MSI)
        a[1] = gsi();
    if (call == HV_CALL_SIGNAL_MSI || call == HV_CALL_ROUTE_MSI) {
        uint64_t *message = call == HV_CALL_SIGNAL_MSI ? &a[1] : &a[2];
        message[0] = message_address();
        message[1] = message_data();
    }
    if (call == HV_CALL_EOI_VECTORS)
        for (unsigned i = 1; i < 5; i++)
            a[i] = word() & ~(i == 1 ? 0xffffULL : 0);
    if (call == HV_CALL_NOTIFIER_GRANT || call == HV_CALL_PIRQ_GIVE)
        a[1] = domain();
    a[2] = call == HV_CALL_NOTIFIER_GRANT ? roll(2) : call == HV_CALL_IRQ_LINE ? roll(4) : a[2];
    if (call == HV_CALL_NOTIFIER_LIST) {
        a[0] = roll(2) ? 0 : a[0];
        a[2] = roll(513);
    }
    if (call == HV_CALL_ROUTE_SET || call == HV_CALL_ROUTE_REPLACE) {
        a[2] = fill_routes(call == HV_CALL_ROUTE_REPLACE);
        a[3] = roll(4);
        return (uint32_t)a[2];
    }
    if (call == HV_CALL_ROUTE_GET) {
        *(struct hv_routes *)(void *)body = (struct hv_routes){16 + 32 * 8, 8, gsi(), 0};
        return (uint32_t)(a[2] = 16 + 32 * 8);
    }
    if (call == HV_CALL_NOTIFIER_CREATE)
        a[0] = at;
    if (call == HV_CALL_NOTIFIER_CREATE || call == HV_CALL_NOTIFIER_BIND)
        return fill_notifier();
    if (call == HV_CALL_DOORBELL_ADD)
        return fill_doorbell();
    if (call == HV_CALL_DOORBELL_REMOVE) {
        uint64_t slot = roll(CHAOS_KEPT);
        memcpy(body, &chaos.bell[slot], sizeof(struct hv_doorbell));
        a[0] = chaos.bell_domain[slot];
        return sizeof(struct hv_doorbell);
    }
    return call == HV_CALL_PIRQ_BIND ? fill_pirq() : 0;
}

/* Structures whose fields are simple. */
static void fill_simple(enum hv_call call, uint32_t size)
{
    union {
        struct hv_log_read log;
        struct hv_trace_read trace;
        struct hv_domain_create create;
        struct hv_claim claim;
        struct hv_irqchip_config config;
        struct hv_route_lookup lookup;
        struct hv_route_stats stats;
        struct hv_mem_query query;
    } *u = (void *)body;
    *(uint32_t *)(void *)body = size;
    if (call == HV_CALL_LOG_READ) {
        u->log.length = (uint32_t)roll(4097);
        u->log.buffer = chaos.area + 4 * PAGE;
    } else if (call == HV_CALL_TRACE_READ) {
        u->trace.records = (uint32_t)roll(33);
        u->trace.buffer = chaos.area + 4 * PAGE;
    } else if (call == HV_CALL_DOMAIN_CREATE) {
        u->create.flags = (uint32_t)roll(32);
        u->create.max_vcpus = 1 + (uint32_t)roll(64);
        u->create.pool_pages = (uint32_t)roll(2) * (uint32_t)roll(64);
        strlcpy(u->create.name, "stray", sizeof(u->create.name));
    } else if (call == HV_CALL_DOMAIN_CLAIM || call == HV_CALL_DOMAIN_UNCLAIM) {
        u->claim.space = (uint32_t)roll(2);
        u->claim.base = u->claim.space ? AGENT_MMIO + roll(4) * PAGE : CHAOS_PORT + roll(32);
        u->claim.length = u->claim.space ? PAGE : 1 + roll(4);
    } else if (call == HV_CALL_IRQCHIP_CONFIG) {
        u->config.gsis = (uint32_t)roll(HV_GSI_MAX);
        u->config.ioapics = (uint32_t)roll(2);
        u->config.ioapic[0] =
            (struct hv_ioapic_place){u->config.ioapics * 0xfec00000ULL, u->config.ioapics * 24, 0};
    } else if (call == HV_CALL_ROUTE_LOOKUP) {
        u->lookup.vector = (uint32_t)roll(256);
        u->lookup.gsi = gsi();
    } else if (call == HV_CALL_ROUTE_STATS || call == HV_CALL_ROUTE_LATENCY) {
        u->stats.gsi = gsi();
    } else if (call == HV_CALL_MEM_QUERY) {
        u->query.gpa = roll(2) ? roll(0x40000) : AGENT_MEMORY;
    }
}

static uint32_t build(enum hv_call call, uint64_t a[6])
{
    uint32_t size = chaos_size(call);
    for (unsigned i = 0; i < 6; i++)
        a[i] = word();
    if (call == HV_CALL_VCPU_GET || call == HV_CALL_VCPU_SET || call == HV_CALL_IRQCHIP_GET ||
        call == HV_CALL_IRQCHIP_SET)
        return fill_record(call, a);
    if (size)
        fill_simple(call, size);
    if ((call >= HV_CALL_IRQ_LINE && call <= HV_CALL_ROUTE_MSI) || call >= HV_CALL_IRQCHIP_CONFIG)
        if (call < HV_CALL_TRACE_CONTROL)
            return build_irq(call, a) | size;
    if (call >= HV_CALL_DOMAIN_DESTROY && call <= HV_CALL_MEM_QUERY && call != HV_CALL_DOMAIN_LIST)
        a[0] = domain();
    if (call >= HV_CALL_VCPU_CREATE && call <= HV_CALL_VCPU_APIC)
        a[1] = call == HV_CALL_VCPU_CREATE ? roll(AGENT_VCPUS) : vcpu();
    if (call == HV_CALL_VCPU_CREATE)
        a[2] = chaos.spare + roll(CHAOS_SPARE) * PAGE;
    if (call == HV_CALL_VCPU_INFO || call == HV_CALL_VCPU_APIC)
        a[2] = at;
    if (call == HV_CALL_VCPU_INJECT) {
        static const uint64_t kinds[] = {HV_INJECT_EXTERNAL, HV_INJECT_EXTERNAL, HV_INJECT_NMI,
                                         HV_INJECT_EXCEPTION};
        a[2] = kinds[roll(4)];
        a[3] = a[2] == HV_INJECT_NMI ? 0 : a[2] == HV_INJECT_EXTERNAL ? 32 + roll(224) : roll(32);
        a[4] = 0;
    }
    if (call == HV_CALL_MEM_DONATE || call == HV_CALL_MEM_SHARE)
        size = fill_mem();
    if (call == HV_CALL_MEM_UNMAP) {
        a[1] = roll(4) ? AGENT_MEMORY + roll(8) * PAGE : roll(0x40) * PAGE;
        a[2] = 1 + roll(4);
    }
    if (call == HV_CALL_TRACE_CONTROL) {
        a[0] = roll(3);
        a[1] = 1ULL << roll(4);
        a[2] = 1 + roll(15);
        a[3] = 2 + 2 * roll(127);
    }
    if (size && call < HV_CALL_DOMAIN_DESTROY)
        a[call == HV_CALL_MODULE_INFO || call == HV_CALL_CPU_INFO] = at;
    else if (size && call < HV_CALL_TRACE_CONTROL && call != HV_CALL_VCPU_INFO && call != HV_CALL_VCPU_APIC)
        a[1] = at;
    else if (call == HV_CALL_TRACE_READ)
        a[0] = at;
    if (call == HV_CALL_MODULE_INFO || call == HV_CALL_CPU_INFO)
        a[0] = roll(3);
    return size;
}

static void mutate(uint32_t size, uint64_t a[6])
{
    uint64_t kind = roll(20), from = roll(8) ? 4 : 0, value = word();
    if (size > 8 && size <= RECORD && kind < 4) {
        for (uint64_t n = 1 + roll(3); n; n--)
            body[from + roll(size - from)] ^= (uint8_t)(1U << roll(8));
    } else if (size > 8 && size <= RECORD && kind < 6) {
        memcpy(body + 4 + roll((size - 4) / 4) * 4, &value, 4);
    } else if (size > 8 && size <= RECORD && kind < 7) {
        memcpy(body + roll(size / 8) * 8, &value, 8);
    } else if (size > 8 && size <= RECORD && kind < 8) {
        for (uint64_t i = from; i < size; i++)
            body[i] = (uint8_t)roll(256);
    } else if (kind < 10) {
        a[roll(5)] = roll(2) ? value : a[roll(5)] ^ 1ULL << roll(64);
    }
}

static void tame_memory(struct hv_mem *m)
{
    gpa_t end = chaos.spare + CHAOS_SPARE * PAGE;
    if (!harmless(m->own) || (m->own >= chaos.area && m->own < chaos.area + CHAOS_AREA * PAGE))
        m->own = chaos.spare;
    if (m->own < end && m->pages > (end - m->own) / PAGE && m->pages <= 1ULL << 36)
        m->pages = 1;
}

static void tame(enum hv_call call, uint64_t a[6])
{
    unsigned pointer = chaos_pointer(call);
    if (pointer < 6 && (!harmless(a[pointer]) || !roll(24)))
        a[pointer] = place();
    if (call == HV_CALL_MEM_DONATE || call == HV_CALL_MEM_SHARE)
        tame_memory((struct hv_mem *)(void *)body);
    uint64_t *buffer = call == HV_CALL_LOG_READ     ? &((struct hv_log_read *)(void *)body)->buffer
                       : call == HV_CALL_TRACE_READ ? &((struct hv_trace_read *)(void *)body)->buffer
                                                    : NULL;
    if (buffer && !harmless(*buffer))
        *buffer = place();
    if (call == HV_CALL_CONSOLE_WRITE)
        a[0] |= CHAOS_FAR;
    if (call == HV_CALL_NOTIFY_WAIT)
        a[0] = lab_now() + roll(lab_ms() / 4);
    if (call == HV_CALL_NOTIFY_PAGE && a[1] < 256)
        a[1] &= 15;
    if (call == HV_CALL_VCPU_PRIORITY && a[2] < 256 && a[2] > OWN_PRIO)
        a[2] = OWN_PRIO;
    if (call == HV_CALL_VCPU_PRIORITY && a[3] <= 1000000)
        a[3] %= 2000;
}

static void note(enum hv_call call, const uint64_t a[6], int64_t result)
{
    const struct hv_doorbell *bell = (const struct hv_doorbell *)(const void *)body;
    chaos.accepted++;
    if (call == HV_CALL_NOTIFIER_CREATE)
        chaos.handle[unsorted++ % CHAOS_KEPT] = (uint64_t)result;
    for (uint32_t i = 0; call == HV_CALL_NOTIFIER_CLOSE && i < CHAOS_KEPT; i++)
        chaos.handle[i] = chaos.handle[i] == a[0] ? 0 : chaos.handle[i];
    if (call == HV_CALL_DOORBELL_ADD) {
        chaos.bell_domain[unsorted % CHAOS_KEPT] = a[0];
        chaos.bell[unsorted++ % CHAOS_KEPT] = *bell;
    }
    if (call == HV_CALL_DOMAIN_CREATE)
        chaos.stray = (uint64_t)result;
    bool touches =
        call == HV_CALL_VCPU_SET || (call == HV_CALL_VCPU_INJECT && a[2] == HV_INJECT_EXCEPTION) ||
        ((call == HV_CALL_MEM_UNMAP || call == HV_CALL_MEM_DONATE || call == HV_CALL_MEM_SHARE) && result) ||
        call == HV_CALL_IRQCHIP_SET || call == HV_CALL_DOMAIN_UNCLAIM || call == HV_CALL_DOMAIN_CLAIM ||
        call == HV_CALL_VCPU_CREATE ||
        (call == HV_CALL_DOORBELL_ADD && !bell->space && bell->address <= AGENT_DONE);
    for (uint32_t i = 0; i < CHAOS_GUESTS; i++) {
        if (a[0] != chaos.guest[i]->id)
            continue;
        chaos.touched[i] |= touches;
        chaos.placed[i] |= call == HV_CALL_VCPU_SET && a[2] <= HV_STATE_SREGS;
        if (call == HV_CALL_DOMAIN_DESTROY)
            chaos.guest[i]->id = NOT_A_GUEST;
    }
}

void chaos_call(void)
{
    uint64_t a[6];
    char text[128];
    enum hv_call call = chaos_interrupt_call(roll(1U << 16));
    if (!roll(10))
        call = (enum hv_call)roll(HV_CALL_COUNT);
    if (call == HV_CALL_SHUTDOWN || (call == HV_CALL_DOMAIN_DESTROY && roll(4)))
        return;
    at = chaos.area + roll(4) * PAGE + roll(32) * 8;
    body = lab_at(at);
    memset(body, 0, RECORD);
    mutate(build(call, a), a);
    tame(call, a);
    snprintf(text, sizeof(text), "call %#x %#llx %#llx %#llx %#llx %#llx", call, (unsigned long long)a[0],
             (unsigned long long)a[1], (unsigned long long)a[2], (unsigned long long)a[3],
             (unsigned long long)a[4]);
    if (chaos.verbose)
        printf("%s\n", text);
    int64_t result = hv_call6(call, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (chaos.verbose)
        printf(" -> %lld\n", (long long)result);
    CHECK_CASE(chaos_documented(call, result) ? 0 : result, 0, "%s", text);
    chaos.calls++;
    if (result >= 0)
        note(call, a, result);
}
