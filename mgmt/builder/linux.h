/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux: the state of a vCPU at the two entry points of the Linux boot protocol, from a plan that
 * linux.c made. Documentation/arch/x86/boot.rst, "32-bit Boot Protocol" and "64-bit Boot Protocol".
 * Pure.
 */
#pragma once

#include "guest_abi/hv_vcpu.h"
#include "mgmt/builder/plan.h"

/* Selectors that the protocol wants: __BOOT_CS and __BOOT_DS. */
enum { LINUX_BOOT_CS = 0x10, LINUX_BOOT_DS = 0x18, LINUX_GDT_ENTRIES = 4 };

/* `sregs` as a new vCPU has them, `regs` zero but for RFLAGS. */
void linux_set_state(const struct plan *plan, struct hv_sregs *sregs, struct hv_regs *regs);
