/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine. A processor in VMX operation ignores INIT, so every CPU leaves VMX
 * operation before a reboot.
 *
 * The other CPUs are told by NMI, since one may spin with interrupts off. Each is sent its own: a
 * broadcast would also reach CPUs that were never started, whose firmware may not survive it.
 * `stopper` is set before, so that a CPU can tell this NMI from one of the hardware's, which may
 * also hit the stopping CPU itself.
 */
#include "hv/core/machine.h"

#include "arch/cpu/atomic.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/smp.h"
#include "arch/cpu/vectors.h"
#include "arch/vmx/vmx.h"
#include "hv/core/log.h"
#include "hv/core/pcpu.h"

#define BOCHS_SHUTDOWN_PORT 0x8900
#define DEBUG_EXIT_PORT     0xf4
#define RESET_PORT          0xcf9
#define KEYBOARD_PORT       0x64
#define KEYBOARD_RESET      0xfe
#define STOP_WAIT_SPINS     10000000U

static enum machine_exit exit_policy = MACHINE_EXIT_HALT;
static struct acpi_register reset_register; /* width 0: none */
static uint8_t reset_value;
static struct percpu *stopper; /* the CPU that ends the machine; NULL: none yet */
static uint32_t stopped;       /* CPUs that have left VMX operation and halt */

void machine_set_exit(enum machine_exit policy)
{
    exit_policy = policy;
}

void machine_set_reset(const struct acpi_fadt *fadt)
{
    if (fadt && fadt->present && fadt->reset_supported) {
        reset_register = fadt->reset;
        reset_value = fadt->reset_value;
    }
}

__attribute__((noreturn)) static void halt_forever(void)
{
    for (;;) {
        cli();
        hlt();
    }
}

__attribute__((noreturn)) static void stop_this_cpu(void *unused)
{
    (void)unused;
    vmx_off();
    atomic_fetch_add_full(&stopped, 1);
    halt_forever();
}

/* Waits, within bounds, until the others have left VMX operation: a CPU that hangs must not keep
 * the machine from ending. */
static void wait_stopped(void)
{
    for (uint32_t spins = 0; spins < STOP_WAIT_SPINS; spins++) {
        if (atomic_load_acquire(&stopped) + 1 >= pcpu_count)
            return;
        cpu_pause();
    }
    log_warning("%u of %u CPUs did not answer the stop", pcpu_count - 1 - stopped, pcpu_count);
}

/* The first CPU that comes here ends the machine, any other one only itself. */
static void stop_others(void)
{
    struct percpu *self = percpu_self(), *first = NULL;
    if (!atomic_compare_exchange_full(&stopper, &first, self) && first != self)
        stop_this_cpu(NULL);
    for (uint32_t i = 0; i < pcpu_count; i++)
        if (&pcpu_table[i]->arch != self)
            lapic_send(pcpu_table[i]->arch.apic_id, LAPIC_NMI, 0);
    if (pcpu_count > 1)
        wait_stopped();
    vmx_off();
}

void machine_nmi(void)
{
    struct percpu *first = atomic_load_acquire(&stopper);
    if (first && first != percpu_self())
        stop_this_cpu(NULL);
}

__attribute__((noreturn)) static void reset(void)
{
    log_flush();
    if (reset_register.width && reset_register.space == ACPI_SPACE_IO)
        outb((uint16_t)reset_register.address, reset_value);
    outb(RESET_PORT, 0x02);
    outb(RESET_PORT, 0x06);
    outb(KEYBOARD_PORT, KEYBOARD_RESET);
    struct desc_ptr none = {0, 0};
    __asm__ volatile("lidt %0; ud2" ::"m"(none));
    halt_forever();
}

__attribute__((noreturn)) static void end(enum machine_code code)
{
    log_flush();
    switch (exit_policy) {
    case MACHINE_EXIT_SHUTDOWN_PORT:
        for (const char *c = "Shutdown"; *c; c++)
            outb(BOCHS_SHUTDOWN_PORT, (uint8_t)*c);
        break;
    case MACHINE_EXIT_DEBUG_EXIT:
        outl(DEBUG_EXIT_PORT, code);
        break;
    case MACHINE_EXIT_REBOOT:
        reset();
    case MACHINE_EXIT_HALT:
        break;
    }
    halt_forever();
}

void machine_stop(enum machine_code code)
{
    static const char *const text[] = {"halted", "leaving by the shutdown port",
                                       "leaving by the debug-exit port", "rebooting"};
    stop_others();
    if (code == MACHINE_CODE_OK)
        log_info("Signalbox stopped in order: %s.", text[exit_policy]);
    else
        log_error("Signalbox cannot go on: %s. The lines above say why.", text[exit_policy]);
    end(code);
}

void machine_reboot(void)
{
    stop_others();
    log_info("Signalbox: rebooting the machine.");
    reset();
}

void machine_stop_after_panic(void)
{
    stop_others();
    end(MACHINE_CODE_PANIC);
}
