/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits by events: the machine's interrupts and NMIs, which are ours, and the guest's exceptions that are
 * intercepted.
 */
#include "arch/cpu/insn.h"
#include "arch/cpu/upcall.h"
#include "arch/cpu/vectors.h"
#include "arch/vmx/guest_state.h"
#include "arch/vmx/inject.h"
#include "hv/core/event.h"
#include "hv/core/sched.h"
#include "hv/exit/apic.h"
#include "hv/exit/exit.h"

#define DR6_FIXED 0xffff0ff0UL
#define DR6_TRAPS 0x600fUL /* B0-B3, BD, BS are reported in the qualification */
#define DR6_B     0xfUL

/*
 * #DB and #AC are intercepted because their delivery can raise them again without end (XSA-156): each time
 * round now passes here. They go on to the guest as they were. In such a loop the guest never gets to an
 * instruction, so no interrupt exits either: they are taken here. A notification among them would have made the
 * processor take what is posted, which is left to the run loop.
 */
static void reflect(struct vcpu *v, const struct vm_exit_event *e)
{
    sti_nop_cli();
    if (vcpu_posted(v))
        sched_request(v, REQUEST_EVENT);
    if (e->vector == VECTOR_DB)
        vm_exit_keep_shadow_step();
    if (e->type == INJECT_PRIV_EXCEPTION) {
        inject_int1(vm_exit_length());
        return;
    }
    inject_restore_interrupted();
    if (e->vector == VECTOR_DB) {
        /* An intercepted #DB leaves DR6 alone; what would be in it is in the qualification. */
        write_dr6((read_dr6() & ~DR6_B) | DR6_FIXED | (vm_exit_qualification() & DR6_TRAPS));
        guest_debug_exception_taken();
    }
    exit_inject(v, e->vector, e->error);
}

void exit_exception_nmi(struct vcpu *v)
{
    struct vm_exit_event e = vm_exit_interruption();
    if (e.type == INJECT_NMI) {
        /* Through the IDT: its IRET ends the blocking of NMIs that this exit has left behind. */
        inject_restore_interrupted();
        __asm__ volatile("int $2" ::: "memory");
        return;
    }
    if (e.vector == VECTOR_MC) {
        __asm__ volatile("int $18" ::: "memory");
        return;
    }
    if (e.vector == VECTOR_DB || e.vector == VECTOR_AC) {
        reflect(v, &e);
        return;
    }
    exit_stop_domain(v, HV_DEAD_EXIT, EXIT_EXCEPTION_NMI);
}

void exit_external_interrupt(struct vcpu *v)
{
    uint32_t interrupt = vm_exit_interrupt();
    (void)v;
    if (interrupt & VM_EXIT_INTERRUPT)
        hv_irq((uint8_t)interrupt);
}

void exit_interrupt_window(struct vcpu *v)
{
    if (v->apic)
        apic_window(v);
    else
        event_window(v, false);
}

void exit_nmi_window(struct vcpu *v)
{
    event_window(v, true);
}
