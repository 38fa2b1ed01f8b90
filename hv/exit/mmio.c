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
#include "hv/core/domain_mem.h"
#include "hv/exit/emulate.h"
#include "hv/exit/exit.h"

#define PF_PRESENT  BIT(0)
#define PF_WRITE    BIT(1)
#define PF_USER     BIT(2)
#define PF_RESERVED BIT(3)

void exit_ept_violation(struct vcpu *v)
{
    struct vm_exit_memory m = vm_exit_memory();
    uint64_t access = (m.read ? EPT_R : 0) | (m.write ? EPT_W : 0) | (m.fetch ? EPT_X : 0);
    if (domain_mem_refault(v->domain, m.gpa, access)) {
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
    emulate_memory(v, m.gpa, m.write);
}

void exit_mmio_answer(struct vcpu *v)
{
    emulate_answer(v, atomic_load_relaxed(&v->service->mmio.data));
}
