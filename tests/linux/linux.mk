# SPDX-License-Identifier: BSD-2-Clause
#
# Linux as a guest: build/linux/vmlinuz-6.1, initramfs-6.1.cpio and the same of 6.12. The kernels come from Debian (tools/linux.sh), the
# initial RAM disk holds busybox, the drivers that are modules there, and /init with its checks.

LINUX_DIR      := $(or $(BUILD),build)/linux
LINUX_VERSIONS := 6.1 6.12
LINUX_KERNELS  := $(LINUX_VERSIONS:%=$(LINUX_DIR)/vmlinuz-%)
LINUX_DISKS    := $(LINUX_VERSIONS:%=$(LINUX_DIR)/initramfs-%.cpio)

LINUX_CONFIGS  := $(addprefix $(LINUX_DIR)/,linux-1.conf linux-2.conf linux-4.conf linux-8.conf end-reboot.conf end-panic.conf)
LINUX_CONFIGS  += $(addprefix $(LINUX_DIR)/,virtio-pci.conf virtio-intx.conf virtio-mmio.conf)

.PHONY: linux linux-native linux-figures
linux: $(LINUX_KERNELS) $(LINUX_DISKS) $(LINUX_DIR)/vmlinux-6.1 $(LINUX_CONFIGS) ## fetch Debian's Linux kernels and make their initial RAM disks (build/linux)

linux-native: linux ## Linux without a hypervisor under the same emulator: ticks to /init
	@tests/linux/native.py

linux-figures: linux ## what Linux domains cost: ticks to /init against no hypervisor, exits of boot and idling, network, disk (10 minutes)
	@tests/linux/ticks.py
	@tests/linux/figures.py all

$(LINUX_DIR)/tool: tests/linux/tool.c tests/linux/linux.mk
	@mkdir -p $(@D)
	@echo "  LINUX   $@"
	@gcc -std=c11 -Os -Wall -Wextra -Werror -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
		-fno-pie -no-pie -static -nostdlib -Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments -s -o $@ $<

$(LINUX_DIR)/vmlinuz-%: tools/linux.sh tests/linux/linux.mk
	@mkdir -p $(@D)
	@from="$$(tools/linux.sh $*)" && cp "$$from/vmlinuz" $@ && cp "$$from/version" $(LINUX_DIR)/version-$* && \
	 echo "  LINUX   $@: $$(cat $$from/version)"

$(LINUX_DIR)/initramfs-%.cpio: tools/initramfs.py tools/linux.sh tests/linux/init tests/linux/check tests/linux/checks \
		$(LINUX_DIR)/tool
	@mkdir -p $(@D)
	@echo "  LINUX   $@"
	@from="$$(tools/linux.sh $*)" && tools/initramfs.py --output $@ --busybox "$$from/busybox" --program /init=tests/linux/init --program /bin/check=tests/linux/check \
		--program /bin/tool=$(LINUX_DIR)/tool --file /etc/checks=tests/linux/checks \
		$$(for m in "$$from"/modules/*.ko; do echo --file "/modules/$${m##*/}=$$m"; done)

$(LINUX_DIR)/vmlinux-%: $(LINUX_DIR)/vmlinuz-% tests/linux/vmlinux.py
	@echo "  LINUX   $@"
	@tests/linux/vmlinux.py $< $@

$(LINUX_DIR)/linux-%.conf: tests/linux/linux.conf.in
	@mkdir -p $(@D)
	@sed 's/@CPUS@/$*/g; s/@SECONDS@/$(if $(filter 1,$*),60,5)/' $< > $@

$(LINUX_DIR)/end-%.conf: tests/linux/end.conf.in
	@mkdir -p $(@D)
	@sed 's/@END@/$*/' $< > $@

# A disk of 400 sectors, and a domain that knows its sum: by PCI with MSI-X, by PCI with the pin, by pages of registers.
$(LINUX_DIR)/disk.img: tests/linux/linux.mk
	@mkdir -p $(@D)
	@seq 1 50000 | head -c 204800 > $@

$(LINUX_DIR)/virtio-%.conf: tests/linux/virtio.conf.in $(LINUX_DIR)/disk.img
	@mkdir -p $(@D)
	@sed "s/@SUM@/$$(sha256sum $(LINUX_DIR)/disk.img | cut -d' ' -f1)/; s/@VIRTIO@/$(if $(filter mmio,$*),mmio,pci)/; \
	 s/@WORDS@/$(if $(filter intx,$*),pci=nomsi)/" $< > $@
