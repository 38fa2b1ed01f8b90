/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic_prio: TPR, CR8 and PPR, which interrupt is delivered when, the order of EOIs, nesting, and storms of
 * CR8 writes with interrupts pending across the threshold. SDM volume 3, "Task and Processor Priorities",
 * "Interrupt Acceptance for Fixed Interrupts", "Interaction of Task Priorities between CR8 and APIC".
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "apic_prio";

static void window(void)
{
    sti();
    cli();
}

/* All vectors that were taken, in order, as one line of the trace and one value. */
static bool order_is(const char *what, const uint8_t *want, unsigned n)
{
    struct cpu *self = smp_self();
    bool same = self->orders == n;
    for (unsigned i = 0; i < self->orders && i < ORDER_MAX; i++) {
        trace("%s %u: %x", what, i, self->order[i]);
        same &= i < n && self->order[i] == want[i];
    }
    report(same, "%s: %u interrupts, the first ones %#x %#x %#x %#x", what, self->orders, self->order[0],
           self->order[1], self->order[2], self->order[3]);
    smp_forget();
    return same;
}

static void cr8(void)
{
    for (unsigned value = 0; value < 16; value++) {
        write_cr8(value);
        report(apic_read(APIC_TPR) == value << 4 && read_cr8() == value, "CR8 %u: TPR %#x, CR8 %lu", value,
               apic_read(APIC_TPR), read_cr8());
    }
    for (unsigned value = 0; value < 256; value++) {
        apic_write(APIC_TPR, value);
        report(read_cr8() == value >> 4 && apic_read(APIC_TPR) == value, "TPR %#x: CR8 %lu, TPR %#x", value,
               read_cr8(), apic_read(APIC_TPR));
    }
    apic_write(APIC_TPR, 0x77);
    for (unsigned bit = 4; bit < 64; bit++) {
        TRY("mov %0, %%cr8", ::"r"(1UL << bit) : "memory");
        report(trap.vector == V_GP, "CR8 with bit %u: vector %lu", bit, trap.vector);
    }
    report(apic_read(APIC_TPR) == 0x77, "TPR is %#x after refused writes of CR8", apic_read(APIC_TPR));
    apic_write(APIC_TPR, 0);
}

/* PPR for each TPR and each class in service. */
static void ppr(void)
{
    for (unsigned isr = 0; isr < 16; isr += 3) {
        unsigned vector = isr < 2 ? 0 : isr << 4 | 9;
        if (vector) {
            irq_handlers[vector] = smp_quiet;
            apic_self((uint8_t)vector);
            window();
        }
        for (unsigned tpr = 0; tpr < 256; tpr += 5) {
            unsigned want = tpr >> 4 >= vector >> 4 ? tpr : vector & 0xf0, is;
            apic_write(APIC_TPR, tpr);
            is = apic_read(APIC_PPR);
            report(is == want, "PPR with TPR %#x and vector %#x in service: %#x", tpr, vector, is);
        }
        apic_write(APIC_TPR, 0);
        if (vector) {
            apic_eoi();
            irq_handlers[vector] = 0;
        }
        report(apic_read(APIC_PPR) == 0, "PPR is %#x after the EOI", apic_read(APIC_PPR));
    }
    smp_forget();
}

/* Each class against each TPR, lowered by CR8 and by TPR: delivered exactly when class > TPR class. */
static void threshold(void)
{
    struct cpu *self = smp_self();
    unsigned early = 0, late = 0;
    for (unsigned class = 2; class < 16; class ++) {
        uint8_t vector = (uint8_t)(class << 4 | 3);
        for (unsigned how = 0; how < 2; how++) {
            sti();
            write_cr8(15);
            apic_self(vector);
            for (unsigned tpr = 15; tpr-- > 0;) {
                bool should = tpr < class;
                uint32_t taken;
                if (how)
                    apic_write(APIC_TPR, tpr << 4 | 0xf);
                else
                    write_cr8(tpr);
                __asm__ volatile("nop" ::: "memory");
                taken = self->count[vector];
                early += taken && !should;
                late += !taken && should;
            }
            cli();
            report(self->count[vector] == 1, "vector %#x is taken %u times", vector, self->count[vector]);
            smp_forget();
        }
    }
    report(early == 0 && late == 0, "%u interrupts too early, %u too late by the TPR", early, late);
    trace("threshold: %u %u", early, late);
    write_cr8(0);
}

/* Pending together: highest first, each after the EOI of the one before. */
static void order(void)
{
    static const uint8_t pend[] = {0x45, 0x31, 0xf3, 0x9a, 0x46, 0x9b, 0x22, 0xfe},
                         want[] = {0xfe, 0xf3, 0x9b, 0x9a, 0x46, 0x45, 0x31, 0x22};
    for (unsigned i = 0; i < sizeof(pend); i++)
        apic_self(pend[i]);
    window();
    (void)order_is("order", want, sizeof(want));
    /* A duplicate merges. */
    apic_self(0x51);
    apic_self(0x51);
    window();
    (void)order_is("merged", (const uint8_t[]){0x51}, 1);
    /* While one is in service, a second of the same vector is kept. */
    apic_eoi();
    report(apic_bits(APIC_ISR) == 0, "an EOI without anything in service");
}

