/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apic_reg: the registers of the local APIC (rows L-01 to L-06, L-12, L-23 to L-26, L-34, L-36). Values after
 * INIT, which bits are kept, accesses of every kind, and the error status.
 *
 * All is done on the first processor; apic_ipi looks at the others after INIT.
 */
#include "tests/guest/apic_reg/apic_reg.h"

#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

const char guest_name[] = "apic_reg";

static uint32_t reset_values[APIC_REGS_SIZE / 16];

/* Before anything else: smp_init enables the APIC. */
static void fetch_reset_values(void)
{
    const volatile uint32_t *page = (const volatile uint32_t *)(uintptr_t)APIC_PAGE_DEFAULT;
    for (uint32_t offset = APIC_TPR; offset < APIC_REGS_SIZE; offset += 16)
        if (offset == APIC_LDR || offset == APIC_DFR || offset == APIC_SVR ||
            (offset >= APIC_ISR && offset <= APIC_ESR) ||
            (offset >= APIC_LVT_TIMER && offset <= APIC_TMCCT) || offset == APIC_TPR || offset == APIC_TDCR)
            reset_values[offset / 16] = page[offset / 4];
}

static void check_reset(void)
{
    for (uint32_t offset = APIC_TPR; offset < APIC_REGS_SIZE; offset += 16) {
        uint32_t value = reset_values[offset / 16], want = reg_rule(offset).reset;
        if (offset == APIC_LVT_LINT0)
            want = (uint32_t)APIC_DM_EXTINT << APIC_LVT_MODE_SHIFT; /* first processor: virtual wire */
        if (offset > APIC_ESR && offset < APIC_LVT_TIMER)
            continue;
        report_exact(value == want, "register %#x is %#x after reset, and should be %#x", offset, value,
                     want);
        trace("reset %x %x", offset, value);
    }
}

static void fixed_values(const char *mode, uint32_t id)
{
    uint32_t version = apic_read(APIC_VERSION), max_lvt = version >> APIC_VERSION_MAX_LVT_SHIFT & 0xff;
    report((version & 0xff) == APIC_VERSION_INTEGRATED && (max_lvt == 5 || max_lvt == 6) &&
               (version & 0xfe00ff00) == 0,
           "%s: version %#x", mode, version);
    report(apic_read(APIC_ID) == id, "%s: ID %#x", mode, apic_read(APIC_ID));
    trace("%s version %x id %x", mode, version, apic_read(APIC_ID));
}

/* Values that start nothing: each writable bit, and all of them. */
static void kept_bits(uint32_t offset)
{
    struct reg_rule rule = reg_rule(offset);
    uint32_t before = apic_read(offset), ones, zeroes;
    /* Masked, so that nothing is delivered. */
    uint32_t safe = rule.keeps & APIC_LVT_MASKED;
    apic_write(offset, 0xffffffff);
    ones = apic_read(offset);
    apic_write(offset, safe);
    zeroes = apic_read(offset);
    report_exact(ones == (rule.keeps | rule.ones), "register %#x keeps %#x, and should %#x", offset, ones,
                 rule.keeps | rule.ones);
    report_exact(zeroes == (safe | rule.ones), "register %#x reads %#x after 0", offset, zeroes);
    trace("keeps %x %x %x", offset, ones, zeroes);
    apic_write(offset, before);
}

void value_tests(void)
{
    static const uint32_t regs[] = {APIC_TPR,       APIC_LDR,         APIC_DFR,       APIC_SVR,
                                    APIC_ICR2,      APIC_LVT_THERMAL, APIC_LVT_PMC,   APIC_LVT_LINT0,
                                    APIC_LVT_LINT1, APIC_LVT_ERROR,   APIC_LVT_TIMER, APIC_LVT_CMCI,
                                    APIC_TDCR};
    for (unsigned i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        if (guest_native && regs[i] == APIC_DFR)
            continue;
        if (reg_rule(regs[i]).may & PAGE_W)
            kept_bits(regs[i]);
        apic_enable();
    }
    apic_write(APIC_ID, 0x77000000);
    report(apic_read(APIC_ID) == 0, "the ID can be written");
    if (guest_native)
        return;
    /* Byte writes to the top of these count: some systems rely on it. */
    ((volatile uint8_t *)(uintptr_t)APIC_PAGE_DEFAULT)[APIC_LDR + 3] = 0x42;
    report(apic_read(APIC_LDR) == 0x42000000, "LDR is %#x after a write of its top byte",
           apic_read(APIC_LDR));
    ((volatile uint8_t *)(uintptr_t)APIC_PAGE_DEFAULT)[APIC_DFR + 3] = 0x0f;
    report(apic_read(APIC_DFR) == APIC_DFR_CLUSTER, "DFR is %#x after a write of its top byte",
           apic_read(APIC_DFR));
    apic_write(APIC_DFR, APIC_DFR_FLAT);
    apic_write(APIC_LDR, 0);
}

/* "Local APIC State After It Has Been Software Disabled". */
static void software_disable(void)
{
    static const uint32_t lvts[] = {APIC_LVT_THERMAL, APIC_LVT_PMC, APIC_LVT_LINT1, APIC_LVT_ERROR,
                                    APIC_LVT_TIMER};
    enum { HELD = 0x93 };
    for (unsigned i = 0; i < sizeof(lvts) / sizeof(lvts[0]); i++)
        apic_write(lvts[i], 0x80 + i * 16);
    apic_self(HELD);
    apic_write(APIC_SVR, VECTOR_SPURIOUS);
    for (unsigned i = 0; i < sizeof(lvts) / sizeof(lvts[0]); i++) {
        report(apic_read(lvts[i]) & APIC_LVT_MASKED, "LVT %#x is not masked while disabled", lvts[i]);
        apic_write(lvts[i], 0x80 + i * 16);
        report(apic_read(lvts[i]) & APIC_LVT_MASKED, "LVT %#x can be unmasked while disabled", lvts[i]);
    }
    report(apic_bit(APIC_IRR, HELD), "a pending vector is lost when software disables the APIC");
    apic_self(0x94);
    report_exact(!apic_bit(APIC_IRR, 0x94), "%s: a disabled APIC accepts a fixed interrupt",
                 smp_self()->x2apic ? "x2APIC" : "xAPIC");
    apic_enable();
    for (unsigned i = 0; i < sizeof(lvts) / sizeof(lvts[0]); i++)
        report(apic_read(lvts[i]) & APIC_LVT_MASKED, "LVT %#x is unmasked by enabling", lvts[i]);
    sti();
    cli();
    report(smp_self()->count[HELD] == 1, "the pending vector is taken %u times", smp_self()->count[HELD]);
    trace("disable: %u %u", smp_self()->count[HELD], smp_self()->count[0x94]);
}

void guest_main(const char *cmdline)
{
    fetch_reset_values();
    (void)smp_init(cmdline);
    page_all = guest_has_word(cmdline, "full");
    check_reset();
    fixed_values("xAPIC", 0);
    value_tests();
    software_disable();
    esr_tests();
    page_tests();
    if (!apic_has_x2apic()) {
        report_skip("no x2APIC");
        return;
    }
    msr_tests();
    fixed_values("x2APIC", 0);
    report(apic_read(APIC_LDR) == 1, "x2APIC LDR is %#x", apic_read(APIC_LDR));
    esr_tests();
    software_disable();
}
