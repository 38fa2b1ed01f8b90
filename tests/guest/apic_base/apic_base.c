/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic_base: IA32_APIC_BASE. All transitions between off, xAPIC, x2APIC and the invalid combination, reserved
 * bits, another address; what becomes of registers and of pending interrupts; the page while the APIC does
 * not decode it. SDM volume 3, "Enabling or Disabling the Local APIC", "x2APIC State Transitions".
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "apic_base";

enum { OFF, INVALID, XAPIC, X2APIC, MODES, HELD = 0x93 };
static const char *const names[MODES] = {"off", "invalid", "xAPIC", "x2APIC"};
static uint64_t plain; /* the MSR without EN and EXTD */

static uint64_t base_of(unsigned mode)
{
    return plain | (mode & 2 ? IA32_APIC_BASE_EN : 0) | (mode & 1 ? IA32_APIC_BASE_EXTD : 0);
}

static bool set_mode(unsigned mode)
{
    if (!msr_write(MSR_APIC_BASE, base_of(mode)))
        return false;
    smp_self()->x2apic = mode == X2APIC;
    return true;
}

/* By legal steps. */
static void reach(unsigned mode)
{
    report(set_mode(OFF), "the APIC cannot be turned off");
    if (mode != OFF)
        report(set_mode(XAPIC), "xAPIC mode cannot be reached");
    if (mode == X2APIC)
        report(set_mode(X2APIC), "x2APIC mode cannot be reached");
}

static bool legal(unsigned from, unsigned to)
{
    if (to == INVALID)
        return false;
    return !(from == OFF && to == X2APIC) && !(from == X2APIC && to == XAPIC);
}

/* What the page and the MSRs look like. */
static void check_look(unsigned mode)
{
    uint64_t value;
    bool msrs = msr_read(X2APIC_MSR_FIRST + APIC_VERSION / 16, &value);
    report(msrs == (mode == X2APIC), "MSR 0x803 %s in mode %s", msrs ? "works" : "faults", names[mode]);
    report(!(cpuid(1, 0).edx & 1 << 9) == (mode == OFF), "CPUID.1:EDX.APIC is wrong in mode %s", names[mode]);
    if (guest_native && mode != XAPIC)
        return;
    uint32_t version = *(volatile uint32_t *)(uintptr_t)(APIC_PAGE_DEFAULT + APIC_VERSION);
    report(mode == XAPIC ? (version & 0xff) == APIC_VERSION_INTEGRATED : version == 0xffffffff,
           "the page shows version %#x in mode %s", version, names[mode]);
}

static void transitions(bool x2apic)
{
    for (unsigned from = OFF; from < MODES; from++)
        for (unsigned to = OFF; to < MODES; to++) {
            bool done;
            uint64_t now;
            if (from == INVALID || (!x2apic && (from == X2APIC || to == X2APIC)))
                continue;
            reach(from);
            done = set_mode(to);
            now = rdmsr(MSR_APIC_BASE);
            report(done == legal(from, to), "from %s to %s %s", names[from], names[to],
                   done ? "works" : "faults");
            report(now == base_of(done ? to : from), "IA32_APIC_BASE is %#lx on the way from %s to %s", now,
                   names[from], names[to]);
            check_look(done ? to : from);
            trace("%s to %s: %u %lx", names[from], names[to], done, now);
        }
}

static void reserved(unsigned mode)
{
    uint64_t base = base_of(mode);
    unsigned width = cpuid(0x80000008, 0).eax & 0xff;
    reach(mode);
    for (unsigned bit = 0; bit < 64; bit++) {
        bool done;
        if ((bit >= 12 && bit < width) || bit == 8 || bit == 10 || bit == 11)
            continue;
        done = msr_write(MSR_APIC_BASE, base | 1UL << bit);
        report(!done, "reserved bit %u of IA32_APIC_BASE can be set in mode %s", bit, names[mode]);
        trace("reserved %u: %u", bit, done);
        if (done)
            (void)msr_write(MSR_APIC_BASE, base);
    }
    report(rdmsr(MSR_APIC_BASE) == base, "IA32_APIC_BASE is %#lx after refused writes", rdmsr(MSR_APIC_BASE));
}

/* Another address is refused: documented in README.md. */
static void relocation(void)
{
    static const uint64_t places[] = {0x100000, 0xfec00000, 0xfee01000, 0, 0xfffff000};
    reach(XAPIC);
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        bool done = msr_write(MSR_APIC_BASE, (base_of(XAPIC) & 0xfff) | places[i]);
        report_exact(!done, "the APIC can be moved to %#lx", places[i]);
        trace("move to %lx: %u", places[i], done);
        if (done)
            (void)msr_write(MSR_APIC_BASE, base_of(XAPIC));
    }
    report((apic_read(APIC_VERSION) & 0xff) == APIC_VERSION_INTEGRATED, "the APIC is not where it was");
}

