# SPDX-License-Identifier: BSD-2-Clause
#
# build/mgmt/example.bin: a manager of one file on top of mgmt/lib. The variables are those of mgmt/mgmt.mk.

EXAMPLE_OBJS := $(BUILD)/mgmt/example/example.o $(filter $(BUILD)/mgmt/start/% $(BUILD)/mgmt/lib/%,$(MGMT_OBJS))

$(BUILD)/mgmt/example.elf: $(EXAMPLE_OBJS) mgmt/start/manager.ld
	@echo "  LD      $@"
	@$(LD) $(MGMT_LDFLAGS) -o $@ $(EXAMPLE_OBJS) $(MGMT_NEWLIB_LIBS)

$(BUILD)/mgmt/example.bin: $(BUILD)/mgmt/example.elf
	@$(OBJCOPY) -O binary $< $@

-include $(BUILD)/mgmt/example/example.d
