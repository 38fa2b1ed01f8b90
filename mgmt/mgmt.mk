# SPDX-License-Identifier: BSD-2-Clause
#
# The management domain: build/mgmt/manager.bin is the flat image that is the first boot module, build/mgmt/manager.elf
# beside it has the symbols. The top Makefile includes this file and sets BUILD, CC, WARNINGS and REPRODUCIBLE.
#
# The image starts with a 32-bit stub that is linked alone, as a flat binary, and included by start/entry.S. The rest is
# a 64-bit program on newlib. A folder that is added to MGMT_DIRS brings all its .c files.

MGMT_IMAGE := $(BUILD)/mgmt/manager.bin
MGMT_DIRS  := mgmt/start mgmt/lib mgmt/builder mgmt/devices mgmt/virtio mgmt/config mgmt/shell mgmt
MGMT_SRCS  := $(filter-out mgmt/start/stub.c,$(sort $(foreach dir,$(MGMT_DIRS),$(wildcard $(dir)/*.c))))
MGMT_OBJS  := $(patsubst mgmt/%.c,$(BUILD)/mgmt/%.o,$(MGMT_SRCS)) $(BUILD)/mgmt/start/entry.o $(BUILD)/mgmt/inih.o \
	$(BUILD)/mgmt/dsdt.o

include mgmt/config/inih.mk

MGMT_CODEGEN := -O2 -g -mno-red-zone -fno-pic -fno-pie -mcmodel=small -fno-stack-protector -fno-omit-frame-pointer \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-common -fno-strict-aliasing -ffunction-sections -fdata-sections
MGMT_CFLAGS   = -std=c11 $(WARNINGS) $(MGMT_CODEGEN) $(REPRODUCIBLE) -I. -isystem $(MGMT_INIH) $(MGMT_NEWLIB_CFLAGS) \
	$(INIH_FLAGS) -MMD -MP
MGMT_LDFLAGS := -m elf_x86_64 -nostdlib -static -T mgmt/start/manager.ld --gc-sections -z max-page-size=4096 \
	-z noexecstack --build-id=none --fatal-warnings
# The stub runs from read-only pages before there is a stack worth the name: no library, no relocations.
MGMT_STUB_CFLAGS = -std=c11 $(WARNINGS) $(REPRODUCIBLE) -I. -MMD -MP -m32 -Os -g0 -march=i686 -mgeneral-regs-only \
	-ffreestanding -fno-builtin -fpie -fvisibility=hidden -fno-jump-tables -fno-stack-protector -fomit-frame-pointer \
	-fno-asynchronous-unwind-tables -fcf-protection=none
MGMT_STUB_OBJS  := $(BUILD)/mgmt/stub/stub_entry.o $(BUILD)/mgmt/stub/stub.o

.PHONY: mgmt
mgmt: $(MGMT_IMAGE) ## build the management domain (build/mgmt/manager.bin)

# What comes from Debian's sources is asked for once: the C library and inih, the parser of the configuration. The checker
# for the build machine needs the parser only.
$(BUILD)/mgmt/newlib.mk: tools/newlib.sh tools/deps.sh
	@tools/deps.sh build
	@mkdir -p $(@D)
	@cflags="$$(CC="$(CC)" tools/newlib.sh --cflags guest)" && libs="$$(tools/newlib.sh --libs guest)" && \
	 printf 'MGMT_NEWLIB_CFLAGS := %s\nMGMT_NEWLIB_LIBS := %s\n' "$$cflags" "$$libs" > $@

$(BUILD)/mgmt/inih.mk: mgmt/config/inih.sh tools/deps.sh
	@tools/deps.sh build
	@mkdir -p $(@D)
	@inih="$$(mgmt/config/inih.sh)" && printf 'MGMT_INIH := %s\n' "$$inih" > $@

ifneq ($(GOALS_WITH_PARSER),)
include $(BUILD)/mgmt/inih.mk
endif
ifneq ($(GOALS_WITH_NEWLIB),)
include $(BUILD)/mgmt/newlib.mk
endif

$(BUILD)/mgmt/%.o: mgmt/%.c mgmt/mgmt.mk $(BUILD)/mgmt/newlib.mk $(BUILD)/mgmt/inih.mk
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(MGMT_CFLAGS) -c -o $@ $<

$(BUILD)/mgmt/inih.o: mgmt/mgmt.mk $(BUILD)/mgmt/newlib.mk $(BUILD)/mgmt/inih.mk
	@mkdir -p $(@D)
	@echo "  CC      inih"
	@$(CC) $(filter-out -W%,$(MGMT_CFLAGS)) -w -ffile-prefix-map=$(MGMT_INIH)=inih -c -o $@ $(MGMT_INIH)/ini.c

# The ACPI machine code of domains.
$(BUILD)/mgmt/dsdt.c: mgmt/builder/dsdt.asl mgmt/builder/dsdt.sh
	@echo "  ASL     $<"
	@mgmt/builder/dsdt.sh $@

$(BUILD)/mgmt/dsdt.o: $(BUILD)/mgmt/dsdt.c mgmt/builder/acpi.h mgmt/mgmt.mk
	@$(CC) $(MGMT_CFLAGS) -c -o $@ $<

$(BUILD)/mgmt/stub/%.o: mgmt/start/%.c mgmt/mgmt.mk
	@mkdir -p $(@D)
	@echo "  CC32    $<"
	@$(CC) $(MGMT_STUB_CFLAGS) -c -o $@ $<

$(BUILD)/mgmt/stub/%.o: mgmt/start/%.S mgmt/mgmt.mk
	@mkdir -p $(@D)
	@echo "  AS32    $<"
	@$(CC) $(MGMT_STUB_CFLAGS) -c -o $@ $<

$(BUILD)/mgmt/stub.bin: $(MGMT_STUB_OBJS) mgmt/start/stub.ld
	@$(LD) -m elf_i386 -nostdlib --build-id=none -z noexecstack --no-dynamic-linker --no-warn-rwx-segments --fatal-warnings \
		-T mgmt/start/stub.ld \
		-o $(@:.bin=.elf) $(MGMT_STUB_OBJS)
	@$(OBJCOPY) -O binary -j .stub $(@:.bin=.elf) $@

$(BUILD)/mgmt/start/entry.o: mgmt/start/entry.S $(BUILD)/mgmt/stub.bin mgmt/mgmt.mk
	@mkdir -p $(@D)
	@echo "  AS      $<"
	@$(CC) -I. $(REPRODUCIBLE) -Wa,-I,$(BUILD)/mgmt -MMD -MP -c -o $@ $<

$(BUILD)/mgmt/manager.elf: $(MGMT_OBJS) mgmt/start/manager.ld
	@echo "  LD      $@"
	@$(LD) $(MGMT_LDFLAGS) -Map=$(@:.elf=.map) -o $@ $(MGMT_OBJS) $(MGMT_NEWLIB_LIBS)

$(MGMT_IMAGE): $(BUILD)/mgmt/manager.elf
	@$(OBJCOPY) -O binary $< $@

# The same configuration parser for the build machine.
MGMT_HOST_CC ?= gcc
MGMT_CHECK_SRCS := mgmt/check/check.c mgmt/config/config.c mgmt/config/config_keys.c \
	$(addprefix mgmt/builder/,choose.c plan.c flat.c elf.c multiboot.c pvh.c linux.c)
.PHONY: mgmt-check
mgmt-check: $(BUILD)/mgmt/check ## validate configurations of domains: CONFIG="file..."
	@$(if $(CONFIG),$< $(CONFIG),echo "say which: make mgmt-check CONFIG=domains.conf"; exit 2)

$(BUILD)/mgmt/inih_host.o: mgmt/mgmt.mk mgmt/config/inih.mk $(BUILD)/mgmt/inih.mk
	@mkdir -p $(@D)
	@$(MGMT_HOST_CC) -std=c11 -O1 -w $(INIH_FLAGS) -c -o $@ $(MGMT_INIH)/ini.c

$(BUILD)/mgmt/check: $(MGMT_CHECK_SRCS) $(BUILD)/mgmt/inih_host.o $(wildcard mgmt/config/*.h mgmt/builder/*.h)
	@echo "  HOSTCC  $@"
	@$(MGMT_HOST_CC) -std=c11 -D_POSIX_C_SOURCE=200809L -O1 $(WARNINGS) -I. -isystem $(MGMT_INIH) $(INIH_FLAGS) -o $@ $(filter %.c %.o,$^)

-include $(MGMT_OBJS:.o=.d) $(MGMT_STUB_OBJS:.o=.d)
