# SPDX-License-Identifier: BSD-2-Clause
"""What a boot test does to a running QEMU from outside. Each hook is a function HOOKS[name](scene) that returns None
when it is content, else what is wrong; it runs in a thread beside the emulator.

    halted       every CPU is in HLT with interrupts off after the last expected line
    wx           the same, and the page tables of the halted machine: W^X, nothing in the low half, guard pages
    nmi          NMIs to all CPUs, from the first line to the end
    ud           an undefined instruction in the middle of a function: the dump must name it
    stack        a push onto a guard page: #PF without a stack, so #DF on its own stack
    null         a jump to address 0, which nobody may have mapped
"""
import os
import re
import sys
import threading
import time

from runner import qmp

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import elf_image  # pylint: disable=wrong-import-position

LOW_HALF_END = 1 << 47
IF = 1 << 9
CR0_WP = 1 << 16
CR4_SMEP_SMAP = 1 << 20 | 1 << 21
EFER_NXE = 1 << 11
PAGE = 4096
LARGE = 2 << 20
STACKS = 0xffff840000000000  # arch/cpu/paging.h
RSP, RIP = 7, 16
UD2 = b"\x0f\x0b"
SET_FRAME = b"\x48\x89\xe5"  # MOV RBP, RSP


class Scene:
    """The running machine as a hook sees it."""

    def __init__(self, folder, spec, image, expect):
        self.folder, self.spec, self.image, self.expect = folder, spec, image, expect
        self.ended = threading.Event()
        self.trouble = "the hook did not come to an end"
        self.monitor = None

    def qemu_args(self, hook):
        args = ["-qmp", f"unix:{self.folder}/qmp,server=on,wait=off"]
        if hook in NEEDS_DEBUGGER:
            args += ["-S", "-gdb", f"unix:{self.folder}/gdb,server=on,wait=off"]
        return args

    def play(self, hook):
        try:
            self.monitor = qmp.Monitor(f"{self.folder}/qmp")
            self.trouble = HOOKS[hook](self)
        except Exception as error:  # pylint: disable=broad-except
            self.trouble = f"hook {hook}: {type(error).__name__}: {error}"
        finally:
            if self.monitor:
                self.monitor.close()

    def wait_for(self, pattern):
        """Until a line of the serial port matches; False when the machine ended before."""
        while True:
            over = self.ended.is_set()
            if re.search(pattern, self._serial(), re.M):
                return True
            if over:
                return False
            time.sleep(0.005)

    def _serial(self):
        try:
            with open(self.spec.serial, encoding="utf-8", errors="replace") as file:
                return file.read().replace("\r", "")
        except OSError:
            return ""

    def symbol(self, name):
        value = elf_image.Elf(self.image).symbol(name)
        if value is None:
            raise ValueError(f"no symbol {name}")
        return value


def _wait_halted(scene):
    """None when all CPUs halt for good, else the trouble."""
    if not scene.wait_for(scene.expect[-1]):
        return "the machine ended, but it should halt"
    trouble = "?"
    for _ in range(50):
        states = [scene.monitor.registers(cpu) for cpu in range(scene.spec.cpus)]
        running = [i for i, regs in enumerate(states) if regs.get("HLT") != 1]
        open_ = [i for i, regs in enumerate(states) if regs.get("RFL", regs.get("EFL", IF)) & IF]
        trouble = f"not halted with interrupts off: CPUs {running or open_}" if running or open_ else None
        if not trouble:
            return None
        time.sleep(0.1)
    return trouble


def halted(scene):
    trouble = _wait_halted(scene)
    scene.monitor.quit()
    return trouble


def _pages(monitor):
    """Present pages as (virtual address, size, writable, executable), from the tables that CR3 names."""
    pages = []
    for line in monitor.human("info tlb").splitlines():
        match = re.match(r"([0-9a-f]{16}): ([0-9a-f]{16}) (\S{9})", line.strip())
        if match:
            flags = match.group(3)  # XGPDACTUW; X stands for the no-execute bit, P for a large page
            pages.append((int(match.group(1), 16), LARGE if "P" in flags else PAGE, "W" in flags, "X" not in flags))
    return sorted(pages)


def _check_pages(pages):
    if len(pages) < 10 or not any(x for *_, x in pages):
        return f"only {len(pages)} pages: the page tables were not read"
    for address, _, writable, executable in pages:
        if writable and executable:
            return f"page {address:#x} is writable and executable"
        if address < LOW_HALF_END:
            return f"page {address:#x} of the low half is mapped"
    return None


def _check_guards(pages, regs, cpus):
    """Below each stack lies an unmapped page, and the boot CPU runs on one of the stacks."""
    starts = {a for a, *_ in pages}
    stacks = sorted(a for a in starts if STACKS <= a < STACKS + (1 << 40))
    bottoms = [a for a in stacks if a - PAGE not in starts]
    if len(bottoms) < cpus or STACKS in starts:
        return f"{len(bottoms)} separate stacks for {cpus} CPUs"
    if not any(a <= regs["RSP"] <= a + PAGE for a in stacks):
        return f"the boot CPU's stack {regs['RSP']:#x} is not among the guarded ones"
    return None


def wx(scene):
    trouble = _wait_halted(scene)
    if not trouble:
        pages, regs = _pages(scene.monitor), scene.monitor.registers()
        trouble = _check_pages(pages) or _check_guards(pages, regs, scene.spec.cpus)
        wanted = ((regs["CR0"], CR0_WP, "CR0.WP"), (regs["CR4"], CR4_SMEP_SMAP, "CR4.SMEP and SMAP"),
                  (regs["EFER"], EFER_NXE, "EFER.NXE"))
        for value, bits, name in wanted:
            if not trouble and value & bits != bits:
                trouble = f"{name} not set: {value:#x}"
    scene.monitor.quit()
    return trouble


def nmi(scene):
    if not scene.wait_for(scene.expect[0]):
        return "the first line never came"
    count = 0
    try:
        while not scene.ended.is_set():
            scene.monitor.command("inject-nmi")
            count += 1
    except (qmp.QmpError, OSError):
        pass  # the machine has ended
    return None if count >= 10 else f"only {count} NMIs were sent"


def _at(scene, function):
    debugger = qmp.Debugger(f"{scene.folder}/gdb")
    debugger.run_to(scene.symbol(function))
    return debugger


def ud(scene):
    debugger = _at(scene, "readiness_report")
    address = scene.symbol("readiness_report")
    frame = debugger.read_memory(address, 32).find(SET_FRAME)
    if frame < 0:
        return "readiness_report sets no frame pointer"
    debugger.write_memory(address + frame + len(SET_FRAME), UD2)  # its caller is on the stack by then
    debugger.detach()
    return None


def stack(scene):
    debugger = _at(scene, "readiness_report")
    debugger.write_register(RSP, STACKS + PAGE)  # its first push goes to the guard page
    debugger.detach()
    return None


def null(scene):
    debugger = _at(scene, "readiness_report")
    debugger.write_register(RIP, 0)
    debugger.detach()
    return None


HOOKS = {"halted": halted, "wx": wx, "nmi": nmi, "ud": ud, "stack": stack, "null": null}
NEEDS_DEBUGGER = ("ud", "stack", "null")
