/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Panic: print what a person needs to report the fault, stop all CPUs, end as `exit=` says. The
 * first CPU that panics prints; others that panic meanwhile wait for its NMI. The log lock is
 * broken first, since its holder may be the one that failed.
 */
#include "hv/core/panic.h"

#include "arch/cpu/atomic.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/paging.h"
#include "hv/core/config.h"
#include "hv/core/fmt.h"
#include "hv/core/log.h"
#include "hv/core/machine.h"
#include "hv/core/pcpu.h"
#include "hv/core/symtab.h"

#define TRACE_DEPTH 16

static bool panicking;

static void enter(void)
{
    cli();
    if (atomic_exchange_full(&panicking, true))
        for (;;)
            hlt();
    log_break_lock();
}

static void print_address(const char *what, uint64_t address)
{
    uint64_t offset = 0;
    const char *name = symtab_lookup(address, &offset);
    if (name)
        log_error("  %s %016lx  %s+%#lx", what, address, name, offset);
    else
        log_error("  %s %016lx", what, address);
}

/* Frame pointers: [rbp] = the caller's rbp, [rbp + 8] = the return address. Stops at anything that
 * is not a mapped, rising frame. */
static void print_trace(uint64_t rbp)
{
    for (unsigned depth = 0; depth < TRACE_DEPTH && !(rbp & 7); depth++) {
        uint64_t pa;
        unsigned flags;
        if (!paging_lookup(rbp, &pa, &flags) || !paging_lookup(rbp + 8, &pa, &flags))
            return;
        const uint64_t *frame = (const uint64_t *)(uintptr_t)rbp;
        if (!frame[1])
            return;
        print_address("called from", frame[1]);
        if (frame[0] <= rbp)
            return;
        rbp = frame[0];
    }
}

static void print_tail(uint64_t rbp)
{
    print_trace(rbp);
    log_error("  build-id %s", symtab_build_id());
    log_error("Signalbox panicked. Please report the lines above with the build-id.");
}

void panic(const char *format, ...)
{
    enter();
    char text[CONFIG_LOG_LINE_MAX / 2];
    va_list args;
    va_start(args, format);
    fmt_vformat(text, sizeof(text), format, args);
    va_end(args);
    log_error("panic: %s", text);
    print_tail((uint64_t)(uintptr_t)__builtin_frame_address(0));
    machine_stop_after_panic();
}

void panic_exception(const struct trap_frame *f)
{
    static const char *const name[] = {"#DE divide error",
                                       "#DB debug",
                                       "NMI",
                                       "#BP breakpoint",
                                       "#OF overflow",
                                       "#BR bound range",
                                       "#UD invalid opcode",
                                       "#NM no FPU",
                                       "#DF double fault",
                                       "vector 9",
                                       "#TS invalid TSS",
                                       "#NP segment not present",
                                       "#SS stack fault",
                                       "#GP general protection",
                                       "#PF page fault",
                                       "vector 15",
                                       "#MF x87",
                                       "#AC alignment",
                                       "#MC machine check",
                                       "#XM SIMD",
                                       "#VE virtualization",
                                       "#CP control protection"};
    const union gprs *g = &f->gprs;
    enter();
    log_error("exception %lu %s, error code %#lx, CPU %u", f->vector,
              f->vector < ARRAY_SIZE(name) ? name[f->vector] : "", f->error, percpu_self()->index);
    print_address("rip", f->rip);
    log_error("  rsp %016lx  rflags %08lx  cs %02lx  ss %02lx", f->rsp, f->rflags, f->cs, f->ss);
    log_error("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", g->rax, g->rbx, g->rcx, g->rdx);
    log_error("  rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx", g->rsi, g->rdi, g->rbp, g->r8);
    log_error("  r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx", g->r9, g->r10, g->r11, g->r12);
    log_error("  r13 %016lx  r14 %016lx  r15 %016lx", g->r13, g->r14, g->r15);
    log_error("  cr0 %08lx  cr2 %016lx  cr3 %016lx  cr4 %08lx", read_cr0(), read_cr2(), read_cr3(),
              read_cr4());
    print_tail(g->rbp);
    machine_stop_after_panic();
}
