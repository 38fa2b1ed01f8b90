# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of memory: extended page tables, frame table, guest page walk, page pool, placement at start; and of the
# CPUID and MSR policies, formatting and the log.

HOST_TESTS += ept_test
ept_test_SRCS = tests/host/ept_test.c arch/vmx/ept.c

HOST_TESTS += frame_test
frame_test_SRCS = tests/host/frame_test.c hv/core/frame.c

HOST_TESTS += guest_walk_test
guest_walk_test_SRCS = tests/host/guest_walk_test.c hv/core/guest_walk.c

HOST_TESTS += msr_policy_test
msr_policy_test_SRCS = tests/host/msr_policy_test.c hv/core/msr_policy.c

HOST_TESTS += cpuid_policy_test
cpuid_policy_test_SRCS = tests/host/cpuid_policy_test.c hv/core/cpuid_policy.c hv/core/cpuid_mask.c

HOST_TESTS += page_test ram_test fmt_test log_test
page_test_SRCS = tests/host/page_test.c hv/core/page.c
ram_test_SRCS = tests/host/ram_test.c hv/core/ram.c
fmt_test_SRCS = tests/host/fmt_test.c hv/core/fmt.c
log_test_SRCS = tests/host/log_test.c hv/core/log.c hv/core/fmt.c
