/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports: a bus with nothing on it reads all ones and swallows writes. All 65536 ports in three widths, then
 * the string forms: REP, direction, address size, buffers that cross pages or end where nothing is mapped.
 * SDM volume 2, IN, OUT, INS, OUTS. Ports that the manager's devices answer are left out.
 */
#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/ports/ports.h"

const char guest_name[] = "ports";

enum { NOBODY = 0x1234, BUFFER = 8192 };
static uint8_t buffer[BUFFER] __attribute__((aligned(4096)));

/*
 * Ports that the manager answers: keyboard controller, clock, POST, reset, debug console and exit, serial,
 * power management, PCI.
 */
static const struct {
    uint16_t first, last;
} devices[] = {{0x60, 0x60}, {0x64, 0x64}, {0x70, 0x71},   {0x80, 0x80},   {0x92, 0x92},
               {0xe9, 0xe9}, {0xf4, 0xf7}, {0x3f8, 0x3ff}, {0x600, 0x60b}, {0xcf8, 0xcff}};

/* Does an access of up to four bytes from here on reach a device? */
static bool is_device(unsigned port)
{
    for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (port + 3 >= devices[i].first && port <= devices[i].last)
            return true;
    return false;
}

static void sweep(void)
{
    const uint64_t dirty = 0x1122334455667788;
    unsigned wrong = 0;
    for (unsigned port = 0; port < 0x10000; port++) {
        uint64_t b = dirty, w = dirty, d = dirty;
        if (is_device(port))
            continue;
        __asm__ volatile("inb %%dx, %%al" : "+a"(b) : "d"(port));
        __asm__ volatile("inw %%dx, %%ax" : "+a"(w) : "d"(port));
        __asm__ volatile("inl %%dx, %%eax" : "+a"(d) : "d"(port));
        if (b != (dirty | 0xff) || w != (dirty | 0xffff) || d != 0xffffffff) {
            wrong++;
            print("port %#x: %#lx %#lx %#lx\n", port, b, w, d);
        }
        __asm__ volatile("outb %%al, %%dx; outw %%ax, %%dx; outl %%eax, %%dx" ::"a"(0), "d"(port));
    }
    report(!wrong, "%u ports do not read all ones", wrong);
    uint64_t a = dirty;
    __asm__ volatile("inb $0x42, %%al" : "+a"(a));
    report(a == (dirty | 0xff), "IN with the port in the instruction: %#lx", a);
}

static void fill(void)
{
    for (unsigned i = 0; i < BUFFER; i++)
        buffer[i] = 0x5a;
}

/* Bytes [start, end) must be all ones and the others untouched. */
static bool buffer_is(unsigned start, unsigned end)
{
    for (unsigned i = 0; i < BUFFER; i++)
        if (buffer[i] != (i >= start && i < end ? 0xff : 0x5a))
            return false;
    return true;
}

#define STRING(name, prefix, insn)                                                                           \
    static void name(uint64_t *rsi, uint64_t *rdi, uint64_t *rcx, bool down)                                 \
    {                                                                                                        \
        if (down)                                                                                            \
            TRY("std\n\t" prefix insn "\n\tcld",                                                             \
                : "+S"(*rsi), "+D"(*rdi), "+c"(*rcx)                                                         \
                : "d"(NOBODY)                                                                                \
                : "memory");                                                                                 \
        else                                                                                                 \
            TRY(prefix insn, : "+S"(*rsi), "+D"(*rdi), "+c"(*rcx) : "d"(NOBODY) : "memory");                 \
    }
STRING(insb, "", "insb")
STRING(insw, "", "insw")
STRING(insl, "", "insl")
STRING(rep_insb, "rep ", "insb")
STRING(rep_insw, "rep ", "insw")
STRING(rep_insl, "rep ", "insl")
STRING(rep_insb_a32, "rep addr32 ", "insb")
STRING(outsb, "", "outsb")
STRING(outsw, "", "outsw")
STRING(outsl, "", "outsl")
STRING(rep_outsb, "rep ", "outsb")
STRING(rep_outsw, "rep ", "outsw")
STRING(rep_outsl, "rep ", "outsl")
STRING(rep_outsl_a32, "rep addr32 ", "outsl")

