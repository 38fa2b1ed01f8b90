/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic_storm: IPIs in great numbers between 2 to 16 processors (`count=` sends by each processor and part):
 *
 *   acked    each send waits for its answer, which is an IPI too: what was sent was received, exactly
 *   flood    nobody waits. Whoever sends adds one to a box before; whoever is interrupted empties the box of
 *            its vector. Sends that meet in a box are the coalesced ones; when all is quiet every box is empty
 *            and what was taken out is what was put in, or an interrupt was lost
 *   all      IPIs to all others, by one after the other
 *   meet     all send to all others at once, and wait until they have what the others sent; then nobody sends until
 *            everybody is through, so that no later interrupt can bring a lost one back
 *
 * Processors spin, sleep in HLT, raise CR8, turn interrupts off and step through instructions, at random; the
 * seeds are fixed. A processor whose interrupt is lost may sleep for ever; the first one never sleeps, and says
 * so. With the word `sleepy` all of them sleep instead of spinning, for vCPUs that share CPUs; a timer wakes the
 * first one now and then.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "apic_storm";

enum {
    ANSWER = 0x30, /* + who answers */
    FLOOD = 0x50,  /* + box */
    SEND = 0x90,   /* + who sends */
    ALL = 0xe0,
    CLOSE = 0xe8,
    BOXES = 48,
    WAKE = 0xf1,
    TICK = 0xf2,
    PROCESSORS_MAX = 16, /* by the vectors above */
    TICK_COUNT = 10000000,
    PATIENCE = 40, /* of these */
};

static unsigned processors;
static uint64_t count;
static bool sleepy;

/* The first processor, whose patience ends: false. */
#define SLEEP_FOR(condition)                                                                                 \
    __extension__({                                                                                          \
        uint32_t first = cpus[0].count[TICK];                                                                \
        bool met;                                                                                            \
        while (cli(), !(met = (condition)) && cpus[0].count[TICK] - first < PATIENCE)                        \
            sti_hlt();                                                                                       \
        sti();                                                                                               \
        met;                                                                                                 \
    })
#define AWAIT(condition) (sleepy ? SLEEP_FOR(condition) : WAIT_FOR(condition))

/* The others; `asleep` is looked at once. */
#define UNTIL(asleep, condition)                                                                             \
    do {                                                                                                     \
        bool in_hlt = (asleep);                                                                              \
        while (in_hlt ? cli() : pause(), !(condition))                                                       \
            if (in_hlt)                                                                                      \
                sti_hlt();                                                                                   \
        if (in_hlt)                                                                                          \
            sti();                                                                                           \
    } while (0)

/* Somebody may sleep until what has just been written is true. */
static void wake(uint32_t id)
{
    if (sleepy)
        apic_icr(id, WAKE);
}

static void wake_others(void)
{
    if (sleepy)
        apic_icr(0, (uint32_t)APIC_TO_OTHERS << APIC_ICR_SHORTHAND_SHIFT | WAKE);
}

static struct {
    volatile uint64_t sent[PROCESSORS_MAX];     /* by destination; written by the sender */
    volatile uint64_t answered[PROCESSORS_MAX]; /* by who answers; written by the sender's handler */
    volatile uint64_t got[PROCESSORS_MAX];      /* by sender; written by the receiver's handler */
    volatile uint64_t put, out, interrupts, empty, all, met;
    uint64_t seed;
} of[PROCESSORS_MAX];
static volatile uint32_t box[PROCESSORS_MAX][BOXES];
static volatile uint32_t finished;
static volatile bool closing;

static uint64_t draw(void)
{
    uint64_t *seed = &of[smp_self()->id].seed, x = *seed;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *seed = x;
}

static unsigned other(void)
{
    return (unsigned)(smp_self()->id + 1 + draw() % (processors - 1)) % processors;
}

/* Each step is an exit by #DB, for which the hypervisor takes interrupts itself. */
static void step(uint64_t times)
{
    __asm__ volatile("pushfq; btsq $8, (%%rsp); popfq; 1: dec %0; jnz 1b; pushfq; btrq $8, (%%rsp); popfq"
                     : "+r"(times)
                     :
                     : "cc", "memory");
}

