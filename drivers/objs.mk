# SPDX-License-Identifier: BSD-2-Clause
HV_SRCS += $(addprefix drivers/, acpi.c acpi_madt.c acpi_fadt.c acpi_dmar.c ioapic.c ioapic_gsi.c pic8259.c tsc.c uart16550.c uart_config.c)
