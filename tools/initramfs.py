#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes an initial RAM disk for Linux: a cpio archive of the "newc" format, not compressed.

    tools/initramfs.py --output FILE --busybox PATH [--file PATH=SOURCE]... [--program PATH=SOURCE]...

Job: the folders that the paths need, /dev/console, busybox with a symbolic link for each applet that it has, and the files
given, --program ones executable. The same inputs give the same bytes: owner 0, time 0, numbers in order.
Not compressed, because a kernel takes longer to unpack than to copy. Documentation/driver-api/early-userspace/
buffer-format.rst, "initramfs buffer format".
"""
import argparse
import subprocess
import sys

FOLDER, FILE, LINK, DEVICE = 0o040000, 0o100000, 0o120000, 0o020000
FOLDERS = ("dev", "proc", "sys", "run", "tmp", "bin", "etc", "root", "mnt")


class Archive:
    """Entries in the order in which they are added; a folder before what is in it."""

    def __init__(self):
        self.parts = []
        self.names = set()
        self.number = 0

    def add(self, name, mode, data=b"", device=(0, 0)):
        if name in self.names:
            return
        self.names.add(name)
        self.number += 1
        path = name.encode() + b"\0"
        fields = (self.number, mode, 0, 0, 2 if mode & FOLDER == FOLDER else 1, 0, len(data), 0, 0, *device, len(path), 0)
        self._padded(b"070701" + b"".join(b"%08X" % field for field in fields) + path)
        self._padded(data)

    def _padded(self, data):
        self.parts.append(data + b"\0" * (-len(data) % 4))

    def add_file(self, path, data, executable):
        name = path.lstrip("/")
        folders = name.split("/")[:-1]
        for i in range(len(folders)):
            self.add("/".join(folders[:i + 1]), FOLDER | 0o755)
        self.add(name, FILE | (0o755 if executable else 0o644), data)

    def finished(self):
        self.number = -1
        self.add("TRAILER!!!", 0)
        data = b"".join(self.parts)
        return data + b"\0" * (-len(data) % 512)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _applets(busybox):
    listed = subprocess.run([busybox, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return sorted(name for name in listed if name != "busybox")


def build(busybox, files, programs):
    archive = Archive()
    for name in FOLDERS:
        archive.add(name, FOLDER | 0o755)
    archive.add("dev/console", DEVICE | 0o600, device=(5, 1))
    archive.add_file("bin/busybox", _read(busybox), True)
    for name in _applets(busybox):
        archive.add("bin/" + name, LINK | 0o777, b"busybox")
    for path, source in files:
        archive.add_file(path, _read(source), False)
    for path, source in programs:
        archive.add_file(path, _read(source), True)
    return archive.finished()


def _pair(text):
    path, equals, source = text.partition("=")
    if not equals or not path.strip("/"):
        raise argparse.ArgumentTypeError(f"{text}: write PATH=SOURCE")
    return path, source


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--busybox", required=True)
    parser.add_argument("--file", action="append", default=[], type=_pair, metavar="PATH=SOURCE")
    parser.add_argument("--program", action="append", default=[], type=_pair, metavar="PATH=SOURCE")
    args = parser.parse_args()
    try:
        data = build(args.busybox, args.file, args.program)
        with open(args.output, "wb") as file:
            file.write(data)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"initramfs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
