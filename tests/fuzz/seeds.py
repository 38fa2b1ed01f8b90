#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
#
# seeds.py DIRECTORY: writes a few sound inputs per fuzz target to DIRECTORY/<target>/, so that no binary file is kept in the
# tree. Memory images are lists of chunks (tests/fuzz/fuzz_mem.h); the layouts are those of the specifications.
import os
import struct
import sys


def chunk(pa, data):
    return struct.pack("<IH", pa, len(data)) + data


def multiboot1(flags=0x24D, mmap_extra=b""):
    mmap = b"".join(struct.pack("<IQQI", 20, *entry) for entry in [
        (0, 0x9FC00, 1), (0xF0000, 0x10000, 2), (0x100000, 0x7EE0000, 1), (0x7FE0000, 0x20000, 3)]) + mmap_extra
    mods = struct.pack("<4I", 0x400000, 0x480000, 0xE000, 0) + struct.pack("<4I", 0x500000, 0x500400, 0, 0)
    info = struct.pack("<18I", flags, 639, 65536, 0, 0xA000, 2, 0xD000, 0, 0, 0, 0, len(mmap), 0xC000, 0, 0, 0, 0xB000, 0)
    return (chunk(0x9000, info) + chunk(0xC000, mmap) + chunk(0xD000, mods) + chunk(0xA000, b"/boot/sbx com1=115200\0")
            + chunk(0xB000, b"GRUB 2\0") + chunk(0xE000, b"manager arg\0"))


def tag(kind, body):
    size = 8 + len(body)
    return struct.pack("<II", kind, size) + body + b"\0" * (-size % 8)


def multiboot2(mmap=True, efi=False, services=False):
    tags = tag(1, b"com1=115200\0") + tag(2, b"GRUB 2\0") + tag(3, struct.pack("<II", 0x400000, 0x480000) + b"manager\0")
    tags += tag(4, struct.pack("<II", 639, 65536)) + tag(14, b"o" * 20) + tag(15, b"n" * 36)
    if mmap:
        tags += tag(6, struct.pack("<II", 24, 0) + struct.pack("<QQII", 0, 0x9FC00, 1, 0)
                    + struct.pack("<QQII", 0x100000, 0x7F00000, 1, 0) + struct.pack("<QQII", 0xF0000, 0x10000, 2, 0))
    if efi:
        tags += tag(17, struct.pack("<II", 48, 1) + b"".join(
            struct.pack("<IIQQQQQ", kind, 0, 0x100000 + kind * 0x800000, 0, 0x800, 15, 0) for kind in range(16)))
    if services:
        tags += tag(18, b"")
    tags += tag(0, b"")
    return chunk(0x9000, struct.pack("<II", 8 + len(tags), 0) + tags)


def pvh(version=1):
    info = struct.pack("<4I4Q2I", 0x336EC578, version, 0, 2, 0xD000, 0xA000, 0xF5A40, 0xC000, 4, 0)
    memmap = b"".join(struct.pack("<QQII", *entry, 0) for entry in [
        (0, 0x9FC00, 1), (0x100000, 0x7F00000, 1), (0x100000000, 0x80000000, 1), (0xFFFC0000, 0x40000, 2)])
    mods = struct.pack("<4Q", 0x400000, 0x80000, 0xE000, 0) + struct.pack("<4Q", 0x110000000, 0x1000, 0, 0)
    return (chunk(0x9000, info) + chunk(0xC000, memmap) + chunk(0xD000, mods) + chunk(0xA000, b"loglevel=debug\0")
            + chunk(0xE000, b"manager\0"))


def table(signature, body):
    return signature + struct.pack("<IBB", 36 + len(body), 2, 0) + b"SIGBOX" + b"SEEDTABL" + b"\0" * 12 + body


def gas(space, width, address):
    return struct.pack("<BBBBQ", space, width, 0, 0, address)


def scope(kind, bus, *path):
    return struct.pack("<BBHBB", kind, 6 + len(path), 0, 8, bus) + bytes(path)


def unit(kind, body):
    return struct.pack("<HH", kind, 4 + len(body)) + body


