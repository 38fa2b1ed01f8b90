/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msrs: RDMSR and WRMSR of 0 to 0x1fff, 0xc0000000 to 0xc0001fff, 0x40000000 to 0x400000ff, and samples of
 * the rest, against the table below. It is the whole of what a domain can reach: a new MSR is a new row here
 * too. SDM volume 4, table 2-2.
 *
 * Each MSR that can be read is written with what was read, each other one with 0.
 */
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "msrs";

enum { GP, ANY, IS }; /* read: #GP, some value, this value */
enum { OK = 1 };      /* write */

/* clang-format off */
static const struct row {
    uint32_t first, last;
    uint8_t read, write;
    uint64_t value;
} table[] = {
    {0x00000010, 0x00000010, ANY, OK, 0},                  /* TIME_STAMP_COUNTER */
    {0x00000017, 0x00000017, IS,  GP, 0},                  /* PLATFORM_ID */
    {0x0000003a, 0x0000003a, IS,  GP, 1},                  /* FEATURE_CONTROL: locked, no VMX, no SMX */
    {0x0000003b, 0x0000003b, ANY, OK, 0},                  /* TSC_ADJUST */
    {0x0000008b, 0x0000008b, IS, OK, 1UL << 32},                /* BIOS_SIGN_ID */
    {0x000000fe, 0x000000fe, IS,  GP, 0},                  /* MTRRCAP */
    {0x00000174, 0x00000176, IS,  OK, 0},                  /* SYSENTER_CS, ESP, EIP */
    {0x00000179, 0x00000179, IS,  GP, 0},                  /* MCG_CAP */
    {0x0000017a, 0x0000017a, IS,  OK, 0},                  /* MCG_STATUS */
    {0x000001a0, 0x000001a0, IS,  OK, 1},                  /* MISC_ENABLE: fast strings */
    {0x000001d9, 0x000001d9, IS,  OK, 0},                  /* DEBUGCTL */
    {0x00000277, 0x00000277, IS,  OK, 0x0007040600070406}, /* PAT */
    {0x000002ff, 0x000002ff, IS,  OK, 0x806},              /* MTRR_DEF_TYPE: all memory is write-back */
    {0x00000da0, 0x00000da0, IS,  OK, 0},                  /* XSS */
    {0xc0000080, 0xc0000080, IS,  OK, 0xd01},              /* EFER: SCE LME LMA NXE */
    {0xc0000081, 0xc0000084, IS,  OK, 0},                  /* STAR, LSTAR, CSTAR, FMASK */
    {0xc0000100, 0xc0000103, IS,  OK, 0},                  /* FS_BASE, GS_BASE, KERNEL_GS_BASE, TSC_AUX */
};
/* clang-format on */

static const struct row *find(uint32_t msr)
{
    static const struct row none = {0, 0, GP, GP, 0};
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (msr >= table[i].first && msr <= table[i].last)
            return &table[i];
    return &none;
}

static void check(uint32_t msr)
{
    const struct row *row = find(msr);
    uint64_t value = 0;
    bool read = msr_read(msr, &value);
    if (row->read == GP)
        report(!read && trap.vector == V_GP && trap.error == 0,
               "RDMSR %#x: vector %lu, value %#lx; should be #GP", msr, trap.vector, value);
    else
        report(read && (row->read == ANY || value == row->value),
               "RDMSR %#x: vector %lu, value %#lx instead of %#lx", msr, trap.vector, value, row->value);
    bool written = msr_write(msr, value);
    report(written == (row->write == OK) && (written || (trap.vector == V_GP && trap.error == 0)),
           "WRMSR %#x with %#lx: vector %lu", msr, value, trap.vector);
}

static void sweep(uint32_t first, uint32_t count, uint32_t step)
{
    for (uint32_t i = 0; i < count; i++)
        check(first + i * step);
}

