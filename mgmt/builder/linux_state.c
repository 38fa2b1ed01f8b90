/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux_state: see linux.h. Both entries want flat segments with the selectors 0x10 and 0x18 that a
 * GDT in memory really holds, interrupts off and the boot parameters in (R)SI; the 64-bit one also
 * wants long mode with the lower memory mapped to itself. SDM volume 3, "Guest Register State", for
 * the access rights, and "Initializing IA-32e Mode" for the control bits.
 */
#include "mgmt/builder/linux.h"

#define CR0_PE   0x1ULL
#define CR0_ET   0x10ULL
#define CR0_PG   0x80000000ULL
#define CR4_PAE  0x20ULL
#define EFER_LME 0x100ULL
#define EFER_LMA 0x400ULL

enum { ACCESS_CODE32 = 0xc09b, ACCESS_CODE64 = 0xa09b, ACCESS_DATA = 0xc093, ACCESS_TSS = 0x8b };

void linux_set_state(const struct plan *plan, struct hv_sregs *sregs, struct hv_regs *regs)
{
    const struct hv_segment data = {.limit = 0xffffffff, .selector = LINUX_BOOT_DS, .access = ACCESS_DATA};
    bool wide = plan->mode == PLAN_LINUX64;
    sregs->ds = sregs->es = sregs->ss = sregs->fs = sregs->gs = data;
    sregs->cs = (struct hv_segment){
        .limit = 0xffffffff, .selector = LINUX_BOOT_CS, .access = wide ? ACCESS_CODE64 : ACCESS_CODE32};
    sregs->tr = (struct hv_segment){.limit = 0x67, .access = ACCESS_TSS};
    sregs->gdt = (struct hv_table){.base = plan->gdt, .limit = LINUX_GDT_ENTRIES * 8 - 1};
    sregs->cr0 |= CR0_PE | CR0_ET;
    if (wide) {
        sregs->cr0 |= CR0_PG;
        sregs->cr3 = plan->cr3;
        sregs->cr4 |= CR4_PAE;
        sregs->efer |= EFER_LME | EFER_LMA;
    }
    regs->rip = plan->entry;
    regs->rsi = plan->esi;
}
