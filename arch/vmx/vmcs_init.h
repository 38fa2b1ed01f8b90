/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling a new VMCS: controls, host state, guest reset state. */
#ifndef ARCH_VMX_VMCS_INIT_H
#define ARCH_VMX_VMCS_INIT_H

#include "arch/vmx/vmx_context.h"

/* What a vCPU's controls point at; physical addresses. */
struct vmcs_setup {
    const struct vmx_caps *caps;
    uint64_t msr_bitmap_pa;
    uint64_t io_bitmap_a_pa, io_bitmap_b_pa;
    uint64_t eptp;
    uint16_t vpid;
    uint64_t tsc_offset;
};

/*
 * With c's VMCS loaded on this CPU: everything but what vmcs_set_cpu writes. The guest is in the state after
 * power-up (SDM volume 3, "Processor State After Reset"): real mode at 0xfffffff0.
 */
void vmcs_init(struct vmx_context *c, const struct vmcs_setup *setup);

/* With the VMCS loaded: the host state that differs from CPU to CPU. Whenever a VMCS comes to another CPU. */
void vmcs_set_cpu(void);

/* The part of it that changes when this CPU is traced, or not any more: where VM exits enter. */
void vmcs_set_exit(void);

#endif
