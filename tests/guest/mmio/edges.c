/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses across a page boundary between memory, a hole, nothing and read-only memory, at every offset. SDM
 * volume 3, "Memory Ordering" does not promise atomicity.
 */
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/mmio/mmio.h"

enum { PAGE = 4096, P = 1, PW = 3 };

static char *edge; /* the boundary between window pages 0 and 1 */

static void map(uint64_t first, uint64_t first_bits, uint64_t second, uint64_t second_bits)
{
    edge = (char *)map_page(0, first, first_bits) + PAGE;
    (void)map_page(1, second, second_bits);
}

static void set(unsigned char byte)
{
    for (unsigned i = 0; i < 2 * PAGE; i++)
        mmio_page[i] = byte;
}

/* Memory below, a hole above; then the other way round. */
static void halves(bool hole_first)
{
    uint64_t ram = (uint64_t)(uintptr_t)mmio_page;
    map(hole_first ? HOLE : ram, PW, hole_first ? ram : HOLE, PW);
    for (unsigned head = 1; head < 8; head++) { /* bytes below the boundary */
        volatile uint64_t *at = (volatile uint64_t *)(edge - head);
        uint64_t low = (1UL << 8 * head) - 1, ones = hole_first ? low : ~low;
        set(0x5a);
        uint64_t value = *at;
        report(value == (ones | (0x5a5a5a5a5a5a5a5a & ~ones)),
               "%u bytes below the boundary, hole %s: reads %#lx", head, hole_first ? "first" : "behind",
               value);
        *at = 0x1122334455667788;
        value = *at;
        report(value == (ones | (0x1122334455667788 & ~ones)),
               "%u bytes below the boundary, hole %s: reads %#lx after a write", head,
               hole_first ? "first" : "behind", value);
        __asm__ volatile("addq %1, %0" : "+m"(*at) : "r"(0x0101010101010101));
        uint64_t expected = (value + 0x0101010101010101) | ones;
        value = *at;
        report(value == expected,
               "%u bytes below the boundary, hole %s: reads %#lx after ADD instead of %#lx", head,
               hole_first ? "first" : "behind", value, expected);
    }
}

static void half_faults(void)
{
    uint64_t ram = (uint64_t)(uintptr_t)mmio_page;
    map(HOLE, PW, 0, 0);
    TRY("movq %0, (%1)", ::"r"(0UL), "r"(edge - 3) : "memory");
    report(trap.vector == V_PF && trap.error == 2 && trap.cr2 == (uint64_t)(uintptr_t)edge,
           "write across hole and nothing: vector %lu, error %#lx, CR2 %#lx", trap.vector, trap.error,
           trap.cr2);
    map(0, 0, HOLE, PW);
    TRY("movq (%0), %%rax", ::"r"(edge - 3) : "rax");
    report(trap.vector == V_PF && trap.error == 0 && trap.cr2 == (uint64_t)(uintptr_t)edge - 3,
           "read across nothing and hole: vector %lu, error %#lx, CR2 %#lx", trap.vector, trap.error,
           trap.cr2);
    set(0x5a);
    write_cr0(read_cr0() | CR0_WP);
    map(HOLE, PW, ram, P);
    TRY("movq %0, (%1)", ::"r"(0UL), "r"(edge - 3) : "memory");
    report(trap.vector == V_PF && trap.error == 3 && trap.cr2 == (uint64_t)(uintptr_t)edge,
           "write across hole and read-only memory: vector %lu, error %#lx, CR2 %#lx", trap.vector,
           trap.error, trap.cr2);
    map(ram, PW, HOLE, P);
    TRY("movq %0, (%1)", ::"r"(0UL), "r"(edge - 3) : "memory");
    report(trap.vector == V_PF && trap.error == 3 && mmio_page[PAGE - 1] == 0x5a,
           "write across memory and a read-only hole: vector %lu, error %#lx, memory %#x", trap.vector,
           trap.error, mmio_page[PAGE - 1]);
    write_cr0(read_cr0() & ~CR0_WP);
}

/* REP MOVS that begins in memory and goes on in a hole, and ends where nothing is. */
static void strings(void)
{
    static uint8_t to[64];
    uint64_t ram = (uint64_t)(uintptr_t)mmio_page, rcx = 16;
    set(0x5a);
    map(ram, PW, HOLE, PW);
    char *rsi = edge - 6;
    uint8_t *rdi = to;
    TRY("rep movsb", : "+S"(rsi), "+D"(rdi), "+c"(rcx)::"memory");
    report(trap.vector == TRAP_NONE && !rcx && to[5] == 0x5a && to[6] == 0xff && to[15] == 0xff &&
               to[16] == 0,
           "REP MOVSB from memory into a hole: %x %x %x, RCX %lu", to[5], to[6], to[15], rcx);
    map(HOLE, PW, 0, 0);
    rsi = edge - 12, rdi = to, rcx = 5;
    TRY("rep movsl", : "+S"(rsi), "+D"(rdi), "+c"(rcx)::"memory");
    report(trap.vector == V_PF && trap.cr2 == (uint64_t)(uintptr_t)edge && trap.regs.rcx == 2 &&
               trap.regs.rdi == (uint64_t)(uintptr_t)to + 12,
           "REP MOVSD out of a hole into nothing: vector %lu, CR2 %#lx, RCX %lu", trap.vector, trap.cr2,
           trap.regs.rcx);
    rsi = edge - 64, rcx = 3;
    TRY("rep movsb", : "+S"(rsi), "+c"(rcx) : "D"(0x1234000000000000) : "memory");
    report(trap.vector == V_GP && trap.error == 0 && trap.regs.rcx == 3,
           "REP MOVSB from a hole to no canonical address: vector %lu", trap.vector);
}

void mmio_edges(void)
{
    halves(false);
    halves(true);
    half_faults();
    strings();
}
