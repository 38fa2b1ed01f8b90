#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Linux with virtio devices while the manager is started again: the read-only disk, random numbers and the console go on, the disk that
was written to in the manager's memory answers with errors and does no other harm."""
import hashlib
import os
import re
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "shell"))
from machine import BUILD, Failure, Machine  # pylint: disable=wrong-import-position

CONFIG = """[linux]
kernel = vmlinuz
module = initramfs.cpio
memory = 192M
irqchip = full
cmdline = console=ttyS0,115200 quiet sbx.test=modules sbx.end=shell
disk = disk.img
disk = empty,1M
rng = yes
vcon = yes
autostart = yes
"""
GUEST_PROMPT = r"linux:[^\n]*# "


def attach(machine):
    machine.type("console linux\r")
    machine.type("\r")
    machine.expect(GUEST_PROMPT)


def detach(machine):
    machine.type("\x1d")
    machine.expect("signalbox> ")


def session(machine, disk_sum):
    machine.expect("sbx: shell", 300)
    machine.type("\r")
    machine.expect("signalbox> ")
    attach(machine)
    machine.type("dd if=/dev/vda of=/dev/vdb bs=4096 count=4 conv=fsync; echo written-$?\r")
    machine.expect(r"^written-0\r*$")
    detach(machine)
    machine.type("restart\r")
    machine.expect(r"what was written to disk 2 is lost; it answers with errors")
    machine.expect(r"\(linux\): found, running")
    machine.type("\r")
    machine.expect("signalbox> ")
    attach(machine)
    machine.type("echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/vda\r")
    machine.expect("^" + disk_sum, 120)
    machine.type("head -c 16 /dev/hwrng | wc -c\r")
    machine.expect(r"^16\r*$")
    machine.type("dd if=/dev/vdb of=/dev/null bs=4096 count=4; echo read-$?\r")
    machine.expect(r"^read-1\r*$", 120)
    machine.type("echo this line came by hvc0 >/dev/hvc0\r")
    machine.expect(r"^this line came by hvc0\r*$")
    machine.type("\r")
    machine.expect(GUEST_PROMPT)
    detach(machine)
    devices = machine.command("devices linux")
    if len(re.findall("running", devices)) != 4 or "broken" in devices:
        raise Failure(f"devices: {devices!r}")
    machine.type("destroy linux\r")
    machine.expect(r"domain 1 \(linux\): destroyed")


def main():
    disk = f"{BUILD}/linux/disk.img"
    with open(disk, "rb") as file:
        disk_sum = hashlib.sha256(file.read()).hexdigest()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(CONFIG)
        config.flush()
        modules = [f"{config.name} linux.conf", f"{BUILD}/linux/vmlinuz-6.1 vmlinuz",
                   f"{BUILD}/linux/initramfs-6.1.cpio initramfs.cpio", f"{disk} disk.img"]
        with Machine(modules, cpus=1, memory=512, manager="config=linux.conf") as machine:
            try:
                session(machine, disk_sum)
            except Failure as failure:
                print(machine.log.decode("utf-8", "replace"))
                print(f"restart: {failure}")
                return 1
    print("restart: as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
