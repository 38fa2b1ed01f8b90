/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state: everything that belongs to a vCPU survives a switch to another vCPU on the same CPU. Two domains
 * with different seeds (word `odd`) and a canary share CPU 0. Each round loads all XSAVE components, debug
 * registers and MSRs with patterns, spins until the CPU was taken away several times (seen in the TSC), and
 * compares. SDM volume 1, "XSAVE Area"; volume 3, "MSR-Bitmap" and "Guest-State Area" for what the processor
 * does not switch.
 */
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "state";

enum {
    ROUNDS = 12,
    GAPS = 3,
    GAP_TICKS = 20000,
    AREA = 4096,
    LEGACY = 512,
    HEADER = 64,
    MSRS = 13,
    COMPONENTS = 10
};
#define PATIENCE 200000000UL /* ticks */

static uint8_t area[2][AREA] __attribute__((aligned(64)));
static uint64_t seed = 0x9e3779b97f4a7c15;
static uint64_t gaps_seen;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void xsetbv(uint64_t value)
{
    __asm__ volatile("xsetbv" ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(0));
}

static uint64_t xgetbv(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* Offset and size of a component in the standard format. */
static struct cpuid component(unsigned i)
{
    return cpuid(0xd, i);
}

static void fill(uint64_t xcr0)
{
    for (unsigned i = 0; i < AREA; i++)
        area[0][i] = area[1][i] = 0;
    for (unsigned i = 0; i < 8; i++)
        for (unsigned b = 0; b < 10; b++)
            area[0][32 + 16 * i + b] = (uint8_t)next();
    for (unsigned i = 160; i < 416; i++)
        area[0][i] = (uint8_t)next();
    area[0][0] = 0x7f; /* FCW */
    area[0][1] = 0x03;
    area[0][4] = 0xff; /* all x87 registers in use */
    *(uint32_t *)(void *)&area[0][24] = 0x1f80;
    for (unsigned i = 2; i < COMPONENTS; i++) {
        if (!(xcr0 >> i & 1))
            continue;
        struct cpuid c = component(i);
        for (unsigned b = 0; b < (i == 9 ? 4 : c.eax); b++)
            area[0][c.ebx + b] = (uint8_t)next();
    }
    *(uint64_t *)(void *)&area[0][LEGACY] = xcr0;
}

static unsigned differences(uint64_t xcr0)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 8; i++)
        for (unsigned b = 0; b < 10; b++)
            n += area[0][32 + 16 * i + b] != area[1][32 + 16 * i + b];
    for (unsigned i = 160; xcr0 & 2 && i < 416; i++)
        n += area[0][i] != area[1][i];
    n += area[0][0] != area[1][0] || (xcr0 & 2 && area[0][24] != area[1][24]);
    for (unsigned i = 2; i < COMPONENTS; i++) {
        struct cpuid c = component(i);
        for (unsigned b = 0; xcr0 >> i & 1 && b < c.eax; b++)
            n += area[0][c.ebx + b] != area[1][c.ebx + b];
    }
    return n;
}

/* Until the CPU was somewhere else GAPS times. Integer registers only. */
static bool spin(void)
{
    uint64_t start = rdtsc(), last = start;
    for (unsigned gaps = 0; gaps < GAPS;) {
        uint64_t now = rdtsc();
        if (now - last > GAP_TICKS) {
            gaps++;
            gaps_seen++;
        }
        if (now - start > PATIENCE)
            return false;
        last = now;
    }
    return true;
}

static const struct {
    uint32_t msr;
    uint64_t mask; /* bits that may have any value */
} msrs[MSRS] = {{0xc0000081, ~0UL},
                {0xc0000082, 0x7fffffffffff},
                {0xc0000083, 0x7fffffffffff},
                {0xc0000084, 0xffffffff},
                {0xc0000100, 0x7fffffffffff},
                {0xc0000101, 0x7fffffffffff},
                {0xc0000102, 0x7fffffffffff},
                {0xc0000103, 0xffffffff},
                {0x174, 0xffff},
                {0x175, 0x7fffffffffff},
                {0x176, 0x7fffffffffff},
                {0x277, 0x0101010101010101},
                {0x3b, 0}};

