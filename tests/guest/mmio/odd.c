/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an empty bus does to code (FF FF is undefined: #UD) and to page tables (entries of all ones are
 * present with reserved bits: #PF), instructions that the hypervisor does not decode (the manager does not
 * know them either: #UD), and instruction pointers at the ends of the address space.
 */
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/mmio/mmio.h"

extern uint64_t page_pml4[], page_pd[];
static uint64_t tables[3][512] __attribute__((aligned(4096)));

static void code(void)
{
    trap_run((const void *)HOLE, SEL_CODE64);
    report(trap.vector == V_UD && trap.rip == HOLE, "code in a hole: vector %lu, RIP %#lx", trap.vector,
           trap.rip);
    trap_run((const void *)HOLE, SEL_CODE32);
    report(trap.vector == V_UD && trap.rip == HOLE, "32-bit code in a hole: vector %lu", trap.vector);
    char *page = map_page(0, (uint64_t)(uintptr_t)mmio_page, 3);
    (void)map_page(1, HOLE, 3);
    static const uint8_t start[] = {0x48, 0xb8, 1, 2}; /* MOV RAX, imm64: six bytes are in the hole */
    for (unsigned i = 0; i < 4; i++)
        page[4092 + i] = (char)start[i];
    trap_run(page + 4092, SEL_CODE64);
    report(trap.vector == V_UD && trap.rip == (uint64_t)(uintptr_t)page + 4092,
           "an instruction that ends in a hole: vector %lu, RIP %#lx", trap.vector, trap.rip);
    trap_user((const void *)HOLE, SEL_USER_CODE64, 0);
    report(trap.vector == V_UD, "code in a hole at CPL 3: vector %lu", trap.vector);
}

static void page_tables(void)
{
    for (unsigned level = 0; level < 3; level++) {
        char *at = (char *)(2UL << 39) + 0x1234;
        tables[0][0] = level == 1 ? HOLE | 7 : (uint64_t)(uintptr_t)tables[1] | 7;
        tables[1][0] = HOLE | 7;
        page_pml4[2] = level == 0 ? HOLE | 7 : (uint64_t)(uintptr_t)tables[0] | 7;
        write_cr3(read_cr3());
        TRY("movb (%0), %%al", ::"r"(at) : "rax");
        report(trap.vector == V_PF && (trap.error & ~2UL) == 9 && trap.cr2 == (uint64_t)(uintptr_t)at,
               "page table in a hole, level %u: vector %lu, error %#lx, CR2 %#lx", level, trap.vector,
               trap.error, trap.cr2);
        trap_user(at, SEL_USER_CODE64, 0);
        report(trap.vector == V_PF && (trap.error & 0xd) == 0xd,
               "page table in a hole at CPL 3, level %u: vector %lu, error %#lx", level, trap.vector,
               trap.error);
    }
    page_pml4[2] = 0;
    write_cr3(read_cr3());
}

static void undecoded(void)
{
    TRY("cmpxchg8b (%0)", ::"r"(HOLE) : "rax", "rdx", "memory");
    report(trap.vector == V_UD || trap.vector == TRAP_NONE, "CMPXCHG8B in a hole: vector %lu", trap.vector);
    TRY("fxsave (%0)", ::"r"(HOLE) : "memory");
    report(trap.vector == V_UD, "FXSAVE in a hole: vector %lu", trap.vector);
    TRY("movups (%0), %%xmm0", ::"r"(HOLE) : "memory");
    report(trap.vector == V_UD || trap.vector == TRAP_NONE, "MOVUPS from a hole: vector %lu", trap.vector);
    TRY("lidt (%0)", ::"r"(HOLE) : "memory");
    report(trap.vector == V_UD, "LIDT from a hole: vector %lu", trap.vector);
    TRY("jmp *(%0)", ::"r"(HOLE) : "memory");
    report(trap.vector == V_UD, "JMP through a hole: vector %lu", trap.vector);
}

/*
 * RIP at the end of the lower half, and 32-bit code at the end of 4 GiB. Both by an instruction that the
 * hypervisor completes.
 */
static void ends(void)
{
    static const uint8_t cpuid_code[] = {0x0f, 0xa2};
    (void)map_page(2, 0, 0);
    page_pml4[255] = (uint64_t)(uintptr_t)tables[0] | 7;
    tables[0][511] = (uint64_t)(uintptr_t)tables[1] | 7;
    tables[1][511] = (uint64_t)(uintptr_t)tables[2] | 7;
    tables[2][511] = (uint64_t)(uintptr_t)mmio_page | 7;
    write_cr3(read_cr3());
    for (unsigned i = 0; i < 2; i++)
        mmio_page[4094 + i] = cpuid_code[i];
    trap_run((const void *)0x7ffffffffffe, SEL_CODE64);
    report(trap.vector == V_GP && trap.error == 0 && trap.rip == 0x800000000000,
           "CPUID at the end of the lower half: vector %lu, RIP %#lx", trap.vector, trap.rip);
    page_pml4[255] = 0;
    uint64_t kept = page_pd[2047];
    page_pd[2047] = (uint64_t)(uintptr_t)tables[2] | 7;
    write_cr3(read_cr3());
    volatile uint8_t *zero;
    __asm__ volatile("xor %0, %0" : "=r"(zero)); /* address 0 is memory here */
    zero[0] = 0xcd;
    zero[1] = TRAP_END;
    trap_run((const void *)0xfffffffe, SEL_CODE32);
    report(trap.vector == TRAP_END && trap.rip == 2, "CPUID at the end of 4 GiB: vector %lu, RIP %#lx",
           trap.vector, trap.rip);
    page_pd[2047] = kept;
    write_cr3(read_cr3());
    TRY("jmp *%0", ::"r"(0x800000000000));
    report(trap.vector == V_GP, "JMP to no canonical address: vector %lu", trap.vector);
}

void mmio_odd(void)
{
    code();
    page_tables();
    undecoded();
    ends();
}
