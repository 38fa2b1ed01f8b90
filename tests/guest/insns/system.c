/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that work, with operands that do not: XSETBV, INVPCID, RDTSCP. SDM volume 2, under each. */
#include "tests/guest/insns/insns.h"

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

#define LEAF1_ECX_XSAVE   (1U << 26)
#define LEAF7_EBX_INVPCID (1U << 10)
#define EXT1_EDX_RDTSCP   (1U << 27)

static uint64_t xgetbv(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static uint64_t xsetbv(uint32_t which, uint64_t value)
{
    TRY("xsetbv", ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(which) : "memory");
    return trap.vector;
}

/* Which values of XCR0 are legal: SDM volume 1, "XSAVE-Supported Features and State-Component Bitmaps". */
static bool legal(uint64_t v, uint64_t supported)
{
    uint64_t avx512 = v & 0xe0;
    return (v & 1) && !(v & ~supported) && (!(v & 4) || (v & 2)) && (!avx512 || (avx512 == 0xe0 && (v & 4)));
}

static void check_xsetbv(void)
{
    if (!(cpuid(1, 0).ecx & LEAF1_ECX_XSAVE)) {
        report_skip("no XSAVE");
        return;
    }
    write_cr4(read_cr4() | CR4_OSXSAVE);
    struct cpuid d = cpuid(0xd, 0);
    uint64_t supported = (uint64_t)d.edx << 32 | d.eax, before = xgetbv();
    report(before == 1, "XCR0 is %#lx at start", before);
    for (uint64_t v = 0; v < 0x400; v++) {
        bool good = legal(v, supported);
        uint64_t vector = xsetbv(0, v);
        report(vector == (good ? TRAP_NONE : V_GP), "XSETBV %#lx: vector %lu", v, vector);
        report(xgetbv() == (good ? v : before), "XCR0 is %#lx after XSETBV %#lx", xgetbv(), v);
        before = xgetbv();
    }
    for (unsigned bit = 10; bit < 64; bit++)
        report(xsetbv(0, 1 | 1UL << bit) == V_GP, "XSETBV with bit %u", bit);
    for (unsigned bit = 0; bit < 32; bit++)
        report(xsetbv(1U << bit, 1) == V_GP, "XSETBV of register %#x", 1U << bit);
    report(xsetbv(0, 3) == TRAP_NONE && xgetbv() == 3, "XCR0 back to 3");
}

static uint64_t invpcid(uint64_t type, uint64_t low, uint64_t high)
{
    uint64_t descriptor[2] = {low, high};
    TRY("invpcid %0, %1", ::"m"(descriptor), "r"(type) : "memory");
    return trap.vector;
}

static void check_invpcid(void)
{
    if (!(cpuid(7, 0).ebx & LEAF7_EBX_INVPCID)) {
        report(invpcid(2, 0, 0) == V_UD, "INVPCID without its CPUID bit: vector %lu", trap.vector);
        return;
    }
    for (uint64_t type = 0; type < 4; type++)
        report(invpcid(type, 0, 0x1000) == TRAP_NONE, "INVPCID type %lu: vector %lu", type, trap.vector);
    report(invpcid(4, 0, 0) == V_GP, "INVPCID type 4: vector %lu", trap.vector);
    report(invpcid(~0UL, 0, 0) == V_GP, "INVPCID type -1: vector %lu", trap.vector);
    report(invpcid(2, 0x1000, 0) == V_GP, "INVPCID, reserved bits: vector %lu", trap.vector);
    report(invpcid(0, 1, 0) == V_GP, "INVPCID, PCID without CR4.PCIDE: vector %lu", trap.vector);
    report(invpcid(0, 0, 0x800000000000) == V_GP, "INVPCID, address not canonical: vector %lu", trap.vector);
}

void insns_system(void)
{
    check_xsetbv();
    check_invpcid();
    bool rdtscp = cpuid(0x80000001, 0).edx & EXT1_EDX_RDTSCP;
    TRY("rdtscp", ::: "rax", "rcx", "rdx");
    report(trap.vector == (rdtscp ? TRAP_NONE : V_UD), "RDTSCP: vector %lu", trap.vector);
}
