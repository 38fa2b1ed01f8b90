/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GDT, TSS and IDT. Each CPU has a GDT and TSS of its own; the IDT is shared and read-only after
 * start.
 */
#ifndef ARCH_CPU_DESC_H
#define ARCH_CPU_DESC_H

#include "arch/cpu/bits.h"

#define DESC_CS  0x08
#define DESC_DS  0x10
#define DESC_TSS 0x18

/* Interrupt-stack-table slots. These three can hit at any instruction, a broken stack included. */
enum desc_ist { DESC_IST_NONE, DESC_IST_NMI, DESC_IST_DF, DESC_IST_MC, DESC_IST_END };

/* SDM volume 3, "Task Management in 64-bit Mode". */
struct desc_tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base;
} __attribute__((packed));
_Static_assert(sizeof(struct desc_tss) == 104, "SDM layout");
_Static_assert(offsetof(struct desc_tss, ist) == 36, "SDM layout");

struct desc_tables {
    uint64_t gdt[5]; /* null, code, data, TSS (two words) */
    struct desc_tss tss;
};

struct desc_ptr {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));
_Static_assert(sizeof(struct desc_ptr) == 10, "LGDT operand");

/* Fills the shared IDT. Once, before the first desc_load. */
void desc_init_idt(void);

/* Fills a CPU's tables: ist_top[slot] are the tops of its exception stacks (index by enum
 * desc_ist). */
void desc_fill(struct desc_tables *d, const uint64_t ist_top[DESC_IST_END]);

/* Loads them on the executing CPU: segments, task register, IDT, and GS.base for percpu_self(). */
void desc_load(struct desc_tables *d, void *percpu);

uint64_t desc_idt_base(void);

#endif