typedef void string_fn(uint64_t *rsi, uint64_t *rdi, uint64_t *rcx, bool down);
static const struct {
    const char *name;
    string_fn *run;
    unsigned width;
    bool in, rep, a32;
} forms[] = {
    {"INSB", insb, 1, true, false, false},
    {"INSW", insw, 2, true, false, false},
    {"INSD", insl, 4, true, false, false},
    {"REP INSB", rep_insb, 1, true, true, false},
    {"REP INSW", rep_insw, 2, true, true, false},
    {"REP INSD", rep_insl, 4, true, true, false},
    {"REP INSB, 32-bit addresses", rep_insb_a32, 1, true, true, true},
    {"OUTSB", outsb, 1, false, false, false},
    {"OUTSW", outsw, 2, false, false, false},
    {"OUTSD", outsl, 4, false, false, false},
    {"REP OUTSB", rep_outsb, 1, false, true, false},
    {"REP OUTSW", rep_outsw, 2, false, true, false},
    {"REP OUTSD", rep_outsl, 4, false, true, false},
    {"REP OUTSD, 32-bit addresses", rep_outsl_a32, 4, false, true, true},
};
enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

/* What does not count in a register with 32-bit addresses: the upper half is ignored, then cleared. */
#define UPPER 0x7766554400000000UL

static void run_form(unsigned f, unsigned offset, uint64_t count, bool down)
{
    uint64_t upper = forms[f].a32 ? UPPER : 0, n = forms[f].rep ? count : 1;
    uint64_t at = (uint64_t)(uintptr_t)buffer + offset, rcx = count | upper;
    uint64_t rsi = forms[f].in ? 0x111 : at | upper, rdi = forms[f].in ? at | upper : 0x222;
    uint64_t moved = n * forms[f].width, end = down ? at - moved : at + moved;
    fill();
    forms[f].run(&rsi, &rdi, &rcx, down);
    uint64_t pointer = forms[f].in ? rdi : rsi, other = forms[f].in ? rsi : rdi;
    report(trap.vector == TRAP_NONE, "%s at +%#x, count %lu: vector %lu", forms[f].name, offset, count,
           trap.vector);
    report(pointer == end || (!n && pointer == (at | upper)),
           "%s at +%#x, count %lu, DF %d: pointer %#lx instead of %#lx", forms[f].name, offset, count, down,
           pointer, end);
    report(other == (forms[f].in ? 0x111 : 0x222), "%s: the other pointer is %#lx", forms[f].name, other);
    report(rcx == (forms[f].rep ? (n ? 0 : rcx) : (count | upper)), "%s, count %lu: RCX %#lx", forms[f].name,
           count, rcx);
    unsigned low = (unsigned)(down ? offset - moved + forms[f].width : offset);
    report(buffer_is(low, forms[f].in ? low + (unsigned)moved : low),
           "%s at +%#x, count %lu, DF %d: wrong bytes in memory", forms[f].name, offset, count, down);
}

static void strings(void)
{
    for (unsigned f = 0; f < FORMS; f++) {
        run_form(f, 64, 5, false);
        run_form(f, 64, 5, true);
        run_form(f, 4093, 3, false); /* across the page boundary */
        run_form(f, 4099, 3, true);
        run_form(f, 64, 0, false);
    }
}

