# SPDX-License-Identifier: BSD-2-Clause
#
# Host tests: pure parts of the hypervisor linked with a test program, under ASan and UBSan, on the build machine.
#
#   make -f tests/host/host.mk host-tests     from the top of the tree; the main Makefile includes this file
#   make -f tests/host/host.mk host-tests HOST_TESTS="acpi_test cmdline_test"
#   build/host/acpi_test -v madt              one program, the tests whose name contains "madt"
#
# A test program is three lines in this file or in another tests/host/*.mk (all of them are included):
#
#   HOST_TESTS += thing_test
#   thing_test_SRCS = tests/host/thing_test.c hv/core/thing.c
#   thing_test_LIBS = -lpthread               optional; thing_test_CFLAGS likewise is added for its link only
#
# Each source becomes one object build/host/obj/<path>.o, shared by all programs; each program is build/host/<name>.

HOST_CC ?= gcc
HOST_JOBS ?= 2
HOST_SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -g -O1 -fno-omit-frame-pointer $(HOST_SANITIZE) -I. \
	-Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wcast-qual \
	-Wmissing-prototypes -Wstrict-prototypes -Wvla -Wswitch-enum -Wundef

# Alone, this file asks for parallel jobs itself; included, it leaves that to the caller.
ifeq ($(firstword $(MAKEFILE_LIST)),tests/host/host.mk)
MAKEFLAGS += -j$(HOST_JOBS)
.DEFAULT_GOAL := host-tests
endif

HOST_TESTS := boot_memmap_test multiboot_test multiboot2_test pvh_test acpi_test acpi_madt_test \
	acpi_fadt_test acpi_dmar_test cmdline_test uart_config_test

BOOT_COMMON = boot/boot_info.c boot/boot_memmap.c
boot_memmap_test_SRCS = tests/host/boot_memmap_test.c $(BOOT_COMMON)
multiboot_test_SRCS = tests/host/multiboot_test.c boot/multiboot.c $(BOOT_COMMON)
multiboot2_test_SRCS = tests/host/multiboot2_test.c boot/multiboot2.c $(BOOT_COMMON)
pvh_test_SRCS = tests/host/pvh_test.c boot/pvh.c $(BOOT_COMMON)
ACPI_SRCS = drivers/acpi.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/acpi_dmar.c
acpi_test_SRCS = tests/host/acpi_test.c $(ACPI_SRCS)
acpi_madt_test_SRCS = tests/host/acpi_madt_test.c $(ACPI_SRCS)
acpi_fadt_test_SRCS = tests/host/acpi_fadt_test.c $(ACPI_SRCS)
acpi_dmar_test_SRCS = tests/host/acpi_dmar_test.c $(ACPI_SRCS)
cmdline_test_SRCS = tests/host/cmdline_test.c boot/cmdline.c
uart_config_test_SRCS = tests/host/uart_config_test.c drivers/uart_config.c

-include $(filter-out tests/host/host.mk,$(sort $(wildcard tests/host/*.mk)))

HOST_BINS = $(HOST_TESTS:%=build/host/%)
HOST_OBJS = $(sort $(foreach t,$(HOST_TESTS),$($(t)_SRCS:%.c=build/host/obj/%.o)))

$(foreach t,$(HOST_TESTS),$(eval build/host/$(t): $(patsubst %.c,build/host/obj/%.o,$($(t)_SRCS))))

$(HOST_TESTS:%=build/host/%):
	@echo "  LD      $@"
	@$(HOST_CC) $(HOST_CFLAGS) $($(@F)_CFLAGS) -o $@ $^ $($(@F)_LIBS)

build/host/obj/%.o: %.c tests/host/host.mk
	@mkdir -p $(@D)
	@echo "  HOSTCC  $<"
	@$(HOST_CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

-include $(HOST_OBJS:.o=.d)

.PHONY: host-tests host-build host-clean
.SECONDARY: $(HOST_OBJS)

host-build: $(HOST_TESTS:%=build/host/%)

host-tests: host-build
	@tests/host/run.sh $(HOST_JOBS) $(HOST_BINS)

host-clean:
	rm -rf build/host
