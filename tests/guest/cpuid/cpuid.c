/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpuid: what a domain must not see, on whatever processor, and that what it sees agrees with itself and with
 * what the instructions do. SDM volume 2, CPUID. The table is frozen: a row goes when the feature is
 * virtualized.
 */
#include "guest_abi/hv_abi.h"
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "cpuid";

enum reg { EAX, EBX, ECX, EDX };
enum { LEGACY_AND_HEADER = 576 };
#define BIT32(n) (1U << (n))
#define CR4_PKE  (1UL << 22)

static const struct {
    uint32_t leaf, subleaf;
    enum reg reg;
    unsigned bit;
    const char *name;
} hidden[] = {
    {1, 0, ECX, 2, "DTES64"},
    {1, 0, ECX, 3, "MONITOR"},
    {1, 0, ECX, 4, "DS-CPL"},
    {1, 0, ECX, 5, "VMX"},
    {1, 0, ECX, 6, "SMX"},
    {1, 0, ECX, 7, "EIST"},
    {1, 0, ECX, 8, "TM2"},
    {1, 0, ECX, 11, "SDBG"},
    {1, 0, ECX, 14, "xTPR"},
    {1, 0, ECX, 15, "PDCM"},
    {1, 0, ECX, 18, "DCA"},
    {1, 0, ECX, 21, "x2APIC"},
    {1, 0, ECX, 24, "TSC-deadline"},
    {1, 0, EDX, 9, "APIC"},
    {1, 0, EDX, 12, "MTRR"},
    {1, 0, EDX, 18, "PSN"},
    {1, 0, EDX, 21, "DS"},
    {1, 0, EDX, 22, "ACPI"},
    {1, 0, EDX, 29, "TM"},
    {1, 0, EDX, 31, "PBE"},
    {7, 0, EBX, 2, "SGX"},
    {7, 0, EBX, 12, "RDT-M"},
    {7, 0, EBX, 14, "MPX"},
    {7, 0, EBX, 15, "RDT-A"},
    {7, 0, EBX, 25, "PT"},
    {7, 0, ECX, 5, "WAITPKG"},
    {7, 0, ECX, 7, "CET_SS"},
    {7, 0, ECX, 13, "TME"},
    {7, 0, ECX, 16, "LA57"},
    {7, 0, ECX, 23, "KL"},
    {7, 0, ECX, 24, "bus lock"},
    {7, 0, ECX, 29, "ENQCMD"},
    {7, 0, ECX, 30, "SGX_LC"},
    {7, 0, ECX, 31, "PKS"},
    {7, 0, EDX, 5, "UINTR"},
    {7, 0, EDX, 15, "hybrid"},
    {7, 0, EDX, 18, "PCONFIG"},
    {7, 0, EDX, 19, "LBR"},
    {7, 0, EDX, 20, "CET_IBT"},
    {7, 0, EDX, 22, "AMX-BF16"},
    {7, 0, EDX, 24, "AMX-TILE"},
    {7, 0, EDX, 26, "IBRS"},
    {7, 0, EDX, 27, "STIBP"},
    {7, 0, EDX, 28, "L1D_FLUSH"},
    {7, 0, EDX, 29, "ARCH_CAPABILITIES"},
    {7, 0, EDX, 30, "CORE_CAPABILITIES"},
    {7, 0, EDX, 31, "SSBD"},
    {0xd, 1, EAX, 4, "XFD"},
    {6, 0, EAX, 0, "thermal sensor"},
    {6, 0, EAX, 7, "HWP"},
    {6, 0, ECX, 0, "APERF, MPERF"},
};

static uint32_t value(struct cpuid c, enum reg reg)
{
    const uint32_t v[] = {c.eax, c.ebx, c.ecx, c.edx};
    return v[reg];
}

static bool is_zero(struct cpuid c)
{
    return !(c.eax | c.ebx | c.ecx | c.edx);
}