/* A little of everything that a processor does while interrupts come. */
static void something(void)
{
    uint64_t what = draw();
    if (what % 5 == 0) {
        write_cr8(what >> 8 & 15);
        smp_delay(what >> 12 & 63);
        write_cr8(0);
    } else if (what % 5 == 1) {
        cli();
        smp_delay(what >> 12 & 255);
        sti();
    } else if (what % 40 == 2) {
        step(1 + (what >> 12 & 7));
    }
}

/* --- the frame of each part --- */
/* Everybody: the work is done, serve the others until the first one closes. */
static void serve(void)
{
    struct cpu *self = smp_self();
    __atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
    if (self->id == 0)
        return;
    wake(0);
    for (;;) {
        cli();
        if (closing)
            return;
        if (sleepy || draw() % 2) {
            sti_hlt();
        } else {
            sti();
            smp_delay(draw() & 1023);
        }
    }
}

static void begin(void (*job)(uint64_t arg))
{
    finished = 0;
    closing = false;
    for (unsigned id = 1; id < processors; id++)
        smp_run(id, job, 0);
    job(0);
}

__attribute__((noreturn)) static void give_up(const char *part)
{
    cli();
    for (unsigned id = 0; id < processors; id++)
        print("processor %u: %u interrupts in all, %lu by boxes, %lu met\n", id, cpus[id].total,
              of[id].interrupts, of[id].met);
    report(false, "%s: %u of %u processors come to an end", part, finished, processors);
    report_end();
}

static uint64_t interrupts(void)
{
    uint64_t n = 0;
    for (unsigned id = 0; id < processors; id++)
        n += cpus[id].total - cpus[id].count[TICK];
    return n;
}

/* As long as there are interrupts somebody is at work. */
static void end(const char *part)
{
    for (uint64_t before = ~0UL; !AWAIT(finished == processors);) {
        if (interrupts() == before)
            give_up(part);
        before = interrupts();
    }
}

static void close_down(void)
{
    closing = true;
    for (unsigned id = 1; id < processors; id++) {
        apic_icr(id, CLOSE);
        report(smp_wait(id), "processor %u does not close", id);
    }
    cli();
}

/* --- acked --- */
static void on_send(struct cpu *self, struct trap_frame *f)
{
    uint32_t from = (uint32_t)f->vector - SEND;
    of[self->id].got[from]++;
    apic_icr(from, ANSWER + self->id);
    apic_eoi();
}

static void on_answer(struct cpu *self, struct trap_frame *f)
{
    of[self->id].answered[f->vector - ANSWER]++;
    apic_eoi();
}

static void await_answer(unsigned to)
{
    uint32_t id = smp_self()->id;
    if (id == 0) {
        if (!AWAIT(of[0].answered[to] == of[0].sent[to]))
            give_up("acked: no answer");
    } else {
        UNTIL(sleepy || draw() % 2, of[id].answered[to] == of[id].sent[to]);
    }
}

static void acked(uint64_t arg)
{
    uint32_t id = smp_self()->id;
    (void)arg;
    sti();
    for (uint64_t i = 0; i < count; i++) {
        unsigned to = other();
        of[id].sent[to]++;
        apic_icr(to, SEND + id);
        something();
        await_answer(to);
    }
    serve();
}

static void acked_part(void)
{
    uint64_t sent = 0, got = 0;
    unsigned wrong = 0;
    begin(acked);
    end("acked");
    close_down();
    for (unsigned from = 0; from < processors; from++)
        for (unsigned to = 0; to < processors; to++) {
            sent += of[from].sent[to];
            got += of[to].got[from];
            wrong += of[from].sent[to] != of[to].got[from] || of[from].sent[to] != of[from].answered[to];
        }
    report(wrong == 0 && sent == got && sent == count * processors,
           "acked: %lu sent, %lu received, %u pairs differ", sent, got, wrong);
    print("acked: %lu sent and received, as many answers\n", sent);
    trace("acked: %lu %lu", sent, got);
}

