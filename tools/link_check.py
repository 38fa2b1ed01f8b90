#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds the linked hypervisor to promises that no compiler flag can keep.

  fpu       no x87, MMX, SSE or AVX instruction in text: guest FPU state stays live in the registers
  heap      malloc and its relatives are not linked
  pages     no loadable segment is writable and executable; segments with different rights share no page
  build-id  the file carries the linker's build-id note
  linear    file offset - physical address is one constant, and only the last segment has a zero-filled tail,
            because the Multiboot address fields describe one flat copy
  boot      the Multiboot, Multiboot2 and PVH headers are where loaders look, and their fields agree with the segments

  tools/link_check.py build/signalbox.elf
  tools/link_check.py build/signalbox.elf --allow 'fpu_*'   functions that may save and restore FPU state
                                                            (XSAVE and the like; never vector registers)
  tools/link_check.py --self-test                           builds images with one fault each; every rule must fire

One line per finding, then a line with the verdict. Exit code 0: no finding; 1: findings; 2: not a usable file.
Specifications: Multiboot 0.6.96 section 3.1, Multiboot2 2.0 section 3.1, Xen PVH start ABI (note type 18),
SDM volume 1 section 13.1 (instructions that manage extended state).
"""
import argparse
import collections
import fnmatch
import os
import re
import struct
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree stays clean
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import elf_image  # noqa: E402  (the import needs the lines above)

PAGE = 4096
MB1_MAGIC, MB1_SEARCH, MB1_SIZE, MB1_ADDRESSES = 0x1BADB002, 8192, 12, 0x10000
MB2_MAGIC, MB2_SEARCH, MB2_SIZE = 0xE85250D6, 32768, 16
NT_GNU_BUILD_ID, XEN_PHYS32_ENTRY = 3, 18
HEAP = re.compile(r"_*(malloc|free|calloc|realloc|memalign|sbrk)(_r)?$|__malloc_(un)?lock$")
# No other mnemonic of the AT&T syntax begins with f; these f and x mnemonics only save and restore.
STATE = re.compile(r"(fxsave|fxrstor|xsave|xsavec|xsaveopt|xsaves|xrstor|xrstors)(64)?$|v?(ldmxcsr|stmxcsr)$")
FPU_MNEMONIC = re.compile(r"f|emms$|vzero(upper|all)$|wait$")
FPU_REGISTER = re.compile(r"%([xyz]?mm\d+|st\b|k[0-7]\b|tmm\d)")
PREFIXES = {"lock", "rep", "repz", "repnz", "repe", "repne", "bnd", "notrack", "data16", "addr32", "cs", "ds", "es",
            "fs", "gs", "ss", "xacquire", "xrelease"}

Headers = collections.namedtuple("Headers", "mb1 mb2")  # (offset, size) in the file, or None
Text = collections.namedtuple("Text", "instructions findings")


def find_multiboot1(elf):
    """Place of the first Multiboot header with a right checksum."""
    for at in range(0, min(len(elf.data), MB1_SEARCH) - MB1_SIZE + 1, 4):
        magic, flags, check = struct.unpack_from("<III", elf.data, at)
        if magic == MB1_MAGIC and (magic + flags + check) & 0xffffffff == 0:
            size = 32 if flags & MB1_ADDRESSES else MB1_SIZE
            return (at, size) if at + size <= MB1_SEARCH else None
    return None


def find_multiboot2(elf):
    """Place of the first Multiboot2 header with a right checksum; all of it lies within the searched part."""
    for at in range(0, min(len(elf.data), MB2_SEARCH) - MB2_SIZE + 1, 8):
        magic, arch, length, check = struct.unpack_from("<IIII", elf.data, at)
        if magic == MB2_MAGIC and (magic + arch + length + check) & 0xffffffff == 0:
            return (at, length) if MB2_SIZE <= length and at + length <= MB2_SEARCH else None
    return None


def instruction_lines(path):
    """(function, address, text) of every instruction that objdump shows."""
    run = subprocess.run(["objdump", "-d", "-w", "--no-show-raw-insn", path], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        raise elf_image.ElfError(run.stderr.strip())
    function = "?"
    for line in run.stdout.splitlines():
        start = re.match(r"[0-9a-f]+ <(.*)>:$", line)
        if start:
            function = start.group(1)
            continue
        found = re.match(r" *([0-9a-f]+):\t(.*)", line)
        if found:
            yield function, int(found.group(1), 16), found.group(2).split("#")[0].strip()


def mnemonic(text):
    for word in text.split():
        if word not in PREFIXES and not word.startswith("rex"):
            return word
    return ""


def is_fpu(text, function, allowed):
    """Whether the instruction touches FPU or vector state in a function that has no leave to do so."""
    if FPU_REGISTER.search(text):
        return True
    name = mnemonic(text)
    if STATE.match(name):
        return not any(fnmatch.fnmatchcase(function, pattern) for pattern in allowed)
    return bool(FPU_MNEMONIC.match(name))


def check_text(elf, path, headers, allowed):
    """Disassembles all of text but the boot headers, which are data between code."""
    skipped = []
    for place in filter(None, headers):
        for s in elf.loads():
            if s.offset <= place[0] < s.offset + s.filesz:
                start = s.vaddr + place[0] - s.offset
                skipped.append(range(start, start + place[1]))
    count, findings = 0, []
    for function, address, text in instruction_lines(path):
        if text == "int3" or any(address in span for span in skipped):
            continue  # padding, or no code
        count += 1
        if is_fpu(text, function, allowed):
            findings.append("fpu: %s at %#x: %s" % (function, address, " ".join(text.split())))
    if count == 0:
        findings.append("fpu: the file has no instructions")
    return Text(count, findings)


def check_heap(elf):
    for symbol in elf.symbols:
        if HEAP.match(symbol.name):
            yield "heap: %s is linked" % symbol.name


def rights(segment):
    return "".join(c for c, bit in (("r", 4), ("w", 2), ("x", 1)) if segment.flags & bit)


def pages(start, size):
    return range(start // PAGE, -(-(start + size) // PAGE))


def check_pages(elf):
    loads = [s for s in elf.loads() if s.memsz]
    for at, s in enumerate(loads):
        if s.flags & elf_image.PF_W and s.flags & elf_image.PF_X:
            yield "pages: the segment at %#x is writable and executable" % s.vaddr
        for other in loads[at + 1:]:
            if s.flags == other.flags:
                continue
            for kind, first, second in (("virtual", s.vaddr, other.vaddr), ("physical", s.paddr, other.paddr)):
                mine, theirs = pages(first, s.memsz), pages(second, other.memsz)
                if mine.start < theirs.stop and theirs.start < mine.stop:
                    yield "pages: segments %s and %s share the %s page %#x" % (
                        rights(s), rights(other), kind, max(mine.start, theirs.start) * PAGE)


def check_build_id(elf):
    if not any(n.name == "GNU" and n.type == NT_GNU_BUILD_ID and len(n.desc) >= 16 for n in elf.notes()):
        yield "build-id: the note is missing"


def check_linear(elf):
    loads = [s for s in elf.loads() if s.memsz]
    if not loads:
        yield "linear: the file has no loadable segment"
    backed = [s for s in loads if s.filesz]
    for s in backed[1:]:
        if s.offset - s.paddr != backed[0].offset - backed[0].paddr:
            yield "linear: the segment at physical %#x is at file offset %#x, not %#x" % (
                s.paddr, s.offset, s.paddr + backed[0].offset - backed[0].paddr)
    for s in loads[:-1]:
        if s.filesz < s.memsz:
            yield "linear: the segment at physical %#x has a zero-filled tail, but is not the last" % s.paddr


def executable(elf, paddr):
    return any(s.flags & elf_image.PF_X and s.paddr <= paddr < s.paddr + s.filesz for s in elf.loads())


def check_multiboot1(elf, place):
    if place is None:
        yield "boot: no Multiboot header with a right checksum in the first %d bytes" % MB1_SEARCH
        return
    flags = struct.unpack_from("<I", elf.data, place[0] + 4)[0]
    if not flags & MB1_ADDRESSES:
        yield "boot: the Multiboot header has no address fields, which a 64-bit file needs"
        return
    header, load, load_end, bss_end, entry = struct.unpack_from("<5I", elf.data, place[0] + 12)
    loads = elf.loads()
    shift = loads[0].paddr - loads[0].offset
    for name, value, wanted in (
            ("header_addr", header, place[0] + shift),
            ("load_addr", load, loads[0].paddr),
            ("load_end_addr", load_end, max(s.paddr + s.filesz for s in loads)),
            ("bss_end_addr", bss_end, max(s.paddr + s.memsz for s in loads))):
        if value != wanted:
            yield "boot: Multiboot %s is %#x, the segments say %#x" % (name, value, wanted)
    if not executable(elf, entry):
        yield "boot: Multiboot entry_addr %#x is not in text" % entry


def check_multiboot2(place):
    if place is None:
        yield "boot: no 8-aligned Multiboot2 header with a right checksum in the first %d bytes" % MB2_SEARCH


def check_pvh(elf):
    entries = [n.desc for n in elf.notes() if n.name == "Xen" and n.type == XEN_PHYS32_ENTRY]
    if not entries:
        yield "boot: the PVH entry note is missing"
    for desc in entries:
        if len(desc) not in (4, 8) or not executable(elf, int.from_bytes(desc, "little")):
            yield "boot: the PVH entry is not in text"


def check(path, allowed=()):
    """(findings, facts for the last line)"""
    elf = elf_image.Elf(path)
    headers = Headers(find_multiboot1(elf), find_multiboot2(elf))
    text = check_text(elf, path, headers, allowed)
    findings = list(text.findings)
    for rule in (check_heap(elf), check_pages(elf), check_build_id(elf), check_linear(elf)):
        findings += rule
    if elf.loads():
        findings += check_multiboot1(elf, headers.mb1)
    findings += list(check_multiboot2(headers.mb2)) + list(check_pvh(elf))
    sizes = ["%s %d" % (rights(s), s.memsz) for s in elf.loads()]
    return findings, "%d instructions, bytes in memory: %s" % (text.instructions, ", ".join(sizes))


def main():
    parser = argparse.ArgumentParser(description="checks of the linked hypervisor")
    parser.add_argument("elf", nargs="?")
    parser.add_argument("--allow", action="append", default=[], metavar="FUNCTION",
                        help="function (or pattern) that may save and restore FPU state")
    parser.add_argument("--self-test", action="store_true", help="prove that every rule fires")
    args = parser.parse_args()
    if args.self_test:
        import link_check_test
        sys.exit(link_check_test.run(check))
    if args.elf is None:
        parser.error("give the linked image, or --self-test")
    try:
        findings, facts = check(args.elf, args.allow)
    except (elf_image.ElfError, OSError) as error:
        print("link check: %s" % error, file=sys.stderr)
        sys.exit(2)
    for line in findings:
        print(line)
    print("link check: %s (%s)" % ("%d findings" % len(findings) if findings else "ok", facts))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
