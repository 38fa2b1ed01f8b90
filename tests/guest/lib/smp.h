/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several processors in a test guest. smp_init makes the first one usable (per-processor data behind GS,
 * interrupts counted, local APIC enabled); smp_start brings up others by INIT, SIPI, SIPI. Each then waits
 * with interrupts off for a job. APIC ID, index in `cpus` and number in the guest's configuration are the
 * same.
 *
 * Only one processor at a time may use TRY and other means of trap.h that expect a fault.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/trap.h"

enum { CPUS_MAX = 64, ORDER_MAX = 256 };

struct cpu {
    struct cpu *self; /* at offset 0: %gs:0 */
    uint32_t id;
    bool x2apic;
    volatile uint32_t starts; /* how often it came up */
    volatile uint32_t sipi;   /* vector of the last SIPI, by its CS */
    volatile uint64_t start_cr0, start_efer;
    void (*volatile job)(uint64_t arg);
    volatile uint64_t arg;
    volatile uint32_t count[256]; /* interrupts taken, by vector */
    volatile uint32_t total, orders;
    volatile uint8_t order[ORDER_MAX]; /* the first vectors since smp_forget */
    volatile uint64_t rip;             /* where the last one came */
};
extern struct cpu cpus[CPUS_MAX];

static inline struct cpu *smp_self(void)
{
    struct cpu *self;
    __asm__("mov %%gs:0, %0" : "=r"(self));
    return self;
}

/*
 * By vector; called with interrupts off after the interrupt was counted. Without one a vector from 32 on ends
 * with an EOI; one below is an exception. smp_quiet does nothing: no EOI.
 */
typedef void irq_handler(struct cpu *self, struct trap_frame *frame);
extern irq_handler *volatile irq_handlers[256];
void smp_quiet(struct cpu *self, struct trap_frame *frame);

/* Returns the number behind "vcpus=" in the command line, 1 without it. */
unsigned smp_init(const char *cmdline);
/* One processor, by a SIPI of that vector (its page is overwritten). False: it did not come. */
bool smp_start_one(unsigned id, uint8_t vector);
/* Processors 1 to n-1; reports a failed check for each that does not come. */
void smp_start(unsigned n);
void smp_copy_trampoline(uint8_t vector);
void smp_init_ipi(unsigned id);
void smp_sipi(unsigned id, uint8_t vector);

void smp_run(unsigned id, void (*job)(uint64_t arg), uint64_t arg);
bool smp_wait(unsigned id); /* false: the job did not end */
/* On all n processors, this one too; false: one did not end. */
bool smp_run_all(unsigned n, void (*job)(uint64_t arg), uint64_t arg);

/* Counts and orders of all processors begin anew. */
void smp_forget(void);

/* Waits until n processors are here. */
struct barrier {
    volatile uint32_t here, round;
};
void smp_barrier(struct barrier *b, unsigned n);

/*
 * TSC ticks; the second is long even where vCPUs share a processor. A wait leaves out gaps in which this processor
 * did nothing, as when its domain is paused.
 */
#define SHORT_TIME          300000UL
#define LONG_TIME           200000000UL
#define GAP_TIME            2000000UL
#define WAIT_FOR(condition) SMP_WAIT(condition, LONG_TIME)
#define SMP_WAIT(condition, ticks)                                                                           \
    __extension__({                                                                                          \
        uint64_t smp_now, smp_last = rdtsc(), smp_end = smp_last + (ticks);                                  \
        bool smp_met;                                                                                        \
        while (!(smp_met = (condition))) {                                                                   \
            smp_now = rdtsc();                                                                               \
            smp_end += smp_now - smp_last > GAP_TIME ? smp_now - smp_last : 0;                               \
            smp_last = smp_now;                                                                              \
            if (smp_now >= smp_end)                                                                          \
                break;                                                                                       \
            pause();                                                                                         \
        }                                                                                                    \
        smp_met;                                                                                             \
    })

static inline void smp_delay(uint64_t ticks)
{
    uint64_t end = rdtsc() + ticks;
    while (rdtsc() < end)
        pause();
}
