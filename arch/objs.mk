# SPDX-License-Identifier: BSD-2-Clause
HV_SRCS += $(addprefix arch/cpu/, entry.S desc.c lapic.c paging.c smp.c)
HV_SRCS += $(addprefix arch/vmx/, ept.c vmx_caps.c vmx.c)
