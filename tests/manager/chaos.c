/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chaos: random calls with hostile arguments while guests run, ring doorbells, take interrupts and program their
 * controllers. An epoch has a seed of its own, which is printed first: guests with all kinds of irqchips are
 * built, calls are made (chaos_calls.c), every BURST calls all guests must answer, and at the end all is closed
 * and nothing may be left of it.
 *
 * A guest that does not answer must have a reason: it is dead for one that the interface names, an INIT has taken
 * its vCPU, or a call has changed its state or memory. Then it is built anew. One epoch alone: "seed=N rounds=1".
 * When the machine hangs or stops, the last seed in its log is the one; verbose=1 prints the calls.
 */
#include "tests/manager/chaos.h"

#include <stdio.h>
#include <string.h>

#include "guest_abi/apic.h"
#include "guest_abi/hv_trace.h"
#include "guest_abi/irqchip.h"
#include "mgmt/lib/irq.h"

#define BURST       200U
#define ANSWER_MS   4000U
#define QUIET_MS    200U /* then whatever keeps its lines up is taken away */
#define FIRST_GSIS  64U
#define PRIORITY    128U
#define DEAD_REASON 5U
#define NOTIFIERS   200U /* more than there ever are at once */

struct chaos_world chaos;

static uint64_t state, asked, answered, rebuilt, deaths[DEAD_REASON];
static gpa_t notify_page;
static const uint32_t flags[CHAOS_GUESTS] = {
    HV_DOMAIN_IRQCHIP_FULL, HV_DOMAIN_IRQCHIP_FULL, HV_DOMAIN_IRQCHIP_SPLIT | HV_DOMAIN_PIT,
    HV_DOMAIN_IRQCHIP_NONE | HV_DOMAIN_TSC_DEADLINE | HV_DOMAIN_OUTPUTS | HV_DOMAIN_PIT,
    HV_DOMAIN_IRQCHIP_NONE};

/* What guests do has dice of its own, so that the calls depend on the seed as much as they can. */
static uint64_t roll(uint64_t below)
{
    return chaos_roll(&state, below);
}

/* ---- what the guests do */

static void write_lapic(struct mailbox *box)
{
    static const uint32_t regs[] = {APIC_TPR,   APIC_EOI, APIC_SVR,       APIC_LVT_TIMER,
                                    APIC_TMICT, APIC_ICR, APIC_LVT_LINT0, APIC_LDR};
    uint32_t reg = regs[roll(sizeof(regs) / sizeof(regs[0]))], vector = 0x30 + (uint32_t)roll(0xd0);
    box->command = AGENT_WRITE;
    box->arg[0] = AGENT_LAPIC + reg;
    box->arg[1] = 4;
    box->arg[2] = reg == APIC_TPR         ? roll(256)
                  : reg == APIC_EOI       ? 0
                  : reg == APIC_SVR       ? 0x1ff
                  : reg == APIC_TMICT     ? roll(1U << 20)
                  : reg == APIC_LVT_LINT0 ? APIC_DM_EXTINT << 8
                  : reg == APIC_ICR       ? vector | roll(4) << 18
                                          : vector | roll(2) << 17;
}

static void write_ioapic(struct mailbox *box)
{
    bool select = roll(2);
    box->command = AGENT_WRITE;
    box->arg[0] = AGENT_IOAPIC + (select ? 0 : 0x10);
    box->arg[1] = 4;
    /* Delivery modes fixed and lowest priority; mostly unmasked; edges and levels. */
    box->arg[2] = select ? 0x10 + roll(48) : 0x30 + roll(0xd0) + (roll(2) << 8) + (roll(2) << 15);
}

static void write_port(struct mailbox *box)
{
    static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x40, 0x41, 0x42, 0x43, 0x61, 0x4d0, 0x4d1};
    box->command = AGENT_OUT;
    box->arg[0] = ports[roll(sizeof(ports) / sizeof(ports[0]))];
    box->arg[1] = 1;
    box->arg[2] = roll(256);
}

static void ring(struct mailbox *box)
{
    uint64_t kind = roll(3);
    box->command = kind == 0 ? AGENT_WRITE : kind == 1 ? AGENT_OUT : AGENT_OUTS;
    box->arg[0] = kind ? CHAOS_PORT + roll(CHAOS_BELLS) : AGENT_MMIO + 4 * roll(CHAOS_BELLS);
    box->arg[1] = 1ULL << roll(3);
    box->arg[2] = kind == 2 ? AGENT_SCRATCH : roll(4);
    box->arg[3] = 1 + roll(32);
}

