#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests tools/emu.py with the smallest guest: ways to boot, verdicts, input, terminal, and clean ends.

Builds smoke.c into build/tests/smoke and prints one line per case; needs about a minute.
Exit code 0 when all cases hold, 1 when not, 2 when something is missing. With an argument: cases whose name has it.
"""
import glob
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.path.join(ROOT, "build", "tests", "smoke")
IMAGE = os.path.join(BUILD, "smoke.elf")
EMU = os.path.join(ROOT, "tools", "emu.py")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import emu  # pylint: disable=wrong-import-position

FLAGS = ("-m32 -std=c11 -O1 -Wall -Wextra -Werror -ffreestanding -fno-pic -no-pie -fno-stack-protector"
         " -mgeneral-regs-only -fno-asynchronous-unwind-tables -nostdlib -static"
         " -Wl,-Ttext-segment=0x100000,--build-id=none,-z,noexecstack,-z,noseparate-code").split()
LINES = 200


def spec(**values):
    return emu.RunSpec(**{"image": IMAGE, "machine": "bochs", "timeout": 30, **values})


def expect(status, text="", **values):
    """A case: run, compare the status, look for a text in the serial output."""
    def case():
        result = emu.run(spec(**values))
        if result.status != status or text not in result.serial_text:
            return f"{result.status}: {result.detail}: {result.serial_text[-300:]!r}"
        return ""
    return case


def wait_for(terminal, text, seen, seconds=20):
    end = time.monotonic() + seconds
    while text not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 65536)
    return text in seen


def terminal_case(machine):
    """Nothing typed or printed is lost; Ctrl-a works; the terminal is as before."""
    def case():
        master, slave = pty.openpty()
        before = termios.tcgetattr(slave)
        command = [EMU, "run", "--image", IMAGE, "--machine", machine, "--append", "echo", "--terminal", "--timeout", "60"]
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
        seen = bytearray()
        wait_for(master, b"smoke: multiboot", seen)
        lines = [b"line %d abcdefghijklmnopqrstuvwxyz" % i for i in range(LINES)]
        for line in lines:
            os.write(master, line + b"\r")
        wait_for(master, b"echo " + lines[-1], seen)
        lost = [line for line in lines if b"echo " + line not in seen]
        os.write(master, b"\x01\x01z\r")
        literal = wait_for(master, b"echo \x01z", seen)
        os.write(master, b"\x01x")
        code = process.wait(10)
        restored = termios.tcgetattr(slave) == before
        os.close(master)
        os.close(slave)
        if lost or not literal or code != emu.LEFT or not restored:
            return f"lost {len(lost)} lines, Ctrl-a sent: {literal}, code {code}, terminal restored: {restored}"
        return ""
    return case


def children(pid):
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [int(p) for p in out.split()]


def signal_case(sig):
    """The emulator goes with emu.py, whatever ends it; its folder goes too unless nobody can remove it."""
    def case():
        with tempfile.TemporaryDirectory() as folder:
            env = dict(os.environ, TMPDIR=folder)
            process = subprocess.Popen([EMU, "run", "--image", IMAGE, "--machine", "bochs", "--append", "loop"], env=env,
                                       stderr=subprocess.DEVNULL)
            time.sleep(1.5)
            started = children(process.pid)
            process.send_signal(sig)
            process.wait(10)
            time.sleep(0.3)
            alive = [p for p in started if os.path.exists(f"/proc/{p}/stat")
                     and open(f"/proc/{p}/stat", encoding="ascii").read().split()[2] != "Z"]
            left = [] if sig == signal.SIGKILL else glob.glob(folder + "/*")
        if not started or alive or left:
            return f"started {started}, alive {alive}, left {left}"
        return ""
    return case


CASES = {
    "bochs multiboot2": expect("pass", "smoke: multiboot2 a b=c", append="a b=c"),
    "bochs multiboot1": expect("pass", "smoke: multiboot1 a b=c", append="a b=c", protocol="multiboot"),
    "bochs module": expect("pass", "module one two=2", modules=[__file__ + " one two=2"]),
    "bochs eight cpus": expect("pass", "smoke: done", cpus=8, cpu_model="sapphire_rapids"),
    "bochs unpatched": expect("pass", "smoke: done", variant="unpatched"),
    "qemu kernel": expect("pass", "smoke: multiboot1", machine="qemu", append="a b=c"),
    "qemu module": expect("pass", "one two=2", machine="qemu", modules=[__file__ + " one two=2"]),
    "qemu bios iso": expect("pass", "smoke: multiboot2 a", machine="qemu", iso=True, append="a"),
    "qemu uefi iso": expect("pass", "smoke: multiboot2 a", machine="qemu", uefi=True, append="a", timeout=60),
    "pass line": expect("pass", append="loop", pass_patterns=["multiboot2 loop"]),
    "fail line": expect("fail", append="loop", fail_patterns=["multiboot2 loop"]),
    "expected lines": expect("pass", append="loop", expect=["multiboot2", "loop$"]),
    "expected line missing": expect("ended", expect=["multiboot2", "never"]),
    "timeout": expect("timeout", append="loop", timeout=2),
    "bochs triple fault": expect("crash", append="fault"),
    "qemu triple fault": expect("crash", append="fault", machine="qemu"),
    "not bootable": expect("usage", image=os.path.join(HERE, "smoke.c")),
    "bochs input": expect("pass", "echo abc", append="echo", input=[("multiboot2", "abc\n"), ("echo abc", "quit\n")]),
    "bochs terminal": terminal_case("bochs"),
    "qemu terminal": terminal_case("qemu"),
    "interrupt": signal_case(signal.SIGINT),
    "terminate": signal_case(signal.SIGTERM),
    "kill": signal_case(signal.SIGKILL),
}


def main():
    os.makedirs(BUILD, exist_ok=True)
    bad = 0
    try:
        subprocess.run([os.environ.get("CC", "gcc"), *FLAGS, "-o", IMAGE, os.path.join(HERE, "smoke.c")], check=True)
        for name, case in CASES.items():
            if not sys.argv[1:] or sys.argv[1] in name:
                trouble = case()
                bad += bool(trouble)
                print(f"BAD {name}: {trouble}" if trouble else f"ok  {name}", flush=True)
    except (emu.EmuError, subprocess.CalledProcessError, OSError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return emu.USAGE
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