/* A page, then nothing: the fault comes in mid-way with the registers of that moment. */
static void faults(void)
{
    char *page = map_page(0, (uint64_t)(uintptr_t)buffer, 3);
    (void)map_page(1, 0, 0);
    uint64_t edge = (uint64_t)(uintptr_t)page + 4096, rsi = 0x111, rdi = edge - 8, rcx = 5;
    fill();
    rep_insl(&rsi, &rdi, &rcx, false);
    report(trap.vector == V_PF && trap.error == 2 && trap.cr2 == edge,
           "REP INSD into nothing: vector %lu, error %#lx, CR2 %#lx", trap.vector, trap.error, trap.cr2);
    report(trap.regs.rcx == 3 && trap.regs.rdi == edge, "REP INSD stopped by #PF: RCX %lu, RDI %#lx",
           trap.regs.rcx, trap.regs.rdi);
    report(buffer_is(4088, 4096), "REP INSD stopped by #PF: wrong bytes in memory");
    rsi = edge - 6, rcx = 5;
    rep_outsl(&rsi, &rdi, &rcx, false);
    report(trap.vector == V_PF && trap.error == 0 && trap.cr2 == edge,
           "REP OUTSD from nothing: vector %lu, error %#lx, CR2 %#lx", trap.vector, trap.error, trap.cr2);
    report(trap.regs.rcx == 4 && trap.regs.rsi == edge - 2, "REP OUTSD stopped by #PF: RCX %lu, RSI %#lx",
           trap.regs.rcx, trap.regs.rsi);
    /* Read-only. */
    page = map_page(0, (uint64_t)(uintptr_t)buffer, 1);
    write_cr0(read_cr0() | CR0_WP);
    rdi = (uint64_t)(uintptr_t)page, rcx = 2;
    rep_insb(&rsi, &rdi, &rcx, false);
    report(trap.vector == V_PF && trap.error == 3, "REP INSB into a read-only page: vector %lu, error %#lx",
           trap.vector, trap.error);
    write_cr0(read_cr0() & ~CR0_WP);
    rdi = 0x800000000000 - 1, rcx = 3;
    insw(&rsi, &rdi, &rcx, false);
    report(trap.vector == V_GP && trap.error == 0, "INSW at the end of the canonical addresses: vector %lu",
           trap.vector);
    rdi = 0x1234000000000000;
    rep_insb(&rsi, &rdi, &rcx, false);
    report(trap.vector == V_GP && trap.error == 0 && trap.regs.rcx == 3,
           "REP INSB, not canonical: vector %lu", trap.vector);
    rsi = 0xffff700000000000;
    rep_outsb(&rsi, &rdi, &rcx, false);
    report(trap.vector == V_GP && trap.error == 0, "REP OUTSB, not canonical: vector %lu", trap.vector);
}

/*
 * Segment override: the data comes from FS or GS, which tells itself by where it faults. The destination of
 * INS is ES always.
 */
static void overrides(void)
{
    uint64_t rsi = 0x10, rcx = 1;
    (void)msr_write(0xc0000100, (uint64_t)(uintptr_t)buffer);
    (void)msr_write(0xc0000101, MAP_BASE + 2 * 4096);
    (void)map_page(2, 0, 0);
    TRY("fs outsb", : "+S"(rsi), "+c"(rcx) : "d"(NOBODY) : "memory");
    report(trap.vector == TRAP_NONE && rsi == 0x11, "OUTSB from FS: vector %lu, RSI %#lx", trap.vector, rsi);
    TRY("gs outsb", : "+S"(rsi), "+c"(rcx) : "d"(NOBODY) : "memory");
    report(trap.vector == V_PF && trap.cr2 == MAP_BASE + 2 * 4096 + 0x11,
           "OUTSB from GS: vector %lu, CR2 %#lx", trap.vector, trap.cr2);
    uint64_t rdi = (uint64_t)(uintptr_t)buffer + 32;
    fill();
    TRY("gs insb", : "+D"(rdi) : "d"(NOBODY) : "memory");
    report(trap.vector == TRAP_NONE && buffer_is(32, 33), "INSB with a GS prefix: vector %lu", trap.vector);
}

/* CPL 3 with IOPL 0 and no I/O bitmap in the TSS: #GP before anything else. */
__asm__("port_in: in $0x42, %al\n int $0x40\n port_out: out %al, $0x42\n int $0x40\n port_ins: mov "
        "$0x1234, %edx\n port_ins_at: insb\n"
        " int $0x40\n");
extern const uint8_t port_in[], port_out[], port_ins[], port_ins_at[];

static void user(void)
{
    trap_user(port_in, SEL_USER_CODE64, 0);
    report(trap.vector == V_GP && trap.error == 0 && trap.rip == (uint64_t)(uintptr_t)port_in,
           "IN at CPL 3: vector %lu", trap.vector);
    trap_user(port_out, SEL_USER_CODE64, 0);
    report(trap.vector == V_GP && trap.error == 0, "OUT at CPL 3: vector %lu", trap.vector);
    trap_user(port_ins, SEL_USER_CODE64, 0);
    report(trap.vector == V_GP && trap.rip == (uint64_t)(uintptr_t)port_ins_at, "INSB at CPL 3: vector %lu",
           trap.vector);
    trap_user(port_in, SEL_USER_CODE64, 3UL << 12);
    report(trap.vector == TRAP_END && (trap.regs.rax & 0xff) == 0xff, "IN at CPL 3 with IOPL 3: vector %lu",
           trap.vector);
}

void guest_main(const char *cmdline)
{
    (void)cmdline;
    ports_limits();
    sweep();
    strings();
    faults();
    overrides();
    user();
}
