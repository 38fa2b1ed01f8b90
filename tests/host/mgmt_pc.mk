# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of the devices of a PC and of the Linux boot protocol in the management domain.

HOST_TESTS += mgmt_linux_test

mgmt_linux_test_SRCS = tests/host/mgmt_linux_test.c mgmt/builder/plan.c mgmt/builder/linux.c mgmt/builder/linux_state.c \
	mgmt/builder/elf.c mgmt/builder/multiboot.c mgmt/builder/pvh.c

HOST_TESTS += mgmt_rtc_test mgmt_pc_test

mgmt_rtc_test_SRCS = tests/host/mgmt_rtc_test.c mgmt/devices/rtc.c mgmt/devices/rtc_time.c mgmt/lib/access.c
mgmt_pc_test_SRCS = tests/host/mgmt_pc_test.c mgmt/devices/acpi_pm.c mgmt/devices/pci_host.c mgmt/devices/reset_control.c \
	mgmt/devices/i8042.c mgmt/lib/access.c

# The tables of domains, read by the hypervisor's own parsers and, where it is there, by iasl.
HOST_TESTS += mgmt_acpi_test
mgmt_acpi_test_SRCS = tests/host/mgmt_acpi_test.c mgmt/builder/acpi.c mgmt/builder/plan.c mgmt/builder/linux.c mgmt/builder/pvh.c \
	mgmt/builder/multiboot.c mgmt/builder/elf.c $(ACPI_SRCS)
build/host/mgmt_acpi_test: build/host/obj/dsdt.o
build/host/obj/dsdt.c: mgmt/builder/dsdt.asl mgmt/builder/dsdt.sh
	@mgmt/builder/dsdt.sh $@
build/host/obj/dsdt.o: build/host/obj/dsdt.c mgmt/builder/acpi.h
	@$(HOST_CC) $(HOST_CFLAGS) -c -o $@ $<
