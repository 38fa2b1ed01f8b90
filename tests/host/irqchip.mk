# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of the virtual I/O APIC, 8259 pair and 8254, hv/irqchip: pure models, each alone.

HOST_TESTS += vpit_test
vpit_test_SRCS = tests/host/vpit_test.c hv/irqchip/vpit.c

HOST_TESTS += vpic_test
vpic_test_SRCS = tests/host/vpic_test.c hv/irqchip/vpic.c

HOST_TESTS += vioapic_test
vioapic_test_SRCS = tests/host/vioapic_test.c hv/irqchip/vioapic.c
