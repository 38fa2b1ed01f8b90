/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modes: a round trip through every mode of the processor (trip.S), several times, and the combinations of
 * CR0, CR4, CR3, CR8 and EFER bits that are illegal: #GP(0) with nothing changed. SDM volume 3, "Control
 * Registers", volume 2, MOV to control registers, LMSW, CLTS.
 */
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "modes";

enum { REAL = 0x8000, REAL_RESULT = 0x6000, TRIPS = 20, STAGES = 8, FAULTS = 8 };
#define SIGNATURE 0x6e676953U /* "Sign", EBX of CPUID 0x40000000 */

extern const uint8_t modes_real[], modes_real_end[], modes_real_gp[], modes_real_ud[], modes_real_int[],
    modes_real_counts[], modes_gp32[];
extern uint64_t modes_idt32_gp;
extern uint32_t modes_result[16][4], modes_fault, modes_broken, modes_smsw, modes_lmsw, modes_efer_paging_off,
    modes_efer_back;
uint32_t modes_pd32[1024] __attribute__((aligned(4096)));
uint64_t modes_pdpt[4] __attribute__((aligned(32)));
static uint64_t pae_pd[2][512] __attribute__((aligned(4096)));
void modes_trip(void);

static volatile uint8_t *low(uint64_t address)
{
    volatile uint8_t *at;
    __asm__ volatile("mov %1, %0" : "=r"(at) : "r"(address));
    return at;
}

static void prepare(void)
{
    uint64_t gp = (uint64_t)(uintptr_t)modes_gp32;
    modes_idt32_gp = (gp & 0xffff) | 0x18UL << 16 | 0x8eUL << 40 | (gp >> 16) << 48;
    gdt_free[0] = 0x00009b000000ffff | (uint64_t)REAL << 16;
    gdt_free[1] = 0x000093000000ffff;
    modes_pd32[0] = 0x83;
    modes_pd32[HOLE >> 22] = (uint32_t)HOLE | 0x83;
    modes_pdpt[0] = (uint64_t)(uintptr_t)pae_pd[0] | 1;
    modes_pdpt[1] = (uint64_t)(uintptr_t)pae_pd[1] | 1;
    pae_pd[0][0] = 0x83;
    pae_pd[0][1] = 0x200083;
    pae_pd[1][0] = HOLE | 0x83;
    for (unsigned i = 0; modes_real + i < modes_real_end; i++)
        low(REAL)[i] = modes_real[i];
    static const struct {
        unsigned vector;
        const uint8_t *at;
    } vectors[] = {{V_GP, modes_real_gp}, {V_UD, modes_real_ud}, {0x42, modes_real_int}};
    for (unsigned i = 0; i < 3; i++) {
        volatile uint16_t *entry = (volatile uint16_t *)low(4 * vectors[i].vector);
        entry[0] = (uint16_t)(uintptr_t)vectors[i].at;
        entry[1] = REAL >> 4;
    }
}

static void check_stage(unsigned stage, const volatile uint32_t *r, uint32_t cr0)
{
    report(r[0] == SIGNATURE, "stage %u: CPUID gives EBX %#x", stage, r[0]);
    report(r[1] == 0xff, "stage %u: IN gives %#x", stage, r[1]);
    report(r[2] == 0xffffffff, "stage %u: a hole reads %#x", stage, r[2]);
    report((r[3] & 0x80000001) == cr0, "stage %u: CR0 is %#x", stage, r[3]);
}

