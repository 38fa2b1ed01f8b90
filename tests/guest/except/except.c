/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * except: every exception with its error code and RIP (SDM volume 3, "Exception and Interrupt Reference"),
 * pairs that make a double fault ("Double Fault Exception", table of classes), and events over emulated
 * instructions: single steps, instruction breakpoints, the shadows of STI and MOV SS.
 */
#include "tests/guest/except/except.h"

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "except";

static char *nothing; /* a page that is not mapped */

static void expect(const char *what, uint64_t vector, uint64_t error)
{
    report(trap.vector == vector && trap.error == error, "%s: vector %lu, error %#lx instead of %lu, %#lx",
           what, trap.vector, trap.error, vector, error);
}

/* The address at which the trap came is right when it is the label, or (traps) behind it by so many bytes. */
#define AT(name) extern const uint8_t name[]
static void expect_rip(const char *what, const uint8_t *at, unsigned behind)
{
    report(trap.rip == (uint64_t)(uintptr_t)at + behind, "%s: RIP is %ld bytes behind the instruction", what,
           (int64_t)(trap.rip - (uint64_t)(uintptr_t)at));
}

AT(at_de);
AT(at_bp);
AT(at_int1);
AT(at_ud);
AT(at_nm);
AT(at_gp);
AT(at_pf);
AT(at_int);
AT(at_np);

__asm__("ss_code: mov $0x1234000000000000, %rbp\n mov (%rbp), %eax\n int $0x40\n");
AT(ss_code);

static void faults(void)
{
    TRY("xor %%ecx, %%ecx\n.globl at_de\nat_de: div %%ecx", ::"a"(1), "d"(0) : "rcx");
    expect("#DE", V_DE, 0);
    expect_rip("#DE", at_de, 0);
    TRY(".globl at_bp\nat_bp: int3", ::: "memory");
    expect("INT3", V_BP, 0);
    expect_rip("INT3", at_bp, 1);
    TRY(".globl at_int1\nat_int1: .byte 0xf1", ::: "memory");
    expect("INT1", V_DB, 0);
    expect_rip("INT1", at_int1, 1);
    TRY(".globl at_ud\nat_ud: ud2", ::: "memory");
    expect("#UD", V_UD, 0);
    expect_rip("#UD", at_ud, 0);
    report(trap.rflags & RFLAGS_RF, "#UD is delivered without RF in the image of RFLAGS");
    write_cr0(read_cr0() | CR0_TS);
    TRY(".globl at_nm\nat_nm: fninit", ::: "memory");
    expect("#NM", V_NM, 0);
    expect_rip("#NM", at_nm, 0);
    __asm__ volatile("clts");
    TRY(".globl at_gp\nat_gp: mov %w0, %%fs", ::"r"(0x1000));
    expect("#GP, selector beyond the GDT", V_GP, 0x1000);
    expect_rip("#GP", at_gp, 0);
    gdt_free[0] = 0x00cf13000000ffff; /* data, not present */
    TRY(".globl at_np\nat_np: mov %w0, %%fs", ::"r"(SEL_FREE));
    expect("#NP", V_NP, SEL_FREE);
    expect_rip("#NP", at_np, 0);
    TRY("mov %w0, %%ss", ::"r"(SEL_FREE));
    expect("#SS, not present", V_SS, SEL_FREE);
    TRY("movb $0, (%0)", ::"r"(0x1234000000000000));
    expect("#GP, not canonical", V_GP, 0);
    trap_run(ss_code, SEL_CODE64);
    expect("#SS, not canonical", V_SS, 0);
}

/* Faults that the hypervisor injects look as the processor's own do. */
static void injected(void)
{
    TRY("rdmsr", ::"c"(0x1234) : "rax", "rdx");
    expect("an injected #GP", V_GP, 0);
    report(trap.rflags & RFLAGS_RF, "an injected #GP has no RF in the image of RFLAGS");
    TRY("vmxoff", ::: "memory");
    expect("an injected #UD", V_UD, 0);
    report(trap.rflags & RFLAGS_RF, "an injected #UD has no RF in the image of RFLAGS");
}

static void page_faults(void)
{
    nothing = map_page(0, 0, 0);
    TRY(".globl at_pf\nat_pf: movb $0, 5(%0)", ::"r"(nothing) : "memory");
    expect("#PF, write", V_PF, 2);
    expect_rip("#PF", at_pf, 0);
    report(trap.cr2 == (uint64_t)(uintptr_t)nothing + 5, "CR2 is %#lx", trap.cr2);
    TRY("mov (%0), %%al", ::"r"(nothing) : "rax");
    expect("#PF, read", V_PF, 0);
    trap_run(nothing, SEL_CODE64);
    expect("#PF, fetch", V_PF, 0x10);
    (void)map_page(0, 0x1000, 1UL << 63 | 3);
    trap_run(nothing, SEL_CODE64);
    expect("#PF, fetch from a page without execution", V_PF, 0x11);
    (void)map_page(0, 1UL << 51, 3);
    TRY("mov (%0), %%al", ::"r"(nothing) : "rax");
    expect("#PF, reserved bit", V_PF, 9);
    (void)map_page(0, 0x1000, 3);
    trap_user(nothing, SEL_USER_CODE64, 0);
    expect("#PF, user", V_PF, 0x15);
    (void)map_page(0, 0, 0);
}

