/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that a test guest uses, one inline each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    RFLAGS_CF = 1 << 0,
    RFLAGS_ONE = 1 << 1,
    RFLAGS_TF = 1 << 8,
    RFLAGS_IF = 1 << 9,
    RFLAGS_DF = 1 << 10,
    RFLAGS_RF = 1 << 16,
    RFLAGS_AC = 1 << 18,
};

#define CR0_PE 0x1UL
#define CR0_MP 0x2UL
#define CR0_EM 0x4UL
#define CR0_TS 0x8UL
#define CR0_ET 0x10UL
#define CR0_NE 0x20UL
#define CR0_WP 0x10000UL
#define CR0_AM 0x40000UL
#define CR0_NW 0x20000000UL
#define CR0_CD 0x40000000UL
#define CR0_PG 0x80000000UL

#define CR4_PAE     0x20UL
#define CR4_VMXE    0x2000UL
#define CR4_SMXE    0x4000UL
#define CR4_PCIDE   0x20000UL
#define CR4_OSXSAVE 0x40000UL

#define MSR_EFER 0xc0000080U

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid c;
    __asm__ volatile("cpuid" : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx) : "a"(leaf), "c"(subleaf));
    return c;
}

#define CPU_READ(reg)                                                                                        \
    static inline uint64_t read_##reg(void)                                                                  \
    {                                                                                                        \
        uint64_t v;                                                                                          \
        __asm__ volatile("mov %%" #reg ", %0" : "=r"(v));                                                    \
        return v;                                                                                            \
    }                                                                                                        \
    static inline void write_##reg(uint64_t v)                                                               \
    {                                                                                                        \
        __asm__ volatile("mov %0, %%" #reg ::"r"(v) : "memory");                                             \
    }
CPU_READ(cr0)
CPU_READ(cr2)
CPU_READ(cr3)
CPU_READ(cr4)
CPU_READ(cr8)
CPU_READ(dr0)
CPU_READ(dr1)
CPU_READ(dr2)
CPU_READ(dr3)
CPU_READ(dr6)
CPU_READ(dr7)

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* Without a handler for a fault, unlike msr_read and msr_write. */
static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(msr) : "memory");
}

static inline void pause(void)
{
    __asm__ volatile("pause" ::: "memory");
}

static inline void sti(void)
{
    __asm__ volatile("sti; nop" ::: "memory");
}

static inline void cli(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline void sti_hlt(void)
{
    __asm__ volatile("sti; hlt" ::: "memory");
}

/* True: the MSR was read; false: #GP. Other faults show in trap.vector. */
bool msr_read(uint32_t msr, uint64_t *value);
bool msr_write(uint32_t msr, uint64_t value);

/* Maps one page at MAP_BASE + 4096 * slot (slot 0 to 511) with these low bits of the entry; 0 unmaps. */
#define MAP_BASE 0x8000000000UL
void *map_page(unsigned slot, uint64_t gpa, uint64_t bits);

/* An address without memory in every test guest, and one page's worth of the guest's own. */
#define HOLE 0x40000000UL