static void check_hidden(void)
{
    for (unsigned i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        report(!(value(cpuid(hidden[i].leaf, hidden[i].subleaf), hidden[i].reg) & BIT32(hidden[i].bit)),
               "%s is visible", hidden[i].name);
    /* MONITOR, cache control, PMU, RDT, SGX, PT, key locker, history reset, LBR, AMX */
    static const uint32_t none[] = {3,    5,    9,    0xa,  0xf,  0x10, 0x12, 0x14, 0x17,
                                    0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x20};
    for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        for (uint32_t sub = 0; sub < 4; sub++)
            report(is_zero(cpuid(none[i], sub)), "leaf %#x.%u is not empty", none[i], sub);
    static const uint32_t beyond[] = {0x40,       0x1000,     0x3fffffff, 0x40000100,
                                      0x4fffffff, 0x80000100, 0x8fffffff, 0xffffffff};
    for (unsigned i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
        report(is_zero(cpuid(beyond[i], 0)), "leaf %#x is not empty", beyond[i]);
}

static void check_identity(void)
{
    struct cpuid zero = cpuid(0, 0), hv = cpuid(HV_CPUID_BASE, 0);
    const char *name = HV_CPUID_SIGNATURE;
    uint32_t words[3];
    for (unsigned i = 0; i < 3; i++)
        words[i] = (uint32_t)(uint8_t)name[4 * i] | (uint32_t)(uint8_t)name[4 * i + 1] << 8 |
                   (uint32_t)(uint8_t)name[4 * i + 2] << 16 | (uint32_t)(uint8_t)name[4 * i + 3] << 24;
    report(zero.eax >= 0x16 && zero.eax < 0x40, "highest basic leaf %#x", zero.eax);
    report(zero.ebx == 0x756e6547 && zero.edx == 0x49656e69 && zero.ecx == 0x6c65746e, "not GenuineIntel");
    report(cpuid(1, 0).ecx & BIT32(31), "the bit that tells of a hypervisor is clear");
    report(hv.eax == HV_CPUID_BASE + 1 && hv.ebx == words[0] && hv.ecx == words[1] && hv.edx == words[2],
           "leaf 0x40000000: %#x %#x %#x %#x", hv.eax, hv.ebx, hv.ecx, hv.edx);
    report(cpuid(HV_CPUID_BASE + 1, 0).eax == HV_ABI_VERSION, "interface version %u",
           cpuid(HV_CPUID_BASE + 1, 0).eax);
    struct cpuid frequency = cpuid(0x15, 0), mhz = cpuid(0x16, 0);
    report(frequency.eax && frequency.ebx && frequency.ecx, "leaf 0x15: %u %u %u", frequency.eax,
           frequency.ebx, frequency.ecx);
    uint64_t hz = (uint64_t)frequency.ecx * frequency.ebx / frequency.eax;
    report((hz + 500000) / 1000000 == mhz.eax, "leaf 0x15 says %lu Hz, leaf 0x16 %u MHz", hz, mhz.eax);
    struct cpuid sizes = cpuid(0x80000008, 0);
    report((sizes.eax & 0xff) >= 36 && (sizes.eax & 0xff) <= 46 && (sizes.eax >> 8 & 0xff) == 48,
           "address sizes %#x", sizes.eax);
}

/* One vCPU: ID 0, no other thread, no other core. */
static void check_topology(void)
{
    struct cpuid one = cpuid(1, 0);
    report(!(one.ebx >> 24) && (one.ebx >> 16 & 0xff) <= 1 && !(one.edx & BIT32(28)),
           "leaf 1: EBX %#x, HTT %u", one.ebx, one.edx >> 28 & 1);
    for (uint32_t level = 0; level < 4; level++) {
        struct cpuid b = cpuid(0xb, level);
        report((b.ecx & 0xff) == level && !b.edx, "leaf 0xb.%u: ECX %#x, EDX %#x", level, b.ecx, b.edx);
        report((b.ecx >> 8 & 0xff) == (level == 0   ? 1
                                       : level == 1 ? 2
                                                    : 0),
               "leaf 0xb.%u: level type %u", level, b.ecx >> 8 & 0xff);
        report(b.ebx == (level < 2) && !b.eax, "leaf 0xb.%u: EAX %#x, EBX %#x", level, b.eax, b.ebx);
    }
    for (uint32_t i = 0; i < 8; i++) {
        struct cpuid cache = cpuid(4, i);
        if (!(cache.eax & 31)) {
            report(is_zero(cache), "leaf 4.%u has no type but is not empty", i);
            break;
        }
        report(!(cache.eax >> 14 & 0xfff) && !(cache.eax >> 26), "leaf 4.%u: shared, EAX %#x", i, cache.eax);
    }
}

/* Leaf 0xD against the sums of its own subleaves, for several XCR0. */
static void check_xsave(void)
{
    report(!(cpuid(1, 0).ecx & BIT32(27)), "OSXSAVE before CR4.OSXSAVE");
    if (!(cpuid(1, 0).ecx & BIT32(26))) {
        report_skip("no XSAVE");
        return;
    }
    report(cpuid(0xd, 0).ebx == LEGACY_AND_HEADER, "leaf 0xd: EBX %u with XCR0 1", cpuid(0xd, 0).ebx);
    write_cr4(read_cr4() | CR4_OSXSAVE);
    report(cpuid(1, 0).ecx & BIT32(27), "no OSXSAVE after CR4.OSXSAVE");
    struct cpuid d = cpuid(0xd, 0);
    report((d.eax & 3) == 3 && !d.edx, "XCR0 supports %#x:%#x", d.edx, d.eax);
    const uint32_t tries[] = {1, 3, d.eax & 7, d.eax & 0xe7, d.eax};
    for (unsigned t = 0; t < 5; t++) {
        uint32_t size = LEGACY_AND_HEADER, all = size;
        __asm__ volatile("xsetbv" ::"a"(tries[t]), "d"(0), "c"(0));
        for (uint32_t i = 2; i < 64; i++) {
            struct cpuid c = cpuid(0xd, i);
            bool supported = i < 32 && (d.eax >> i & 1);
            report(supported == !is_zero(c), "leaf 0xd.%u is %s", i, supported ? "empty" : "not empty");
            if (supported && (tries[t] >> i & 1) && c.ebx + c.eax > size)
                size = c.ebx + c.eax;
            if (supported && c.ebx + c.eax > all)
                all = c.ebx + c.eax;
        }
        struct cpuid now = cpuid(0xd, 0);
        report(now.ebx == size && now.ecx == all,
               "leaf 0xd: EBX %u instead of %u, ECX %u instead of %u, XCR0 %#x", now.ebx, size, now.ecx, all,
               tries[t]);
    }
    write_cr4(read_cr4() & ~CR4_OSXSAVE);
    report(!(cpuid(1, 0).ecx & BIT32(27)), "OSXSAVE after CR4.OSXSAVE was cleared");
    report(cpuid(0xd, 0).ebx == cpuid(0xd, 0).ecx, "XCR0 is forgotten with CR4.OSXSAVE");
    if (cpuid(7, 0).ecx & BIT32(3)) {
        report(!(cpuid(7, 0).ecx & BIT32(4)), "OSPKE before CR4.PKE");
        write_cr4(read_cr4() | CR4_PKE);
        report(cpuid(7, 0).ecx & BIT32(4), "no OSPKE after CR4.PKE");
        write_cr4(read_cr4() & ~CR4_PKE);
    }
}

__asm__("cpuid_user: cpuid\n int $0x40\n");
extern const uint8_t cpuid_user[];

/* The same answer twice, with dirty upper halves cleared, and at CPL 3. */
static void check_stable(void)
{
    static const uint32_t bases[] = {0, 0x40000000, 0x80000000};
    for (unsigned b = 0; b < 3; b++) {
        uint32_t last = cpuid(bases[b], 0).eax;
        for (uint32_t leaf = bases[b]; leaf <= last && leaf < bases[b] + 0x40; leaf++) {
            uint64_t rax = 0xdead00000000 | leaf, rbx = ~0UL, rcx = 0xbeef00000000, rdx = ~0UL;
            __asm__ volatile("cpuid" : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx));
            struct cpuid c = cpuid(leaf, 0);
            report(rax == c.eax && rbx == c.ebx && rcx == c.ecx && rdx == c.edx,
                   "leaf %#x: upper halves or another answer", leaf);
        }
    }
    trap_clear();
    trap_user_enter((uint64_t)(uintptr_t)cpuid_user, (uint64_t)(uintptr_t)stack_top, SEL_USER_CODE64,
                    SEL_USER_DATA, 2, 0x40000000);
    report(trap.vector == TRAP_END && trap.regs.rbx == cpuid(0x40000000, 0).ebx,
           "CPUID at CPL 3: vector %lu, EBX %#lx", trap.vector, trap.regs.rbx);
}

void guest_main(const char *cmdline)
{
    (void)cmdline;
    check_hidden();
    check_identity();
    check_topology();
    check_xsave();
    check_stable();
}
