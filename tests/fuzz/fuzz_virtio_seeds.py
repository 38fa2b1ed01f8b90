#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for the virtio fuzz targets: fuzz_virtio_seeds.py FOLDER."""
import os
import struct
import sys

NEXT, WRITE, INDIRECT = 1, 2, 4


def desc(gpa, length, flags, following):
    return struct.pack("<QIHH", gpa, length, flags, following)


def queue_input(first, second, steps, content):
    """As fuzz_virtio_queue.c reads it; content: {offset: bytes} of the guest's memory."""
    memory = bytearray(0x2000)
    for at, data in content.items():
        memory[at:at + len(data)] = data
    rows = list(steps) + [(4, 0, 0, 0)] * (16 - len(steps))
    return bytes((first, second)) + b"".join(bytes(row) for row in rows) + bytes(memory)


def queue_seeds():
    ring = struct.pack("<HHHHH", 0, 2, 0, 2, 0)
    table = desc(0x2000, 16, NEXT, 1) + desc(0x1f00, 0x200, WRITE, 0) + desc(0x2100, 32, INDIRECT, 0)
    good = {0: table, 0x800: ring, 0x1100: desc(0x2200, 8, NEXT, 1) + desc(0x2300, 8, WRITE, 0)}
    steps = [(0, 0, 0, 0), (7, 9, 0, 0), (2, 0, 4, 0), (4, 0, 0, 0), (0, 0, 0, 0), (3, 0, 0, 0), (0, 0, 0, 0),
             (2, 2, 8, 0), (5, 1, 0, 0)]
    return [queue_input(first, 3, steps, good) for first in (0, 1, 2, 3)] + [queue_input(28, 2, steps, good)]


def poke(gpa, value):
    return struct.pack("<BHBI", 5, gpa & 0xffff, 0, value)


def device_input(device, bus, queue, descriptors, features=0):
    """A started device, one chain of descriptors, a notification, input from the other side; features: 0x10 is all of the type."""
    data = bytes((0x80 | bus << 2 | device | features,))
    at, ring = (0, 0x4000) if queue == 0 else (0x2000, 0xfff6)
    for number, (gpa, length, flags) in enumerate(descriptors):
        words = struct.unpack("<4I", desc(gpa, length, flags, number + 1))
        data += b"".join(poke(at + 16 * number + 4 * i, word) for i, word in enumerate(words))
    if queue == 0:
        data += poke(ring, 1 << 16)
    else:
        data += poke(0xfff8, 1)
    return data + bytes((6, queue, 0, 0, 0, 0, 0, 0)) + bytes((7, 0x85, 1, 1, 80, 0, 0, 0))


def device_seeds():
    header = poke(0xa000, 0) + poke(0xa008, 1)
    seeds = []
    for bus in range(3):
        seeds.append(device_input(0, bus, 0, [(0x1a000, 64, WRITE)]))
        seeds.append(device_input(1, bus, 0, [(0x1a000, 64, WRITE)]))
        seeds.append(device_input(1, bus, 1, [(0x1a000, 64, 0)]))
        chain = [(0x1a000, 16, NEXT), (0x1b000, 512, NEXT | WRITE), (0x1a040, 1, WRITE)]
        seeds.append(device_input(2, bus, 0, chain))
        read = device_input(2, bus, 0, [(0x1a000, 16, NEXT), (0x1b000, 512, NEXT), (0x1a040, 1, WRITE)])
        seeds.append(read[:1] + header + poke(0xa000, 1) + read[1:])
        seeds.append(device_input(3, bus, 0, [(0x1a000, 2000, WRITE)]))
        seeds.append(device_input(3, bus, 1, [(0x1a000, 100, 0)]))
        seeds.append(device_input(3, bus, 0, [(0x1a000, 4000, WRITE)], 0x10) + bytes((7, 0x85, 1, 1, 0, 12, 0, 180)))
        large = device_input(3, bus, 1, [(0x1a000, 12 + 54 + 3000, 0)], 0x10)
        frame = struct.pack("<BBHHHHH", 1, 1, 54, 1000, 34, 16, 0) + bytes((2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 8, 0))
        frame += bytes((0x45, 0)) + struct.pack(">H", 40 + 3000) + bytes((0, 0, 0, 0, 64, 6)) + bytes(22) + bytes((0x50, 0x19))
        words = b"".join(poke(0xa000 + at, struct.unpack("<I", frame[at:at + 4].ljust(4, b"\0"))[0]) for at in range(0, len(frame), 4))
        seeds.append(large[:1] + words + large[1:])
    return seeds


def main():
    for target, inputs in {"virtio_queue": queue_seeds(), "virtio_device": device_seeds()}.items():
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for number, data in enumerate(inputs):
            with open(os.path.join(folder, f"seed{number}"), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
