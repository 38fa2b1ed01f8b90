# SPDX-License-Identifier: BSD-2-Clause
"""Wraps a Multiboot image, its command line and its modules into a bootable ISO with GRUB.

Job: give one file that BIOS machines (El Torito, i386-pc) and, when asked, UEFI machines (El Torito, x86_64-efi)
start without a menu. grub-mkrescue does the work with only the few GRUB modules that are needed: about 0.2 s.
When GRUB refuses the image, the reason goes to COM1 behind the line GRUB_FAILED, so that no run ends in silence.
Words of a command line are separated at blanks; GRUB passes every word on as it is.
Specifications: Multiboot2 1.6 section 3 (image format), El Torito 1.0.
"""
import os
import shutil
import struct
import subprocess
import tempfile

GRUB_DIR = "/usr/lib/grub"
GRUB_MODULES = "normal iso9660 multiboot multiboot2 serial terminal echo test halt"
GRUB_FAILED = "GRUB could not load the image"
PART_MODULES = " ".join("part_" + p for p in ("acorn", "amiga", "apple", "bsd", "dfly", "dvh", "gpt", "msdos", "plan", "sun",
                                            "sunpc"))  # a UEFI image of grub-mkrescue asks for all of them
COMMANDS = {"multiboot": ("multiboot", "module"), "multiboot2": ("multiboot2", "module2")}


class IsoError(Exception):
    """A tool or a file is missing, or grub-mkrescue failed; the text says which."""


def _quote(words):
    return " ".join("'" + w.replace("'", "'\\''") + "'" for w in words)


def grub_config(protocol, append, modules):
    """Text of grub.cfg; modules is a list of (path in the ISO, words of the argument)."""
    load, module = COMMANDS[protocol]
    words = append.split()
    lines = ["set timeout=0", f"if ! {load} /boot/image {_quote(words)}; then",
             "serial --unit=0 --speed=115200", "terminal_output serial", f"echo '{GRUB_FAILED}'",
             f"{load} /boot/image {_quote(words)}", "halt", "fi"]
    lines += [f"{module} {path} {_quote(args)}" for path, args in modules]
    return "\n".join(lines + ["boot", ""])


def elf_entry(path):
    """Physical address of an ELF's entry point, or None for another file."""
    with open(path, "rb") as file:
        head = file.read(65536)
    if head[:4] != b"\x7fELF" or head[5] != 1:
        return None
    wide = head[4] == 2
    entry, table = struct.unpack_from("<QQ" if wide else "<II", head, 24)
    size, count = struct.unpack_from("<HH", head, 54 if wide else 42)
    for i in range(count):
        at = table + i * size
        if wide:
            kind, _, _, virtual, physical, _, memory = struct.unpack_from("<IIQQQQQ", head, at)
        else:
            kind, _, virtual, physical, _, memory = struct.unpack_from("<IIIIII", head, at)
        if kind == 1 and virtual <= entry < virtual + memory:
            return entry - virtual + physical
    return entry


def split_module(text):
    """'FILE args...' -> (FILE, [args]); checks that the file is there."""
    words = text.split()
    if not words:
        raise IsoError("empty module")
    if not os.path.isfile(words[0]):
        raise IsoError(f"no such module: {words[0]}")
    return words[0], words[1:]


def platforms(uefi_too):
    wanted = ["i386-pc"] + (["x86_64-efi"] if uefi_too else [])
    packages = {"i386-pc": "grub-pc-bin", "x86_64-efi": "grub-efi-amd64-bin"}
    for name in wanted:
        if not os.path.isdir(f"{GRUB_DIR}/{name}"):
            raise IsoError(f"GRUB for {name} is missing (Debian package {packages[name]})")
    tools = {"grub-mkrescue": "grub-common", "xorriso": "xorriso"}
    if uefi_too:
        tools["mformat"] = "mtools"
    for tool, package in tools.items():
        if not shutil.which(tool):
            raise IsoError(f"{tool} is missing (Debian package {package})")
    return wanted


def make_iso(elf, output, append="", modules=(), protocol="multiboot2", uefi_too=False):
    """Write a bootable ISO to `output`. `modules` holds strings 'FILE args...'."""
    if not os.path.isfile(elf):
        raise IsoError(f"no such image: {elf}")
    grafts, entries = [f"/boot/image={os.path.abspath(elf)}"], []
    for i, text in enumerate(modules):
        path, args = split_module(text)
        grafts.append(f"/boot/module{i}={os.path.abspath(path)}")
        entries.append((f"/boot/module{i}", args))
    rescue_iso(output, grub_config(protocol, append, entries), grafts, uefi_too)


def rescue_iso(output, grub_cfg, grafts, uefi_too):
    """An ISO with the text `grub_cfg` and, for each graft "PLACE=FILE", that file."""
    wanted = platforms(uefi_too)
    with tempfile.TemporaryDirectory(prefix="sbx-iso-") as tree:
        os.makedirs(f"{tree}/iso/boot/grub")
        os.mkdir(f"{tree}/tmp")
        with open(f"{tree}/iso/boot/grub/grub.cfg", "w", encoding="utf-8") as cfg:
            cfg.write(grub_cfg)
        grub_modules = GRUB_MODULES + (f" all_video {PART_MODULES}" if uefi_too else "")
        cmd = ["grub-mkrescue", f"--install-modules={grub_modules}", "--fonts=", "--locales=", "--themes=",
               "--compress=no", "-o", output]
        if wanted == ["i386-pc"]:
            cmd += ["-d", f"{GRUB_DIR}/i386-pc"]
        env = dict(os.environ, TMPDIR=tree + "/tmp")  # whatever a killed grub-mkrescue leaves goes with the tree
        done = subprocess.run(cmd + [tree + "/iso"] + grafts, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise IsoError("grub-mkrescue failed:\n" + done.stdout[-2000:])
