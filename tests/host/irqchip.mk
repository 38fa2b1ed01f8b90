# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of the virtual I/O APIC, 8259 pair and 8254, hv/irqchip: pure models, each alone.

HOST_TESTS += vioapic_test vioapic_eoi_test vioapic_state_test
vioapic_test_SRCS = tests/host/vioapic_test.c hv/irqchip/vioapic.c
vioapic_eoi_test_SRCS = tests/host/vioapic_eoi_test.c hv/irqchip/vioapic.c
vioapic_state_test_SRCS = tests/host/vioapic_state_test.c hv/irqchip/vioapic.c

HOST_TESTS += vpic_test vpic_ref_test vpic_state_test
vpic_test_SRCS = tests/host/vpic_test.c hv/irqchip/vpic.c
vpic_ref_test_SRCS = tests/host/vpic_ref_test.c hv/irqchip/vpic.c
vpic_state_test_SRCS = tests/host/vpic_state_test.c hv/irqchip/vpic.c

HOST_TESTS += vpit_test vpit_ref_test vpit_irq_test vpit_state_test
vpit_test_SRCS = tests/host/vpit_test.c hv/irqchip/vpit.c
vpit_ref_test_SRCS = tests/host/vpit_ref_test.c hv/irqchip/vpit.c
vpit_irq_test_SRCS = tests/host/vpit_irq_test.c hv/irqchip/vpit.c
vpit_state_test_SRCS = tests/host/vpit_state_test.c hv/irqchip/vpit.c
