/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and freeing vCPUs: three pages each (the struct, the VMCS, the XSAVE area), all on the account of
 * the domain. Under the management lock.
 */
#include "hv/core/vcpu.h"

#include <string.h>

#include "arch/cpu/fpu.h"
#include "arch/cpu/insn.h"
#include "arch/cpu/msr.h"
#include "arch/vmx/guest_state.h"
#include "arch/vmx/vmcs_init.h"
#include "hv/core/domain.h"
#include "hv/core/irq_level.h"
#include "hv/core/notify.h"
#include "hv/core/page.h"
#include "hv/core/readiness.h"
#include "hv/core/sched.h"

_Static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "one page");
_Static_assert(offsetof(struct vcpu, vmx) == 0, "vmentry.S works on the head");

#define DR6_RESET         0xffff0ff0UL
#define MISC_ENABLE_RESET 0x1UL /* fast strings; Linux takes ERMS and FSRM from CPUID only with it */

/* VPID 0 is the hypervisor's own. Unique while domains and vCPUs are bounded: 256 * 64 - 1 < 65536. */
static uint16_t vpid_of(const struct domain *d, uint32_t index)
{
    return (uint16_t)(1U + d->id * CONFIG_MAX_VCPUS + index);
}
_Static_assert(CONFIG_MAX_DOMAINS *CONFIG_MAX_VCPUS < 65536, "VPIDs are 16 bits");

/* With v's VMCS current: the state after power-up. */
static void reset_vmcs(struct vcpu *v)
{
    struct domain *d = v->domain;
    const struct vmcs_setup setup = {
        .caps = readiness_caps(),
        .msr_bitmap_pa = page_pa(d->msr_bitmap),
        .io_bitmap_a_pa = page_pa(d->io_bitmap[0]),
        .io_bitmap_b_pa = page_pa(d->io_bitmap[1]),
        .eptp = ept_pointer(&d->ept),
        .vpid = v->vpid,
        .tsc_offset = v->tsc_offset,
    };
    v->msr_bitmap = d->msr_bitmap;
    vmcs_init(&v->vmx, &setup);
}

static void reset_registers(struct vcpu *v)
{
    memset(v->xsave, 0, PAGE_SIZE);
    fpu_reset(v->xsave);
    v->switched = (struct vcpu_switched){.xcr0 = fpu_xcr0_max() ? XCR0_X87 : 0, .dr6 = DR6_RESET};
    v->misc_enable = MISC_ENABLE_RESET;
    memset(&v->vmx.gprs, 0, sizeof(v->vmx.gprs));
    v->vmx.gprs.rdx = cpuid(1, 0).eax; /* SDM volume 3, state after reset: EDX identifies the processor */
}

void vcpu_reset_here(struct vcpu *v)
{
    timer_cancel(&v->wait_timer);
    v->halted = v->waiting = false;
    v->nmi_pending = v->external_pending = 0;
    v->cr8 = 0;
    reset_registers(v);
    reset_vmcs(v);
    vcpu_reload(v);
}

/*
 * SDM volume 3, table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT": of what
 * software sees, x87 and vector state, TSC and most MSRs stay.
 */
void vcpu_init_here(struct vcpu *v)
{
    uint64_t pat = guest_pat();
    timer_cancel(&v->wait_timer);
    v->halted = v->waiting = false;
    v->nmi_pending = 0;
    memset(&v->vmx.gprs, 0, sizeof(v->vmx.gprs));
    v->vmx.gprs.rdx = cpuid(1, 0).eax;
    write_cr2(0);
    write_dr6(DR6_RESET);
    reset_vmcs(v);
    guest_set_pat(pat);
    vmcs_set_cpu();
}

int vcpu_create(struct domain *d, uint32_t index, struct hv_service *service, struct vcpu **out)
{
    struct vcpu *v = domain_page_alloc(d);
    void *vmcs = domain_page_alloc(d);
    void *xsave = domain_page_alloc(d);
    void *apic = d->irqchip ? domain_page_alloc(d) : NULL,
         *apic_page = d->irqchip ? domain_page_alloc(d) : NULL;
    if (!v || !vmcs || !xsave || (d->irqchip && (!apic || !apic_page))) {
        domain_page_free(d, apic_page);
        domain_page_free(d, apic);
        domain_page_free(d, xsave);
        domain_page_free(d, vmcs);
        domain_page_free(d, v);
        return -HV_ENOMEM;
    }
    static const uint64_t nothing;
    v->domain = d;
    v->index = index;
    v->posted = &nothing;
    v->service = service;
    v->xsave = xsave;
    v->apic = apic;
    v->apic_page = apic_page;
    v->vmx.vmcs = vmcs;
    v->vmx.vmcs_pa = page_pa(vmcs);
    v->vmcs_on = VCPU_NOWHERE;
    v->vpid = vpid_of(d, index);
    v->wait_timer.fire = notify_deadline;
    irq_level_init(v);
    v->tsc_offset = d->tsc_offset;
    *(uint32_t *)vmcs = (uint32_t)field_get(readiness_caps()->basic, 30, 0);
    reset_registers(v);
    vmx_context_clear(&v->vmx);
    vcpu_access_begin(v);
    reset_vmcs(v);
    vcpu_access_end(v);
    sched_add(v);
    d->vcpu_count++;
    *out = v;
    return 0;
}

void vcpu_publish(struct vcpu *v)
{
    __atomic_store_n(&v->domain->vcpu[v->index], v, __ATOMIC_RELEASE);
}

void vcpu_free(struct vcpu *v)
{
    struct domain *d = v->domain;
    vcpu_unload(v);
    sched_remove(v);
    d->vcpu_count--;
    domain_page_free(d, v->timer_bitmap);
    domain_page_free(d, v->apic_page);
    domain_page_free(d, v->apic);
    domain_page_free(d, v->xsave);
    domain_page_free(d, v->vmx.vmcs);
    domain_page_free(d, v);
}