static void round(uint64_t xcr0)
{
    uint64_t value[MSRS], dr[4], cr2 = next(), cr8 = next() & 15;
    for (unsigned i = 0; i < MSRS; i++) {
        value[i] = next() & msrs[i].mask;
        report(msr_write(msrs[i].msr, value[i]), "WRMSR %#x with %#lx", msrs[i].msr, value[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        dr[i] = next() >> 17;
    write_dr0(dr[0]);
    write_dr1(dr[1]);
    write_dr2(dr[2]);
    write_dr3(dr[3]);
    uint64_t dr6 = 0xffff0ff0 | (next() & 0xf), dr7 = 0x400 | (next() & 0xffff0000);
    write_dr6(dr6);
    write_dr7(dr7);
    write_cr2(cr2);
    write_cr8(cr8);
    xsetbv(xcr0);
    fill(xcr0);
    __asm__ volatile("xrstor64 %0" ::"m"(area[0]), "a"(~0U), "d"(~0U) : "memory");
    bool switched = spin();
    __asm__ volatile("xsave64 %0" : "+m"(area[1]) : "a"(~0U), "d"(~0U) : "memory");
    report(switched, "the CPU was never given to anybody else");
    report(xgetbv() == xcr0, "XCR0 is %#lx instead of %#lx", xgetbv(), xcr0);
    report(!differences(xcr0), "%u bytes of XSAVE state differ, XCR0 %#lx", differences(xcr0), xcr0);
    report(read_dr0() == dr[0] && read_dr1() == dr[1] && read_dr2() == dr[2] && read_dr3() == dr[3],
           "DR0 to DR3 differ");
    report(read_dr6() == dr6 && read_dr7() == dr7, "DR6 %#lx instead of %#lx, DR7 %#lx instead of %#lx",
           read_dr6(), dr6, read_dr7(), dr7);
    report(read_cr2() == cr2 && read_cr8() == cr8, "CR2 %#lx instead of %#lx, CR8 %lu instead of %lu",
           read_cr2(), cr2, read_cr8(), cr8);
    for (unsigned i = 0; i < MSRS; i++) {
        uint64_t now = ~value[i];
        bool read = msr_read(msrs[i].msr, &now);
        report(read && now == value[i], "MSR %#x is %#lx instead of %#lx", msrs[i].msr, now, value[i]);
    }
}

/*
 * Components that XCR0 hides for a while keep their values: SDM volume 1, "Enabling the XSAVE Feature Set".
 */
static void hidden(uint64_t all)
{
    xsetbv(all);
    fill(all);
    __asm__ volatile("xrstor64 %0" ::"m"(area[0]), "a"(~0U), "d"(~0U) : "memory");
    xsetbv(1);
    report(spin(), "the CPU was never given to anybody else");
    xsetbv(all);
    __asm__ volatile("xsave64 %0" : "+m"(area[1]) : "a"(~0U), "d"(~0U) : "memory");
    report(!differences(all), "%u bytes of XSAVE state differ that XCR0 had hidden", differences(all));
}

void guest_main(const char *cmdline)
{
    if (guest_has_word(cmdline, "odd"))
        seed = 0xd1342543de82ef95;
    write_cr4(read_cr4() | CR4_OSXSAVE);
    struct cpuid d = cpuid(0xd, 0);
    uint64_t all = (uint64_t)d.edx << 32 | d.eax;
    const uint64_t steps[] = {all, 3, all & 7, 1, all};
    for (unsigned i = 0; i < ROUNDS; i++)
        round(steps[i % 5]);
    write_dr7(0x400);
    hidden(all);
    print("state: %lu times another vCPU had the CPU\n", gaps_seen);
}
