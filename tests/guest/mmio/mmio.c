/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmio: an address without memory reads all ones and swallows writes, whatever instruction accesses it. Each
 * form of forms16/32/64.S runs on ordinary memory that holds all ones and on a hole: registers and flags must
 * come out the same, and the hole must still read all ones.
 */
#include "tests/guest/mmio/mmio.h"

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "mmio";

enum { PAGE = 4096, REGS = 15, RFLAGS_STATUS = 0xcd5 };

struct form {
    const char *name;
    const uint8_t *code;
};
extern const struct form mmio_forms64[], mmio_forms32[], mmio_forms16[];

extern uint64_t mmio_regs[7]; /* RAX RCX RDX RBX RBP RDI RSI */
uint64_t mmio_regs[7];
uint8_t mmio_page[2 * PAGE] __attribute__((aligned(4096)));
static uint8_t other[256] __attribute__((aligned(256)));

void mmio_fill(void)
{
    for (unsigned i = 0; i < sizeof(mmio_page); i++)
        mmio_page[i] = 0xff;
}

static void run(const struct form *f, unsigned bits, uint64_t memory, struct trap_frame *out,
                uint8_t copy[256])
{
    static const uint64_t values[6] = {0x8899aabbccddeeff, 2, 0x0123456789abcdef, 0x7f,
                                       0x5555aaaa5555aaaa, 0};
    for (unsigned i = 0; i < 6; i++)
        mmio_regs[i] = bits == 32 ? (uint32_t)values[i] : values[i];
    mmio_regs[5] = (uint64_t)(uintptr_t)other;
    mmio_regs[6] = memory;
    for (unsigned i = 0; i < 256; i++)
        other[i] = 0xff;
    mmio_fill();
    (void)msr_write(0xc0000100, 0);
    if (bits == 16) {
        uint64_t code = (uint64_t)(uintptr_t)f->code;
        gdt_free[0] = 0x00009b000000ffff | (code & 0xffffff) << 16 | (code >> 24 & 0xff) << 56;
        gdt_free[1] = 0x008f93000000ffff | (memory & 0xffffff) << 16 | (memory >> 24 & 0xff) << 56;
        trap_run(0, SEL_FREE);
    } else {
        trap_run(f->code, bits == 32 ? SEL_CODE32 : SEL_CODE64);
    }
    uint64_t vector = trap.vector;
    *out = trap.regs;
    out->vector = vector;
    for (unsigned i = 0; i < 256; i++)
        copy[i] = other[i];
}

/* A register may differ by the address that it holds: RSI and RDI are compared as offsets. */
static bool same(uint64_t a, uint64_t b, uint64_t memory_a, uint64_t memory_b)
{
    return a == b || a - memory_a == b - memory_b;
}

static void compare(const struct form *f, unsigned bits)
{
    static const char *const names[REGS] = {"RAX", "RCX", "RDX", "RBX", "RBP", "RSI", "RDI", "R8",
                                            "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};
    struct trap_frame ram, hole;
    uint8_t copy_ram[256], copy_hole[256];
    uint64_t page = (uint64_t)(uintptr_t)mmio_page;
    run(f, bits, page, &ram, copy_ram);
    run(f, bits, HOLE, &hole, copy_hole);
    report(hole.vector == TRAP_END && ram.vector == TRAP_END,
           "%s (%u-bit): vector %lu, error %#lx on memory %lu", f->name, bits, hole.vector, hole.error,
           ram.vector);
    for (unsigned i = 0; i < REGS; i++) {
        uint64_t a = ((uint64_t *)&ram)[i], b = ((uint64_t *)&hole)[i];
        report(same(a, b, page, HOLE), "%s (%u-bit): %s is %#lx, with memory %#lx", f->name, bits, names[i],
               b, a);
    }
    report(!((ram.rflags ^ hole.rflags) & RFLAGS_STATUS), "%s (%u-bit): RFLAGS %#lx, with memory %#lx",
           f->name, bits, hole.rflags, ram.rflags);
    unsigned differ = 0;
    for (unsigned i = 0; i < 256; i++)
        differ += copy_ram[i] != copy_hole[i];
    report(!differ, "%s (%u-bit): %u bytes of the other operand differ", f->name, bits, differ);
    report(*(volatile uint64_t *)HOLE == ~0UL, "%s (%u-bit): the hole has kept something", f->name, bits);
}

void guest_main(const char *cmdline)
{
    (void)cmdline;
    for (const struct form *f = mmio_forms64; f->name; f++)
        compare(f, 64);
    for (const struct form *f = mmio_forms32; f->name; f++)
        compare(f, 32);
    for (const struct form *f = mmio_forms16; f->name; f++)
        compare(f, 16);
    mmio_edges();
    mmio_odd();
}
