# SPDX-License-Identifier: BSD-2-Clause
#
# A guest of the Linux boot protocol, build/tests/guest/linux.bin, and its initial RAM disk.

guest-tests: build/tests/guest/linux.bin build/tests/guest/initrd.txt

build/tests/guest/linux.bin: tests/guest/linux/kernel.S tests/guest/linux/kernel.ld tests/guest/linux/linux.mk
	@mkdir -p $(@D)
	@echo "  GUEST   $@"
	@gcc -m64 -c -o $(@:.bin=.o) $<
	@ld -m elf_x86_64 -T tests/guest/linux/kernel.ld --build-id=none --no-warn-rwx-segments -o $(@:.bin=.elf) $(@:.bin=.o)
	@objcopy -O binary $(@:.bin=.elf) $@

build/tests/guest/initrd.txt: tests/guest/linux/linux.mk
	@mkdir -p $(@D)
	@printf 'initrd!\n' > $@
