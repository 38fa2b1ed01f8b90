# SPDX-License-Identifier: BSD-2-Clause
"""Images for boot tests and firmware for Bochs, by name.

    signalbox        build/signalbox.elf as it is
    signalbox-clang  build/clang/signalbox.elf
    signalbox-debug  build/debug/signalbox.elf, built with DEBUG=1
    signalbox-pvh    a copy whose multiboot1 magic is overwritten: QEMU's -kernel tries multiboot1 first and PVH only
                     when there is no such header; nothing else differs
    loader           build/tests/loader.elf, the hostile loader of tests/boot/loader; Signalbox is its first module

Bochs' BIOS sets IA32_FEATURE_CONTROL to 5 (locked, VMX on) on every CPU. Changed copies for other firmwares:
    locked         locked with VMX off on all CPUs      locked-ap    on all but the first CPU
    unlocked       left alone on all CPUs: the MSR is 0
"""
import os

MULTIBOOT1_MAGIC = (0x1BADB002).to_bytes(4, "little")
BIOS = "/usr/share/bochs/BIOS-bochs-latest"
SET_FIRST = bytes.fromhex("b93a0000000f3283c8050f30")  # MOV ECX, 3AH; RDMSR; OR EAX, 5; WRMSR in 32-bit code
SET_OTHER = bytes.fromhex("66b93a0000000f326683c8050f30")  # the same in 16-bit code
SEARCH = 8192  # Multiboot 0.6.96 section 3.1: the header lies within the first 8192 bytes


class ImageError(Exception):
    """An image is missing or not what it should be."""


def path(name, build):
    """File of the image, without looking whether it is there."""
    files = {"signalbox": "signalbox.elf", "signalbox-pvh": "signalbox.elf",
             "signalbox-clang": "clang/signalbox.elf",
             "signalbox-debug": "debug/signalbox.elf", "loader": "tests/loader.elf"}
    if name not in files:
        raise ImageError(f"no such image: {name}")
    return os.path.join(build, files[name])


def make(name, build, folder):
    """The file to boot; copies go to `folder`."""
    source = path(name, build)
    if not os.path.isfile(source):
        raise ImageError(f"no such file: {source}")
    if name != "signalbox-pvh":
        return source
    with open(source, "rb") as file:
        data = bytearray(file.read())
    at = data.find(MULTIBOOT1_MAGIC, 0, SEARCH)
    if at < 0:
        raise ImageError(f"{source}: no multiboot1 header")
    data[at:at + 4] = bytes(4)
    copy = os.path.join(folder, "signalbox-pvh.elf")
    with open(copy, "wb") as file:
        file.write(data)
    return copy


def bios(kind, folder):
    """A copy of Bochs' BIOS that treats IA32_FEATURE_CONTROL as `kind` says."""
    with open(BIOS, "rb") as file:
        data = file.read()
    end = {"locked": b"\x01\x0f\x30", "locked-ap": b"\x01\x0f\x30", "unlocked": b"\x05\x90\x90"}.get(kind)
    if end is None:
        raise ImageError(f"no such firmware: {kind}")
    for code in (SET_OTHER,) if kind == "locked-ap" else (SET_FIRST, SET_OTHER):
        if data.count(code) != 1:
            raise ImageError(f"{BIOS} does not set IA32_FEATURE_CONTROL as it used to")
        data = data.replace(code, code[:-3] + end)
    copy = os.path.join(folder, "bios")
    with open(copy, "wb") as file:
        file.write(data)
    return copy
