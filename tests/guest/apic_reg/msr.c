/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs 0x800 to 0xBFF: all of them read and written, in x2APIC mode, in xAPIC mode and with the APIC off. SDM
 * volume 3, "x2APIC Register Address Space", "Reserved Bit Checking", "RDMSR in x2APIC Mode", "WRMSR in
 * x2APIC Mode".
 */
#include "tests/guest/apic_reg/apic_reg.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

enum { MSR_END = 0xc00 };

static struct reg_rule rule_of(uint32_t msr)
{
    uint32_t offset = (msr - X2APIC_MSR_FIRST) * 16;
    return offset < APIC_REGS_SIZE ? reg_rule(offset) : (struct reg_rule){0};
}

/* A write of this one is a test of its own: it starts something, or needs a certain value. */
static bool acts(uint32_t offset)
{
    return offset == APIC_ICR || offset == APIC_SELF_IPI || offset == APIC_EOI || offset == APIC_TMICT ||
           offset == APIC_SVR;
}

static void reads(void)
{
    for (uint32_t msr = X2APIC_MSR_FIRST; msr < MSR_END; msr++) {
        uint64_t value;
        bool there = msr_read(msr, &value), should = (rule_of(msr).may & MSR_R) != 0;
        report(there == should, "RDMSR %#x %s", msr, there ? "works" : "faults");
        report(!there || value >> 32 == 0 || msr == X2APIC_MSR_FIRST + APIC_ICR / 16, "RDMSR %#x: %#lx", msr,
               value);
        if (msr != X2APIC_MSR_FIRST + APIC_TMCCT / 16)
            trace("rdmsr %x %u %lx", msr, there, there ? value : 0);
    }
}

/* What is there takes back what it holds; what is not faults with any value. */
static void writes(void)
{
    for (uint32_t msr = X2APIC_MSR_FIRST; msr < MSR_END; msr++) {
        struct reg_rule rule = rule_of(msr);
        uint64_t value = 0;
        bool done, should = (rule.may & MSR_W) != 0;
        if (should && acts((msr - X2APIC_MSR_FIRST) * 16))
            continue;
        if ((rule.may & MSR_R) && msr != X2APIC_MSR_FIRST + APIC_ESR / 16)
            (void)msr_read(msr, &value);
        done = msr_write(msr, should ? value : 0);
        report(done == should, "WRMSR %#x %s", msr, done ? "works" : "faults");
        trace("wrmsr %x %u", msr, done);
    }
}

/* Each bit alone, where a register is written. */
static void reserved_bits(void)
{
    for (uint32_t offset = 0; offset < APIC_REGS_SIZE; offset += 16) {
        struct reg_rule rule = reg_rule(offset);
        uint32_t msr = X2APIC_MSR_FIRST + offset / 16;
        uint64_t allowed = (uint64_t)rule.keeps | rule.ignores, bits = 0;
        if (!(rule.may & MSR_W) || offset == APIC_ICR)
            continue;
        if (offset == APIC_SELF_IPI)
            allowed = 0; /* a vector below 16 is sent: other tests */
        for (unsigned bit = offset == APIC_SELF_IPI ? 8 : 0; bit < 64; bit++) {
            uint64_t value = 1UL << bit, kept = 0;
            if ((allowed & value) && acts(offset))
                continue;
            if (rule.may & MSR_R)
                (void)msr_read(msr, &kept);
            if (msr_write(msr, value)) {
                bits |= value;
                (void)msr_write(msr, offset == APIC_ESR ? 0 : kept);
            }
        }
        if (acts(offset))
            allowed &= bits;
        report_exact(bits == allowed, "WRMSR %#x: bits %#lx can be set, and should %#lx", msr, bits, allowed);
        trace("bits %x %lx", msr, bits);
    }
}

static void icr_bits(void)
{
    uint32_t msr = X2APIC_MSR_FIRST + APIC_ICR / 16;
    for (unsigned bit = 12; bit < 64; bit++) {
        /* Fixed, to nobody: physical destination 0xfffffffe. */
        uint64_t value = 0xfffffffeUL << 32 | 0x40, read = 0;
        bool done, should = bit >= 32 || !(X2APIC_ICR_RESERVED >> bit & 1);
        if (bit >= 32)
            value ^= 1UL << bit;
        else
            value |= 1UL << bit;
        if ((value >> 18 & 3) != 0)
            value = (value & ~0xffUL) | 7UL << 8; /* shorthands with ExtINT: nothing is sent */
        if (value >> 32 == 0xffffffff || (guest_native && bit != 12 && !should))
            continue;
        done = msr_write(msr, value);
        report(done == should, "WRMSR ICR with bit %u %s", bit, done ? "works" : "faults");
        if (done) {
            (void)msr_read(msr, &read);
            report_exact(read == (value & ~(uint64_t)APIC_ICR_BUSY), "ICR reads %#lx after %#lx", read,
                         value);
        }
        trace("icr %u %u %lx", bit, done, read);
    }
}

static void nowhere(const char *mode)
{
    unsigned there = 0;
    for (uint32_t msr = X2APIC_MSR_FIRST; msr < MSR_END; msr++) {
        uint64_t value;
        there += msr_read(msr, &value);
        there += msr_write(msr, 0);
    }
    report(there == 0, "%u accesses of MSRs work in mode %s", there, mode);
    trace("msrs in mode %s: %u", mode, there);
}

void msr_tests(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);
    nowhere("xAPIC");
    wrmsr(MSR_APIC_BASE, base & ~(uint64_t)IA32_APIC_BASE_EN);
    nowhere("off");
    wrmsr(MSR_APIC_BASE, base);
    apic_mode(true);
    reads();
    writes();
    reserved_bits();
    icr_bits();
}
