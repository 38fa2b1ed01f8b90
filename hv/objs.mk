# SPDX-License-Identifier: BSD-2-Clause
HV_SRCS += hv/main.c
HV_SRCS += $(addprefix hv/core/, cpus.c fmt.c frame.c irq.c log.c machine.c memory.c options.c page.c panic.c pcpu.c ram.c readiness.c symtab.c)
