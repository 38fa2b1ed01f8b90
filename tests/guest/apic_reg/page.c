/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of xAPIC mode: all offsets with accesses of 1, 2, 4 and 8 bytes. None faults. Defined are 32-bit
 * accesses at multiples of 16; narrower reads inside a register give its bytes, other reads give 0, other
 * writes do nothing. What is not there sets "illegal register" in ESR (SDM volume 3, "Error Handling").
 */
#include "tests/guest/apic_reg/apic_reg.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/smp.h"

enum { PAGE_END = 0x1000, STUCK = 0x71 /* stays in service during the tests */, PATTERN = 0x5a };

bool page_all;

static const uint8_t *at(uint32_t offset)
{
    return (const uint8_t *)(uintptr_t)(APIC_PAGE_DEFAULT + offset);
}

static uint64_t read_sized(uint32_t offset, unsigned size)
{
    uint64_t value = 0;
    const uint8_t *p = at(offset);
    if (size == 1)
        TRY("movb (%1), %b0", : "+a"(value) : "r"(p) : "memory");
    else if (size == 2)
        TRY("movw (%1), %w0", : "+a"(value) : "r"(p) : "memory");
    else if (size == 4)
        TRY("movl (%1), %k0", : "+a"(value) : "r"(p) : "memory");
    else
        TRY("movq (%1), %0", : "+a"(value) : "r"(p) : "memory");
    return value;
}

static void write_sized(uint32_t offset, unsigned size, uint64_t value)
{
    const uint8_t *p = at(offset);
    if (size == 1)
        TRY("movb %b0, (%1)", ::"a"(value), "r"(p) : "memory");
    else if (size == 2)
        TRY("movw %w0, (%1)", ::"a"(value), "r"(p) : "memory");
    else if (size == 4)
        TRY("movl %k0, (%1)", ::"a"(value), "r"(p) : "memory");
    else
        TRY("movq %0, (%1)", ::"a"(value), "r"(p) : "memory");
}

/* All registers that can be read, but the timer's count, as one number. */
static uint64_t snapshot(void)
{
    uint64_t hash = 0;
    for (uint32_t offset = 0; offset < APIC_REGS_SIZE; offset += 16)
        if ((reg_rule(offset).may & PAGE_R) && offset != APIC_TMCCT && offset != APIC_ESR)
            hash = (hash ^ apic_read(offset)) * 0x100000001b3UL;
    return hash;
}

/* The bytes that a read of this kind gives. */
static uint64_t expected(uint32_t offset, unsigned size)
{
    uint32_t reg = offset & ~15U;
    unsigned byte = offset & 15;
    if (reg >= APIC_REGS_SIZE || !(reg_rule(reg).may & PAGE_R) || byte + size > 4)
        return 0;
    return apic_read(reg) >> byte * 8 & ((size < 4 ? 1UL << size * 8 : 1UL << 32) - 1);
}

/* Where there are no registers at all, a sample is enough, unless the command line has `full`. */
static uint32_t next(uint32_t offset)
{
    return offset < APIC_REGS_SIZE + 16 || offset > PAGE_END - 16 || page_all ? offset + 1 : offset + 11;
}

/* Natively the emulator stops at these. */
static bool panics(uint32_t offset, unsigned size, bool write)
{
    return guest_native && ((offset & 15) + size > 4 || (write && size != 4));
}

static void reads(unsigned size)
{
    unsigned faults = 0, wrong = 0, n = 0;
    for (uint32_t offset = 0; offset + size <= PAGE_END; offset = next(offset)) {
        uint64_t value, want = expected(offset, size);
        if (panics(offset, size, false))
            continue;
        value = read_sized(offset, size);
        n++;
        faults += trap.vector != TRAP_NONE;
        if (value != want && ++wrong < 4)
            print("read of %u bytes at %#x: %#lx instead of %#lx\n", size, offset, value, want);
    }
    report(faults == 0, "%u of %u reads of %u bytes fault", faults, n, size);
    report(wrong == 0, "%u of %u reads of %u bytes give wrong values", wrong, n, size);
    if (!guest_native)
        trace("reads of %u bytes: %u faults, %u wrong", size, faults, wrong);
}

/*
 * Left out: writes inside a register's four bytes. Whole ones take effect, see value_tests; what narrower ones
 * do is not defined, and up to the processor, which takes some without an exit (partial_writes).
 */
static bool has_effect(uint32_t offset, unsigned size)
{
    return offset < APIC_REGS_SIZE && (offset & 15) + size <= 4;
}

