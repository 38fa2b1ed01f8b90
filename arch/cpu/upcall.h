/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only calls from assembly and arch/ up into the hypervisor proper; hv/ implements them.
 */
#ifndef ARCH_CPU_UPCALL_H
#define ARCH_CPU_UPCALL_H

#include <stdint.h>

#include "arch/cpu/regs.h"

/* From boot/header.S on the boot stack: loader protocol (BOOT_MAGIC_*) and physical address of its
 * information. */
__attribute__((noreturn)) void boot_main(uint32_t protocol, uint64_t info_pa);

/* A device interrupt, timer or IPI with this vector (>= 32); interrupts are off, EOI is the
 * callee's. */
void hv_irq(uint8_t vector);

/* An exception (vector < 32) in the hypervisor. Does not return, except for a handled NMI. */
void hv_exception(struct trap_frame *frame);

#endif
