#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What Linux domains cost, in exits and instructions; nothing here depends on the speed of the machine that runs it.

    tests/linux/figures.py boot [--kernel 6.1] [--cpus 1 2 4] [--cpu-model MODEL]   exits by reason from the first entry to /init
    tests/linux/figures.py idle                                                     exits by reason in an idle second of the guest
    tests/linux/figures.py net                                                      TCP between two domains on one CPU
    tests/linux/figures.py block                                                    a disk read from beginning to end, past the page cache
    tests/linux/figures.py all                                                      these, with the defaults

Instructions are ticks of the emulator on one CPU, which is busy meanwhile: of guests, hypervisor and manager together. An exit of a domain is
one of its vCPUs; those of the manager are its hypercalls and interrupts. Ticks to /init next to those without a hypervisor: ticks.py.
"""
import argparse
import json
import os
import re
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "shell"))
from machine import BUILD, Failure, Machine  # pylint: disable=wrong-import-position

REASONS = {0: "exception", 1: "interrupt", 7: "interrupt window", 10: "CPUID", 12: "HLT", 14: "INVLPG", 18: "VMCALL", 28: "CR", 29: "DR",
           30: "port", 31: "RDMSR", 32: "WRMSR", 40: "PAUSE", 43: "TPR", 44: "APIC access", 45: "EOI", 48: "EPT violation",
           49: "EPT misconfiguration", 52: "timer", 54: "WBINVD", 55: "XSETBV", 56: "APIC write"}
DOMAIN = """[{name}]
kernel = vmlinuz
module = initramfs.cpio
memory = {memory}M
vcpus = {vcpus}
irqchip = full
{more}
cmdline = console=ttyS0,115200 quiet {words}
autostart = yes
"""
BIG = 24  # MiB of the transfers


def domain(name, words, vcpus=1, more="", memory=160):
    return DOMAIN.format(name=name, words=words, vcpus=vcpus, more=more, memory=memory)


class Started:
    """A machine with these domains; `with` gives it when somebody has typed, so that the shell answers."""

    def __init__(self, args, kernel, cpus, config, more_modules=()):
        self.folder = tempfile.TemporaryDirectory(prefix="sbx-figures-")
        path = os.path.join(self.folder.name, "conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        modules = [f"{path} linux.conf", f"{BUILD}/linux/vmlinuz-{kernel} vmlinuz", f"{BUILD}/linux/initramfs-{kernel}.cpio initramfs.cpio",
                   *more_modules]
        self.machine = Machine(modules, cpus=cpus, memory=512, manager="config=linux.conf", cpu_model=args.cpu_model)

    def __enter__(self):
        return self.machine.__enter__()

    def __exit__(self, *what):
        self.machine.__exit__(*what)
        self.folder.cleanup()


def wake(machine):
    machine.type("\r")
    machine.expect("signalbox> ")


def listing(machine, line):
    text = machine.command(line + " --json")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Failure(f"{line}: {error}: {text!r}") from error


def exits_of(machine, name):
    total = {}
    for row in listing(machine, f"stats {name}"):
        total[row["reason"]] = total.get(row["reason"], 0) + row["exits"]
    return total


def less(after, before):
    return {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}


def words_of(exits, divisor=1.0):
    parts = sorted(exits.items(), key=lambda item: -item[1])
    form = "{:.0f}" if divisor == 1.0 else "{:.2f}"
    return ", ".join(f"{REASONS.get(reason, reason)} {form.format(count / divisor)}" for reason, count in parts if count / divisor >= 0.005)


def boot(args):
    for kernel in args.kernel:
        for cpus in args.cpus:
            config = domain("linux", "sbx_first=exit", vcpus=cpus, more="on_exit = keep", memory=256)
            with Started(args, kernel, cpus, config) as machine:
                machine.expect(r"\(linux\): ended, code 33", 300)
                wake(machine)
                exits = exits_of(machine, "linux")
            print(f"boot, {kernel}, {cpus} vCPUs, {args.cpu_model}: {sum(exits.values())} exits to /init: {words_of(exits)}", flush=True)


def idle(args):
    for kernel in args.kernel:
        for cpus in args.cpus:
            with Started(args, kernel, cpus, domain("linux", "sbx.end=shell", vcpus=cpus, memory=256)) as machine:
                machine.expect("sbx: shell", 300)
                time.sleep(3)  # what the kernel puts off until after the start
                wake(machine)
                samples = []
                for _ in range(2):
                    row = listing(machine, "vcpus linux")[0]
                    samples.append((exits_of(machine, "linux"), sum(row[key] for key in row if key.endswith("_ms"))))
                    time.sleep(4)
            (before, start), (after, end) = samples
            seconds = (end - start) / 1000
            print(f"idle, {kernel}, {cpus} vCPUs, {args.cpu_model}: exits in a second, of {seconds:.0f}: "
                  f"{words_of(less(after, before), seconds)}", flush=True)


class Work:
    """Samples before and after; the difference in exits, idle time and device counters."""

    def __init__(self, machine, names):
        self.machine, self.names = machine, names
        self.before = self._sample()

    def _sample(self):
        cpus = listing(self.machine, "stats")
        running = {name: sum(row["running_ms"] for row in listing(self.machine, f"vcpus {name}")) for name in self.names}
        devices = {name: [(row["notified"], row["buffers"], row["interrupts"], row["detail"]) for row in listing(self.machine, f"devices {name}")]
                   for name in self.names}
        return {"exits": {name: exits_of(self.machine, name) for name in self.names}, "all": sum(row["exits"] for row in cpus),
                "guest": sum(row["guest_ms"] for row in cpus), "devices": devices, "running": running}

    def done(self):
        after = self._sample()
        self.exits = {name: less(after["exits"][name], self.before["exits"][name]) for name in self.names}
        self.domains = sum(sum(exits.values()) for exits in self.exits.values())
        self.manager = after["all"] - self.before["all"] - self.domains
        self.guest = after["guest"] - self.before["guest"]
        self.running = {name: after["running"][name] - self.before["running"][name] for name in self.names}
        self.devices = {name: [tuple(a - b for a, b in zip(new[:3], old[:3])) + (new[3],)
                               for new, old in zip(after["devices"][name], self.before["devices"][name])] for name in self.names}
        return self

    def shares(self):
        """Where the time went; that of a domain's exits is its own."""
        parts = [f"{name} {100 * self.running[name] / self.guest:.0f} %" for name in self.names]
        return ", ".join(parts) + f", manager {100 * (self.guest - sum(self.running.values())) / self.guest:.0f} %"


