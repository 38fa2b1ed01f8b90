/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the hypervisor by its own fault: a broken invariant or an exception in our code. Never
 * for anything that a guest or the manager can cause.
 */
#ifndef HV_CORE_PANIC_H
#define HV_CORE_PANIC_H

#include "arch/cpu/regs.h"

__attribute__((noreturn, format(printf, 1, 2))) void panic(const char *format, ...);

/* An exception in the hypervisor: registers, a stack trace with symbol names, the build-id. */
__attribute__((noreturn)) void panic_exception(const struct trap_frame *frame);

/* An invariant of ours. */
#define hv_assert(condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            panic("assertion failed: %s (%s:%d)", #condition, __FILE__, __LINE__);                           \
    } while (0)

#endif
