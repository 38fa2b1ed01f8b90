# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzz targets (libFuzzer under ASan and UBSan) for the parsers of what firmware, loaders and users hand us.
#
#   make -f tests/fuzz/fuzz.mk fuzz-short                  each target for FUZZ_SECONDS (10), from seeds and kept inputs
#   make -f tests/fuzz/fuzz.mk fuzz                        the same for FUZZ_LONG_SECONDS (1800), FUZZ_JOBS at a time
#   make -f tests/fuzz/fuzz.mk fuzz-short FUZZ_TARGETS=acpi
#   build/fuzz/acpi FILE                                   one input again, for example one found before
#
# Seeds are written by tests/fuzz/seeds.py to build/fuzz/seeds/<target>. New inputs stay in build/fuzz/corpus/<target>; an
# input that fails lands in build/fuzz/found/ and fails the run. A new target is a line here and fuzz_<name>.c.

FUZZ_CC ?= clang
FUZZ_SECONDS ?= 10
FUZZ_LONG_SECONDS ?= 1800
FUZZ_JOBS ?= 2
FUZZ_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -g -O1 -fno-omit-frame-pointer -I. -Wall -Wextra -Werror \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

# Those that run for a minute each in `make test`, two at a time: what users and guests hand us; the others get ten seconds.
FUZZ_MINUTE_TARGETS :=
FUZZ_TARGETS := multiboot1 multiboot2 pvh cmdline acpi

FUZZ_BOOT = boot/boot_info.c boot/boot_memmap.c
multiboot1_FUZZ_SRCS = boot/multiboot.c $(FUZZ_BOOT)
multiboot2_FUZZ_SRCS = boot/multiboot2.c $(FUZZ_BOOT)
pvh_FUZZ_SRCS = boot/pvh.c $(FUZZ_BOOT)
cmdline_FUZZ_SRCS = boot/cmdline.c drivers/uart_config.c
acpi_FUZZ_SRCS = drivers/acpi.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/acpi_dmar.c

-include $(filter-out tests/fuzz/fuzz.mk,$(sort $(wildcard tests/fuzz/*.mk)))

ifeq ($(firstword $(MAKEFILE_LIST)),tests/fuzz/fuzz.mk)
MAKEFLAGS += -j$(FUZZ_JOBS)
.DEFAULT_GOAL := fuzz-short
endif

FUZZ_HEADERS = $(wildcard tests/fuzz/*.h tests/host/*.h boot/*.h drivers/*.h)
$(foreach t,$(FUZZ_TARGETS),$(eval build/fuzz/$(t): tests/fuzz/fuzz_$(t).c $($(t)_FUZZ_SRCS)))

$(FUZZ_TARGETS:%=build/fuzz/%): $(FUZZ_HEADERS) tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	@echo "  FUZZCC  $@"
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^)

build/fuzz/seeds/stamp: tests/fuzz/seeds.py
	@python3 tests/fuzz/seeds.py build/fuzz/seeds
	@touch $@

.PHONY: fuzz fuzz-short fuzz-build
fuzz-build: $(FUZZ_TARGETS:%=build/fuzz/%) build/fuzz/seeds/stamp

fuzz-short: fuzz-build ## each fuzz target for FUZZ_SECONDS (10)
	@tests/fuzz/run.sh $(FUZZ_JOBS) $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz: fuzz-build ## each fuzz target for a long time
	@tests/fuzz/run.sh $(FUZZ_JOBS) $(FUZZ_LONG_SECONDS) $(FUZZ_TARGETS)
