/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The error status register (SDM volume 3, "Error Handling"): errors collect out of sight; a write latches
 * them and clears what was latched before. The error interrupt comes once after each write.
 */
#include "tests/guest/apic_reg/apic_reg.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

enum {
    VECTOR_ERROR = 0xe1,
    ILLEGAL = 5,
    SENT = APIC_ESR_SEND_ILLEGAL_VECTOR,
    GOT = APIC_ESR_RECEIVE_ILLEGAL_VECTOR
};

static void window(void)
{
    sti();
    cli();
}

void esr_tests(void)
{
    struct cpu *self = smp_self();
    uint32_t seen;
    smp_forget();
    (void)apic_esr();
    (void)apic_esr();
    report(apic_read(APIC_ESR) == 0, "ESR is %#x at first", apic_read(APIC_ESR));

    apic_icr(self->id, ILLEGAL);
    report(apic_read(APIC_ESR) == 0, "an error shows before ESR is written");
    seen = apic_esr();
    report_exact(seen & SENT && !(seen & ~(uint32_t)(SENT | GOT)), "ESR after an illegal IPI: %#x", seen);
    report(apic_read(APIC_ESR) == seen, "reading ESR changes it");
    report(apic_esr() == 0, "a second write does not clear ESR");
    trace("esr: %x", seen);

    apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
    apic_icr(self->id, ILLEGAL);
    window();
    report_exact(self->count[VECTOR_ERROR] == 1, "%u error interrupts for the first error",
                 self->count[VECTOR_ERROR]);
    apic_icr(self->id, ILLEGAL);
    window();
    report_exact(self->count[VECTOR_ERROR] == 1, "an error interrupt without a write of ESR in between");
    (void)apic_esr();
    apic_icr(self->id, ILLEGAL);
    window();
    report_exact(self->count[VECTOR_ERROR] == 2, "%u error interrupts after a write of ESR",
                 self->count[VECTOR_ERROR]);
    (void)apic_esr();
    trace("esr: %u interrupts", self->count[VECTOR_ERROR]);

    /* The error vector is illegal itself: a bit of its own, no recursion (XSA-462). */
    apic_write(APIC_LVT_ERROR, 0x0f);
    apic_icr(self->id, ILLEGAL);
    window();
    seen = apic_esr();
    report_exact(seen == (SENT | GOT), "ESR after an illegal IPI with an illegal error vector: %#x", seen);
    trace("esr: recursion %x", seen);
    apic_write(APIC_LVT_ERROR, APIC_LVT_MASKED);
    report(apic_read(APIC_IRR) == 0 && apic_read(APIC_ISR) == 0, "an illegal vector is pending");
}
