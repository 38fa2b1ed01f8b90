# SPDX-License-Identifier: BSD-2-Clause
#
# Test targets. The Makefile includes this file; alone (make -f tests/tests.mk TARGET) it serves for what needs no hypervisor.
#
# What is run, in which order and with which limits stands in tests/tests.cfg; tests/run.py runs it and counts everything into
# one last line. Here are the targets, and the recipes of what the records build.

include tests/host/host.mk
include tests/fuzz/fuzz.mk
-include tests/manager/manager.mk
-include tests/guest/guests.mk
-include tests/guest/linux/linux.mk
-include tests/linux/linux.mk

.PHONY: check test boot-tests host-list fuzz-list fuzz-minute-list

check: ## the fast tests: format, headers, layers, both compilers, host tests
	@tools/deps.sh build check
	@tests/run.py --group check

test: ## all tests; logs in build/test-logs, results in build/test-results.json
	@tools/deps.sh build test check
	@tests/run.py

boot-tests: ## the boot tests alone
	@tools/deps.sh build test
	@tests/run.py --group boot

host-list:
	@echo $(HOST_TESTS)

fuzz-list:
	@echo $(filter-out $(FUZZ_MINUTE_TARGETS),$(FUZZ_TARGETS))

fuzz-minute-list:
	@echo $(FUZZ_MINUTE_TARGETS)

# ---- the hostile loader: 32-bit, freestanding, no library --------------------------------------------------------------
LOADER_CC     ?= gcc
LOADER_CFLAGS := -m32 -std=c11 -O2 -ffreestanding -mgeneral-regs-only -fno-pic -fno-pie -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns --param=min-pagesize=0 -I. \
	-Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wmissing-prototypes -Wstrict-prototypes \
	-Wvla -Wswitch-enum -Wundef
LOADER_LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments
LOADER_SRCS    := $(addprefix tests/boot/loader/, start.S main.c image.c acpi.c storm.c text.c)

build/tests/loader.elf: $(LOADER_SRCS) tests/boot/loader/loader.ld tests/tests.mk \
		$(wildcard tests/boot/loader/*.h boot/*.h guest_abi/*.h)
	@mkdir -p $(@D)
	@echo "  LOADER  $@"
	@$(LOADER_CC) $(LOADER_CFLAGS) $(LOADER_LDFLAGS) -Wl,-T,tests/boot/loader/loader.ld -o $@ $(LOADER_SRCS)

# The least first module: HLT, JMP to the HLT. It does nothing and stays.
build/tests/halt.bin: tests/tests.mk
	@mkdir -p $(@D)
	@printf '\364\353\375' > $@
