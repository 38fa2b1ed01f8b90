/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of exits. A reason that is not in it cannot happen with the controls that vmcs_init.c sets, or
 * means that the guest did something that nobody can continue: either way that one domain stops, with a dump
 * of the vCPU.
 */
#include "hv/exit/exit.h"

#include "arch/cpu/vectors.h"
#include "arch/vmx/guest_cr.h"
#include "arch/vmx/guest_state.h"
#include "arch/vmx/inject.h"
#include "arch/vmx/vmx.h"

static void exit_undefined(struct vcpu *v)
{
    exit_inject_ud(v);
}

static void exit_general_protection(struct vcpu *v)
{
    exit_inject_gp(v);
}

static void exit_triple_fault(struct vcpu *v)
{
    exit_stop_domain(v, HV_DEAD_TRIPLE_FAULT, 0);
}

/* A task switch needs the whole of the TSS machinery; no guest that we serve uses one but by accident. */
static void exit_task_switch(struct vcpu *v)
{
    exit_stop_domain(v, HV_DEAD_EXIT, EXIT_TASK_SWITCH);
}

/*
 * An INIT of the machine: somebody outside of us wants this CPU; it is not the guest's. SDM volume 3, "Other
 * Causes of VM Exits".
 */
static void exit_ignore(struct vcpu *v)
{
    log_limited(&v->domain->log_limit, LOG_WARNING, "CPU %u: INIT signal ignored", v->cpu);
}

static exit_handler *const table[EXIT_REASON_COUNT] = {
    [EXIT_EXCEPTION_NMI] = exit_exception_nmi,
    [EXIT_EXTERNAL_INTERRUPT] = exit_external_interrupt,
    [EXIT_TRIPLE_FAULT] = exit_triple_fault,
    [EXIT_INIT] = exit_ignore,
    [EXIT_INTERRUPT_WINDOW] = exit_interrupt_window,
    [EXIT_NMI_WINDOW] = exit_nmi_window,
    [EXIT_TASK_SWITCH] = exit_task_switch,
    [EXIT_CPUID] = exit_cpuid,
    [EXIT_GETSEC] = exit_undefined,
    [EXIT_HLT] = exit_hlt,
    [EXIT_INVD] = exit_wbinvd,
    [EXIT_RDPMC] = exit_general_protection,
    [EXIT_VMCALL] = exit_vmcall,
    [EXIT_VMCLEAR] = exit_undefined,
    [EXIT_VMLAUNCH] = exit_undefined,
    [EXIT_VMPTRLD] = exit_undefined,
    [EXIT_VMPTRST] = exit_undefined,
    [EXIT_VMREAD] = exit_undefined,
    [EXIT_VMRESUME] = exit_undefined,
    [EXIT_VMWRITE] = exit_undefined,
    [EXIT_VMXOFF] = exit_undefined,
    [EXIT_VMXON] = exit_undefined,
    [EXIT_CR_ACCESS] = exit_cr_access,
    [EXIT_IO] = exit_io,
    [EXIT_RDMSR] = exit_rdmsr,
    [EXIT_WRMSR] = exit_wrmsr,
    [EXIT_MWAIT] = exit_undefined,
    [EXIT_MONITOR] = exit_undefined,
    [EXIT_TPR_THRESHOLD] = exit_tpr_threshold,
    [EXIT_APIC_ACCESS] = exit_apic_access,
    [EXIT_EOI] = exit_eoi,
    [EXIT_APIC_WRITE] = exit_apic_write,
    [EXIT_EPT_VIOLATION] = exit_ept_violation,
    [EXIT_INVEPT] = exit_undefined,
    [EXIT_INVVPID] = exit_undefined,
    [EXIT_WBINVD] = exit_wbinvd,
    [EXIT_XSETBV] = exit_xsetbv,
    [EXIT_VMFUNC] = exit_undefined,
    [EXIT_ENCLS] = exit_undefined,
    [EXIT_XSAVES] = exit_undefined,
    [EXIT_XRSTORS] = exit_undefined,
};

void exit_dispatch(struct vcpu *v, uint32_t reason)
{
    exit_handler *handler = reason < EXIT_REASON_COUNT ? table[reason] : NULL;
    if (__builtin_expect(!handler, 0)) {
        bool entry = reason & EXIT_ENTRY_FAILURE;
        exit_stop_domain(v, entry ? HV_DEAD_ENTRY_FAILED : HV_DEAD_EXIT, reason);
        return;
    }
    v->exits[reason]++;
    handler(v);
}

void exit_inject(struct vcpu *v, uint8_t vector, uint32_t error)
{
    if (!inject_exception(vector, error))
        exit_triple_fault(v);
}

void exit_inject_gp(struct vcpu *v)
{
    exit_inject(v, VECTOR_GP, 0);
}

void exit_inject_ud(struct vcpu *v)
{
    exit_inject(v, VECTOR_UD, 0);
}

void exit_flush_guest_tlb(struct vcpu *v)
{
    vmx_invvpid(v->vpid);
}

static void dump(struct vcpu *v, enum hv_dead_reason reason, uint64_t detail)
{
    static const char *const why[] = {"none", "triple fault", "VM entry failed", "unhandled exit",
                                      "no memory"};
    const union gprs *g = &v->vmx.gprs;
    struct hv_sregs s = {0};
    guest_get_sregs(&s);
    log_error("domain %u \"%s\" stopped: %s, detail %#lx, vCPU %u on CPU %u", v->domain->id, v->domain->name,
              why[reason], detail, v->index, v->cpu);
    log_error("  exit reason %#x, qualification %#lx", vm_exit_reason(), vm_exit_qualification());
    log_error("  rip %04x:%016lx  rsp %016lx  rflags %08lx  %u-bit", s.cs.selector, guest_rip(), guest_rsp(),
              guest_rflags(), guest_code_bits());
    log_error("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", g->rax, g->rbx, g->rcx, g->rdx);
    log_error("  rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx", g->rsi, g->rdi, g->rbp, g->r8);
    log_error("  r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx", g->r9, g->r10, g->r11, g->r12);
    log_error("  r13 %016lx  r14 %016lx  r15 %016lx", g->r13, g->r14, g->r15);
    log_error("  cr0 %08lx  cr3 %016lx  cr4 %08lx  efer %04lx", s.cr0, s.cr3, s.cr4, s.efer);
    log_error("  cs %016lx %08x %05x  ss %04x %05x  gdt %016lx  idt %016lx", s.cs.base, s.cs.limit,
              s.cs.access, s.ss.selector, s.ss.access, s.gdt.base, s.idt.base);
}

void exit_stop_domain(struct vcpu *v, enum hv_dead_reason reason, uint64_t detail)
{
    if (!domain_is_dead(v->domain))
        dump(v, reason, detail);
    domain_kill(v->domain, reason, detail);
}