def acpi_tables():
    madt = struct.pack("<II", 0xFEE00000, 1)
    madt += b"".join(struct.pack("<BBBBI", 0, 8, i, i * 2, 1) for i in range(4))
    madt += struct.pack("<BBHIII", 9, 16, 0, 0x100, 1, 9) + struct.pack("<BBBBII", 1, 12, 8, 0, 0xFEC00000, 0)
    madt += struct.pack("<BBBBIH", 2, 10, 0, 9, 9, 13) + struct.pack("<BBHI", 3, 8, 5, 17)
    madt += struct.pack("<BBBHB", 4, 6, 255, 5, 1) + struct.pack("<BBHQ", 5, 12, 0, 0xFEE00000)
    madt += struct.pack("<BBHIB3x", 10, 12, 5, 0xFFFFFFFF, 1)
    fadt = bytearray(244 - 36)
    struct.pack_into("<H", fadt, 46 - 36, 9)
    struct.pack_into("<I", fadt, 64 - 36, 0x604)
    struct.pack_into("<I", fadt, 76 - 36, 0x608)
    fadt[89 - 36], fadt[91 - 36] = 2, 4
    struct.pack_into("<I", fadt, 112 - 36, 1 << 8 | 1 << 10)
    fadt[116 - 36:128 - 36] = gas(1, 8, 0xCF9)
    fadt[208 - 36:220 - 36] = gas(0, 32, 0xFED40008)
    hpet = struct.pack("<I", 0x8086A201) + gas(0, 64, 0xFED00000) + struct.pack("<BHB", 0, 128, 0)
    mcfg = b"\0" * 8 + struct.pack("<QHBBI", 0xB0000000, 0, 0, 255, 0)
    dmar = struct.pack("<BB10x", 38, 1)
    dmar += unit(0, struct.pack("<BBHQ", 0, 0, 0, 0xFED90000) + scope(1, 0, 2, 0))
    dmar += unit(0, struct.pack("<BBHQ", 1, 0, 0, 0xFED91000) + scope(3, 0xF0, 31, 0) + scope(2, 0, 28, 0, 1, 3))
    dmar += unit(1, struct.pack("<HHQQ", 0, 0, 0x7B800000, 0x7BFFFFFF) + scope(1, 0, 20, 0)) + unit(2, b"\0" * 4)
    return [table(b"APIC", madt), table(b"FACP", bytes(fadt)), table(b"HPET", hpet), table(b"MCFG", mcfg), table(b"DMAR", dmar)]


def acpi(tables, revision=2, mode=0):
    image, pas = b"", []
    for number, content in enumerate(tables):
        pas.append(0x10000 + number * 0x1000)
        image += chunk(pas[-1], content)
    xsdt = table(b"XSDT", b"".join(struct.pack("<Q", pa) for pa in pas))
    rsdt = table(b"RSDT", b"".join(struct.pack("<I", pa) for pa in pas))
    rsdp = b"RSD PTR \0SIGBOX" + struct.pack("<BIIQI", revision, 0x9000, 36, 0x8000, 0)
    return bytes([mode]) + chunk(0xE0000, rsdp) + chunk(0x8000, xsdt) + chunk(0x9000, rsdt) + image


def main():
    tables = acpi_tables()
    seeds = {
        "multiboot1": [multiboot1(), multiboot1(flags=1), multiboot1(mmap_extra=struct.pack("<IQQI", 20, 0x200000, 0x1000, 2))],
        "multiboot2": [multiboot2(), multiboot2(mmap=False), multiboot2(mmap=False, efi=True), multiboot2(False, True, True)],
        "pvh": [pvh(), pvh(0), pvh(2)],
        "acpi": [acpi(tables), acpi(tables, 0), acpi(tables, mode=2)] + [acpi([one]) for one in tables],
        "cmdline": [
            b"/boot/sbx flag mem=64M com1=115200,8n1,0x3f8 exit=reboot -- rest", b"flag=off mem=0x1000 com1='a b' exit=halt",
            b"115200/3000000,8n1,mmio,0xfe034000,shift=2,width=4", b"auto,7e2,0x2f8", b"mem=18446744073709551615K \"flag"],
    }
    for target, inputs in seeds.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for number, data in enumerate(inputs):
            with open(os.path.join(folder, f"seed{number}"), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
