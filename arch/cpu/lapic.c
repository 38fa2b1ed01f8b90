/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Driver of the local APIC, SDM volume 3, chapter "Advanced Programmable Interrupt Controller
 * (APIC)".
 *
 * Registers are named by their xAPIC page offset; the x2APIC MSR of a register is 0x800 + offset
 * / 16. The ICR is the one register that differs: one 64-bit MSR against two 32-bit words.
 */
#include "arch/cpu/lapic.h"

#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/paging.h"
#include "arch/cpu/percpu.h"
#include "arch/cpu/vectors.h"

enum lapic_register {
    LAPIC_ID = 0x20,
    LAPIC_VERSION = 0x30,
    LAPIC_TPR = 0x80,
    LAPIC_EOI = 0xb0,
    LAPIC_LDR = 0xd0,
    LAPIC_DFR = 0xe0,
    LAPIC_SVR = 0xf0,
    LAPIC_ESR = 0x280,
    LAPIC_LVT_CMCI = 0x2f0,
    LAPIC_ICR_LO = 0x300,
    LAPIC_ICR_HI = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_THERMAL = 0x330,
    LAPIC_LVT_PMC = 0x340,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define LVT_MASKED       BIT(16)
#define LVT_TSC_DEADLINE BIT(18)
#define LVT_NMI          (4U << 8)
#define SVR_ENABLE       BIT(8)
#define ICR_PENDING      BIT(12)
#define DIVIDE_BY_1      0xb

static volatile uint8_t *page; /* NULL in x2APIC mode */
bool lapic_mode_x2apic;
bool lapic_mode_deadline;
static uint64_t countdown_per_mtick; /* count-down ticks per 2^20 TSC ticks */

static uint32_t reg_read(enum lapic_register reg)
{
    if (!page)
        return (uint32_t)rdmsr(MSR_IA32_X2APIC_BASE + reg / 16);
    return *(volatile uint32_t *)(page + reg);
}

static void reg_write(enum lapic_register reg, uint32_t value)
{
    if (!page)
        wrmsr(MSR_IA32_X2APIC_BASE + reg / 16, value);
    else
        *(volatile uint32_t *)(page + reg) = value;
}

bool lapic_init_machine(void)
{
    struct cpuid_regs leaf1 = cpuid(1, 0);
    if (!(leaf1.edx & BIT(9)))
        return false;
    lapic_mode_deadline = leaf1.ecx & BIT(24);
    lapic_mode_x2apic = leaf1.ecx & BIT(21);
    if (lapic_mode_x2apic)
        return true;
    uint64_t pa = rdmsr(MSR_IA32_APIC_BASE) & MASK(51, 12);
    page = paging_map_mmio(pa, PAGE_SIZE);
    return page != NULL;
}

void lapic_init_cpu(void)
{
    uint64_t base = rdmsr(MSR_IA32_APIC_BASE) | APIC_BASE_EN;
    /* xAPIC first: off to x2APIC in one step is not an allowed transition. */
    wrmsr(MSR_IA32_APIC_BASE, base);
    if (!page)
        wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_EXTD);
    else
        reg_write(LAPIC_DFR, 0xffffffff);
    percpu_self()->x2apic_logical = page ? 0 : reg_read(LAPIC_LDR);
    reg_write(LAPIC_SVR, (uint32_t)SVR_ENABLE | VECTOR_SPURIOUS);
    reg_write(LAPIC_TPR, 0);
    uint32_t last_lvt = reg_read(LAPIC_VERSION) >> 16 & 0xff;
    reg_write(LAPIC_LVT_TIMER, (uint32_t)LVT_MASKED | VECTOR_TIMER);
    reg_write(LAPIC_LVT_LINT0, (uint32_t)LVT_MASKED);
    reg_write(LAPIC_LVT_LINT1, LVT_NMI);
    if (last_lvt >= 4)
        reg_write(LAPIC_LVT_PMC, (uint32_t)LVT_MASKED);
    if (last_lvt >= 5)
        reg_write(LAPIC_LVT_THERMAL, (uint32_t)LVT_MASKED);
    if (last_lvt >= 6)
        reg_write(LAPIC_LVT_CMCI, (uint32_t)LVT_MASKED);
    reg_write(LAPIC_ESR, 0);
    reg_write(LAPIC_LVT_ERROR, VECTOR_APIC_ERROR);
    if (lapic_mode_deadline)
        reg_write(LAPIC_LVT_TIMER, (uint32_t)LVT_TSC_DEADLINE | VECTOR_TIMER);
}

uint32_t lapic_id(void)
{
    uint32_t id = reg_read(LAPIC_ID);
    return page ? id >> 24 : id;
}

void lapic_page_eoi(void)
{
    reg_write(LAPIC_EOI, 0);
}

void lapic_send(uint32_t apic_id, enum lapic_delivery mode, uint8_t vector)
{
    uint32_t low = LAPIC_ICR_ASSERT | (uint32_t)mode << 8 | vector;
    if (!page) {
        lapic_icr(apic_id, low);
        return;
    }
    while (reg_read(LAPIC_ICR_LO) & ICR_PENDING)
        cpu_pause();
    reg_write(LAPIC_ICR_HI, apic_id << 24);
    reg_write(LAPIC_ICR_LO, low);
}

void lapic_timer_arm(uint64_t deadline)
{
    if (lapic_mode_deadline) {
        wrmsr(MSR_IA32_TSC_DEADLINE, deadline);
        return;
    }
    if (!deadline) {
        reg_write(LAPIC_TIMER_INITIAL, 0);
        return;
    }
    uint64_t now = rdtsc();
    uint64_t ticks = deadline > now ? deadline - now : 0;
    uint64_t limit = 0xffffffffULL << 20;
    if (ticks > limit / countdown_per_mtick)
        ticks = limit / countdown_per_mtick;
    ticks = (ticks * countdown_per_mtick >> 20) + 1;
    reg_write(LAPIC_TIMER_INITIAL, ticks > 0xffffffff ? 0xffffffff : (uint32_t)ticks);
}

void lapic_timer_calibrate(uint64_t tsc_khz)
{
    if (lapic_mode_deadline)
        return;
    reg_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
    reg_write(LAPIC_LVT_TIMER, (uint32_t)LVT_MASKED | VECTOR_TIMER);
    uint64_t span = tsc_khz; /* one millisecond */
    uint64_t start = rdtsc(), now;
    reg_write(LAPIC_TIMER_INITIAL, 0xffffffff);
    do
        now = rdtsc();
    while (now - start < span);
    uint64_t counted = 0xffffffff - reg_read(LAPIC_TIMER_CURRENT);
    reg_write(LAPIC_TIMER_INITIAL, 0);
    countdown_per_mtick = (counted << 20) / (now - start);
    if (!countdown_per_mtick)
        countdown_per_mtick = 1;
    reg_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
}

uint32_t lapic_errors(void)
{
    reg_write(LAPIC_ESR, 0);
    return reg_read(LAPIC_ESR);
}
