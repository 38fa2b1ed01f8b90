/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold of every VMCS before every entry, whatever happened: for debug builds (make DEBUG=1). */
#ifndef ARCH_VMX_VMCS_CHECK_H
#define ARCH_VMX_VMCS_CHECK_H

#include "arch/vmx/vmx_context.h"

/*
 * On the current VMCS, which is to be c's, with the MSR bitmap that it should use. NULL, or which invariant
 * is broken.
 */
const char *vmcs_invariants(const struct vmx_context *c, uint64_t eptp, const void *msr_bitmap,
                            uint64_t msr_bitmap_pa);

#endif
