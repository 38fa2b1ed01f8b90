/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where interrupts arrive, from the IDT and from VM exits alike: a ladder over the ranges of
 * vectors.h. Always ends with one EOI, except for the spurious vector, which has none (SDM volume
 * 3, "Spurious Interrupt").
 */
#include "hv/core/irq.h"

#include "arch/cpu/atomic.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/smp.h"
#include "arch/cpu/upcall.h"
#include "arch/cpu/vectors.h"
#include "hv/core/log.h"
#include "hv/core/machine.h"
#include "hv/core/panic.h"
#include "hv/core/timer.h"

static uint32_t stray_nmis;
static bool (*device)(uint8_t vector); /* hv/route/pirq.h */
static void (*wakeup)(void);           /* hv/vapic/vapic_newer.h */

void hv_irq(uint8_t vector)
{
    static struct log_limit limit;
    if (vector == VECTOR_SPURIOUS)
        return;
    if (vector == VECTOR_TIMER)
        timer_interrupt();
    else if (vector == VECTOR_CALL)
        smp_run_calls();
    else if (vector == VECTOR_PI_WAKEUP && wakeup)
        wakeup();
    else if (vector == VECTOR_APIC_ERROR)
        log_limited(&limit, LOG_WARNING, "CPU %u: local APIC error, ESR %#x", percpu_self()->index,
                    lapic_errors());
    else if (vector <= VECTOR_DEVICE_LAST && !(device && device(vector)))
        log_limited(&limit, LOG_WARNING, "CPU %u: unexpected interrupt, vector %#x", percpu_self()->index,
                    vector);
    lapic_eoi();
}

void hv_exception(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_NMI)
        panic_exception(frame);
    machine_nmi();
    /* No lock may be taken here: it is counted, and said at a safe place. */
    atomic_add_relaxed(&stray_nmis, 1);
}

void irq_set_device(bool (*take)(uint8_t vector))
{
    device = take;
}

void irq_set_wakeup(void (*wake)(void))
{
    wakeup = wake;
}

uint32_t irq_stray_nmis(void)
{
    return atomic_load_relaxed(&stray_nmis);
}
