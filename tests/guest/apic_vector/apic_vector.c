/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic_vector: vectors 0 to 15 are illegal on every path that a guest has: ICR with each delivery mode and
 * destination, SELF IPI, timer, error and other local vectors. Nothing is pending afterwards, no handler
 * runs, ESR says so, and legal vectors still work (SDM volume 3, "Valid Interrupt Vectors", "Error
 * Handling"). All of 16 to 255 are deliverable.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "apic_vector";

enum { SENT = APIC_ESR_SEND_ILLEGAL_VECTOR, GOT = APIC_ESR_RECEIVE_ILLEGAL_VECTOR, TIMER_COUNT = 50 };

static unsigned others;

static void window(void)
{
    sti();
    cli();
}

/* Nothing pending, nothing in service, nothing delivered here. */
static void nothing(const char *path, unsigned vector)
{
    struct cpu *self = smp_self();
    window();
    report(apic_bits(APIC_IRR) == 0 && apic_bits(APIC_ISR) == 0 && self->total == 0,
           "vector %u by %s: %u pending, %u in service, %u delivered", vector, path, apic_bits(APIC_IRR),
           apic_bits(APIC_ISR), self->total);
    smp_forget();
}

static void by_icr(unsigned vector)
{
    static const struct {
        const char *name;
        uint32_t low;
        bool to_other;
    } ways[] = {{"ICR", 0, false},
                {"ICR, lowest priority", APIC_DM_LOWEST << APIC_ICR_MODE_SHIFT, false},
                {"ICR, self", APIC_TO_SELF << APIC_ICR_SHORTHAND_SHIFT, false},
                {"ICR, all", APIC_TO_ALL << APIC_ICR_SHORTHAND_SHIFT, false},
                {"ICR, others", APIC_TO_OTHERS << APIC_ICR_SHORTHAND_SHIFT, true},
                {"ICR, logical", APIC_ICR_LOGICAL, false}};
    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        uint32_t esr, dest = ways[i].low & APIC_ICR_LOGICAL ? 1 : 0;
        (void)apic_esr();
        apic_icr(dest, ways[i].low | vector);
        esr = apic_esr();
        report_exact((esr & SENT) && !(esr & ~(uint32_t)(SENT | GOT)), "ESR after vector %u by %s: %#x",
                     vector, ways[i].name, esr);
        nothing(ways[i].name, vector);
        trace("%s %u %x", ways[i].name, vector, esr);
    }
}

static void by_self_ipi(unsigned vector)
{
    uint32_t esr;
    if (!smp_self()->x2apic)
        return;
    (void)apic_esr();
    apic_write(APIC_SELF_IPI, vector);
    esr = apic_esr();
    report_exact((esr & (SENT | GOT)) && !(esr & ~(uint32_t)(SENT | GOT)),
                 "ESR after SELF IPI of vector %u: %#x", vector, esr);
    nothing("SELF IPI", vector);
    trace("self ipi %u %x", vector, esr);
}

static void by_timer(unsigned vector)
{
    uint32_t esr;
    (void)apic_esr();
    apic_write(APIC_TDCR, 0xb);
    apic_write(APIC_LVT_TIMER, vector);
    report(apic_read(APIC_LVT_TIMER) == vector, "the timer's LVT does not keep vector %u", vector);
    apic_write(APIC_TMICT, TIMER_COUNT);
    (void)WAIT_FOR(apic_read(APIC_TMCCT) == 0);
    smp_delay(SHORT_TIME);
    esr = apic_esr();
    report(esr == GOT, "ESR after the timer with vector %u: %#x", vector, esr);
    apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
    nothing("the timer", vector);
    trace("timer %u %x", vector, esr);
}

/* An illegal error vector, with an error that some other illegal vector makes: XSA-462. */
static void by_error(unsigned vector)
{
    uint32_t esr;
    (void)apic_esr();
    apic_write(APIC_LVT_ERROR, vector);
    apic_icr(0, 15 - vector);
    esr = apic_esr();
    report_exact(esr == (SENT | GOT), "ESR after an error with error vector %u: %#x", vector, esr);
    apic_write(APIC_LVT_TIMER, vector);
    apic_write(APIC_TMICT, TIMER_COUNT);
    (void)WAIT_FOR(apic_read(APIC_TMCCT) == 0);
    smp_delay(SHORT_TIME);
    esr = apic_esr();
    report(esr == GOT, "ESR after the timer and the error vector %u: %#x", vector, esr);
    apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
    apic_write(APIC_LVT_ERROR, APIC_LVT_MASKED);
    nothing("the error vector", vector);
    trace("error %u %x", vector, esr);
}

/* To another processor: nothing there either. */
static void by_other(unsigned vector)
{
    for (unsigned id = 1; id < others; id++)
        apic_icr(id, vector);
    (void)apic_esr();
    (void)apic_esr();
}

static void legal(void)
{
    struct cpu *self = smp_self();
    unsigned wrong = 0;
    for (unsigned v = 16; v < 255; v++) {
        /* Those that push an error code as exceptions would spoil the frame of an interrupt. */
        bool odd = v < 32;
        if (odd && guest_native)
            continue;
        apic_self((uint8_t)v);
        wrong += !apic_bit(APIC_IRR, (uint8_t)v);
        if (odd) {
            apic_write(APIC_TPR, 0x10);
            irq_handlers[v] = 0;
            trap_set_gate(v, (uint64_t)(uintptr_t)trap_stubs + 16UL * 0x50, 0, 0);
            apic_write(APIC_TPR, 0);
            window();
            wrong += self->count[0x50] != 1;
        } else if (v != TRAP_END) {
            window();
            wrong += self->count[v] != 1;
        } else {
            irq_handlers[v] = smp_quiet;
            window();
            apic_eoi();
            wrong += self->count[v] != 1;
            irq_handlers[v] = 0;
        }
        wrong += apic_bits(APIC_ISR) != 0;
        smp_forget();
    }
    report(wrong == 0, "%u troubles with legal vectors", wrong);
    trace("legal: %u", wrong);
}

static void read_state(uint64_t arg)
{
    (void)arg;
    sti();
    cli();
}

static void all(const char *mode)
{
    print("apic_vector: %s\n", mode);
    smp_forget();
    for (unsigned vector = 0; vector < 16; vector++) {
        by_icr(vector);
        by_self_ipi(vector);
        by_timer(vector);
        if (!guest_native)
            by_error(vector);
        by_other(vector);
    }
    smp_forget();
    for (unsigned id = 1; id < others; id++) {
        smp_run(id, read_state, 0);
        report(smp_wait(id) && cpus[id].total == 0, "processor %u has taken an illegal vector", id);
    }
    legal();
}

static void to_x2apic(uint64_t arg)
{
    (void)arg;
    apic_mode(true);
}

void guest_main(const char *cmdline)
{
    others = smp_init(cmdline);
    apic_write(APIC_LDR, 0x01000000);
    smp_start(others);
    all("xAPIC");
    if (!apic_has_x2apic()) {
        report_skip("no x2APIC");
        return;
    }
    (void)smp_run_all(others, to_x2apic, 0);
    all("x2APIC");
}
