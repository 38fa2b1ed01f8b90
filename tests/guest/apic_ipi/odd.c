/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs, and values of ICR that mean nothing (SDM volume 3, "Interrupt Command Register (ICR)", table of valid
 * combinations): they must do nothing, on any destination.
 */
#include "tests/guest/apic_ipi/apic_ipi.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

enum { VECTOR = 0x63 };
#define MODE(which)      ((uint32_t)(which) << APIC_ICR_MODE_SHIFT)
#define SHORTHAND(which) ((uint32_t)(which) << APIC_ICR_SHORTHAND_SHIFT)

static uint32_t everybody(void)
{
    return (1U << processors) - 1;
}

static void disable(uint64_t arg)
{
    (void)arg;
    apic_write(APIC_SVR, VECTOR_SPURIOUS);
}

static void enable(uint64_t arg)
{
    (void)arg;
    apic_enable();
}

/* The low byte of the ICR is no vector then: NMIs are counted as vector 2. */
static void nmis(void)
{
    listen();
    for (unsigned id = 0; id < processors; id++)
        send_and_check("NMI", id, MODE(APIC_DM_NMI), V_NMI, 1U << id);
    send_and_check("NMI to others", 0, MODE(APIC_DM_NMI) | SHORTHAND(APIC_TO_OTHERS), V_NMI,
                   everybody() & ~1U);
    send_and_check("NMI to all by destination", smp_self()->x2apic ? X2APIC_BROADCAST : APIC_BROADCAST,
                   MODE(APIC_DM_NMI), V_NMI, everybody());
    listen_no_more();
    /* Interrupts off, APIC disabled by software: NMIs come all the same. */
    on_each(disable, 0);
    for (unsigned id = 0; id < processors; id++)
        send_and_check("NMI, APIC disabled", id, MODE(APIC_DM_NMI), V_NMI, 1U << id);
    on_each(enable, 0);
}

static void disabled(void)
{
    unsigned last = processors - 1;
    if (!last)
        return;
    smp_run(last, disable, 0);
    (void)smp_wait(last);
    listen();
    send_and_check("to a disabled APIC", last, 0, VECTOR, 0);
    send_and_check("all with a disabled APIC", 0, SHORTHAND(APIC_TO_ALL), VECTOR,
                   everybody() & ~(1U << last));
    listen_no_more();
    smp_run(last, enable, 0);
    (void)smp_wait(last);
    listen();
    send_and_check("enabled again", last, 0, VECTOR, 1U << last);
    listen_no_more();
}

static void meaningless(void)
{
    static const uint32_t modes[] = {APIC_DM_REMOTE_READ, APIC_DM_EXTINT};
    listen();
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        for (unsigned shorthand = 0; shorthand < 4; shorthand++) {
            send_and_check("mode without a meaning", 0, MODE(modes[i]) | SHORTHAND(shorthand), VECTOR, 0);
            send_and_check("mode without a meaning", processors - 1, MODE(modes[i]) | SHORTHAND(shorthand),
                           VECTOR, 0);
        }
    /* Self and all are for Fixed only. */
    send_and_check("NMI to self", 0, MODE(APIC_DM_NMI) | SHORTHAND(APIC_TO_SELF), V_NMI, 0);
    send_and_check("NMI to all", 0, MODE(APIC_DM_NMI) | SHORTHAND(APIC_TO_ALL), V_NMI, 0);
    send_and_check("INIT to self", 0, MODE(APIC_DM_INIT) | APIC_ICR_ASSERT | SHORTHAND(APIC_TO_SELF), VECTOR,
                   0);
    send_and_check("SIPI to all", 0, MODE(APIC_DM_STARTUP) | SHORTHAND(APIC_TO_ALL), VECTOR, 0);
    send_and_check("lowest priority to self", 0, MODE(APIC_DM_LOWEST) | SHORTHAND(APIC_TO_SELF), VECTOR, 0);
    send_and_check("level de-assert", 0, APIC_ICR_LEVEL, VECTOR, 0);
    send_and_check("SMI", processors - 1, MODE(APIC_DM_SMI), VECTOR, 0);
    listen_no_more();
}

void odd_tests(void)
{
    nmis();
    if (guest_native)
        return;
    disabled();
    meaningless();
}
