# SPDX-License-Identifier: BSD-2-Clause
#
# Signalbox's one Makefile: `make` builds the hypervisor, `make help` lists the rest.
#
# Each folder of the hypervisor names its sources in objs.mk. Everything that is made goes to build/. The link is done twice: the
# first result gives the symbol table that the second contains (tools/symbols.py), then tools/link_check.py looks at it.

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
OBJCOPY ?= objcopy
OBJDUMP ?= objdump
PYTHON  ?= python3
BUILD   ?= build

# ---- flags -----------------------------------------------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wmissing-prototypes \
	-Wstrict-prototypes -Wvla -Wswitch-enum -Wundef
CODEGEN  := -O2 -g -mgeneral-regs-only -mno-red-zone -fno-pic -fno-pie -mcmodel=kernel -fno-stack-protector \
	-fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fcf-protection=none -fno-common -fno-strict-aliasing \
	-fno-builtin-printf -fno-tree-loop-distribute-patterns
# Nothing of the place or time of the build may get into the image.
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=. -Wno-builtin-macro-redefined -D__DATE__= -D__TIME__= -D__TIMESTAMP__=
# Clang has no such pass to switch off.
ifneq ($(findstring clang,$(CC)),)
CODEGEN := $(filter-out -fno-tree-loop-distribute-patterns,$(CODEGEN))
# It records the folder of the build for assembly files.
REPRODUCIBLE += -fdebug-compilation-dir=.
endif

# DEBUG=1: every invariant is checked before every VM entry.
DEBUG ?= 0
HV_CFLAGS  = -DCONFIG_DEBUG=$(DEBUG) -std=c11 $(WARNINGS) $(CODEGEN) $(REPRODUCIBLE) -I. $(BUILD_NEWLIB_CFLAGS) -MMD -MP
HV_LDFLAGS = -nostdlib -static -Wl,-T,linker.ld -Wl,--build-id=sha1 -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,--fatal-warnings

# ---- sources ---------------------------------------------------------------------------------------------------------
HV_SRCS :=
include boot/objs.mk arch/objs.mk drivers/objs.mk hv/objs.mk
HV_OBJS := $(patsubst %,$(BUILD)/hv/%.o,$(basename $(HV_SRCS)))
IMAGE   := $(BUILD)/signalbox.elf

.DEFAULT_GOAL := all
.PHONY: all help clean run test check deps bench iso disk format
.DELETE_ON_ERROR:

all: $(IMAGE) $(BUILD)/mgmt/manager.bin ## build the hypervisor (build/signalbox.elf) and its management domain

# Some targets compile by another make, once they know that it is worth it, and the checker of configurations is a program of
# the build machine.
GOALS              := $(or $(MAKECMDGOALS),all)
GOALS_WITH_PARSER  := $(filter-out help clean deps format run iso disk,$(GOALS))
GOALS_WITH_NEWLIB  := $(filter-out mgmt-check $(BUILD)/mgmt/check,$(GOALS_WITH_PARSER))

# newlib is asked once per make, and only when something is compiled.
$(BUILD)/newlib.mk: tools/newlib.sh tools/deps.sh
	@tools/deps.sh build
	@mkdir -p $(@D)
	@cflags="$$(CC="$(CC)" tools/newlib.sh --cflags hv)" && libs="$$(tools/newlib.sh --libs hv)" && \
	 printf 'BUILD_NEWLIB_CFLAGS := %s\nBUILD_NEWLIB_LIBS := %s\n' "$$cflags" "$$libs" > $@
ifneq ($(GOALS_WITH_NEWLIB),)
include $(BUILD)/newlib.mk
endif

# The way of every exit does without frame pointers; a trace through it goes on at the next frame.
$(foreach f,exit mgmt route irqchip,$(BUILD)/hv/hv/$f/%.o): CODEGEN += -fomit-frame-pointer
$(patsubst %,$(BUILD)/hv/hv/core/%.o,sched service notify vcpu_state claims timer): CODEGEN += -fomit-frame-pointer

# Nothing runs here but on CPUs that are traced.
$(patsubst %,$(BUILD)/hv/hv/%.o,exit/traced core/trace core/trace_ring mgmt/mgmt_trace): CODEGEN += -Os

$(BUILD)/hv/%.o: %.c Makefile $(BUILD)/newlib.mk
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(HV_CFLAGS) -c -o $@ $<

$(BUILD)/hv/%.o: %.S Makefile $(BUILD)/newlib.mk
	@mkdir -p $(@D)
	@echo "  AS      $<"
	@$(CC) $(HV_CFLAGS) -c -o $@ $<

$(BUILD)/hv/symtab_empty.S: tools/symbols.py
	@mkdir -p $(@D)
	@$(PYTHON) tools/symbols.py --empty --table $@

$(BUILD)/hv/pass1.elf: $(HV_OBJS) $(BUILD)/hv/symtab_empty.S linker.ld
	@echo "  LD      $@"
	@$(CC) $(HV_CFLAGS) $(HV_LDFLAGS) -o $@ $(HV_OBJS) $(BUILD)/hv/symtab_empty.S $(BUILD_NEWLIB_LIBS)

$(BUILD)/hv/symtab.S: $(BUILD)/hv/pass1.elf tools/symbols.py
	@$(PYTHON) tools/symbols.py $< --table $@

$(IMAGE): $(BUILD)/hv/symtab.S linker.ld tools/link_check.py
	@echo "  LD      $@"
	@$(CC) $(HV_CFLAGS) $(HV_LDFLAGS) -Wl,-Map=$(BUILD)/signalbox.map -o $@.full $(HV_OBJS) $< $(BUILD_NEWLIB_LIBS)
	@$(OBJDUMP) -d $@.full > $(BUILD)/signalbox.asm
	@$(PYTHON) tools/symbols.py $@.full --verify --list $(BUILD)/signalbox.sym
	@$(OBJCOPY) --strip-debug $@.full $@.stripped
	@$(PYTHON) tools/link_check.py $@.stripped --allow "fpu_*"
	@mv $@.stripped $@

