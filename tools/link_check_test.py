# SPDX-License-Identifier: BSD-2-Clause
"""Images with one fault each, for tools/link_check.py --self-test.

Job: build a tiny image that has everything the link checks ask for, then the same image with one thing changed, and
compare the findings with what that change must bring: exactly the expected line, and no other rule's line.
An image is assembly plus a linker script; a fault replaces text in either of them. Needs gcc and ld.
"""
import collections
import os
import subprocess
import sys
import tempfile

SOURCE = """
    .section .header, "a"
    .balign 8
mb1: .long 0x1badb002, 0x10003, -(0x1badb002 + 0x10003), mb1, start, load_end, bss_end, entry
    .balign 8
mb2: .long 0xe85250d6, 0, 24, -(0xe85250d6 + 24)
    .long 0, 8
    .section .note.Xen, "a", @note
    .long 4, 4, 18
    .asciz "Xen"
    .long entry
    .text
    .globl entry
entry: mov %eax, %ebx
    .type code, @function
code:
    rep stosb
    movnti %rax, (%rdi)
    ret
    .section .rodata, "a"
    .long 1
    .data
    .long 2
    .bss
    .skip 100
"""

SCRIPT = """
PHDRS { text PT_LOAD FLAGS(5); ro PT_LOAD FLAGS(4); data PT_LOAD FLAGS(6); note PT_NOTE FLAGS(4); }
ENTRY(entry)
SECTIONS {
    . = 0x200000; start = .;
    .text : { KEEP(*(.header)) *(.text) . = ALIGN(4096); } :text
    .rodata : { *(.rodata) } :ro
    .notes : { KEEP(*(.note.Xen)) KEEP(*(.note.gnu.build-id)) . = ALIGN(4096); } :ro :note
    .data : { *(.data) . = ALIGN(4096); load_end = .; } :data
    .bss : { *(.bss) bss_end = .; } :data
    /DISCARD/ : { *(.note.gnu.property) *(.note.GNU-stack) }
}
"""

# what is wrong, (old, new) replacements, how the one finding begins (None: no finding), functions allowed
Case = collections.namedtuple("Case", "name changes finding allow")


def code(name, instruction, finding, allow=()):
    return Case(name, [("    movnti", "    %s\n    movnti" % instruction)], finding, allow)


