/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports by number and width, and one function for each device that is checked. */
#pragma once

#include <stdint.h>

static inline uint32_t in(uint16_t port, unsigned width)
{
    uint32_t value = 0;
    if (width == 1)
        __asm__ volatile("inb %w1, %b0" : "+a"(value) : "Nd"(port));
    else if (width == 2)
        __asm__ volatile("inw %w1, %w0" : "+a"(value) : "Nd"(port));
    else
        __asm__ volatile("inl %w1, %0" : "+a"(value) : "Nd"(port));
    return value;
}

static inline void out(uint16_t port, unsigned width, uint32_t value)
{
    if (width == 1)
        __asm__ volatile("outb %b0, %w1" ::"a"(value), "Nd"(port));
    else if (width == 2)
        __asm__ volatile("outw %w0, %w1" ::"a"(value), "Nd"(port));
    else
        __asm__ volatile("outl %0, %w1" ::"a"(value), "Nd"(port));
}

void check_rtc(void);
void check_pm(void);
void check_pci(void);
void check_i8042(void);
void check_uart(void);
void check_debug_ports(void);
void check_straddling(void);
