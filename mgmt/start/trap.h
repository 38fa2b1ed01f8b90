/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trap: descriptor tables of the manager, and the report when it makes a mistake itself. An
 * exception in the manager is a bug: the registers are printed, and the domain dies by a triple
 * fault, whereupon the hypervisor starts it again from its boot module, or gives up when that has
 * not helped a few times.
 */
#pragma once

#include <stdint.h>

/* As entry.S pushes it. */
struct trap_frame {
    uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

void trap_init(void);

/* Takes away the mapping of `pages` pages from virtual address `va` on. */
void trap_unmap(uint64_t va, uint32_t pages);

__attribute__((noreturn)) void trap_report(const struct trap_frame *frame);