static void ignored_writes(unsigned size)
{
    unsigned faults = 0, changes = 0, n = 0;
    uint64_t before = snapshot(), after;
    for (uint32_t offset = 0; offset + size <= PAGE_END; offset = next(offset)) {
        if (!has_effect(offset, size) && !panics(offset, size, true)) {
            write_sized(offset, size, 0x0101010101010101UL * PATTERN);
            n++;
            faults += trap.vector != TRAP_NONE;
        }
        if (offset < APIC_REGS_SIZE ? (offset & 15) != 15 : next(offset) + size <= PAGE_END)
            continue;
        after = snapshot();
        if (after != before && ++changes < 4)
            print("writes of %u bytes up to %#x have changed a register\n", size, offset);
        before = after;
    }
    report(faults == 0, "%u of %u writes of %u bytes fault", faults, n, size);
    report(changes == 0, "writes of %u bytes that do nothing have changed registers", size);
    if (!guest_native)
        trace("writes of %u bytes: %u faults, %u changes", size, faults, changes);
}

/* None faults, and all registers can be set afterwards. Not those that send or end interrupts. */
static void partial_writes(void)
{
    static const uint32_t regs[] = {APIC_ID,        APIC_TPR,         APIC_LDR,     APIC_DFR,
                                    APIC_LVT_TIMER, APIC_LVT_THERMAL, APIC_LVT_PMC, APIC_LVT_ERROR,
                                    APIC_TMICT,     APIC_TDCR};
    unsigned faults = 0;
    uint64_t before = snapshot();
    for (unsigned i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        uint32_t value = apic_read(regs[i]);
        for (unsigned size = 1; size <= 2; size++)
            for (unsigned byte = 0; byte + size <= 4; byte++) {
                write_sized(regs[i] + byte, size, 0x0101010101010101UL * PATTERN);
                faults += trap.vector != TRAP_NONE;
                apic_write(regs[i], value);
            }
    }
    report(faults == 0, "%u writes of parts of registers fault", faults);
    report(snapshot() == before, "writes of parts of registers cannot be undone");
}

/* Registers that can only be read, and that are only in x2APIC mode. */
static void read_only(void)
{
    for (uint32_t offset = 0; offset < PAGE_END; offset += 16) {
        struct reg_rule rule = offset < APIC_REGS_SIZE ? reg_rule(offset) : (struct reg_rule){0};
        uint64_t before = snapshot();
        if (rule.may & PAGE_W)
            continue;
        write_sized(offset, 4, 0xffffffff);
        report(trap.vector == TRAP_NONE && snapshot() == before,
               "a write of read-only register %#x does something", offset);
    }
}

static void illegal_registers(void)
{
    for (uint32_t offset = 0; offset < PAGE_END; offset += 16) {
        struct reg_rule rule = offset < APIC_REGS_SIZE ? reg_rule(offset) : (struct reg_rule){0};
        bool there = (rule.may & (PAGE_R | PAGE_W)) != 0;
        uint32_t by_read, by_write = 0;
        (void)apic_esr();
        (void)read_sized(offset, 4);
        by_read = apic_esr();
        if (!there) {
            write_sized(offset, 4, 0);
            by_write = apic_esr();
        }
        report_exact(by_read == (there ? 0 : APIC_ESR_ILLEGAL_REGISTER), "ESR after a read of %#x: %#x",
                     offset, by_read);
        report_exact(there || by_write == APIC_ESR_ILLEGAL_REGISTER, "ESR after a write of %#x: %#x", offset,
                     by_write);
        trace("illegal %x: %x %x", offset, by_read, by_write);
    }
}

void page_tests(void)
{
    static const unsigned sizes[] = {1, 2, 4, 8};
    /* So that an EOI, or a change of the priority, would show. */
    irq_handlers[STUCK] = smp_quiet;
    apic_self(STUCK);
    sti();
    cli();
    report(apic_bit(APIC_ISR, STUCK), "vector %#x is not in service", STUCK);
    apic_write(APIC_TPR, 0x35);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        reads(sizes[i]);
        ignored_writes(sizes[i]);
    }
    if (!guest_native)
        partial_writes();
    read_only();
    report(apic_bit(APIC_ISR, STUCK), "vector %#x is in service no more", STUCK);
    apic_eoi();
    apic_write(APIC_TPR, 0);
    irq_handlers[STUCK] = 0;
    illegal_registers();
}
