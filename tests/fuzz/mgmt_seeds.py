#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes seeds of the management domain's fuzz targets: mgmt_seeds.py FOLDER."""
import os
import struct
import sys


def elf(wide):
    """Two segments, a PVH note and a Multiboot header; the layout of tests/host/mgmt_image.h, smaller."""
    note = struct.pack("<III4sI", 4, 4, 18, b"Xen\0", 0x100010)
    header = struct.pack("<III", 0x1BADB002, 3, -(0x1BADB002 + 3) & 0xFFFFFFFF)
    body = note + b"\0" * 4 + header + b"\x90" * 64
    start = 0x200
    segments = [(1, start, 0x100000, 0x100000, len(body), 0x2000), (4, start, 0, 0, len(note), len(note))]
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + b"\0" * 9
    if wide:
        head = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x100010, 64, 0, 0, 64, 56, 2, 0, 0, 0)
        table = b"".join(struct.pack("<IIQQQQQQ", t, 7, o, v, p, f, m, 0) for t, o, v, p, f, m in segments)
    else:
        head = ident + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x100010, 52, 0, 0, 52, 32, 2, 0, 0, 0)
        table = b"".join(struct.pack("<IIIIIIII", t, o, v, p, f, m, 7, 0) for t, o, v, p, f, m in segments)
    return (head + table).ljust(start, b"\0") + body


def aout():
    flags = 0x10002
    return struct.pack("<8I", 0x1BADB002, flags, -(0x1BADB002 + flags) & 0xFFFFFFFF, 0x7C00, 0x7C00, 0x7D00, 0x9000,
                       0x7C20) + b"\x90" * 0x100


CONFIG = b"""# all keys
on_end = poweroff
[one]
kernel = a.bin
type = flat16
cmdline = some words
module = m and more
memory = 1M
vcpus = 2
priority = 7
cpus = 0,2-3
autostart = yes
console = quiet
on_exit = restart
success = 0
load = 0x7c00
timeout = 9
[two]
kernel = b
"""


def main():
    seeds = {
        "mgmt_config": [CONFIG, b"[a]\nkernel=x\n", b"on_end = shell\n"],
        "mgmt_image": [b"\0\0" + elf(False), b"\1\0" + elf(False), b"\4\0" + elf(True), b"\5\0" + elf(True), b"\0\0" + aout(),
                       b"\2\7" + b"\x90" * 512, b"\x07\x01" + b"\x90" * 512],
        "mgmt_uart": [bytes(range(64)), b"\x20\x0a\x01\0" + b"\x80\0x\0\x40\0\0\0" * 8 + b"\0\x0d\0\0\0\x08\0\0" * 16, b"\x20\x08A\0" * 4 + b"\x80\0x\0" * 20 + b"\0\x08\0\0" * 20],
    }
    for target, inputs in seeds.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for number, data in enumerate(inputs):
            with open(os.path.join(folder, f"seed{number}"), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
