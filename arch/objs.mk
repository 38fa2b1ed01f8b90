# SPDX-License-Identifier: BSD-2-Clause
HV_SRCS += $(addprefix arch/cpu/, entry.S desc.c fpu.c lapic.c paging.c smp.c)
HV_SRCS += $(addprefix arch/vmx/, apicv.c ept.c guest_cr.c guest_state.c inject.c vm_exit.c vmcs_check.c vmcs_init.c vmentry.S vmx_caps.c vmx.c)