/* INT n, through gates that are there and not. */
static void software(void)
{
    for (unsigned vector = 32; vector < 256; vector++) {
        uint8_t code[] = {0xcd, (uint8_t)vector};
        if (vector == TRAP_END)
            continue;
        trap_run(code, SEL_CODE64);
        report(trap.vector == vector && trap.rip == (uint64_t)(uintptr_t)code + 2, "INT %u: vector %lu",
               vector, trap.vector);
    }
    struct idt_gate kept = idt[0x50];
    idt[0x50].type &= 0x7f;
    TRY(".globl at_int\nat_int: int $0x50", ::: "memory");
    expect("INT by a gate that is not present", V_NP, 0x50 * 8 + 2);
    expect_rip("INT by a gate that is not present", at_int, 0);
    idt[0x50].type = 0;
    TRY("int $0x50", ::: "memory");
    expect("INT by an empty gate", V_GP, 0x50 * 8 + 2);
    idt[0x50] = kept;
    idt[0x50].selector = 0x1000;
    TRY("int $0x50", ::: "memory");
    expect("INT to a selector beyond the GDT", V_GP, 0x1000);
    idt[0x50] = kept;
}

/* A handler that cannot be called: the second fault's class decides. */
static void pairs(void)
{
    static const struct {
        unsigned first;
        bool doubles; /* with #NP as the second */
    } rows[] = {{V_DE, true}, {V_GP, true}, {V_PF, true}, {V_UD, false}, {V_BP, false}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned v = rows[i].first;
        idt[v].type &= 0x7f;
        if (v == V_DE)
            TRY("xor %%ecx, %%ecx; div %%ecx", ::"a"(1), "d"(0) : "rcx");
        else if (v == V_GP)
            TRY("mov %w0, %%fs", ::"r"(0x1000));
        else if (v == V_PF)
            TRY("mov (%0), %%al", ::"r"(nothing) : "rax");
        else if (v == V_UD)
            TRY("ud2", ::: "memory");
        else
            TRY("int3", ::: "memory");
        report(trap.vector == (rows[i].doubles ? V_DF : V_NP), "#NP while vector %u is delivered: vector %lu",
               v, trap.vector);
        report(trap.error == (rows[i].doubles ? 0 : v * 8 + 2 + (v == V_BP ? 0 : 1)),
               "#NP while vector %u is delivered: error %#lx", v, trap.error);
        idt[v].type |= 0x80;
    }
    /*
     * The same where the first fault is one that the hypervisor injects: RDMSR of nothing, an undefined VMX
     * instruction.
     */
    idt[V_GP].type &= 0x7f;
    TRY("rdmsr", ::"c"(0x1234) : "rax", "rdx");
    expect("#NP while an injected #GP is delivered", V_DF, 0);
    idt[V_GP].type |= 0x80;
    idt[V_UD].type &= 0x7f;
    TRY("vmxoff", ::: "memory");
    expect("#NP while an injected #UD is delivered", V_NP, V_UD * 8 + 3);
    idt[V_UD].type |= 0x80;
    /* #PF on the way to a #PF: the gate's own stack is not there. */
    tss.ist[1] = (uint64_t)(uintptr_t)nothing + 4096;
    idt[V_PF].ist = 2;
    TRY("mov (%0), %%al", ::"r"(nothing) : "rax");
    expect("#PF while #PF is delivered", V_DF, 0);
    idt[V_PF].ist = 0;
    idt[V_GP].ist = 2;
    TRY("rdmsr", ::"c"(0x1234) : "rax", "rdx");
    report(trap.vector == V_PF && trap.cr2 == (uint64_t)(uintptr_t)nothing + 4088,
           "#PF while an injected #GP is delivered: vector %lu, CR2 %#lx", trap.vector, trap.cr2);
    idt[V_GP].ist = 0;
}

/* #AC needs CPL 3, CR0.AM and EFLAGS.AC. It passes through the hypervisor (XSA-156). */
__asm__("ac_code: mov %rsp, %rax; dec %rax\n ac_at: mov %eax, -16(%rax)\n int $0x40\n");
extern const uint8_t ac_code[], ac_at[];

static void alignment(void)
{
    write_cr0(read_cr0() | CR0_AM);
    trap_user(ac_code, SEL_USER_CODE64, RFLAGS_AC);
    expect("#AC", V_AC, 0);
    expect_rip("#AC", ac_at, 0);
    report(trap.rflags & RFLAGS_RF, "#AC is delivered without RF in the image of RFLAGS");
    trap_user(ac_code, SEL_USER_CODE64, 0);
    expect("an unaligned write without EFLAGS.AC", TRAP_END, 0);
    write_cr0(read_cr0() & ~CR0_AM);
}

void guest_main(const char *cmdline)
{
    (void)cmdline;
    faults();
    injected();
    page_faults();
    software();
    pairs();
    alignment();
    except_steps();
    except_shadows();
    except_breakpoints();
}
