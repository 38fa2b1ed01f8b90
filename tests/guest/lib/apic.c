/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of the processor that executes: see apic.h. */
#include "tests/guest/lib/apic.h"

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/smp.h"

static volatile uint32_t *page(uint32_t reg)
{
    return (volatile uint32_t *)(uintptr_t)(APIC_PAGE_DEFAULT + reg);
}

uint32_t apic_read(uint32_t reg)
{
    return smp_self()->x2apic ? (uint32_t)rdmsr(X2APIC_MSR_FIRST + reg / 16) : *page(reg);
}

void apic_write(uint32_t reg, uint32_t value)
{
    if (smp_self()->x2apic)
        wrmsr(X2APIC_MSR_FIRST + reg / 16, value);
    else
        *page(reg) = value;
}

/* An interrupt between the two halves of the xAPIC's register may send an IPI itself. */
void apic_icr(uint32_t dest, uint32_t low)
{
    uint64_t flags;
    if (smp_self()->x2apic) {
        wrmsr(X2APIC_MSR_FIRST + APIC_ICR / 16, (uint64_t)dest << APIC_ICR_X2APIC_DEST | low);
        return;
    }
    __asm__ volatile("pushf; pop %0; cli" : "=r"(flags)::"memory");
    *page(APIC_ICR2) = dest << 24;
    *page(APIC_ICR) = low;
    __asm__ volatile("push %0; popf" ::"r"(flags) : "memory", "cc");
}

void apic_self(uint8_t vector)
{
    if (smp_self()->x2apic)
        apic_write(APIC_SELF_IPI, vector);
    else
        apic_icr(0, (uint32_t)APIC_TO_SELF << APIC_ICR_SHORTHAND_SHIFT | vector);
}

uint32_t apic_esr(void)
{
    apic_write(APIC_ESR, 0);
    return apic_read(APIC_ESR);
}

bool apic_bit(uint32_t bits, uint8_t vector)
{
    return apic_read(bits + vector / 32U * 16) >> vector % 32 & 1;
}

uint8_t apic_highest(uint32_t bits)
{
    for (unsigned i = 8; i-- > 0;) {
        uint32_t word = apic_read(bits + i * 16);
        if (word)
            return (uint8_t)(i * 32 + 31 - (unsigned)__builtin_clz(word));
    }
    return 0;
}

unsigned apic_bits(uint32_t bits)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 8; i++)
        for (uint32_t word = apic_read(bits + i * 16); word; word &= word - 1)
            n++;
    return n;
}

void apic_enable(void)
{
    apic_write(APIC_SVR, APIC_SVR_ENABLE | VECTOR_SPURIOUS);
}

void apic_mode(bool x2apic)
{
    struct cpu *self = smp_self();
    uint64_t base = rdmsr(MSR_APIC_BASE) & ~(uint64_t)(IA32_APIC_BASE_EN | IA32_APIC_BASE_EXTD);
    if (self->x2apic != x2apic) {
        if (x2apic) {
            wrmsr(MSR_APIC_BASE, base | IA32_APIC_BASE_EN | IA32_APIC_BASE_EXTD);
        } else {
            wrmsr(MSR_APIC_BASE, base);
            wrmsr(MSR_APIC_BASE, base | IA32_APIC_BASE_EN);
        }
        self->x2apic = x2apic;
    }
    apic_enable();
}

bool apic_has_x2apic(void)
{
    return cpuid(1, 0).ecx >> 21 & 1;
}
