#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sessions at the shell, on an emulated machine: session.py commands | errors | console | restart | floods | interrupts | irqs | linux | cost

Each types at a machine of its own what a person would, and looks at what comes back. The whole talk is printed when it fails.
"""
import json
import os
import struct
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import BUILD, ROOT, Failure, Machine  # pylint: disable=wrong-import-position

GUEST = os.path.join(ROOT, "build", "tests", "guest", "console.elf")
CONFIG = os.path.join(ROOT, "tests", "shell", "session.conf")
CHARACTERS = 4096  # COST_CHARACTERS of tests/guest/console
MOST_QUIET, MOST_LOUD = 3200, 6100  # instructions; 2535 and 4828 when this was written
EXITS_OTHER = 500
SECONDS_IN_A_FLOOD = 10  # of a loaded test machine; one alone needs less than one

MODULES = [f"{CONFIG} session.conf", f"{GUEST} console.elf"]


def check(condition, what):
    if not condition:
        raise Failure(what)


def has(text, *parts):
    for part in parts:
        check(part in text, f"{part!r} is not in {text!r}")


def listing(machine, line):
    """A --json listing, parsed; ids are numbers or null."""
    text = machine.command(line)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Failure(f"{line}: {error}: {text!r}") from error


def state(machine, name):
    return next(row for row in listing(machine, "list --json") if row["name"] == name)


def wake(machine, banner=True):
    """The shell is silent until somebody types."""
    if banner:
        machine.expect("free for domains")
    machine.type("\r")
    machine.expect("signalbox> ")


def commands():
    with Machine(MODULES) as machine:
        wake(machine)
        text = machine.command("help")
        for word in ("list", "create", "start", "pause", "resume", "destroy", "info", "vcpus", "console", "dmesg", "stats", "top",
                     "reboot", "poweroff", "break", "restart", "irqs", "routes", "route", "irq-line", "msi", "inject", "nmi", "lines", "vcpu-pin", "apics",
                     "trace"):
            has(text, f"\n  {word} ") if word != "help" else None
        has(machine.command("help pause"), "stop its vCPUs for a while")
        row = state(machine, "spare")
        check(row["id"] is None and row["state"] == "off" and row["memory_kib"] == 4096, f"before: {row}")
        has(machine.command("create spare"), "domain 1 (spare): created")
        check(state(machine, "spare")["id"] == 1, "its id is a number")
        has(machine.command("start 1"), "domain 1 (spare): started")
        has(machine.command("pause spare"), "domain 1 (spare): paused")
        exits = listing(machine, "vcpus spare --json")[0]["exits"]
        check(listing(machine, "vcpus spare --json")[0]["exits"] == exits, "a paused domain does not run")
        has(machine.command("resume spare"), "domain 1 (spare): resumed")
        machine.command("list")
        check(listing(machine, "vcpus spare --json")[0]["exits"] > exits, "a resumed one does")
        for line in ("info spare --json", "vcpus --json", "apics --json", "stats --json", "stats spare --json", "modules --json", "dmesg --json"):
            check(len(listing(machine, line)) > 0, f"{line}: empty")
        check("io" in {row["name"] for row in listing(machine, "stats spare --json") if row["reason"] == 30 and row["exits"] > 0}, "exits have names")
        has(machine.command("dmesg"), "ready: 2 CPUs")
        console_line = listing(machine, "lines --json")
        check(len(console_line) == 1 and console_line[0]["gsi"] == 4 and console_line[0]["fired"] > 10, f"what we type: {console_line}")
        machine.type("top\r")
        machine.expect(r"spare +0 +\w+")
        machine.expect(r"spare +io +\d+")  # exits by reason, from the second picture on
        machine.expect("any key ends this")
        machine.expect("any key ends this", 30)  # it is drawn anew
        machine.type("q")
        machine.expect("signalbox> ")
        machine.type("lisr\x08t\x1b[D\x1b[D\x1b[D\x05\r")  # line editing
        machine.expect(r"spare +running")
        machine.expect("signalbox> ")
        machine.type("\x1b[A\r")  # history
        machine.expect(r"signalbox> list\n")
        machine.expect("signalbox> ")
        has(machine.command("destroy spare"), "domain 1 (spare): destroyed")
        check(state(machine, "spare")["last_result"] == "destroyed", "its result is listed")
        machine.type("poweroff\r")
        machine.expect("Signalbox stopped in order", 60)


def elf32(segments, flags=3):
    """A multiboot kernel with these segments: (address, size)."""
    header = struct.pack("<III", 0x1BADB002, flags, -(0x1BADB002 + flags) & 0xFFFFFFFF)
    body = header + b"\x90" * 500
    head = b"\x7fELF\1\1\1" + b"\0" * 9 + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, segments[0][0] + 16, 52, 0, 0, 52, 32,
                                                     len(segments), 0, 0, 0)
    table = b"".join(struct.pack("<IIIIIIII", 1, 0x200, at, at, min(size, len(body)), size, 7, 0) for at, size in segments)
    return (head + table).ljust(0x200, b"\0") + body


def errors():
    with open(GUEST, "rb") as file:
        good = file.read()
    images = {
        "cut.elf": good[:200],
        "overlap.elf": elf32([(0x100000, 0x3000), (0x101000, 0x1000)]),
        "flags.elf": elf32([(0x100000, 0x1000)], flags=0x8),
        "outside.elf": elf32([(0x100000, 0x1000), (0x7F000000, 0x1000)]),
    }
    expected = {
        "no-cpu": ("cpus names CPU 7, but this machine has 2, 0 to 1",),
        "no-kernel": ("there is no boot module not-there.elf; add it",),
        "no-module": ("there is no boot module not-there.img; add it",),
        "cut-off": ("cut.elf is cut off",),
        "overlapping": ("overlap",),
        "flags": ("flag",),
        "outside": ("0x7f000000", "not within the domain's memory"),
        "wrong-type": ("console.elf", "no header"),
        "too-large": ("memory: it needs 4193920 KiB", "are free; lower memory"),
        "far-too-large": ("memory: it needs", "are free; lower memory"),
    }
    with tempfile.TemporaryDirectory() as folder:
        modules = list(MODULES)
        for name, data in images.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
            modules.append(f"{os.path.join(folder, name)} {name}")
        with Machine(modules) as machine:
            wake(machine)
            free = machine.command("list").split("\n")[-2]
            for name, parts in expected.items():
                text = machine.command(f"start {name}")
                has(text, f"domain ({name}): ", *parts)
                check(text.count("\n") == 1, f"one line: {text!r}")
                row = state(machine, name)
                check(row["id"] is None and row["last_result"] == "not built", f"half made: {row}")
            check(machine.command("list").split("\n")[-2] == free, "all memory came back")
            has(machine.command("list extra words"), "usage: list")
            has(machine.command("lits"), "there is no command lits")
            has(machine.command("start nobody"), "there is no domain nobody")
            has(machine.command("console"), "usage: console domain")
            has(machine.command("start spare"), "domain 1 (spare): started")  # and it goes on as ever
            for words, part in (("spare 1 0", "vCPU 1"), ("spare 0 x", "write CPUs"), ("spare 0 1-0", "write CPUs"), ("spare 0 64", "write CPUs"),
                                ("spare 0 9-12", "this machine has none of them"), ("spare 0", "usage: vcpu-pin"), ("no-cpu 0 0", "off")):
                has(machine.command(f"vcpu-pin {words}"), part)
            for cpu in (1, 0):
                has(machine.command(f"vcpu-pin spare 0 {cpu}"), f"domain 1 (spare): vCPU 0, CPUs {cpu}: done")
                machine.command("list")
                row = listing(machine, "vcpus spare --json")[0]
                check(row["cpu"] == cpu, f"it moved: {row}")


def console():
    with Machine(MODULES) as machine:
        wake(machine)
        machine.command("start echo")
        machine.expect(r"\[echo\] console: ready")
        machine.type("console echo\r")
        machine.expect("Ctrl-] leaves it")
        machine.expect("console: ready")
        heard = []
        sent = [byte for byte in range(256) if byte != 0x1D]
        for start in range(0, len(sent), 16):  # every byte but Ctrl-], 0xff too
            machine.type(bytes(sent[start:start + 16]))
            while len(heard) < start + len(sent[start:start + 16]):
                heard += machine.expect(r"got((?: \w+)+)\n").group(1).decode().split()
        check(heard == [f"{byte:02x}" for byte in sent], f"bytes as they were typed: {heard}")
        machine.type("a" * 60)  # more than the FIFO holds
        heard = []
        while len(heard) < 60:
            heard += machine.expect(r"got((?: \w+)+)\n").group(1).decode().split()
        check(heard == ["61"] * 60, f"all of them, no overrun: {heard}")
        machine.type("\x1d")
        machine.expect("signalbox> ")
        has(machine.command("break echo"), "domain 1 (echo): BREAK sent")
        machine.expect(r"\[echo\] got BREAK\n")
        machine.type("console 1\r")
        machine.expect("(?s)Ctrl-] leaves it.*console: ready.*got BREAK\n")  # what it said before is shown
        machine.type("\x1d")
        machine.expect("signalbox> ")
        has(machine.command("destroy echo"), "destroyed")
        machine.type("console echo\r")  # of a domain that is off
        machine.expect("Ctrl-] leaves it")
        machine.type("into the void\x1d")
        machine.expect("signalbox> ")
        machine.command("start deaf")
        machine.expect(r"\[deaf\] deaf 1\n")
        machine.type("console deaf\r")
        machine.expect("Ctrl-] leaves it")
        machine.type("x" * 3000, 15)  # it never reads
        machine.expect(r"deaf \d+\n")
        machine.type("\x1d")
        machine.expect("signalbox> ")
        machine.expect(r"\[deaf\] deaf \d+\n")
        has(machine.command("destroy deaf"), "destroyed")


def restart():
    with Machine(MODULES) as machine:
        wake(machine)
        machine.command("start keeper")
        machine.command("start spare")
        machine.command("start echo")
        machine.expect(r"\[echo\] console: ready")
        machine.command("create deaf")
        machine.command("pause spare")
        for round_ in range(3):
            machine.type("restart\r")
            machine.expect(r"domain 0: started again")
            machine.expect(r"domain 1 \(keeper\): found, running\n")
            machine.expect(r"domain 2 \(spare\): found, paused\n")
            machine.expect(r"domain 3 \(echo\): found, running\n")
            if round_ == 0:
                machine.expect(r"domain 4 \(deaf\): found before its first start; destroyed\n")
            wake(machine, banner=False)
            rows = {row["name"]: row for row in listing(machine, "list --json")}
            check([rows[name]["id"] for name in ("keeper", "spare", "echo", "deaf")] == [1, 2, 3, None], f"ids: {rows}")
            machine.type("console keeper\r")
            machine.expect("Ctrl-] leaves it")
            for _ in range(3):  # its devices are as it left them
                text = machine.expect(r"(kept|LOST) \d+\n").group(0).decode()
                check(text.startswith("kept"), f"after a restart: {text}")
            machine.type("\x1d")
            machine.expect("signalbox> ")
            machine.type("console echo\r")
            machine.expect("Ctrl-] leaves it")
            machine.type("Z")
            machine.expect(r"got 5a\n")
            machine.type("\x1d")
            machine.expect("signalbox> ")
        machine.command("resume 2")
        has(machine.command("destroy 2"), "domain 2 (spare): destroyed")
        has(machine.command("destroy keeper"), "domain 1 (keeper): destroyed")
        has(machine.command("destroy 3"), "domain 3 (echo): destroyed")
        has(machine.command("start spare"), "domain 1 (spare): started")


def floods():
    with Machine(MODULES) as machine:
        wake(machine)
        machine.command("start keeper")
        machine.command("start flood1")
        machine.command("start flood2")
        slowest = 0
        for _ in range(5):
            begin = time.monotonic()
            check(state(machine, "flood2")["state"] == "running", "it goes on")
            slowest = max(slowest, time.monotonic() - begin)
        print(f"two floods: a command is typed and answered in {slowest:.1f} s at most")
        check(slowest < SECONDS_IN_A_FLOOD, "the shell is not usable in a flood")
        machine.type("console flood1\r")
        machine.expect("Ctrl-] leaves it")
        machine.expect(r"flood \d+ of this and that and more, without end\n")
        machine.expect(r"flood \d+ of this and that and more, without end\n")
        machine.type("\x1d")
        machine.expect("signalbox> ")
        machine.expect(r"\[flood2\] flood \d+ of this")
        machine.expect(r"\[flood1\] flood \d+ of this")
        has(machine.command("pause flood1"), "domain 2 (flood1): paused")
        has(machine.command("destroy flood2"), "domain 3 (flood2): destroyed")
        has(machine.command("destroy flood1"), "domain 2 (flood1): destroyed")
        machine.type("console keeper\r")
        machine.expect(r"kept \d+\n")


def interrupts():
    """A guest that sleeps until its serial port, its clock or its power management interrupts."""
    with Machine(MODULES) as machine:
        wake(machine)
        machine.command("start irq")
        ticks = int(machine.expect(r"\[irq\] irq: clock, 32 periods in (\d+) thousand").group(1))
        check(9000 <= ticks <= 11500, f"half a second of 20 MHz: {ticks} thousand ticks")
        machine.expect(r"\[irq\] irq: power management twice")
        machine.expect(r"\[irq\] irq: ready")
        machine.type("console irq\r")
        machine.expect("Ctrl-] leaves it")
        machine.expect("irq: ready")
        for byte in b"hello":
            machine.type(bytes([byte]))
            machine.expect(f"irq: {byte:02x}\\n")
        machine.type("x" * 40)
        for _ in range(40):
            machine.expect(r"irq: 78\n")
        machine.type("\x1d")
        machine.expect("signalbox> ")
        has(machine.command("break irq"), "BREAK sent")
        machine.expect(r"\[irq\] irq: BREAK\n")
        machine.type("restart\r")  # the lines stay connected
        machine.expect(r"domain 1 \(irq\): found, running\n")
        wake(machine, banner=False)
        has(machine.command("break irq"), "BREAK sent")
        machine.expect(r"\[irq\] irq: BREAK\n")
        exits = listing(machine, "vcpus irq --json")[0]["exits"]
        machine.type("console irq\r")
        machine.expect("Ctrl-] leaves it")
        machine.type("y" * 64)
        for _ in range(64):
            machine.expect(r"irq: 79\n")
        machine.type("\x1d")
        machine.expect("signalbox> ")
        more = listing(machine, "vcpus irq --json")[0]["exits"] - exits
        print(f"{more} exits for 64 characters received by interrupt and 512 sent, {more / 64 - 8:.1f} for each received")


def irqs():
    """Lines, routes and counters of that guest; its serial port goes deaf without a route and hears again with one."""
    def row(machine, gsi):
        return next(row for row in listing(machine, f"irqs irq {gsi} --json") if row["gsi"] == gsi)

    def say(machine, text):
        machine.type("console irq\r")
        machine.expect("Ctrl-] leaves it")
        machine.type(text + "\x1d")
        machine.expect("signalbox> ")

    with Machine(MODULES) as machine:
        wake(machine)
        has(machine.command("irqs irq"), "domain (irq): it is off")
        machine.command("start irq")
        machine.expect(r"\[irq\] irq: ready")
        routes = listing(machine, "routes irq --json")
        check(len(routes) == 15 * 2 + 9, f"routes at first: {routes}")
        four = [r for r in routes if r["gsi"] == 4]
        check([(r["kind"], r["chip"], r["pin"]) for r in four] == [("pic", None, 4), ("ioapic", 0, 4)], f"GSI 4: {four}")
        before = row(machine, 4)
        check(before["level"] == 0 and row(machine, 8)["delivered"] >= 34, f"at first: {before}, {row(machine, 8)}")
        say(machine, "a")  # one after the other: what arrives together is one interrupt
        machine.expect(r"irq: 61\n")
        say(machine, "b")
        machine.expect(r"irq: 62\n")
        after = row(machine, 4)
        apic = listing(machine, "apics irq --json")[0]  # this guest has the PIC alone: its local APIC is as after RESET
        check([apic[key] for key in ("mode", "level", "limit", "accepted", "refused")] == ["xapic", "regs", "software", 0, 0], f"{apic}")
        check(after["delivered"] == before["delivered"] + 2 and after["acknowledged"] == before["acknowledged"] + 2 and
              after["level"] == 0, f"two characters: {before}, then {after}")
        has(machine.command("route del irq 4"), "its route is gone")
        has(machine.command("route get irq 4"), "it has no route")
        say(machine, "c")
        has(machine.command("irq-line irq 4 1"), "nobody takes the interrupt")
        check("irq: 63" not in machine.command("list"), "heard without a route")
        has(machine.command("route add irq 4 pic 4"), "GSI 4: routed")
        has(machine.command("irq-line irq 4 0"), "done")
        machine.type("irq-line irq 4 1\r")
        machine.expect(r"GSI 4 up: taken, by 1")
        machine.expect(r"irq: 63\n")
        has(machine.command("route add irq 100 msi 0xfed00000 0x30"), "GSI 100: invalid argument")
        has(machine.command("route add irq 100 gsi 4"), "GSI 100: routed")
        has(machine.command("route get irq 100"), "gsi", " 100 ", " 4")
        has(machine.command("msi irq 0xfee05000 0x41"), "nobody takes the interrupt")
        has(machine.command("nmi irq 7"), "vCPU: 7 is too large, the largest is 0")


def linux():
    """A driver that nobody here wrote: a shell on the serial port, SysRq by a BREAK, the same after a restart of the manager."""
    folder = os.path.join(ROOT, "build", "linux")
    modules = [f"{CONFIG} session.conf", f"{folder}/vmlinuz-6.1 vmlinuz", f"{folder}/initramfs-6.1.cpio initramfs.cpio"]

    def attach(machine):
        machine.type("console linux\r")
        machine.expect("Ctrl-] leaves it")

    def detach(machine):
        machine.type("\x1d")
        machine.expect("signalbox> ")

    def apic(machine):
        row = listing(machine, "apics linux --json")[0]
        check([row[key] for key in ("vcpu", "id", "mode", "level", "limit", "errors")] == [0, 0, "xapic", "pi", "-", 0], f"{row}")
        check(row["accepted"] >= row["timer"] > 0, f"{row}")
        return row["accepted"]

    with Machine(modules, memory=512) as machine:
        wake(machine)
        machine.command("start linux")
        machine.expect("sbx: /init", 400)
        attach(machine)
        machine.type("\r")
        machine.expect(r"[#$] ", 100)
        accepted = 0
        for round_ in range(2):
            machine.type(f"echo {round_}-$((6*7))-$((2*3)) # as long as a line that somebody pastes, or nearly so\r")
            machine.expect(rf"\n{round_}-42-6\n")
            machine.type("cat /proc/tty/driver/serial\r")
            text = machine.expect(r"0: uart:.*\n").group(0).decode()
            has(text, "16550A port:000003F8 irq:4", "|CD")
            check(("brk:" in text) == (round_ > 0) and "oe:" not in text and "fe:" not in text, f"counters: {text}")
            detach(machine)
            check(apic(machine) > accepted, "nothing accepted since then")
            accepted = apic(machine)
            has(machine.command("break linux"), "BREAK sent")
            attach(machine)
            machine.type("h")
            machine.expect("sysrq: HELP : loglevel")
            machine.type("\r")
            machine.expect(r"[#$] ")
            detach(machine)
            if round_ == 0:
                machine.type("restart\r")
                machine.expect(r"domain 1 \(linux\): found, running\n")
                wake(machine, banner=False)
                attach(machine)
        has(machine.command("destroy linux"), "destroyed")


def cost():
    """One CPU, so that ticks are instructions: of guest, hypervisor and manager together."""
    with Machine(MODULES, cpus=1) as machine:
        wake(machine)
        for name, most in (("cost", MOST_QUIET), ("loud", MOST_LOUD)):
            machine.command(f"start {name}")
            machine.expect(rf"\({name}\): ended, code 33\n", 120)
            exits = sum(row["exits"] for row in listing(machine, f"stats {name} --json"))
            written = next(row["value"] for row in listing(machine, f"info {name} --json") if row["what"] == "console bytes")
            machine.type(f"console {name}\r")
            match = machine.expect(r"cost: (\d+) ticks to send a character, (\d+) to read the line status\n")
            machine.type("\x1d")
            machine.expect("signalbox> ")
            send, look = (int(group) for group in match.groups())
            print(f"{name}: {send} instructions to send a character, {look} to read the line status; {exits} exits for "
                  f"{written} characters and {CHARACTERS} readings")
            check(send <= most and look <= MOST_QUIET, f"{name}: more instructions than before")
            check(exits <= written + CHARACTERS + EXITS_OTHER, f"{name}: more than one exit for a character")


SESSIONS = {function.__name__: function for function in (commands, errors, console, restart, floods, interrupts, irqs, linux, cost)}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in SESSIONS:
        print(__doc__)
        return 2
    machines = []
    begin = Machine.__enter__

    def enter(machine):
        machines.append(machine)
        return begin(machine)

    Machine.__enter__ = enter
    try:
        SESSIONS[sys.argv[1]]()
    except Failure as failure:
        for machine in machines:
            print(machine.log.decode("utf-8", "replace").replace("\r", ""))
        print(f"\nsession {sys.argv[1]}: FAILED: {failure}")
        return 1
    print(f"session {sys.argv[1]}: as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