static void next_command(struct guest *g, uint32_t vcpu)
{
    struct mailbox *box = guest_box(g, vcpu);
    box->stop = 0;
    box->boxes = AGENT_SCRATCH + vcpu * PAGE;
    box->command = AGENT_SPIN;
    switch (roll(10)) {
    case 0:
        break;
    case 1:
    case 2:
        box->command = AGENT_HLT;
        box->arg[0] = 1;
        break;
    case 3:
    case 4:
        write_lapic(box);
        break;
    case 5:
        write_ioapic(box);
        break;
    case 6:
        write_port(box);
        break;
    case 7:
        box->command = AGENT_CALL;
        box->arg[0] =
            (uint64_t)HV_CALL_MAGIC << 32 | (roll(2) ? HV_CALL_NOTIFIER_SIGNAL : roll(HV_CALL_COUNT));
        box->arg[1] = chaos.handle[roll(CHAOS_KEPT)];
        if (box->arg[0] % 128 == HV_CALL_NOTIFY_WAIT) /* for ever */
            box->command = AGENT_NOP;
        break;
    default:
        ring(box);
        break;
    }
}

/* Looks after one vCPU: answers its service, ends its command now and then. */
static void serve(struct guest *g, uint32_t vcpu)
{
    struct hv_vcpu_info info;
    struct hv_service *s = guest_service(g, vcpu);
    if (g->id == NOT_A_GUEST || call_vcpu_info(g->id, vcpu, &info))
        return;
    if (info.state == HV_VCPU_SERVICE) {
        if (guest_is_done(g, vcpu))
            next_command(g, vcpu);
        s->kind = HV_EXIT_NONE;
        (void)hv_vcpu_complete(g->id, vcpu);
    } else if (!roll(4)) {
        guest_box(g, vcpu)->stop = 1;
        (void)hv_vcpu_inject(g->id, vcpu, HV_INJECT_NMI, 0, 0);
    }
}

/* ---- building and checking */

static void build(uint32_t i)
{
    struct guest *g = chaos.guest[i];
    g->flags = flags[i];
    int64_t result = guest_build(g, "chaos", CHAOS_VCPUS);
    if (result)
        check_abort("guest %u cannot be built: %d", i, (int)result);
    chaos.touched[i] = chaos.placed[i] = false;
    for (uint32_t v = 0; v < CHAOS_VCPUS; v++) {
        static struct hv_lapic lapic;
        if ((flags[i] & HV_DOMAIN_IRQCHIP) && v) {
            CHECK_EQ(call_vcpu_get(g->id, v, HV_STATE_LAPIC, &lapic, sizeof(lapic)), 0);
            lapic.events &= ~(uint32_t)HV_LAPIC_WAIT;
            CHECK_EQ(call_vcpu_set(g->id, v, HV_STATE_LAPIC, &lapic, sizeof(lapic)), 0);
        }
        CHECK_EQ(hv_vcpu_start(g->id, v), 0);
        guest_box(g, v)->boxes = AGENT_SCRATCH + v * PAGE;
    }
}

static void close_all(void)
{
    static uint64_t list[64];
    int64_t count;
    while ((count = irq_notifier_list(0, list, 64)) > 0)
        for (int64_t i = 0; i < count; i++)
            CHECK_EQ(irq_notifier_close(list[i]), 0);
    CHECK_EQ(count, 0);
    memset(chaos.handle, 0, sizeof(chaos.handle));
    int64_t lines = hv_capability(HV_CAP_PIRQS);
    for (int64_t gsi = 0; gsi < lines; gsi++) {
        (void)hv_call2(HV_CALL_PIRQ_GIVE, (uint64_t)gsi, 0);
        (void)hv_call1(HV_CALL_PIRQ_UNBIND, (uint64_t)gsi);
    }
}

static void destroy_others(bool all)
{
    static uint32_t ids[64];
    int64_t count;
    count = call_domain_list(1, ids, 64);
    for (int64_t n = 0; n < count; n++) {
        bool ours = false;
        for (uint32_t i = 0; i < CHAOS_GUESTS; i++)
            ours |= ids[n] == chaos.guest[i]->id;
        if (all || !ours)
            CHECK_CASE(call_domain_destroy(ids[n]), 0, "domain %u cannot be destroyed", ids[n]);
    }
}

static void lower_lines(const struct guest *g)
{
    for (uint32_t gsi = 0; gsi < FIRST_GSIS; gsi++)
        (void)irq_line(g->id, gsi, HV_LINE_DOWN);
}

