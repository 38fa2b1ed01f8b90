# SPDX-License-Identifier: BSD-2-Clause
#
# The hello guests: hello16.bin (flat16), hello32.bin (flat32), hello32.elf (multiboot, pvh); ends.bin (flat32) ends in
# several ways. Includable from the top Makefile; BUILD and CC are set there.

HELLO_GUESTS := $(BUILD)/guest/hello16.bin $(BUILD)/guest/hello32.bin $(BUILD)/guest/hello32.elf $(BUILD)/guest/ends.bin

.PHONY: guest-hello
guest-hello: $(HELLO_GUESTS)

$(BUILD)/guest/hello%.o: tests/guest/hello/hello%.S tests/guest/hello/hello.mk
	@mkdir -p $(@D)
	@$(CC) -m32 -c -o $@ $<

$(BUILD)/guest/hello16.elf: $(BUILD)/guest/hello16.o
	@ld -m elf_i386 -Ttext=0x7c00 -e start --build-id=none -o $@ $<

$(BUILD)/guest/hello32.elf: $(BUILD)/guest/hello32.o tests/guest/hello/hello32.ld
	@ld -m elf_i386 -T tests/guest/hello/hello32.ld --no-warn-rwx-segments --build-id=none -o $@ $<

$(BUILD)/guest/ends.o: tests/guest/hello/ends.S tests/guest/hello/hello.mk
	@mkdir -p $(@D)
	@$(CC) -m32 -c -o $@ $<

$(BUILD)/guest/ends.elf: $(BUILD)/guest/ends.o
	@ld -m elf_i386 -Ttext=0x100000 -e start --no-warn-rwx-segments --build-id=none -o $@ $<

$(BUILD)/guest/ends.bin: $(BUILD)/guest/ends.elf
	@objcopy -O binary -j .text $< $@

$(BUILD)/guest/hello%.bin: $(BUILD)/guest/hello%.elf
	@objcopy -O binary -j .text $< $@