class Console:
    """Commands at the guests' prompts. Each has a mark of its own: who attaches sees again what was printed before."""

    def __init__(self, machine):
        self.machine, self.marks = machine, 0

    def start(self, name, command):
        machine, self.marks = self.machine, self.marks + 1
        machine.type(f"console {name}\r")
        machine.expect("Ctrl-] leaves it")
        machine.type("\r")
        machine.expect(r"linux:[^\n]*# ")
        machine.type(f"{command}; echo mark-$((1000+{self.marks}))\r")

    def leave(self):
        self.machine.type("\x1d")
        self.machine.expect("signalbox> ")

    def run(self, name, command, pattern=""):
        """The match of `pattern` in what the command prints."""
        self.start(name, command)
        match = self.machine.expect(rf"{pattern}\n?[^\n]*mark-{1000 + self.marks}\n", 600)
        self.leave()
        return match


def net(args):
    """Twice: as it comes, and with large pieces. The emulator's clock makes TCP believe in a slow network, and such it feeds by small ones."""
    for kernel in args.kernel:
        config = "".join(domain(name, f"sbx.end=shell sbx.address=10.0.0.{number}", more="net = lan\ncpus = 0")
                         for number, name in enumerate(("one", "two"), 1))
        with Started(args, kernel, 1, config) as machine:
            for _ in range(2):
                machine.expect("sbx: shell", 400)
            wake(machine)
            console = Console(machine)
            console.run("one", "until ping -c 1 10.0.0.2; do sleep 1; done")
            for least in (2, 44):
                console.run("one", f"echo {least} >/proc/sys/net/ipv4/tcp_min_tso_segs")
                console.start("two", "tool receive 5000")
                console.leave()
                work = Work(machine, ("one", "two"))
                ticks = int(console.run("one", f"tool send 10.0.0.2 5000 {BIG << 20}", rf"{BIG << 20} (\d+)").group(1))
                work.done()
                print_net(args, kernel, work, ticks, least)


def print_net(args, kernel, work, ticks, least):
    one, two = (work.devices[name][0] for name in ("one", "two"))
    print(f"net, {kernel}, {args.cpu_model}, pieces of at least {least} frames: {BIG} MiB by TCP, "
          f"{(BIG << 20) / (ticks / 1e6):.0f} bytes in a million instructions; for a MiB: {one[1] / BIG:.0f} and {two[1] / BIG:.0f} buffers, "
          f"{one[0] / BIG:.1f} and {two[0] / BIG:.1f} notifications, {one[2] / BIG:.1f} and {two[2] / BIG:.1f} interrupts")
    for name in ("one", "two"):
        print(f"    exits of {name} for a MiB: {words_of(work.exits[name], BIG)}")
    print(f"    exits of the manager for a MiB: {work.manager / BIG:.1f}; {work.shares()}", flush=True)


def block(args):
    for kernel in args.kernel:
        config = domain("linux", "sbx.test=modules sbx.end=shell", more=f"disk = empty,{BIG}M")
        with Started(args, kernel, 1, config) as machine:
            machine.expect("sbx: shell", 400)
            wake(machine)
            console = Console(machine)
            console.run("linux", "tool read /dev/vda")
            work = Work(machine, ("linux",))
            ticks = int(console.run("linux", "tool read /dev/vda", rf"{BIG << 20} (\d+)").group(1))
            work.done()
        notified, chains, interrupts, _ = work.devices["linux"][0]
        print(f"block, {kernel}, {args.cpu_model}: {BIG} MiB read, {(BIG << 20) / (ticks / 1e6):.0f} bytes in a million instructions; "
              f"for a MiB: {chains / BIG:.1f} requests, {notified / BIG:.1f} notifications, {interrupts / BIG:.1f} interrupts")
        print(f"    exits for a MiB: {words_of(work.exits['linux'], BIG)}; of the manager: {work.manager / BIG:.1f}; {work.shares()}", flush=True)


FIGURES = {function.__name__: function for function in (boot, idle, net, block)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=[*FIGURES, "all"])
    parser.add_argument("--kernel", nargs="*", default=["6.1", "6.12"])
    parser.add_argument("--cpus", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--cpu-model", default="corei7_skylake_x")
    args = parser.parse_args()
    for name, function in FIGURES.items():
        if args.what in (name, "all"):
            function(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