/* An INIT has taken it: the manager can tell by its state. */
static bool was_reset(const struct guest *g, uint32_t vcpu)
{
    struct hv_sregs s;
    struct hv_events e;
    static struct hv_lapic lapic;
    if (call_vcpu_get(g->id, vcpu, HV_STATE_SREGS, &s, sizeof(s)) ||
        call_vcpu_get(g->id, vcpu, HV_STATE_EVENTS, &e, sizeof(e)))
        return false;
    bool waits =
        !call_vcpu_get(g->id, vcpu, HV_STATE_LAPIC, &lapic, sizeof(lapic)) && (lapic.events & HV_LAPIC_WAIT);
    return !(s.cr0 & 1) || e.activity > 1 || waits;
}

/* One step towards the end of its command; true when it has ended. */
static bool press(struct guest *g, uint32_t vcpu, enum hv_vcpu_state is)
{
    struct hv_service *s = guest_service(g, vcpu);
    if (is == HV_VCPU_SERVICE && guest_is_done(g, vcpu))
        return true;
    if (is == HV_VCPU_SERVICE) {
        s->kind = HV_EXIT_NONE;
        (void)hv_vcpu_complete(g->id, vcpu);
    } else if (is == HV_VCPU_STOPPED) {
        (void)hv_vcpu_start(g->id, vcpu);
    } else {
        guest_box(g, vcpu)->stop = 1;
        (void)hv_vcpu_inject(g->id, vcpu, HV_INJECT_NMI, 0, 0);
        (void)hv_notify_wait(lab_now() + lab_ms() / 8);
    }
    return false;
}

/* Until it has nothing to do, or a reason is found why it never will: false. */
static bool end_command(uint32_t i, uint32_t vcpu)
{
    struct guest *g = chaos.guest[i];
    uint64_t start = lab_now();
    bool quiet = false;
    for (;;) {
        struct hv_domain_info d = guest_domain(g);
        if (d.state == HV_DOMAIN_DEAD) {
            CHECK_CASE(d.reason > HV_DEAD_NONE && d.reason < DEAD_REASON, true,
                       "guest %u, dead for reason %u", i, d.reason);
            CHECK_CASE(d.reason == HV_DEAD_ENTRY_FAILED && !chaos.placed[i], false,
                       "guest %u cannot be entered: %#llx", i, (unsigned long long)d.detail);
            deaths[d.reason % DEAD_REASON]++;
            return false;
        }
        if (press(g, vcpu, guest_state(g, vcpu)))
            return true;
        uint64_t ms = (lab_now() - start) / lab_ms();
        if (!quiet && ms > QUIET_MS) {
            lower_lines(g);
            close_all();
            quiet = true;
        }
        if (quiet && (chaos.touched[i] || was_reset(g, vcpu)))
            return false;
        if (ms > ANSWER_MS) {
            struct hv_regs r = {0};
            (void)call_vcpu_get(g->id, vcpu, HV_STATE_REGS, &r, sizeof(r));
            CHECK_CASE(
                true, false,
                "guest %u.%u does not answer: state %d, command %d, service %u, rip %#llx, rflags %#llx", i,
                vcpu, guest_state(g, vcpu), (int)guest_box(g, vcpu)->command, guest_service(g, vcpu)->kind,
                (unsigned long long)r.rip, (unsigned long long)r.rflags);
            return false;
        }
    }
}

/* It does what it is told: one call of its own. */
static bool answers(uint32_t i, uint32_t vcpu)
{
    struct guest *g = chaos.guest[i];
    struct mailbox *box = guest_box(g, vcpu);
    if (!end_command(i, vcpu))
        return false;
    box->command = AGENT_CALL;
    box->arg[0] = (uint64_t)HV_CALL_MAGIC << 32 | HV_CALL_VERSION;
    box->result = 0;
    guest_service(g, vcpu)->kind = HV_EXIT_NONE;
    (void)hv_vcpu_complete(g->id, vcpu);
    if (!end_command(i, vcpu))
        return false;
    return CHECK_CASE(box->result == HV_ABI_VERSION || chaos.touched[i], true, "guest %u.%u answers wrongly",
                      i, vcpu);
}

