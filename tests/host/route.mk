# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of routing, hv/route, on fakes of what stands below it (route_fake.c). The last one runs under the thread sanitizer, so it
# compiles the sources into one object of its own.

ROUTE_SRCS = hv/route/route.c hv/route/route_word.c hv/route/hazard.c hv/route/notifier.c hv/route/doorbell.c hv/route/pirq.c \
	tests/host/route_fake.c tests/host/pirq_fake.c

HOST_TESTS += route_word_test route_test route_notifier_test pirq_test ioapic_gsi_test
route_word_test_SRCS = tests/host/route_word_test.c hv/route/route_word.c
route_test_SRCS = tests/host/route_test.c $(ROUTE_SRCS)
route_notifier_test_SRCS = tests/host/route_notifier_test.c $(ROUTE_SRCS)
pirq_test_SRCS = tests/host/pirq_test.c $(ROUTE_SRCS)
ioapic_gsi_test_SRCS = tests/host/ioapic_gsi_test.c drivers/ioapic_gsi.c

HOST_TESTS += route_threads_test
route_threads_test_SRCS = tests/host/route_threads_test.c
route_threads_test_LIBS = -lpthread
build/host/route_threads_test: HOST_SANITIZE = -fsanitize=thread
