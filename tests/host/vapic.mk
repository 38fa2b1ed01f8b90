# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of the virtual local APIC, hv/vapic: no fake anywhere, the model is pure. The last one runs under the thread sanitizer, so it
# compiles the sources into one object of its own.

VAPIC_SRCS = $(addprefix hv/vapic/, vlapic.c vlapic_base.c vlapic_event.c vlapic_icr.c vlapic_lvt.c vlapic_map.c vlapic_reg.c \
	vlapic_state.c vlapic_timer.c vlapic_write.c)

HOST_TESTS += vapic_core_test vapic_mode_test vapic_reg_test vapic_icr_test vapic_map_test vapic_timer_test vapic_state_test
vapic_core_test_SRCS = tests/host/vapic_core_test.c $(VAPIC_SRCS)
vapic_mode_test_SRCS = tests/host/vapic_mode_test.c $(VAPIC_SRCS)
vapic_reg_test_SRCS = tests/host/vapic_reg_test.c $(VAPIC_SRCS)
vapic_icr_test_SRCS = tests/host/vapic_icr_test.c $(VAPIC_SRCS)
vapic_map_test_SRCS = tests/host/vapic_map_test.c $(VAPIC_SRCS)
vapic_timer_test_SRCS = tests/host/vapic_timer_test.c $(VAPIC_SRCS)
vapic_state_test_SRCS = tests/host/vapic_state_test.c $(VAPIC_SRCS)

HOST_TESTS += vapic_threads_test
vapic_threads_test_SRCS = tests/host/vapic_threads_test.c
vapic_threads_test_LIBS = -lpthread
build/host/vapic_threads_test: HOST_SANITIZE = -fsanitize=thread
