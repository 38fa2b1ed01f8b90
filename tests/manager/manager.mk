# SPDX-License-Identifier: BSD-2-Clause
#
# Test managers: build/tests/manager.bin is one image with all tests, started as boot module 0 with test=NAME behind it.
# It is the runtime of the management domain (mgmt/start, mgmt/lib) with a main() of its own, and has the agent, a small
# guest, inside. build/tests/readonly.bin is the module of read-only structures that abi.c wants.

TESTMAN_DIR   := tests/manager
TESTMAN_SRCS  := $(filter-out $(TESTMAN_DIR)/agent.c,$(sort $(wildcard $(TESTMAN_DIR)/*.c)))
TESTMAN_OBJS  := $(patsubst $(TESTMAN_DIR)/%.c,$(BUILD)/tests/manager/%.o,$(TESTMAN_SRCS)) \
	$(BUILD)/tests/manager/agent_blob.o
TESTMAN_RUNTIME := $(patsubst mgmt/%.c,$(BUILD)/mgmt/%.o,$(filter-out mgmt/start/stub.c,$(wildcard mgmt/start/*.c))) \
	$(BUILD)/mgmt/start/entry.o $(BUILD)/mgmt/lib/call.o $(BUILD)/mgmt/lib/irq.o $(BUILD)/mgmt/lib/hv_error.o
TESTMAN_AGENT_CFLAGS = -std=c11 $(WARNINGS) $(REPRODUCIBLE) -O2 -I. -MMD -MP -mgeneral-regs-only -mno-red-zone \
	-ffreestanding -fno-pic -fno-pie -mcmodel=small -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -fno-jump-tables -fno-strict-aliasing

.PHONY: test-manager
test-manager: $(BUILD)/tests/manager.bin $(BUILD)/tests/readonly.bin ## build the test managers

$(BUILD)/tests/manager/agent_entry.o: $(TESTMAN_DIR)/agent_entry.S
	@mkdir -p $(@D)
	@$(CC) -c -o $@ $<

$(BUILD)/tests/manager/agent.o: $(TESTMAN_DIR)/agent.c $(TESTMAN_DIR)/manager.mk
	@mkdir -p $(@D)
	@echo "  AGENT   $<"
	@$(CC) $(TESTMAN_AGENT_CFLAGS) -c -o $@ $<

$(BUILD)/tests/manager/agent.bin: $(BUILD)/tests/manager/agent_entry.o $(BUILD)/tests/manager/agent.o $(TESTMAN_DIR)/agent.ld
	@$(LD) -m elf_x86_64 -nostdlib -static -T $(TESTMAN_DIR)/agent.ld --build-id=none --no-warn-rwx-segments -o $(@:.bin=.elf) \
		$(filter %.o,$^)
	@$(OBJCOPY) -O binary -j .all $(@:.bin=.elf) $@

$(BUILD)/tests/manager/agent_blob.o: $(TESTMAN_DIR)/agent_blob.S $(BUILD)/tests/manager/agent.bin
	@$(CC) -Wa,-I,$(BUILD)/tests/manager -c -o $@ $<

$(BUILD)/tests/manager/%.o: $(TESTMAN_DIR)/%.c $(TESTMAN_DIR)/manager.mk $(BUILD)/mgmt/newlib.mk
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(MGMT_CFLAGS) -c -o $@ $<

$(BUILD)/tests/manager.elf: $(TESTMAN_OBJS) $(TESTMAN_RUNTIME) mgmt/start/manager.ld
	@echo "  LD      $@"
	@$(LD) $(MGMT_LDFLAGS) -Map=$(@:.elf=.map) -o $@ $(TESTMAN_OBJS) $(TESTMAN_RUNTIME) $(MGMT_NEWLIB_LIBS)

$(BUILD)/tests/manager.bin: $(BUILD)/tests/manager.elf
	@$(OBJCOPY) -O binary $< $@

$(BUILD)/tests/readonly.bin: $(TESTMAN_DIR)/readonly.S
	@mkdir -p $(@D)
	@$(CC) -c -o $(@:.bin=.o) $<
	@$(OBJCOPY) -O binary -j .data $(@:.bin=.o) $@

# The long forms; another SOAK_SEED is another run.
SOAK_CPUS ?= 2
SOAK_SEED ?= 1
TESTMAN_SOAKS := soak-lifecycle soak-sched soak-memory soak-services soak-irq soak-storm soak-save soak-chaos
.PHONY: soak-manager $(TESTMAN_SOAKS)
soak-manager: $(TESTMAN_SOAKS) ## long runs of the test managers (SOAK_CPUS, SOAK_SEED)
soak-lifecycle: TESTMAN_WORDS = rounds=10000
soak-sched:     TESTMAN_WORDS = migrations=30000
soak-memory:    TESTMAN_WORDS = runs=10 steps=3000
soak-services:  TESTMAN_WORDS = rounds=30
soak-irq:       TESTMAN_WORDS = rounds=500000 rings=10000000 # notifiers that come and go; ten million rings of doorbells
soak-storm:     TESTMAN_WORDS = rounds=1100000 # ten million interrupts: messages, lines, notifiers
soak-save:      TESTMAN_WORDS = rounds=5000
soak-chaos:     TESTMAN_WORDS = rounds=200 calls=5000 # a million random calls; each round has the next seed
$(TESTMAN_SOAKS): soak-%: test-manager $(IMAGE)
	@echo "  SOAK    $* ($(TESTMAN_WORDS), seed $(SOAK_SEED), $(SOAK_CPUS) CPUs)"
	@$(PYTHON) tools/emu.py run --machine bochs --cpu-model tigerlake --cpus $(SOAK_CPUS) --memory 256 --timeout 3600 \
		--image $(IMAGE) --append exit=shutdown-port --serial $(BUILD)/tests/soak-$*.log \
		--module "$(BUILD)/tests/manager.bin test=$* seed=$(SOAK_SEED) $(TESTMAN_WORDS)" \
		--module "$(BUILD)/tests/readonly.bin readonly" --pass "^PASS $*" --fail "^FAIL|panic"
	@grep "^PASS" $(BUILD)/tests/soak-$*.log

-include $(TESTMAN_OBJS:.o=.d) $(BUILD)/tests/manager/agent.d
