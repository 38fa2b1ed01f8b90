/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GDT, TSS and IDT, SDM volume 3, "Protected-Mode Memory Management" and "Interrupt and Exception
 * Handling".
 *
 * The tables are minimal: one code and one data segment, one TSS per CPU for the interrupt stacks.
 * After a VM exit the limits of GDT and IDT are 0xffff whatever they were (SDM volume 3, "Loading
 * Host Segment and Descriptor-Table Registers"): harmless, since nothing loads a selector beyond
 * DESC_TSS.
 */
#include "arch/cpu/desc.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/vectors.h"

#define SEG_CODE64 0x00af9b000000ffffULL
#define SEG_DATA   0x00cf93000000ffffULL
#define SEG_TSS    0x0000890000000000ULL /* present, available 64-bit TSS */

#define GATE_INTERRUPT 0x8e00U /* present, DPL 0, 64-bit interrupt gate */

#define STUB_SIZE 16 /* entry.S aligns each stub to this */

struct idt_gate {
    uint16_t offset_15_0;
    uint16_t selector;
    uint16_t attributes; /* IST in bits 2:0 */
    uint16_t offset_31_16;
    uint32_t offset_63_32;
    uint32_t reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "SDM layout");

extern const uint8_t trap_stubs[256 * STUB_SIZE];

static struct idt_gate idt[256] __attribute__((aligned(4096)));

void desc_init_idt(void)
{
    static const uint8_t ist[256] = {
        [VECTOR_NMI] = DESC_IST_NMI, [VECTOR_DF] = DESC_IST_DF, [VECTOR_MC] = DESC_IST_MC};
    for (unsigned v = 0; v < ARRAY_SIZE(idt); v++) {
        uint64_t stub = (uint64_t)(uintptr_t)&trap_stubs[v * STUB_SIZE];
        idt[v] = (struct idt_gate){
            .offset_15_0 = (uint16_t)stub,
            .selector = DESC_CS,
            .attributes = (uint16_t)(GATE_INTERRUPT | ist[v]),
            .offset_31_16 = (uint16_t)(stub >> 16),
            .offset_63_32 = (uint32_t)(stub >> 32),
        };
    }
}

void desc_fill(struct desc_tables *d, const uint64_t ist_top[DESC_IST_END])
{
    *d = (struct desc_tables){0};
    uint64_t base = (uint64_t)(uintptr_t)&d->tss;
    uint64_t limit = sizeof(d->tss) - 1;
    d->gdt[DESC_CS / 8] = SEG_CODE64;
    d->gdt[DESC_DS / 8] = SEG_DATA;
    d->gdt[DESC_TSS / 8] = SEG_TSS | limit | (base & 0xffffff) << 16 | (base & 0xff000000) << 32;
    d->gdt[DESC_TSS / 8 + 1] = base >> 32;
    for (unsigned slot = DESC_IST_NMI; slot < DESC_IST_END; slot++)
        d->tss.ist[slot - 1] = ist_top[slot];
    d->tss.iomap_base = sizeof(d->tss);
}

void desc_load(struct desc_tables *d, void *percpu)
{
    struct desc_ptr gdtr = {.limit = sizeof(d->gdt) - 1, .base = (uint64_t)(uintptr_t)d->gdt};
    struct desc_ptr idtr = {.limit = sizeof(idt) - 1, .base = desc_idt_base()};
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %2, %%ds\n\t"
                     "movl %2, %%es\n\t"
                     "movl %2, %%ss\n\t"
                     "movl %3, %%fs\n\t"
                     "movl %3, %%gs\n\t"
                     "lidt %4\n\t"
                     "ltr %w5"
                     :
                     : "m"(gdtr), "i"(DESC_CS), "r"(DESC_DS), "r"(0), "m"(idtr), "r"(DESC_TSS)
                     : "rax", "memory");
    wrmsr(MSR_IA32_GS_BASE, (uint64_t)(uintptr_t)percpu);
}

uint64_t desc_idt_base(void)
{
    return (uint64_t)(uintptr_t)idt;
}
