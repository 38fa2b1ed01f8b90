#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Takes the ELF out of a bzImage, for loaders that enter it by its PVH note.

    tests/linux/vmlinux.py BZIMAGE OUTPUT

Documentation/arch/x86/boot.rst, fields setup_sects, payload_offset and payload_length: the payload is compressed by lz4 or
zstd, and its last four bytes are the size of what comes out. Debug information and symbols are stripped.
"""
import struct
import subprocess
import sys

PACKERS = {b"\x02\x21\x4c\x18": ["lz4", "-d", "-c", "-"], b"\x28\xb5\x2f\xfd": ["zstd", "-d", "-c", "-"]}


def payload(image):
    setup = (image[0x1f1] or 4) + 1
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = setup * 512 + offset
    return image[start:start + length]


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    with open(sys.argv[1], "rb") as file:
        packed = payload(file.read())
    command = PACKERS.get(packed[:4])
    if not command:
        print(f"{sys.argv[1]}: the payload is packed by something else than lz4 and zstd", file=sys.stderr)
        return 1
    size = struct.unpack("<I", packed[-4:])[0]
    # The size behind the stream makes the unpacker complain; what came before that counts.
    done = subprocess.run(command, input=packed[:-4], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if len(done.stdout) != size or done.stdout[:4] != b"\x7fELF":
        print(f"{sys.argv[1]}: {command[0]} gave {len(done.stdout)} of {size} bytes", file=sys.stderr)
        return 1
    with open(sys.argv[2], "wb") as file:
        file.write(done.stdout)
    return subprocess.run(["strip", sys.argv[2]], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
