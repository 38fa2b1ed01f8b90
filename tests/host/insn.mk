# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests of the instruction decoder, hv/core/insn_decode.c and insn_exec.c.
#
#   insn_zydis      compares with Zydis (package libzydis-dev): [count [seed]], default 3 million instructions
#   insn_exec_test  compares with this machine's processor (x86-64 only): [count [seed]], default 100000 cases
#   insn_rows_test  rows worked out from the manual for what the processor cannot be asked here
#   insn_fuzz       libFuzzer target, built with clang only; not in HOST_TESTS because it has no end of its own

HOST_TESTS += insn_zydis
insn_zydis_SRCS = tests/host/insn_zydis.c hv/core/insn_decode.c
insn_zydis_LIBS = -lZydis

HOST_TESTS += insn_exec_test
insn_exec_test_SRCS = tests/host/insn_exec_test.c hv/core/insn_decode.c hv/core/insn_exec.c

HOST_TESTS += insn_rows_test
insn_rows_test_SRCS = tests/host/insn_rows_test.c hv/core/insn_decode.c hv/core/insn_exec.c

HOST_FUZZERS += insn_fuzz
insn_fuzz_SRCS = tests/host/insn_fuzz.c hv/core/insn_decode.c hv/core/insn_exec.c