/* Gives everybody a way to go on: what chaos has stopped, paused, or pushed behind others. */
static void release(void)
{
    for (uint32_t i = 0; i < CHAOS_GUESTS; i++) {
        const struct guest *g = chaos.guest[i];
        while (g->id != NOT_A_GUEST && !hv_domain_resume(g->id))
            continue;
        for (uint32_t v = 0; v < CHAOS_VCPUS && g->id != NOT_A_GUEST; v++) {
            guest_box(g, v)->stop = 1;
            CHECK_EQ(hv_vcpu_priority(g->id, v, PRIORITY, 0), 0);
            CHECK_EQ(hv_vcpu_affinity(g->id, v, UINT64_MAX), 0);
        }
    }
}

static void check_guests(void)
{
    CHECK_EQ(hv_notify_page(notify_page, 0), 0);
    (void)hv_call4(HV_CALL_TRACE_CONTROL, HV_TRACE_FREE, 0, 0, 0);
    destroy_others(false);
    if (!roll(8))
        close_all();
    release();
    for (uint32_t i = 0; i < CHAOS_GUESTS; i++) {
        struct guest *g = chaos.guest[i];
        bool well = g->id != NOT_A_GUEST;
        for (uint32_t v = 0; v < CHAOS_VCPUS && well; v++) {
            asked++;
            well = answers(i, v);
            answered += well;
        }
        if (well)
            continue;
        rebuilt++;
        if (g->id != NOT_A_GUEST)
            CHECK_CASE(guest_destroy(g), 0, "guest %u cannot be destroyed", i);
        build(i);
    }
}

/* What domain 0 keeps once it was used: room for its notifiers, tables that all domains share. */
static void warm(void)
{
    for (uint32_t i = 0; i < CHAOS_GUESTS; i++)
        build(i);
    for (uint32_t i = 0; i < NOTIFIERS; i++)
        CHECK(irq_notifier_notify(0, HV_NOTIFY_OWN) > 0);
    close_all();
    for (uint32_t i = 0; i < CHAOS_GUESTS; i++)
        CHECK_EQ(guest_destroy(chaos.guest[i]), 0);
}

static void epoch(uint64_t seed, uint64_t calls)
{
    printf("chaos: seed=%llu rounds=1\n", (unsigned long long)seed);
    state = (seed + 7) * 0xd1342543de82ef95ULL | 1;
    chaos_seed(seed);
    memset(chaos.handle, 0, sizeof(chaos.handle));
    memset(chaos.bell, 0, sizeof(chaos.bell));
    for (uint32_t i = 0; i < CHAOS_GUESTS; i++)
        build(i);
    for (uint64_t n = 1; n <= calls; n++) {
        chaos_call();
        serve(chaos.guest[roll(CHAOS_GUESTS)], (uint32_t)roll(CHAOS_VCPUS));
        if (n % BURST == 0)
            check_guests();
    }
    check_guests();
    close_all();
    destroy_others(true);
    for (uint32_t i = 0; i < CHAOS_GUESTS; i++)
        chaos.guest[i]->id = NOT_A_GUEST;
}

void test_chaos(void)
{
    uint64_t seed = lab_argument("seed", 1), rounds = lab_argument("rounds", 3),
             calls = lab_argument("calls", 2000);
    chaos.verbose = lab_argument("verbose", 0);
    chaos.area = lab_pages(CHAOS_AREA, PAGE);
    chaos.spare = lab_pages(CHAOS_SPARE, PAGE);
    notify_page = lab_notify_page();
    for (uint32_t i = 0; i < CHAOS_GUESTS; i++)
        chaos.guest[i] = guest_slot(i);
    warm();
    for (uint64_t r = 0; r < rounds; r++) {
        struct audit before = lab_audit();
        uint64_t failures = check_failures();
        epoch(seed + r, calls);
        lab_audit_check(&before, "chaos");
        if (check_failures() != failures)
            printf("FAIL chaos: again with seed=%llu rounds=1 calls=%llu\n", (unsigned long long)(seed + r),
                   (unsigned long long)calls);
    }
    CHECK(answered > rounds);
    printf("chaos: %llu calls, %llu accepted\n", (unsigned long long)chaos.calls,
           (unsigned long long)chaos.accepted);
    printf("chaos: %llu times asked, %llu answers, %llu guests built anew; dead by triple fault %llu, entry "
           "%llu, exit %llu, memory %llu\n",
           (unsigned long long)asked, (unsigned long long)answered, (unsigned long long)rebuilt,
           (unsigned long long)deaths[HV_DEAD_TRIPLE_FAULT], (unsigned long long)deaths[HV_DEAD_ENTRY_FAILED],
           (unsigned long long)deaths[HV_DEAD_EXIT], (unsigned long long)deaths[HV_DEAD_NO_MEMORY]);
}