static void trip(void)
{
    static const uint32_t cr0[STAGES] = {0, 0x80000001, 1, 0x80000001, 0x80000001, 1, 0, 1};
    modes_fault = modes_broken = 0;
    for (unsigned i = 0; i < 16; i++)
        for (unsigned j = 0; j < 4; j++)
            modes_result[i][j] = 0;
    modes_trip();
    for (unsigned stage = 1; stage < STAGES; stage++) {
        bool is_low = stage == 5 || stage == 6;
        check_stage(stage, is_low ? (volatile uint32_t *)low(REAL_RESULT + 16 * stage) : modes_result[stage],
                    cr0[stage]);
    }
    report(!modes_broken, "a step was not refused with everything unchanged");
    report(modes_fault == FAULTS, "%u of %u illegal steps are #GP", modes_fault, FAULTS);
    report(!(modes_efer_paging_off & 0x400) && (modes_efer_paging_off & 0x100), "EFER is %#x with paging off",
           modes_efer_paging_off);
    report((modes_efer_back & 0x500) == 0x500, "EFER is %#x at the end", modes_efer_back);
    report((modes_lmsw & 0xf) == 0xf && ((modes_smsw ^ modes_lmsw) & ~0xeU) == 0,
           "CR0 is %#x after LMSW, SMSW gave %#x", modes_lmsw, modes_smsw);
}

static void cr0_try(uint64_t value, bool good, uint64_t reads)
{
    uint64_t before = read_cr0();
    TRY("mov %0, %%cr0", ::"r"(value) : "memory");
    uint64_t after = read_cr0();
    report(trap.vector == (good ? TRAP_NONE : V_GP) && trap.error == 0, "MOV CR0 with %#lx: vector %lu",
           value, trap.vector);
    report(after == (good ? reads : before), "CR0 reads %#lx after a MOV of %#lx, it was %#lx", after, value,
           before);
    if (good)
        write_cr0(before);
}

static void cr0_bits(void)
{
    uint64_t now = read_cr0();
    report(now & CR0_ET, "CR0.ET is 0");
    cr0_try(now & ~CR0_PG, false, 0); /* in 64-bit mode */
    cr0_try(now & ~CR0_PE, false, 0);
    cr0_try(now & ~(CR0_PE | CR0_PG), false, 0);
    cr0_try(now | CR0_NW, false, 0);
    cr0_try(now | CR0_CD, true, now | CR0_CD);
    cr0_try(now | CR0_CD | CR0_NW, true, now | CR0_CD | CR0_NW);
    cr0_try(now & ~CR0_ET, true, now);
    static const uint64_t free_bits[] = {CR0_MP, CR0_EM, CR0_TS, CR0_NE, CR0_WP, CR0_AM};
    for (unsigned i = 0; i < 6; i++)
        cr0_try(now ^ free_bits[i], true, now ^ free_bits[i]);
    for (unsigned bit = 32; bit < 64; bit++)
        cr0_try(now | 1UL << bit, false, 0);
    cr0_try(now | 0x1ffaffc0, true, now); /* reserved ones below are ignored */
    TRY("lmsw %w0", ::"r"(0) : "memory");
    report(trap.vector == TRAP_NONE && (read_cr0() & 0xf) == CR0_PE, "LMSW of 0: CR0 %#lx", read_cr0());
    write_cr0(now | CR0_TS);
    TRY("clts", ::: "memory");
    report(trap.vector == TRAP_NONE && read_cr0() == (now & ~CR0_TS), "CLTS: CR0 %#lx", read_cr0());
    uint64_t smsw = 0;
    __asm__ volatile("smsw %0" : "=r"(smsw));
    report((uint32_t)smsw == (uint32_t)read_cr0(), "SMSW gives %#lx", smsw);
    write_cr0(now);
}

/* Bits of CR4 that exist, by CPUID; all others are #GP. */
static uint64_t cr4_bits(void)
{
    uint64_t bits = 0x7ff;
    uint32_t ecx1 = cpuid(1, 0).ecx, ebx7 = cpuid(7, 0).ebx, ecx7 = cpuid(7, 0).ecx;
    bits |= ecx1 & 1U << 17 ? CR4_PCIDE : 0;
    bits |= ecx1 & 1U << 26 ? CR4_OSXSAVE : 0;
    bits |= ebx7 & 1 ? 1UL << 16 : 0;
    bits |= ebx7 & 1U << 7 ? 1UL << 20 : 0;
    bits |= ebx7 & 1U << 20 ? 1UL << 21 : 0;
    bits |= ecx7 & 1U << 2 ? 1UL << 11 : 0;
    bits |= ecx7 & 1U << 3 ? 1UL << 22 : 0;
    return bits;
}