/* --- flood --- */
static void on_flood(struct cpu *self, struct trap_frame *f)
{
    uint32_t n = __atomic_exchange_n(&box[self->id][f->vector - FLOOD], 0, __ATOMIC_SEQ_CST);
    of[self->id].out += n;
    of[self->id].interrupts++;
    of[self->id].empty += n == 0;
    apic_eoi();
}

static void flood(uint64_t arg)
{
    uint32_t id = smp_self()->id;
    (void)arg;
    sti();
    for (uint64_t i = 0; i < count; i++) {
        unsigned to = other(), which = (unsigned)(draw() % BOXES);
        __atomic_fetch_add(&box[to][which], 1, __ATOMIC_SEQ_CST);
        of[id].put++;
        apic_icr(to, FLOOD + which);
        if (i % 16 == 0)
            something();
    }
    serve();
}

static bool boxes_empty(void)
{
    for (unsigned id = 0; id < processors; id++)
        for (unsigned which = 0; which < BOXES; which++)
            if (box[id][which])
                return false;
    return true;
}

static void flood_part(void)
{
    uint64_t put = 0, out = 0, interrupts = 0, empty = 0;
    begin(flood);
    end("flood");
    bool quiet = AWAIT(boxes_empty());
    close_down();
    for (unsigned id = 0; id < processors; id++) {
        put += of[id].put;
        out += of[id].out;
        interrupts += of[id].interrupts;
        empty += of[id].empty;
    }
    report(quiet && put == out && put == count * processors, "flood: %lu put in, %lu taken out", put, out);
    report(interrupts <= put, "flood: %lu interrupts for %lu sends", interrupts, put);
    print("flood: %lu sent, %lu coalesced, %lu interrupts, %lu of them found nothing\n", put,
          put - interrupts, interrupts, empty);
    trace("flood: %lu %lu", put, out);
}

/* --- all others, in turn --- */
static volatile uint32_t turn;

static void on_all(struct cpu *self, struct trap_frame *f)
{
    (void)f;
    of[self->id].all++;
    apic_eoi();
    wake(turn % processors);
}

static bool everybody_has(uint64_t rounds)
{
    for (unsigned id = 0; id < processors; id++)
        if (of[id].all < rounds - (rounds + processors - 1 - id) / processors)
            return false;
    return true;
}

/* Round r is sent by processor r mod n; so after r rounds, id has all but its own. */
static void all_others(uint64_t arg)
{
    uint32_t id = smp_self()->id, rounds = (uint32_t)(count / 8 + 1);
    (void)arg;
    sti();
    for (uint32_t r = 0; r < rounds; r++) {
        if (r % processors == id) {
            if (id == 0 && !AWAIT(turn == r))
                give_up("all: no turn");
            UNTIL(sleepy, turn == r);
            apic_icr(0, (uint32_t)APIC_TO_OTHERS << APIC_ICR_SHORTHAND_SHIFT | ALL);
            if (id == 0 && !AWAIT(everybody_has(r + 1)))
                give_up("all: not everybody has it");
            UNTIL(sleepy, everybody_has(r + 1));
            turn = r + 1;
            wake_others();
        } else if (draw() % 4 == 0) {
            something();
        }
    }
    serve();
}

static void all_part(void)
{
    uint64_t total = 0, rounds = count / 8 + 1;
    turn = 0;
    for (unsigned id = 0; id < processors; id++)
        of[id].all = 0;
    begin(all_others);
    end("all");
    close_down();
    for (unsigned id = 0; id < processors; id++)
        total += of[id].all;
    report(total == rounds * (processors - 1), "all: %lu interrupts in %lu rounds", total, rounds);
    print("all: %lu interrupts in %lu rounds\n", total, rounds);
    trace("all: %lu", total);
}

/* --- all at once --- */
/* One vector for each sender, over all words of the request registers. */
static uint8_t meet_vector(uint32_t sender)
{
    static const uint8_t first[] = {0x44, 0x84, 0xc4, 0x24};
    return (uint8_t)(first[sender % 4] + sender / 4);
}

