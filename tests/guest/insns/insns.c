/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insns: instructions that a guest has no business with, at CPL 0 and 3. SDM volume 3, "Instructions That
 * Cause VM Exits"; volume 2 for the faults of each. There is no VMX, SMX, SGX, MONITOR or PMU in a domain's
 * CPUID, so their instructions are undefined; RDPMC is #GP. VMCALL is the one that does something: vmcall.c.
 */
#include "tests/guest/insns/insns.h"

#include "tests/guest/lib/cpu.h"
#include "tests/guest/lib/report.h"
#include "tests/guest/lib/trap.h"

const char guest_name[] = "insns";
uint64_t insns_operand[512] __attribute__((aligned(4096)));

enum { NOT_RUN = 0x1fe };

/* The name of the code in insns_code.S; the vector at CPL 0 and at CPL 3, TRAP_END when it works. */
#define ROWS(ROW)                                                                                            \
    ROW(vmclear, V_UD, V_UD)                                                                                 \
    ROW(vmlaunch, V_UD, V_UD)                                                                                \
    ROW(vmresume, V_UD, V_UD)                                                                                \
    ROW(vmptrld, V_UD, V_UD)                                                                                 \
    ROW(vmptrst, V_UD, V_UD)                                                                                 \
    ROW(vmread, V_UD, V_UD)                                                                                  \
    ROW(vmread_mem, V_UD, V_UD)                                                                              \
    ROW(vmwrite, V_UD, V_UD)                                                                                 \
    ROW(vmxoff, V_UD, V_UD)                                                                                  \
    ROW(vmxon, V_UD, V_UD)                                                                                   \
    ROW(invept, V_UD, V_UD)                                                                                  \
    ROW(invvpid, V_UD, V_UD)                                                                                 \
    ROW(vmfunc, V_UD, V_UD)                                                                                  \
    ROW(getsec, V_UD, V_UD)                                                                                  \
    ROW(encls, V_UD, V_UD)                                                                                   \
    ROW(enclu, V_UD, V_UD)                                                                                   \
    ROW(enclv, V_UD, V_UD)                                                                                   \
    ROW(monitor, V_UD, V_UD)                                                                                 \
    ROW(mwait, V_UD, V_UD)                                                                                   \
    ROW(pconfig, V_UD, V_UD)                                                                                 \
    ROW(rsm, V_UD, V_UD)                                                                                     \
    ROW(rdpmc, V_GP, V_GP)                                                                                   \
    ROW(wbinvd, TRAP_END, V_GP)                                                                              \
    ROW(invd, TRAP_END, V_GP)                                                                                \
    ROW(hlt, NOT_RUN, V_GP)                                                                                  \
    ROW(cpuid, TRAP_END, TRAP_END)                                                                           \
    ROW(pause, TRAP_END, TRAP_END)                                                                           \
    ROW(invlpg, TRAP_END, V_GP)                                                                              \
    ROW(xgetbv, V_UD, V_UD)                                                                                  \
    ROW(xsetbv, V_UD, V_UD)                                                                                  \
    ROW(ud0, V_UD, V_UD)                                                                                     \
    ROW(ud2, V_UD, V_UD)                                                                                     \
    ROW(rdmsr, TRAP_END, V_GP)                                                                               \
    ROW(wrmsr_bad, V_GP, V_GP)                                                                               \
    ROW(mov_cr8, TRAP_END, V_GP)                                                                             \
    ROW(mov_cr1, V_UD, V_UD)                                                                                 \
    ROW(mov_cr15, V_UD, V_UD)                                                                                \
    ROW(mov_dr8, V_UD, V_UD)                                                                                 \
    ROW(clts, TRAP_END, V_GP)                                                                                \
    ROW(lmsw, TRAP_END, V_GP)                                                                                \
    ROW(vmmcall, V_UD, V_UD)                                                                                 \
    ROW(vmrun, V_UD, V_UD)                                                                                   \
    ROW(skinit, V_UD, V_UD)                                                                                  \
    ROW(mwaitx, V_UD, V_UD)                                                                                  \
    ROW(umonitor, V_UD, V_UD)                                                                                \
    ROW(umwait, V_UD, V_UD)                                                                                  \
    ROW(tpause, V_UD, V_UD)                                                                                  \
    ROW(loadiwkey, V_UD, V_UD)                                                                               \
    ROW(seamcall, V_UD, V_UD)

#define DECLARE(name, at_0, at_3) extern const uint8_t insn_##name[], at_##name[];
ROWS(DECLARE)

#define ENTRY(name, at_0, at_3) {#name, insn_##name, at_##name, at_0, at_3},
static const struct {
    const char *name;
    const uint8_t *code, *at;
    unsigned at_0, at_3;
} table[] = {ROWS(ENTRY)};

static void check(unsigned i, unsigned cpl, unsigned expected)
{
    report(trap.vector == expected, "%s at CPL %u: vector %lu instead of %u", table[i].name, cpl, trap.vector,
           expected);
    if (expected == TRAP_END || trap.vector != expected)
        return;
    report(trap.rip == (uint64_t)(uintptr_t)table[i].at, "%s at CPL %u: RIP %#lx, the instruction is at %#lx",
           table[i].name, cpl, trap.rip, (uint64_t)(uintptr_t)table[i].at);
    report(trap.error == 0, "%s at CPL %u: error code %#lx", table[i].name, cpl, trap.error);
}

void guest_main(const char *cmdline)
{
    (void)cmdline;
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].at_0 != NOT_RUN) {
            trap_run(table[i].code, SEL_CODE64);
            check(i, 0, table[i].at_0);
        }
        trap_user(table[i].code, SEL_USER_CODE64, 0);
        check(i, 3, table[i].at_3);
    }
    insns_system();
    insns_vmcall();
}