CASES = [
    Case("nothing", [], None, ()),
    code("SSE register", "movaps %xmm0, %xmm1", "fpu: code"),
    code("AVX register", "vaddps %ymm0, %ymm1, %ymm2", "fpu: code"),
    code("AVX-512 register", "vpaddd %zmm20, %zmm1, %zmm2", "fpu: code"),
    code("mask register", "kmovq %k1, %rax", "fpu: code"),
    code("MMX register", "movq %mm0, (%rax)", "fpu: code"),
    code("x87 load", "fldl (%rax)", "fpu: code"),
    code("x87 wait", "fwait", "fpu: code"),
    code("emms", "emms", "fpu: code"),
    code("vzeroupper", "vzeroupper", "fpu: code"),
    code("state saved without leave", "xsave (%rax)", "fpu: code"),
    code("state saved with leave", "xsave (%rax)\n fxrstor64 (%rax)\n ldmxcsr (%rax)", None, ("co*",)),
    code("vector register despite leave", "movaps %xmm0, (%rax)", "fpu: code", ("code",)),
    code("XSETBV and XGETBV are free", "xsetbv\n xgetbv", None),
    code("segment prefix is no x87", "mov %fs:0, %rax\n mov %gs:0, %rax", None),
    code("malloc", ".globl malloc\nmalloc: nop", "heap: malloc"),
    code("_free_r", ".globl _free_r\n_free_r: nop", "heap: _free_r"),
    code("_sbrk", ".globl _sbrk\n_sbrk: nop", "heap: _sbrk"),
    code("a name that only begins so", ".globl free_pages\nfree_pages: nop", None),
    Case("writable text", [("FLAGS(5)", "FLAGS(7)")], "pages: the segment at 0x200000 is writable", ()),
    Case("text and rodata in one page", [(". = ALIGN(4096); } :text", "} :text")], "pages: segments rx and r ", ()),
    Case("no build-id note", [("KEEP(*(.note.gnu.build-id))", "")], "build-id:", ()),
    Case("gap in physical memory only", [(".data : {", ".data : AT(0x300000) {"), ("load_end = .;", ""),
         ("bss_end = .;", ""), ("start = .;", "start = .; load_end = 0x301000; bss_end = 0x301064;")], "linear:", ()),
    Case("zero-filled tail in the middle", [(".rodata : {", ".zero (NOLOAD) : { *(.zero) . = ALIGN(4096); } :text "
         ".rodata : {"), (".bss\n", ".section .zero, \"aw\", @nobits\n.skip 64\n.bss\n")], "linear:", ()),
    Case("Multiboot checksum", [("-(0x1badb002 + 0x10003)", "5")], "boot: no Multiboot header", ()),
    Case("Multiboot header too late", [(". = 0x200000;", ". = 0x200000;"), ("KEEP(*(.header))",
         ". += 8192; KEEP(*(.header))")], "boot: no Multiboot header", ()),
    Case("Multiboot without addresses", [("0x10003", "0x3")], "boot: the Multiboot header has no address", ()),
    Case("Multiboot load end", [("load_end, bss_end", "load_end - 8, bss_end")], "boot: Multiboot load_end_addr", ()),
    Case("Multiboot bss end", [("bss_end, entry", "bss_end + 8, entry")], "boot: Multiboot bss_end_addr", ()),
    Case("Multiboot load address", [("mb1, start", "mb1, start + 4096")], "boot: Multiboot load_addr", ()),
    Case("Multiboot header address", [(", mb1, start", ", mb1 + 4, start")], "boot: Multiboot header_addr", ()),
    Case("Multiboot entry", [("bss_end, entry", "bss_end, start + 4096")], "boot: Multiboot entry_addr", ()),
    Case("Multiboot2 checksum", [("-(0xe85250d6 + 24)", "5")], "boot: no 8-aligned Multiboot2", ()),
    Case("Multiboot2 alignment", [("mb2:", ".long 0\nmb2:")], "boot: no 8-aligned Multiboot2", ()),
    Case("Multiboot2 length", [("0, 24,", "0, 40000,"), ("+ 24)", "+ 40000)")], "boot: no 8-aligned Multiboot2", ()),
    Case("no PVH note", [(".long 4, 4, 18", ".long 4, 4, 17")], "boot: the PVH entry note", ()),
    Case("PVH entry outside of text", [('"Xen"\n    .long entry', '"Xen"\n    .long bss_end')],
         "boot: the PVH entry is not", ()),
]


def build(folder, changes):
    source, script = SOURCE, SCRIPT
    for old, new in changes:
        if old not in source + script:
            raise ValueError("the fault %r does not apply" % old)
        source, script = source.replace(old, new), script.replace(old, new)
    paths = [os.path.join(folder, name) for name in ("image.S", "image.ld", "image.o", "image.elf")]
    for path, text in zip(paths, (source, script)):
        with open(path, "w", encoding="ascii") as stream:
            stream.write(text)
    subprocess.run(["gcc", "-c", paths[0], "-o", paths[2]], check=True)
    subprocess.run(["ld", "-T", paths[1], "--build-id=sha1", "-z", "max-page-size=4096", "--no-warn-rwx-segments",
                    "-o", paths[3], paths[2]], check=True)
    return paths[3]


def judge(case, findings):
    """None when the findings are the expected ones, else what is wrong."""
    if case.finding is None:
        return "unexpected: %s" % findings if findings else None
    if not findings:
        return "no finding"
    others = [line for line in findings if not line.startswith(case.finding)]
    return "also found: %s" % others if others else None


def run(check):
    """Number of cases that went wrong, as an exit code."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="link-check-") as folder:
        for case in CASES:
            findings, _ = check(build(folder, case.changes), case.allow)
            problem = judge(case, findings)
            failed += problem is not None
            print("%-4s %-36s %s" % ("FAIL" if problem else "ok", case.name, problem or "; ".join(findings)))
    print("link check self-test: %d of %d cases as expected" % (len(CASES) - failed, len(CASES)))
    sys.stdout.flush()
    return 1 if failed else 0
