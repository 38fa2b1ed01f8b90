# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzz targets of the management domain: kernels of the Linux boot protocol, devices of a PC.

FUZZ_MINUTE_TARGETS += mgmt_linux mgmt_rtc mgmt_acpi_pm mgmt_ports
FUZZ_TARGETS += mgmt_linux mgmt_rtc mgmt_acpi_pm mgmt_ports

mgmt_linux_FUZZ_SRCS = mgmt/builder/plan.c mgmt/builder/linux.c mgmt/builder/linux_state.c
MGMT_PC_FUZZ_SRCS = mgmt/lib/access.c mgmt/devices/rtc.c mgmt/devices/rtc_time.c mgmt/devices/acpi_pm.c \
	mgmt/devices/reset_control.c mgmt/devices/i8042.c mgmt/devices/pci_host.c \
	mgmt/devices/debug_console.c mgmt/devices/debug_exit.c mgmt/devices/post_port.c
mgmt_rtc_FUZZ_SRCS = $(MGMT_PC_FUZZ_SRCS)
mgmt_acpi_pm_FUZZ_SRCS = $(MGMT_PC_FUZZ_SRCS)
mgmt_ports_FUZZ_SRCS = $(MGMT_PC_FUZZ_SRCS)

build/fuzz/seeds/mgmt-pc-stamp: tests/fuzz/mgmt_pc_seeds.py
	@python3 tests/fuzz/mgmt_pc_seeds.py build/fuzz/seeds
	@touch $@
fuzz-build: build/fuzz/seeds/mgmt-pc-stamp
