/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What start-up found out about the machine and the management interface tells: written by hv/main.c,
 * constant afterwards.
 */
#ifndef HV_CORE_SYSTEM_H
#define HV_CORE_SYSTEM_H

#include "boot/boot_info.h"

struct system {
    const struct boot_info *boot;
    uint64_t memory_total; /* bytes of usable RAM */
    char cpu_brand[56];
    int console_irq;           /* ISA interrupt of its receiver; below 0: none */
    int (*console_getc)(void); /* the next byte, or -1; by log_console_read() only */
};

extern struct system system_info;

#endif
