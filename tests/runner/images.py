# SPDX-License-Identifier: BSD-2-Clause
"""Images for boot tests, by name.

    signalbox      build/signalbox.elf as it is
    signalbox-pvh  a copy whose multiboot1 magic is overwritten: QEMU's -kernel tries multiboot1 first and PVH only
                   when there is no such header; nothing else differs
    loader         build/tests/loader.elf, the hostile loader of tests/boot/loader; Signalbox is its first module
"""
import os

MULTIBOOT1_MAGIC = (0x1BADB002).to_bytes(4, "little")
SEARCH = 8192  # Multiboot 0.6.96 section 3.1: the header lies within the first 8192 bytes


class ImageError(Exception):
    """An image is missing or not what it should be."""


def path(name, build):
    """File of the image, without looking whether it is there."""
    files = {"signalbox": "signalbox.elf", "signalbox-pvh": "signalbox.elf", "loader": "tests/loader.elf"}
    if name not in files:
        raise ImageError(f"no such image: {name}")
    return os.environ.get("SIGNALBOX_IMAGE") or os.path.join(build, files[name]) if name != "loader" else \
        os.path.join(build, files[name])


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
