# SPDX-License-Identifier: BSD-2-Clause
#
# Test guests: each folder of tests/guest but lib and hello is one 64-bit PVH guest, build/tests/guest/NAME.elf, made of its .c and .S
# files and lib. Its configurations for the manager, NAME*.conf, lie beside its sources.

TEST_GUEST_NAMES := $(filter-out lib hello, $(notdir $(patsubst %/,%,$(dir $(wildcard tests/guest/*/*.c)))))
TEST_GUEST_NAMES := $(sort $(TEST_GUEST_NAMES))
TEST_GUESTS      := $(TEST_GUEST_NAMES:%=build/tests/guest/%.elf)

TEST_GUEST_CC      ?= gcc
TEST_GUEST_CFLAGS  := -m64 -std=c11 -O2 -g -ffreestanding -mgeneral-regs-only -mno-red-zone -mcmodel=small -fno-pic -fno-pie \
	-fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-strict-aliasing \
	-fno-tree-loop-distribute-patterns --param=min-pagesize=0 -I. -MMD -MP \
	-Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wmissing-prototypes -Wstrict-prototypes \
	-Wvla -Wswitch-enum -Wundef
TEST_GUEST_LDFLAGS := -nostdlib -static -no-pie -Wl,-T,tests/guest/lib/guest.ld \
	-Wl,--build-id=none,-z,noexecstack,-z,max-page-size=4096,--no-warn-rwx-segments

guest_objs = $(patsubst %,build/tests/guest/%.o,$(basename $(patsubst tests/guest/%,%,$(wildcard tests/guest/$(1)/*.[cS]))))

# One configuration for each way to die.
DIE_WAYS := triple triple-injected idt-hole gdt-hole stack-hole cr3-hole tables-hole task ac-loop db-loop fault-loop \
	vmcall-loop hlt spin

# Guests for the local APIC: a configuration for each number of vCPUs, NAME-VCPUS; with an s behind it for vCPUs that share CPUs.
APIC_GUESTS := $(filter-out apic_wide,$(patsubst tests/guest/%/,%,$(dir $(wildcard tests/guest/apic_*/apic_*.c))))
APIC_CONFS  := $(foreach name,$(APIC_GUESTS),$(addprefix $(name)-,1 2 4 8 2s 4s)) apic_wide-20s apic_wide-64s

# Guests for the other controllers, the same way.
IRQ_GUESTS := $(patsubst tests/guest/%/,%,$(dir $(wildcard tests/guest/irq_*/irq_*.c)))
IRQ_CONFS  := $(foreach name,$(IRQ_GUESTS),$(addprefix $(name)-,1 2 4 8))

.PHONY: guest-tests
guest-tests: $(TEST_GUESTS) $(DIE_WAYS:%=build/tests/guest/die-%.conf) $(APIC_CONFS:%=build/tests/guest/%.conf) \
	$(IRQ_CONFS:%=build/tests/guest/%.conf)

build/tests/guest/%.o: tests/guest/%.c tests/guest/guests.mk
	@mkdir -p $(@D)
	@$(TEST_GUEST_CC) $(TEST_GUEST_CFLAGS) -c -o $@ $<

build/tests/guest/%.o: tests/guest/%.S tests/guest/guests.mk
	@mkdir -p $(@D)
	@$(TEST_GUEST_CC) $(TEST_GUEST_CFLAGS) -c -o $@ $<

define guest_rule
build/tests/guest/$(1).elf: $(call guest_objs,$(1)) $(call guest_objs,lib) tests/guest/lib/guest.ld
	@echo "  GUEST   $$@"
	@$$(TEST_GUEST_CC) $$(TEST_GUEST_CFLAGS) $$(TEST_GUEST_LDFLAGS) -o $$@.full $(call guest_objs,$(1)) $(call guest_objs,lib)
	@strip -o $$@ $$@.full
endef
$(foreach name,$(TEST_GUEST_NAMES),$(eval $(call guest_rule,$(name))))

-include $(wildcard build/tests/guest/*/*.d)

build/tests/guest/die-%.conf: tests/guest/die/die.conf.in
	@mkdir -p $(@D)
	@sed 's/@WAY@/$*/' $< > $@

build/tests/guest/irq_%.conf: tests/guest/irq/irq.conf.in
	@mkdir -p $(@D)
	@name="$*"; sed -e "s/@GUEST@/irq_$${name%-*}/" -e "s/@VCPUS@/$${name#*-}/" $< > $@

# Words: what is measured may be late by so many ticks; how often things are done.
build/tests/guest/apic_%.conf: tests/guest/apic/apic.conf.in tests/guest/guests.mk
	@mkdir -p $(@D)
	@name="$*"; vcpus="$${name#*-}"; words="slack=100000 wakes=40"; \
	 case "$$vcpus" in *s) words="slack=3000000 wakes=8";; esac; \
	 sed -e "s/@GUEST@/apic_$${name%-*}/" -e "s/@VCPUS@/$${vcpus%s}/" \
	 -e "s/@WORDS@/$$words rounds=5000 count=300/" $< > $@

# Ten million IPIs of each kind between four vCPUs, on four CPUs and on two.
SOAK_APIC_COUNT ?= 2500000
.PHONY: soak-apic soak-apic-4 soak-apic-2
soak-apic: soak-apic-4 soak-apic-2 ## ten million IPIs of each kind in a domain (SOAK_APIC_COUNT: by each of four vCPUs)
soak-apic-4 soak-apic-2: soak-apic-%: guest-tests $(IMAGE)
	@echo "  SOAK    IPIs, 4 x $(SOAK_APIC_COUNT) of each kind, $* CPUs"
	@sed -e 's/count=[0-9]*/count=$(SOAK_APIC_COUNT) x2apic $(if $(filter 2,$*),sleepy)/' build/tests/guest/apic_storm-4.conf > build/tests/guest/soak-apic-$*.conf
	@tools/emu.py run --machine bochs --cpu-model tigerlake --cpus $* --memory 256 --nic none --timeout 0 \
		--image build/signalbox.elf --append exit=shutdown-port --serial build/tests/soak-apic-$*.log \
		--module "build/mgmt/manager.bin config=soak.conf" --module "build/tests/guest/soak-apic-$*.conf soak.conf" \
		--module "build/tests/guest/apic_storm.elf apic_storm.elf" --module "build/tests/guest/canary.elf canary.elf" \
		--pass '^domain 1 .test.: ended, code 33' --fail 'panic|FAIL|ended, code (?!33)'
	@grep -a "sent\|interrupts in" build/tests/soak-apic-$*.log
