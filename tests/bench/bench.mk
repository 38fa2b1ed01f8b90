# SPDX-License-Identifier: BSD-2-Clause
#
# The bench: build/bench/manager.bin is a management domain like the real one (same start, same library), with
# manager*.c in place of the shell. The top Makefile includes this file after mgmt/mgmt.mk.

BENCH_IMAGE := $(BUILD)/bench/manager.bin
BENCH_OBJS  := $(filter $(BUILD)/mgmt/start/%.o $(BUILD)/mgmt/lib/%.o,$(MGMT_OBJS)) $(BUILD)/bench/manager.o \
	$(BUILD)/bench/manager_apic.o $(BUILD)/bench/manager_route.o $(BUILD)/bench/guest_image.o

.PHONY: bench-accept
bench: $(IMAGE) $(BENCH_IMAGE) ## count root-mode instructions per operation, compare with tests/bench/baseline.json
	@tools/deps.sh build test
	@$(PYTHON) tests/bench/bench.py --build $(BUILD)

bench-accept: $(IMAGE) $(BENCH_IMAGE) ## the same, and make the result the new baseline
	@tools/deps.sh build test
	@$(PYTHON) tests/bench/bench.py --build $(BUILD) --accept

$(BUILD)/bench/bench_%.bin: tests/bench/%.S tests/bench/labels.h tests/bench/bench.mk
	@mkdir -p $(@D)
	@echo "  GUEST   $@"
	@$(CC) -m32 -I. -c -o $(@:.bin=.o) $<
	@$(OBJCOPY) -O binary -j .text $(@:.bin=.o) $@

$(BUILD)/bench/guest_image.o: tests/bench/guest_image.S $(BUILD)/bench/bench_guest.bin $(BUILD)/bench/bench_guest_apic.bin
	@$(CC) -Wa,-I,$(BUILD)/bench -c -o $@ $<

$(BUILD)/bench/manager.o $(BUILD)/bench/manager_apic.o $(BUILD)/bench/manager_route.o: $(BUILD)/bench/%.o: tests/bench/%.c tests/bench/bench.mk mgmt/mgmt.mk $(BUILD)/mgmt/newlib.mk
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(MGMT_CFLAGS) -c -o $@ $<

$(BUILD)/bench/manager.elf: $(BENCH_OBJS) mgmt/start/manager.ld
	@echo "  LD      $@"
	@$(LD) $(MGMT_LDFLAGS) -Map=$(@:.elf=.map) -o $@ $(BENCH_OBJS) $(MGMT_NEWLIB_LIBS)

$(BENCH_IMAGE): $(BUILD)/bench/manager.elf
	@$(OBJCOPY) -O binary $< $@

-include $(BUILD)/bench/manager.d $(BUILD)/bench/manager_apic.d $(BUILD)/bench/manager_route.d
