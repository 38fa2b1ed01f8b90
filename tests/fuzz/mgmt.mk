# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzz targets of the management domain: configuration, images, devices.

include mgmt/config/inih.mk

FUZZ_MINUTE_TARGETS += mgmt_config mgmt_image mgmt_uart
FUZZ_TARGETS += mgmt_config mgmt_image mgmt_uart

mgmt_config_FUZZ_SRCS = mgmt/config/config.c mgmt/config/config_keys.c
mgmt_image_FUZZ_SRCS = mgmt/builder/plan.c mgmt/builder/flat.c mgmt/builder/elf.c mgmt/builder/multiboot.c mgmt/builder/pvh.c
mgmt_uart_FUZZ_SRCS = mgmt/lib/access.c mgmt/devices/uart16550.c

FUZZ_INIH = $(shell mgmt/config/inih.sh)
build/fuzz/mgmt_config: FUZZ_CFLAGS += -isystem $(FUZZ_INIH) $(INIH_FLAGS)
build/fuzz/mgmt_config: build/fuzz/inih.c
build/fuzz/inih.c: mgmt/config/inih.sh mgmt/config/inih.mk
	@mkdir -p $(@D)
	@cp $(FUZZ_INIH)/ini.c $@

build/fuzz/seeds/mgmt-stamp: tests/fuzz/mgmt_seeds.py
	@python3 tests/fuzz/mgmt_seeds.py build/fuzz/seeds
	@touch $@
fuzz-build: build/fuzz/seeds/mgmt-stamp
