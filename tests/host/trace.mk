# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of tracing: the rings, which are pure.

HOST_TESTS += trace_ring_test
trace_ring_test_SRCS = tests/host/trace_ring_test.c hv/core/trace_ring.c
trace_ring_test_LIBS = -lpthread
