/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a vCPU's state is. While it runs, the VMCS is current on its CPU and the state that hardware does not
 * switch (extended state, SYSCALL MSRs, debug registers, CR2) is live there: `pcpu->loaded`. Both stay there
 * after it has stopped running, until another vCPU takes the CPU or somebody needs the state elsewhere. So a
 * vCPU that sleeps and wakes alone on its CPU costs no switch.
 *
 *   pcpu->loaded == v     current VMCS and live switched state, on that CPU
 *   v->vmcs_on == cpu     the VMCS is active there (VMPTRLD was done, VMCLEAR not yet): it must be cleared there before another CPU loads it
 *
 * Only the CPU named by vmcs_on changes either, so moving a vCPU is a call to that CPU.
 */
#include "arch/cpu/fpu.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/smp.h"
#include "arch/vmx/guest_state.h"
#include "arch/vmx/vmcs_init.h"
#include "hv/core/domain.h"
#include "hv/core/panic.h"
#include "hv/core/pcpu.h"
#include "hv/core/vcpu.h"

static void save_switched(struct vcpu *v)
{
    struct vcpu_switched *s = &v->switched;
    s->xcr0 = fpu_xcr0_max() ? xgetbv(0) : 0;
    fpu_save(v->xsave);
    s->kernel_gs_base = rdmsr(MSR_IA32_KERNEL_GS_BASE);
    s->cr2 = read_cr2();
    s->dr[0] = read_dr0();
    s->dr[1] = read_dr1();
    s->dr[2] = read_dr2();
    s->dr[3] = read_dr3();
    s->dr6 = read_dr6();
}

/* Only what differs is written: guests of one kind share most values, and these writes take long. */
static inline void follow_msr(uint32_t msr, uint64_t old, uint64_t value)
{
    if (old != value)
        wrmsr(msr, value);
}

#define EXCHANGE_DR(n, value)                                                                                \
    ({                                                                                                       \
        uint64_t old_ = read_dr##n(), new_ = (value);                                                        \
        if (old_ != new_)                                                                                    \
            write_dr##n(new_);                                                                               \
        old_;                                                                                                \
    })

/* From one vCPU to the next: its state out and the other's in, register by register. */
static void exchange_switched(struct vcpu *from, const struct vcpu *to)
{
    struct vcpu_switched *out = &from->switched;
    const struct vcpu_switched *in = &to->switched;
    out->xcr0 = fpu_exchange(from->xsave, to->xsave, in->xcr0);
    follow_msr(MSR_IA32_STAR, out->star, in->star);
    follow_msr(MSR_IA32_LSTAR, out->lstar, in->lstar);
    follow_msr(MSR_IA32_CSTAR, out->cstar, in->cstar);
    follow_msr(MSR_IA32_FMASK, out->fmask, in->fmask);
    if (out->tsc_aux != in->tsc_aux && pcpu_self()->has_tsc_aux)
        wrmsr(MSR_IA32_TSC_AUX, in->tsc_aux);
    out->kernel_gs_base = rdmsr(MSR_IA32_KERNEL_GS_BASE);
    follow_msr(MSR_IA32_KERNEL_GS_BASE, out->kernel_gs_base, in->kernel_gs_base);
    out->cr2 = read_cr2();
    write_cr2(in->cr2);
    out->dr[0] = EXCHANGE_DR(0, in->dr[0]);
    out->dr[1] = EXCHANGE_DR(1, in->dr[1]);
    out->dr[2] = EXCHANGE_DR(2, in->dr[2]);
    out->dr[3] = EXCHANGE_DR(3, in->dr[3]);
    out->dr6 = EXCHANGE_DR(6, in->dr6);
}

/* The same when nobody's state is in the processor. */
static void restore_switched(const struct vcpu *v)
{
    const struct vcpu_switched *s = &v->switched;
    fpu_restore(v->xsave, s->xcr0);
    wrmsr(MSR_IA32_STAR, s->star);
    wrmsr(MSR_IA32_LSTAR, s->lstar);
    wrmsr(MSR_IA32_CSTAR, s->cstar);
    wrmsr(MSR_IA32_FMASK, s->fmask);
    wrmsr(MSR_IA32_KERNEL_GS_BASE, s->kernel_gs_base);
    if (pcpu_self()->has_tsc_aux)
        wrmsr(MSR_IA32_TSC_AUX, s->tsc_aux);
    write_cr2(s->cr2);
    write_dr0(s->dr[0]);
    write_dr1(s->dr[1]);
    write_dr2(s->dr[2]);
    write_dr3(s->dr[3]);
    write_dr6(s->dr6);
}

bool vcpu_write_switched(struct vcpu *v, uint32_t msr, uint64_t value)
{
    struct vcpu_switched *s = &v->switched;
    bool address = msr == MSR_IA32_LSTAR || msr == MSR_IA32_CSTAR;
    if (address ? !guest_canonical(value) : msr != MSR_IA32_STAR && value >> 32)
        return false;
    if (msr == MSR_IA32_TSC_AUX && !pcpu_self()->has_tsc_aux)
        return false;
    *(msr == MSR_IA32_TSC_AUX ? &s->tsc_aux : &s->syscall[(msr - MSR_IA32_STAR) & 3]) = value;
    wrmsr(msr, value);
    return true;
}

/* On the CPU that has it. */
static void unload_here(void *arg)
{
    struct vcpu *v = arg;
    struct pcpu *p = pcpu_self();
    if (v->vmcs_on != p->arch.index)
        return;
    if (p->loaded == v) {
        hv_assert(!v->running || v->cpu != p->arch.index); /* it may be about to run elsewhere */
        save_switched(v);
        p->loaded = NULL;
    }
    vmx_context_clear(&v->vmx);
    v->vmcs_on = VCPU_NOWHERE;
}

void vcpu_unload(struct vcpu *v)
{
    uint32_t cpu = atomic_load_acquire(&v->vmcs_on);
    if (cpu != VCPU_NOWHERE)
        smp_call(&pcpu_table[cpu]->arch, unload_here, v);
}

void vcpu_load(struct vcpu *v)
{
    struct pcpu *p = pcpu_self();
    if (p->loaded == v)
        return;
    if (v->vmcs_on != p->arch.index)
        vcpu_unload(v);
    /* The call above serves calls from others meanwhile, so `loaded` is read afterwards. */
    struct vcpu *from = p->loaded;
    vmx_context_load(&v->vmx);
    if (v->vmcs_on != p->arch.index) {
        vmcs_set_cpu();
        v->vmcs_on = p->arch.index;
        /* Before the first entry here: from now on an invalidation must reach this CPU. */
        atomic_fetch_or_full(&v->domain->ran_on, BIT(p->arch.index));
    }
    p->loaded = v;
    if (from)
        exchange_switched(from, v);
    else
        restore_switched(v);
}

void vcpu_reload(struct vcpu *v)
{
    vmcs_set_cpu();
    restore_switched(v);
}

void vcpu_access_begin(struct vcpu *v)
{
    vcpu_unload(v);
    vmx_context_load(&v->vmx);
}

void vcpu_access_end(struct vcpu *v)
{
    struct pcpu *p = pcpu_self();
    vmx_context_clear(&v->vmx);
    if (p->loaded)
        vmx_context_load(&p->loaded->vmx);
}
