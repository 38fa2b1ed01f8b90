/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EPT violations: the guest has touched an address without memory, or written to read-only memory. Data
 * accesses are emulated; the rest gets what a machine with nothing at that address would give. SDM volume 3,
 * "Exit Qualification for EPT Violations".
 */
#include "arch/cpu/insn.h"
#include "arch/cpu/vectors.h"
#include "arch/vmx/guest_state.h"
#include "arch/vmx/inject.h"
#include "guest_abi/apic.h"
#include "hv/core/domain_mem.h"
#include "hv/exit/emulate.h"
#include "hv/exit/exit.h"
#include "hv/route/doorbell.h"

#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER     BIT(2)
#define PF_RESERVED BIT(3)

/*
 * The processor saw no entry, so there was none; unless it remembers a table that has gone (arch/vmx/ept.h), or
 * the domain gets its memory when it touches it.
 */
static inline bool is_hole(const struct domain *d)
{
    return d->id && !atomic_load_relaxed(&d->ept.retired);
}

void exit_ept_violation(struct vcpu *v)
{
    struct vm_exit_memory m = vm_exit_memory();
    m.hole = m.hole && is_hole(v->domain);
    uint64_t access = (m.read ? EPT_R : 0) | (m.write ? EPT_W : 0) | (m.fetch ? EPT_X : 0);
    if (!m.hole && domain_mem_refault(v->domain, m.gpa, access)) {
        inject_restore_interrupted();
        return;
    }
    if (m.during_delivery) {
        /* The IDT, GDT, TSS or stack that an event needs is not memory: the event can never be delivered. */
        inject_restore_interrupted();
        exit_stop_domain(v, HV_DEAD_EXIT, EXIT_EPT_VIOLATION);
        return;
    }
    if (m.page_walk) {
        /* An absent page table reads all ones, so its entries are present with reserved bits set. */
        write_cr2(m.linear);
        exit_inject(v, VECTOR_PF,
                    (uint32_t)(PF_PRESENT | PF_RESERVED | (m.write ? PF_WRITE : 0) |
                               (guest_cpl() == 3 ? PF_USER : 0)));
        return;
    }
    if (m.fetch) {
        /* An empty bus reads FF FF: an undefined opcode. */
        exit_inject_ud(v);
        return;
    }
    emulate_memory(v, m.gpa, m.linear_valid ? m.linear : EMULATE_LINEAR_UNKNOWN, m.write, m.hole);
}

/*
 * The short way (vmentry.S): a store to a doorbell that takes any. How wide it is does not matter then, only how
 * long. The length in the VMCS is what processors give, but the SDM does not define it here, and a
 * read-modify-write may look like a store: so it must be the length of a store that was decoded at this RIP
 * (emulate.c), and of the kernel's code, which is the same in all address spaces.
 */
int32_t hv_fast_ept_violation(struct vmx_context *c)
{
    struct vcpu *v = (struct vcpu *)c;
    uint64_t rip = guest_rip(), length = vm_exit_length();
    if (v->emulation.stores[rip % VCPU_STORES] != emulate_store_key(rip, length) ||
        !vm_exit_is_store_to_hole() || guest_cpl() || atomic_load_relaxed(&v->domain->ept.retired))
        return VMX_FAST_NOT;
    uint64_t gpa = vm_exit_gpa();
    const struct doorbell *b = NULL;
    if (gpa >> PAGE_SHIFT != APIC_PAGE_DEFAULT >> PAGE_SHIFT)
        b = doorbell_begin(v->domain, HV_CLAIM_MMIO, gpa, 0, 0);
    if (!b)
        return VMX_FAST_NOT;
    percpu_count_exit();
    v->exits[EXIT_EPT_VIOLATION]++;
    vm_exit_advance_from(rip, length);
    doorbell_end(b);
    return (int32_t)atomic_load_relaxed(&v->requests);
}

void exit_mmio_answer(struct vcpu *v)
{
    emulate_answer(v, atomic_load_relaxed(&v->service->mmio.data));
}
