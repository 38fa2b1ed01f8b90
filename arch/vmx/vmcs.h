/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access to the current VMCS; only arch/vmx includes this. With a VMCS loaded and a field that the processor
 * has, neither instruction can fail: a VMWRITE that does is a broken invariant of ours and traps with a dump.
 * A VMREAD is not checked, since each check would be paid on every exit; its fields are a subset of those
 * that vmcs_init.c has written, or read-only ones that every processor has.
 */
#ifndef ARCH_VMX_VMCS_H
#define ARCH_VMX_VMCS_H

#include <stdint.h>

#include "arch/vmx/vmcs_fields.h"

static inline uint64_t vmcs_read(enum vmcs_field field)
{
    uint64_t value;
    __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"((uint64_t)field) : "cc");
    return value;
}

static inline uint32_t vmcs_read32(enum vmcs_field field)
{
    return (uint32_t)vmcs_read(field);
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
    __asm__ volatile goto("vmwrite %0, %1\n\t"
                          "jbe %l2"
                          :
                          : "r"(value), "r"((uint64_t)field)
                          : "cc", "memory"
                          : failed);
    return;
failed:
    __builtin_trap();
}

#endif
