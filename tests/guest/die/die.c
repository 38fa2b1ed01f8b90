/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * die: ends of a domain that nobody can prevent, one for each word of the command line. The domain stops, or
 * loops until the manager destroys it (timeout=); its canary goes on. tests.cfg says what is expected of
 * each.
 */
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "die";

struct table {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

extern uint64_t page_pml4[];
void die_task(void);
void die_ac_loop(void);
static uint8_t watched_stack[64] __attribute__((aligned(64)));

static void load_idt(uint64_t base, uint16_t limit)
{
    struct table t = {limit, base};
    __asm__ volatile("lidt %0" ::"m"(t));
}

static void die_triple(void)
{
    load_idt(0, 0);
    __asm__ volatile("ud2");
}

/* The fault that the hypervisor injects finds no way either. */
static void die_triple_injected(void)
{
    load_idt(0, 0);
    __asm__ volatile("rdmsr" ::"c"(0x1234) : "rax", "rdx");
}

static void die_idt_hole(void)
{
    load_idt(HOLE, 0xfff);
    __asm__ volatile("ud2");
}

static void die_gdt_hole(void)
{
    struct table t = {0xff, HOLE};
    __asm__ volatile("lgdt %0; mov %w1, %%ds" ::"m"(t), "r"(SEL_DATA));
}

static void die_stack_hole(void)
{
    __asm__ volatile("mov %0, %%rsp; push %%rax" ::"r"(HOLE + 4096) : "memory");
}

static void die_cr3_hole(void)
{
    write_cr3(HOLE);
}

static void die_tables_hole(void)
{
    for (unsigned i = 0; i < 512; i++)
        page_pml4[i] = HOLE | 7;
    write_cr3(read_cr3());
}

/* #DB whose frame lies under a data breakpoint: each delivery raises the next one (XSA-156). */
static void die_db_loop(void)
{
    uint64_t top = (uint64_t)(uintptr_t)(watched_stack + sizeof(watched_stack));
    tss.ist[2] = top;
    idt[V_DB].ist = 3;
    write_dr0(top - 8);
    write_dr7(0x402 | 0xdUL << 16);
    __asm__ volatile("movb $0, (%0)" ::"r"(top - 8) : "memory");
    for (;;)
        __asm__ volatile("movb $0, (%0)" ::"r"(top - 8) : "memory");
}

static void die_fault_loop(void)
{
    for (;;)
        TRY("rdmsr", ::"c"(0x1234) : "rax", "rdx");
}

static void die_vmcall_loop(void)
{
    for (;;)
        TRY("vmcall", ::"a"(0));
}

static void die_hlt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void die_spin(void)
{
    for (;;)
        __asm__ volatile("cli");
}

void guest_main(const char *cmdline)
{
    static const struct {
        const char *word;
        void (*run)(void);
    } ways[] = {{"triple", die_triple},
                {"triple-injected", die_triple_injected},
                {"idt-hole", die_idt_hole},
                {"gdt-hole", die_gdt_hole},
                {"stack-hole", die_stack_hole},
                {"cr3-hole", die_cr3_hole},
                {"tables-hole", die_tables_hole},
                {"task", die_task},
                {"ac-loop", die_ac_loop},
                {"db-loop", die_db_loop},
                {"fault-loop", die_fault_loop},
                {"vmcall-loop", die_vmcall_loop},
                {"hlt", die_hlt},
                {"spin", die_spin}};
    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (guest_has_word(cmdline, ways[i].word)) {
            print("die: by %s\n", ways[i].word);
            ways[i].run();
            report(false, "still here after %s", ways[i].word);
            return;
        }
    report(false, "no way to die in \"%s\"", cmdline);
}
