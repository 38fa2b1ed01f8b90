#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes seeds of the fuzz targets mgmt_linux, mgmt_rtc, mgmt_acpi_pm and mgmt_ports: mgmt_pc_seeds.py FOLDER."""
import os
import struct
import sys


def kernel(version, relocatable, wide):
    """A header of the Linux boot protocol, two sectors of setup, 1 KiB of code."""
    image = bytearray(0x400) + b"\x90" * 0x400
    image[0x1F1] = 1
    image[0x211] = 1
    image[0x234] = relocatable
    for at, form, value in ((0x1F4, "<I", 0x40), (0x1FE, "<H", 0xAA55), (0x200, "<H", 0x6AEB), (0x206, "<H", version),
                            (0x22C, "<I", 0x7FFFFFFF), (0x230, "<I", 0x10000), (0x236, "<H", wide), (0x238, "<I", 255),
                            (0x258, "<Q", 0x100000), (0x260, "<I", 0x40000)):
        struct.pack_into(form, image, at, value)
    image[0x202:0x206] = b"HdrS"
    return bytes(image)


def accesses(*rows):
    """Four bytes each, as fuzz_mgmt_pc.c reads them: what and width, port, two of data."""
    return b"".join(struct.pack("<BBH", *row) for row in rows)


READ, WRITE, TIME, LOOK = 0, 0x40, 0x80, 0x20
RTC, PM = 0x00, 0x00                                # each the first base of its target
CF8, KBD, POST, DEBUG = 0x00, 0x20, 0x40, 0x60


def main():
    clock = [(WRITE, RTC + 8, reg) for reg in (0, 2, 4, 10, 11, 12, 13)]
    seeds = {
        "mgmt_linux": [b"\x02" + kernel(0x20F, 1, 3), b"\x05" + kernel(0x20F, 0, 0), b"\x00" + kernel(0x206, 1, 0)],
        "mgmt_rtc": [
            accesses(*[row for set_index in clock for row in (set_index, (READ, RTC + 9, 0), (TIME, 0, 0x4001))]),
            accesses((WRITE, RTC + 8, 11), (WRITE, RTC + 9, 0x82), (WRITE, RTC + 8, 4), (WRITE, RTC + 9, 0x99), (TIME, 1, 9)),
            accesses((WRITE, RTC + 8, 11), (WRITE, RTC + 9, 0x72), (TIME, 10, 0x4001), (LOOK, 0, 0), (WRITE, RTC + 8, 12),
                     (READ, RTC + 9, 0), (TIME, 0, 200), (LOOK, 0, 0)),
        ],
        "mgmt_acpi_pm": [
            accesses((WRITE + 1, PM + 12, 0x2000), (READ + 2, PM + 16, 0), (TIME, 20, 0x100), (READ + 2, PM + 8, 0)),
            accesses((WRITE + 1, PM + 10, 1), (TIME, 14, 0x4001), (LOOK, 0, 0), (WRITE + 1, PM + 8, 1), (READ + 1, PM + 8, 0)),
        ],
        "mgmt_ports": [
            accesses((WRITE + 2, CF8 + 8, 0x8000), (READ + 2, CF8 + 12, 0), (WRITE, CF8 + 9, 6), (READ + 1, CF8 + 9, 0)),
            accesses((WRITE, KBD + 12, 0xAA), (READ, KBD + 8, 0), (WRITE, KBD + 12, 0xD1), (WRITE, KBD + 8, 0xFE)),
            accesses((WRITE, POST + 8, 7), (READ, POST + 8, 0), (WRITE, DEBUG + 9, 65), (READ, DEBUG + 9, 0),
                     (WRITE + 2, DEBUG + 20, 16)),
        ],
    }
    for target, inputs in seeds.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for number, data in enumerate(inputs):
            with open(os.path.join(folder, f"seed{number}"), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
