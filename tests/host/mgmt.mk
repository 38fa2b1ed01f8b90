# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of the management domain's pure parts.

include mgmt/config/inih.mk

HOST_TESTS += mgmt_table_test mgmt_frames_test mgmt_access_test mgmt_devices_test mgmt_uart_test mgmt_plan_test mgmt_multiboot_test \
	mgmt_config_test mgmt_shell_test mgmt_domain_test mgmt_events_test mgmt_console_input_test uart_driver_test

mgmt_table_test_SRCS = tests/host/mgmt_table_test.c mgmt/shell/table.c
mgmt_frames_test_SRCS = tests/host/mgmt_frames_test.c mgmt/lib/frames.c
mgmt_access_test_SRCS = tests/host/mgmt_access_test.c mgmt/lib/access.c
mgmt_devices_test_SRCS = tests/host/mgmt_devices_test.c mgmt/lib/access.c mgmt/devices/debug_console.c \
	mgmt/devices/debug_exit.c mgmt/devices/panic_port.c mgmt/devices/post_port.c
mgmt_uart_test_SRCS = tests/host/mgmt_uart_test.c mgmt/lib/access.c mgmt/devices/uart16550.c
MGMT_PLAN_SRCS = mgmt/builder/plan.c mgmt/builder/flat.c mgmt/builder/elf.c mgmt/builder/multiboot.c mgmt/builder/pvh.c
mgmt_plan_test_SRCS = tests/host/mgmt_plan_test.c $(MGMT_PLAN_SRCS)
mgmt_multiboot_test_SRCS = tests/host/mgmt_multiboot_test.c $(MGMT_PLAN_SRCS)
mgmt_config_test_SRCS = tests/host/mgmt_config_test.c mgmt/config/config.c mgmt/config/config_keys.c
mgmt_shell_test_SRCS = tests/host/mgmt_shell_test.c mgmt/shell/shell_line.c mgmt/shell/screen.c mgmt/shell/console.c
mgmt_console_input_test_SRCS = tests/host/mgmt_console_input_test.c mgmt/lib/console_input.c
uart_driver_test_SRCS = tests/host/uart_driver_test.c drivers/uart16550.c
MGMT_LIB_SRCS = mgmt/lib/frames.c mgmt/lib/access.c mgmt/lib/domain.c mgmt/lib/domain_memory.c mgmt/lib/domain_service.c mgmt/lib/domain_adopt.c \
	mgmt/lib/events.c mgmt/lib/hv_error.c
mgmt_domain_test_SRCS = tests/host/mgmt_domain_test.c tests/host/mgmt_fake_call.c $(MGMT_LIB_SRCS)
# The whole manager but its start, its calls and the machine's clock.
MGMT_MANAGER_SRCS = $(filter-out %/call.c %/irq.c %/host_clock.c mgmt/main.c,$(sort $(wildcard mgmt/lib/*.c mgmt/builder/*.c \
	mgmt/devices/*.c mgmt/virtio/*.c mgmt/shell/*.c) mgmt/config/config_keys.c))
MGMT_FAKES = tests/host/mgmt_fake_call.c tests/host/mgmt_fake_irq.c tests/host/mgmt_fake_route.c tests/host/mgmt_fake_manager.c \
	tests/host/mgmt_fake_trace.c hv/core/trace_ring.c
HOST_TESTS += mgmt_manager_test mgmt_adopt_test mgmt_irq_shell_test mgmt_trace_test mgmt_top_test
mgmt_top_test_SRCS = tests/host/mgmt_top_test.c $(MGMT_FAKES) $(MGMT_MANAGER_SRCS)
mgmt_trace_test_SRCS = tests/host/mgmt_trace_test.c $(MGMT_FAKES) $(MGMT_MANAGER_SRCS)
mgmt_irq_shell_test_SRCS = tests/host/mgmt_irq_shell_test.c $(MGMT_FAKES) $(MGMT_MANAGER_SRCS)
mgmt_manager_test_SRCS = tests/host/mgmt_manager_test.c $(MGMT_FAKES) $(MGMT_MANAGER_SRCS)
mgmt_adopt_test_SRCS = tests/host/mgmt_adopt_test.c $(MGMT_FAKES) $(MGMT_MANAGER_SRCS)
mgmt_events_test_SRCS = tests/host/mgmt_events_test.c tests/host/mgmt_fake_call.c $(MGMT_LIB_SRCS)

# inih is compiled from the source that the manager is made of.
HOST_INIH = $(shell mgmt/config/inih.sh)
build/host/mgmt_config_test: build/host/obj/inih.o
build/host/obj/mgmt/config/config.o: HOST_CFLAGS += -isystem $(HOST_INIH) $(INIH_FLAGS)
build/host/obj/inih.o: mgmt/config/inih.mk mgmt/config/inih.sh
	@mkdir -p $(@D)
	@echo "  HOSTCC  inih"
	@$(HOST_CC) -std=c11 -g -O1 $(HOST_SANITIZE) -w $(INIH_FLAGS) -c -o $@ $(HOST_INIH)/ini.c