static uint64_t cr4_try(uint64_t value)
{
    TRY("mov %0, %%cr4", ::"r"(value) : "memory");
    return trap.vector;
}

static void check_cr4(void)
{
    uint64_t now = read_cr4(), legal = cr4_bits();
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t value = now ^ 1UL << bit;
        bool good = (legal >> bit & 1) && value & CR4_PAE;
        if (bit == 20 || bit == 21)
            continue; /* SMEP and SMAP: these pages are the user's */
        uint64_t vector = cr4_try(value), after = read_cr4();
        report(vector == (good ? TRAP_NONE : V_GP) && trap.error == 0,
               "MOV CR4 with bit %u changed: vector %lu", bit, vector);
        report(after == (good ? value : now), "CR4 is %#lx after bit %u of %#lx was changed", after, bit,
               now);
        if (good)
            report(cr4_try(now) == TRAP_NONE, "MOV CR4 with bit %u back: vector %lu", bit, trap.vector);
    }
    if (!(legal & CR4_PCIDE)) {
        report_skip("no PCID");
        return;
    }
    write_cr3(read_cr3() | 0x10); /* PCD: part of a PCID */
    report(cr4_try(now | CR4_PCIDE) == V_GP && read_cr4() == now, "PCIDE with CR3[11:0] set: vector %lu",
           trap.vector);
    write_cr3(read_cr3() & ~0xfffUL);
    report(cr4_try(now | CR4_PCIDE) == TRAP_NONE, "PCIDE: vector %lu", trap.vector);
    uint64_t cr3 = read_cr3();
    TRY("mov %0, %%cr3", ::"r"(cr3 | 5 | 1UL << 63) : "memory");
    report(trap.vector == TRAP_NONE && read_cr3() == (cr3 | 5), "MOV CR3 with a PCID: vector %lu, CR3 %#lx",
           trap.vector, read_cr3());
    write_cr3(cr3);
    write_cr4(now);
}

static void check_cr3_cr8(void)
{
    uint64_t cr3 = read_cr3();
    for (unsigned bit = 52; bit < 64; bit++) {
        TRY("mov %0, %%cr3", ::"r"(cr3 | 1UL << bit) : "memory");
        report(trap.vector == V_GP && read_cr3() == cr3, "MOV CR3 with bit %u: vector %lu", bit, trap.vector);
    }
    for (uint64_t v = 0; v < 16; v++) {
        write_cr8(v);
        report(read_cr8() == v, "CR8 reads %lu instead of %lu", read_cr8(), v);
    }
    for (unsigned bit = 4; bit < 64; bit++) {
        TRY("mov %0, %%cr8", ::"r"(1UL << bit) : "memory");
        report(trap.vector == V_GP && trap.error == 0 && read_cr8() == 15, "MOV CR8 with bit %u: vector %lu",
               bit, trap.vector);
    }
    write_cr8(0);
}

void guest_main(const char *cmdline)
{
    (void)cmdline;
    cr0_bits();
    check_cr4();
    check_cr3_cr8();
    prepare();
    for (unsigned i = 0; i < TRIPS; i++)
        trip();
    const volatile uint16_t *counts =
        (const volatile uint16_t *)low(REAL + (uint64_t)(modes_real_counts - modes_real));
    for (unsigned i = 0; i < 3; i++)
        report(counts[i] == TRIPS, "handler %u of real mode was called %u times", i, counts[i]);
    report(counts[3] == 0, "real mode's stack is off by %u after three interrupts", counts[3]);
}
