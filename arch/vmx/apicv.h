/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * APIC virtualization on the current VMCS. A vCPU uses as much of it as its level and the mode of its APIC
 * allow; above this file a level is only a matter of who does what:
 *
 *   level   what the processor does                            what is left to exits
 *   none    nothing                                            CR8, all registers; injection at entry
 *   tpr     task priority (TPR shadow)                         other registers; injection at entry
 *   regs    and reads of registers                             writes; injection at entry
 *   vid     and delivery, EOI of edges, self IPI               ICR, timer, EOIs that somebody waits for
 *   pi      and takes in what other CPUs post                  the same
 *
 * SDM volume 3, chapter "APIC Virtualization and Virtual Interrupts".
 */
#ifndef ARCH_VMX_APICV_H
#define ARCH_VMX_APICV_H

#include "arch/vmx/vmcs.h"
#include "arch/vmx/vmx_caps.h"

enum apicv_level { APICV_NONE, APICV_TPR, APICV_REGS, APICV_VID, APICV_PI, APICV_LEVELS };

enum apicv_mode { APICV_OFF, APICV_XAPIC, APICV_X2APIC }; /* as enum vlapic_mode */

struct apicv {
    enum apicv_level level;
    uint64_t page_pa;   /* virtual-APIC page */
    uint64_t access_pa; /* APIC-access page; 0: accesses in xAPIC mode are EPT violations */
    uint64_t pi_pa;     /* posted-interrupt descriptor, a page of its own */
    uint8_t notify;     /* vector that makes a processor look into the descriptor */
};

/* The highest level that the processors can do. */
enum apicv_level apicv_best(const struct vmx_caps *caps);
const char *apicv_name(enum apicv_level level);

/*
 * Sets the controls for a mode of the APIC, all of them, whatever they were: each change of mode goes through
 * here, so that no control survives it (XSA-256, CVE-2016-4440). The MSR bitmap is the caller's: x2APIC MSRs
 * may be open in it only with level tpr and above in mode x2APIC.
 */
void apicv_set_mode(const struct apicv *a, enum apicv_mode mode, const struct vmx_caps *caps,
                    uint64_t msr_bitmap_pa);

/*
 * Opens in an MSR bitmap what the processor virtualizes in x2APIC mode at this level, and closes all other
 * x2APIC MSRs: reserved ones must exit, since the processor would read the page for them ("Virtualizing
 * MSR-Based APIC Accesses").
 */
void apicv_fill_bitmap(enum apicv_level level, const struct vmx_caps *caps, uint8_t bitmap[PAGE_SIZE]);

/*
 * IPI virtualization and APIC-timer virtualization, after apicv_set_mode, which turns both off: the table of
 * descriptors by APIC ID (0: off) and its last index; a deadline in the guest's ticks and in the machine's,
 * 0: not armed.
 */
void apicv_set_ipis(uint64_t table_pa, uint16_t last);
void apicv_set_timer(bool on, uint8_t vector, uint64_t deadline, uint64_t machine_deadline);
uint64_t apicv_deadline(bool *armed);
void apicv_set_bitmap(uint64_t msr_bitmap_pa);
void apicv_open_icr(uint8_t bitmap[PAGE_SIZE]);
void apicv_open_deadline(uint8_t bitmap[PAGE_SIZE]);

/* Highest requested and in-service vector. */
void apicv_set_status(uint8_t rvi, uint8_t svi);
static inline uint16_t apicv_status(void) /* RVI, SVI */
{
    return (uint16_t)vmcs_read(VMCS_GUEST_INTERRUPT_STATUS);
}
/* A vector has been requested: RVI does not fall. */
static inline void apicv_raise_rvi(uint8_t vector)
{
    uint64_t status = vmcs_read(VMCS_GUEST_INTERRUPT_STATUS);
    if ((uint8_t)status < vector)
        vmcs_write(VMCS_GUEST_INTERRUPT_STATUS, (status & ~0xffUL) | vector);
}
void apicv_set_threshold(uint8_t priority_class); /* exit when TPR's class falls below */
void apicv_set_eoi_exits(const uint64_t bitmap[4]);

#endif
