/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the machine ends: power-off, reboot, or a stop that a person or an emulator notices.
 */
#ifndef HV_CORE_MACHINE_H
#define HV_CORE_MACHINE_H

#include "arch/cpu/bits.h"
#include "drivers/acpi.h"

/* What `exit=` says to do once nothing is left to run. */
enum machine_exit {
    MACHINE_EXIT_HALT,          /* all CPUs halt with interrupts off */
    MACHINE_EXIT_SHUTDOWN_PORT, /* the word Shutdown to port 0x8900, as Bochs takes it; then halt */
    MACHINE_EXIT_DEBUG_EXIT,    /* a code to port 0xf4, as QEMU's isa-debug-exit takes it; then halt */
    MACHINE_EXIT_REBOOT,
};

/* Codes for the debug-exit port; QEMU ends with 2 * code + 1. */
enum machine_code {
    MACHINE_CODE_OK = 0x10,     /* 33: an orderly shutdown */
    MACHINE_CODE_FAILED = 0x11, /* 35: the machine cannot run Signalbox, or its start failed */
    MACHINE_CODE_PANIC = 0x12,  /* 37 */
};

void machine_set_exit(enum machine_exit policy);

/* Where the reset register is; `fadt` may be NULL. */
void machine_set_reset(const struct acpi_fadt *fadt);

/* VMXOFF on every CPU, then the `exit=` policy. Prints the one final line. */
__attribute__((noreturn)) void machine_stop(enum machine_code code);

/* VMXOFF on every CPU, then a reset: by the FADT's register, port 0xcf9, the keyboard controller, a
 * triple fault. */
__attribute__((noreturn)) void machine_reboot(void);

/* From panic: other CPUs are stopped by NMI, which also leaves VMX operation there (SDM volume 3,
 * "VMXOFF"). */
__attribute__((noreturn)) void machine_stop_after_panic(void);

/* The NMI handler asks this first: does this NMI tell the CPU to stop for good? Does not return if
 * so. */
void machine_nmi(void);

#endif