-include $(HV_OBJS:.o=.d)

help: ## list the targets
	@awk -F':.*## ' '/^[a-z][a-zA-Z_-]*:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

clean: ## remove build/ (the caches outside the tree stay)
	rm -rf $(BUILD)

include mgmt/mgmt.mk
include mgmt/example/example.mk
include tests/guest/hello/hello.mk
-include tests/bench/bench.mk
-include tests/tests.mk

# ---- the demonstration: hypervisor, management domain, two Linux domains, or (DEMO=small) two small guests ------------
$(BUILD)/demo/ticker.bin: mgmt/demo/ticker.S
	@mkdir -p $(@D)
	@echo "  GUEST   $@"
	@$(CC) -m32 -c -o $(@D)/ticker.o $<
	@ld -m elf_i386 -Ttext=0x100000 -e start --build-id=none -o $(@D)/ticker.elf $(@D)/ticker.o
	@$(OBJCOPY) -O binary -j .text $(@D)/ticker.elf $@

DEMO         ?= $(if $(filter %/small.conf,$(CONFIG)),small,linux)
DEMO_CONFIG  ?= mgmt/demo/$(if $(filter small,$(DEMO)),small,demo).conf
DEMO_MODULES := $(if $(filter small,$(DEMO)),$(BUILD)/demo/ticker.bin $(BUILD)/guest/hello32.elf,$(LINUX_KERNELS) $(LINUX_DISKS))
RUN_CPUS     ?= 2
RUN_MEMORY   ?= $(if $(filter small,$(DEMO)),256,768)
RUN_MODULES   = --module "$(MGMT_IMAGE) config=demo.conf" --module "$(DEMO_CONFIG) demo.conf" \
	$(foreach m,$(DEMO_MODULES),--module "$(m) $(notdir $(m))")

DEMO_FETCH    = $(if $(filter small,$(DEMO)),:,{ tools/linux.sh 6.1 && tools/linux.sh 6.12; } >/dev/null || \
	{ echo "No Linux kernel can be had now; DEMO=small does without."; exit 1; })
# How poweroff ends the emulator: each has a port of its own.
RUN_EXIT      = $$($(PYTHON) -Bc 'import sys; sys.path.insert(0, "tools"); import emu_qemu; \
	print("debug-exit" if emu_qemu.kvm_has_vmx() else "shutdown-port")')
RUN_IMAGE     = --image $(if $(BOOT),$(BOOT),$(IMAGE) --append "exit=$(RUN_EXIT) $(RUN_APPEND)" $(RUN_MODULES))

run: ## boot two Linux domains (DEMO=small: two small guests; BOOT=file: an image of make iso or make disk); Ctrl-a x leaves
	@tools/deps.sh build run
	@$(if $(BOOT),:,$(DEMO_FETCH))
	@$(if $(BOOT),:,$(MAKE) -s --no-print-directory $(IMAGE) $(MGMT_IMAGE) $(DEMO_MODULES))
	@echo "Starting the machine ($(RUN_CPUS) CPUs, $(RUN_MEMORY) MiB). Ctrl-a x leaves it at any time."
	@$(PYTHON) tools/emu.py run --machine auto --terminal --timeout 0 --cpus $(RUN_CPUS) --memory $(RUN_MEMORY) \
		$(RUN_IMAGE) --clock slowdown --ips 100000000; \
	 status=$$?; if [ $$status -eq 6 ]; then exit 0; fi; exit $$status

# ---- bootable images of a configuration: tools/image.py ---------------------------------------------------------------
# CONFIG, OUT, APPEND and FILES (more folders with guests) are make's variables, and so in the environment of the recipe.
IMAGE_DEMO  := $(if $(filter mgmt/demo/%,$(CONFIG)),$(DEMO_MODULES))
IMAGE_FILES := $(foreach folder,$(FILES) $(sort $(dir $(IMAGE_DEMO))),--files $(folder))

define build_image
	@[ -n "$$CONFIG" ] || { echo "say which configuration: make $@ CONFIG=path; the demonstration's: CONFIG=mgmt/demo/demo.conf" >&2; exit 2; }
	@[ -e "$$CONFIG" ] || { echo "$$CONFIG: there is no such file; say which configuration: make $@ CONFIG=path" >&2; exit 2; }
	@tools/deps.sh build $@
	@$(if $(IMAGE_DEMO),$(DEMO_FETCH),:)
	@$(MAKE) -s --no-print-directory $(BUILD)/mgmt/check $(IMAGE_DEMO)
	@$(PYTHON) tools/image.py check --build $(BUILD) --config "$$CONFIG" $(IMAGE_FILES)
	@$(MAKE) -s --no-print-directory $(IMAGE) $(MGMT_IMAGE)
	@$(PYTHON) tools/image.py $@ --build $(BUILD) --config "$$CONFIG" --output "$$OUT" --append="$${APPEND:-com1=115200,8n1}" \
		$(IMAGE_FILES)
endef

iso: ## build a bootable ISO (BIOS and UEFI) from CONFIG=path and the files that it names: build/NAME.iso, or OUT=
	$(build_image)

disk: ## the same as the image of a disk with a FAT partition, where everything can be changed: build/NAME.img, or OUT=
	$(build_image)

format: ## format the C sources
	@tools/check_format.sh --fix

deps: ## install the Debian packages that building, running and testing need
	@tools/deps.sh build run test check
