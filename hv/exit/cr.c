/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control registers, XSETBV, and the cache instructions. What the processor would check is in
 * arch/vmx/guest_cr.c.
 */
#include "arch/cpu/fpu.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/vmx/guest_cr.h"
#include "arch/vmx/guest_state.h"
#include "hv/core/gmem.h"
#include "hv/exit/apic.h"
#include "hv/exit/exit.h"
#include "hv/core/policy.h"

static bool read_pdptes(void *ctx, uint64_t cr3, uint64_t out[4])
{
    return gmem_read(ctx, cr3, out, 32) == 0;
}

void exit_cr_env(struct vcpu *v, struct guest_cr_env *env)
{
    policy_cr(v->domain, env);
    env->read_pdptes = read_pdptes;
    env->ctx = v->domain;
}

void exit_cr_result(struct vcpu *v, enum guest_cr_result result)
{
    if (result == GUEST_CR_FAULT) {
        exit_inject_gp(v);
        return;
    }
    if (result == GUEST_CR_DONE_FLUSH)
        exit_flush_guest_tlb(v);
    vm_exit_advance();
}

static uint64_t get_gpr(const struct vcpu *v, uint8_t gpr)
{
    return gpr == RSP ? guest_rsp() : v->vmx.gprs.by_index[gpr];
}

static void mov_to(struct vcpu *v, const struct vm_exit_cr *a)
{
    struct guest_cr_env env;
    uint64_t value = get_gpr(v, a->gpr);
    exit_cr_env(v, &env);
    if (!guest_code_is_64())
        value = (uint32_t)value;
    if (a->cr == 0) {
        exit_cr_result(v, guest_cr_write_cr0(&env, value));
    } else if (a->cr == 4) {
        exit_cr_result(v, guest_cr_write_cr4(&env, value));
    } else if (a->cr == 8) {
        if (apic_set_cr8(v, value))
            vm_exit_advance();
        else
            exit_inject_gp(v);
    } else {
        exit_stop_domain(v, HV_DEAD_EXIT, EXIT_CR_ACCESS);
    }
}

/* LMSW can set PE, not clear it, and touches bits 3:0 only. SDM volume 2, LMSW. */
static void lmsw(struct vcpu *v, uint16_t source)
{
    struct guest_cr_env env;
    uint64_t old = guest_cr_cr0();
    exit_cr_env(v, &env);
    exit_cr_result(v, guest_cr_write_cr0(&env, (old & ~0xeUL) | (source & 0xf) | (old & CR0_PE)));
}

void exit_cr_access(struct vcpu *v)
{
    struct vm_exit_cr a = vm_exit_cr();
    switch (a.kind) {
    case CR_MOV_TO:
        mov_to(v, &a);
        return;
    case CR_MOV_FROM:
        if (a.cr != 8)
            break;
        if (a.gpr == RSP)
            guest_set_rsp(apic_cr8(v));
        else
            v->vmx.gprs.by_index[a.gpr] = apic_cr8(v);
        vm_exit_advance();
        return;
    case CR_LMSW:
        lmsw(v, a.lmsw_source);
        return;
    case CR_CLTS:
        break;
    }
    exit_stop_domain(v, HV_DEAD_EXIT, EXIT_CR_ACCESS);
}

void exit_xsetbv(struct vcpu *v)
{
    uint64_t value = v->vmx.gprs.rdx << 32 | (uint32_t)v->vmx.gprs.rax;
    /* CR4.OSXSAVE is checked by the processor (#UD); CPL is not. */
    if ((uint32_t)v->vmx.gprs.rcx || guest_cpl() || !fpu_xcr0_valid(value)) {
        exit_inject_gp(v);
        return;
    }
    xsetbv(0, value);
    vm_exit_advance();
}

/*
 * WBINVD and INVD: caches are coherent for all memory that a guest has, so there is nothing to write back for
 * it.
 */
void exit_wbinvd(struct vcpu *v)
{
    (void)v;
    vm_exit_advance();
}
