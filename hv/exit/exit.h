/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM exits: one handler per reason, all with the vCPU's VMCS current and interrupts off. A handler leaves the
 * vCPU ready to be entered again, or asks for something else by its request word; it never waits.
 */
#ifndef HV_EXIT_EXIT_H
#define HV_EXIT_EXIT_H

#include "arch/vmx/guest_cr.h"
#include "hv/core/domain.h"
#include "hv/core/vcpu.h"

typedef void exit_handler(struct vcpu *v);

/* Runs the handler for a reason; the default stops the domain with a dump. */
void exit_dispatch(struct vcpu *v, uint32_t reason);

/* For the handlers. */
void exit_inject(struct vcpu *v, uint8_t vector, uint32_t error); /* a fault of the guest's instruction */
void exit_inject_gp(struct vcpu *v);                              /* #GP(0) */
void exit_inject_ud(struct vcpu *v);
void exit_stop_domain(struct vcpu *v, enum hv_dead_reason reason, uint64_t detail); /* with a dump */
void exit_flush_guest_tlb(struct vcpu *v);

/* The handlers, by file. */
exit_handler exit_exception_nmi, exit_external_interrupt, exit_interrupt_window, exit_nmi_window; /* intr.c */
exit_handler exit_cpuid;                                                      /* cpuid.c */
exit_handler exit_rdmsr, exit_wrmsr;                                          /* msr.c */
exit_handler exit_cr_access, exit_xsetbv, exit_wbinvd;                        /* cr.c */
exit_handler exit_io;                                                         /* io.c */
exit_handler exit_ept_violation;                                              /* mmio.c */
exit_handler exit_vmcall;                                                     /* hypercall.c */
exit_handler exit_tpr_threshold, exit_eoi, exit_apic_write, exit_apic_access; /* apic.c */
exit_handler exit_hlt;                                                        /* hlt.c */

/* An access to a port of the domain's own devices, or a doorbell: done; false: neither. io.c */
bool exit_io_device(struct vcpu *v, uint16_t port, uint8_t width, bool write, uint64_t *data);

/* Finishes an access that the manager has answered. io.c, mmio.c */
void exit_io_answer(struct vcpu *v);
void exit_mmio_answer(struct vcpu *v);

/* For CR0, CR4 and EFER: cr.c. */
void exit_cr_env(struct vcpu *v, struct guest_cr_env *env);
void exit_cr_result(struct vcpu *v, enum guest_cr_result result);

#endif