/* EOIs end the highest in service, whichever handler writes them. */
static void eoi_order(void)
{
    static const uint8_t vectors[] = {0x35, 0x57, 0x79, 0x9b, 0xbd};
    for (unsigned i = 0; i < sizeof(vectors); i++) {
        irq_handlers[vectors[i]] = smp_quiet;
        apic_self(vectors[i]);
        window();
    }
    report(apic_bits(APIC_ISR) == sizeof(vectors), "%u vectors in service", apic_bits(APIC_ISR));
    /* Higher ones in service keep these back. */
    apic_self(0xb1);
    apic_self(0x36);
    window();
    report(smp_self()->total == sizeof(vectors), "an interrupt below PPR is taken");
    for (unsigned i = sizeof(vectors); i-- > 0;) {
        report(apic_highest(APIC_ISR) == vectors[i], "%#x is the highest in service", apic_highest(APIC_ISR));
        apic_eoi();
        window();
        if (i == 4)
            report(smp_self()->count[0xb1] == 1, "vector 0xb1 does not follow the EOI of 0xbd");
        report(smp_self()->count[0x36] == (i == 0), "vector 0x36 is taken with %u in service", i);
        irq_handlers[vectors[i]] = 0;
    }
    (void)order_is("eoi", (const uint8_t[]){0x35, 0x57, 0x79, 0x9b, 0xbd, 0xb1, 0x36}, 7);
}

/* 0x50 lets others in: 0x60 nests at once, 0x58 (same class) and 0x30 wait for its EOI. */
static volatile uint32_t nested_seen;
static void nesting(struct cpu *self, struct trap_frame *f)
{
    (void)f;
    apic_self(0x30);
    apic_self(0x58);
    apic_self(0x50);
    sti();
    apic_self(0x60);
    __asm__ volatile("nop; nop" ::: "memory");
    nested_seen =
        self->count[0x60] | self->count[0x58] << 8 | self->count[0x30] << 16 | self->count[0x50] << 24;
    cli();
    irq_handlers[0x50] = 0;
    apic_eoi();
}

static void nested(void)
{
    irq_handlers[0x50] = nesting;
    apic_self(0x50);
    window();
    report(nested_seen == 0x01000001, "inside the handler of 0x50: %#x", nested_seen);
    (void)order_is("nested", (const uint8_t[]){0x50, 0x60, 0x58, 0x50, 0x30}, 5);
    report(apic_bits(APIC_ISR) == 0 && apic_bits(APIC_IRR) == 0, "something is left over after nesting");
}

/* INTa above TPR, INTb in its class: the EOI of the first must not let the second in; lowering must. */
static void two_around_tpr(void)
{
    for (unsigned i = 0; i < 2; i++) {
        apic_write(APIC_TPR, 0x40);
        if (i) {
            apic_self(0x41);
            apic_self(0x71);
        } else {
            apic_self(0x71);
            apic_self(0x41);
        }
        window();
        report(smp_self()->total == 1 && smp_self()->count[0x71] == 1, "with TPR 0x40: %u interrupts",
               smp_self()->total);
        sti();
        write_cr8(3);
        __asm__ volatile("nop" ::: "memory");
        report(smp_self()->count[0x41] == 1, "0x41 is not taken right after TPR is lowered");
        cli();
        (void)order_is("around", (const uint8_t[]){0x71, 0x41}, 2);
        apic_write(APIC_TPR, 0);
    }
}

/* CR8 up and down, with an interrupt pending over the threshold in every fourth round. */
static void storm(uint64_t rounds)
{
    struct cpu *self = smp_self();
    uint64_t sent = 0, late = 0;
    sti();
    for (uint64_t i = 0; i < rounds; i++) {
        unsigned high = 2 + (unsigned)i % 14;
        write_cr8(high);
        if (i % 4 == 0) {
            apic_self((uint8_t)(high << 4 | 5));
            sent++;
        }
        write_cr8(high - 1);
        __asm__ volatile("nop" ::: "memory");
        late += self->total != sent;
        write_cr8(0);
    }
    cli();
    report(self->total == sent && late == 0, "%u of %lu interrupts in a storm of CR8 writes, %lu late",
           self->total, sent, late);
    trace("storm: %lu %u %lu", sent, self->total, late);
    smp_forget();
}

/* With nothing pending a lowered TPR does nothing, whatever it was before. */
static void idle_storm(uint64_t rounds)
{
    sti();
    for (uint64_t i = 0; i < rounds; i++)
        write_cr8(i & 15);
    write_cr8(0);
    cli();
    report(smp_self()->total == 0, "%u interrupts from nowhere", smp_self()->total);
}

static volatile uint64_t rounds;

static void all(uint64_t print_mode)
{
    if (print_mode)
        print("apic_prio: mode %s\n", smp_self()->x2apic ? "x2APIC" : "xAPIC");
    cr8();
    ppr();
    threshold();
    order();
    eoi_order();
    nested();
    two_around_tpr();
    storm(rounds / 4);
    idle_storm(rounds);
}

static void to_x2apic(uint64_t arg)
{
    (void)arg;
    apic_mode(true);
}

/* On each processor in turn: faults are expected, so only one at a time. */
void guest_main(const char *cmdline)
{
    unsigned n = smp_init(cmdline);
    rounds = guest_number(cmdline, "rounds=", 20000);
    smp_start(n);
    all(1);
    for (unsigned id = 1; id < n; id++) {
        smp_run(id, all, 0);
        report(smp_wait(id), "processor %u hangs", id);
    }
    if (!apic_has_x2apic()) {
        report_skip("no x2APIC");
        return;
    }
    (void)smp_run_all(n, to_x2apic, 0);
    all(1);
    for (unsigned id = 1; id < n; id++) {
        smp_run(id, all, 0);
        report(smp_wait(id), "processor %u hangs", id);
    }
}
