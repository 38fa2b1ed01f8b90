# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of the devices of a PC and of the Linux boot protocol in the management domain.

HOST_TESTS += mgmt_linux_test

mgmt_linux_test_SRCS = tests/host/mgmt_linux_test.c mgmt/builder/plan.c mgmt/builder/linux.c mgmt/builder/linux_state.c \
	mgmt/builder/elf.c mgmt/builder/multiboot.c mgmt/builder/pvh.c