/* Names change with the mode, the rest stays. */
static void registers(bool x2apic)
{
    reach(XAPIC);
    apic_enable();
    apic_write(APIC_LDR, 0x42000000);
    apic_write(APIC_DFR, APIC_DFR_CLUSTER);
    apic_write(APIC_LVT_LINT1, 0x456);
    apic_write(APIC_TPR, 0x57);
    apic_write(APIC_ICR2, 0x99000000);
    if (x2apic) {
        report(set_mode(X2APIC), "x2APIC mode cannot be reached");
        report(apic_read(APIC_ID) == 0 && apic_read(APIC_LDR) == 1, "x2APIC: ID %#x, LDR %#x",
               apic_read(APIC_ID), apic_read(APIC_LDR));
        report(apic_read(APIC_LVT_LINT1) == 0x456 && apic_read(APIC_TPR) == 0x57 &&
                   apic_read(APIC_SVR) == (APIC_SVR_ENABLE | VECTOR_SPURIOUS),
               "x2APIC: LINT1 %#x, TPR %#x, SVR %#x", apic_read(APIC_LVT_LINT1), apic_read(APIC_TPR),
               apic_read(APIC_SVR));
        report_exact(rdmsr(X2APIC_MSR_FIRST + APIC_ICR / 16) >> 32 == 0,
                     "the upper half of ICR is not 0 in x2APIC mode");
        reach(XAPIC);
        report_exact(apic_read(APIC_LDR) == 0 && apic_read(APIC_DFR) == APIC_DFR_FLAT,
                     "back in xAPIC mode: LDR %#x, DFR %#x", apic_read(APIC_LDR), apic_read(APIC_DFR));
    }
    trace("registers: %x %x %x", apic_read(APIC_LDR), apic_read(APIC_DFR), apic_read(APIC_LVT_LINT1));
    apic_write(APIC_TPR, 0);
    apic_write(APIC_DFR, APIC_DFR_FLAT);
    apic_enable();
}

static void window(void)
{
    sti();
    cli();
}

/* What is pending survives the way between the modes, and is delivered in the new one. */
static void pending(unsigned from, unsigned to, bool through_off)
{
    struct cpu *self = smp_self();
    smp_forget();
    reach(from);
    apic_enable();
    apic_self(HELD);
    if (through_off) {
        (void)set_mode(OFF);
        window();
        report(self->count[HELD] == 0, "an APIC that is off delivers");
        (void)set_mode(XAPIC);
        if (to == X2APIC)
            (void)set_mode(X2APIC);
    } else {
        (void)set_mode(to);
    }
    report(apic_bit(APIC_IRR, HELD), "a pending vector is lost from %s to %s", names[from], names[to]);
    apic_enable();
    window();
    report(self->count[HELD] == 1 && !apic_bit(APIC_ISR, HELD), "it is delivered %u times",
           self->count[HELD]);
    trace("pending %s %s %u: %u", names[from], names[to], through_off, self->count[HELD]);
}

/* Off: the page is a hole that nobody shares; another processor's APIC sees nothing of it. */
static void page_when_off(unsigned mode)
{
    volatile uint32_t *page = (volatile uint32_t *)(uintptr_t)APIC_PAGE_DEFAULT;
    unsigned ones = 0, n = 0;
    reach(mode);
    for (unsigned i = 0; i < 1024; i += 4) {
        page[i] = 0x12345678;
        ones += page[i] == 0xffffffff;
        n++;
    }
    report(ones == n, "%u of %u words of the page do not read as ones in mode %s", n - ones, n, names[mode]);
    trace("page in mode %s: %u", names[mode], ones);
}

static void neighbour(uint64_t arg)
{
    *(volatile uint32_t *)(uintptr_t)arg = apic_read(APIC_TPR) << 16 | (apic_read(APIC_LVT_THERMAL) & 0xffff);
}

static void neighbour_setup(uint64_t arg)
{
    (void)arg;
    apic_write(APIC_TPR, 0x21);
    apic_write(APIC_LVT_THERMAL, APIC_LVT_MASKED | 0x3c);
}

void guest_main(const char *cmdline)
{
    unsigned n = smp_init(cmdline);
    bool x2apic = apic_has_x2apic();
    volatile uint32_t seen = 0;
    plain = rdmsr(MSR_APIC_BASE);
    report(plain == (APIC_PAGE_DEFAULT | IA32_APIC_BASE_EN | IA32_APIC_BASE_BSP),
           "IA32_APIC_BASE is %#lx at the start", plain);
    plain &= ~(uint64_t)(IA32_APIC_BASE_EN | IA32_APIC_BASE_EXTD);
    smp_start(n);
    for (unsigned id = 1; id < n; id++) {
        smp_run(id, neighbour_setup, 0);
        report(smp_wait(id), "processor %u hangs", id);
    }
    transitions(x2apic);
    reserved(XAPIC);
    if (x2apic)
        reserved(X2APIC);
    reserved(OFF);
    if (!guest_native)
        relocation();
    registers(x2apic);
    if (!guest_native) {
        pending(XAPIC, XAPIC, true);
        page_when_off(OFF);
    }
    if (x2apic) {
        pending(XAPIC, X2APIC, false);
        if (!guest_native) {
            pending(XAPIC, X2APIC, true);
            pending(X2APIC, XAPIC, true);
            page_when_off(X2APIC);
        }
    }
    reach(XAPIC);
    apic_enable();
    for (unsigned id = 1; id < n; id++) {
        smp_run(id, neighbour, (uint64_t)(uintptr_t)&seen);
        report(smp_wait(id) && seen == 0x21003c, "the APIC of processor %u has changed: %#x", id, seen);
    }
}