/* A bad value is #GP and changes nothing. */
static void bad(uint32_t msr, uint64_t value, const char *why)
{
    uint64_t before = 0, after = 1;
    (void)msr_read(msr, &before);
    bool written = msr_write(msr, value);
    report(!written && trap.vector == V_GP, "WRMSR %#x with %#lx (%s): vector %lu", msr, value, why,
           trap.vector);
    (void)msr_read(msr, &after);
    report(before == after, "MSR %#x is %#lx after a write of %#lx that should fault, it was %#lx", msr,
           after, value, before);
}

static void good(uint32_t msr, uint64_t value)
{
    uint64_t before = 0, after = 0;
    (void)msr_read(msr, &before);
    bool written = msr_write(msr, value);
    report(written && msr_read(msr, &after) && after == value,
           "WRMSR %#x with %#lx: vector %lu, then reads %#lx", msr, value, trap.vector, after);
    (void)msr_write(msr, before);
}

static void values(void)
{
    static const uint32_t addresses[] = {0x175,      0x176,      0xc0000082, 0xc0000083,
                                         0xc0000100, 0xc0000101, 0xc0000102};
    for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        bad(addresses[i], 0x0000800000000000, "not canonical");
        bad(addresses[i], 0x7fff000000000000, "not canonical");
        good(addresses[i], 0xffff800000000000);
        good(addresses[i], 0x00007fffffffffff);
    }
    for (unsigned type = 0; type < 256; type++)
        for (unsigned entry = 0; entry < 8; entry += 7) {
            uint64_t pat = (0x0606060606060606 & ~(0xffUL << 8 * entry)) | (uint64_t)type << 8 * entry;
            if (type < 8 && type != 2 && type != 3)
                good(0x277, pat);
            else
                bad(0x277, pat, "no memory type");
        }
    for (unsigned bit = 1; bit < 64; bit++)
        if (bit != 8 && bit != 10 && bit != 11)
            bad(MSR_EFER, 0xd01 | 1UL << bit, "reserved bit");
    bad(MSR_EFER, 0xc01, "LME with paging on");
    good(MSR_EFER, 0x501 | 1);
    good(0xc0000103, 0xffffffff);
    bad(0x1d9, 1, "no branch records");
    bad(0x17a, 4, "no machine check in progress");
    bad(0xda0, 0x100, "no supervisor state");
}

/* SDM volume 3, "IA32_TSC_ADJUST Support": a write to one moves the other. */
static void tsc(void)
{
    uint64_t adjust = 1, now = 0;
    report(msr_write(0x3b, 0), "WRMSR TSC_ADJUST");
    uint64_t start = rdtsc();
    report(msr_write(0x3b, 1UL << 40), "WRMSR TSC_ADJUST");
    uint64_t moved = rdtsc() - start;
    report(moved >> 40 == 1, "TSC moved by %#lx with TSC_ADJUST", moved);
    report(msr_write(0x10, 0) && rdtsc() < 1UL << 30, "TSC written with 0 reads %#lx", rdtsc());
    (void)msr_read(0x3b, &adjust);
    (void)msr_read(0x10, &now);
    report(adjust - ((1UL << 40) - (start + (1UL << 40))) < 1UL << 30 || (int64_t)adjust < 0,
           "TSC_ADJUST is %#lx after TSC was written with 0 at %#lx", adjust, start);
    report(now < 1UL << 30 && rdtsc() >= now, "RDMSR of the TSC %#lx, RDTSC later %#lx", now, rdtsc());
    (void)msr_write(0x3b, 0);
}

void guest_main(const char *cmdline)
{
    (void)cmdline;
    sweep(0, 0x2000, 1);
    sweep(0xc0000000, 0x2000, 1);
    sweep(0x40000000, 0x100, 1);
    sweep(0x2000, 0x400, 0x100003);
    sweep(0xc0002000, 0x200, 0x1fffd);
    for (unsigned bit = 13; bit < 30; bit++)
        sweep(1U << bit, 2, 0x10); /* TSC, were high bits ignored */
    values();
    tsc();
}
