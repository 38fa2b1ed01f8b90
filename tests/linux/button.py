#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The power button of a Linux domain: pressed by the shell's command `button`, it is an ACPI event in the guest, which then ends."""
import os
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import emu  # pylint: disable=wrong-import-position

CONFIG = """on_end = poweroff
[linux]
kernel = vmlinuz
module = initramfs.cpio
memory = 256M
irqchip = full
cmdline = console=ttyS0,115200 quiet sbx.test=button
autostart = yes
"""


def main():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(CONFIG)
        config.flush()
        result = emu.run(emu.RunSpec(
            image=f"{BUILD}/signalbox.elf", machine="bochs", cpu_model="tigerlake", memory=512, timeout=300, append="exit=shutdown-port",
            modules=[f"{BUILD}/mgmt/manager.bin config=linux.conf", f"{config.name} linux.conf", f"{BUILD}/linux/vmlinuz-6.1 vmlinuz",
                     f"{BUILD}/linux/initramfs-6.1.cpio initramfs.cpio"],
            input=[(r"press the power button", "button linux\r")], expect=["power button pressed", "sbx: PASS button"],
            pass_patterns=[r"\(linux\): powered off"], fail_patterns=["sbx: FAIL", "panic"]))
    print(f"{result.status}: {result.detail}")
    if result.code:
        print(result.serial_text)
    return result.code


if __name__ == "__main__":
    sys.exit(main())