static void on_meet(struct cpu *self, struct trap_frame *f)
{
    (void)f;
    of[self->id].met++;
    apic_eoi();
}

static void await_all(uint64_t want)
{
    uint32_t id = smp_self()->id;
    if (id == 0) {
        if (!AWAIT(of[0].met == want))
            give_up("meet: the first one waits");
    } else {
        UNTIL(sleepy || draw() % 2, of[id].met == want);
    }
}

static volatile uint64_t arrived;

static void meet(uint64_t arg)
{
    uint32_t id = smp_self()->id, others = processors - 1;
    uint64_t rounds = count / 2;
    (void)arg;
    sti();
    for (uint64_t r = 1; r <= rounds; r++) {
        unsigned from = (unsigned)draw();
        if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == r * processors)
            wake_others();
        if (id == 0 && !AWAIT(arrived == r * processors))
            give_up("meet: others do not come");
        UNTIL(sleepy, arrived >= r * processors);
        for (unsigned k = 0; k < others; k++)
            apic_icr((id + 1 + (from + k) % others) % processors, meet_vector(id));
        if (r % 4 == 0)
            something();
        await_all(r * others);
    }
    serve();
}

static void meet_part(void)
{
    uint64_t total = 0, rounds = count / 2;
    arrived = 0;
    for (unsigned id = 0; id < processors; id++)
        of[id].met = 0;
    begin(meet);
    end("meet");
    close_down();
    for (unsigned id = 0; id < processors; id++)
        total += of[id].met;
    report(total == rounds * processors * (processors - 1), "meet: %lu interrupts in %lu rounds", total,
           rounds);
    print("meet: %lu interrupts in %lu rounds\n", total, rounds);
    trace("meet: %lu", total);
}

static void to_x2apic(uint64_t arg)
{
    (void)arg;
    apic_mode(true);
}

static void set_handlers(void)
{
    for (unsigned i = 0; i < PROCESSORS_MAX; i++) {
        irq_handlers[SEND + i] = on_send;
        irq_handlers[ANSWER + i] = on_answer;
        irq_handlers[meet_vector(i)] = on_meet;
        of[i].seed = 0x9e3779b97f4a7c15UL * (i + 1);
    }
    for (unsigned i = 0; i < BOXES; i++)
        irq_handlers[FLOOD + i] = on_flood;
    irq_handlers[ALL] = on_all;
    irq_handlers[V_DB] = smp_quiet;
}

static void all(void)
{
    print("apic_storm: %s, %u processors, %lu each\n", smp_self()->x2apic ? "x2APIC" : "xAPIC", processors,
          count);
    for (unsigned i = 0; i < PROCESSORS_MAX; i++) {
        for (unsigned j = 0; j < PROCESSORS_MAX; j++)
            of[i].sent[j] = of[i].answered[j] = of[i].got[j] = 0;
        of[i].put = of[i].out = of[i].interrupts = of[i].empty = 0;
    }
    acked_part();
    flood_part();
    all_part();
    meet_part();
}

void guest_main(const char *cmdline)
{
    count = guest_number(cmdline, "count=", 2000);
    processors = smp_init(cmdline);
    if (processors < 2 || processors > PROCESSORS_MAX) {
        report(false, "a storm needs 2 to 16 processors");
        return;
    }
    smp_start(processors);
    set_handlers();
    sleepy = guest_has_word(cmdline, "sleepy");
    if (sleepy) {
        apic_write(APIC_TDCR, APIC_TDCR_DIVIDE);
        apic_write(APIC_LVT_TIMER, APIC_TIMER_PERIODIC | TICK);
        apic_write(APIC_TMICT, TICK_COUNT);
    }
    if (!guest_has_word(cmdline, "x2apic"))
        all();
    if (guest_has_word(cmdline, "xapic"))
        return;
    if (!apic_has_x2apic()) {
        report_skip("no x2APIC");
        return;
    }
    (void)smp_run_all(processors, to_x2apic, 0);
    all();
}
