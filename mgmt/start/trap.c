/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trap: see trap.h. Exceptions run on a stack of their own (IST 1), so that an overflow of the main
 * stack, which hits its guard page, is reported as well. SDM volume 3, "64-Bit Mode Task Management"
 * and "IDT Descriptors".
 */
#include "mgmt/start/trap.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "guest_abi/hv_call.h"
#include "mgmt/start/start.h"

#define SELECTOR_CODE 8U
#define SELECTOR_DATA 16U
#define SELECTOR_TSS  24U

#define GATE_INTERRUPT 0x8eU /* present, DPL 0, 64-bit interrupt gate */
#define TSS_AVAILABLE  0x89ULL

enum { VECTOR_COUNT = 32, STUB_SIZE = 16, PTE_ADDRESS_SHIFT = 12 };

struct __attribute__((packed)) tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
};

_Static_assert(sizeof(struct tss) == 104, "64-bit TSS");

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

_Static_assert(sizeof(struct gate) == 16, "64-bit gate");

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

extern const char trap_stubs[]; /* entry.S */

static struct tss tss;
static uint64_t gdt[5];
static struct gate idt[VECTOR_COUNT];
static char trap_stack[8192] __attribute__((aligned(16)));
static char text[1024] __attribute__((aligned(1024))); /* within one page */

static const char *const vector_name[VECTOR_COUNT] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid opcode",
    "no FPU",
    "double fault",
    "coprocessor overrun",
    "invalid TSS",
    "segment not present",
    "stack fault",
    "general protection",
    "page fault",
    "15",
    "x87 error",
    "alignment check",
    "machine check",
    "SIMD error",
    "virtualization exception",
    "control protection",
};

static void fill_gdt(void)
{
    uint64_t base = (uint64_t)(uintptr_t)&tss;
    gdt[1] = 0x00af9b000000ffffULL;
    gdt[2] = 0x00cf93000000ffffULL;
    gdt[3] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | TSS_AVAILABLE << 40 | (base >> 24 & 0xff) << 56;
    gdt[4] = base >> 32;
}

static void fill_idt(void)
{
    for (uint32_t i = 0; i < VECTOR_COUNT; i++) {
        uint64_t entry = (uint64_t)(uintptr_t)trap_stubs + i * STUB_SIZE;
        idt[i] = (struct gate){(uint16_t)entry,         SELECTOR_CODE,           1, GATE_INTERRUPT,
                               (uint16_t)(entry >> 16), (uint32_t)(entry >> 32), 0};
    }
}

void trap_init(void)
{
    fill_gdt();
    fill_idt();
    tss.ist[0] = (uint64_t)(uintptr_t)(trap_stack + sizeof(trap_stack));
    tss.io_map = sizeof(tss);
    struct table_pointer gdt_pointer = {sizeof(gdt) - 1, (uint64_t)(uintptr_t)gdt};
    struct table_pointer idt_pointer = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};
    __asm__ volatile("lgdt %0\n\tlidt %1\n\tltr %w2\n\t"
                     "mov %3, %%ds\n\tmov %3, %%es\n\tmov %3, %%ss\n\t"
                     "pushq %4\n\tlea 1f(%%rip), %%rax\n\tpush %%rax\n\tlretq\n1:" ::"m"(gdt_pointer),
                     "m"(idt_pointer), "r"(SELECTOR_TSS), "r"(SELECTOR_DATA), "i"(SELECTOR_CODE)
                     : "rax", "memory");
}

void trap_unmap(uint64_t va, uint32_t pages)
{
    uint64_t cr3;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    for (uint32_t i = 0; i < pages; i++, va += 4096) {
        uint64_t table = cr3;
        uint64_t *entry = NULL;
        for (uint32_t shift = 39; shift >= PTE_ADDRESS_SHIFT; shift -= 9) {
            entry = (uint64_t *)start_view(table & 0x000ffffffffff000ULL, 4096) + (va >> shift & 511);
            table = *entry;
        }
        *entry = 0;
        __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
    }
}

/* The hypervisor may take fewer bytes than it is given. */
static void print(const char *what)
{
    size_t length = strlen(what);
    memmove(text, what, length + 1);
    for (size_t done = 0; done < length;) {
        int64_t taken = hv_console_write(start_gpa(text + done), length - done);
        if (taken <= 0)
            return;
        done += (size_t)taken;
    }
}

/* Frame by frame while the stack looks like one; addresses are for manager.elf's symbol table. */
static void print_trace(uint64_t rbp)
{
    char line[48];
    for (uint32_t depth = 0; depth < 16 && rbp != 0 && rbp % 8 == 0; depth++) {
        const uint64_t *frame = (const uint64_t *)(uintptr_t)rbp;
        if (start_gpa(frame) - handoff.region >= handoff.region_size)
            return;
        snprintf(line, sizeof(line), "  called from %#llx\n", (unsigned long long)frame[1]);
        print(line);
        rbp = frame[0];
    }
}

__attribute__((noreturn)) static void trap_die(void)
{
    const struct table_pointer none = {0, 0};
    __asm__ volatile("lidt %0\n\tud2" ::"m"(none));
    __builtin_unreachable();
}

__attribute__((noreturn)) void trap_report(const struct trap_frame *f)
{
    static bool reporting; /* the second exception came from this report */
    uint64_t cr2;
    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    if (reporting)
        trap_die();
    reporting = true;
    snprintf(text, sizeof(text),
             "\nmanager: %s (vector %llu, error %#llx) at rip %#llx, cr2 %#llx\n"
             "  rax %016llx rbx %016llx rcx %016llx rdx %016llx\n"
             "  rsi %016llx rdi %016llx rbp %016llx rsp %016llx\n"
             "  r8  %016llx r9  %016llx r10 %016llx r11 %016llx\n"
             "  r12 %016llx r13 %016llx r14 %016llx r15 %016llx\n",
             vector_name[f->vector % VECTOR_COUNT] ? vector_name[f->vector % VECTOR_COUNT] : "?",
             (unsigned long long)f->vector, (unsigned long long)f->error, (unsigned long long)f->rip,
             (unsigned long long)cr2, (unsigned long long)f->rax, (unsigned long long)f->rbx,
             (unsigned long long)f->rcx, (unsigned long long)f->rdx, (unsigned long long)f->rsi,
             (unsigned long long)f->rdi, (unsigned long long)f->rbp, (unsigned long long)f->rsp,
             (unsigned long long)f->r8, (unsigned long long)f->r9, (unsigned long long)f->r10,
             (unsigned long long)f->r11, (unsigned long long)f->r12, (unsigned long long)f->r13,
             (unsigned long long)f->r14, (unsigned long long)f->r15);
    print(text);
    print_trace(f->rbp);
    trap_die();
}
