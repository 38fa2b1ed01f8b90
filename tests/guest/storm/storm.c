/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storm: one domain (word `storm`) does nothing but exits and exceptions, of all kinds in turn; its neighbour
 * on the same CPU, with the same priority, watches the TSC for the time that it does not run. It must get its
 * half. The bounds are wide: the manager and the machine's interrupts run there as well.
 */
#include "guest_abi/hv_abi.h"
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "storm";

enum { BURST = 2000, WINDOWS = 5, GAP_TICKS = 4000, LEAST_PERCENT = 30, MOST_PERCENT = 85 };
#define WINDOW 8000000UL /* ticks */

static void faults(void)
{
    TRY("rdmsr", ::"c"(0x1234) : "rax", "rdx");
    TRY("vmxoff", ::: "memory");
    TRY("int3", ::: "memory");
    TRY(".byte 0xf1", ::: "memory");
    TRY("movb $0, (%0)", ::"r"(MAP_BASE) : "memory");
}

static void exits(void)
{
    (void)cpuid(0, 0);
    __asm__ volatile("inb $0x42, %%al" ::: "rax");
    __asm__ volatile("movl (%0), %%eax" ::"r"(HOLE) : "rax");
    write_cr0(read_cr0() ^ CR0_NE);
    write_cr8(3);
    __asm__ volatile("wbinvd" ::: "memory");
}

static void calls(void)
{
    uint64_t rax = (uint64_t)HV_CALL_MAGIC << 32 | HV_CALL_VERSION;
    __asm__ volatile("vmcall" : "+a"(rax)::"memory");
    rax = (uint64_t)HV_CALL_MAGIC << 32 | HV_CALL_DOMAIN_LIST;
    __asm__ volatile("vmcall" : "+a"(rax)::"memory");
}

static void storm(void)
{
    (void)map_page(0, 0, 0);
    for (;;) {
        for (unsigned i = 0; i < BURST; i++)
            faults();
        for (unsigned i = 0; i < BURST; i++)
            exits();
        for (unsigned i = 0; i < BURST; i++)
            calls();
        print("storm: still there\n");
    }
}

/* Percent of a window in which this vCPU ran. */
static unsigned share(void)
{
    uint64_t start = rdtsc(), last = start, away = 0;
    for (;;) {
        uint64_t now = rdtsc();
        if (now - last > GAP_TICKS)
            away += now - last;
        if (now - start > WINDOW)
            return (unsigned)(100 - 100 * away / (now - start));
        last = now;
    }
}

void guest_main(const char *cmdline)
{
    if (guest_has_word(cmdline, "storm"))
        storm();
    (void)share(); /* the others start meanwhile */
    for (unsigned i = 0; i < WINDOWS; i++) {
        unsigned percent = share();
        print("share: %u percent\n", percent);
        report(percent >= LEAST_PERCENT && percent <= MOST_PERCENT,
               "the neighbour of a storm gets %u percent of the CPU", percent);
    }
}
